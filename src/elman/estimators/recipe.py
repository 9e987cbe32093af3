"""What 'auto' stands for: rules that choose a parameter from the training data, so that the defaults suit most data.

None looks at labels, but for which steps have one. `benchmarks.learning` measures what they come to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.training.settings import ENDING_LOW, TrainingSettings

BATCH = 32  # sequences a step; with more data larger batches, so that an epoch has a bounded number of steps
FEW = 100  # sequences, below which batches are half as large
LARGEST_BATCH = 256
SEQUENCES_TO_GROW = 10_000  # up to as many, batches are of BATCH; with each doubling from there they double
STEPS = 5000  # of the optimizer, about as many as a network learns with for two minutes on two cores
FEWEST_STEPS = 150
MOST_EPOCHS = 100  # of little data; more of them learn it by heart
FEWEST_EPOCHS = 10
SHORT = 32  # time steps over which a state is carried with ease
PATIENCE = 30  # epochs
CHOSEN = ("batch_size", "max_epochs", "readout", "initialisation", "n_iter_no_change", "refit")
MOST_TO_REFIT = 200_000  # time steps in all: training on them once more takes seconds


def choose(
    parameters: Mapping[str, Any], lengths: NDArray[np.int64], n_all: int, *, every_step: bool
) -> dict[str, Any]:
    """Give a value for each parameter that is 'auto'.

    Parameters
    ----------
    parameters : dict
        Of the estimator.
    lengths : int array (N,)
        Steps of each training sequence, as the network will see them.
    n_all : int
        Steps of all sequences, those set aside for validation included.
    every_step : bool
        Whether each step has a label.
    """
    chosen: dict[str, Any] = {}

    def settle(name: str, value: Any) -> Any:
        if isinstance(parameters.get(name), str) and parameters[name] == "auto":
            chosen[name] = value
        return chosen.get(name, parameters.get(name))

    batch_size = settle("batch_size", batch_size_for(len(lengths)))
    settle("max_epochs", max_epochs_for(len(lengths), batch_size))
    settle("readout", "last" if np.median(lengths) <= SHORT else "attention")
    settle("initialisation", "mixed" if every_step and parameters["cell"] in ("lstm", "gru") else "orthogonal")
    ends_low = parameters["schedule"] in ENDING_LOW  # what is gained, is gained when the rate falls
    settle("n_iter_no_change", None if ends_low else PATIENCE)
    needs_the_part = parameters["schedule"] == "plateau" or parameters["warm_start"]  # to go by, or for the next fit
    settle("refit", n_all <= MOST_TO_REFIT and not needs_the_part)
    return chosen


def refit_epochs(best_epoch: int, settings: TrainingSettings) -> int:
    """Give for how many epochs to train on all data, after a run whose best epoch is known.

    As many as were best; under a schedule that ends low, which then ends there, at least a quarter of all: an early
    best epoch came at a high rate, and is due to chance more often.
    """
    ends_low = settings.schedule in ENDING_LOW
    return max(best_epoch, math.ceil(settings.max_epochs / 4)) if ends_low else best_epoch


def batch_size_for(n_sequences: int) -> int:
    """Give how many sequences make a batch.

    >>> [batch_size_for(n) for n in (40, 10_000, 30_000, 1_000_000)]
    [16, 32, 64, 256]
    """
    if n_sequences < FEW:
        return BATCH // 2
    doublings = max(0, int(math.log2(max(n_sequences, 1) / SEQUENCES_TO_GROW)))
    return int(min(BATCH * 2**doublings, LARGEST_BATCH))


def max_epochs_for(n_sequences: int, batch_size: int) -> int:
    """Give how often the data is gone through: for 5,000 steps of the optimizer, within 10 to 100 epochs.

    >>> [max_epochs_for(n, 32) for n in (20, 270, 4000, 100_000)]
    [150, 100, 40, 10]
    """
    steps = math.ceil(n_sequences / batch_size)
    epochs = min(max(math.ceil(STEPS / steps), FEWEST_EPOCHS), MOST_EPOCHS)
    return max(epochs, math.ceil(FEWEST_STEPS / steps))
