"""Where output goes: results to stdout; notes and progress to stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from elman.cli.options import with_options

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class _Unfailing:
    """A stream that drops what cannot be written, so that a full disk or a closed pipe never ends a training run."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_open = True

    def write(self, text: str) -> int:
        if self.is_open:
            try:
                self.stream.write(text)
            except OSError:
                self.is_open = False
        return len(text)

    def flush(self) -> None:
        if self.is_open:
            try:
                self.stream.flush()
            except OSError:
                self.is_open = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def prepare_streams() -> None:
    """Make stdout and stderr take every character, and stderr, which holds notes and progress only, never fail."""
    if sys.stderr is None:  # `2>&-`
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = cast("TextIO", _Unfailing(sys.stderr))


def console(*, stderr: bool = False) -> Console:
    """Give a console that prints text as it is, without markup or colour of its own."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=False)


def say(*what: RenderableType) -> None:
    """Print a result; text as a str keeps to one line, so that the paths in it can be copied."""
    to = console()
    for item in what:
        to.print(item, soft_wrap=isinstance(item, str))


def tell(*sentences: str) -> None:
    """Print prose of a result, broken at the width of the terminal."""
    for sentence in sentences:
        console().print(sentence)


def seen(text: str) -> str:
    """Give text with the signs that steer a terminal, which a file's name may hold, as escapes.

    >>> seen("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return "".join(
        sign if sign.isprintable() or sign in "\n\xa0" else sign.encode("unicode_escape", "replace").decode()
        for sign in text
    )


def say_command(command: str) -> None:
    """Print a command to type."""
    console().print(f"  {command}", style="bold", soft_wrap=True)


def say_json(data: dict[str, Any]) -> None:
    """Print a result for programs."""
    is_unicode = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
    print(json.dumps(data, indent=2, ensure_ascii=not is_unicode, allow_nan=False))


def note(sentence: str, to: Console | None = None) -> None:
    """Print what the user may want to know, beside the result; ``to`` a console that shows something live."""
    _say_beside(f"note: {with_options(sentence)}", "dim", to)


def warn(sentence: str, to: Console | None = None) -> None:
    """Print what may make the result worth less than it seems, likewise."""
    _say_beside(f"warning: {with_options(sentence)}", "yellow", to)


def _say_beside(line: str, style: str, to: Console | None) -> None:
    from rich.text import Text

    (to or console(stderr=True)).print(
        Text(seen(line), style), soft_wrap=True
    )  # a style of print's would reach what is live


@contextmanager
def warnings_told(to: Console | None = None, but: Iterable[str] = ()) -> Iterator[None]:
    """Print the library's warnings as they come, each once, ``but`` those that the user was told."""
    told = set(but)

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        sentence = str(message)
        if issubclass(category, UserWarning) and sentence not in told:
            told.add(sentence)
            warn(sentence, to)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield
