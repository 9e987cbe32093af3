"""When a trial is given up: its best loss by now is worse than what half of the finished trials had by then."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Mapping

_N_BEFORE = 5  # finished trials to compare with before one is given up


class Curve:
    """The best loss up to each step of a trial; where training ended early, it stays what it was.

    >>> curve = Curve({1: 0.9, 2: 0.7, 5: 0.4})
    >>> curve.at(2), curve.at(4), curve.at(9)
    (0.7, 0.7, 0.4)
    """

    def __init__(self, losses: Mapping[int, float]) -> None:
        self._steps = sorted(losses)
        self._losses = [losses[step] for step in self._steps]

    def at(self, step: int) -> float:
        """Give the loss at a step that is not before the first."""
        return self._losses[max(bisect_right(self._steps, step) - 1, 0)]


def falls_behind(loss: float, step: int, finished: list[Curve]) -> bool:
    """Tell whether a trial with this loss at this step is worse than the median of the finished ones.

    Source: the median stopping rule of Golovin et al., "Google Vizier: a service for black-box optimization" (2017).

    >>> falls_behind(0.5, 1, [Curve({1: loss}) for loss in (0.1, 0.2, 0.3, 0.6, 0.7)])
    True
    """
    if len(finished) < _N_BEFORE:
        return False
    return loss > statistics.median(curve.at(step) for curve in finished)
