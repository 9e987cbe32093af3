"""Data files as the commands read them: guesses said aloud, and a new table read as the one trained on."""

from __future__ import annotations

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
    from elman.data import read

    is_table = path.suffix.lower() in _TABLES
    dataset = read(
        path,
        **(columns if is_table else {}),
        labels_per_step=per_step or (is_table and not labelled),  # labels that are not wanted may change as they like
        labels_required=labelled,
    )
    _say(dataset)
    if labelled and dataset.labels is None:
        raise FileError(f"{path}: expected labels, found none. To predict them, use 'elman predict'.")
    return dataset


def _say(dataset: Dataset) -> None:
    for sentence in dataset.notes:
        note(sentence)
