"""Folds of a cross-validation: every sequence once, classes spread, groups whole."""

import numpy as np
import pytest

from elman import DataError, SequenceClassifier, SequenceTagger
from elman.estimators.folds import Folds, Labelled

X = [np.full(n % 3 + 1, float(n)) for n in range(24)]
Y = np.array(["a", "b", "c"] * 8)


def read(y=Y, groups=None, weights=None, estimator=None):
    return Labelled.read(estimator or SequenceClassifier(), X, y, weights, groups)


def test_every_sequence_is_held_out_once_and_classes_are_spread():
    folds = Folds.of(read(), 4, every_step=False, seed=0)
    assert np.sort(np.concatenate(folds.held_out)).tolist() == list(range(24))
    for held_out in folds.held_out:
        assert np.unique(Y[held_out], return_counts=True)[1].tolist() == [2, 2, 2]
    again = Folds.of(read(), 4, every_step=False, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(folds.held_out, again.held_out))


def test_no_group_is_on_both_sides_and_values_go_with_their_labels():
    groups = np.arange(24) // 3 % 6
    for held_out, fold in zip(
        Folds.of(read(groups=groups), 3, every_step=False, seed=1).held_out,
        Folds.of(read(groups=groups), 3, every_step=False, seed=1),
    ):
        rest = np.setdiff1d(np.arange(24), held_out)
        assert not set(groups[held_out]) & set(groups[rest])
        sequences, labels, _ = fold["validation"]
        assert [sequence[0, 0] for sequence in sequences] == held_out.tolist()
        assert labels.tolist() == Y[held_out].tolist()
        assert [sequence[0, 0] for sequence in fold["X"]] == rest.tolist()
        assert fold["y"].tolist() == Y[rest].tolist()


def test_what_is_of_a_class_that_training_lacks_is_not_measured():
    y = Y.copy()
    y[5] = "z"
    folds = Folds.of(read(y), 3, every_step=False, seed=0)
    measured = [label for fold in folds for label in fold["validation"][1]]
    assert "z" not in measured
    assert len(measured) == 23
    assert sum("z" in fold["y"] for fold in folds) == 2


def test_steps_of_a_class_that_training_lacks_are_left_without_a_label():
    y = [np.where(x == x, Y[n], "").astype(object) for n, x in enumerate(X)]
    y[5][:] = "z"
    tagger = SequenceTagger()
    folds = Folds.of(Labelled.read(tagger, X, y, None, None), 3, every_step=True, seed=0)
    unlabelled = [sum(label is None for label in fold["validation"][1]) for fold in folds]
    assert sorted(unlabelled) == [0, 0, len(X[5])]


def test_weights_go_along_and_sequences_of_weight_zero_are_left_out():
    weights = np.arange(24.0)
    whole = read(weights=weights)
    assert len(whole.sequences) == 23
    for fold in Folds.of(whole, 2, every_step=False, seed=0):
        assert fold["sample_weight"].tolist() == [sequence[0, 0] for sequence in fold["X"]]


def test_a_digest_tells_data_apart():
    digests = {
        read().digest(),
        read(np.roll(Y, 1)).digest(),
        read(groups=np.arange(24)).digest(),
        read(weights=np.full(24, 2.0)).digest(),
        Labelled.read(SequenceClassifier(), [x + 1 for x in X], Y, None, None).digest(),
    }
    assert len(digests) == 5
    assert read().digest() == read().digest()


def test_too_many_folds_are_refused():
    with pytest.raises(DataError, match="9 folds need a class with as many sequences"):
        Folds.of(read(), 9, every_step=False, seed=0)
    with pytest.raises(DataError, match=r"3 folds need at least as many groups\. Got 2"):
        Folds.of(read(groups=np.arange(24) % 2), 3, every_step=False, seed=0)
    with pytest.raises(DataError, match="A fold holds out no class that the others have"):
        list(Folds.of(read(groups=Y), 3, every_step=False, seed=0))
