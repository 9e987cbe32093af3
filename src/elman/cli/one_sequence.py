"""The one sequence of a file that a command looks into: its options, and which it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.columns import PANEL
from elman.errors import ParameterError

if TYPE_CHECKING:
    from elman.data import Dataset

_MOST_NAMED = 5
_LONGEST = 60  # characters of a name in an error

SequenceId = Annotated[
    str | None, typer.Option("--id", metavar="ID", help="The sequence; the first of FILE if not said.")
]
IdColumn = Annotated[
    str | None,
    typer.Option("--id-column", metavar="C", help="Tells which sequence a row is of.", rich_help_panel=PANEL),
]


def place_of(dataset: Dataset, id: str | None, file: Path) -> int:
    """Give the number of the sequence with this id, or raise ParameterError with ids that are like it."""
    ids = dataset.ids.tolist()
    if id is None:
        return 0
    if id in ids:
        return int(ids.index(id))
    from difflib import get_close_matches

    near = get_close_matches(id[:_LONGEST], ids, n=_MOST_NAMED, cutoff=0.5) or ids[:_MOST_NAMED]
    named = ", ".join(repr(cut(name)) for name in near)
    raise ParameterError(f"--id must be the id of a sequence in {file}, such as {named}. Got {cut(id)!r} instead.")


def cut(name: str) -> str:
    """Give as much of a name as an error repeats."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
