"""How good a classifier is on labelled data, beside the two baselines fitted with it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.estimators.alignment import aligned

if TYPE_CHECKING:
    from elman.data import Sequences
    from elman.estimators.base import RecurrentEstimator


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures on n labelled sequences, or n labelled steps.

    Parameters
    ----------
    accuracy : float
        Share of correct predictions.
    balanced_accuracy : float
        Mean of the recall of each class that occurs in the data.
    macro_f1 : float
        Mean of the F1 of each class that occurs in the data or among the predictions.
    log_loss : float
        Mean of -ln of the probability given to the true class, in nats.
    confusion_matrix : int64 array (C, C)
        How often class row was predicted as class column.
    classes : array (C,)
        The classes of rows and columns.
    baselines : dict
        From 'majority' and 'summary_statistics' to the first four figures, by name.
    n : int
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float
    confusion_matrix: NDArray[np.int64]
    classes: NDArray[Any]
    baselines: dict[str, dict[str, float]]
    n: int

    @property
    def scores(self) -> dict[str, float]:
        """The first four figures by name."""
        return {name: getattr(self, name) for name in FIGURES}

    def to_dict(self) -> dict[str, Any]:
        """Give everything but n as JSON can hold it."""
        return {
            **self.scores,
            "confusion_matrix": self.confusion_matrix.tolist(),
            "classes": self.classes.tolist(),
            "baselines": self.baselines,
        }


class Predictions(NamedTuple):
    """True codes, (N,) or (S,), -1 without a label, beside the probabilities of a model and of each baseline."""

    sequences: Sequences
    codes: NDArray[np.int64]
    proba: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float64]]


FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def evaluate(
    classifier: RecurrentEstimator, X: Any, y: Any, *, place_of: Callable[[int], str] = "y[{}]".format
) -> Evaluation:
    """Measure a fitted classifier on labelled data.

    Parameters
    ----------
    classifier : RecurrentEstimator
    X : Sequences or what `as_sequences` takes
    y : labels, one for each sequence, or for each step where the classifier predicts each step
    place_of : callable, optional
        Names the n-th label in errors.

    Raises
    ------
    DataError
        If the features do not fit, or a label was never seen in training.
    """
    predictions = predictions_on(classifier, X, y, place_of=place_of)
    return measure(predictions.codes, predictions.proba, predictions.baselines, classifier.classes_)


def predictions_on(
    classifier: RecurrentEstimator, X: Any, y: Any, *, place_of: Callable[[int], str] = "y[{}]".format
) -> Predictions:
    """Give what a fitted classifier and its baselines say of labelled data; parameters and errors as `evaluate`'s."""
    sequences = classifier._sequences(X)
    codes = classifier._targets(aligned(y, X, "y"), sequences).codes(classifier.classes_, place_of=place_of)
    baselines = classifier.baselines_.proba(
        sequences, every_step=classifier.every_step, summarise=classifier.preparation_.summarised
    )
    return Predictions(sequences, codes, classifier._proba(sequences), baselines)


def measure(
    codes: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    baselines: dict[str, NDArray[np.float64]],
    classes: NDArray[Any],
    weights: NDArray[np.float64] | None = None,
) -> Evaluation:
    """Compute the figures from true codes (n,) and probabilities (n, C) of the model and of each baseline.

    What has the code -1, no label, is left out. ``weights`` (n,) tell how much each counts in all but the confusion
    matrix and n.
    """
    from sklearn.metrics import confusion_matrix

    labelled = codes >= 0
    codes, probabilities = codes[labelled], probabilities[labelled]
    baselines = {name: proba[labelled] for name, proba in baselines.items()}
    weights = None if weights is None else weights[labelled]
    every_class = np.arange(len(classes))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # many classes, few sequences
        return Evaluation(
            **_figures(codes, probabilities, weights),
            confusion_matrix=confusion_matrix(codes, probabilities.argmax(axis=1), labels=every_class).astype(np.int64),
            classes=classes,
            baselines={name: _figures(codes, proba, weights) for name, proba in baselines.items()},
            n=len(codes),
        )


def _figures(
    codes: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

    predicted = probabilities.argmax(axis=1)
    present = np.unique(codes)
    every_class = np.arange(probabilities.shape[1])
    recall = recall_score(codes, predicted, labels=present, average="macro", zero_division=0.0, sample_weight=weights)
    return {
        "accuracy": float(accuracy_score(codes, predicted, sample_weight=weights)),
        "balanced_accuracy": float(recall),
        "macro_f1": float(f1_score(codes, predicted, average="macro", zero_division=0.0, sample_weight=weights)),
        "log_loss": float(log_loss(codes, probabilities, labels=every_class, sample_weight=weights)),
    }
