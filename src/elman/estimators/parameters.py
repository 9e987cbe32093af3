"""The parameters of the estimators: their default values and, as data, what each may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

from elman.errors import DataError, ParameterError, did_you_mean
from elman.estimators.idle import idle_learning
from elman.training.schedules import SCHEDULES as SCHEDULES
from elman.training.settings import OPTIMIZERS as OPTIMIZERS
from elman.training.settings import TrainingSettings


@dataclass(kw_only=True, eq=False, repr=False)
class SharedParameters:
    """The parameters that every estimator has, with the value of each that a user does not set."""

    cell: str = "gru"
    hidden_size: Any = 64
    num_layers: int = 2
    bidirectional: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False
    learn_initial_state: bool = False
    residual: bool = False
    initialisation: str = "auto"
    forget_bias: float | None = 1.0
    optimizer: str = "adamw"
    learning_rate: Any = TrainingSettings.learning_rate
    momentum: float = TrainingSettings.momentum
    nesterov: bool = TrainingSettings.nesterov
    weight_decay: float = 0.01
    batch_size: int | str = "auto"
    max_epochs: int | str = "auto"
    clip_norm: float | None = TrainingSettings.clip_norm
    clip_value: float | None = TrainingSettings.clip_value
    early_stopping: bool = TrainingSettings.early_stopping
    validation_fraction: float = 0.2
    n_iter_no_change: int | str | None = "auto"
    tol: float = TrainingSettings.tol
    standardise: bool = True
    dtype: str = "float32"
    n_threads: int | None = TrainingSettings.n_threads
    random_state: Any = None
    verbose: bool = False
    class_weight: Any = None
    warm_start: bool = False
    missing: str = "error"
    categorical_features: Any = None
    embedding_size: int | None = None
    text: str = "characters"
    layout: str = "steps-first"
    n_members: int = 1
    refit: bool | str = "auto"
    calibrate: bool = False
    centred: bool = TrainingSettings.centred
    schedule: str = "one_cycle"
    warm_up: float = TrainingSettings.warm_up
    schedule_epochs: int = TrainingSettings.schedule_epochs
    schedule_factor: float = TrainingSettings.schedule_factor
    final_rate: float = TrainingSettings.final_rate
    label_smoothing: float = TrainingSettings.label_smoothing
    gradient_noise: float = TrainingSettings.gradient_noise
    weight_average: float = TrainingSettings.weight_average
    bucket_by_length: bool = TrainingSettings.bucket_by_length
    jitter: float = TrainingSettings.jitter
    scaling: float = TrainingSettings.scaling
    time_warp: float = TrainingSettings.time_warp
    window_slice: float = TrainingSettings.window_slice
    accumulate: int = TrainingSettings.accumulate


@dataclass(kw_only=True, eq=False, repr=False)
class Defaults(SharedParameters):
    """The parameters of SequenceClassifier, likewise."""

    readout: str = "auto"
    patch_size: int | str = "auto"


@dataclass(kw_only=True, eq=False, repr=False)
class TaggerDefaults(SharedParameters):
    """The parameters of SequenceTagger, likewise."""

    unlabelled: Any = None


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
        try:
            number = int(value) if self.kind is int else float(value)  # type: ignore[call-overload]
        except OverflowError:  # an int that no float can hold
            return False
        above = number > self.low or (number == self.low and self.closed in ("left", "both"))
        below = number < self.high or (number == self.high and self.closed in ("right", "both"))
        return above and below

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
class Label:
    """A label that a model file can hold, or None."""

    longest: int = 1000  # characters of text

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is text, a whole number, a boolean or None."""
        if isinstance(value, str):
            return is_storable(value, self.longest)
        return value is None or Truth().accepts(value) or _LABEL.accepts(value)

    def __str__(self) -> str:
        text = f"text of at most {self.longest:,} characters that UTF-8 has"
        return f"a label ({text}, a whole number or a bool) or None"


@dataclass(frozen=True)
class ClassWeight:
    """Weights by class."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is 'balanced', None, or a dict of weights."""
        if not isinstance(value, dict):
            return value is None or value == "balanced"
        weight = Number(float, 0, LARGEST_FLOAT)
        labels_are_sound = all(label is not None and Label(LONGEST_NAME).accepts(label) for label in value)
        return labels_are_sound and all(weight.accepts(number) for number in value.values())

    def __str__(self) -> str:
        return "a dict from labels to floats of at least 0, 'balanced' or None"


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
class OrAuto:
    """What another constraint accepts, or 'auto': chosen from the data."""

    inner: Number | Choice | Truth | OrNone

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is 'auto' or accepted by the inner constraint."""
        return (isinstance(value, str) and value == "auto") or self.inner.accepts(value)

    def __str__(self) -> str:
        return f"{self.inner} or 'auto'"


@dataclass(frozen=True)
class RandomState:
    """A seed, a generator of NumPy's, old or new, or None."""

    def accepts(self, value: object) -> bool:
        """Tell whether random numbers can be drawn from ``value``."""
        from numpy.random import Generator, RandomState

        return value is None or isinstance(value, Generator | RandomState) or _SEED.accepts(value)

    def __str__(self) -> str:
        return f"{_SEED}, a numpy.random.Generator, a numpy.random.RandomState or None"


@dataclass(frozen=True)
class Features:
    """Indices or names of features, or None."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is None, or a list, tuple or array of counts or names."""
        if value is None:
            return True
        if not hasattr(value, "__len__") or not hasattr(value, "__iter__") or isinstance(value, str | bytes | dict):
            return False
        return all(isinstance(feature, str) or _INDEX.accepts(feature) for feature in value)

    def __str__(self) -> str:
        return "a list of indices or names of features, or None"


@dataclass(frozen=True)
class Sizes:
    """One size for all layers, or a tuple or list of one for each."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is a size, or a tuple or list of sizes."""
        if isinstance(value, tuple | list):
            return 1 <= len(value) <= MOST_LAYERS and all(_SIZE.accepts(size) for size in value)
        return _SIZE.accepts(value)

    def __str__(self) -> str:
        return f"{_SIZE} or a tuple of them"


Constraint = Sizes | Number | Choice | Truth | Label | ClassWeight | Features | OrNone | OrAuto | RandomState

# The names that network/ and data/ know, here without loading Numba or NumPy; a test compares the two.
CELLS = ("elman", "elman_relu", "lstm", "gru")
READOUTS = ("last", "mean", "max", "attention")
DTYPES = ("float32", "float64")
INITIALISATIONS = ("uniform", "glorot", "orthogonal", "identity", "chrono", "mixed")
MISSING = ("error", "indicator")
SPLITS = ("characters", "words")
LAYOUTS = ("steps-first", "channels-first")

# What a model file can hold, as `elman.metadata` has it, here without loading Numba; a test compares the two.
LARGEST_FLOAT = 1e300
LARGEST_SEED = 2**63 - 1
LARGEST_HIDDEN_SIZE = 65_536
LARGEST_PATCH = 65_536
MOST_LAYERS = 1024
MOST_MEMBERS = 1024
LONGEST_NAME = 10_000  # characters
MOST_PARAMETERS = 2**31

LARGEST_JITTER = 1e30  # which float32 holds, with what is added to it

_SIZE = Number(int, 1, LARGEST_HIDDEN_SIZE, "both")
_SEED = Number(int, 0, LARGEST_SEED, "both")
_COUNT = Number(int, 1, 2**31 - 1, "both")
_INDEX = Number(int, 0, 10**9, "both")
_LABEL = Number(int, -(2**63), 2**63 - 1, "both")
_POSITIVE = Number(float, 0, LARGEST_FLOAT, "neither")

CONSTRAINTS: Mapping[str, Constraint] = {
    "cell": Choice(CELLS),
    "hidden_size": Sizes(),
    "num_layers": Number(int, 1, MOST_LAYERS, "both"),
    "bidirectional": Truth(),
    "dropout": Number(float, 0, 1),
    "recurrent_dropout": Number(float, 0, 1),
    "zoneout": Number(float, 0, 1),
    "layer_norm": Truth(),
    "learn_initial_state": Truth(),
    "residual": Truth(),
    "readout": OrAuto(Choice(READOUTS)),
    "initialisation": OrAuto(Choice(INITIALISATIONS)),
    "forget_bias": OrNone(Number(float, -LARGEST_FLOAT, LARGEST_FLOAT, "neither")),
    "optimizer": Choice(OPTIMIZERS),
    "learning_rate": OrAuto(_POSITIVE),
    "momentum": Number(float, 0, 1),
    "nesterov": Truth(),
    "weight_decay": Number(float, 0, LARGEST_FLOAT),
    "batch_size": OrAuto(_COUNT),
    "max_epochs": OrAuto(_COUNT),
    "clip_norm": OrNone(_POSITIVE),
    "clip_value": OrNone(_POSITIVE),
    "early_stopping": Truth(),
    "validation_fraction": Number(float, 0, 1, "neither"),
    "n_iter_no_change": OrAuto(OrNone(_COUNT)),
    "tol": Number(float, 0, LARGEST_FLOAT),
    "standardise": Truth(),
    "dtype": Choice(DTYPES),
    "n_threads": OrNone(_COUNT),
    "random_state": RandomState(),
    "verbose": Truth(),
    "class_weight": ClassWeight(),
    "warm_start": Truth(),
    "unlabelled": Label(),
    "missing": Choice(MISSING),
    "categorical_features": Features(),
    "embedding_size": OrNone(Number(int, 1, LARGEST_HIDDEN_SIZE, "both")),
    "text": Choice(SPLITS),
    "layout": Choice(LAYOUTS),
    "refit": OrAuto(Truth()),
    "n_members": Number(int, 1, MOST_MEMBERS, "both"),
    "calibrate": Truth(),
    "centred": Truth(),
    "schedule": Choice(SCHEDULES),
    "warm_up": Number(float, 0, 1),
    "schedule_epochs": _COUNT,
    "schedule_factor": Number(float, 0, 1, "neither"),
    "final_rate": Number(float, 0, 1, "both"),
    "label_smoothing": Number(float, 0, 1),
    "gradient_noise": Number(float, 0, LARGEST_FLOAT),
    "weight_average": Number(float, 0, 1),
    "bucket_by_length": Truth(),
    "jitter": Number(float, 0, LARGEST_JITTER, "both"),
    "scaling": Number(float, 0, 10, "both"),
    "time_warp": Number(float, 0, 10, "both"),
    "window_slice": Number(float, 0, 1, "right"),
    "patch_size": OrAuto(Number(int, 1, LARGEST_PATCH, "both")),
    "accumulate": _COUNT,
}


def in_python(name: str, estimator: str = "SequenceClassifier") -> str:
    """Give a parameter as messages name it in Python."""
    return f"The {name!r} parameter of {estimator}"


def check_parameters(parameters: Mapping[str, Any], called: Callable[[str], str] = in_python) -> None:
    """Raise ParameterError for the first parameter outside of its contract, named as ``called`` gives it.

    >>> check_parameters({"num_layers": 0})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    elman.errors.ParameterError: The 'num_layers' parameter ... must be an int in the range [1, 1024]. Got 0 instead.
    """
    for name, value in parameters.items():
        if not CONSTRAINTS[name].accepts(value):
            meant = did_you_mean(value, _names(CONSTRAINTS[name]))
            raise ParameterError(f"{called(name)} must be {CONSTRAINTS[name]}. Got {_shown(value)} instead.{meant}")
    left_out = SharedParameters.num_layers
    sizes, num_layers = parameters.get("hidden_size"), parameters.get("num_layers", left_out)
    if isinstance(sizes, tuple | list) and num_layers not in (left_out, len(sizes)):
        raise ParameterError(
            f"{called('num_layers')} must be {len(sizes)}, as many as there are sizes in hidden_size, or left out. "
            f"Got {_shown(num_layers)} instead."
        )
    if parameters.get("refit") is True and parameters.get("schedule") == "plateau":
        raise ParameterError(
            f"{called('refit')} must be False or 'auto' with the schedule 'plateau', which a run without a validation "
            "part cannot follow. Got True instead."
        )
    if parameters.get("nesterov") and not parameters.get("momentum"):
        raise ParameterError(
            f"{called('momentum')} must be above 0 for Nesterov's momentum. "
            f"Got {_shown(parameters.get('momentum'))} instead."
        )


def _names(constraint: Constraint) -> tuple[str, ...]:
    """Give the names that a constraint accepts."""
    inner = constraint.inner if isinstance(constraint, OrAuto) else constraint
    return inner.names if isinstance(inner, Choice) else ()


def check_size(shapes: Mapping[str, tuple[int, ...]], n_members: int = 1) -> None:
    """Raise ParameterError for networks of parameters of these shapes that are too large to be made.

    >>> check_size({"weight_hh_l0": (196_608, 65_536)})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    elman.errors.ParameterError: The network must have at most 2,147,483,648 parameters. Got 12,884,901,888 ...
    """
    count = n_members * sum(math.prod(shape) for shape in shapes.values())
    if count > MOST_PARAMETERS:
        raise ParameterError(
            f"The network must have at most {MOST_PARAMETERS:,} parameters. Got {count:,} instead. "
            f"Choose a smaller hidden_size or num_layers{', or fewer members' * (n_members > 1)}."
        )


def check_names(names: Iterable[str] | None) -> None:
    """Raise DataError for the first feature name that a model file could not hold."""
    for number, name in enumerate(names or ()):
        if not is_storable(name):
            raise DataError(
                f"Feature {number}: expected a name of at most {LONGEST_NAME} characters that UTF-8 has, got "
                f"{len(name)}, {_shown(name)}. Rename it."
            )


def is_storable(text: str, longest: int = LONGEST_NAME) -> bool:
    """Tell whether a model file can hold a text: half a surrogate pair has no UTF-8.

    >>> is_storable("naïve"), is_storable("\\ud800")
    (True, False)
    """
    return len(text) <= longest and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def plain(value: Any) -> Any:
    """Give a parameter as Python's own int, float or bool, where it is a number of any other kind, such as a Fraction.

    >>> from fractions import Fraction
    >>> plain(Fraction(1, 4)), plain({"a": Fraction(2)}), plain((8, 4))
    (0.25, {'a': 2.0}, (8, 4))
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, bool) or not isinstance(value, Real):
        return bool(value) if Truth().accepts(value) else value
    return int(value) if isinstance(value, Integral) else float(value)


def layer_sizes(hidden_size: Any, num_layers: int) -> tuple[int, ...]:
    """Give the size of each layer.

    >>> layer_sizes(64, 2), layer_sizes((128, 64), 1)
    ((64, 64), (128, 64))
    """
    return tuple(hidden_size) if isinstance(hidden_size, tuple | list) else (hidden_size,) * num_layers


def idle_settings(parameters: Mapping[str, Any], called: Callable[[str], str] = repr) -> list[str]:
    """Give a sentence for each setting that cannot act beside the others; ``parameters`` holds all of them."""
    cell, forget_bias = parameters["cell"], parameters["forget_bias"]
    sentences = []
    sizes = layer_sizes(parameters["hidden_size"], parameters["num_layers"])
    if parameters["residual"] and not any(a == b for a, b in pairwise(sizes)):
        sentences.append(f"{called('residual')} has no effect without two neighbouring layers of one size.")
    if parameters["dropout"] > 0 and len(sizes) == 1:
        sentences.append(f"{called('dropout')} has no effect with one layer: it acts between layers.")
    sentences += idle_learning(parameters, called)
    if parameters["refit"] is True and not parameters["early_stopping"]:
        sentences.append(f"{called('refit')} has no effect where nothing is set aside for validation.")
    if forget_bias not in (None, Defaults.forget_bias):
        if cell != "lstm":
            sentences.append(f"{called('forget_bias')} has no effect with cell {cell}: only lstm has a forget gate.")
        elif parameters["initialisation"] == "chrono":
            sentences.append(f"{called('forget_bias')} has no effect with chrono, which draws the forget gate's bias.")
    if parameters["bucket_by_length"] and parameters["batch_size"] == 1:
        sentences.append(f"{called('bucket_by_length')} has no effect with batches of one sequence.")
    return sentences


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
