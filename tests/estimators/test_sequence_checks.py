"""The checks of `sequence_checks` on every public estimator; and that a broken promise is noticed."""

import inspect

import numpy as np
import pytest
from sequence_checks import sequence_checks

import elman
from elman import SequenceClassifier, SequenceTagger
from elman.estimators.base import RecurrentEstimator

ESTIMATORS = [SequenceClassifier, SequenceTagger]
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}


def run(check, estimator, folder):
    check(*(folder if name == "folder" else estimator for name in inspect.signature(check).parameters))


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("name", sequence_checks())
def test_a_promise_is_kept(name, kind, tmp_path):
    run(sequence_checks()[name], kind(**SMALL), tmp_path)


def test_every_public_estimator_is_checked():
    public = [getattr(elman, name) for name in elman.__all__]
    assert {value for value in public if isinstance(value, type) and issubclass(value, RecurrentEstimator)} == set(
        ESTIMATORS
    )


class ReadsItsNeighbours(SequenceClassifier):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return proba + 1e-12 * (proba - proba.mean(axis=0))


class ForgetsWeights(SequenceClassifier):
    def fit(self, X, y, sample_weight=None, **rest):
        return super().fit(X, y, **rest)


class WritesIntoItsInput(SequenceClassifier):
    def predict(self, X):
        X[0][0, 0] = 0.0
        return super().predict(X)


class LearnsIntoItsParameters(SequenceClassifier):
    def fit(self, X, y, **rest):
        self.hidden_size += 1
        return super().fit(X, y, **rest)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ReadsItsNeighbours, "check_batch_and_order_do_not_matter"),
        (ForgetsWeights, "check_a_weight_of_k_is_k_copies"),
        (WritesIntoItsInput, "check_input_is_left_as_it_was"),
        (LearnsIntoItsParameters, "check_parameters_are_left_as_they_were"),
    ],
)
def test_a_promise_that_is_broken_is_noticed(kind, name, tmp_path):
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        run(sequence_checks()[name], kind(**SMALL), tmp_path)
