"""From a gradient to new parameters: clipping, and the step of the optimizer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from elman.kernels.updates import norm as norm_of
from elman.network.network import Network
from elman.training.clipping import clip_by_value, clip_scale
from elman.training.optimizers import make_optimizer
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]


class Update(NamedTuple):
    """What an update was like."""

    learning_rate: float
    is_clipped: bool
    update_ratio: float


class Updater:
    """Changes the parameters of a network, step by step."""

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        n_steps: int,
        steps_per_epoch: int,
        rng: np.random.Generator,
    ) -> None:
        self._settings = settings
        self._parameters = network.parameters.vector
        self._optimizer = make_optimizer(settings, self._parameters.size, self._parameters.dtype)
        self._slowed = 1.0

    def update(self, gradient: Array, norm: float) -> Update:
        """Change the parameters by a gradient."""
        settings, before = self._settings, self._parameters.copy()
        clipped = norm if settings.clip_value is None else clip_by_value(gradient, settings.clip_value)
        scale = clip_scale(clipped, settings.clip_norm)
        rate = settings.learning_rate * self._slowed
        self._optimizer.step(self._parameters, gradient, rate, scale)
        ratio = float(norm_of(self._parameters - before) / norm_of(before))
        return Update(rate, scale < 1 or clipped < norm, ratio)

    def end_epoch(self, validation_loss: float | None) -> None:
        """Take note of an epoch's validation loss."""

    def evaluated(self) -> Array:
        """Return the vector to validate and keep."""
        return self._parameters

    def slow_down(self, factor: float) -> None:
        """Multiply all later learning rates."""
        self._slowed *= factor

    def state(self) -> dict[str, Array | int | float]:
        """Return copies of all that later updates depend on."""
        own = vars(self._optimizer)
        state = {name: np.copy(value) for name, value in own.items() if isinstance(value, np.ndarray) and value.size}
        numbers = {name: value for name, value in own.items() if type(value) in (int, bool)}
        return {**state, **{name: int(value) for name, value in numbers.items()}, "slowed": self._slowed}

    def restore(self, state: Mapping[str, Array | int | float]) -> None:
        """Go on from a state."""
        for name, value in state.items():
            if name == "slowed":
                self._slowed = float(value)
            elif isinstance(value, np.ndarray):
                getattr(self._optimizer, name)[:] = value
            else:
                setattr(self._optimizer, name, value)
