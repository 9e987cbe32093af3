"""From raw sequences to the network's columns: categories, missing values, scale; learned on training data alone."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.data import Preparation, Sequences, Standardiser, as_sequences
from elman.data.vocabulary import MOST_ONE_HOT, Vocabulary, default_size
from elman.errors import DataError, ParameterError

NAN = np.nan


def sequences_of(*arrays, names=None, categories=None, step_feature=None):
    offsets = np.cumsum([0, *(len(array) for array in arrays)])
    return Sequences(np.concatenate(arrays).astype(np.float64), offsets, names, categories, step_feature)


def with_everything(seed=0, n=6):
    """Give sequences of a number, a category of 3 names, one of 12, and a step length, which alone has no gaps."""
    rng = np.random.default_rng(seed)
    arrays = []
    for length in rng.integers(1, 9, n):
        numbers = rng.normal(5, 3, length)
        few, many = rng.integers(0, 3, length), rng.integers(0, 12, length)
        array = np.column_stack([numbers, few, many, rng.exponential(10, length)])
        array[:, :3][rng.random((length, 3)) < 0.3] = NAN
        arrays.append(array)
    categories = (None, ("sun", "rain", "snow"), tuple("abcdefghijkl"), None)
    return sequences_of(*arrays, names=("x", "sky", "code", "step length"), categories=categories, step_feature=3)


# Numbers alone


def test_plain_numbers_have_the_bits_of_a_standardiser():
    raw = as_sequences([np.random.default_rng(1).normal(3, 2, (length, 3)) for length in (5, 1, 70)])
    for dtype in (np.float32, np.float64):
        expected = Standardiser.fit(raw).apply(raw, dtype).values
        assert np.array_equal(Preparation.fit(raw).apply(raw, dtype).values, expected)
        assert np.array_equal(Preparation.fit(raw, missing="indicator").apply(raw, dtype).values, expected)
    plain = Preparation.fit(raw, standardise=False)
    assert np.array_equal(plain.apply(raw, np.float64).values, raw.values)
    assert (plain.n_columns, plain.embeddings) == (3, ())


def test_the_summary_of_plain_numbers_is_they_themselves():
    raw = as_sequences([[1.0, 2.0]])
    assert Preparation.fit(raw).summarised(raw) is raw


# Missing values


def test_the_last_value_is_carried_forward_and_the_training_mean_stands_at_the_start():
    training = sequences_of([[NAN], [4.0], [NAN], [NAN], [8.0]], [[NAN], [3.0]])
    prepared = Preparation.fit(training, missing="indicator", standardise=False).apply(training, np.float64)
    values, missing, since = prepared.values.T
    assert values.tolist() == [5.0, 4.0, 4.0, 4.0, 8.0, 5.0, 3.0]
    assert missing.tolist() == [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    assert np.expm1(since).round(12).tolist() == [1.0, 0.0, 1.0, 2.0, 0.0, 1.0, 0.0]
    assert prepared.offsets.tolist() == [0, 5, 7]


def test_time_since_is_told_in_step_lengths_where_they_are_known():
    array = [[1.0, 0.0], [NAN, 60.0], [NAN, 5.0], [2.0, 7.0], [NAN, 3.0]]
    training = sequences_of(array, names=("x", "step length"), step_feature=1)
    prepared = Preparation.fit(training, missing="indicator", standardise=False).apply(training, np.float64)
    assert np.expm1(prepared.values[:, 3]).round(9).tolist() == [0.0, 60.0, 65.0, 0.0, 3.0]


def test_a_step_length_that_is_missing_adds_no_time():
    training = sequences_of([[1.0, 0.0], [NAN, NAN], [NAN, 5.0]], names=("x", "step length"), step_feature=1)
    preparation = Preparation.fit(training, missing="indicator", standardise=False)
    since = preparation.apply(training, np.float64).values[:, preparation.n_columns - 2]
    assert np.expm1(since).round(9).tolist() == [0.0, 0.0, 5.0]


def test_a_column_of_the_user_that_is_called_step_length_is_no_clock():
    training = sequences_of([[1.0, 70.0], [NAN, 60.0], [NAN, 50.0]], names=("x", "step length"))
    preparation = Preparation.fit(training, missing="indicator", standardise=False)
    assert preparation.step_feature is None
    prepared = preparation.apply(training, np.float64).values
    assert np.expm1(prepared[:, 3]).round(9).tolist() == [0.0, 1.0, 2.0]


def test_the_clock_stays_with_its_feature():
    training = sequences_of([[1.0, 0.0], [2.0, 60.0]], [[3.0, 0.0]], names=("x", "step length"), step_feature=1)
    assert training.select(["step length", "x"]).step_feature == 0
    assert training.select(["x"]).step_feature is None
    assert training[[1]].step_feature == training.between(0, 1).step_feature == 1
    assert training.with_values(training.values + 1).step_feature == 1
    assert training.with_values(training.values[:, :1]).step_feature is None


def test_gaps_are_found_with_the_weights_of_their_own_steps(monkeypatch):
    monkeypatch.setattr("elman.data.preparation._RUN", 2)  # several runs, each with weights of its own
    training = sequences_of([[1.0, 1.0], [2.0, 2.0]], [[NAN, 3.0]], [[4.0, NAN]])
    preparation = Preparation.fit(training, missing="indicator", weights=np.array([1.0, 0.0, 1.0]))
    assert preparation.gaps == (1,)


def test_a_numbered_kind_that_is_missing_is_no_kind_called_nan():
    training = sequences_of([[2.0, 0.5], [NAN, 0.5], [7.0, 0.5], [2.0, 0.5]])
    vocabulary = Vocabulary.fit(training, 0)
    assert vocabulary.names == ("2", "7")
    assert vocabulary.ids(training).tolist() == [1, 0, 2, 1]


def test_numbered_kinds_with_fractions_are_the_same_in_both_precisions():
    double = sequences_of([[0.1], [0.7], [0.1], [-2.5], [3.0]])
    single = double.with_values(double.values.astype(np.float32))
    widened = single.with_values(single.values.astype(np.float64))
    for training in (double, single, widened):
        vocabulary = Vocabulary.fit(training, 0)
        assert vocabulary.names == ("0.1", "-2.5", "0.7", "3")
        assert {tuple(vocabulary.ids(other)) for other in (double, single, widened)} == {(1, 3, 1, 2, 4)}


def test_standardising_leaves_gaps_out_and_indicators_as_they_are():
    training = sequences_of([[1.0], [NAN], [5.0]], [[NAN], [NAN], [NAN]])
    prepared = Preparation.fit(training, missing="indicator").apply(training, np.float64)
    assert prepared.values[:, 0].tolist() == [-1.0, -1.0, 1.0, 0.0, 0.0, 0.0]
    assert prepared.values[:, 1].tolist() == [0.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    assert prepared.values[:, 2].mean() == pytest.approx(0, abs=1e-15)
    assert prepared.values[:, 2].std() == pytest.approx(1)


def test_only_training_data_is_learned_from():
    training, other = sequences_of([[1.0], [NAN], [3.0]]), sequences_of([[NAN], [100.0], [NAN]])
    preparation = Preparation.fit(training, missing="indicator", standardise=False)
    assert preparation.apply(other, np.float64).values[:, 0].tolist() == [2.0, 100.0, 100.0]
    assert preparation.start.tolist() == [2.0]


def test_a_feature_missing_only_later_is_filled_in_without_a_column():
    training = sequences_of([[1.0, 2.0], [3.0, NAN]])
    preparation = Preparation.fit(training, missing="indicator", standardise=False)
    assert preparation.gaps == (1,)
    later = sequences_of([[NAN, 5.0], [7.0, 5.0], [NAN, 5.0]])
    assert preparation.apply(later, np.float64).values.tolist() == [[2, 5, 0, 0], [7, 5, 0, 0], [7, 5, 0, 0]]


def test_a_feature_without_any_value_in_training_does_no_harm():
    training = sequences_of([[1.0, NAN], [3.0, NAN]])
    preparation = Preparation.fit(training, missing="indicator")
    assert np.isfinite(preparation.apply(training).values).all()


# Categories


def test_names_are_numbered_by_falling_frequency_and_then_by_name():
    raw = sequences_of([[2.0], [0.0], [1.0]], [[2.0], [NAN]], categories=(("b", "a", "z", "never"),))
    vocabulary = Vocabulary.fit(raw, 0)
    assert vocabulary.names == ("z", "a", "b")
    assert vocabulary.ids(raw).tolist() == [1, 3, 2, 1, 0]


def test_a_category_of_few_names_becomes_a_column_each_in_its_place():
    categories = (None, ("sun", "rain"), None)
    training = sequences_of([[1.0, 0.0, 7.0], [2.0, 1.0, 8.0], [3.0, 1.0, 9.0]], categories=categories)
    preparation = Preparation.fit(training, standardise=False)
    assert preparation.apply(training, np.float64).values.tolist() == [[1, 0, 1, 7], [2, 1, 0, 8], [3, 1, 0, 9]]
    unseen = sequences_of([[4.0, 1.0, 1.0], [5.0, 0.0, 1.0]], categories=(None, ("rain", "hail"), None))
    assert preparation.apply(unseen, np.float64).values.tolist() == [[4, 0, 0, 1], [5, 1, 0, 1]]
    assert preparation.embeddings == ()


def test_a_category_of_many_names_becomes_one_column_of_ids():
    names = tuple(f"n{k}" for k in range(MOST_ONE_HOT + 1))
    training = sequences_of([[k, 1.0] for k in range(len(names))], categories=(names, None))
    preparation = Preparation.fit(training, standardise=False)
    assert preparation.embeddings == ((0, 10, default_size(9)),)
    assert preparation.apply(training, np.float64).values[:, 0].tolist() == list(range(1, 10))
    assert Preparation.fit(training, embedding_size=5).embeddings == ((0, 10, 5),)


def test_ids_and_ones_are_not_standardised():
    raw = with_everything()
    preparation = Preparation.fit(raw, missing="indicator")
    values = preparation.apply(raw, np.float64).values
    assert np.array_equal(values[:, 1:4].sum(axis=1), ~np.isnan(raw.values[:, 1]))
    assert set(values[:, 4]) <= set(range(13))
    n_names = len(preparation.vocabularies[1].names)
    assert preparation.embeddings == ((4, n_names + 1, default_size(n_names)),)
    assert values[:, 5].mean() == pytest.approx(0, abs=1e-14)


def test_quantities_are_the_columns_of_neither_kinds_nor_gaps():
    preparation = Preparation.fit(with_everything(), missing="indicator")
    assert preparation.n_columns == 8, "x, 3 skies, a code, the step length, whether and since when x is missing"
    assert preparation.quantities.tolist() == [0, 5]
    assert Preparation.fit(as_sequences(["abba", "ca"])).quantities.tolist() == []
    assert Preparation.fit(sequences_of([[1.0, 2.0]]), missing="indicator").quantities is None


def test_tokens_are_embedded_however_few():
    texts = as_sequences(["abba", "b"])
    preparation = Preparation.fit(texts)
    assert preparation.embeddings == ((0, 3, 3),)
    assert preparation.apply(texts).values.ravel().tolist() == [2, 1, 1, 2, 1]
    assert preparation.apply(as_sequences(["b?a"])).values.ravel().tolist() == [1, 0, 2]


def test_numbers_may_be_named_as_kinds_by_index_or_name():
    training = sequences_of([[7.0, 1.5], [9.0, 2.5], [7.0, 3.5]], names=("kind", "x"))
    by_name = Preparation.fit(training, categorical_features=["kind"], standardise=False)
    by_index = Preparation.fit(training, categorical_features=[0], standardise=False)
    for preparation in (by_name, by_index):
        assert preparation.vocabularies[0].names == ("7", "9")
        assert preparation.apply(training, np.float64).values.tolist() == [[1, 0, 1.5], [0, 1, 2.5], [1, 0, 3.5]]
    as_text = sequences_of([[1.0, 1.5]], names=("kind", "x"), categories=(("7", "9"), None))
    assert by_name.apply(as_text).values.tolist() == [[0, 1, 1.5]]
    in_float32 = Sequences(np.array([[9.0, 1.5]], np.float32), np.array([0, 1]))
    assert by_name.apply(in_float32).values.tolist() == [[0, 1, 1.5]]


@pytest.mark.parametrize(
    ("n_names", "size"), [(1, 2), (2, 3), (9, 6), (26, 10), (100, 21), (200, 31), (1000, 32), (2**20, 32)]
)
def test_the_size_of_an_embedding_follows_the_stated_rule(n_names, size):
    assert default_size(n_names) == size


def test_the_summary_has_a_column_of_0_and_1_for_each_name():
    texts = as_sequences(["abba", "c"])
    preparation = Preparation.fit(texts)
    assert preparation.summarised(texts).values.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert preparation.n_summarised == (0, 3)
    assert preparation.summarised(texts).categories == (("any other", "this name"),) * 3
    raw = with_everything()
    preparation = Preparation.fit(raw, missing="indicator")
    n_numbers, n_names = preparation.n_summarised
    summarised = preparation.summarised(raw)
    assert (n_numbers, summarised.n_features) == (2 + 2, n_numbers + n_names)
    assert np.array_equal(summarised.values[:, n_numbers : n_numbers + 3], preparation.apply(raw).values[:, 1:4])
    assert np.isfinite(preparation.summarised(raw).values).all()


# Promises about all of it


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_a_sequence_is_prepared_alike_alone_in_any_order_and_up_to_any_step(seed, random):
    raw = with_everything(seed)
    preparation = Preparation.fit(with_everything(), missing="indicator")
    together = preparation.apply(raw, np.float64)
    order = random.sample(range(len(raw)), len(raw))
    shuffled = preparation.apply(raw[order], np.float64)
    for place, n in enumerate(order):
        alone = preparation.apply(raw[[n]], np.float64).values
        assert np.array_equal(alone, together[n])
        assert np.array_equal(shuffled[place], together[n])
        beginning = Sequences(raw[n][:1].copy(), np.array([0, 1]), raw.feature_names, raw.categories)
        assert np.array_equal(preparation.apply(beginning, np.float64).values, alone[:1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_weights_are_copies(seed):
    raw = with_everything(seed)
    counts = np.random.default_rng(seed).integers(0, 3, len(raw))
    if not counts.any():
        counts[0] = 1
    weighted = Preparation.fit(raw, missing="indicator", weights=counts.astype(np.float64))
    repeated = Preparation.fit(raw[np.repeat(np.arange(len(raw)), counts)], missing="indicator")
    assert weighted.vocabularies == repeated.vocabularies
    assert weighted.gaps == repeated.gaps
    np.testing.assert_allclose(weighted.start, repeated.start, rtol=1e-12)
    np.testing.assert_allclose(weighted.standardiser.mean, repeated.standardiser.mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(weighted.standardiser.scale, repeated.standardiser.scale, rtol=1e-9)


def test_large_data_is_prepared_a_part_at_a_time_to_the_same_bits(monkeypatch):
    raw = with_everything(3, n=50)
    whole = Preparation.fit(raw, missing="indicator")
    expected, summary = whole.apply(raw).values, whole.summarised(raw).values
    monkeypatch.setattr("elman.data.preparation._RUN", 16)
    assert np.array_equal(whole.apply(raw).values, expected)
    assert np.array_equal(whole.summarised(raw).values, summary)
    in_parts = Preparation.fit(raw, missing="indicator")
    np.testing.assert_allclose(in_parts.standardiser.mean, whole.standardiser.mean, rtol=1e-13, atol=1e-15)


def test_read_only_input_stays_as_it_is():
    raw = with_everything()
    raw.values.flags.writeable = False
    before = raw.values.copy()
    Preparation.fit(raw, missing="indicator").apply(raw)
    assert np.array_equal(raw.values, before, equal_nan=True)


# What is refused


@pytest.mark.parametrize("feature", ["hue", 2, -1])
def test_a_categorical_feature_that_is_not_there_is_refused(feature):
    raw = sequences_of([[1.0, 2.0]], names=("x", "y"))
    message = f"'categorical_features' parameter must hold indices or names of features, of 'x', 'y'. Got {feature!r}"
    with pytest.raises(ParameterError, match=re.escape(message)):
        Preparation.fit(raw, categorical_features=[feature])


def test_other_features_than_in_training_are_refused():
    preparation = Preparation.fit(sequences_of([[1.0, 0.0]], categories=(None, ("sun",))))
    for other, message in (
        (sequences_of([[1.0]]), "The data must have 2 features a step, as in training. Got 1 instead."),
        (sequences_of([[1.0, 0.0]]), "Feature 1 must hold text, as in training, where it held 'sun'. Got numbers"),
        (sequences_of([[0.0, 0.0]], categories=(("a",), ("sun",))), "Feature 0 must hold numbers, as in training."),
    ):
        with pytest.raises(DataError, match=re.escape(message)):
            preparation.apply(other)


def test_a_value_too_far_is_named_by_its_feature_and_not_by_its_column():
    training = sequences_of([[0.0, 0.0], [1.0, 1e-30]], categories=(("a", "b"), None))
    preparation = Preparation.fit(training)
    far = sequences_of([[0.0, 0.0]], [[0.0, 0.0], [0.0, 1e30]], categories=(("a", "b"), None))
    with pytest.raises(DataError, match="Sequence 4, step 1, feature 1: the value 1e"):
        preparation.apply(far, first=3)


def test_a_gap_is_refused_where_gaps_are_errors():
    with pytest.raises(
        DataError, match=r"The training data\[0\], step 1, feature 0: expected a finite number, got NaN"
    ):
        Preparation.fit(sequences_of([[1.0], [NAN]]))
    preparation = Preparation.fit(sequences_of([[1.0], [2.0]]))
    with pytest.raises(DataError, match="Sequence 0, step 1, feature 0: expected a number, got NaN"):
        preparation.apply(sequences_of([[1.0], [NAN]]))


def test_data_of_gaps_alone_is_refused():
    with pytest.raises(DataError, match="must hold a value somewhere"):
        Preparation.fit(sequences_of([[NAN, NAN]], categories=(("a",), ("b",))), missing="indicator")
