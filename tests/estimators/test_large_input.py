"""Predictions on large input: in bounded memory, with the bits and the errors of small input."""

import tracemalloc

import numpy as np
import pytest

from elman import DataError, SequenceClassifier, Sequences
from elman.estimators import runs


def test_runs_are_whole_sequences_in_their_order_and_views():
    values = np.arange(60.0).reshape(30, 2)
    sequences = Sequences(values, np.array([0, 4, 5, 17, 20, 30]))
    expected = {1: [1, 1, 1, 1, 1], 10: [2, 1, 1, 1], 26: [2, 1, 2], 33: [2, 2, 1], 34: [3, 2], 1000: [5]}
    for most, sizes in expected.items():
        runs = list(sequences.in_runs(most))
        assert [len(run) for run in runs] == sizes
        assert np.array_equal(np.concatenate([run.values for run in runs]), values)
        assert [len(x) for run in runs for x in run] == sequences.lengths.tolist()
        assert all(np.shares_memory(run.values, values) for run in runs)


def test_probabilities_have_the_same_bits_however_the_input_is_run_through(trained, unseen, monkeypatch):
    together = trained.predict_proba(unseen[0])
    monkeypatch.setattr(runs, "RUN", 40)
    assert np.array_equal(trained.predict_proba(unseen[0]), together)


def test_an_error_names_the_sequence_by_its_number_in_the_whole(ragged, monkeypatch):
    X, y = ragged
    classifier = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0).fit([x * 1e-3 for x in X], y)
    monkeypatch.setattr(runs, "RUN", 40)
    X = [x.copy() for x in X]
    X[13][2, 1] = 9e37
    with pytest.raises(DataError, match="Sequence 13, step 2, feature 1"):
        classifier.predict(X)


def test_memory_of_a_prediction_does_not_grow_with_the_input(trained):
    def peak(n):
        X = Sequences(np.zeros((n * 200, 2)), np.arange(0, n * 200 + 1, 200))
        tracemalloc.start()
        try:
            trained.predict(X)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    trained.predict(np.zeros((1, 4, 2)))
    small, large = peak(20_000), peak(60_000)  # 64 MB and 192 MB of values
    assert large - small < 40_000 * 150, "only what is handed out, and the numbers of the sequences"
    assert large < 130e6
