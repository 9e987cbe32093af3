"""Augmentation: training sequences changed a little each time that they are learned from, as the world might have.

Sources: Um et al., "Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional
neural networks" (2017), for jitter, scaling and time warping; Le Guennec et al., "Data augmentation for time series
classification using convolutional neural networks" (2016), for window slicing; Iwana & Uchida, "An empirical survey of
data augmentation for time series classification with neural networks" (2021), for all of them compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from elman.training.counted import hashed, normals, uniform, within
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]
_JITTER, _SCALING, _TIME_WARP, _WINDOW_SLICE = range(4)  # whose random numbers
_KNOTS = 6  # of the speed of a warp, both ends among them


@dataclass(frozen=True, eq=False)
class Augmentation:
    """How sequences are changed: a window is cut out, its time is warped, features are scaled, noise is added.

    Parameters
    ----------
    jitter : float
        Deviation of the Gaussian noise that is added to each value.
    scaling : float
        Each feature of a sequence is multiplied by a number of its own, Gaussian around 1 with this deviation.
    time_warp : float
        Time runs at a speed whose logarithm is Gaussian with this deviation, independent at 6 knots from the first
        step to the last and linear between the knots. The length stays, and values are interpolated. Where no step
        would keep a label, time stays as it was.
    window_slice : float in (0, 1]
        The share of the steps, rounded and at least one, that is kept of a sequence, from a random step on; a window
        that holds none of its labels would teach nothing, and is not cut out.
    quantities : int64 array (Q,) or (k, Q), or None
        The columns that hold quantities, or those of each of the k steps of a patch; None: all. Others, such as codes
        of kinds, are neither scaled nor jittered, and time warping takes them, and labels of steps, from the nearest
        step.

    Examples
    --------
    >>> samples = Samples(np.arange(6.0)[:, None], np.array([0, 4, 6]), np.array([0, 1]))
    >>> half = Augmentation(window_slice=0.5).augmented(samples, np.array([1, 0]), key=3)
    >>> half.values.tolist(), half.offsets.tolist(), half.targets.tolist()
    ([[4.0], [0.0], [1.0]], [0, 1, 3], [1, 0])
    """

    jitter: float = 0.0
    scaling: float = 0.0
    time_warp: float = 0.0
    window_slice: float = 1.0
    quantities: Array | None = None

    @classmethod
    def of(cls, settings: TrainingSettings, quantities: Array | None) -> Augmentation:
        """Return what the settings ask for."""
        return cls(settings.jitter, settings.scaling, settings.time_warp, settings.window_slice, quantities)

    @property
    def is_active(self) -> bool:
        """Whether anything changes at all."""
        return bool(self.jitter or self.scaling or self.time_warp or self.window_slice < 1)

    def augmented(self, samples: Samples, chosen: Array | None, key: int) -> Samples:
        """Return new samples of the chosen sequences (default all), in this order, changed.

        What becomes of a sequence depends on the key, an int in [0, 2^63), and on its number in ``samples`` alone.
        """
        chosen = np.arange(len(samples.offsets) - 1) if chosen is None else chosen
        starts, lengths = self._windows(samples, chosen, key)
        offsets = _offsets(lengths)
        sequence = np.repeat(np.arange(len(chosen)), lengths)  # (S',) the place of each step's sequence in the batch
        step = np.arange(offsets[-1]) - offsets[sequence]
        if self.time_warp:
            knots = normals(hashed(key, _TIME_WARP, chosen), _KNOTS)
            time = _warped(step, lengths, sequence, np.exp(self.time_warp * knots.astype(np.float64)))
            rows = starts[sequence] + np.rint(time).astype(np.int64)
            if _is_every_step(samples):
                teaches = _holds_a_label(samples, rows, offsets)[sequence]
                time, rows = np.where(teaches, time, step), np.where(teaches, rows, starts[sequence] + step)
            values = self._interpolated(samples.values, rows, starts[sequence], time, lengths[sequence])
        else:
            rows = starts[sequence] + step
            values = np.asarray(samples.values[rows])
        self._distort(values, chosen, sequence, step, key)
        kept = rows if _is_every_step(samples) else chosen
        weights = None if samples.weights is None else samples.weights[kept]
        return Samples(values, offsets, samples.targets[kept], weights)

    def _windows(self, samples: Samples, chosen: Array, key: int) -> tuple[Array, Array]:
        """Return the first row of what is kept of each sequence, and how many."""
        starts = samples.offsets[chosen]
        lengths = samples.offsets[chosen + 1] - starts
        if self.window_slice == 1:
            return starts, lengths
        kept = np.maximum(1, np.rint(self.window_slice * lengths)).astype(np.int64)
        skipped = uniform(hashed(key, _WINDOW_SLICE, chosen)) * (lengths - kept + 1)
        first = starts + skipped.astype(np.int64)
        if _is_every_step(samples):
            offsets = _offsets(kept)
            rows = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], kept)
            teaches = _holds_a_label(samples, rows, offsets)
            first, kept = np.where(teaches, first, starts), np.where(teaches, kept, lengths)
        return first, kept

    def _interpolated(self, values: Array, nearest: Array, start: Array, time: Array, length: Array) -> Array:
        """Return the values (S', D) at times (S',) counted from the rows `start`."""
        before = time.astype(np.int64)
        after = np.minimum(before + 1, length - 1)
        share = (time - before).astype(values.dtype)[:, None]
        earlier, later = values[start + before], values[start + after]
        between = earlier + share * (later - earlier)
        if self.quantities is None:
            return np.asarray(between)
        found = np.asarray(values[nearest])
        found[:, self.quantities] = between[:, self.quantities]
        return found

    def _distort(self, values: Array, chosen: Array, sequence: Array, step: Array, key: int) -> None:
        """Scale and jitter the quantities (S', Q) in place."""
        quantities = np.arange(values.shape[1]) if self.quantities is None else self.quantities
        columns, n = quantities.ravel(), quantities.shape[-1]
        if self.scaling:
            factors = np.tile(1 + self.scaling * normals(hashed(key, _SCALING, chosen), n), len(columns) // max(n, 1))
            values[:, columns] *= factors.astype(values.dtype)[sequence]
        if self.jitter:
            noise = normals(within(hashed(key, _JITTER, chosen)[sequence], step), len(columns))
            values[:, columns] += (self.jitter * noise).astype(values.dtype)


def _warped(step: Array, lengths: Array, sequence: Array, speeds: Array) -> Array:
    """Return the time in [0, T - 1] at which each step (S',) of a warped sequence is; speeds (N, _KNOTS) are positive.

    Time is the integral of the speed, scaled so that the last step is where it was.
    """
    last = (lengths - 1)[sequence]
    at = step * (_KNOTS - 1) / np.maximum(last, 1)
    knot = np.minimum(at.astype(np.int64), _KNOTS - 2)
    share = at - knot
    to_knot = np.zeros_like(speeds)
    np.cumsum((speeds[:, :-1] + speeds[:, 1:]) / 2, axis=1, out=to_knot[:, 1:])
    here, there = speeds[sequence, knot], speeds[sequence, knot + 1]
    way = to_knot[sequence, knot] + share * (here + share * (there - here) / 2)
    time: Array = np.minimum(way / to_knot[sequence, -1] * last, last)
    return time


def _is_every_step(samples: Samples) -> bool:
    return len(samples.targets) != len(samples.offsets) - 1


def _holds_a_label(samples: Samples, rows: Array, offsets: Array) -> Array:
    """Return whether a label that counts is among the rows (S',) that each sequence takes, by offsets (N + 1,)."""
    counts = samples.targets[rows] >= 0
    if samples.weights is not None:
        counts &= samples.weights[rows] > 0
    holds: Array = np.logical_or.reduceat(counts, offsets[:-1])
    return holds


def _offsets(lengths: Array) -> Array:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
