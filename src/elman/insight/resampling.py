"""Chance, by whole sequences: intervals from what sets them apart, and a test that swaps two models on each.

Whole sequences count, for they are independent of each other, and the steps of one are not. The same data gives the
same bits: the random numbers start from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from elman.insight.intervals import LEVEL

Array = NDArray[np.float64]
Interval = tuple[float, float]

_DRAWS = 1_999
_SWAPS = 9_999
_AT_A_TIME = 1 << 22  # numbers drawn together
_FEWEST_DRAWN = 15  # sequences; drawn from fewer, intervals are too narrow


def interval_by_sequence(totals: Array, counts: NDArray[np.int64]) -> Interval:
    """Give the 95 % interval of sum(totals) / sum(counts) over N sequences.

    From 15 sequences on it is the bootstrap's. Drawn from fewer, sequences vary too little: of 5 the bootstrap's
    interval holds the true value in 83 to 93 % of cases. There it is Student's, with N - 1 degrees of freedom, by the
    influence of each sequence. One sequence tells nothing of others, and the interval has no end; where all say the
    same, it has no width.

    Parameters
    ----------
    totals : float64 array (N,)
        What is added up over the labels of each sequence.
    counts : int64 array (N,)
        How many labels each has, at least one.

    Source: for few sequences Cameron & Miller, "A practitioner's guide to cluster-robust inference" (2015).

    >>> interval_by_sequence(np.array([3.0]), np.array([4]))
    (-inf, inf)
    >>> low, high = interval_by_sequence(np.array([3.0, 4.0, 2.0]), np.array([4, 4, 4]))
    >>> round(low, 3), round(high, 3)
    (0.129, 1.371)
    """
    n = len(totals)
    if n == 1:
        return -np.inf, np.inf
    value, _, squares = _influence(totals, counts)
    if squares == 0:
        return value, value
    if n >= _FEWEST_DRAWN:
        return bootstrap_interval(totals, counts)
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2) * np.sqrt(squares * n / (n - 1)) / counts.sum())
    return value - half, value + half


def bootstrap_interval(totals: Array, counts: NDArray[np.int64]) -> Interval:
    """Give the 95 % interval of sum(totals) / sum(counts) over N sequences, drawn anew with replacement.

    The interval is corrected for bias and acceleration (BCa), for losses are skewed. Where all sequences say the same
    it has no width. Parameters are those of `interval_by_sequence`.

    Source: Efron, "Better bootstrap confidence intervals" (1987); the acceleration by the influence of each sequence.

    >>> low, high = bootstrap_interval(np.arange(100.0), np.ones(100, dtype=np.int64))
    >>> 43 < low < 45 and 54 < high < 56
    True
    """
    value, influence, squares = _influence(totals, counts)
    if squares == 0:
        return value, value
    draws = _drawn(_DRAWS, len(totals), below=len(totals))
    values = np.concatenate([totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1) for drawn in draws])
    below = (np.sum(values < value) + np.sum(values == value) / 2) / len(values)
    bias = ndtri(np.clip(below, 1 / len(values), 1 - 1 / len(values)))
    acceleration = float((influence**3).sum()) / (6 * squares**1.5)
    moved = bias + ndtri([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    low, high = np.quantile(values, ndtr(bias + moved / (1 - acceleration * moved)))
    return float(low), float(high)


def _influence(totals: Array, counts: NDArray[np.int64]) -> tuple[float, Array, float]:
    """Give the mean, how far each sequence draws it, and the sum of the squares of that, 0 if it is but rounding."""
    value = float(totals.sum() / counts.sum())
    influence = totals - value * counts
    squares = float((influence**2).sum())
    return value, influence, squares if squares > 1e-24 * float((totals**2).sum()) else 0.0


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
