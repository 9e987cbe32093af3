"""The adding problem (Hochreiter & Schmidhuber 1997): two of T numbers are marked; is their sum above 1?

The marks are up to T steps from the end, so a network solves it only if gradients reach back that far.
"""

import numpy as np
import pytest

from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

STEPS = 100


def adding_problem(n: int, rng: np.random.Generator) -> Samples:
    values = np.zeros((n, STEPS, 2), np.float32)
    values[:, :, 0] = rng.uniform(0, 1, (n, STEPS))
    rows = np.arange(n)
    marks = rng.integers(0, STEPS // 2, n), rng.integers(STEPS // 2, STEPS, n)
    for mark in marks:
        values[rows, mark, 1] = 1
    total = sum(values[rows, mark, 0] for mark in marks)
    return Samples(values.reshape(-1, 2), np.arange(0, n * STEPS + 1, STEPS), (total > 1).astype(np.int64))


def accuracy_after_training(cell: str) -> float:
    rng = np.random.default_rng(0)
    training, fresh = adding_problem(2000, rng), adding_problem(1000, rng)
    network = Network(Architecture(2, 2, cell, hidden_size=32, bidirectional=False))
    network.initialise(rng)
    trainer = Trainer(network, TrainingSettings(learning_rate=0.01, max_epochs=25), rng)
    trainer.fit(training)
    return trainer.assess(fresh)[1]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gated_cell_learns_what_lies_a_hundred_steps_back(cell):
    assert accuracy_after_training(cell) >= 0.9


def test_a_plain_cell_does_not_which_shows_that_the_task_needs_it():
    assert accuracy_after_training("elman") < 0.6
