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

POINTS, MOST_POINTS = 16, 4096  # of a stretch of the way, and of all
_LEAST_SHARE = 1 / 16  # of the tolerance, that a short stretch has too
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
        ends = model.log_proba(inputs.scaled(np.array([1.0, 0.0])))
        return cls(model, inputs, n_steps, n_features, *ends.tolist())

    @property
    def offsets(self) -> Ints:
        """Of the raw sequence, int64 (2,)."""
        return np.array([0, self.n_steps])

    @property
    def tolerance(self) -> float:
        """How large a gap may be: 1 % of the difference that is shared, or 0.001 nats."""
        return max(0.01 * abs(self.log_proba - self.baseline), 1e-3)

    def at(self, shares: Array) -> Array:
        """Give f at shares of the way from the baseline to the sequence, (I,)."""
        parts = _parts(len(shares), self.inputs)
        return np.concatenate([self.model.log_proba(self.inputs.scaled(shares[some])) for some in parts])

    def gap(self, values: Array) -> float:
        """Give how much more the values add up to than the difference that they are shares of."""
        return float(values.sum()) - (self.log_proba - self.baseline)

    def is_complete(self, values: Array) -> bool:
        """Whether the gap is within the tolerance."""
        return abs(self.gap(values)) <= self.tolerance


def gradient_x_input(explained: Explained) -> Array:
    """Give x_i df/dx_i, (T, F): the first term of the series of f at the sequence."""
    model, inputs = explained.model, explained.inputs
    products = [x * d_x for x, d_x in zip(inputs.of_networks, model.gradient(inputs))]
    return model.by_feature(products, explained.offsets)


def integrated_gradients(explained: Explained) -> Array:
    """Give x_i times the integral of df/dx_i at a x over a from 0 to 1, (T, F).

    By Gauss and Legendre at 16 points. The integral over a stretch of the way must add up to what f rises by on it, so
    a stretch where it does not is halved, and so on, as long as fewer than 4,096 points were looked at.
    """
    starts, width = np.zeros(1), 1.0
    f, rises = np.array([explained.baseline]), np.array([explained.log_proba - explained.baseline])
    total, n_points = np.zeros((explained.n_steps, explained.n_features)), 0
    while True:
        parts = _parts(len(starts), explained.inputs, POINTS)
        values = np.concatenate([_integrals(explained, starts[some], width) for some in parts])
        n_points += POINTS * len(starts)
        rough = np.abs(values.sum(axis=(1, 2)) - rises) > explained.tolerance * max(width, _LEAST_SHARE)
        if n_points >= MOST_POINTS:
            rough[:] = False
        total += values[~rough].sum(axis=0)
        if not rough.any():
            return total
        width /= 2
        before, middle = starts[rough], explained.at(starts[rough] + width)
        starts = np.concatenate([before, before + width])
        rises = np.concatenate([middle - f[rough], f[rough] + rises[rough] - middle])
        f = np.concatenate([f[rough], middle])


def _integrals(explained: Explained, starts: Array, width: float) -> Array:
    """Give the integral over each stretch of the way, (I, T, F)."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    shares = (starts[:, None] + width * (nodes + 1) / 2).ravel()
    inputs, totals = explained.inputs, []
    for x, d_x in zip(inputs.of_networks, explained.model.gradient(inputs.scaled(shares))):
        of_points = d_x.reshape(len(starts), POINTS, *x.shape)
        totals.append((x * np.tensordot(weights * width / 2, of_points, axes=(0, 1))).reshape(-1, x.shape[1]))
    offsets = explained.n_steps * np.arange(len(starts) + 1)
    return explained.model.by_feature(totals, offsets).reshape(len(starts), explained.n_steps, -1)


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


def _parts(n: int, inputs: Inputs, copies: int = 1) -> Iterator[Ints]:
    """Give 0 to n - 1 some at a time, so that with so many copies of the sequence for each the memory stays bounded."""
    at_a_time = max(1, _AT_A_TIME // (copies * inputs.size))
    for first in range(0, n, at_a_time):
        yield np.arange(first, min(first + at_a_time, n))
