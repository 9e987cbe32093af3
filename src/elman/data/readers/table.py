"""Long tables, one row a step, turned into sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.missing import STEP_LENGTH
from elman.data.numeric import IntArray
from elman.data.readers.columns import Table, as_text, first_rows, labels, names, numbers, without_missing
from elman.data.readers.csv_file import read_csv
from elman.data.readers.dataset import Dataset
from elman.data.readers.kinds import categories, holds_text, refuse_no_kinds
from elman.data.readers.parquet_file import read_parquet
from elman.data.readers.roles import ROLES, Asked, Roles, find_roles
from elman.data.readers.source import listed, shown
from elman.data.readers.times import sort_keys, step_lengths
from elman.data.sequences import Sequences, offsets_of
from elman.errors import FileError

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def open_table(path: Path) -> Table:
    """Read the cells of a file.

    Raises
    ------
    FileError
        If it is no table.
    """
    suffix = path.suffix.lower()
    return read_csv(path, SEPARATORS[suffix]) if suffix in SEPARATORS else read_parquet(path)


def read_rows(table: Table, asked: Asked) -> Dataset:
    """Turn a long table into sequences, in order of first appearance, each sorted by time.

    Parameters
    ----------
    table : Table
    asked : Asked
        What the caller says about the columns.

    Raises
    ------
    FileError
        If a cell is missing or not what its column needs, a time comes twice in a sequence, or a label changes in it.
    """
    table = replace(table, missing=asked.missing)
    if asked.step_length and asked.features is not None:
        asked = replace(asked, features=tuple(name for name in asked.features if name != STEP_LENGTH))
    roles = find_roles(table.source, table.frame.columns, asked)
    sequence_of, ids = names(table, roles.id, "sequence id")  # (S,) codes, (N,)
    order = _order(table, roles, sequence_of, ids)  # (S,) rows by sequence, then by time
    offsets = offsets_of(np.bincount(sequence_of))
    first = first_rows(sequence_of, len(ids))
    without: dict[str, Any] = dict.fromkeys(asked.unread)
    wanted = replace(roles, **without)
    found, notes = _labels(table, wanted, sequence_of, order, first, asked)
    sequences, more_notes = _features(table, roles.features, order, offsets, asked, (sequence_of, first))
    columns = {role: column for role in ROLES if (column := getattr(roles, role)) is not None}
    if asked.step_length:
        sequences, note = _with_step_length(table, roles, order, sequences)
        more_notes += (note,)
        columns["step_length"] = str(roles.time)
    return Dataset(
        sequences,
        found,
        ids,
        groups=_groups(table, wanted, sequence_of, first),
        per_step=asked.labels_per_step and found is not None,
        notes=roles.notes + more_notes + notes,
        columns=columns,
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


def _features(
    table: Table,
    features: tuple[str, ...],
    order: IntArray,
    offsets: IntArray,
    asked: Asked,
    places: tuple[IntArray, IntArray],
) -> tuple[Sequences, tuple[str, ...]]:
    """Give the feature columns, and a note for each that holds kinds."""
    columns: list[NDArray[Any]] = []
    names_of: list[tuple[str, ...] | None] = []
    for feature in features:
        if feature in asked.categorical or (asked.guess_categories and holds_text(table, feature)):
            codes, kinds = categories(table, feature)
            if asked.features is None and feature not in asked.categorical:
                refuse_no_kinds(table, feature, codes, kinds, *places)
            columns.append(codes)
            names_of.append(kinds)
        else:
            columns.append(numbers(table, feature))
            names_of.append(None)
    values = np.empty((len(order), len(columns)), dtype=np.result_type(*columns))
    for column, values_of_column in enumerate(columns):
        values[:, column] = values_of_column[order]
    notes = tuple(
        f"Read column {shown(feature)} as text of {len(kinds)} kind{'s' * (len(kinds) != 1)}: {listed(kinds)}."
        for feature, kinds in zip(features, names_of)
        if kinds is not None and asked.features is None  # a model has names of its own
    )
    is_any = any(kinds is not None for kinds in names_of)
    return Sequences(values, offsets, features, tuple(names_of) if is_any else None), notes


def _with_step_length(table: Table, roles: Roles, order: IntArray, sequences: Sequences) -> tuple[Sequences, str]:
    """Give the sequences with the feature 'step length', their last, and a note about it."""
    names = sequences.feature_names or ()
    if roles.time is None:
        raise FileError(f"{table.source}: expected a time column for step lengths, found none. Name it with time=....")
    if STEP_LENGTH in names:
        raise FileError(
            f"{table.source}: expected no column {STEP_LENGTH!r} beside step_length=True, which adds one. Rename it."
        )
    lengths, unit = step_lengths(table, roles.time, order, sequences.offsets)
    values = np.column_stack([sequences.values, lengths])
    categories = None if sequences.categories is None else (*sequences.categories, None)
    note = f"Turned column {shown(roles.time)} into the feature {STEP_LENGTH!r}, in {unit}."
    return Sequences(values, sequences.offsets, (*names, STEP_LENGTH), categories, len(names)), note


def _labels(
    table: Table,
    roles: Roles,
    sequence_of: IntArray,
    order: IntArray,
    first: IntArray,
    asked: Asked,
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Give the labels, (N,) or (S,), and a note where there are none."""
    if roles.label is None:
        return None, ()
    if not asked.labels_required and as_text(table, roles.label).null_count() == table.frame.height:
        return None, (f"Column {shown(roles.label)} is empty: read without labels.",)
    if asked.labels_per_step:
        return _labels_of_rows(table, roles.label)[order], ()
    label_of, classes = labels(table, roles.label)
    _require_constant(table, roles.label, "label", label_of, sequence_of, first)
    return classes[label_of[first]], ()


def _labels_of_rows(table: Table, column: str) -> NDArray[Any]:
    """Give the label of each row (S,); where some are missing, an array of objects with None for those."""
    is_labelled = without_missing(table, as_text(table, column)).is_not_null()
    rows = np.flatnonzero(is_labelled.to_numpy())
    if len(rows) in (0, table.frame.height):
        label_of, classes = labels(table, column)
        return np.asarray(classes[label_of])
    labelled = replace(table, frame=table.frame.filter(is_labelled), place=lambda row: table.place(int(rows[row])))
    label_of, classes = labels(labelled, column)
    found = np.full(table.frame.height, None, dtype=object)
    found[rows] = classes[label_of]
    return found


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
