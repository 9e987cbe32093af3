"""The learning rate of a fit, by a range test where it is "auto"; and the curve of the test by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from elman.estimators.progress import rate_line
from elman.training.range_test import RangeTest, rate_curve
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings

if TYPE_CHECKING:
    from elman.estimators.base import RecurrentEstimator
    from elman.estimators.fitting import Fitting


def with_rate(
    learner: Fitting, settings: TrainingSettings, samples: Samples, rng: np.random.Generator, *, is_new: bool
) -> TrainingSettings:
    """Give the settings with the learning rate of this fit, which the learner notes as `learning_rate_`.

    "auto" is chosen by a range test from the network's start; where training goes on, it stays what it was.
    """
    if learner.learning_rate != "auto":
        learner.learning_rate_ = settings.learning_rate
        learner.__dict__.pop("range_test_", None)
    elif is_new or not hasattr(learner, "learning_rate_"):
        learner.range_test_ = rate_curve(learner.network_, samples, settings, rng, learner.preparation_.quantities)
        learner.learning_rate_ = learner.range_test_.suggestion
        if learner.verbose:
            print(rate_line(learner.learning_rate_, stands_out=learner.range_test_.stands_out), flush=True)
    return replace(settings, learning_rate=learner.learning_rate_)


def range_test(
    estimator: RecurrentEstimator, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None
) -> RangeTest:
    """Give the curve of loss over learning rate from which ``learning_rate="auto"`` chooses, to look at or to plot.

    It is that of the same ``fit``, of which a copy of the estimator does the first epoch; the estimator stays as it is.

    Parameters
    ----------
    estimator : SequenceClassifier or SequenceTagger
    X, y, sample_weight, groups : as for `fit`

    Returns
    -------
    RangeTest
        ``rates``, ``losses`` and ``smoothed`` losses, arrays (K,), and the ``suggestion``.

    Source: Smith, "Cyclical learning rates for training neural networks" (2017).

    Examples
    --------
    >>> from elman import SequenceClassifier, range_test
    >>> rng = np.random.default_rng(0)
    >>> X = [np.cumsum(rng.normal(slope, 1.0, size=rng.integers(20, 40))) for slope in [-0.5, 0.5] * 20]
    >>> found = range_test(SequenceClassifier(hidden_size=8, random_state=0), X, ["falls", "rises"] * 20)
    >>> len(found.rates) == len(found.losses) == len(found.smoothed)
    True
    >>> bool(found.rates[0] <= found.suggestion <= found.rates[-1])
    True
    """
    trial = clone(estimator).set_params(
        learning_rate="auto", max_epochs=1, n_members=1, refit=False, warm_start=False, verbose=False
    )
    fitted: RecurrentEstimator = trial.fit(X, y, sample_weight, groups=groups)
    return fitted.range_test_
