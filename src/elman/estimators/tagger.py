"""SequenceTagger: one label a step."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.estimators.base import RecurrentEstimator


class SequenceTagger(RecurrentEstimator):
    """Label every step of sequences with a recurrent network.

    Parameters and attributes are those of `SequenceClassifier`, but for ``readout``: each step is classified by its own
    state. With ``bidirectional=True`` that state knows the steps to come as well; where labels are wanted while a
    sequence comes in, pass ``bidirectional=False``.

    Examples
    --------
    Is the sum so far above zero?

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=rng.integers(5, 20)) for _ in range(40)]
    >>> y = [np.where(np.cumsum(x) > 0, "above", "below") for x in X]
    >>> tagger = SequenceTagger(hidden_size=8, max_epochs=30, bidirectional=False, random_state=0).fit(X, y)
    >>> [labels.tolist() for labels in tagger.predict([[1.0, -3.0, 4.0], [-1.0, 2.0]])]
    [['above', 'below', 'above'], ['below', 'above']]
    """

    every_step: ClassVar[bool] = True

    def predict_proba(self, X: Any) -> list[NDArray[np.float64]]:
        """Give the probability of each class at each step: N arrays (T_n, C)."""
        sequences = self._sequences(X)
        return _by_sequence(self._proba(sequences), sequences)

    def predict(self, X: Any) -> list[NDArray[Any]]:
        """Give the most probable class of each step: N arrays (T_n,)."""
        sequences = self._sequences(X)
        return _by_sequence(self.classes_[self._proba(sequences).argmax(axis=1)], sequences)


def _by_sequence(values: NDArray[Any], sequences: Sequences) -> list[NDArray[Any]]:
    return [values[start:stop] for start, stop in zip(sequences.offsets, sequences.offsets[1:])]
