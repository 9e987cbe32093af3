"""The order of the rows of a sequence, and the time between them, from a time column of numbers, dates or text."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.numeric import LARGEST, IntArray
from elman.data.readers.columns import Table, as_text, filled
from elman.data.readers.source import shown
from elman.errors import FileError

_WITHOUT_ARRAY = (pl.Decimal, pl.Int128, pl.UInt128)  # numbers that NumPy has no type for
_SECONDS = {"d": 86_400.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_HOURS = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"  # 13:05:00.5
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
DATE = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_HOURS})?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?$"  # 2026-01-31T13:05:00.5Z
CLOCK = rf"^{_HOURS}$"
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
    keys = _numbers(text)
    return _iso(table, column, text).rank("dense").to_numpy() if keys is None else _finite(table, column, keys)


def step_lengths(table: Table, column: str, order: IntArray, offsets: IntArray) -> tuple[NDArray[np.float64], str]:
    """Give how much time has passed since the step before, (S,), 0 at first steps, and the unit in words.

    Parameters
    ----------
    order : int64 array (S,)
        The rows by sequence and, within one, by time.
    offsets : int64 array (N + 1,)
        Of the sequences in that order.

    Raises
    ------
    FileError
        If a time is no date that there is, or lies too far from the one before.
    """
    ticks, tick = _ticks(table, column)
    ordered = ticks[order]
    is_exact = ordered.dtype.kind in "iu" and int(ordered.max()) - int(ordered.min()) < 2**63
    wide = ordered.astype(np.int64 if is_exact and int(ordered.max()) < 2**63 else np.float64)  # narrow ones would wrap
    lengths = np.diff(wide, prepend=wide[:1]) * (tick or 1.0)
    lengths[offsets[:-1]] = 0.0
    if lengths.max() > LARGEST:
        row = int(order[np.argmax(lengths)])
        raise FileError(
            f"{table.where(row, column)}: expected a time at most {LARGEST:g} after the one before, "
            f"got {lengths.max():g}. Fix the file or drop the row."
        )
    return lengths, "its own unit" if tick is None else "seconds"


def _ticks(table: Table, column: str) -> tuple[NDArray[Any], float | None]:
    """Give the times as numbers (S,), and the seconds that one of them takes, None where nobody knows."""
    series = table.frame[column]
    if series.dtype.is_temporal():
        return series.to_physical().to_numpy(), _SECONDS[_unit(series.dtype)]
    if series.dtype.is_numeric():
        return (series.cast(pl.Float64) if series.dtype in _WITHOUT_ARRAY else series).to_numpy(), None
    text = as_text(table, column)
    numbers = _numbers(text)
    return (_microseconds(table, column, _iso(table, column, text)), 1e-6) if numbers is None else (numbers, None)


def _unit(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime | pl.Duration):
        return str(dtype.time_unit)
    return "d" if dtype == pl.Date else "ns"  # a time of day


def _microseconds(table: Table, column: str, text: pl.Series) -> NDArray[np.int64]:
    """Give ISO dates, or times of day, as microseconds."""
    dated = text if text.str.contains(DATE).all() else "1970-01-01 " + text
    cut = dated.str.replace(r"(\.[0-9]{6})[0-9]+$", "$1")
    try:
        return cut.to_numpy().astype("datetime64[us]").astype(np.int64)
    except ValueError as error:
        row = next(row for row, written in enumerate(cut.to_list()) if not _exists(written))
        raise FileError(
            f"{table.where(row, column)}: expected a date that there is, got {shown(table.frame[column][row])}. "
            "Fix the file or drop the row."
        ) from error


def _exists(written: str) -> bool:
    try:
        np.datetime64(written, "us")
    except ValueError:
        return False
    return True


def _numbers(text: pl.Series) -> NDArray[Any] | None:
    """Give numbers, or those behind one word, as in 'step 7'; None where the text is neither."""
    for dtype in (pl.Int64, pl.Float64):
        keys = text.cast(dtype, strict=False)
        if keys.null_count() == 0:
            return keys.to_numpy()
    counted = text.str.extract(_COUNTED, 2).cast(pl.Int64, strict=False)
    is_counted = counted.null_count() == 0 and text.str.extract(_COUNTED, 1).n_unique() == 1
    return counted.to_numpy() if is_counted else None


def _iso(table: Table, column: str, text: pl.Series) -> pl.Series:
    """Give ISO dates, or times of day, in a form that sorts as they do."""
    is_date = text.str.contains(DATE)
    if text.str.contains(CLOCK).all():
        return _to_the_second(text)
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
    return _to_the_second(text.str.replace(r"^(.{10,}?)" + _ZONE, "$1").str.replace("T", " ", literal=True))


def _to_the_second(text: pl.Series) -> pl.Series:
    """Write each moment in one way: 13:05, 13:05:00 and 13:05:00.0 are the same time."""
    text = text.str.replace(r"^([0-9-]{10})$", "$1 00:00").str.replace(r"(^| )([0-9]{2}:[0-9]{2})$", "$1$2:00")
    return text.str.replace(r"(\.[0-9]*?)0+$", "$1").str.replace(r"\.$", "")


def _finite(table: Table, column: str, keys: NDArray[Any]) -> NDArray[Any]:
    finite = np.isfinite(keys)
    if not finite.all():
        row = int(np.argmin(finite))
        raise FileError(f"{table.where(row, column)}: expected a finite time, got {keys[row]}. Drop the row.")
    return keys
