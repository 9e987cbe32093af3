"""What a report tells of: a model, labelled data, and what the one makes of the other; measured once, for all parts."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data import Dataset, Sequences
from elman.estimators.base import RecurrentEstimator
from elman.estimators.evaluation import Evaluation, measure, predictions_on
from elman.estimators.features import feature_names
from elman.estimators.fingerprint import is_trained_on
from elman.insight.paired import PairedLabels
from elman.insight.resampling import Interval
from elman.report.blocks import shown


@dataclass(frozen=True)
class Source:
    """A file: its name and what tells it from others."""

    name: str
    digest: str  # SHA-256, hexadecimal
    size: int  # bytes

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Source:
        """Look at a file, all of it, a piece at a time."""
        path = Path(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.name, digest, path.stat().st_size)


class Standing(NamedTuple):
    """Accuracies of a model, '', and of its baselines: their 95 % intervals, and p-values of each against the model.

    The p-values are those of `elman evaluate`; of `elman compare --baselines` before Holm's correction.
    """

    intervals: dict[str, Interval]
    p_values: dict[str, float]


@dataclass(frozen=True, eq=False)
class Facts:
    """A model on labelled data. M is the number of things labelled: N sequences, or S steps.

    Parameters
    ----------
    estimator : RecurrentEstimator
    sequences : Sequences
        N, with the model's features.
    ids : str array (N,)
    codes : int64 array (M,)
        The true classes; -1 without a label.
    proba : float64 array (M, C)
    baselines : dict of float64 arrays (M, C)
        The probabilities of the model's baselines, by name.
    evaluation : Evaluation
    model, file : Source
    command : str
        What made the report; '' where none did.
    texts : tuple of N str, or None
    others : dict of RecurrentEstimator
        To compare with, by name.
    unrolled : int or None
        The sequence to unroll; None: one is chosen.
    """

    estimator: RecurrentEstimator
    sequences: Sequences
    ids: NDArray[np.str_]
    codes: NDArray[np.int64]
    proba: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float64]]
    evaluation: Evaluation
    model: Source
    file: Source
    command: str
    texts: tuple[str, ...] | None = None
    others: dict[str, RecurrentEstimator] = field(default_factory=dict)
    unrolled: int | None = None

    @classmethod
    def gather(
        cls,
        estimator: RecurrentEstimator,
        dataset: Dataset,
        *,
        model: Source,
        file: Source,
        command: str = "",
        others: dict[str, RecurrentEstimator] | None = None,
        unrolled: int | None = None,
    ) -> Facts:
        """Measure a model on a labelled data set.

        Raises
        ------
        DataError
            If the features do not fit, or a label was never seen in training.
        """
        found = predictions_on(estimator, dataset.sequences, dataset.labels, place_of=dataset.place)
        sequences, codes, proba, baselines = found
        evaluation = measure(codes, proba, baselines, estimator.classes_)
        return cls(
            estimator, sequences, dataset.ids, codes, proba, baselines, evaluation, model, file, command,
            dataset.texts, others or {}, unrolled,
        )  # fmt: skip

    @property
    def every_step(self) -> bool:
        """Whether each step has a label."""
        return self.estimator.every_step

    @property
    def unit(self) -> str:
        """What has a label."""
        return "step" if self.every_step else "sequence"

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The code of the most probable class, int64 (M,)."""
        return np.asarray(self.proba.argmax(axis=1))

    @cached_property
    def is_wrong(self) -> NDArray[np.bool_]:
        """Where there is a label and another was predicted, bool (M,)."""
        return np.asarray((self.codes >= 0) & (self.predicted != self.codes))

    @cached_property
    def sequence_of(self) -> NDArray[np.int64]:
        """The sequence that each label is of, int64 (M,)."""
        n = np.arange(len(self.sequences))
        return np.repeat(n, self.sequences.lengths) if self.every_step else n

    @cached_property
    def beside_baselines(self) -> Standing:
        """The accuracy of the model and of its baselines, each with its interval, and whether chance parts them."""
        offsets = self.sequences.offsets if self.every_step else np.arange(len(self.sequences) + 1)
        labels = PairedLabels.of(self.codes, [self.proba, *self.baselines.values()], offsets)
        names = ("", *self.baselines)
        return Standing(
            {name: labels.accuracy_interval(m) for m, name in enumerate(names)},
            {name: labels.p_value(m) for m, name in enumerate(self.baselines, 1)},
        )

    @cached_property
    def is_of_training(self) -> bool:
        """Whether these are all the sequences that the model was trained on."""
        return is_trained_on(self.estimator, self.sequences)

    @property
    def accuracy_interval(self) -> Interval:
        """The 95 % interval of the model's accuracy: Wilson's; of labelled steps by whole sequences."""
        return self.beside_baselines.intervals[""]

    @property
    def feature_names(self) -> list[str]:
        """The names of the D features; numbers where there are none."""
        names = feature_names(self.estimator) or self.sequences.feature_names
        return list(names) if names is not None else [f"feature {n}" for n in range(self.sequences.n_features)]

    def class_name(self, code: int) -> str:
        """Give the name of a class as the page shows it."""
        return shown(self.estimator.classes_[code])

    def some(self, most_steps: int, most: int, *, labelled: bool = False) -> NDArray[np.int64]:
        """Give sequences, spread evenly over all, with about ``most_steps`` steps at most; int64, in order.

        ``labelled`` leaves out those without any label.
        """
        known = np.unique(self.sequence_of[self.codes >= 0]) if labelled else np.arange(len(self.sequences))
        mean = max(1.0, float(self.sequences.lengths.mean()))
        return known[spread(len(known), max(1, min(most, int(most_steps / mean))))]

    def labels_of(self, chosen: NDArray[np.int64]) -> Any:
        """Give the labels of chosen sequences as the estimator takes them; None for a step without one."""
        named = np.array([*self.estimator.classes_.tolist(), None], dtype=object)
        if not self.every_step:
            return self.estimator.classes_[self.codes[chosen]]
        offsets = self.sequences.offsets
        return [named[self.codes[offsets[n] : offsets[n + 1]]] for n in chosen]


def spread(n: int, k: int) -> NDArray[np.int64]:
    """Give k of n numbers, evenly spread.

    >>> spread(10, 3).tolist(), spread(2, 5).tolist()
    ([0, 4, 9], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, min(n, k)).astype(np.int64))
