"""SequenceTagger: one label a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.estimators.base import RecurrentEstimator
from elman.estimators.doubts import doubt_classes
from elman.estimators.parameters import TaggerDefaults
from elman.estimators.targets import Targets


@dataclass(kw_only=True, eq=False, repr=False)  # for an __init__ of its own name in errors
class SequenceTagger(TaggerDefaults, RecurrentEstimator):
    """Label every step of sequences with a recurrent network.

    Each step is classified by its own state. With ``bidirectional=True`` that state knows the steps to come as well;
    where labels are wanted while a sequence comes in, pass ``bidirectional=False``.

    Labels of steps come as a list of N arrays (T_n,), an array (N, T), or a flat array (S,). Weights, by sequence, by
    step and by class, weigh steps.

    Parameters
    ----------
    unlabelled : label or None
        What marks a step as unlabelled, such as -1 or ''; without it they are classes like any other. None, NaN and
        what a masked array hides mark it in any case.
        Such steps are read like any other, and left out of loss, baselines, class statistics and score.
    others
        Those of `SequenceClassifier`, but for ``readout`` and ``patch_size``, for each step has a state and a label of
        its own; attributes likewise.

    Examples
    --------
    Is the sum so far above zero?

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=rng.integers(5, 20)) for _ in range(40)]
    >>> y = [np.where(np.cumsum(x) > 0, "above", "below") for x in X]
    >>> tagger = SequenceTagger(hidden_size=8, bidirectional=False, max_epochs=30, learning_rate=0.02, random_state=0)
    >>> tagger.fit(X, y)  # doctest: +ELLIPSIS
    SequenceTagger(...)
    >>> [labels.tolist() for labels in tagger.predict([[1.0, -3.0, 4.0], [-1.0, 2.0]])]
    [['above', 'below', 'above'], ['below', 'above']]

    scikit-learn's scores want labels flat: this scorer lays them end to end and leaves unlabelled steps out.

    >>> from sklearn.metrics import f1_score
    >>> from sklearn.model_selection import KFold, cross_validate
    >>> def macro_f1(tagger, X, y):
    ...     true, predicted = np.concatenate([*y]), np.concatenate([*tagger.predict(X)])
    ...     labelled = true != tagger.unlabelled
    ...     return f1_score(true[labelled], predicted[labelled], average="macro")
    >>> marked = [np.where(rng.random(len(labels)) < 0.2, "?", labels) for labels in y]
    >>> tagger.set_params(unlabelled="?")  # doctest: +ELLIPSIS
    SequenceTagger(...)
    >>> scores = cross_validate(tagger, X, marked, scoring=macro_f1, cv=KFold(2))["test_score"]
    >>> bool((scores > 0.8).all())
    True
    """

    every_step: ClassVar[bool] = True

    def predict_proba(self, X: Any) -> Any:
        """Give the probability of each class at each step.

        Returns
        -------
        float64 array (N, T, C) where X is an array without padding, else a list of N arrays (T_n, C)
        """
        sequences = self._sequences(X)
        return _like(X, sequences, self._proba(sequences))

    def predict(self, X: Any) -> Any:
        """Give the most probable class of each step.

        Returns
        -------
        array (N, T) where X is an array without padding, else a list of N arrays (T_n,)
        """
        sequences = self._sequences(X)
        return _like(X, sequences, self.classes_[self._winners(sequences)])

    def _classes(self, labels: NDArray[Any]) -> NDArray[Any]:
        classes = super()._classes(labels)
        doubt_classes(classes)
        return classes

    def _targets(self, y: Any, sequences: Sequences, name: str = "y") -> Targets:
        return Targets.of_steps(y, sequences, unlabelled=self.unlabelled, name=name)


def _like(X: Any, sequences: Sequences, values: NDArray[Any]) -> Any:
    """Cut what belongs to steps, (S, ...), as X is cut into sequences."""
    lengths = sequences.lengths
    if len(getattr(X, "shape", ())) in (2, 3) and (lengths == lengths[0]).all():
        return values.reshape(len(sequences), -1, *values.shape[1:])
    return np.split(values, sequences.offsets[1:-1])
