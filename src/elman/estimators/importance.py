"""How much a feature counts: what the score loses once the feature is shuffled among the sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch

from elman.estimators.base import RecurrentEstimator
from elman.estimators.features import read_like_training
from elman.estimators.parts import make_generators, steps_of


def permutation_importance(
    estimator: RecurrentEstimator,
    X: Any,
    y: Any,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    random_state: Any = None,
    sample_weight: Any = None,
) -> Bunch:
    """Give the importance of each feature, as scikit-learn's function of this name does for tables.

    A feature's values are taken from the sequences in random order, end to end, and cut at the lengths that there are.
    So each sequence gets another's values where all are of one length, and stretches of others' where they are not.

    Parameters
    ----------
    estimator : a fitted estimator
    X, y, sample_weight : labelled sequences, as for ``estimator.score``
    scoring : str, callable or None
        As in scikit-learn; None: ``estimator.score``.
    n_repeats : int
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None

    Returns
    -------
    Bunch
        ``importances`` (D, n_repeats), ``importances_mean`` and ``importances_std`` (D,).

    Source: Breiman, "Random forests" (2001).

    Examples
    --------
    Only the second feature tells the classes apart:

    >>> from elman import SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 8, 2))
    >>> y = np.repeat([0, 1], 30)
    >>> X[:30, :, 1] += 2
    >>> classifier = SequenceClassifier(hidden_size=4, max_epochs=20, random_state=0).fit(X, y)
    >>> importance = permutation_importance(classifier, X, y, random_state=0)
    >>> int(importance.importances_mean.argmax())
    1
    """
    sequences = read_like_training(estimator, X)
    rng = make_generators(random_state)[0]
    scorer = check_scoring(estimator, scoring=scoring)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    whole = scorer(estimator, sequences, y, **weights)
    importances = np.empty((sequences.n_features, n_repeats))
    for feature in range(sequences.n_features):
        for repeat in range(n_repeats):
            values = sequences.values.copy()
            values[:, feature] = values[steps_of(sequences, rng.permutation(len(sequences))), feature]
            importances[feature, repeat] = whole - scorer(estimator, sequences.with_values(values), y, **weights)
    return Bunch(
        importances=importances, importances_mean=importances.mean(axis=1), importances_std=importances.std(axis=1)
    )
