"""Settings that cannot act beside the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from elman.estimators.parameters import Defaults
from elman.training.settings import TrainingSettings

_OF_OPTIMIZERS = {"momentum": ("sgd", "rmsprop"), "nesterov": ("sgd",), "centred": ("rmsprop",)}
_OF_SCHEDULES = {
    "schedule_epochs": ("step", "exponential", "plateau"),
    "schedule_factor": ("step", "exponential", "plateau"),
    "final_rate": ("cosine", "one_cycle"),
}


def idle_learning(parameters: Mapping[str, Any], called: Callable[[str], str]) -> list[str]:
    """Give a sentence for each setting that its optimizer or schedule does not know.

    >>> settings = {name: getattr(TrainingSettings, name) for name in (*_OF_OPTIMIZERS, *_OF_SCHEDULES)}
    >>> idle_learning(settings | {"optimizer": "lion", "schedule": "cosine", "momentum": 0.9}, repr)
    ["'momentum' has no effect with lion: it is for sgd and rmsprop."]
    """
    sentences = []
    for kind, users in (("optimizer", _OF_OPTIMIZERS), ("schedule", _OF_SCHEDULES)):
        chosen = parameters[kind]
        for name, names in users.items():
            if parameters[name] != getattr(TrainingSettings, name) and chosen not in names:
                others = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
                of = chosen if kind == "optimizer" else f"schedule {chosen}"
                sentences.append(f"{called(name)} has no effect with {of}: it is for {others}.")
    return sentences


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
