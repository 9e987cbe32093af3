"""Data files as the commands read them: guesses said aloud, and a new table read as the one trained on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from elman.cli.console import note
from elman.errors import FileError

if TYPE_CHECKING:
    from elman.data import Dataset

_TABLES = (".csv", ".tsv", ".parquet")


def read_training(path: Path, columns: dict[str, str | None], *, per_step: bool) -> Dataset:
    """Read a labelled file, with the columns that the user named."""
    from elman.data import read

    dataset = read(path, **columns, labels_per_step=per_step, labels_required=True)
    _say(dataset)
    return dataset


def read_again(path: Path, columns: dict[str, str], *, per_step: bool, labelled: bool) -> Dataset:
    """Read a file for a model, with the columns of the table that it was trained on, labels or not."""
    is_table = path.suffix.lower() in _TABLES
    named = columns if is_table else {}
    # Labels that are not wanted may change within a sequence as they like.
    options = {"labels_per_step": per_step or (is_table and not labelled), "labels_required": labelled}
    try:
        dataset = _read(path, named, options)
    except FileError:
        if "group" not in named:
            raise
        with suppress(FileError):  # groups are of use in training alone: they may be missing here
            dataset = _read(path, {role: column for role, column in named.items() if role != "group"}, options)
            _say(dataset)
            return dataset
        raise
    _say(dataset)
    return dataset


def _read(path: Path, columns: dict[str, str], options: dict[str, bool]) -> Dataset:
    from elman.data import read

    return read(
        path,
        id=columns.get("id"),
        time=columns.get("time"),
        label=columns.get("label"),
        group=columns.get("group"),
        labels_per_step=options["labels_per_step"],
        labels_required=options["labels_required"],
    )


def _say(dataset: Dataset) -> None:
    for sentence in dataset.notes:
        note(sentence)
