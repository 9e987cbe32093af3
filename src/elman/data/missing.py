"""Missing values of a sequence: the last value seen stands in, and how long ago that was is told.

Sources: Lipton, Kale & Wetzel, "Directly modeling missing data in sequences with RNNs" (2016), for values carried
forward beside indicators; Che et al., "Recurrent neural networks for multivariate time series with missing values"
(2018), for the time since a feature was last seen.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import IntArray

STEP_LENGTH = "step length"
"""The name of the feature that says how much time has passed since the step before."""


def last_seen(values: NDArray[Any], offsets: IntArray) -> IntArray:
    """Give for each cell the row of the last value of its column in its sequence up to there, -1 where there is none.

    Parameters
    ----------
    values : float array (S, D), NaN where missing
    offsets : int64 array (N + 1,)

    Returns
    -------
    int64 array (S, D)

    Examples
    --------
    >>> values = np.array([[np.nan], [5.0], [np.nan], [np.nan], [7.0]])
    >>> last_seen(values, np.array([0, 3, 5])).ravel().tolist()
    [-1, 1, 1, -1, 4]
    """
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, rows), axis=0)
    starts = np.repeat(offsets[:-1], np.diff(offsets))[:, None]
    return np.where(last >= starts, last, -1)


def carried_forward(values: NDArray[Any], last: IntArray, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the values with the last one seen where one is missing, and ``start``, (D,), where none was seen yet.

    >>> values = np.array([[np.nan], [5.0], [np.nan]])
    >>> carried_forward(values, last_seen(values, np.array([0, 3])), np.array([2.0])).ravel().tolist()
    [2.0, 5.0, 5.0]
    """
    seen = np.take_along_axis(values, np.maximum(last, 0), axis=0).astype(np.float64)
    return np.where(last >= 0, seen, start)


def time_since(last: IntArray, offsets: IntArray, step_lengths: NDArray[Any] | None) -> NDArray[np.float64]:
    """Give log(1 + the time since a value was last seen), (S, D): 0 where it is there.

    Time counts in steps; with ``step_lengths``, (S,), in their unit. Before the first value it runs from the first step
    of the sequence, with steps from the one before that.

    >>> values = np.array([[np.nan], [5.0], [np.nan], [np.nan]])
    >>> last = last_seen(values, np.array([0, 4]))
    >>> np.expm1(time_since(last, np.array([0, 4]), None)).round(9).ravel().tolist()
    [1.0, 0.0, 1.0, 2.0]
    >>> np.expm1(time_since(last, np.array([0, 4]), np.array([0.0, 9.0, 5.0, 2.5]))).round(9).ravel().tolist()
    [0.0, 0.0, 5.0, 7.5]
    """
    starts = np.repeat(offsets[:-1], np.diff(offsets))[:, None]
    clock = np.arange(len(last), dtype=np.float64) if step_lengths is None else _summed(step_lengths, offsets)
    since_start = clock[:, None] - clock[starts] + (1.0 if step_lengths is None else 0.0)
    elapsed = np.where(last >= 0, clock[:, None] - clock[np.maximum(last, 0)], since_start)
    return np.log1p(np.maximum(elapsed, 0.0))


def _summed(step_lengths: NDArray[Any], offsets: IntArray) -> NDArray[np.float64]:
    """Add the lengths up within each sequence by itself, so that its bits do not depend on those before it."""
    clock = step_lengths.astype(np.float64)
    clock[np.isnan(clock)] = 0.0
    for start, stop in pairwise(offsets):
        np.cumsum(clock[start:stop], out=clock[start:stop])
    return clock
