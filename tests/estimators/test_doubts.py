"""Warnings with advice: said once, with the number behind them, of ill data; not of healthy data."""

import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from elman import SequenceClassifier, Sequences, SequenceTagger
from elman.data import as_sequences
from elman.estimators.doubts import _ranges
from elman.estimators.duplicates import find_duplicates
from elman.training.samples import Samples

CLASSIFIER = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0)
TAGGER = SequenceTagger(hidden_size=2, max_epochs=1, random_state=0)


def told(model, *data, **more):
    """The sentences that a fit warns with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clone(model).fit(*data, **more)
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


def healthy(n=60, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(4, 9), n_features)) for _ in range(n)], np.arange(n) % 3


def test_healthy_data_is_not_doubted(ragged, parity):
    assert told(CLASSIFIER, *ragged) == []
    assert told(CLASSIFIER, *healthy()) == []
    assert told(TAGGER, *parity) == []
    assert told(clone(CLASSIFIER).set_params(standardise=False), *healthy()) == []


def test_labels_that_never_change_are_doubted():
    X, y = healthy()
    [sentence] = told(TAGGER, X, [np.full(len(x), label) for x, label in zip(X, y)])
    assert sentence.startswith("Labels never change within a sequence: each of the 48 sequences with several has one")
    assert "use SequenceClassifier" in sentence
    partly = [np.where(np.arange(len(x)) < 2, str(label), "") for x, label in zip(X, y)]
    assert len(told(clone(TAGGER).set_params(unlabelled=""), X, partly)) == 1
    changed = [np.full(len(x), label) for x, label in zip(X, y)]
    for labels in changed[:20]:
        labels[0] = (labels[0] + 1) % 3
    assert told(TAGGER, X, changed) == []


def test_single_steps_prove_nothing_about_labels_of_steps():
    X, y = healthy()
    first = [np.where(np.arange(len(x)) < 1, str(label), "") for x, label in zip(X, y)]
    assert told(clone(TAGGER).set_params(unlabelled=""), X, first) == []


def test_a_class_all_but_missing_in_validation_is_named():
    X, y = healthy()
    y = np.array(["many", "few", "none"])[y]
    held_out = X[:9], np.array(["many"] * 8 + ["few"])
    [sentence] = told(CLASSIFIER, X[9:], y[9:], validation=held_out)
    assert sentence.startswith("The validation part has fewer than 2 labels of 'few' (1), 'none' (0), so it says noth")
    assert "validation_fraction=..." in sentence
    weights = np.r_[np.ones(8), 0.0]
    assert "'few' (0)" in told(CLASSIFIER, X[9:], y[9:], validation=(*held_out, weights))[0]
    rare = np.where(np.arange(60) < 4, "rare", "common")
    assert "fewer than 2 labels of 'rare' (1), so it says nothing about it" in told(CLASSIFIER, X, rare)[0]


def test_of_many_missing_classes_some_are_named():
    X, _ = healthy(40)
    [sentence] = told(CLASSIFIER, X[:30], np.arange(30) % 15, validation=(X[30:], np.arange(10) % 2))
    assert "9 (0) and 5 more, so" in sentence


def test_features_without_any_change_are_named():
    X, y = healthy()
    for x in X:
        x[:, 1] = 7.5
    [sentence] = told(CLASSIFIER, X, y)
    assert sentence.startswith("Constant in all 48 sequences of the training part: feature 1. Nothing can be learned")
    flat = as_sequences(X)
    named = Sequences(flat.values, flat.offsets, ("x", "still", "z"))
    for model in (CLASSIFIER, clone(CLASSIFIER).set_params(standardise=False)):
        assert "training part: 'still'." in told(model, named, y)[0]


def test_a_feature_that_tells_by_missing_is_not_constant():
    X, y = healthy()
    for x, label in zip(X, y):
        x[:, 1] = np.where(np.arange(len(x)) % 3 == label, np.nan, 1.0)
    assert told(clone(CLASSIFIER).set_params(missing="indicator"), X, y) == []


@pytest.mark.parametrize(
    ("factors", "shift", "sentence"),
    [
        (
            [1.0, 1.0, 5000.0],
            0.0,
            r"Deviations reach from [01]\S* \(feature [01]\) to \d\S* \(feature 2\), and",
        ),
        ([1.0, 1.0, 1.0], 20_000.0, r"Values reach from 2e\+04 to 2e\+04 \(feature [012]\), and a network learns best"),
    ],
)
def test_scales_that_a_network_cannot_use_are_doubted_where_they_stay(factors, shift, sentence):
    X, y = healthy()
    scaled = [x * factors + shift for x in X]
    [found] = told(clone(CLASSIFIER).set_params(standardise=False), scaled, y)
    assert re.match(sentence, found)
    assert told(CLASSIFIER, scaled, y) == []


def test_ranges_are_those_of_all_values_without_the_missing():
    rng = np.random.default_rng(0)
    values = rng.normal(1e6, [1, 2, 3], size=(100, 3))
    values[::7, 1] = np.nan
    low, high, deviation = _ranges(Sequences(values, np.arange(0, 101, 10)))
    assert np.array_equal(low, np.nanmin(values, axis=0))
    assert np.array_equal(high, np.nanmax(values, axis=0))
    assert np.allclose(deviation, np.nanstd(values, axis=0), rtol=1e-3)


def test_validation_sequences_that_were_trained_on_are_counted():
    X, y = healthy()
    [sentence] = told(CLASSIFIER, X, y, validation=(X[:6] + healthy(6, seed=1)[0], np.r_[y[:6], y[:6]]))
    assert sentence.startswith("6 of the 12 validation sequences (50%) are identical to sequences in training")
    assert "Drop duplicates, or keep them together with groups=...." in sentence


def test_levels_that_stay_all_along_are_no_repeats():
    rng = np.random.default_rng(0)
    levels, y = [np.full((30, 1), rng.integers(10) / 10) for _ in range(100)], np.arange(100) % 3
    assert told(CLASSIFIER, levels, y) == []


def test_patches_longer_than_any_sequence_are_doubted():
    X, y = healthy()
    longest = max(map(len, X))
    [sentence] = told(clone(CLASSIFIER).set_params(patch_size=longest + 1), X, y)
    assert sentence.startswith(f"patch_size={longest + 1} is more than the {longest} steps of the longest sequence")
    assert told(clone(CLASSIFIER).set_params(patch_size=longest), X, y) == []


def test_repeats_within_training_alone_are_not_doubted():
    X, y = healthy()
    assert told(CLASSIFIER, X + X, np.r_[y, y], validation=healthy(9, seed=1)) == []
    assert told(clone(CLASSIFIER).set_params(early_stopping=False), X + X, np.r_[y, y]) == []


def test_one_repeat_among_hundreds_is_not_doubted():
    X, y = healthy(600)
    held_out = X[300:], y[300:]
    assert told(CLASSIFIER, [*X[:299], X[300]], y[:300], validation=held_out) == []


def test_the_same_values_with_other_labels_are_counted():
    X, y = healthy()
    [sentence] = told(clone(CLASSIFIER).set_params(early_stopping=False), [*X, *X[:6]], np.r_[y, (y[:6] + 1) % 3])
    assert sentence.startswith("12 of 66 sequences (18%) are identical to one with another label")
    [sentence] = told(
        clone(TAGGER).set_params(early_stopping=False),
        [*X, X[0]],
        [*[np.arange(len(x)) % 3 for x in X], np.zeros(len(X[0]), int)],
    )
    assert sentence.startswith("2 of 61 sequences (3%) are identical to one with another label")


def test_sequences_without_all_labels_contradict_none():
    X, _ = healthy()
    y = [(np.arange(len(x)) % 3).astype(str) for x in X]
    half = np.where(np.arange(len(X[0])) < 2, y[0], "?")
    model = clone(TAGGER).set_params(early_stopping=False, unlabelled="?")
    assert told(model, [*X, X[0]], [*y, half]) == []


def test_words_are_doubted_and_short_bits_are_not():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnop"), 7)) for _ in range(100)]
    y = np.arange(100) % 2
    assert told(CLASSIFIER, words, y) == []
    [sentence] = told(CLASSIFIER, words + words[:50], np.r_[y, y[:50]])
    assert "validation sequences" in sentence
    assert "%) are identical to sequences in training" in sentence
    bits = [rng.integers(0, 2, size=(6, 1)).astype(float) for _ in range(100)]  # of 64 there are
    assert told(CLASSIFIER, bits, y) == []


def test_what_counts_as_a_repeat_by_chance():
    """Of N sequences of T bits a given one is met N / 2^T times by chance; below 0.01 it is no chance any more."""
    rng = np.random.default_rng(1)
    for n_steps, counts in ((10, False), (20, True)):
        bits = rng.integers(0, 2, size=(50, n_steps, 1)).astype(np.float32)
        bits[0], bits[1] = 0, 1  # apart from each other
        part = Samples(bits.reshape(-1, 1), np.arange(51) * n_steps, np.zeros(50, np.int64))
        found = find_duplicates(part, Samples(*part[:2], np.ones(50, np.int64)), every_step=False)
        assert found == ((50, 50, 100, 100) if counts else (0, 50, 0, 100))
