"""Where output goes: results to stdout; notes and progress to stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from elman.cli.options import with_options

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def console(*, stderr: bool = False) -> Console:
    """Give a console that prints text as it is, without markup or colour of its own."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=False)


def say(*what: RenderableType) -> None:
    """Print a result; text as a str keeps to one line, so that the paths in it can be copied."""
    to = console()
    for item in what:
        to.print(item, soft_wrap=isinstance(item, str))


def say_command(command: str) -> None:
    """Print a command to type."""
    console().print(f"  {command}", style="bold", soft_wrap=True)


def say_json(data: dict[str, Any]) -> None:
    """Print a result for programs."""
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def note(sentence: str) -> None:
    """Print what the user may want to know, beside the result."""
    console(stderr=True).print(f"note: {with_options(sentence)}", style="dim", soft_wrap=True)
