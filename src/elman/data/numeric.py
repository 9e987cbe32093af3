"""One array of real numbers out of whatever the user passed, or an error that says why not."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.int64]

LARGEST = 1e38
"""The largest absolute value a sequence may hold: what float32 arithmetic carries without overflow."""


def as_numbers(data: Any, name: str) -> FloatArray:
    """Give ``data`` as an array of float32 (where it is float32 already) or float64.

    Parameters
    ----------
    data : array or nested lists of numbers, any shape
    name : str
        What the errors call it.

    Raises
    ------
    DataError
        If it is masked, sparse, ragged, complex, or holds anything but numbers.
    """
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise DataError(f"{name} must not have masked values. Fill them, or mark padding at the end with NaN.")
    if hasattr(data, "toarray"):
        raise DataError(f"{name} must be dense; sparse data is not supported. Got {_type(data)}; pass its .toarray().")
    try:
        array = np.asarray(data)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise DataError(f"{name} must be an array of numbers. Got {_type(data)} that is none: {reason}") from error
    if array.dtype.kind in "biuf":
        return _as_float(array)
    if array.dtype.kind == "c":
        raise DataError(f"Complex data not supported: {name} must hold real numbers. Got {array.dtype} instead.")
    if array.dtype.kind == "O":
        return _from_objects(array, name)
    raise DataError(f"{name} must hold numbers. Got {_kind(array)} instead; turn it into numbers first.")


class _NoNumberError(DataError, TypeError):
    """What NumPy has a TypeError for, so that it can be caught as one too."""


def _as_float(array: NDArray[Any]) -> FloatArray:
    if array.dtype == np.float32:
        return np.asarray(array)
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes inf, which is refused by value later
        return array.astype(np.float64, copy=False)


def _from_objects(array: NDArray[Any], name: str) -> FloatArray:
    """Convert an object array (N, T) or (N, T, D) of numbers; float() alone would take text for numbers."""
    for value in array.flat:
        if isinstance(value, str | bytes | complex | np.complexfloating):
            raise DataError(
                f"{name} must hold real numbers. Got {_type(value)} among them; turn it into numbers first."
            )
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        example = next((value for value in array.flat if not isinstance(value, int | float | np.number)), None)
        message = f"{name} must hold real numbers. Got {_type(example)} among them: {error}."
        raise (_NoNumberError if isinstance(error, TypeError) else DataError)(message) from error


def _kind(array: NDArray[Any]) -> str:
    return {"U": "text", "S": "bytes", "T": "text", "M": "dates", "m": "time spans"}.get(
        array.dtype.kind, f"dtype {array.dtype}"
    )


def _type(value: object) -> str:
    return f"a value of type {type(value).__name__}"
