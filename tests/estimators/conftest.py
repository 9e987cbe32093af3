"""Small ragged data and models for the tests of estimators."""

import numpy as np
import pytest

from elman import SequenceClassifier


def make_ragged(n_sequences, seed):
    """Sequences (T_n, 2) of 5 to 16 steps that fall, stay or rise, and which they do."""
    rng = np.random.default_rng(seed)
    y = np.array(["falls", "rises", "stays"])[np.arange(n_sequences) % 3]
    slopes = {"falls": -1.0, "rises": 1.0, "stays": 0.0}
    X = []
    for label in y:
        n_steps = rng.integers(5, 17)
        trend = slopes[label] * np.arange(n_steps) + rng.normal(0, 0.5, n_steps)
        X.append(np.column_stack([trend, rng.normal(7, 3, n_steps)]))
    return X, y


@pytest.fixture(scope="session")
def ragged():
    return make_ragged(45, seed=1)


@pytest.fixture(scope="session")
def unseen():
    return make_ragged(22, seed=2)


@pytest.fixture(scope="session")
def trained(ragged):
    return SequenceClassifier(hidden_size=6, max_epochs=25, random_state=0).fit(*ragged)


@pytest.fixture(scope="session")
def parity():
    """Per-step labels: is the sum of the bits so far odd?"""
    rng = np.random.default_rng(3)
    X = [rng.integers(0, 2, size=(rng.integers(3, 9), 1)).astype(float) for _ in range(40)]
    y = [np.where(np.cumsum(x[:, 0]) % 2 == 1, "odd", "even") for x in X]
    return X, y
