"""From a gradient to new parameters: clipping, noise, the rate of the schedule, the optimizer, the weights' average."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from elman.kernels.updates import update_ratio
from elman.network.network import Network
from elman.training.clipping import clip_by_value, clip_scale
from elman.training.optimizers import make_optimizer
from elman.training.schedules import Plateau, rate_at
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]
_FALL_OF_NOISE = 0.55


class Update(NamedTuple):
    """What an update was like."""

    learning_rate: float
    is_clipped: bool  # whether the gradient was larger than it may be
    update_ratio: float  # |change of the parameters| / |parameters|, Euclidean; 0 where all of these are 0


class Updater:
    """Changes the parameters of a network, step by step.

    Parameters
    ----------
    network : Network, initialised
    settings : TrainingSettings
    n_steps : int
        Steps of the whole training, over which schedules run.
    steps_per_epoch : int
    rng : numpy Generator
        Drawn from for the seed of the gradient's noise, once, and only if there is noise.
    """

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        n_steps: int,
        steps_per_epoch: int,
        rng: np.random.Generator,
    ) -> None:
        self._settings, self._length = settings, (n_steps, steps_per_epoch)
        self._parameters = network.parameters.vector
        self._optimizer = make_optimizer(settings, network.parameters)
        self._plateau = Plateau(settings)
        self._steps = 0
        self._slowed = 1.0
        self._noise_key = int(rng.integers(2**63)) if settings.gradient_noise > 0 else 0
        self._average = self._parameters.copy() if settings.weight_average > 0 else None
        self._before = np.empty_like(self._parameters)  # the last step; also room to compute in

    def update(self, gradient: Array, norm: float) -> Update:
        """Change the parameters by a gradient (P,), which is overwritten; `norm` is its Euclidean norm."""
        settings = self._settings
        scale, is_clipped = self._clip(gradient, norm)
        if settings.gradient_noise > 0:
            gradient *= scale
            gradient += self._noise()
            scale = 1.0
        rate = settings.learning_rate * rate_at(settings, self._steps, *self._length)
        rate *= self._plateau.factor * self._slowed
        self._before[:] = self._parameters
        self._optimizer.step(self._parameters, gradient, rate, scale)
        self._steps += 1
        ratio = float(update_ratio(self._parameters, self._before))
        if self._average is not None:
            self._follow(self._average)
        return Update(rate, is_clipped, ratio)

    def end_epoch(self, validation_loss: float | None) -> None:
        """Take note of an epoch's validation loss, which the schedule "plateau" goes by."""
        if validation_loss is not None and self._settings.schedule == "plateau":
            self._plateau.end_epoch(validation_loss)

    def evaluated(self) -> Array:
        """Return the vector (P,) to validate and to keep: the average of the parameters, or themselves."""
        return self._parameters if self._average is None else self._average

    def slow_down(self, factor: float) -> None:
        """Multiply all later learning rates."""
        self._slowed *= factor

    def state(self) -> dict[str, Array | int | float]:
        """Return copies of all that later updates depend on, but for the parameters, as arrays and plain numbers."""
        state: dict[str, Array | int | float] = {
            "steps": self._steps,
            "slowed": self._slowed,
            "noise_key": self._noise_key,
            "plateau.factor": self._plateau.factor,
            "plateau.lowest": self._plateau.lowest,
            "plateau.epochs": self._plateau.epochs,
        }
        if self._average is not None:
            state["average"] = self._average.copy()
        return state | {f"optimizer.{name}": value for name, value in self._optimizer.state().items()}

    def restore(self, state: Mapping[str, Array | int | float]) -> None:
        """Go on, bit for bit, from a state of an updater with the same settings."""
        self._steps, self._slowed = int(state["steps"]), float(state["slowed"])
        self._noise_key = int(state["noise_key"])
        self._plateau.factor, self._plateau.lowest = float(state["plateau.factor"]), float(state["plateau.lowest"])
        self._plateau.epochs = int(state["plateau.epochs"])
        if self._average is not None:
            self._average[:] = state["average"]
        own = {name.partition(".")[2]: value for name, value in state.items() if name.startswith("optimizer.")}
        self._optimizer.restore(own)

    def _clip(self, gradient: Array, norm: float) -> tuple[float, bool]:
        """Clip by value, in place; return the factor that clips by norm, and whether there was anything to clip."""
        most = self._settings.clip_value
        is_too_large = most is not None and float(np.abs(gradient).max()) > most
        if most is not None and is_too_large:
            norm = clip_by_value(gradient, most)
        scale = clip_scale(norm, self._settings.clip_norm)
        return scale, is_too_large or scale < 1

    def _noise(self) -> Array:
        """Return the noise of this step: of its number and the key alone."""
        rng = np.random.Generator(np.random.Philox(key=self._noise_key, counter=[0, 0, 0, self._steps]))
        deviation = math.sqrt(self._settings.gradient_noise / (1 + self._steps) ** _FALL_OF_NOISE)
        noise = rng.standard_normal(self._parameters.size, self._parameters.dtype)
        noise *= deviation
        return noise

    def _follow(self, average: Array) -> None:
        """Bring the average nearer to the parameters: the faster, the fewer steps there have been."""
        decay = min(self._settings.weight_average, (1 + self._steps) / (10 + self._steps))
        step = np.subtract(self._parameters, average, out=self._before)
        step *= 1 - decay
        average += step
