"""Chance, by drawing sequences: intervals by the bootstrap, and a test that swaps two models on whole sequences.

Whole sequences are drawn, for they are independent of each other, and the steps of one are not. The same data gives the
same bits: the random numbers start from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from elman.insight.intervals import LEVEL

Array = NDArray[np.float64]
Interval = tuple[float, float]

_DRAWS = 1_999
_SWAPS = 9_999
_AT_A_TIME = 1 << 22  # numbers drawn together


def bootstrap_interval(totals: Array, counts: NDArray[np.int64]) -> Interval:
    """Give the 95 % interval of sum(totals) / sum(counts) over N sequences, drawn anew with replacement.

    The interval is corrected for bias and acceleration (BCa), for losses are skewed. Where all sequences say the same
    it has no width.

    Parameters
    ----------
    totals : float64 array (N,)
        What is added up over the labels of each sequence.
    counts : int64 array (N,)
        How many labels each has, at least one.

    Source: Efron, "Better bootstrap confidence intervals" (1987); the acceleration by the influence of each sequence.

    >>> low, high = bootstrap_interval(np.arange(100.0), np.ones(100, dtype=np.int64))
    >>> 43 < low < 45 and 54 < high < 56
    True
    """
    value = totals.sum() / counts.sum()
    influence = totals - value * counts
    squares = float((influence**2).sum())
    if squares <= 1e-24 * float((totals**2).sum()):  # nothing but rounding
        return float(value), float(value)
    draws = _drawn(_DRAWS, len(totals), below=len(totals))
    values = np.concatenate([totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1) for drawn in draws])
    below = (np.sum(values < value) + np.sum(values == value) / 2) / len(values)
    bias = ndtri(np.clip(below, 1 / len(values), 1 - 1 / len(values)))
    acceleration = float((influence**3).sum()) / (6 * squares**1.5)
    moved = bias + ndtri([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    low, high = np.quantile(values, ndtr(bias + moved / (1 - acceleration * moved)))
    return float(low), float(high)


def swap_test(differences: NDArray[np.int64]) -> float:
    """Give how often chance makes the sum of ``differences`` (N,) as large as it is, were two models equally good.

    Then either might have given the predictions of the other on any sequence, so that each difference may as well have
    the other sign. With differences of -1, 0 and 1 this is McNemar's exact test; here signs are drawn.

    Source: Fisher's randomisation test; for classifiers Yeh, "More accurate tests for the statistical significance of
    result differences" (2000).

    >>> swap_test(np.zeros(10, dtype=np.int64)), swap_test(np.full(20, 3)) < 0.001
    (1.0, True)
    """
    told = differences[differences != 0]
    if len(told) == 0:
        return 1.0
    sums = [(2 * heads - 1) @ told for heads in _drawn(_SWAPS, len(told), below=2)]
    as_large = np.abs(np.concatenate(sums)) >= abs(told.sum())
    return float((1 + as_large.sum()) / (1 + _SWAPS))


def _drawn(n: int, size: int, below: int) -> Iterator[NDArray[np.int64]]:
    """Give n rows of ``size`` whole numbers from 0 up to ``below``, some rows at a time."""
    rng = np.random.default_rng(0)
    rows = max(1, _AT_A_TIME // size)
    for first in range(0, n, rows):
        yield rng.integers(below, size=(min(rows, n - first), size))
