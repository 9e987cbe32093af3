"""Two simple baselines, fitted beside every model, so that a reader sees whether recurrence paid.

`majority` knows how often each class occurs and always says the most frequent one. `summary_statistics` is a logistic
regression on a few figures about each feature, blind to the order of the steps but for the first and the last.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.estimators.weights import together

Array = NDArray[np.float64]
Summarise = Callable[[Sequences], Sequences]

NAMES = ("majority", "summary_statistics")
_RUN = 1 << 20  # numbers looked at together, but of one sequence at least
_MOST_ROWS = 50_000  # to fit the regression on; steps or sequences beyond are left out evenly


def _as_they_are(sequences: Sequences) -> Sequences:
    return sequences


@dataclass(frozen=True, eq=False, repr=False)
class Baselines:
    """Both baselines as plain arrays; F = 6 D + 3 K + 1 statistics, of D columns of numbers and K of 0 and 1.

    Parameters
    ----------
    prior : float64 array (C,)
        The share of each class in training.
    mean, scale : float64 arrays (F,)
        What standardises the statistics.
    coefficients : float64 array (C, F)
    intercept : float64 array (C,)
    """

    prior: Array
    mean: Array
    scale: Array
    coefficients: Array
    intercept: Array

    def __repr__(self) -> str:
        n_classes, n_statistics = self.coefficients.shape
        return f"Baselines({n_classes} classes, {n_statistics} statistics)"

    @classmethod
    def fit(
        cls,
        sequences: Sequences,
        codes: NDArray[np.int64],
        n_classes: int,
        *,
        every_step: bool,
        weights: Array | None = None,
        by_class: Array | None = None,
        summarise: Summarise = _as_they_are,
    ) -> Baselines:
        """Fit both on the training part, from codes (N,), or (S,) with ``every_step``; those of -1 are left out.

        ``weights``, of the shape of ``codes``, tell how much each counts; ``by_class`` (C,) weighs the loss of the
        regression beside them. ``summarise`` gives sequences as statistics can be taken of them.
        """
        kept = np.flatnonzero(codes >= 0)
        counts = np.bincount(codes[kept], weights=None if weights is None else weights[kept], minlength=n_classes)
        if len(kept) > _MOST_ROWS:
            some = np.linspace(0, len(kept) - 1, _MOST_ROWS).astype(np.int64)
            some = np.union1d(some, np.unique(codes[kept], return_index=True)[1])  # a step of every class stays
            kept = kept[some]
        statistics = _of_steps(sequences, kept, summarise) if every_step else _of_chosen(sequences, kept, summarise)
        chosen = None if weights is None else weights[kept]
        mean = np.average(statistics, axis=0, weights=chosen)
        deviation = statistics.std(axis=0) if chosen is None else _deviation(statistics, mean, chosen)
        scale = np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)
        in_loss = together(codes[kept], chosen, by_class)
        coefficients, intercept = _regression((statistics - mean) / scale, codes[kept], n_classes, in_loss)
        return cls(counts / counts.sum(), mean, scale, coefficients, intercept)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Baselines:
        """Build from the arrays that `arrays` gave."""
        return cls(**arrays)

    def arrays(self) -> dict[str, Array]:
        """Give every array by name, as a model file keeps them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def proba(self, sequences: Sequences, *, every_step: bool, summarise: Summarise = _as_they_are) -> dict[str, Array]:
        """Give the probabilities of each baseline by its name, float64 (N, C), or (S, C) with ``every_step``."""
        runs = sequences.in_runs(_RUN)
        regression = np.concatenate([self._regress(summarise(run), every_step) for run in runs])
        return {"majority": np.tile(self.prior, (len(regression), 1)), "summary_statistics": regression}

    def _regress(self, sequences: Sequences, every_step: bool) -> Array:
        n_steps = len(sequences.values)
        statistics = _of_steps(sequences, np.arange(n_steps)) if every_step else _of_sequences(sequences)
        logits = (statistics - self.mean) / self.scale @ self.coefficients.T + self.intercept
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def _of_chosen(sequences: Sequences, kept: NDArray[np.int64], summarise: Summarise) -> Array:
    """Give the statistics of the sequences ``kept``, in order, (len(kept), F), looking at some of them at a time.

    Summarised sequences may be far wider than those passed in.
    """
    n_values = np.cumsum(sequences.lengths[kept]) * sequences.n_features
    cuts = np.flatnonzero(np.diff(n_values // _RUN)) + 1
    return np.concatenate([_of_sequences(summarise(sequences[piece])) for piece in np.split(kept, cuts)])


def _of_sequences(sequences: Sequences) -> Array:
    """Give mean, deviation, least, greatest, first and last value of each feature, and the length, (N, F).

    Of a feature with categories, a column of 0 and 1, mean, first and last value tell all.
    """
    values = sequences.values.astype(np.float64)
    starts, lengths = sequences.offsets[:-1], sequences.lengths
    mean = np.add.reduceat(values, starts) / lengths[:, None]  # (N, D)
    first, last = values[starts], values[sequences.offsets[1:] - 1]
    numbers = _numbers(sequences)
    variance = (
        np.add.reduceat((values[:, numbers] - np.repeat(mean[:, numbers], lengths, axis=0)) ** 2, starts)
        / lengths[:, None]
    )
    least, greatest = np.minimum.reduceat(values[:, numbers], starts), np.maximum.reduceat(values[:, numbers], starts)
    return np.hstack([mean, np.sqrt(variance), least, greatest, first, last, lengths[:, None]])


def _numbers(sequences: Sequences) -> slice:
    """Give the columns without categories, which come first."""
    return slice(sum(names is None for names in sequences.categories or (None,) * sequences.n_features))


def _of_steps(sequences: Sequences, kept: NDArray[np.int64], summarise: Summarise = _as_they_are) -> Array:
    """Give for each of the steps ``kept``, in order, the statistics of its sequence up to that step, (len(kept), F)."""
    parts = []
    begin = 0
    for run in sequences.in_runs(_RUN):  # only one sequence's statistics are held whole at a time
        summarised = summarise(run)
        offsets = run.offsets
        bounds = np.searchsorted(kept, begin + offsets)
        parts += [
            _running(summarised, n)[kept[a:b] - begin - offsets[n]]
            for n, (a, b) in enumerate(pairwise(bounds))
            if b > a
        ]
        begin += len(run.values)
    return np.concatenate(parts)


def _running(sequences: Sequences, n: int) -> Array:
    """Give the statistics (T, F) of every beginning of the n-th sequence."""
    values = sequences[n].astype(np.float64)  # (T, D)
    numbers = _numbers(sequences)
    count = np.arange(1.0, len(values) + 1)[:, None]  # (T, 1)
    moved = values - values[0]  # the variance of values far from zero would drown in rounding
    mean = np.cumsum(moved, axis=0) / count
    variance = np.maximum(np.cumsum(moved[:, numbers] ** 2, axis=0) / count - mean[:, numbers] ** 2, 0.0)
    least = np.minimum.accumulate(values[:, numbers])
    greatest = np.maximum.accumulate(values[:, numbers])
    first = np.broadcast_to(values[0], values.shape)
    return np.hstack([mean + values[0], np.sqrt(variance), least, greatest, first, values, count])


def _deviation(statistics: Array, mean: Array, weights: Array) -> Array:
    return np.sqrt(np.average((statistics - mean) ** 2, axis=0, weights=weights))


def _regression(
    statistics: Array, codes: NDArray[np.int64], n_classes: int, weights: Array | None
) -> tuple[Array, Array]:
    """Fit a logistic regression; give coefficients (C, F) and intercept (C,) of a softmax over all classes."""
    coefficients = np.zeros((n_classes, statistics.shape[1]))
    intercept = np.zeros(n_classes)
    if len(np.unique(codes)) == 1:  # a first part of the data may hold one class; the others count as half a label each
        intercept[codes[0]] = np.log(2 * len(codes))
        return coefficients, intercept
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for a baseline
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # many classes, few sequences
        model = LogisticRegression(max_iter=500).fit(statistics, codes, sample_weight=weights)
    if len(model.classes_) == 2:  # one row: the logit of the second class against the first
        coefficients[model.classes_[1]], intercept[model.classes_[1]] = model.coef_[0], model.intercept_[0]
    else:
        coefficients[model.classes_], intercept[model.classes_] = model.coef_, model.intercept_
    return coefficients, intercept
