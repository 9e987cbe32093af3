"""Whether a trained model is healthy, beyond what its records say: its gradients, gates and units on a sample."""

from __future__ import annotations

from typing import Any

from elman.training.health import Finding


def examine(estimator: Any, X: Any = None, y: Any = None) -> list[Finding]:
    """Give what is ill in a fitted estimator; with labelled sequences also what only a look at its gates tells.

    Parameters
    ----------
    estimator : SequenceClassifier or SequenceTagger, fitted
    X, y : labelled sequences, optional
        In any form that `fit` takes.
    """
    return [Finding(**each) for each in estimator.training_["health"]]
