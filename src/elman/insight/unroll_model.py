"""One sequence unrolled through a fitted estimator, with the names of its features and classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data.origins import column_names, raw_values
from elman.errors import ParameterError
from elman.estimators.base import RecurrentEstimator, require_fitted
from elman.estimators.features import feature_names, read_like_training
from elman.insight.unroll import unroll
from elman.insight.unrolled import Unrolled


def unroll_model(
    estimator: RecurrentEstimator,
    X: Any,
    y: Any = None,
    *,
    member: int = 1,
    learning_rate: float = 0.1,
    title: str = "",
) -> Unrolled:
    """Run one sequence forward and backward through a fitted estimator, and keep everything.

    Parameters
    ----------
    estimator : SequenceClassifier or SequenceTagger
    X : one sequence, in a form that the estimator takes, such as ``[array (T, D)]``
    y : its label, in a list, or the labels of its steps; optional
        The target. Without it, and without any label of a step, that is the class that the network predicts.
    member : int
        Which of the estimator's networks, from 1.
    learning_rate : float > 0
        Of the update, by plain gradient descent.
    title : str

    Returns
    -------
    Unrolled
        Of the network's own probabilities: neither averaged over members nor calibrated.

    Raises
    ------
    ParameterError, DataError
        If there is no such member, X is not one sequence or does not fit, or a label was never seen in training.
    NotFittedError

    Examples
    --------
    >>> from elman import SequenceClassifier
    >>> X, y = [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]] * 10, ["rises", "falls"] * 10
    >>> classifier = SequenceClassifier(hidden_size=3, num_layers=1, max_epochs=5, random_state=0).fit(X, y)
    >>> unrolled = unroll_model(classifier, [[0.0, 1.0, 3.0]], ["rises"])
    >>> unrolled.n_steps, [passage.name for passage in unrolled.passages]
    (3, ['l0', 'l0_reverse'])
    >>> [value for (value,) in unrolled.raw]
    [0.0, 1.0, 3.0]
    """
    require_fitted(estimator, "unroll_model")
    sequences = read_like_training(estimator, X)
    if len(sequences) != 1:
        raise ParameterError(f"X must be one sequence. Got {len(sequences)}; pass them one at a time.")
    networks = estimator.networks_
    is_whole = isinstance(member, int | np.integer) and not isinstance(member, bool)
    if not (is_whole and 1 <= member <= len(networks)):
        raise ParameterError(f"The 'member' parameter must be a number in 1..{len(networks)}. Got {member!r} instead.")
    network = networks[member - 1]
    prepared = estimator._prepared(sequences)
    codes = None if y is None else estimator._targets(y, sequences).codes(estimator.classes_)
    if codes is None or codes.max() < 0:
        codes = network.logits(prepared.values, prepared.offsets).argmax(axis=1).astype(np.int64)
    preparation = estimator.preparation_
    return unroll(
        network,
        prepared.values,
        codes,
        learning_rate=learning_rate,
        classes=estimator.classes_.tolist(),
        feature_names=column_names(preparation, feature_names(estimator)),
        raw=raw_values(preparation, sequences, 0),
        title=title,
        remark=_about_steps(preparation.patch_size, int(sequences.lengths[0])),
    )


def _about_steps(patch_size: int, n_steps: int) -> str:
    """Say what a step of the network is, where it is not one of the data."""
    if patch_size == 1:
        return ""
    return f"A step of the network is a patch of {patch_size} of the {n_steps:,} steps in the data."
