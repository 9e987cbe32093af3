"""Splits: by class, by group, plainly."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.data import split_by_class, split_by_group, split_plain
from elman.errors import DataError, ParameterError


def rng():
    return np.random.default_rng(3)


def is_partition(training, validation, n):
    assert training.dtype == validation.dtype == np.int64
    assert (np.diff(training) > 0).all()
    assert (np.diff(validation) > 0).all()
    assert sorted([*training.tolist(), *validation.tolist()]) == list(range(n))


@pytest.mark.parametrize(
    ("count", "fraction", "expected"),
    [(10, 0.2, 2), (10, 0.25, 3), (2, 0.01, 1), (2, 0.99, 1), (3, 0.99, 2), (7, 0.5, 4), (100, 0.1, 10), (1, 0.5, 0)],
)
def test_each_class_gives_its_rounded_fraction_and_keeps_one(count, fraction, expected):
    labels = np.array([0] * count + [5] * 40)
    training, validation = split_by_class(labels, fraction, rng())
    assert (labels[validation] == 0).sum() == expected
    assert (labels[training] == 0).sum() == count - expected


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32 - 1),
)
def test_by_class_leaves_every_class_in_training_and_every_pair_in_validation(labels, fraction, seed):
    labels = np.array(labels)
    classes, counts = np.unique(labels, return_counts=True)
    if counts.max() == 1:
        with pytest.raises(DataError, match="each of a class of its own"):
            split_by_class(labels, fraction, np.random.default_rng(seed))
        return
    training, validation = split_by_class(labels, fraction, np.random.default_rng(seed))
    is_partition(training, validation, len(labels))
    assert set(labels[training]) == set(classes)
    assert set(labels[validation]) == set(classes[counts >= 2])
    again = split_by_class(labels, fraction, np.random.default_rng(seed))
    np.testing.assert_array_equal(validation, again[1])


def test_another_seed_gives_another_split():
    labels = np.repeat([0, 1], 50)
    splits = [split_by_class(labels, 0.3, np.random.default_rng(seed))[1].tolist() for seed in range(3)]
    assert splits[0] != splits[1] != splits[2]


def test_the_choice_within_a_class_is_uniform():
    labels = np.repeat([0, 1], 10)
    taken = np.zeros(20)
    generator = rng()
    for _ in range(2000):
        taken[split_by_class(labels, 0.3, generator)[1]] += 1
    np.testing.assert_allclose(taken / 2000, 0.3, atol=0.05)


def test_by_class_takes_text_labels():
    training, validation = split_by_class(np.array(["a", "b", "a", "b"]), 0.5, rng())
    is_partition(training, validation, 4)
    assert len(validation) == 2


def test_groups_stay_whole():
    groups = np.array(["ann", "bob", "cyd", "dan", "eve"]).repeat(8)
    labels = np.tile([0, 1], 20)
    training, validation = split_by_group(groups, labels, 0.2, rng())
    is_partition(training, validation, 40)
    assert not set(groups[training]) & set(groups[validation])
    assert len(validation) == 8  # one of five people is the fraction exactly


@given(st.data())
@settings(max_examples=200)
def test_by_group_keeps_every_class_in_training_or_says_why_not(data):
    n = data.draw(st.integers(2, 40))
    groups = np.array(data.draw(st.lists(st.sampled_from("abcdef"), min_size=n, max_size=n)))
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    possible = [g for g in set(groups) if set(labels[groups != g]) == set(labels)]
    fraction = data.draw(st.floats(0.05, 0.95))
    if not possible:
        with pytest.raises(DataError, match=r"at least two groups|every class in training"):
            split_by_group(groups, labels, fraction, rng())
        return
    training, validation = split_by_group(groups, labels, fraction, rng())
    is_partition(training, validation, n)
    assert len(validation) > 0
    assert set(labels[training]) == set(labels)
    assert not set(groups[training]) & set(groups[validation])


def test_by_group_comes_near_the_fraction_in_every_class():
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 60, 3000)
    labels = generator.integers(0, 4, 3000)
    for seed in range(5):
        _, validation = split_by_group(groups, labels, 0.2, np.random.default_rng(seed))
        shares = np.bincount(labels[validation]) / np.bincount(labels)
        np.testing.assert_allclose(shares, 0.2, atol=0.04)


def test_by_group_takes_the_least_bad_group_when_all_are_too_large():
    groups = np.array([0] * 30 + [1] * 10)
    labels = np.tile([0, 1], 20)
    _, validation = split_by_group(groups, labels, 0.1, rng())
    assert set(groups[validation]) == {1}


def test_one_group_cannot_be_split():
    with pytest.raises(
        DataError, match=re.escape("needs at least two groups. Got 1; split by class instead, without groups=....")
    ):
        split_by_group(np.array(["a"] * 4), np.array([0, 1, 0, 1]), 0.5, rng())


def test_groups_that_are_classes_cannot_be_split():
    with pytest.raises(DataError, match="leave every class in training"):
        split_by_group(np.array(["a", "a", "b", "b"]), np.array([0, 0, 1, 1]), 0.5, rng())


def test_groups_and_labels_must_match():
    with pytest.raises(DataError, match=r"one group a label, 3\. Got 2"):
        split_by_group(np.array(["a", "b"]), np.array([0, 0, 1]), 0.5, rng())


@pytest.mark.parametrize(("n", "fraction", "expected"), [(10, 0.3, 3), (2, 0.01, 1), (5, 0.99, 4)])
def test_plain_gives_the_fraction(n, fraction, expected):
    training, validation = split_plain(n, fraction, rng())
    is_partition(training, validation, n)
    assert len(validation) == expected


def test_plain_needs_two():
    with pytest.raises(DataError, match="Got 1"):
        split_plain(1, 0.5, rng())


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction):
    message = re.escape(f"in the range (0, 1). Got {fraction!r} instead.")
    with pytest.raises(ParameterError, match=message):
        split_plain(10, fraction, rng())
    with pytest.raises(ParameterError, match=message):
        split_by_class(np.array([0, 0]), fraction, rng())
    with pytest.raises(ParameterError, match=message):
        split_by_group(np.array([0, 1]), np.array([0, 0]), fraction, rng())
