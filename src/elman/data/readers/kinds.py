"""Feature columns that hold kinds and not quantities: which they are, and their names as codes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.numeric import IntArray
from elman.data.readers.columns import Table, as_text, without_missing
from elman.data.readers.labels import text_array
from elman.data.readers.settings import NOT_A_NUMBER
from elman.data.readers.source import Source, shown
from elman.data.readers.times import CLOCK, DATE
from elman.errors import FileError

MOST_NAMES = 65_536
_MOST_BY_HEART = 20  # rows or sequences that may each have a name of their own
_GLANCE = 1000  # rows that tell most columns of numbers at once
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE = r"^([+-]?[0-9]+)\.0+$"
_OTHER_DATE = r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([T ].*)?$"  # 31.12.2026, 12/31/26 10:00


def holds_text(table: Table, column: str) -> bool:
    """Tell whether a column has text in it and no number at all; 'true' and 'false' count as numbers."""
    series = table.frame[column]
    if series.dtype in (pl.Categorical, pl.Enum):
        return True
    if series.dtype != pl.String:
        return False
    marks = ["", *NOT_A_NUMBER, *(table.missing or ())]
    first = series[0] or ""
    if _PLAIN_NUMBER.fullmatch(first) and first not in marks:  # of most columns this tells enough
        return False
    return not _holds_number(series.head(_GLANCE), marks) and _holds_number(series, marks) is False


def _holds_number(series: pl.Series, marks: list[str]) -> bool | None:
    """Tell whether a cell is a number or a boolean; None where every cell is missing."""
    texts = series.str.strip_chars()
    known = texts.filter(~texts.is_in(marks)).unique()
    is_number = known.cast(pl.Float64, strict=False).is_not_null() | known.str.to_lowercase().is_in(["true", "false"])
    return bool(is_number.any()) if len(known) else None


def categories(table: Table, column: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Give a column of kinds as codes (S,), NaN where missing, and their names in order of first appearance.

    Raises
    ------
    FileError
        If a cell is empty where missing values are not allowed, or there are more than 65,536 names.
    """
    written = _text(table, column)
    texts = without_missing(replace(table, missing=table.missing or NOT_A_NUMBER), written)
    if table.missing is None and texts.null_count():
        row = int(np.argmax(texts.is_null().to_numpy()))
        found = "found nothing" if written[row] is None else f"got the missing value {shown(written[row])}"
        raise FileError(
            f"{table.where(row, column)}: expected text, {found}. "
            "Fill it in, drop the row, or read and train with missing='indicator'."
        )
    distinct = texts.drop_nulls().unique(maintain_order=True)
    if len(distinct) > MOST_NAMES:
        raise _no_kinds(table.source, column, f"{len(distinct):,} of them", distinct[0])
    names = text_array(distinct.to_list(), lambda i: table.where(_first_row(texts, distinct[i]), column), "category")
    numbered = distinct.rename("text").to_frame().with_row_index("code")
    joined = texts.rename("text").to_frame().join(numbered, on="text", how="left", maintain_order="left")
    return joined["code"].cast(pl.Float64).to_numpy(), tuple(names.tolist())


def refuse_no_kinds(
    table: Table,
    column: str,
    codes: NDArray[np.float64],
    names: tuple[str, ...],
    sequence_of: IntArray,
    first: IntArray,
) -> None:
    """Raise FileError for text that was taken for kinds and is none: a network would learn it by heart.

    That is dates, another name in each row, and another in each sequence.

    Parameters
    ----------
    codes, names
        As `categories` gave them.
    sequence_of : int64 array (S,)
        The sequence of each row.
    first : int64 array (N,)
        The first row of each sequence.
    """
    n_rows = int(np.count_nonzero(~np.isnan(codes)))
    is_constant = bool((codes == codes[first][sequence_of]).all())
    refuse_names(table.source, column, names, n_rows, len(first) if is_constant else None)


def refuse_names(source: Source, column: str, names: tuple[str, ...], n_rows: int, n_sequences: int | None) -> None:
    """Raise FileError as `refuse_no_kinds` does.

    Parameters
    ----------
    n_rows : int
        How many rows have a name.
    n_sequences : int or None
        How many sequences there are, where each has one name in all its rows.
    """
    _refuse_dates(source, column, pl.Series(names, dtype=pl.String))
    if len(names) == n_rows > _MOST_BY_HEART:
        raise _no_kinds(source, column, "another in each row", names[0])
    if len(names) == n_sequences and n_sequences > _MOST_BY_HEART:
        raise _no_kinds(source, column, "another for each sequence", names[0])


def _no_kinds(source: Source, column: str, found: str, example: str) -> FileError:
    return FileError(
        f"{source}, column {shown(column)}: expected the names of some kinds, got {found}, such as "
        f"{shown(example)}. Drop the column, or name it as id, time, label or group."
    )


def _text(table: Table, column: str) -> pl.Series:
    """Give a column as text, in which 1.0 is '1', since whole numbers are written so beside missing ones."""
    return as_text(table, column).str.replace(_WHOLE, "$1")


def _first_row(texts: pl.Series, text: str) -> int:
    return int(np.argmax((texts == text).fill_null(value=False).to_numpy()))


def _refuse_dates(source: Source, column: str, distinct: pl.Series) -> None:
    """Raise FileError where every name is a date or a time of day: each would be a kind of its own."""
    is_date = distinct.str.contains(DATE) | distinct.str.contains(CLOCK) | distinct.str.contains(_OTHER_DATE)
    if len(distinct) and is_date.all():
        raise FileError(
            f"{source}, column {shown(column)}: expected numbers or the names of kinds, got dates or times, such "
            f"as {shown(distinct[0])}. Name it with time=..., turn it into numbers, or drop it."
        )
