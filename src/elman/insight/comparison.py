"""Models side by side on the same sequences, and what sets each apart from the first: paired, with its uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import ParameterError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.evaluation import Evaluation, measure, predictions_on
from elman.insight.intervals import LEVEL
from elman.insight.paired import PairedLabels, holm
from elman.insight.resampling import Interval

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

BASELINES = {"summary_statistics": "logistic regression", "majority": "most frequent class"}
_MOST_NAMED = 6  # classes that an error names


@dataclass(frozen=True, eq=False)
class Difference:
    """What sets a model apart from the first one, on the same L labels.

    Parameters
    ----------
    name, reference : str
    accuracy, log_loss : float
        Figures of this model minus those of the reference.
    accuracy_interval, log_loss_interval : (float, float)
        Their 95 % intervals. One sequence tells nothing of others: they are then all that is possible.
    only_this, only_reference : int
        How many labels the one alone predicts right, and the other alone.
    alike : float
        The share of labels for which both predict the same.
    p_value : float
        How often chance makes the accuracies differ as much, were the models equally good.
    p_corrected : float
        The same by Holm's correction for as many models as are compared with the reference.
    """

    name: str
    reference: str
    accuracy: float
    accuracy_interval: Interval
    log_loss: float
    log_loss_interval: Interval
    only_this: int
    only_reference: int
    alike: float
    p_value: float
    p_corrected: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether chance does as much in less than 5 % of cases, corrected."""
        return self.p_corrected < 1 - LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON can hold it; None is where an interval has no end."""
        return {
            name: [bound if np.isfinite(bound) else None for bound in value] if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """M models on the same N sequences, L labels in all: one for each sequence, or for each labelled step.

    Parameters
    ----------
    names : tuple of M str
    evaluations : tuple of M Evaluation
    accuracy_intervals : float64 array (M, 2)
        The 95 % interval of each accuracy by itself. They may overlap where the paired difference is beyond chance.
    differences : tuple of M - 1 Difference
        Of each model but the first to the first.
    ids : str array (N,)
    codes : int64 array (L,)
        True classes.
    predicted : int64 array (M, L)
    truth : float64 array (M, N)
        The probability given to the true class, mean over the labels of each sequence.
    n_models : int
        The first so many are models, the others baselines of the first.
    every_step : bool
        Whether each step is labelled; N then counts the sequences that have any label.
    """

    names: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    accuracy_intervals: Array
    differences: tuple[Difference, ...]
    ids: NDArray[np.str_]
    codes: Codes
    predicted: Codes
    truth: Array
    n_models: int
    every_step: bool

    @property
    def n_sequences(self) -> int:
        """N, how many sequences were compared on."""
        return len(self.ids)

    @property
    def test(self) -> str:
        """What the p-values are by."""
        return "swapping whole sequences" if self.every_step else "McNemar's exact test"

    def most_different(self, n: int = 5) -> Codes:
        """Give the numbers of the ``n`` sequences whose true class the models give the most different probabilities.

        Baselines do not count, unless there is but one model.
        """
        counted = self.n_models if self.n_models > 1 else len(self.names)
        spread = np.ptp(self.truth[:counted], axis=0)
        return np.argsort(-spread, kind="stable")[: min(n, int(np.count_nonzero(spread)))]

    def to_dict(self) -> dict[str, Any]:
        """Give figures, differences and the sequences that differ most as JSON can hold them."""
        classes = self.evaluations[0].classes.tolist()
        models = [
            {"name": name, "n": evaluation.n, **evaluation.scores, "accuracy_interval": interval.tolist()}
            for name, evaluation, interval in zip(self.names, self.evaluations, self.accuracy_intervals)
        ]
        sequences: list[dict[str, Any]] = []
        for n in self.most_different().tolist():
            row: dict[str, Any] = {"id": str(self.ids[n]), "proba_of_truth": self.truth[:, n].tolist()}
            if not self.every_step:
                row |= {"label": classes[self.codes[n]], "predicted": [classes[code] for code in self.predicted[:, n]]}
            sequences.append(row)
        return {
            "n_sequences": self.n_sequences,
            "classes": classes,
            "test": self.test,
            "models": models,
            "differences": [difference.to_dict() for difference in self.differences],
            "most_different": sequences,
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """A model, or a baseline, on labelled sequences.

    Parameters
    ----------
    name : str
    evaluation : Evaluation
    codes : int64 array (N,) or (S,)
        True classes; -1 where there is no label.
    proba : float64 array (N, C) or (S, C)
    offsets : int64 array (N + 1,)
        Which rows are of which sequence.
    every_step : bool
    baselines : dict from names to float64 arrays like ``proba``
    """

    name: str
    evaluation: Evaluation
    codes: Codes
    proba: Array
    offsets: Codes
    every_step: bool
    baselines: dict[str, Array]

    def baseline(self, name: str) -> Judged:
        """Give one of the model's baselines as a rival of its own."""
        proba = self.baselines[name]
        evaluation = measure(self.codes, proba, {}, self.evaluation.classes)
        return Judged(BASELINES[name], evaluation, self.codes, proba, self.offsets, self.every_step, {})


def compare(
    estimators: Mapping[str, RecurrentEstimator],
    X: Any,
    y: Any,
    *,
    ids: ArrayLike | None = None,
    baselines: bool = False,
) -> Comparison:
    """Compare fitted estimators on the same labelled sequences, each with the first.

    Sequences that all models have right, or wrong, say nothing about which is better; so differences are taken sequence
    by sequence. The accuracies of classifiers are told from chance by McNemar's exact test, with the interval of Bonett
    and Price. The steps of a sequence are not independent, so taggers are told apart by whole sequences: by swapping
    the models on each of them, and by drawing sequences anew for the interval (below 15 by Student's t); so is the log
    loss of both.

    All this is about these models, as they were trained once. Trained again with another ``random_state`` they might
    change places: see docs/comparing.md.

    Parameters
    ----------
    estimators : dict from names to fitted estimators, two at least
        All of the same classes, all `SequenceClassifier` or all `SequenceTagger`; features may be prepared differently.
    X, y : labelled sequences, as for ``estimator.score``
    ids : N names of the sequences, optional
        Without them they are '0', '1', ...
    baselines : bool
        Whether the baselines of the first estimator are compared as well.

    Raises
    ------
    ParameterError
        If there are fewer than two to compare, or their classes differ.
    DataError
        If X or y do not fit one of them.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions" (1947); Dietterich,
    "Approximate statistical tests for comparing supervised classification learning algorithms" (1998); Holm, "A simple
    sequentially rejective multiple test procedure" (1979).

    Examples
    --------
    >>> from elman import SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(80, 6)), np.repeat(["low", "high"], 40)
    >>> X[40:] += 1
    >>> long = SequenceClassifier(hidden_size=4, max_epochs=20, random_state=0).fit(X[::2], y[::2])
    >>> short = SequenceClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(X[::2], y[::2])
    >>> comparison = compare({"long": long, "short": short}, X[1::2], y[1::2])
    >>> [difference] = comparison.differences
    >>> difference.only_reference - difference.only_this == round(-40 * difference.accuracy)
    True
    """
    if len(estimators) < (1 if baselines else 2):
        raise ParameterError(
            "The 'estimators' parameter of compare must be a dict of two fitted estimators at least, by name, or "
            f"of one with baselines=True. Got {len(estimators)} instead."
        )
    return side_by_side(
        [judge(name, estimator, X, y) for name, estimator in estimators.items()], ids, baselines=baselines
    )


def judge(
    name: str, estimator: RecurrentEstimator, X: Any, y: Any, *, place_of: Callable[[int], str] = "y[{}]".format
) -> Judged:
    """Let an estimator predict labelled sequences; parameters and errors are those of `evaluate`."""
    sequences, codes, proba, baselines = predictions_on(estimator, X, y, place_of=place_of)
    evaluation = measure(codes, proba, baselines, estimator.classes_)
    offsets = sequences.offsets if estimator.every_step else np.arange(len(sequences) + 1)
    return Judged(name, evaluation, codes, proba, offsets, estimator.every_step, baselines)


def side_by_side(judged: Sequence[Judged], ids: ArrayLike | None = None, *, baselines: bool = False) -> Comparison:
    """Compare models that have predicted the same labelled sequences, each with the first.

    Raises
    ------
    ParameterError
        If they are not of the same classes.
    """
    first = judged[0]
    for other in judged[1:]:
        require_alike(first, other)
    rivals = [*judged, *(first.baseline(name) for name in BASELINES)] if baselines else [*judged]
    labels = PairedLabels.of(first.codes, [rival.proba for rival in rivals], first.offsets)
    corrected = holm([labels.p_value(m) for m in range(1, len(rivals))])
    names = np.arange(len(first.offsets) - 1).astype(np.str_) if ids is None else np.asarray(ids, dtype=np.str_)
    return Comparison(
        names=tuple(rival.name for rival in rivals),
        evaluations=tuple(rival.evaluation for rival in rivals),
        accuracy_intervals=np.array([labels.accuracy_interval(m) for m in range(len(rivals))]),
        differences=tuple(_difference(labels, rivals, m, p) for m, p in enumerate(corrected, 1)),
        ids=names[labels.sequences],
        codes=labels.codes,
        predicted=labels.predicted,
        truth=labels.by_sequence(labels.truth) / labels.counts,
        n_models=len(judged),
        every_step=first.every_step,
    )


def _difference(labels: PairedLabels, rivals: Sequence[Judged], m: int, p_corrected: float) -> Difference:
    gains, losses = labels.only_right(m)
    return Difference(
        name=rivals[m].name,
        reference=rivals[0].name,
        accuracy=(gains - losses) / len(labels.codes),
        accuracy_interval=labels.accuracy_difference_interval(m),
        log_loss=float((labels.losses[m] - labels.losses[0]).mean()),
        log_loss_interval=labels.log_loss_difference_interval(m),
        only_this=gains,
        only_reference=losses,
        alike=float(np.mean(labels.predicted[m] == labels.predicted[0])),
        p_value=labels.p_value(m),
        p_corrected=p_corrected,
    )


def require_alike(first: Judged, other: Judged) -> None:
    """Raise ParameterError where two models cannot be compared, naming what differs."""
    if first.every_step != other.every_step:
        each = {True: "each step", False: "each sequence"}
        raise ParameterError(
            f"Models that are compared must label the same: {other.name} labels {each[other.every_step]}, "
            f"{first.name} {each[first.every_step]}. Compare each kind by itself."
        )
    known, wanted = other.evaluation.classes.tolist(), first.evaluation.classes.tolist()
    if known != wanted:
        odd = [repr(name) for name in [*known, *wanted] if name not in known or name not in wanted]
        named = f"{', '.join(odd[:_MOST_NAMED])}{', ...' * (len(odd) > _MOST_NAMED)}"
        raise ParameterError(
            f"Models that are compared must know the same classes: {first.name} and {other.name} do not both know "
            f"{named}. Train them on the same classes."
        )
    if not np.array_equal(first.codes, other.codes) or not np.array_equal(first.offsets, other.offsets):
        raise ParameterError(
            f"Models must be compared on the same labels: those that {other.name} was given differ from those of "
            f"{first.name}. Compare them on one file whose columns mean the same to both."
        )
