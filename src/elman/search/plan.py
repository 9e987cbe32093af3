"""What a study is a search of: it goes on only with the data and the settings that it began with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from elman.errors import FileError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.constraints import LARGEST_SEED
from elman.estimators.folds import Labelled
from elman.estimators.parameters import plain
from elman.estimators.parts import make_generators
from elman.search.space import Space

_FREE = ("n_threads", "verbose", "warm_start", "random_state")  # what no loss depends on, and the seed
_FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is searched, and how a trial is measured.

    Parameters
    ----------
    data : str
        Digest of all that is trained on and measured with.
    estimator : str
    parameters : dict
        Those of the estimator, as JSON holds them.
    space : dict from parameter to str
    folds : int
    seed : int or None
        None where it is still to be drawn.
    """

    data: str
    estimator: str
    parameters: dict[str, Any]
    space: dict[str, str]
    folds: int
    seed: int | None
    format: int = _FORMAT

    @classmethod
    def of(
        cls, estimator: RecurrentEstimator, whole: Labelled, validation: Labelled | None, space: Space, folds: int
    ) -> Plan:
        """Describe a search."""
        parameters = estimator.get_params(deep=False)
        kept = {name: plain(value) for name, value in parameters.items() if name not in _FREE}
        seed = parameters["random_state"]
        digests = [part.digest() for part in (whole, validation) if part is not None]
        return cls(
            hashlib.sha256(" ".join(digests).encode()).hexdigest(),
            type(estimator).__name__,
            json.loads(json.dumps(kept, default=_as_json)),
            {name: str(domain) for name, domain in space.items()},
            int(folds),
            int(seed) if isinstance(seed, int | np.integer) else None,
        )

    def seeded(self, random_state: Any) -> Plan:
        """Give the plan with a seed, drawn from ``random_state`` where that is none itself."""
        if self.seed is not None:
            return self
        return replace(self, seed=int(make_generators(random_state)[0].integers(LARGEST_SEED)))

    def going_on_from(self, before: Mapping[str, Any], path: str | os.PathLike[str]) -> Plan:
        """Give the plan with the seed of the study that it goes on with.

        Raises
        ------
        FileError
            If the study is of other data or settings.
        """
        now = self.to_dict()
        if before.get("format") != _FORMAT or before.keys() != now.keys() or type(before["seed"]) is not int:
            raise FileError(f"{path}: the study is of another version, or damaged. Name another file to begin anew.")
        if before["data"] != self.data:
            raise FileError(f"{path}: the study is of other data. Name another file to begin anew.")
        seed = before["seed"] if self.seed is None else self.seed
        changed = _changes(dict(before), now | {"seed": seed})
        if changed:
            raise FileError(f"{path}: the study is of other settings: {changed}. Name another file to begin anew.")
        return replace(self, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return asdict(self)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say what differs.

    >>> _changes({"folds": 3, "space": {"cell": "gru,lstm"}}, {"folds": 2, "space": {"cell": "gru"}})
    "folds was 3, is 2; cell was 'gru,lstm', is 'gru'"
    """
    found = []
    for name in {**now, **before}:
        was, is_now = before.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(is_now, dict):
            found += [text for text in [_changes(was, is_now)] if text]
        elif was != is_now:
            found.append(f"{name} was {was!r}, is {is_now!r}")
    return "; ".join(found)


def _as_json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)
