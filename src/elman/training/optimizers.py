"""Optimizers: a fused pass over the flat parameter vector, by PyTorch's rules with PyTorch's defaults.

Sources: SGD with momentum, Sutskever et al. (2013); RMSProp, Tieleman & Hinton (2012), centred, Graves (2013); Adagrad,
Duchi et al. (2011); Adadelta, Zeiler (2012); Adam, Kingma & Ba (2015); AdamW, Loshchilov & Hutter (2019); NAdam, Dozat
(2016); RAdam, Liu et al. (2020); AMSGrad, Reddi et al. (2018); Lion, Chen et al. (2023), by the paper.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from elman.kernels.updates import adadelta, adagrad, adam, amsgrad, lion, nadam, rmsprop, sgd
from elman.network.parameters import Parameters
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]
State = Mapping[str, Array | int | float]


class Optimizer(ABC):
    """What changes parameters, given their gradient; a subclass has the rule.

    Weight decay is added to the gradient, or shrinks the parameters directly where it is `decoupled`. It acts on
    weights and embeddings alone.
    """

    decoupled: ClassVar[bool] = False
    numbers: ClassVar[tuple[str, ...]] = ("steps",)  # what its state holds beside vectors
    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)
    rho: ClassVar[float] = 0.99
    epsilon: ClassVar[float] = 1e-8

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        self._settings = settings
        self._weights = parameters.weight_slices()
        self._size, self._dtype = parameters.vector.size, parameters.vector.dtype
        self._vectors: dict[str, Array] = {}
        self.steps = 0
        self._betas = self.betas if settings.betas is None else settings.betas
        self._rho = self.rho if settings.rho is None else settings.rho
        self._epsilon = self.epsilon if settings.epsilon is None else settings.epsilon

    def step(self, parameters: Array, gradient: Array, learning_rate: float, scale: float = 1.0) -> None:
        """Update the parameters (P,) in place from `scale` times this gradient (P,), which may be overwritten."""
        self.steps += 1
        decay = self._settings.weight_decay
        if decay and self.decoupled:
            for weights in self._weights:
                parameters[weights] *= 1 - learning_rate * decay
        elif decay:
            gradient *= scale
            scale = 1.0
            for weights in self._weights:
                gradient[weights] += decay * parameters[weights]
        self._change(parameters, gradient, scale, learning_rate)

    def state(self) -> dict[str, Array | int | float]:
        """Return copies of all that the next steps depend on, but for the parameters."""
        vectors = {name: vector.copy() for name, vector in self._vectors.items()}
        return {**vectors, **{name: getattr(self, name) for name in self.numbers}}

    def restore(self, state: State) -> None:
        """Go on from a state."""
        for name, vector in self._vectors.items():
            vector[:] = state[name]
        for name in self.numbers:
            setattr(self, name, type(getattr(self, name))(state[name]))

    @abstractmethod
    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        """Change the parameters by the rule."""

    def _vector(self, name: str, *, used: bool = True) -> Array:
        """Make a vector of the state, all 0; one that is not used is empty and no part of it."""
        vector: Array = np.zeros(self._size if used else 0, self._dtype)
        if used:
            self._vectors[name] = vector
        return vector


class SGD(Optimizer):
    """w -= lr * g, or with momentum: v = momentum * v + g; w -= lr * v."""

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._velocity = self._vector("velocity", used=settings.momentum > 0)

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        s = self._settings
        sgd(parameters, gradient, scale, self._velocity, learning_rate, s.momentum, s.nesterov, self.steps == 1)


class RMSProp(Optimizer):
    """s = rho * s + (1 - rho) * g^2; w -= lr * g / (sqrt(s) + epsilon).

    Centred, m the running mean of g, it divides by sqrt(s - m^2) + epsilon.
    """

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._square = self._vector("square")
        self._mean = self._vector("mean", used=settings.centred)
        self._velocity = self._vector("velocity", used=settings.momentum > 0)

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        scalars = (learning_rate, self._rho, 1 - self._rho, self._epsilon, self._settings.momentum)
        rmsprop(parameters, gradient, scale, self._square, self._mean, self._velocity, *scalars)


class Adagrad(Optimizer):
    """s += g^2; w -= lr * g / (sqrt(s) + epsilon)."""

    epsilon = 1e-10

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._total = self._vector("total")

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        adagrad(parameters, gradient, scale, self._total, learning_rate, self._epsilon)


class Adadelta(Optimizer):
    """s = rho * s + (1 - rho) * g^2; d = g * sqrt(c + epsilon) / sqrt(s + epsilon); c likewise of d; w -= lr * d."""

    rho, epsilon = 0.9, 1e-6

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._square, self._squared_change = self._vector("square"), self._vector("squared_change")

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        scalars = (learning_rate, self._rho, 1 - self._rho, self._epsilon)
        adadelta(parameters, gradient, scale, self._square, self._squared_change, *scalars)


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; w -= lr * m' / (sqrt(s') + epsilon), m' and s' bias-corrected."""

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._mean, self._square = self._vector("mean"), self._vector("square")

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        step_size = learning_rate / (1 - self._betas[0] ** self.steps)
        of_step = (step_size, *self._rates, self._root_2, self._epsilon)
        adam(parameters, gradient, scale, self._mean, self._square, *of_step)

    @property
    def _rates(self) -> tuple[float, float, float, float]:
        beta_1, beta_2 = self._betas
        return beta_1, beta_2, 1 - beta_1, 1 - beta_2

    @property
    def _root_2(self) -> float:
        return math.sqrt(1 - self._betas[1] ** self.steps)


class AdamW(Adam):
    """Adam with decoupled weight decay."""

    decoupled = True


class AMSGrad(Adam):
    """Adam with the largest s so far in the place of s."""

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._largest = self._vector("largest")

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        step_size = learning_rate / (1 - self._betas[0] ** self.steps)
        of_step = (step_size, *self._rates, self._root_2, self._epsilon)
        amsgrad(parameters, gradient, scale, self._mean, self._square, self._largest, *of_step)


class NAdam(Adam):
    """Adam with Nesterov's momentum: the step mixes g with the m of the step to come, by a momentum mu that grows."""

    numbers = ("steps", "product")

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self.product = 1.0  # of all mu so far, which corrects m for its start from zero

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        mu, mu_next = self._momentum(self.steps), self._momentum(self.steps + 1)
        self.product *= mu
        of_gradient = learning_rate * (1 - mu) / (1 - self.product)
        of_mean = learning_rate * mu_next / (1 - self.product * mu_next)
        of_step = (of_gradient, of_mean, *self._rates, self._root_2, self._epsilon)
        nadam(parameters, gradient, scale, self._mean, self._square, *of_step)

    def _momentum(self, step: int) -> float:
        return self._betas[0] * (1 - 0.5 * math.pow(0.96, step * 0.004))


class RAdam(Adam):
    """Adam with its step held back while few g have gone into s: at first w -= lr * m', then times a factor."""

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        step_size = learning_rate / (1 - self._betas[0] ** self.steps)
        beta_2 = self._betas[1]
        most = 2 / (1 - beta_2) - 1
        length = most - 2 * self.steps * beta_2**self.steps / (1 - beta_2**self.steps)  # of the mean that s is
        if length > 5:
            rectified = math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
            of_step = (step_size * rectified * self._root_2, *self._rates, 1.0, self._epsilon)
        else:
            of_step = (step_size, *self._rates, math.inf, 1.0)  # sqrt(s) / inf + 1: s has no say
        adam(parameters, gradient, scale, self._mean, self._square, *of_step)


class Lion(Optimizer):
    """w -= lr * sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g; weight decay is decoupled."""

    decoupled = True
    betas = (0.9, 0.99)

    def __init__(self, settings: TrainingSettings, parameters: Parameters) -> None:
        super().__init__(settings, parameters)
        self._mean = self._vector("mean")

    def _change(self, parameters: Array, gradient: Array, scale: float, learning_rate: float) -> None:
        beta_1, beta_2 = self._betas
        lion(parameters, gradient, scale, self._mean, learning_rate, beta_1, beta_2, 1 - beta_1, 1 - beta_2)


_OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "nadam": NAdam,
    "radam": RAdam,
    "amsgrad": AMSGrad,
    "lion": Lion,
}


def make_optimizer(settings: TrainingSettings, parameters: Parameters) -> Optimizer:
    """Return the optimizer that the settings name, for these parameters."""
    return _OPTIMIZERS[settings.optimizer](settings, parameters)
