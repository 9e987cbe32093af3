"""The same labels as predicted by several models, compared label by label and sequence by sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from elman.insight.intervals import paired_interval, wilson
from elman.insight.resampling import Interval, interval_by_sequence, swap_test

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PairedLabels:
    """L labels of N sequences, each at least one, as M models predict them; the first is what others are compared with.

    Parameters
    ----------
    sequences : int64 array (N,)
        The number of each sequence among all, those without a label left out.
    counts : int64 array (N,)
        How many labels each has; they lie end to end.
    codes : int64 array (L,)
        True classes.
    predicted : int64 array (M, L)
    truth : float64 array (M, L)
        The probability given to the true class.
    """

    sequences: Codes
    counts: Codes
    codes: Codes
    predicted: Codes
    truth: Array

    @classmethod
    def of(cls, codes: Codes, probas: Sequence[Array], offsets: Codes) -> PairedLabels:
        """Pair the probabilities (S, C) of each model, leaving out rows of the code -1; ``offsets`` (N + 1,)."""
        labelled = np.flatnonzero(codes >= 0)
        counts = np.add.reduceat((codes >= 0).astype(np.int64), offsets[:-1])
        kept = codes[labelled]
        return cls(
            sequences=np.flatnonzero(counts),
            counts=counts[counts > 0],
            codes=kept,
            predicted=np.stack([proba[labelled].argmax(axis=1) for proba in probas]),
            truth=np.stack([proba[labelled, kept] for proba in probas]),
        )

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which labels each model predicts, (M, L)."""
        return np.asarray(self.predicted == self.codes)

    @property
    def losses(self) -> Array:
        """-ln of the probability of the true class, (M, L), kept finite as scikit-learn's log loss is."""
        least = np.finfo(np.float64).eps
        return np.asarray(-np.log(np.clip(self.truth, least, 1 - least)))

    @property
    def _one_each(self) -> bool:
        return len(self.counts) == len(self.codes)

    def by_sequence(self, values: NDArray[Any]) -> NDArray[Any]:
        """Add up what belongs to labels, (..., L), over each sequence, (..., N)."""
        starts = np.cumsum(self.counts) - self.counts
        return np.asarray(np.add.reduceat(values, starts, axis=-1))

    def only_right(self, m: int) -> tuple[int, int]:
        """Give how many labels the m-th model has right and the first wrong, and how many the other way round."""
        right = self.right
        return int(np.sum(right[m] & ~right[0])), int(np.sum(right[0] & ~right[m]))

    def accuracy_interval(self, m: int) -> Interval:
        """Give the 95 % interval of the accuracy of the m-th model: Wilson's, or by sequence where one has several.

        Where sequences do not differ, that would have no width; then each counts as one case, by Wilson's.
        """
        right = self.right[m]
        if not self._one_each:
            found = interval_by_sequence(self.by_sequence(right.astype(np.float64)), self.counts)
            if found[0] < found[1]:
                return max(found[0], 0.0), min(found[1], 1.0)
        n = len(self.counts)
        low, high = wilson(right.mean() * n, n)
        return float(low), float(high)

    def accuracy_difference_interval(self, m: int) -> Interval:
        """Give the 95 % interval of the accuracy of the m-th model minus that of the first.

        Where no sequence differs from the others, each counts as one case here, too.
        """
        gains, losses = self.only_right(m)
        if not self._one_each:
            found = interval_by_sequence(self._gains(m).astype(np.float64), self.counts)
            if found[0] < found[1]:
                return max(found[0], -1.0), min(found[1], 1.0)
        n, n_labels = len(self.counts), len(self.codes)
        return paired_interval(gains * n / n_labels, losses * n / n_labels, n)

    def log_loss_difference_interval(self, m: int) -> Interval:
        """Give the 95 % interval of the log loss of the m-th model minus that of the first; endless of one sequence."""
        losses = self.losses
        return interval_by_sequence(self.by_sequence(losses[m] - losses[0]), self.counts)

    def p_value(self, m: int) -> float:
        """Give how often chance makes the accuracies of the m-th model and the first differ as much as they do."""
        return mcnemar(*self.only_right(m)) if self._one_each else swap_test(self._gains(m))

    def _gains(self, m: int) -> Codes:
        """Give how many labels more the m-th model has right than the first in each sequence, (N,)."""
        right = self.right.astype(np.int64)
        return self.by_sequence(right[m] - right[0])


def mcnemar(only_this: int, only_other: int) -> float:
    """Give the p-value of McNemar's exact test: how often a fair coin parts the cases that one has right so unevenly.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions" (1947).

    >>> mcnemar(5, 0)
    0.0625
    """
    told = only_this + only_other
    return float(binomtest(only_this, told).pvalue) if told else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Give p-values as they are once it counts that there are several: by Holm's correction.

    Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(raised, 1.0)
    return [float(value) for value in corrected]
