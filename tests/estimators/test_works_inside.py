"""SequenceClassifier inside scikit-learn's tools, for 3-D arrays, lists of ragged arrays and Sequences."""

import os
import threading

import numpy as np
import pytest
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance as permutation_importance_of_tables
from sklearn.model_selection import GridSearchCV, GroupKFold, HalvingGridSearchCV, RandomizedSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from elman import SequenceClassifier, Sequences, SequenceTagger
from elman.data import as_sequences
from elman.estimators.importance import permutation_importance
from elman.network.threads import available_threads

N = 36
SETTINGS = {
    "hidden_size": 4,
    "num_layers": 1,
    "learning_rate": 0.05,
    "schedule": "constant",
    "batch_size": 32,
    "early_stopping": False,
    "random_state": 0,
}
SMALL = SequenceClassifier(max_epochs=3, **SETTINGS)
FORMS = ["array", "lists", "sequences"]


def make_data(form, n=N, seed=0):
    """Sequences with two features, of which the first falls or rises; of one length where they are an array."""
    rng = np.random.default_rng(seed)
    y = np.array(["falls", "rises"])[np.arange(n) % 2]
    lengths = np.full(n, 8) if form == "array" else rng.integers(5, 12, n)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    for x, label in zip(X, y):
        x[:, 0] += np.arange(len(x)) * (1.0 if label == "rises" else -1.0)
    if form == "sequences":
        flat = as_sequences(X)
        return Sequences(flat.values, flat.offsets, ("trend", "noise")), y
    return np.stack(X) if form == "array" else X, y


@pytest.fixture(params=FORMS)
def data(request):
    return make_data(request.param)


def doubled(X):
    return X.with_values(X.values * 2) if isinstance(X, Sequences) else [x * 2 for x in X]


def test_a_pipeline(data):
    X, y = data
    model = make_pipeline(FunctionTransformer(doubled), SMALL).fit(X, y)
    alone = clone(SMALL).fit(doubled(X), y)
    assert np.array_equal(model.predict_proba(X), alone.predict_proba(doubled(X)))
    assert model.score(X, y) > 0.8


def test_grid_search(data):
    X, y = data
    search = GridSearchCV(SMALL, {"max_epochs": [1, 3], "cell": ["gru"]}, cv=2).fit(X, y)
    assert set(search.cv_results_["param_max_epochs"]) == {1, 3}
    assert search.best_params_["max_epochs"] == 3
    assert search.best_score_ > 0.8
    assert np.array_equal(search.predict(X), clone(SMALL).fit(X, y).predict(X))


def test_randomized_search_over_distributions(data):
    X, y = data
    model = clone(SMALL).set_params(max_epochs=12)
    wanted = {"learning_rate": loguniform(2e-2, 2e-1), "hidden_size": randint(4, 7)}
    search = RandomizedSearchCV(model, wanted, n_iter=3, cv=2, random_state=0).fit(X, y)
    again = RandomizedSearchCV(model, wanted, n_iter=3, cv=2, random_state=0).fit(X, y)
    assert search.best_params_ == again.best_params_
    assert np.array_equal(search.predict_proba(X), again.predict_proba(X))
    assert search.score(X, y) > 0.8


def test_halving_grid_search_over_epochs(data):
    X, y = data
    search = HalvingGridSearchCV(
        SMALL, {"hidden_size": [2, 4]}, resource="max_epochs", max_resources=4, factor=2, cv=2, random_state=0
    )
    search.fit(X, y)
    assert search.n_resources_ == [2, 4]
    assert search.score(X, y) > 0.8


def test_halving_grid_search_over_samples(data):
    X, y = data
    search = HalvingGridSearchCV(SMALL, {"max_epochs": [1, 3]}, min_resources=18, factor=2, cv=2, random_state=0)
    search.fit(X, y)
    assert search.n_resources_ == [18, 36]
    assert search.score(X, y) > 0.8


class CountsThreads:
    """A scorer that tells in which process it was called, and of how many threads."""

    def __call__(self, estimator, X, y):
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("elman-")]
        return {
            "process": os.getpid(),
            "threads": 1 + len(ours),
            "allowed": available_threads(),
            "kept": float(isinstance(X, Sequences)),
            "score": estimator.score(X, y),
        }


def test_grouped_cross_validation_in_two_processes_does_not_oversubscribe_the_cores(data):
    X, y = data
    model = clone(SMALL).set_params(hidden_size=32)  # work enough for several threads
    arguments = {"groups": np.arange(N) // 2 % 6, "cv": GroupKFold(n_splits=2), "scoring": CountsThreads()}
    here = cross_validate(model, X, y, **arguments)
    assert (here["test_threads"] >= available_threads()).all()  # those of other tests may be there beside them
    there = cross_validate(model, X, y, n_jobs=2, **arguments)
    assert os.getpid() not in there["test_process"]
    cores = len(os.sched_getaffinity(0))
    assert (there["test_allowed"] <= max(1, cores // 2)).all()
    assert (there["test_threads"] <= there["test_allowed"]).all()
    assert np.array_equal(there["test_score"], here["test_score"])
    assert (here["test_kept"] == isinstance(X, Sequences)).all()


def test_calibration(data):
    X, y = data
    model = CalibratedClassifierCV(SMALL, cv=2).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (N, 2)
    assert np.mean(model.predict(X) == y) > 0.8


def test_voting(data):
    X, y = data
    members = [("few", SMALL), ("more", clone(SMALL).set_params(hidden_size=5))]
    vote = VotingClassifier(members, voting="soft").fit(X, y)
    codes = (y == "rises").astype(int)
    expected = np.mean([clone(model).fit(X, codes).predict_proba(X) for _, model in members], axis=0)
    assert np.allclose(vote.predict_proba(X), expected, rtol=0, atol=1e-15)
    assert vote.score(X, y) > 0.8


def test_importance_of_features_by_permutation(data):
    X, y = data
    model = clone(SMALL).set_params(max_epochs=10).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=4, random_state=0)
    assert found.importances.shape == (2, 4)
    assert found.importances_mean[0] > 0.2
    assert abs(found.importances_mean[1]) < 0.1
    assert np.array_equal(found.importances_std, found.importances.std(axis=1))


def test_permuted_features_of_equal_length_are_those_of_another_sequence():
    X, y = make_data("array", n=10)
    model = clone(SMALL).fit(X, y)
    seen = []

    def score(estimator, X, y):
        seen.append([x.copy() for x in X])
        return 0.0

    permutation_importance(model, X, y, scoring=score, n_repeats=1, random_state=0)
    whole, *shuffled = (np.stack(data) for data in seen)
    assert np.array_equal(whole, X)
    for feature, data in enumerate(shuffled):
        assert not np.array_equal(data[:, :, feature], X[:, :, feature])
        order = [int(np.argmax((X[:, :, feature] == row).all(axis=1))) for row in data[:, :, feature]]
        assert sorted(order) == list(range(10))
        assert np.array_equal(data[:, :, 1 - feature], X[:, :, 1 - feature])


def test_importance_of_time_steps_of_a_table_by_scikit_learns_own_function():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X[:, 4] > 0
    model = clone(SMALL).set_params(bidirectional=False, max_epochs=20).fit(X, y)
    found = permutation_importance_of_tables(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 4


@pytest.mark.parametrize("form", FORMS)
def test_the_tagger_is_searched_and_cross_validated_as_well(form):
    X, _ = make_data(form)
    y = [np.where(np.asarray(x)[:, 1] > 0, "up", "down") for x in X]
    y = np.stack(y) if form == "array" else y
    model = SequenceTagger(max_epochs=12, **SETTINGS)
    search = GridSearchCV(model, {"max_epochs": [1, 12]}, cv=2).fit(X, y)
    assert search.best_params_ == {"max_epochs": 12}
    found = cross_validate(model, X, y, groups=np.arange(N) % 4, cv=GroupKFold(n_splits=2))
    assert (found["test_score"] > 0.6).all()
