"""All that the further course of a training run depends on, as it was at one moment: to go back to, or to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from elman.training.progress import Progress

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class State:
    """A moment of a training run, between two steps.

    Parameters
    ----------
    parameters : float array (P,)
        Of the network.
    best : float array (P,)
        Those of the best epoch so far; before there is one, those at the start.
    updater : dict
        Arrays and numbers, as `Updater.state` gives them.
    rng : dict
        The state of the generator.
    rng_at_epoch : dict
        What it was when the epoch began: the batches were drawn from it.
    progress : Progress
    """

    parameters: Array
    best: Array
    updater: Mapping[str, Array | int | float]
    rng: Mapping[str, Any]
    rng_at_epoch: Mapping[str, Any]
    progress: Progress
