"""Scaling, fitted on training data only; what is fitted travels in the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from elman.data.numeric import LARGEST, FloatArray
from elman.data.sequences import Sequences
from elman.errors import DataError

_BLOCK = 65_536  # rows converted at a time, so that a large float32 set is never copied whole to float64


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Each feature shifted and scaled to mean 0 and standard deviation 1 over all training steps.

        standardised = (value - mean) / scale

    Parameters
    ----------
    mean : float64 array (D,)
    scale : float64 array (D,)
        The standard deviation; 1 for a feature that is constant in the training data.

    Examples
    --------
    >>> from elman.data import as_sequences
    >>> training = as_sequences([[[1.0, 7.0], [3.0, 7.0]]])
    >>> standardiser = Standardiser.fit(training)
    >>> standardiser.mean.tolist(), standardiser.scale.tolist()
    ([2.0, 7.0], [1.0, 1.0])
    >>> standardiser.apply(training).values.tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, sequences: Sequences, weights: NDArray[np.float64] | None = None) -> Standardiser:
        """Measure mean and standard deviation, in two passes and in float64.

        A step of weight k counts as k steps, one of weight 0 is as if it were absent; ``weights`` (S,).
        """
        values = sequences.values
        if weights is not None and not weights.all():
            values, weights = values[weights > 0], weights[weights > 0]
        if len(values) == 0:
            raise DataError("A Standardiser must be fitted on at least one step. Got none.")
        count = len(values) if weights is None else weights.sum()
        pivot = values[0].astype(np.float64)
        mean = pivot + _sum(values, pivot, 1, weights) / count
        drift = _sum(values, mean, 1, weights) / count  # rounding left in the mean
        mean = mean + drift
        deviation = np.sqrt(_sum(values, mean, 2, weights) / count)
        # Rounding alone gives a constant feature a tiny deviation; dividing by it would blow up noise.
        constant = (values.min(axis=0) == values.max(axis=0)) | (deviation <= 1e-15 * np.abs(mean))
        mean = np.where(values.min(axis=0) == values.max(axis=0), pivot, mean)
        return cls(mean, np.where(constant, 1.0, deviation))

    def apply(self, sequences: Sequences, dtype: DTypeLike = np.float32, *, first: int = 0) -> Sequences:
        """Give the standardised sequences in ``dtype``, float32 or float64; ``first`` is what errors call the first.

        Raises
        ------
        DataError
            If the number of features differs, or a value lies so far from the training data that float32 overflows.
        """
        if sequences.n_features != len(self.mean):
            raise DataError(
                f"The data must have {len(self.mean)} features a step, as in training. "
                f"Got {sequences.n_features} instead."
            )
        result: FloatArray = np.empty(sequences.values.shape, dtype=dtype)
        for start, block in _blocks(sequences.values):
            scaled = (block - self.mean) / self.scale
            if (np.abs(scaled) > LARGEST).any():
                raise _overflow(sequences, start, scaled, first)
            result[start : start + len(block)] = scaled
        return sequences.with_values(result)


def _blocks(values: FloatArray) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for start in range(0, len(values), _BLOCK):
        yield start, values[start : start + _BLOCK].astype(np.float64)


def _sum(
    values: FloatArray, centre: NDArray[np.float64], power: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Give the sum over the steps of weight * (value - centre) ** power, float64 (D,)."""
    total = np.zeros(values.shape[1])
    for start, block in _blocks(values):
        terms = (block - centre) ** power
        if weights is not None:
            terms *= weights[start : start + len(block), None]
        total += terms.sum(axis=0)
    return total


def _overflow(sequences: Sequences, start: int, scaled: NDArray[Any], first: int) -> DataError:
    row, feature = np.argwhere(np.abs(scaled) > LARGEST)[0]
    sequence = int(np.searchsorted(sequences.offsets, start + row, side="right")) - 1
    step = int(start + row - sequences.offsets[sequence])
    value = sequences.values[start + row, feature]
    return DataError(
        f"Sequence {first + sequence}, step {step}, feature {feature}: the value {value:g} "
        "lies too far from the training data to be computed with. Check its unit."
    )
