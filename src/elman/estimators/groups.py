"""Groups of sequences: what must not stand on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError
from elman.estimators.labels import family


def as_groups(groups: Any, n: int) -> NDArray[Any] | None:
    """Give the groups of n sequences as an array (N,), or None where there are none.

    Groups of any kind are told apart as Python does, and the text '1' from the number 1; objects come as numbers.

    Raises
    ------
    DataError
        If their count is wrong, or the group of a sequence is missing.

    >>> as_groups(["b", "a", "b"], 3).tolist(), as_groups([1, "1", 1], 3).tolist()
    (['b', 'a', 'b'], [0, 1, 0])
    """
    if groups is None:
        return None
    values = _listed(groups, n)
    for place, value in enumerate(values):
        if value is None or type(value).__name__ == "NAType" or not _is_itself(value):
            raise DataError(
                f"'groups' must hold a group for each sequence. Got {value} at {place}; give it a group of its own."
            )
    if all(isinstance(value, str) and not value.endswith("\0") for value in values):  # NumPy drops a NUL at the end
        return np.array(values)
    kinds = {_kind(value) for value in values}
    if kinds == {"number"} or kinds == {"boolean"}:
        return np.array(values) if all(abs(value) < 2**53 for value in values) else _numbered(values)
    return _numbered((_kind(value), value if _kind(value) in _SORTED else repr(value)) for value in values)


_SORTED = ("number", "boolean", "text")


def _listed(groups: Any, n: int) -> list[Any]:
    if isinstance(groups, list | tuple):
        values, shape = list(groups), f"({len(groups)},)"
    else:
        array = groups if isinstance(groups, np.ndarray) else np.asarray(groups)
        if array.dtype.kind in "mM":
            array = np.array([None if np.isnat(value) else value.item() for value in array], dtype=object)
        values, shape = (array.tolist() if array.ndim == 1 else []), str(array.shape)
    if len(values) != n or any(isinstance(value, list | np.ndarray) for value in values):
        raise DataError(f"'groups' must hold one group for each sequence, {n}. Got shape {shape} instead.")
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _is_itself(value: Any) -> bool:
    return bool(value == value)  # what is not a number or a time, NaN and NaT, is not


def _kind(value: Any) -> str:
    return family(value) if isinstance(value, str | bool | int | float) else type(value).__name__


def _numbered(values: Iterable[Any]) -> NDArray[Any]:
    """Give each value its number in sorted order."""
    listed = list(values)
    number_of = {value: number for number, value in enumerate(sorted(set(listed)))}
    return np.array([number_of[value] for value in listed])
