"""Settings of learning that cannot act beside the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
