"""Going on from a model that is there: what must be as it was, and the validation part that stays set aside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.caution import warn_user
from elman.errors import ParameterError
from elman.estimators.parameters import plain
from elman.estimators.parts import Part
from elman.network.architecture import Architecture

READING = ("text", "layout", "missing", "categorical_features", "embedding_size", "standardise", "patch_size")


def require_same_reading(before: Mapping[str, Any], now: Mapping[str, Any], called: Callable[[str], str]) -> None:
    """Raise ParameterError for the first parameter of how features are read that is not as in the fit before."""
    for name in (name for name in READING if name in before):
        was, is_now = _comparable(before[name]), _comparable(now[name])
        if was != is_now:
            raise ParameterError(
                f"{called(name)} must stay as it was where training goes on, {was!r}. Got {is_now!r} instead; "
                "fit with warm_start=False."
            )


def require_same_network(before: tuple[Architecture, str], now: tuple[Architecture, str]) -> None:
    """Raise ParameterError with all that differs between two architectures and dtypes."""
    was, is_now = ({**asdict(architecture), "dtype": dtype} for architecture, dtype in (before, now))
    changed = [f"{name} was {was[name]!r}, is {is_now[name]!r}" for name in was if was[name] != is_now[name]]
    if changed:
        raise ParameterError(
            f"The network that is trained on must keep its architecture. Got another: {'; '.join(changed)}. "
            "Fit with warm_start=False."
        )


def require_same_members(n_before: int, n_members: int, called: Callable[[str], str]) -> None:
    """Raise ParameterError where there are to be more or fewer networks than there are."""
    if n_members != n_before:
        raise ParameterError(
            f"{called('n_members')} must stay as many as there are where training goes on, {n_before}. "
            f"Got {n_members} instead; fit with warm_start=False."
        )


def _comparable(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray) else value
    return [plain(item) for item in value] if isinstance(value, list | tuple) else plain(value)


@dataclass(frozen=True, eq=False)
class SplitSource:
    """From what a validation part is drawn: the same source sets the same sequences aside.

    Parameters
    ----------
    data : str
        A digest of the labels, lengths and groups, in order, and of the fraction.
    """

    data: str
    _rng: np.random.Generator

    @classmethod
    def of(
        cls,
        part: Part,
        groups: NDArray[Any] | None,
        fraction: float,
        rng: np.random.Generator,
        before: Any,
        is_new: bool,
    ) -> SplitSource:
        """Give the source of this fit: that of the fit ``before``, or None, wherever its data was the same.

        Another split may hold out what the network was trained on before, so that it warns.
        """
        digest = hashlib.sha256(repr(fraction).encode())
        for array in (part.codes, part.sequences.offsets, np.zeros(0) if groups is None else groups):
            digest.update(np.ascontiguousarray(array).tobytes())
        source = cls(digest.hexdigest(), rng)
        if is_new:
            return source
        if before is not None and before.data == source.data:
            return before  # type: ignore[no-any-return]
        warn_user(
            "The validation part of this warm start may hold sequences that were trained on before, since it is not "
            "that of the last fit; pass validation=(X, y) to keep them apart."
        )
        return source

    def generator(self) -> np.random.Generator:
        """Give a generator of random numbers, the same with every call."""
        return deepcopy(self._rng)
