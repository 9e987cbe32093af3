"""Optimizers: one fused pass over the flat parameter vector, by PyTorch's rules with PyTorch's defaults.

Sources: SGD with momentum, Sutskever et al. (2013); RMSProp, Tieleman & Hinton (2012); Adam, Kingma & Ba (2015);
AdamW, Loshchilov & Hutter (2019).
"""

import math
from typing import Any, Protocol

import numpy as np

from elman.kernels.updates import adam, rmsprop, sgd
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]


class Optimizer(Protocol):
    """What changes parameters, given their gradient."""

    def step(self, parameters: Array, gradient: Array, learning_rate: float, scale: float = 1.0) -> None:
        """Update the parameters (P,) in place from `scale` times this gradient (P,)."""
        ...


class SGD:
    """w -= lr * g, or with momentum: v = momentum * v + g; w -= lr * v."""

    def __init__(self, settings: TrainingSettings, size: int, dtype: np.dtype[Any]) -> None:
        self._settings = settings
        self._velocity = np.zeros(size if settings.momentum else 0, dtype)
        self._first = True

    def step(self, parameters: Array, gradient: Array, learning_rate: float, scale: float = 1.0) -> None:
        """Update the parameters in place."""
        s = self._settings
        rules = (learning_rate, s.momentum, s.nesterov, s.weight_decay, self._first)
        sgd(parameters, gradient, scale, self._velocity, *rules)
        self._first = False


class RMSProp:
    """s = rho * s + (1 - rho) * g^2; w -= lr * g / (sqrt(s) + epsilon)."""

    def __init__(self, settings: TrainingSettings, size: int, dtype: np.dtype[Any]) -> None:
        self._settings = settings
        self._square = np.zeros(size, dtype)
        self._velocity = np.zeros(size if settings.momentum else 0, dtype)

    def step(self, parameters: Array, gradient: Array, learning_rate: float, scale: float = 1.0) -> None:
        """Update the parameters in place."""
        s = self._settings
        scalars = (learning_rate, s.rho, 1 - s.rho, s.epsilon, s.momentum, s.weight_decay)
        rmsprop(parameters, gradient, scale, self._square, self._velocity, *scalars)


class Adam:
    """m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; w -= lr * m' / (sqrt(s') + epsilon), m' and s' bias-corrected.

    Weight decay adds to the gradient, or with `decoupled` (AdamW) shrinks the parameters directly.
    """

    def __init__(self, settings: TrainingSettings, size: int, dtype: np.dtype[Any], *, decoupled: bool) -> None:
        self._settings, self._decoupled = settings, decoupled
        self._mean, self._square = np.zeros(size, dtype), np.zeros(size, dtype)
        self._steps = 0

    def step(self, parameters: Array, gradient: Array, learning_rate: float, scale: float = 1.0) -> None:
        """Update the parameters in place."""
        s, (beta_1, beta_2) = self._settings, self._settings.betas
        self._steps += 1
        step_size = learning_rate / (1 - beta_1**self._steps)
        root_2 = math.sqrt(1 - beta_2**self._steps)
        shrink = 0.0 if self._decoupled else s.weight_decay
        decay = 1 - learning_rate * s.weight_decay if self._decoupled else 1.0
        scalars = (step_size, shrink, decay, beta_1, beta_2, 1 - beta_1, 1 - beta_2, root_2, s.epsilon)
        adam(parameters, gradient, scale, self._mean, self._square, *scalars)


def make_optimizer(settings: TrainingSettings, size: int, dtype: np.dtype[Any]) -> Optimizer:
    """Return the optimizer that the settings name, for `size` parameters."""
    if settings.optimizer == "sgd":
        return SGD(settings, size, dtype)
    if settings.optimizer == "rmsprop":
        return RMSProp(settings, size, dtype)
    return Adam(settings, size, dtype, decoupled=settings.optimizer == "adamw")
