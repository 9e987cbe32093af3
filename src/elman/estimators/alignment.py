"""Labels, weights and groups of pandas beside a frame indexed by (sequence, time): matched by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data import as_sequences
from elman.data.frames import is_indexed_twice, library
from elman.errors import DataError


def aligned(values: Any, X: Any, name: str) -> Any:
    """Give what belongs to the sequences of X, or to their steps, in their order.

    Where X is a frame of pandas with a MultiIndex, a Series is matched by its index: that of the sequences, or of the
    steps. One with a plain range for an index that is not of X, and all that has no index, is taken by position.

    Raises
    ------
    DataError
        If the index is neither.
    """
    if not is_indexed_twice(X) or library(values) != "pandas":
        return values
    if is_indexed_twice(values):
        if not _same_entries(values.index, X.index):
            raise _unmatched(name, "steps")
        return values.reindex(X.index).iloc[_order_of_steps(X)]
    sequences = X.index.get_level_values(0).unique()
    if _same_entries(values.index, sequences):
        return values.reindex(sequences)
    if not np.array_equal(np.asarray(values.index), np.arange(len(values))):
        raise _unmatched(name, "sequences")
    return values


def _same_entries(index: Any, wanted: Any) -> bool:
    return len(index) == len(wanted) and bool(index.is_unique) and bool(index.isin(wanted).all())


def _order_of_steps(X: Any) -> Any:
    """Give the rows of X in the order in which they are read: by sequence, and by time within each."""
    numbers = type(X.index.to_series())(np.arange(float(len(X))), index=X.index)
    return as_sequences(numbers).values[:, 0].astype(np.int64)


def _unmatched(name: str, what: str) -> DataError:
    return DataError(
        f"{name} must have the {what} of X as its index, each once, or a plain range. Got others; "
        f"for a match by position pass {name}.to_numpy()."
    )
