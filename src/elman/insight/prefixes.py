"""How early a model knows: its probabilities after the first part of each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.data.sequences import offsets_of
from elman.errors import ParameterError
from elman.estimators.alignment import aligned
from elman.estimators.classifier import SequenceClassifier

Array = NDArray[np.float64]

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Prefixes:
    """What a model says after the first share of each of N sequences, P shares.

    Parameters
    ----------
    shares : float64 array (P,)
        Rising, in (0, 1].
    proba : float64 array (N, P, C)
    classes : array (C,)
    codes : int64 array (N,), or None
        True classes, where they were given.
    """

    shares: Array
    proba: Array
    classes: NDArray[Any]
    codes: NDArray[np.int64] | None = None

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The code of the most probable class, (N, P)."""
        return np.asarray(self.proba.argmax(axis=2))

    @property
    def confidence(self) -> Array:
        """The probability of the class predicted there, mean over the sequences, (P,)."""
        return np.asarray(self.proba.max(axis=2).mean(axis=0))

    @property
    def accuracy(self) -> Array | None:
        """The share of sequences predicted right, (P,); None without labels."""
        return None if self.codes is None else (self.predicted == self.codes[:, None]).mean(axis=0)

    @property
    def decided(self) -> Array:
        """The first share from which on the prediction stays what it is in the end, (N,)."""
        differs = self.predicted != self.predicted[:, -1:]  # (N, P)
        last = np.where(differs.any(axis=1), differs.shape[1] - 1 - differs[:, ::-1].argmax(axis=1), -1)
        return np.asarray(self.shares[last + 1])

    def to_dict(self) -> dict[str, Any]:
        """Give the figures of each share as JSON can hold them."""
        accuracy = self.accuracy
        return {
            "shares": self.shares.tolist(),
            "confidence": self.confidence.tolist(),
            "accuracy": None if accuracy is None else accuracy.tolist(),
        }


def confidence_over_time(
    estimator: SequenceClassifier, X: Any, y: Any = None, *, shares: Sequence[float] = SHARES
) -> Prefixes:
    """Classify the first share of each sequence, for each of the shares.

    Each beginning is read as a sequence of its own, as `predict_proba` reads it: the reverse direction starts at its
    end, and statistics of the whole sequence are not known. It has at least one step. There is one pass over the data
    for each share.

    Parameters
    ----------
    estimator : SequenceClassifier, fitted
    X : N sequences, in any form that the estimator takes
    y : labels (N,), optional
    shares : P rising floats in (0, 1]

    Raises
    ------
    ParameterError
        If the shares break their contract, or the estimator labels each step, for then `predict_proba` tells by itself.
    DataError
        If X or y do.

    Examples
    --------
    Only the last step tells:

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 6)); X[:, -1] = np.repeat([-3, 3], 30)
    >>> classifier = SequenceClassifier(hidden_size=4, max_epochs=30, random_state=0).fit(X, np.repeat([0, 1], 30))
    >>> half, whole = confidence_over_time(classifier, X, np.repeat([0, 1], 30), shares=(0.5, 1.0)).accuracy
    >>> bool(half < 0.7), float(whole)
    (True, 1.0)
    """
    if estimator.every_step:
        raise ParameterError(
            "The 'estimator' parameter of confidence_over_time must be a SequenceClassifier. Got a "
            f"{type(estimator).__name__}, which labels each step: see its predict_proba instead."
        )
    checked = _checked(shares)
    sequences = estimator._sequences(X)
    codes = None
    if y is not None:
        codes = estimator._targets(aligned(y, X, "y"), sequences).codes(estimator.classes_)
    proba = np.stack([estimator._proba(beginnings(sequences, share)) for share in checked], axis=1)
    return Prefixes(np.array(checked), proba, estimator.classes_, codes)


def beginnings(sequences: Sequences, share: float) -> Sequences:
    """Give the first ``share`` of each sequence, rounded up to whole steps; the sequences themselves for 1.

    >>> sequences = Sequences(np.arange(8.0)[:, None], np.array([0, 1, 8]))
    >>> [x[:, 0].tolist() for x in beginnings(sequences, 0.3)]
    [[0.0], [1.0, 2.0, 3.0]]
    """
    if share == 1:
        return sequences
    lengths = sequences.lengths
    kept = np.maximum(np.ceil(np.round(lengths * share, 9)), 1).astype(np.int64)  # 0.1 * 30 is above 3
    offsets = offsets_of(kept)
    rows = np.arange(offsets[-1]) + np.repeat(sequences.offsets[:-1] - offsets[:-1], kept)
    return Sequences(
        sequences.values[rows], offsets, sequences.feature_names, sequences.categories, sequences.step_feature
    )


def _checked(shares: Sequence[float]) -> list[float]:
    rising = [float(share) for share in shares]
    in_range = all(0 < share <= 1 for share in rising)
    if not rising or not in_range or any(b <= a for a, b in pairwise(rising)):
        raise ParameterError(
            "The 'shares' parameter of confidence_over_time must be rising floats in the range (0, 1]. "
            f"Got {list(shares)} instead."
        )
    return rising
