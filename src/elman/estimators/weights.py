"""How much each sequence, or each step, counts: given by the user, and by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.errors import DataError
from elman.estimators.labels import Codes, Labels
from elman.metadata import LARGEST_FLOAT

Weights = NDArray[np.float64]

_LEAST, _MOST = 1e-100, 1e100  # between these, sums and products of weights are numbers


def as_weights(sample_weight: Any, sequences: Sequences, *, every_step: bool, name: str = "sample_weight") -> Weights:
    """Give checked weights, float64 (N,), or (S,) with ``every_step``.

    Parameters
    ----------
    sample_weight : number, or array-like (N,)
        With ``every_step`` also a list of N arrays (T_n,), an array (N, T), or a flat array (S,); the weight of a
        sequence is that of each of its steps.
    sequences : Sequences
        What is weighed: N sequences, S steps in all.

    Raises
    ------
    DataError
        If a weight is not a finite number of at least 0, all are zero, or their count is wrong.
    """
    lengths = sequences.lengths
    weights = _flat(sample_weight, lengths, name, every_step=every_step)
    if weights.ndim == 0:
        weights = np.full(len(sequences), weights)
    if every_step and weights.shape == lengths.shape:
        weights = np.repeat(weights, lengths)
    expected = (len(sequences.values),) if every_step else lengths.shape
    if weights.shape != expected:
        or_step = f", or for each step, {len(sequences.values)}" if every_step else ""
        raise DataError(
            f"{name!r} must hold one weight for each sequence, {len(sequences)}{or_step}. "
            f"Got shape {weights.shape} instead."
        )
    wrong = ~((weights >= 0) & (weights < LARGEST_FLOAT))
    if wrong.any():
        n = int(np.argmax(wrong))
        raise DataError(f"{name!r} must hold numbers of at least 0. Got {weights[n]:g} at {n}; leave it out with 0.")
    extreme = (weights > 0) & ~((weights >= _LEAST) & (weights <= _MOST))
    if extreme.any():
        n = int(np.argmax(extreme))
        raise DataError(
            f"{name!r} must hold 0, or numbers between {_LEAST:g} and {_MOST:g}. Got {weights[n]:g} at {n}; "
            "scale all weights alike."
        )
    if not weights.any():
        raise DataError(f"{name!r} must hold at least one weight above zero. Got only zeros; leave weights out.")
    return weights


def weights_by_class(
    class_weight: Mapping[Any, float] | str | None, classes: Labels, codes: Codes, weights: Weights | None
) -> Weights | None:
    """Give the weight of each class, (C,), or None where all count alike.

    'balanced' gives the class c the weight n / (C n_c), where n_c is the sum of the weights of its labels and n that of
    all: all classes then count alike together.

    Source: King & Zeng, "Logistic regression in rare events data" (2001), as in scikit-learn.

    Raises
    ------
    DataError
        If a class is named that the labels do not have.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        labelled = codes >= 0
        counts = np.bincount(
            codes[labelled], weights=None if weights is None else weights[labelled], minlength=len(classes)
        )
        present = np.maximum(counts, np.finfo(float).tiny)
        return np.where(counts > 0, counts.sum() / (np.count_nonzero(counts) * present), 1.0)
    known = classes.tolist()
    by_class = np.ones(len(known))
    for label, weight in class_weight.items():
        plain = label.item() if isinstance(label, np.generic) else label
        if plain not in known:
            raise DataError(f"'class_weight' must name classes that y holds. Got {plain!r}, which is none of them.")
        by_class[known.index(plain)] = float(weight)
    return by_class


def together(codes: Codes, weights: Weights | None, by_class: Weights | None) -> Weights | None:
    """Give the product of both weights for each code, (N,) or (S,); None where neither is given."""
    if by_class is None:
        return weights
    own = by_class[codes]  # where there is no label, any will do
    return own if weights is None else own * weights


def check_together(part: str, codes: Codes, weights: Weights | None, by_class: Weights | None) -> None:
    """Raise DataError where the weights of classes leave nothing in ``part`` to count, or bring what cannot be summed.

    The weights of samples are sound by themselves.
    """
    if by_class is None:
        return
    labelled = codes >= 0
    product = by_class[codes[labelled]] if weights is None else by_class[codes[labelled]] * weights[labelled]
    counts = product > 0
    if labelled.any() and not counts.any():
        raise DataError(
            f"'class_weight' must be above 0 for a class that occurs in {part}. Got 0 for all that occur; "
            "give one of them a weight."
        )
    extreme = counts & ~((product >= _LEAST**2) & (product <= _MOST**2))
    if extreme.any():
        raise DataError(
            f"'class_weight' times 'sample_weight' must be 0, or between {_LEAST**2:g} and {_MOST**2:g}. "
            f"Got {product[int(np.argmax(extreme))]:g}; scale the weights."
        )


def _flat(sample_weight: Any, lengths: NDArray[np.int64], name: str, *, every_step: bool) -> Weights:
    """Give the numbers that were passed; those of steps end to end, without what pads an array."""
    try:
        if every_step and np.ndim(sample_weight) == 2 and len(sample_weight) == len(lengths):
            table = np.asarray(sample_weight, dtype=np.float64)
            return np.concatenate([row[:length] for row, length in zip(table, lengths.tolist())])
        return np.asarray(sample_weight, dtype=np.float64)
    except (ValueError, TypeError):
        pass  # ragged, or no numbers
    try:
        if every_step and len(sample_weight) == len(lengths):
            parts = [np.asarray(part, dtype=np.float64) for part in sample_weight]
            if [part.shape for part in parts] == [(length,) for length in lengths.tolist()]:
                return np.concatenate(parts)
    except (ValueError, TypeError):
        pass
    raise DataError(f"{name!r} must hold numbers, one for each sequence{' or step' * every_step}. Got others.")
