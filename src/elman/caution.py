"""Warnings that point at the line of the user's that called into elman."""

from __future__ import annotations

import sys
import warnings

_PACKAGES = ("elman", "sklearn")


def warn_user(sentence: str) -> None:
    """Warn at the line that called into elman, whatever called what inside."""
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _PACKAGES:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(sentence, UserWarning, stacklevel=depth)
