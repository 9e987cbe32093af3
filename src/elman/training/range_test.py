"""The learning-rate range test: how the loss goes while the rate rises, and the rate that this suggests."""

from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from elman.errors import TrainingError
from elman.network.network import Network
from elman.training.batches import epoch_batches
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

Array = np.ndarray[Any, Any]
LOWEST, HIGHEST, N_RATES = 1e-6, 1.0, 100
_MEMORY = 0.9  # share of the running mean of losses that is kept from one rate to the next
_EXPLODED = 2.0  # times the lowest loss
_LOW = 1.05  # times the lowest loss, which noise makes of a loss that is as low
_MARGIN = 10  # how far below the highest rate at which the loss was low training is safe


class RangeTest(NamedTuple):
    """The curve of a range test, which ends where the loss exploded."""

    rates: Array  # float64 (K,), rising
    losses: Array  # float64 (K,), each of a batch before the step at this rate
    smoothed: Array  # float64 (K,), the running mean of the losses
    suggestion: float


def rate_curve(
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    rng: np.random.Generator,
    quantities: Array | None = None,
) -> RangeTest:
    """Train a copy of the network for up to 100 steps, at rates that rise from 1e-6 to 1, each by the same factor.

    The running mean of the loss, a tenth of it new at each step, ends the test where it comes to twice its lowest
    value, or is no number. Suggested is a tenth of the highest rate at which it is within 5 % of its lowest value, to
    two digits: where the loss falls, that is a tenth of the rate at its minimum; where so few steps teach nothing, of
    the rate that breaks it.

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
    trial = Trainer(deepcopy(network), settings, deepcopy(rng), quantities)
    lengths, drawing = np.diff(samples.offsets), deepcopy(rng)
    batches: list[Array] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    rates = np.geomspace(LOWEST, HIGHEST, N_RATES)
    for rate in rates.tolist():
        batches = batches or epoch_batches(lengths, settings.batch_size, drawing, bucketed=settings.bucket_by_length)
        trial.resume(replace(settings, learning_rate=rate))
        try:
            losses.append(trial.step(samples, batches.pop()).loss)
        except TrainingError:  # the loss is no number: this rate and those above it are too high
            break
        mean = _MEMORY * mean + (1 - _MEMORY) * losses[-1]
        smoothed.append(mean / (1 - _MEMORY ** len(losses)))
        if smoothed[-1] > _EXPLODED * min(smoothed):
            break
    rates = rates[: len(losses)]
    return RangeTest(rates, np.array(losses), np.array(smoothed), _suggestion(rates, np.array(smoothed)))


def _suggestion(rates: Array, smoothed: Array) -> float:
    is_low = smoothed <= _LOW * smoothed.min()
    return float(f"{rates[is_low][-1] / _MARGIN:.2g}")
