"""Data frames of pandas and polars, told by what they are called: neither is imported for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_frame(data: Any) -> bool:
    """Tell whether ``data`` is a DataFrame of pandas or polars."""
    return library(data) is not None and hasattr(data, "columns")


def is_indexed_twice(data: Any) -> bool:
    """Tell whether ``data`` is a frame or Series of pandas with a MultiIndex, one row a step."""
    return library(data) == "pandas" and hasattr(getattr(data, "index", None), "levels")


def is_lazy(data: Any) -> bool:
    """Tell whether ``data`` is a frame of polars that has not been computed yet."""
    return type(data).__name__ == "LazyFrame" and hasattr(data, "collect")


def first_text(frame: Any, array: NDArray[Any]) -> str | None:
    """Give the name of the first column of a frame with text in it, ``array`` (N, T) being its cells."""
    if array.dtype.kind in "biuf":
        return None
    columns = zip(frame.columns, array.T)
    return next((str(name) for name, cells in columns if any(isinstance(cell, str) for cell in cells)), None)


def library(data: Any) -> str | None:
    """Give 'pandas' or 'polars' for a frame or Series of theirs, or of a class built on one; None for all else."""
    for base in type(data).__mro__:
        root = base.__module__.partition(".")[0]
        if root in ("pandas", "polars") and base.__name__ in ("DataFrame", "Series"):
            return root
    return None


def wide_array(frame: Any) -> NDArray[Any]:
    """Give the cells of a frame as an array (N, T), NaN where missing."""
    if library(frame) == "polars":
        array = np.asarray(frame.to_numpy())
        if array.dtype == object:
            array[[[cell is None for cell in row] for row in array]] = np.nan
        return array
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in frame.dtypes):
        return np.asarray(frame.to_numpy())
    array = frame.to_numpy(dtype=object).copy()  # nullable columns hold a missing value that is no number
    array[frame.isna().to_numpy()] = np.nan
    return np.asarray(array)
