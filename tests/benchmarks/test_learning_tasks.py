"""The tasks of the learning benchmark ask what they say; its table tells a target that was missed."""

import numpy as np
from benchmarks.learning import Run, row
from benchmarks.tasks import TASKS, UNLABELLED, Task, adding, copy_memory, parity, temporal_order


def rng():
    return np.random.default_rng(0)


def test_the_label_of_adding_is_the_tenth_that_the_marked_sum_lies_in():
    (X, y), _ = adding(rng(), T=20)
    steps = X.values.reshape(-1, 20, 2)
    marked = steps[..., 1] == 1
    assert (marked[:, :10].sum(axis=1) == 1).all()
    assert (marked[:, 10:].sum(axis=1) == 1).all()
    sums = (steps[..., 0] * marked).sum(axis=1)
    assert ((sums >= y / 5) & (sums <= (y + 1) / 5)).all()


def test_temporal_order_tells_two_symbols_apart_by_kind_and_place():
    (X, y), _ = temporal_order(rng())
    for x, label in zip(X, y):
        told = [symbol - 4 for symbol in x.argmax(axis=1) if symbol in (4, 5)]
        assert 2 * told[0] + told[1] == label


def test_copy_memory_asks_for_what_was_shown_first():
    (X, y), _ = copy_memory(rng(), T=7)
    shown = X.values.argmax(axis=1).reshape(-1, 27)
    assert np.array_equal(shown[:, :10], y[:, -10:])
    assert (y[:, :-10] == UNLABELLED).all()


def test_parity_is_that_of_the_ones():
    (X, y), _ = parity(rng())
    assert all(x.sum() % 2 == label for x, label in zip(X, y))
    assert max(map(len, X)) == 30


def test_test_data_are_not_training_data():
    for task in TASKS:
        if task.name in ("adding, T = 200", "temporal order, T = 100"):
            (X, _), (X_test, _) = task.draw(rng())
            assert not {x.tobytes() for x in X}.intersection(x.tobytes() for x in X_test)


def test_the_table_says_whether_a_target_was_reached():
    def told(accuracy):
        run = Run(task="t", seed=0, accuracy=accuracy, majority=0.5, summary_statistics=0.6, seconds=1.0, epochs=1,
                  chosen={})  # fmt: skip
        return row(Task("t", parity, 0.9, ""), [run])

    assert "| >= 0.900 yes |" in told(0.9)
    assert "| >= 0.900 NO |" in told(0.8999)
