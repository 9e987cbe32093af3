"""Long tables in memory: frames of pandas and polars, one row a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from elman.data.frames import is_lazy, library
from elman.data.readers.columns import Table, check_names, names
from elman.data.readers.dataset import Dataset
from elman.data.readers.roles import Asked
from elman.data.readers.settings import NOT_A_NUMBER
from elman.data.readers.table import read_rows
from elman.data.readers.text_rows import read_text_rows
from elman.data.readers.times import sort_keys
from elman.data.sequences import Sequences
from elman.data.text import is_unicode
from elman.errors import DataError, FileError

_ORDER = ("sequence", "time")  # the levels of a MultiIndex, as errors call them


def read_frame(frame: Any, asked: Asked, text: str | None, split: str, name: str = "frame") -> Dataset:
    """Read a long frame, or one of texts in column ``text``, as a table is read from a file.

    Columns of pandas are those of the frame, after the levels of its index that have a name.

    Raises
    ------
    DataError
        If it is no frame, or breaks what a table must hold; rows are counted from 0, as ``frame.iloc`` counts.
    """
    try:
        table = _table(frame, name)
        return read_rows(table, asked) if text is None else read_text_rows(table, asked, text, split)
    except FileError as error:
        raise DataError(str(error)) from error


def from_indexed_twice(data: Any, name: str, *, missing: str) -> Sequences:
    """Give a pandas frame or Series with a MultiIndex (sequence, time), one row a step, as Sequences.

    Raises
    ------
    DataError
        If the index has another number of levels, rows are out of order, or the table breaks its contract.
    """
    frame = data.to_frame("value") if not hasattr(data, "columns") else data
    if frame.index.nlevels != len(_ORDER):
        raise DataError(
            f"{name} must have an index of two levels, sequence and time. Got {frame.index.nlevels} instead; "
            "drop the others with .droplevel(...)."
        )
    features = [str(column) for column in frame.columns]
    keys = [_free(key, features) for key in _ORDER]
    columns = {key: frame.index.get_level_values(level) for level, key in enumerate(keys)}
    columns |= {feature: frame.iloc[:, number] for number, feature in enumerate(features)}
    named = {"id": keys[0], "time": keys[1], "label": None, "group": None}
    allowed = NOT_A_NUMBER if missing == "indicator" else None
    asked = Asked(named, features=tuple(features), missing=allowed, labels_required=False)
    try:
        check_names(name, features)
        if len(frame) == 0:
            raise DataError(f"{name} must hold at least one sequence. Got none.")
        table = _from_columns(columns, name)
        _require_order(table, keys)
        return read_rows(table, asked).sequences
    except FileError as error:
        raise DataError(str(error)) from error


def _require_order(table: Table, keys: list[str]) -> None:
    """Refuse rows that would have to move: labels and weights beside them, one a row, would stay where they are."""
    sequence_of, _ = names(table, keys[0], "sequence id")
    is_moved = np.lexsort((sort_keys(table, keys[1]), sequence_of)) != np.arange(len(sequence_of))
    if is_moved.any():
        raise DataError(
            f"{table.source}: expected the rows of a sequence together, in the order of time, got them out of order "
            f"from {table.place(int(np.argmax(is_moved)))} on. Sort by .sort_index(), and all that has a value a row."
        )


def _table(frame: Any, name: str) -> Table:
    if library(frame) is None or not hasattr(frame, "columns"):
        raise DataError(
            f"The 'frame' parameter of from_frame must be a DataFrame of pandas or polars. "
            f"Got {type(frame).__name__} instead{'; call .collect() first' * is_lazy(frame)}."
        )
    if len(frame) == 0:
        raise DataError(f"{name}: expected at least one row, found none.")
    if library(frame) == "polars":
        check_names(name, frame.columns)
        return Table(name, frame, "row {}".format, is_text=False)
    levels = [level for level in frame.index.names if level is not None]
    keys = [str(column) for column in [*levels, *frame.columns]]
    check_names(name, keys)
    columns = [frame.index.get_level_values(level) for level in levels]
    columns += [frame.iloc[:, number] for number in range(frame.shape[1])]
    return _from_columns(dict(zip(keys, columns)), name)


def _from_columns(columns: dict[str, Any], name: str) -> Table:
    frame = pl.DataFrame([_series(column, f"{name}, column {key!r}").alias(key) for key, column in columns.items()])
    return Table(name, frame, "row {}".format, is_text=False)


def _free(name: str, taken: list[str]) -> str:
    return _free(f"{name}_", taken) if name in taken else name


def _series(column: Any, place: str) -> pl.Series:
    """Give a column of pandas as one of polars, null where missing; pandas' own way needs pyarrow."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufmM":
        values = column.to_numpy()
        in_microseconds = dtype.kind in "mM" and np.datetime_data(dtype)[0] not in ("ms", "us", "ns")
        return pl.Series(np.ascontiguousarray(values.astype(f"{dtype.kind}8[us]") if in_microseconds else values))
    if getattr(dtype, "kind", "O") == "M":  # with a time zone: all its times are in one
        return pl.Series(np.ascontiguousarray(column.to_numpy(dtype="datetime64[ns]")))
    missing = np.asarray(column.isna()).tolist()
    values = [None if is_missing else value for value, is_missing in zip(column.tolist(), missing)]
    number = _type_of_numbers(values) if getattr(dtype, "kind", "O") == "O" else None
    try:
        series = pl.Series(values, dtype=number, strict=number is None)
    except UnicodeEncodeError as error:
        raise _not_unicode(values, place) from error
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise _mixed(values, place) from error
    is_kind = hasattr(dtype, "categories")  # then '1' is a name and no number
    return series.cast(pl.String).cast(pl.Categorical) if is_kind else series


def _type_of_numbers(values: list[Any]) -> type[pl.DataType] | None:
    """Give the type for numbers among Python objects, None where one is none; whole numbers stay whole."""
    known = [value for value in values if value is not None]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return None
    is_whole = bool(known) and all(isinstance(value, int) and abs(value) < 2**63 for value in known)
    return pl.Int64 if is_whole else pl.Float64


def _not_unicode(values: list[Any], place: str) -> DataError:
    row = next(row for row, value in enumerate(values) if isinstance(value, str) and not is_unicode(value))
    return DataError(f"{place}, row {row}: expected valid Unicode, got {ascii(values[row])[:60]}. Decode it again.")


def _mixed(values: list[Any], place: str) -> DataError:
    kinds = sorted({type(value).__name__ for value in values if value is not None})
    return DataError(f"{place}: expected values of one kind, got {', '.join(kinds[:5])}. Give all of them one type.")
