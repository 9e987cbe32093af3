"""The learning-rate range test: how the loss goes while the rate rises, and the rate that this suggests."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from elman.errors import TrainingError
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

Array = np.ndarray[Any, Any]
LOWEST, HIGHEST, N_RATES = 1e-6, 1.0, 100
_MEMORY = 0.9  # share of the running mean of losses that is kept from one rate to the next
_EXPLODED = 2.0  # times the lowest loss
_BEFORE = 16  # losses at rates so low that they change nothing, whose mean is where the fall begins
_LEAST_FALL = 0.05  # share of the loss: less is taken for noise


class RangeTest(NamedTuple):
    """The curve of a range test, which ends where the loss exploded."""

    rates: Array  # float64 (K,), rising
    losses: Array  # float64 (K,), each of a batch before the step at this rate
    smoothed: Array  # float64 (K,), the running mean of the losses
    suggestion: float

    @property
    def stands_out(self) -> bool:
        """Whether a rate stood out; else the default is suggested."""
        return _half_fallen(self.losses, self.smoothed) is not None


def rate_curve(
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    rng: np.random.Generator,
    quantities: Array | None = None,
) -> RangeTest:
    """Train a copy of the network for up to 100 steps, at rates that rise from 1e-6 to 1, each by the same factor.

    The running mean of the loss, a tenth of it new at each step, ends the test where it comes to twice its lowest
    value, or is no number. Suggested is, to two digits, the rate at which it has made half of its fall for good: well
    above rates that are slow, and well below those at which it rises again. Where it falls by less than 5 %, or than
    the losses of batches deviate, so few steps teach nothing about rates, and the default is suggested.

    Parameters
    ----------
    network : Network
        Its parameters stay as they are.
    samples : Samples, what is trained on
    settings : TrainingSettings
        All but the learning rate and its schedule.
    rng : numpy Generator
        Its state stays as it is, and decides the order of the batches.
    quantities : int64 array, optional
        The columns that augmentation may change; None: all.

    Source: Smith, "Cyclical learning rates for training neural networks" (2017).
    """
    rising = replace(settings, learning_rate=LOWEST, schedule="constant", warm_up=0.0)
    trial = Trainer(deepcopy(network), rising, deepcopy(rng), quantities)
    rates = np.geomspace(LOWEST, HIGHEST, N_RATES)
    steps = _steps(trial, samples)
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    while len(losses) < N_RATES:
        try:
            losses.append(_loss_of_step(trial, samples, steps))
        except TrainingError:
            if not losses:  # what is wrong is no rate
                raise
            break
        mean = _MEMORY * mean + (1 - _MEMORY) * losses[-1]
        smoothed.append(mean / (1 - _MEMORY ** len(losses)))
        if smoothed[-1] > _EXPLODED * min(smoothed):
            break
        trial.updater().slow_down(float(rates[1] / rates[0]))  # which makes it faster
    curve = rates[: len(losses)], np.array(losses), np.array(smoothed)
    return RangeTest(*curve, suggested(*curve))


def _steps(trial: Trainer, samples: Samples) -> Iterator[list[Array]]:
    """Give the batches of one step after another, epoch after epoch."""
    while True:
        yield from trial.epoch_batches(samples)


def _loss_of_step(trial: Trainer, samples: Samples, steps: Iterator[list[Array]]) -> float:
    """Make the next step that has a label to learn from, and return its loss."""
    while True:
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # what becomes of rates that are too high is told by the loss
            found = trial.step(samples, *next(steps))
        if found.scored > 0:
            return found.loss


def suggested(rates: Array, losses: Array, smoothed: Array) -> float:
    """Return the rate that a curve suggests."""
    half = _half_fallen(losses, smoothed)
    return TrainingSettings.learning_rate if half is None else float(f"{rates[half]:.2g}")


def _half_fallen(losses: Array, smoothed: Array) -> int | None:
    """Return where the running mean has made half of its fall for good; None where it does not fall."""
    before = losses[:_BEFORE]
    start = before.mean()
    lowest = len(before) + int(smoothed[len(before) :].argmin()) if len(losses) > len(before) else 0
    if start - smoothed[lowest] <= max(_LEAST_FALL * start, before.std()):
        return None
    is_above = smoothed[:lowest] > (start + smoothed[lowest]) / 2
    return int(np.flatnonzero(is_above)[-1]) + 1
