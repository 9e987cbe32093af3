"""The order of the rows of a sequence, from a time column of numbers, dates or text that sorts as it should."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.readers.columns import Table, as_text, filled
from elman.data.readers.source import shown
from elman.errors import FileError

_WITHOUT_ARRAY = (pl.Decimal, pl.Int128, pl.UInt128)  # numbers that NumPy has no type for
_HOURS = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"  # 13:05:00.5
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_DATE = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_HOURS})?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?$"  # 2026-01-31T13:05:00.5Z
_CLOCK = rf"^{_HOURS}$"
_COUNTED = r"^([A-Za-z_ ]*)([0-9]{1,18})$"  # step 7


def sort_keys(table: Table, column: str) -> NDArray[Any]:
    """Give numbers (S,) that sort as the time column does.

    Raises
    ------
    FileError
        If a time is missing or not finite, or the column is text of unknown order, such as '31/12/2026'.
    """
    series = table.frame[column]
    if series.dtype.is_temporal():
        return filled(table, column, series, "time").to_physical().to_numpy()
    if series.dtype.is_numeric():
        series = filled(table, column, series, "time")
        if series.dtype in _WITHOUT_ARRAY:
            series = series.rank("dense")
        return _finite(table, column, series.to_numpy())
    text = filled(table, column, as_text(table, column), "time")
    for dtype in (pl.Int64, pl.Float64):
        keys = text.cast(dtype, strict=False)
        if keys.null_count() == 0:
            return _finite(table, column, keys.to_numpy())
    return _ranks(table, column, text).to_numpy()


def _ranks(table: Table, column: str, text: pl.Series) -> pl.Series:
    """Rank ISO dates and times, or one word with rising numbers."""
    counted = text.str.extract(_COUNTED, 2).cast(pl.Int64, strict=False)
    if counted.null_count() == 0 and text.str.extract(_COUNTED, 1).n_unique() == 1:
        return counted
    is_date = text.str.contains(_DATE)
    if text.str.contains(_CLOCK).all():
        return text.rank("dense")
    if not is_date.all():
        row = int(np.argmin(is_date.to_numpy()))
        raise FileError(
            f"{table.where(row, column)}: expected a time as a number or in ISO form (2026-01-31 13:05:00), "
            f"got {shown(text[row])}. Rewrite the column, or name another one."
        )
    zones = text.str.extract(r"^.{10,}?" + _ZONE, 1).fill_null("")
    if zones.n_unique() > 1:
        row = int(np.argmax((zones != zones[0]).to_numpy()))
        raise FileError(
            f"{table.where(row, column)}: expected every time in one time zone, {shown(zones[0])}, "
            f"got {shown(text[row])}. Convert the column to UTC."
        )
    plain = text.str.replace(r"^(.{10,}?)" + _ZONE, "$1").str.replace("T", " ", literal=True)
    return plain.rank("dense")


def _finite(table: Table, column: str, keys: NDArray[Any]) -> NDArray[Any]:
    finite = np.isfinite(keys)
    if not finite.all():
        row = int(np.argmin(finite))
        raise FileError(f"{table.where(row, column)}: expected a finite time, got {keys[row]}. Drop the row.")
    return keys
