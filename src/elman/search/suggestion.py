"""A search space as Optuna knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from elman.search.domains import Choices, Domain
from elman.search.space import Space, filled, has_layers_to_drop_between


def distribution(domain: Domain) -> BaseDistribution:
    """Give a domain as a distribution of Optuna's.

    >>> from elman.search.domains import Range
    >>> distribution(Range(8, 128))
    IntDistribution(high=128, log=True, low=8, step=1)
    """
    if isinstance(domain, Choices):
        return CategoricalDistribution(domain.values)
    if domain.is_whole:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.is_log)
    return FloatDistribution(domain.low, domain.high, log=domain.is_log)


def suggest(study: optuna.Study, space: Space, parameters: Mapping[str, Any]) -> tuple[optuna.Trial, dict[str, Any]]:
    """Begin a trial, with a value of each parameter; dropout is chosen only where there are layers to drop between."""
    trial = study.ask({name: distribution(domain) for name, domain in space.items() if name != "dropout"})
    if "dropout" in space and has_layers_to_drop_between({**parameters, **trial.params}):
        _suggest(trial, "dropout", space["dropout"])
    return trial, filled(trial.params, space)


def _suggest(trial: optuna.Trial, name: str, domain: Domain) -> None:
    if isinstance(domain, Choices):
        trial.suggest_categorical(name, domain.values)
    else:
        trial.suggest_float(name, domain.low, domain.high, log=domain.is_log)
