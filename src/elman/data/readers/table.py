"""Long tables, one row a step: CSV, TSV and Parquet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import IntArray
from elman.data.readers.columns import Table, as_text, first_rows, labels, names, numbers
from elman.data.readers.csv_file import read_csv
from elman.data.readers.dataset import Dataset
from elman.data.readers.parquet_file import read_parquet
from elman.data.readers.roles import Asked, Roles, find_roles
from elman.data.readers.source import shown
from elman.data.readers.times import sort_keys
from elman.data.sequences import Sequences, offsets_of
from elman.errors import FileError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_table(path: Path, asked: Asked, *, labels_per_step: bool = False, labels_required: bool = True) -> Dataset:
    """Read a long table into sequences, in order of first appearance, each sorted by time.

    Parameters
    ----------
    asked : Asked
        What the caller says about the columns.

    Raises
    ------
    FileError
        If a cell is missing or not what its column needs, a time comes twice in a sequence, or a label changes in it.
    """
    suffix = path.suffix.lower()
    table = read_csv(path, _SEPARATORS[suffix]) if suffix in _SEPARATORS else read_parquet(path)
    roles = find_roles(path, table.frame.columns, asked, labels_required)
    sequence_of, ids = names(table, roles.id, "sequence id")  # (S,) codes, (N,)
    order = _order(table, roles, sequence_of, ids)  # (S,) rows by sequence, then by time
    offsets = offsets_of(np.bincount(sequence_of))
    first = first_rows(sequence_of, len(ids))
    without: dict[str, Any] = dict.fromkeys(asked.unread)
    wanted = replace(roles, **without)
    found, notes = _labels(table, wanted, sequence_of, order, first, labels_per_step, labels_required)
    return Dataset(
        Sequences(_values(table, roles.features, order), offsets, roles.features),
        found,
        ids,
        groups=_groups(table, wanted, sequence_of, first),
        per_step=labels_per_step and found is not None,
        notes=roles.notes + notes,
        columns={
            role: column for role in ("id", "time", "label", "group") if (column := getattr(roles, role)) is not None
        },
    )


def _order(table: Table, roles: Roles, sequence_of: IntArray, ids: NDArray[np.str_]) -> IntArray:
    if roles.time is None:
        return np.argsort(sequence_of, kind="stable")
    times = sort_keys(table, roles.time)
    order = np.lexsort((times, sequence_of))
    same = (np.diff(sequence_of[order]) == 0) & (times[order][1:] == times[order][:-1])
    if same.any():
        i = int(np.argmax(same))
        row = int(max(order[i], order[i + 1]))
        raise FileError(
            f"{table.where(row, roles.time)}: expected each time once in a sequence, "
            f"got {shown(table.frame[roles.time][row])} again in sequence {shown(str(ids[sequence_of[row]]))}. "
            "Drop one of the rows, or name another time or id column."
        )
    return order


def _values(table: Table, features: tuple[str, ...], order: IntArray) -> NDArray[Any]:
    columns = [numbers(table, feature) for feature in features]
    values = np.empty((len(order), len(columns)), dtype=np.result_type(*columns))
    for column, numbers_of_column in enumerate(columns):
        values[:, column] = numbers_of_column[order]
    return values


def _labels(
    table: Table,
    roles: Roles,
    sequence_of: IntArray,
    order: IntArray,
    first: IntArray,
    per_step: bool,
    required: bool,
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Give the labels, (N,) or (S,), and a note where there are none."""
    if roles.label is None:
        return None, ()
    if not required and as_text(table, roles.label).null_count() == table.frame.height:
        return None, (f"Column {shown(roles.label)} is empty: read without labels.",)
    label_of, classes = labels(table, roles.label)
    if per_step:
        return classes[label_of[order]], ()
    _require_constant(table, roles.label, "label", label_of, sequence_of, first)
    return classes[label_of[first]], ()


def _groups(table: Table, roles: Roles, sequence_of: IntArray, first: IntArray) -> NDArray[np.str_] | None:
    if roles.group is None:
        return None
    group_of, groups = names(table, roles.group, "group")
    _require_constant(table, roles.group, "group", group_of, sequence_of, first)
    return np.asarray(groups[group_of[first]])


def _require_constant(
    table: Table, column: str, what: str, code_of: IntArray, sequence_of: IntArray, first: IntArray
) -> None:
    """Raise FileError where a value differs from that in the first row of its sequence."""
    differs = code_of != code_of[first[sequence_of]]
    if not differs.any():
        return
    row = int(np.argmax(differs))
    values = table.frame[column]
    expected = values[int(first[sequence_of[row]])]
    advice = "pass labels_per_step=True" if what == "label" else "name another group column"
    raise FileError(
        f"{table.where(row, column)}: expected one {what} in a sequence, {shown(expected)} as in its first row, "
        f"got {shown(values[row])}. Fix the file, or {advice}."
    )
