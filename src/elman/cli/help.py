"""The text of `--help` from a command's docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def paragraphs(command: Callable[..., Any]) -> str:
    """Give the docstring with each paragraph on one line, for the terminal to break; examples keep their lines."""
    blocks = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(block if block.startswith("[bold]") else block.replace("\n", " ") for block in blocks)
