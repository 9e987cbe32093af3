"""Labelled sequences as `fit` takes them, and the folds of a cross-validation that keeps groups together."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from elman.data import Sequences
from elman.errors import DataError
from elman.estimators.alignment import aligned
from elman.estimators.base import RecurrentEstimator
from elman.estimators.groups import as_groups
from elman.estimators.parts import Part, rarest_classes, steps_of


@dataclass(frozen=True, eq=False)
class Labelled:
    """Sequences with what belongs to them, read and checked.

    Parameters
    ----------
    sequences : Sequences
    labels : array (N,) or (S,)
        Of each sequence, or each step; None, in an array of objects, where a step has none.
    weights : float64 array (N,) or (S,), or None
    groups : array (N,), or None
    """

    sequences: Sequences
    labels: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    groups: NDArray[Any] | None = None

    @classmethod
    def read(cls, estimator: RecurrentEstimator, X: Any, y: Any, sample_weight: Any, groups: Any) -> Labelled:
        """Read what `fit` of this estimator takes; sequences of weight 0 are left out.

        Raises
        ------
        DataError
            As `fit` does.
        """
        reader = clone(estimator)
        sequences = reader._read(X, is_new=True)
        targets, weights = reader._weighed(X, sequences, y, sample_weight)
        labels = targets.labels
        if not targets.labelled.all():
            labels = np.full(len(targets.labelled), None, dtype=object)
            labels[targets.labelled] = targets.labels.tolist()
        whole = cls(sequences, labels, weights, as_groups(aligned(groups, X, "groups"), len(sequences)))
        if weights is None or weights.all():
            return whole
        counts = weights > 0
        if estimator.every_step:
            counts = np.logical_or.reduceat(counts, sequences.offsets[:-1])
        return whole.take(np.flatnonzero(counts), every_step=estimator.every_step)

    def take(self, index: NDArray[np.int64], *, every_step: bool) -> Labelled:
        """Give the sequences ``index`` with what belongs to them."""
        rows = steps_of(self.sequences, index) if every_step else index
        weights = None if self.weights is None else self.weights[rows]
        groups = None if self.groups is None else self.groups[index]
        return Labelled(self.sequences[index], self.labels[rows], weights, groups)

    def codes(self) -> NDArray[np.int64]:
        """Give the number of each label among the sorted classes, -1 where there is none."""
        has_label = np.array([label is not None for label in self.labels.tolist()])
        codes = np.full(len(has_label), -1, dtype=np.int64)
        codes[has_label] = np.unique(np.array(self.labels[has_label].tolist()), return_inverse=True)[1]
        return codes

    def arguments(self, validation: Labelled | None = None) -> dict[str, Any]:
        """Give the arguments of `fit`, to train on this and measure on ``validation``, or on a part set aside."""
        given = {"X": self.sequences, "y": self.labels, "sample_weight": self.weights}
        if validation is None:
            return {**given, "groups": self.groups}
        return {**given, "validation": (validation.sequences, validation.labels, validation.weights)}

    def digest(self) -> str:
        """Give a hash of all there is: other data has another one.

        >>> sequences = Sequences(np.zeros((3, 1)), np.array([0, 2, 3]))
        >>> first, second = (Labelled(sequences, np.array(labels)).digest() for labels in (["a", "b"], ["b", "a"]))
        >>> first == second
        False
        """
        found = hashlib.sha256(repr((self.sequences.feature_names, self.sequences.categories)).encode())
        for array in (self.sequences.values, self.sequences.offsets, self.labels, self.weights, self.groups):
            content: bytes | memoryview
            if array is None or array.dtype.hasobject:
                content = repr(None if array is None else array.tolist()).encode()
            else:
                content = np.ascontiguousarray(array).view(np.uint8).data
            found.update(f"{None if array is None else (array.dtype.str, array.shape)}".encode())
            found.update(content)
        return found.hexdigest()


@dataclass(frozen=True, eq=False)
class Folds:
    """A labelled set and the numbers of the sequences that each of k folds holds out.

    The parts of a fold are cut when asked for, so that k folds take no more memory than one.
    """

    whole: Labelled
    held_out: tuple[NDArray[np.int64], ...]
    every_step: bool

    @classmethod
    def of(cls, whole: Labelled, n_folds: int, *, every_step: bool, seed: int) -> Folds:
        """Deal sequences out to folds, so that classes are spread evenly and groups, where there are any, stay whole.

        With ``every_step`` a sequence counts as of the rarest class among its steps.

        Raises
        ------
        DataError
            If there are fewer sequences or groups than folds, or one class only.
        """
        n = len(whole.sequences) if whole.groups is None else len(np.unique(whole.groups))
        if n < n_folds:
            things = "sequences" if whole.groups is None else "groups"
            raise DataError(f"{n_folds} folds need at least as many {things}. Got {n}; take fewer folds.")
        codes = whole.codes()
        kinds = rarest_classes(Part(whole.sequences, codes)) if every_step else codes
        dealer = StratifiedKFold if whole.groups is None else StratifiedGroupKFold
        if n_folds > np.bincount(kinds).max():
            raise DataError(f"{n_folds} folds need a class with as many sequences. Got none; take fewer folds.")
        random_state = int(np.random.SeedSequence(seed).generate_state(1)[0])  # scikit-learn's seeds are of 32 bits
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            dealt = dealer(n_folds, shuffle=True, random_state=random_state).split(
                np.zeros(len(kinds)), kinds, whole.groups
            )
            return cls(whole, tuple(np.sort(held_out) for _, held_out in dealt), every_step)

    def __len__(self) -> int:
        return len(self.held_out)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the arguments of `fit` for each fold."""
        everything = np.arange(len(self.whole.sequences))
        for index in self.held_out:
            training = self.whole.take(np.setdiff1d(everything, index), every_step=self.every_step)
            validation = self.whole.take(index, every_step=self.every_step)
            yield training.arguments(self._known(validation, training))

    def _known(self, validation: Labelled, training: Labelled) -> Labelled:
        """Leave out what is of a class that the training part does not have, and so cannot be predicted."""
        known = set(training.labels.tolist())
        is_known = np.array([label in known for label in validation.labels.tolist()], dtype=bool)
        if not (is_known & (validation.labels != None)).any():  # noqa: E711
            raise DataError("A fold holds out no class that the others have. Take fewer folds.")
        if is_known.all():
            return validation
        if self.every_step:
            labels = np.array(validation.labels.tolist(), dtype=object)
            labels[~is_known] = None
            return replace(validation, labels=labels)
        return validation.take(np.flatnonzero(is_known), every_step=False)
