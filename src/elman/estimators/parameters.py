"""The parameters of the estimators: their default values and, as data, what each may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from elman.errors import DataError, ParameterError, did_you_mean
from elman.estimators.constraints import (
    LARGEST_FLOAT,
    LARGEST_HIDDEN_SIZE,
    LARGEST_PATCH,
    LONGEST_NAME,
    MOST_LAYERS,
    MOST_MEMBERS,
    Choice,
    ClassWeight,
    Constraint,
    Features,
    Label,
    Number,
    OrAuto,
    OrNone,
    RandomState,
    Sizes,
    Truth,
    is_storable,
)
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


# The names that network/ and data/ know, here without loading Numba or NumPy; a test compares the two.
CELLS = ("elman", "elman_relu", "lstm", "gru")
READOUTS = ("last", "mean", "max", "attention")
DTYPES = ("float32", "float64")
INITIALISATIONS = ("uniform", "glorot", "orthogonal", "identity", "chrono", "mixed")
MISSING = ("error", "indicator")
SPLITS = ("characters", "words")
LAYOUTS = ("steps-first", "channels-first")

MOST_PARAMETERS = 2**31
LARGEST_JITTER = 1e30  # which float32 holds, with what is added to it

_COUNT = Number(int, 1, 2**31 - 1, "both")
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


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
