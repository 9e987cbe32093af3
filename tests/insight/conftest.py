"""Small models of sequences that fall, stay or rise, and sequences that they have not seen."""

import numpy as np
import pytest

from elman import SequenceClassifier


def slopes(n_sequences, seed):
    """Sequences (T_n, 2) of 5 to 16 steps, and what they do."""
    rng = np.random.default_rng(seed)
    y = np.array(["falls", "rises", "stays"])[np.arange(n_sequences) % 3]
    steps = rng.integers(5, 17, n_sequences)
    drift = {"falls": -0.4, "rises": 0.4, "stays": 0.0}
    X = [
        np.column_stack([drift[label] * np.arange(T) + rng.normal(0, 0.7, T), rng.normal(7, 3, T)])
        for label, T in zip(y, steps)
    ]
    return X, y


@pytest.fixture(scope="session")
def seen():
    return slopes(45, seed=1)


@pytest.fixture(scope="session")
def unseen():
    return slopes(22, seed=2)


@pytest.fixture(scope="session")
def trained(seen):
    return SequenceClassifier(hidden_size=6, max_epochs=20, learning_rate=0.02, random_state=0).fit(*seen)
