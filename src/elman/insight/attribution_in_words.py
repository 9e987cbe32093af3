"""Where in time most of an attribution lies, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elman.insight.attribution import Attribution

_MOST_RANGES = 4


def half_in_words(attribution: Attribution, n: int = 0) -> str:
    """Name the steps of sequence n, from 1, that hold half of what speaks for the class; empty where nothing does."""
    by_step = attribution.by_step(n)
    if by_step.max() <= 0 or len(by_step) == 1:
        return ""
    steps = half(by_step)
    return f"Half of what speaks for it lies in {ranges(steps + 1)} ({len(steps):,} of {len(by_step):,})."


def half(by_step: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the fewest steps, from 0 and in order, that hold half of what is above zero.

    >>> half(np.array([0.1, 3.0, -2.0, 2.0, 0.5])).tolist()
    [1]
    """
    above = np.maximum(by_step, 0)
    order = np.argsort(-above, kind="stable")
    n = int(np.searchsorted(np.cumsum(above[order]), above.sum() / 2)) + 1
    return np.sort(order[:n])


def ranges(steps: NDArray[np.int64]) -> str:
    """Give numbers of steps in words, neighbours as a range.

    >>> ranges(np.array([3])), ranges(np.array([3, 4, 5, 9]))
    ('step 3', 'steps 3 to 5, 9')
    """
    runs = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
    longest = sorted(sorted(runs, key=len, reverse=True)[:_MOST_RANGES], key=lambda run: int(run[0]))
    named = [f"{run[0]:,}" if len(run) == 1 else f"{run[0]:,} to {run[-1]:,}" for run in longest]
    more = sum(map(len, runs)) - sum(map(len, longest))
    return f"step{'s' * (len(steps) > 1)} {', '.join(named)}{f' and {more:,} more' if more else ''}"
