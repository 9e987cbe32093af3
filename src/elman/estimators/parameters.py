"""The parameters of SequenceClassifier: their default values and, as data, what each may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from elman.errors import ParameterError
from elman.training.settings import OPTIMIZERS as OPTIMIZERS
from elman.training.settings import TrainingSettings


class Defaults:
    """The value of every parameter that a user does not set."""

    cell: str = "gru"
    hidden_size: int = 64
    num_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.0
    readout: str = "last"
    loss_at: str = "last"
    initialisation: str = "orthogonal"
    forget_bias: float | None = 1.0
    optimizer: str = TrainingSettings.optimizer
    learning_rate: float = TrainingSettings.learning_rate
    momentum: float = TrainingSettings.momentum
    nesterov: bool = TrainingSettings.nesterov
    weight_decay: float = TrainingSettings.weight_decay
    batch_size: int = TrainingSettings.batch_size
    max_epochs: int = TrainingSettings.max_epochs
    clip_norm: float | None = TrainingSettings.clip_norm
    clip_value: float | None = TrainingSettings.clip_value
    early_stopping: bool = TrainingSettings.early_stopping
    validation_fraction: float = 0.2
    n_iter_no_change: int = TrainingSettings.n_iter_no_change
    tol: float = TrainingSettings.tol
    standardise: bool = True
    dtype: str = "float32"
    n_threads: int | None = TrainingSettings.n_threads
    random_state: Any = None
    verbose: bool = False


@dataclass(frozen=True)
class Number:
    """An int or a float in a range; ``closed`` names the ends that belong to it."""

    kind: type
    low: float
    high: float
    closed: str = "left"

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is of the kind and in the range."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind is int else Real):
            return False
        number = float(value)
        above = number > self.low or (number == self.low and self.closed in ("left", "both"))
        below = number < self.high or (number == self.high and self.closed in ("right", "both"))
        return math.isfinite(number) and above and below

    def __str__(self) -> str:
        left = "[" if self.closed in ("left", "both") else "("
        right = "]" if self.closed in ("right", "both") else ")"
        article = "an" if self.kind is int else "a"
        return f"{article} {self.kind.__name__} in the range {left}{self._end(self.low)}, {self._end(self.high)}{right}"

    def _end(self, value: float) -> str:
        return str(value) if math.isinf(value) else str(self.kind(value))


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is one of the names."""
        return isinstance(value, str) and value in self.names

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, self.names))}}}"


@dataclass(frozen=True)
class Truth:
    """True or False."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is a bool, Python's or NumPy's."""
        return isinstance(value, bool) or (type(value).__name__ == "bool" and hasattr(value, "dtype"))

    def __str__(self) -> str:
        return "a bool"


@dataclass(frozen=True)
class OrNone:
    """What another constraint accepts, or None."""

    inner: Number

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is None or accepted by the inner constraint."""
        return value is None or self.inner.accepts(value)

    def __str__(self) -> str:
        return f"{self.inner} or None"


@dataclass(frozen=True)
class RandomState:
    """A seed, a generator of NumPy's, old or new, or None."""

    def accepts(self, value: object) -> bool:
        """Tell whether random numbers can be drawn from ``value``."""
        if value is None or hasattr(value, "bit_generator") or hasattr(value, "randint"):
            return True
        return Number(int, 0, math.inf).accepts(value)

    def __str__(self) -> str:
        return "an int in the range [0, inf), a numpy.random.Generator, a numpy.random.RandomState or None"


Constraint = Number | Choice | Truth | OrNone | RandomState

# The names that network/ knows, here without loading Numba; a test compares the two.
CELLS = ("elman", "elman_relu", "lstm", "gru")
READOUTS = ("last", "mean", "max")
DTYPES = ("float32", "float64")
INITIALISATIONS = ("uniform", "glorot", "orthogonal", "identity")

_COUNT = Number(int, 1, math.inf)
_POSITIVE = Number(float, 0, math.inf, "neither")

CONSTRAINTS: Mapping[str, Constraint] = {
    "cell": Choice(CELLS),
    "hidden_size": _COUNT,
    "num_layers": _COUNT,
    "bidirectional": Truth(),
    "dropout": Number(float, 0, 1),
    "readout": Choice(READOUTS),
    "loss_at": Choice(("last", "every_step")),
    "initialisation": Choice(INITIALISATIONS),
    "forget_bias": OrNone(Number(float, -math.inf, math.inf, "neither")),
    "optimizer": Choice(OPTIMIZERS),
    "learning_rate": _POSITIVE,
    "momentum": Number(float, 0, 1),
    "nesterov": Truth(),
    "weight_decay": Number(float, 0, math.inf),
    "batch_size": _COUNT,
    "max_epochs": _COUNT,
    "clip_norm": OrNone(_POSITIVE),
    "clip_value": OrNone(_POSITIVE),
    "early_stopping": Truth(),
    "validation_fraction": Number(float, 0, 1, "neither"),
    "n_iter_no_change": _COUNT,
    "tol": Number(float, 0, math.inf),
    "standardise": Truth(),
    "dtype": Choice(DTYPES),
    "n_threads": OrNone(_COUNT),
    "random_state": RandomState(),
    "verbose": Truth(),
}


def in_python(name: str) -> str:
    """Give a parameter as messages name it in Python."""
    return f"The {name!r} parameter of SequenceClassifier"


def check_parameters(parameters: Mapping[str, Any], called: Callable[[str], str] = in_python) -> None:
    """Raise ParameterError for the first parameter outside of its contract, named as ``called`` gives it.

    >>> check_parameters({"hidden_size": 0})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    elman.errors.ParameterError: The 'hidden_size' parameter ... must be an int in the range [1, inf). Got 0 instead.
    """
    for name, value in parameters.items():
        if not CONSTRAINTS[name].accepts(value):
            raise ParameterError(f"{called(name)} must be {CONSTRAINTS[name]}. Got {_shown(value)} instead.")
    if parameters.get("nesterov") and not parameters.get("momentum"):
        raise ParameterError(
            f"{called('momentum')} must be above 0 for Nesterov's momentum. "
            f"Got {_shown(parameters.get('momentum'))} instead."
        )


def idle_settings(parameters: Mapping[str, Any], called: Callable[[str], str] = repr) -> list[str]:
    """Give a sentence for each setting that cannot act beside the others; ``parameters`` holds all of them."""
    cell, optimizer, forget_bias = parameters["cell"], parameters["optimizer"], parameters["forget_bias"]
    sentences = []
    if parameters["dropout"] > 0 and parameters["num_layers"] == 1:
        sentences.append(f"{called('dropout')} has no effect with one layer: it acts between layers.")
    if parameters["momentum"] > 0 and optimizer in ("adam", "adamw"):
        sentences.append(f"{called('momentum')} has no effect with {optimizer}: it is for sgd and rmsprop.")
    if parameters["nesterov"] and optimizer != "sgd":
        sentences.append(f"{called('nesterov')} has no effect with {optimizer}: it is for sgd.")
    if forget_bias not in (None, Defaults.forget_bias) and cell != "lstm":
        sentences.append(f"{called('forget_bias')} has no effect with cell {cell}: only lstm has a forget gate.")
    return sentences


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
