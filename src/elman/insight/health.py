"""Whether a trained model is healthy, beyond what its records say: gradients, gates and units on a sample."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data import Sequences
from elman.estimators.alignment import aligned
from elman.insight.gates import dead_units, saturated_units, shut_units
from elman.insight.units import activities
from elman.training.findings import Finding, Setup, is_solved
from elman.training.flow import summary
from elman.training.health import first_of_each
from elman.training.reach import growing, is_read_at_the_end, reach_of, vanishing

if TYPE_CHECKING:
    from elman.estimators.base import RecurrentEstimator
    from elman.network.flow import GradientFlow

SAMPLE = 32  # sequences that are looked at


def examine(estimator: RecurrentEstimator, X: Any = None, y: Any = None) -> list[Finding]:
    """Give the problems of a fitted estimator; with sequences also what only a look at its units and gradients tells.

    Of several members the first is looked at.

    Parameters
    ----------
    estimator : SequenceClassifier or SequenceTagger, fitted
    X : sequences, optional
        In any form that `fit` takes; some of them are looked at, up to 32 spread over all.
    y : labels, optional
        What gradients are taken for.

    Returns
    -------
    list of Finding
        Empty where all is well.

    Examples
    --------
    >>> import numpy as np
    >>> from elman import SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 6, 1)), np.repeat(["low", "high"], 20)
    >>> X[20:] += 3
    >>> examine(SequenceClassifier(hidden_size=4, max_epochs=20, random_state=0).fit(X, y), X, y)
    []
    """
    known = [Finding(**each) for each in estimator.training_["health"]]
    if X is None:
        return known
    sequences = estimator._sequences(X)
    chosen = np.unique(np.linspace(0, len(sequences) - 1, min(len(sequences), SAMPLE)).round().astype(np.int64))
    sample = sequences[chosen]
    settings = replace(estimator._settings(), learning_rate=estimator.learning_rate_)
    setup = estimator._setup(settings, longest=int(np.diff(estimator.preparation_.offsets(sequences)).max()))
    found = _of_units(estimator, sample, setup)
    if y is not None and is_read_at_the_end(setup):
        codes = estimator._targets(aligned(y, X, "y"), sequences).codes(estimator.classes_)
        flow = estimator.gradient_flow(sample, estimator.classes_[codes[chosen]])
        found = [*_of_gradients(flow, setup, is_missed=not is_solved(estimator.history_, setup)), *found]
    seen = {finding.rule for finding in found}
    return [*(finding for finding in known if finding.rule not in seen), *found]


def _of_units(estimator: RecurrentEstimator, sample: Sequences, setup: Setup) -> list[Finding]:
    ready = estimator._prepared(sample)
    found = activities(estimator.network_, ready.values, ready.offsets)
    is_scaled = bool(estimator.standardise)
    return first_of_each(
        [
            [dead_units(found, setup, len(sample), is_scaled=is_scaled)],
            [saturated_units(found, setup, is_scaled=is_scaled), shut_units(found, setup, is_scaled=is_scaled)],
        ]
    )


def _of_gradients(flow: GradientFlow, setup: Setup, *, is_missed: bool) -> list[Finding]:
    """Judge gradients as the record of an epoch would have them."""
    kept = summary(flow)
    reach = None if kept is None else reach_of(kept)
    if reach is None or not is_missed:
        return []
    return first_of_each([[growing(reach, setup), vanishing(reach, setup)]])
