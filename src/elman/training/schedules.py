"""Schedules: by what the learning rate is multiplied at each step.

All but "plateau" are functions of the step alone, so that training that is taken up again goes on as it would have.

Sources: cosine, Loshchilov & Hutter, "SGDR" (2017); one_cycle, Smith & Topin, "Super-convergence" (2018), as fastai and
PyTorch have it: up from lr / 25 over three tenths of the steps, both ways by a cosine.
"""

import math
import sys
from collections.abc import Callable

from elman.training.settings import TrainingSettings

_RISE = 0.3  # share of the steps in which one_cycle rises
_LOW = 1 / 25  # where it begins


def rate_at(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """Return the factor of the learning rate at a step, from 0, of n_steps; after the last it stays as it is there.

    With `warm_up` it rises in a line over that share of the steps, and the schedule has the others.

    >>> settings = TrainingSettings(schedule="cosine", warm_up=0.25)
    >>> [round(rate_at(settings, step, 8, 1), 3) for step in range(9)]
    [0.333, 0.667, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067, 0.067]
    """
    step = min(step, n_steps - 1)
    n_warm = int(settings.warm_up * n_steps)
    if step < n_warm:
        return (step + 1) / (n_warm + 1)
    return _RULES[settings.schedule](settings, step - n_warm, n_steps - n_warm, steps_per_epoch)


def _constant(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    return 1.0


def _step(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """Fall to `schedule_factor` at once, every `schedule_epochs` epochs."""
    return math.pow(settings.schedule_factor, step // steps_per_epoch // settings.schedule_epochs)


def _exponential(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """Fall likewise, a little at each step."""
    return math.pow(settings.schedule_factor, step / steps_per_epoch / settings.schedule_epochs)


def _cosine(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """Fall along half a cosine, to `final_rate` after the last step."""
    return _eased(1.0, settings.final_rate, step / n_steps)


def _one_cycle(settings: TrainingSettings, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """Rise to 1 and fall to `final_rate` at the last step."""
    top, last = _RISE * n_steps - 1, n_steps - 1
    if top > 0 and step <= top:
        return _eased(_LOW, 1.0, step / top)
    return _eased(1.0, settings.final_rate, (step - max(top, 0)) / max(last - max(top, 0), 1))


def _eased(start: float, end: float, share: float) -> float:
    """Go from start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


_RULES: dict[str, Callable[[TrainingSettings, int, int, int], float]] = {
    "constant": _constant,
    "step": _step,
    "exponential": _exponential,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "plateau": _constant,  # what it does besides, `Plateau` says
}
SCHEDULES = (*_RULES,)


class Plateau:
    """The factor that falls where the validation loss does not.

    It is multiplied by `schedule_factor` whenever more than `schedule_epochs` epochs in turn have passed in which the
    loss was not lower by `tol` than the lowest that counted before.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self._settings = settings
        self.factor = 1.0
        self.lowest = sys.float_info.max  # a number that JSON has
        self.epochs = 0  # in which it did not fall

    def end_epoch(self, validation_loss: float) -> None:
        """Take note of an epoch's validation loss."""
        if validation_loss < self.lowest - self._settings.tol:
            self.lowest, self.epochs = validation_loss, 0
            return
        self.epochs += 1
        if self.epochs > self._settings.schedule_epochs:
            self.factor, self.epochs = self.factor * self._settings.schedule_factor, 0
