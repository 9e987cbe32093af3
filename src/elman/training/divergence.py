"""When training has broken down, and what can be done about it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from elman.errors import TrainingError
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]
TOO_LARGE = (
    50.0  # times the larger of the first loss and chance's, ln(C): no network that learns is that sure and wrong
)
BEYOND = 1e10  # times the same: at once
IN_A_ROW = 10  # steps whose loss is too large before training counts as broken down
_LARGE_VALUE = 1e3


class BreakdownError(TrainingError):
    """Training has broken down; what was learned up to here is worth nothing.

    Parameters
    ----------
    found : str
        What shows it.
    values : float array
        Those that the network had before it.
    """

    def __init__(self, found: str, values: Array, settings: TrainingSettings) -> None:
        self.found = found
        largest = _largest(values)
        self.advice = advice(settings, largest)
        self.first_advice = advice(settings, largest, has_learned=False)
        super().__init__(f"Training broke down: {found}. {self.advice}")


def is_too_large(loss: float, first_loss: float, n_classes: int, times: float = TOO_LARGE) -> bool:
    """Whether the loss of a step is so many times that of the first step, and chance's.

    >>> is_too_large(30.0, 1.1, 3), is_too_large(60.0, 1.1, 3)
    (False, True)
    """
    return loss > times * max(first_loss, math.log(n_classes))


def advice(settings: TrainingSettings, largest: float, *, has_learned: bool = True) -> str:
    """Give what to try, for data whose largest absolute value is this.

    >>> advice(TrainingSettings(clip_norm=None), 3.0)
    'Try learning_rate=0.0005, or clip_norm=1.'
    >>> advice(TrainingSettings(), 1e30)
    'Try learning_rate=0.0005, or values scaled down; the largest is 1e+30.'
    """
    ways = [f"learning_rate={settings.learning_rate / 10:g}"] if has_learned else []
    if has_learned and (settings.clip_norm is None or settings.clip_norm > 1):
        ways.append("clip_norm=1")
    if largest > _LARGE_VALUE:
        ways.append(f"values scaled down; the largest is {largest:.3g}")
    elif not has_learned:
        ways.append("another cell or initialisation, or shorter sequences")
    return f"Try {', or '.join(ways)}."


def _largest(values: Array) -> float:
    return float(max(-values.min(initial=0), values.max(initial=0)))
