"""Each feature brought to mean 0 and deviation 1, by what was measured on training data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from elman.data.numeric import LARGEST, FloatArray
from elman.data.sequences import Sequences
from elman.errors import DataError

Blocks: TypeAlias = Callable[[], Iterator[tuple[NDArray[np.float64], NDArray[np.float64] | None]]]

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
        """Measure mean and standard deviation, in two passes and in float64; ``weights``, (S,), weigh the steps."""
        if len(sequences.values) == 0:
            raise DataError("A Standardiser must be fitted on at least one step. Got none.")
        values = sequences.values

        def blocks() -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
            for start, block in blocks_of(values):
                yield block, None if weights is None else weights[start : start + len(block)]

        return cls(*measure(blocks, values.shape[1]))

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
        for start, block in blocks_of(sequences.values):
            scaled = (block - self.mean) / self.scale
            if (np.abs(scaled) > LARGEST).any():
                raise _overflow(sequences, start, scaled, first)
            result[start : start + len(block)] = scaled
        return sequences.with_values(result)


def blocks_of(values: FloatArray) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Give the rows as float64, some at a time, with the number of the first."""
    for start in range(0, len(values), _BLOCK):
        yield start, values[start : start + _BLOCK].astype(np.float64)


def measure(blocks: Blocks, n_columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation of each column, without its missing values, as a Standardiser takes them.

    Parameters
    ----------
    blocks : callable
        Gives all rows anew at each call, as pairs of values, float64 (n, D), and weights, float64 (n,) or None. Rows
        of weight 0 count as absent. A column without any value has mean 0.
    n_columns : int
        D.
    """
    low, high, count = _range(blocks, n_columns)
    pivot = np.where(np.isfinite(low), low, 0.0)
    count = np.where(count > 0, count, 1.0)
    mean = pivot + _sum(blocks, pivot, 1) / count
    mean = mean + _sum(blocks, mean, 1) / count  # rounding left in the mean
    deviation = np.sqrt(_sum(blocks, mean, 2) / count)
    # Rounding alone gives a constant feature a tiny deviation; dividing by it would blow up noise.
    is_constant = low >= high
    mean = np.where(is_constant, pivot, mean)
    return mean, np.where(is_constant | (deviation <= 1e-15 * np.abs(mean)), 1.0, deviation)


def _range(blocks: Blocks, n_columns: int) -> tuple[NDArray[np.float64], ...]:
    """Give the least and the greatest value of each column, and the sum of the weights of its values."""
    low, high, count = np.full(n_columns, np.inf), np.full(n_columns, -np.inf), np.zeros(n_columns)
    for block, weights in blocks():
        if weights is not None:
            block, weights = block[weights > 0], weights[weights > 0]
        if len(block) == 0:
            continue
        low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
        count += (~np.isnan(block) * (1.0 if weights is None else weights[:, None])).sum(axis=0)
    return low, high, count


def _sum(blocks: Blocks, centre: NDArray[np.float64], power: int) -> NDArray[np.float64]:
    """Give the sum over the rows of weight * (value - centre) ** power, float64 (D,)."""
    total = np.zeros(len(centre))
    for block, weights in blocks():
        terms = (block - centre) ** power
        if np.isnan(terms).any():
            terms = np.where(np.isnan(terms), 0.0, terms)
        total += terms.sum(axis=0) if weights is None else (weights[:, None] * terms).sum(axis=0)
    return total


def _overflow(sequences: Sequences, start: int, scaled: NDArray[Any], first: int) -> DataError:
    row, feature = np.argwhere(np.abs(scaled) > LARGEST)[0]
    return too_far(sequences, start + int(row), int(feature), first)


def too_far(sequences: Sequences, row: int, feature: int, first: int) -> DataError:
    """Give the error for a value that float32 cannot hold once it is scaled."""
    sequence, step = sequences.place(row)
    value = sequences.values[row, feature]
    place = f"Sequence {first + sequence}, step {step}, feature {feature}"
    if np.isnan(value):
        return DataError(f"{place}: expected a number, got NaN. Fill it in, or fit with missing='indicator'.")
    return DataError(
        f"{place}: the value {value:g} lies too far from the training data to be computed with. Check its unit."
    )
