"""The columns of a long table as arrays, each error with its place in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.numeric import LARGEST, FloatArray, IntArray
from elman.data.readers.labels import labels_from_text, text_array
from elman.data.readers.settings import NOT_A_NUMBER
from elman.data.readers.source import Source, shown
from elman.errors import FileError

_LONGEST_MARK = 20  # characters of what could be written for a missing value
_UNNAMED = ("", "Unnamed: 0", "__index_level_0__")  # what the row numbers of a data frame turn into when written


@dataclass(frozen=True)
class Table:
    """A long table, one row a step.

    Parameters
    ----------
    source : Path or str
        The file, or what errors call a frame in memory.
    frame : polars.DataFrame (S rows)
        All text where ``is_text``.
    place : int -> str
        Where a row stands in it, such as 'line 12'.
    is_text : bool
        Whether the types of the columns must be told from their text, as in CSV.
    missing : tuple of str, or None
        How a missing value of a feature may be written, beside an empty cell; None: it is an error.
    """

    source: Source
    frame: pl.DataFrame
    place: Callable[[int], str]
    is_text: bool
    missing: tuple[str, ...] | None = None

    def where(self, row: int, column: str) -> str:
        """Give the place of a cell, as errors begin with it."""
        return f"{self.source}, {self.place(row)}, column {shown(column)}"


def check_names(source: Source, names: list[str]) -> None:
    """Raise FileError unless the columns have distinct names and none is a forgotten index."""
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if name in _UNNAMED:
            raise FileError(
                f"{source}: column {position} is named {name!r}, as the row numbers of a data frame are. "
                "Write the file without its index, or name the column."
            )
        if name in seen:
            raise FileError(f"{source}: expected columns of distinct names, got {shown(name)} twice. Rename one.")
        seen.add(name)


def numbers(table: Table, column: str) -> FloatArray:
    """Give a feature column, numbers or booleans, as floats (S,), NaN where missing; float32 stays float32."""
    series = table.frame[column]
    known = without_missing(table, series)
    if series.dtype == pl.String:
        values = _numbers_from_text(known)
    elif series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        values = known if series.dtype == pl.Float32 else known.cast(pl.Float64, strict=False)
    else:
        raise FileError(
            f"{table.source}, column {shown(column)}: expected numbers, got {shown(str(series.dtype))}. "
            "Drop the column, or name it as id, time, label or group."
        )
    wrong = values.is_null() if table.missing is None else values.is_null() & known.is_not_null()
    if wrong.any():
        _refuse_text(table, column, wrong.to_numpy())
    array = values.to_numpy()
    if not (array.min() >= -LARGEST and array.max() <= LARGEST):
        is_number = np.abs(array) <= LARGEST
        if table.missing is not None:
            is_number |= np.isnan(array)
        if not is_number.all():
            row = int(np.argmin(is_number))
            raise FileError(
                f"{table.where(row, column)}: expected a finite number of at most {LARGEST:g}, "
                f"got {shown(series[row])}. "
                f"Fix the file or drop the row{_or_missing(table, None) if np.isnan(array[row]) else ''}."
            )
    return np.asarray(array)


def without_missing(table: Table, series: pl.Series) -> pl.Series:
    """Give a column with null where it is missing, as far as missing values are allowed."""
    if table.missing is None:
        return series
    if series.dtype.is_float():
        return series.fill_nan(None)
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return series
    text = series.cast(pl.String)
    return text.set(text.str.strip_chars().is_in(["", *table.missing]), None)


def codes(table: Table, column: str, what: str) -> tuple[IntArray, list[str]]:
    """Give a column as codes (S,) and the distinct texts they stand for, in order of first appearance."""
    series = filled(table, column, as_text(table, column), what)
    distinct = series.unique(maintain_order=True)
    numbered = distinct.rename("text").to_frame().with_row_index("code")
    joined = series.rename("text").to_frame().join(numbered, on="text", how="left", maintain_order="left")
    return joined["code"].to_numpy().astype(np.int64), distinct.to_list()


def names(table: Table, column: str, what: str) -> tuple[IntArray, NDArray[np.str_]]:
    """Give a column of names, such as ids, as codes (S,) and the distinct names (M,)."""
    code_of, texts = codes(table, column, what)
    first = first_rows(code_of, len(texts))
    return code_of, text_array(texts, lambda i: table.where(int(first[i]), column), what)


def labels(table: Table, column: str) -> tuple[IntArray, NDArray[Any]]:
    """Give a label column as codes (S,) and the distinct labels (M,): text, whole numbers or booleans."""
    code_of, texts = codes(table, column, "label")
    first = first_rows(code_of, len(texts))
    is_certainly_text = not table.is_text and table.frame[column].dtype in (pl.String, pl.Categorical, pl.Enum)
    typed = text_array if is_certainly_text else labels_from_text
    distinct, merged = np.unique(typed(texts, lambda i: table.where(int(first[i]), column)), return_inverse=True)
    return merged[code_of], distinct  # '1' and '1.0' have become one label


def first_rows(code_of: IntArray, n: int) -> IntArray:
    """Give the first row (n,) of each code."""
    first = np.empty(n, dtype=np.int64)
    first[code_of[::-1]] = np.arange(len(code_of))[::-1]
    return first


def as_text(table: Table, column: str) -> pl.Series:
    """Give a column of any plain type as text without spaces around it, null where missing."""
    series = table.frame[column]
    if series.dtype.is_float():
        series = series.fill_nan(None)
    plain = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Time, pl.Null)
    if not (series.dtype.is_numeric() or series.dtype in plain):
        raise FileError(
            f"{table.source}, column {shown(column)}: expected text or numbers, got {shown(str(series.dtype))}. "
            "Name another column."
        )
    stripped = series.cast(pl.String).str.strip_chars()
    return stripped.set(stripped == "", None)


def filled(table: Table, column: str, series: pl.Series, what: str) -> pl.Series:
    """Give ``series`` back, or raise FileError where a value is missing."""
    if series.null_count():
        row = int(np.argmax(series.is_null().to_numpy()))
        raise FileError(f"{table.where(row, column)}: expected a {what}, found nothing. Fill it in, or drop the row.")
    return series


def _numbers_from_text(series: pl.Series) -> pl.Series:
    """Give text as Float64: numbers, or else 'true' and 'false' throughout; null where it is neither."""
    values = series.cast(pl.Float64, strict=False)
    if values.null_count() == 0:
        return values
    stripped = series.str.strip_chars()
    values = stripped.cast(pl.Float64, strict=False)
    is_boolean = stripped.str.to_lowercase().is_in(["true", "false"])
    return (stripped.str.to_lowercase() == "true").cast(pl.Float64) if is_boolean.all() else values


def _refuse_text(table: Table, column: str, wrong: NDArray[np.bool_]) -> None:
    series = table.frame[column]
    if series.dtype == pl.String:  # among booleans, name the value that is none
        words = series.str.strip_chars().str.to_lowercase().is_in(["true", "false"]).fill_null(value=False).to_numpy()
        wrong = wrong & ~words if (wrong & ~words).any() else wrong
    row = int(np.argmax(wrong))
    found = "found nothing" if series[row] is None else f"got {shown(series[row])}"
    if wrong.all() and series.null_count() < len(series):
        advice = "Drop the column, or name it as id, time, label or group"
    else:
        advice = f"Fix the file or drop the row{_or_missing(table, series[row])}"
    raise FileError(f"{table.where(row, column)}: expected a number, {found}. {advice}.")


def _or_missing(table: Table, cell: object) -> str:
    """Say how a cell that is no number can be read as a missing value."""
    text = "" if cell is None else str(cell).strip()
    if text in ("", *NOT_A_NUMBER):
        return ", or read and train with missing='indicator'" if table.missing is None else ""
    return f", or read it as missing with missing_text={text!r}" if len(text) <= _LONGEST_MARK else ""
