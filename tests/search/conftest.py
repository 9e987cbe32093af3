"""A small labelled set, and a search of it that takes a moment."""

import numpy as np
import pytest

from elman import SequenceClassifier
from elman.search.domains import Range
from elman.search.tuning import tune

SPACE = {"learning_rate": Range(1e-3, 1e-1), "batch_size": Range(4, 16)}
USUAL = ["cell", "hidden_size", "num_layers", "dropout", "recurrent_dropout", "readout", "weight_decay"]


def make_data(n=24, seed=0):
    """Walks that fall or rise."""
    rng = np.random.default_rng(seed)
    X = [np.cumsum(rng.normal(slope, 1.0, rng.integers(5, 9))) for slope in [-0.5, 0.5] * (n // 2)]
    return X, np.array(["falls", "rises"] * (n // 2))


@pytest.fixture(scope="session")
def data():
    return make_data()


def make_small():
    """A classifier that is trained in a moment."""
    return SequenceClassifier(hidden_size=4, num_layers=1, max_epochs=3, random_state=0, n_threads=1)


@pytest.fixture
def small():
    return make_small()


@pytest.fixture
def search(data, small):
    """Run a small search with other arguments as wanted."""

    def run(estimator=small, data=data, **arguments):
        usual = {"space": SPACE, "pinned": USUAL, "n_trials": 3, "folds": 2, "refit": False}
        return tune(estimator, *data, **{**usual, **arguments})

    return run


@pytest.fixture(scope="session")
def whole():
    """A search of twelve trials that nothing interrupted."""
    return tune(make_small(), *make_data(), space=SPACE, pinned=USUAL, n_trials=12, folds=2, refit=False)


def without_time(trials):
    return [{name: value for name, value in trial.items() if name != "seconds"} for trial in trials]
