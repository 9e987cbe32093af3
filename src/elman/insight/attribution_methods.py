"""Three ways to share the logarithm of a probability among the steps and features of a sequence.

    gradient x input        x_i df/dx_i at the sequence itself
    integrated gradients    x_i times the mean of df/dx_i on the way from the baseline 0 to the sequence
    occlusion               f(sequence) - f(sequence with a window of a feature at the baseline)

f is log p of a class, x_i what the first layer reads: prepared columns, and the vectors of kinds and tokens. All is in
nats and float64.

Sources: Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks" (2014), for the gradient, and Shrikumar et
al., "Not just a black box" (2016), for its product with the input; Sundararajan, Taly & Yan, "Axiomatic attribution for
deep networks" (2017); Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elman.insight.averaged import Averaged, Floats, Inputs

FEWEST_POINTS, MOST_POINTS = 16, 1024
MOST_WINDOWS = 48  # of a feature
_AT_A_TIME = 1 << 22  # numbers that copies of a sequence have together, but one copy at least

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Explained:
    """One sequence: the function that is explained, its inputs, and what f is there and at the baseline."""

    model: Averaged
    inputs: Inputs
    n_steps: int  # T, raw
    n_features: int  # F, raw
    log_proba: float
    baseline: float

    @classmethod
    def of(cls, model: Averaged, inputs: Inputs, n_steps: int, n_features: int) -> Explained:
        """Measure f at both ends."""
        ends = model.log_proba(inputs.copies(np.array([1, 0]), lambda share, x: share * x))
        return cls(model, inputs, n_steps, n_features, *ends.tolist())

    @property
    def offsets(self) -> Ints:
        """Of the raw sequence, int64 (2,)."""
        return np.array([0, self.n_steps])

    def gap(self, values: Array) -> float:
        """Give how much more the values add up to than the difference that they are shares of."""
        return float(values.sum()) - (self.log_proba - self.baseline)

    def is_complete(self, values: Array) -> bool:
        """Whether the gap is at most 1 % of that difference, or 0.001 nats."""
        return abs(self.gap(values)) <= max(0.01 * abs(self.log_proba - self.baseline), 1e-3)


def gradient_x_input(explained: Explained) -> Array:
    """Give x_i df/dx_i, (T, F): the first term of the series of f at the sequence."""
    model, inputs = explained.model, explained.inputs
    products = [x * d_x for x, d_x in zip(inputs.of_networks, model.gradient(inputs))]
    return model.by_feature(products, explained.offsets)


def integrated_gradients(explained: Explained) -> Array:
    """Give x_i times the integral of df/dx_i at a x over a from 0 to 1, (T, F), by Gauss and Legendre.

    By 16 points at first, and by twice as many until the values are complete, up to 1,024.
    """
    n_points = FEWEST_POINTS
    while True:
        values = integral(explained, n_points)
        if explained.is_complete(values) or n_points >= MOST_POINTS:
            return values
        n_points *= 2


def integral(explained: Explained, n_points: int) -> Array:
    """Give integrated gradients (T, F) by so many points."""
    nodes, weights = np.polynomial.legendre.leggauss(n_points)
    shares, weights, inputs = (nodes + 1) / 2, weights / 2, explained.inputs
    totals = [np.zeros(x.shape) for x in inputs.of_networks]
    for some in _parts(n_points, inputs):
        gradients = explained.model.gradient(inputs.copies(some, lambda k, x: shares[k] * x))
        for total, x, d_x in zip(totals, inputs.of_networks, gradients):
            total += x * np.tensordot(weights[some], d_x.reshape(len(some), *x.shape), axes=1)
    return explained.model.by_feature(totals, explained.offsets)


def occlusion(explained: Explained) -> Array:
    """Give for each window of steps and each feature what f loses where they are 0, an equal part to each step, (T, F).

    Windows do not overlap; each has as many steps as make at most 48 of the sequence.
    """
    n_steps, n_features, inputs = explained.n_steps, explained.n_features, explained.inputs
    size = -(-n_steps // MOST_WINDOWS)
    windows = np.arange(n_steps) // size
    cells = windows[:, None] * n_features + np.arange(n_features)  # (T, F) the number of each window of a feature
    of_inputs = explained.model.by_input(cells.astype(np.float64), explained.offsets)
    losses: Array = np.zeros(n_features * (int(windows[-1]) + 1))

    def hide(cell: int, x: Floats) -> Floats:
        return np.where(of_inputs == cell, 0, x)

    for some in _parts(len(losses), inputs):
        losses[some] = explained.log_proba - explained.model.log_proba(inputs.copies(some, hide))
    return np.asarray(losses[cells] / np.bincount(windows)[windows][:, None])


def _parts(n: int, inputs: Inputs) -> Iterator[Ints]:
    """Give the numbers of n copies of a sequence some at a time, so that the memory of the copies stays bounded."""
    at_a_time = max(1, _AT_A_TIME // inputs.size)
    for first in range(0, n, at_a_time):
        yield np.arange(first, min(first + at_a_time, n))
