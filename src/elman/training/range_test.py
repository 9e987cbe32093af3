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
_MEMORY = 0.9  # share of the mean of losses that is kept from one rate to the next
_EXPLODED = 2.0  # times the lowest loss


class RangeTest(NamedTuple):
    """The curve of a range test; it ends where the loss exploded."""

    rates: Array  # float64 (K,), rising
    losses: Array  # float64 (K,), of a batch each, before the step at this rate
    smoothed: Array  # float64 (K,), the running mean of the losses
    suggestion: float


def range_test(
    network: Network,
    samples: Samples,
    settings: TrainingSettings,
    rng: np.random.Generator,
    quantities: Array | None = None,
) -> RangeTest:
    trial = Trainer(deepcopy(network), settings, deepcopy(rng), quantities)
    rates = np.geomspace(LOWEST, HIGHEST, N_RATES)
    lengths, drawing = np.diff(samples.offsets), deepcopy(rng)
    losses: list[float] = []
    smoothed: list[float] = []
    batches: list[Array] = []
    mean = 0.0
    for rate in rates:
        batches = batches or epoch_batches(lengths, settings.batch_size, drawing, bucketed=settings.bucket_by_length)
        trial.resume(replace(settings, learning_rate=float(rate)))
        try:
            found = trial.step(samples, batches.pop(0))
        except TrainingError:
            break
        losses.append(found.loss)
        mean = _MEMORY * mean + (1 - _MEMORY) * found.loss
        smoothed.append(mean / (1 - _MEMORY ** len(losses)))
        if smoothed[-1] > _EXPLODED * min(smoothed):
            break
    curve = rates[: len(losses)], np.array(losses), np.array(smoothed)
    return RangeTest(*curve, 0.0)
