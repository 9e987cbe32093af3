"""Standardisation: fitted in float64, sound for large offsets, constants and float32."""

import re

import numpy as np
import pytest

from elman.data import Sequences, Standardiser, as_sequences
from elman.errors import DataError


@pytest.fixture
def training():
    rng = np.random.default_rng(1)
    return as_sequences([rng.normal([3, -50, 0.01], [2, 10, 1e-4], size=(length, 3)) for length in (5, 40, 17)])


def test_training_data_gets_mean_zero_and_deviation_one(training):
    scaled = Standardiser.fit(training).apply(training, np.float64)
    np.testing.assert_allclose(scaled.values.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.values.std(axis=0), 1, rtol=1e-13)


def test_mean_and_scale_are_those_of_numpy(training):
    standardiser = Standardiser.fit(training)
    np.testing.assert_allclose(standardiser.mean, training.values.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(standardiser.scale, training.values.std(axis=0), rtol=1e-13)
    assert standardiser.mean.dtype == standardiser.scale.dtype == np.float64


def test_other_data_is_scaled_by_what_was_fitted(training):
    standardiser = Standardiser(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 0.5]))
    other = as_sequences([[[3.0, 2.0, 4.0]], [[1.0, 6.0, 3.0], [0.0, 0.0, 0.0]]])
    scaled = standardiser.apply(other)
    assert scaled.values.tolist() == [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [-0.5, -0.5, -6.0]]
    assert scaled.offsets.tolist() == [0, 1, 3]
    assert scaled.values.dtype == np.float32


def test_a_large_offset_costs_no_precision():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(200_000, 1))
    far = as_sequences([noise + 1e9])
    standardiser = Standardiser.fit(far)
    exact = (noise + 1e9) - 1e9
    np.testing.assert_allclose(standardiser.scale, exact.std(axis=0), rtol=1e-10)
    np.testing.assert_allclose(standardiser.mean - 1e9, exact.mean(axis=0), atol=1e-6)


def test_float32_data_is_measured_in_float64():
    values = np.random.default_rng(3).normal(1000, 1e-2, size=(100_000, 2)).astype(np.float32)
    standardiser = Standardiser.fit(as_sequences([values]))
    np.testing.assert_allclose(standardiser.mean, values.astype(np.float64).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(standardiser.scale, values.astype(np.float64).std(axis=0), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, 1e-300, 123456.789])
def test_a_constant_feature_becomes_exactly_zero_and_has_scale_one(value):
    rng = np.random.default_rng(4)
    values = np.column_stack([np.full(1001, value), rng.normal(size=1001)])
    sequences = as_sequences([values])
    standardiser = Standardiser.fit(sequences)
    assert standardiser.scale[0] == 1
    assert standardiser.mean[0] == value
    assert (standardiser.apply(sequences).values[:, 0] == 0).all()


def test_rounding_noise_on_a_constant_is_not_blown_up():
    values = np.full((1000, 1), 0.3)
    values[::2] = 0.1 + 0.2
    assert Standardiser.fit(as_sequences([values])).scale[0] == 1


def test_one_step_is_enough():
    standardiser = Standardiser.fit(as_sequences([[5.0]]))
    assert (standardiser.mean[0], standardiser.scale[0]) == (5.0, 1.0)


def test_the_largest_values_do_not_overflow():
    sequences = as_sequences([[1e38, -1e38, 0.0]])
    scaled = Standardiser.fit(sequences).apply(sequences)
    np.testing.assert_allclose(scaled.values.ravel(), [1.5**0.5, -(1.5**0.5), 0], rtol=1e-6)


def test_nothing_to_fit_is_an_error():
    with pytest.raises(DataError, match="at least one step"):
        Standardiser.fit(Sequences(np.empty((0, 1)), np.array([0])))


def test_another_number_of_features_is_an_error(training):
    with pytest.raises(DataError, match=re.escape("must have 3 features a step, as in training. Got 1 instead.")):
        Standardiser.fit(training).apply(as_sequences([[1.0]]))


def test_a_value_that_would_overflow_is_named_not_clipped():
    standardiser = Standardiser(np.array([0.0]), np.array([1e-10]))
    with pytest.raises(DataError, match="Sequence 1, step 1, feature 0: the value 1e"):
        standardiser.apply(as_sequences([[0.0], [0.0, 1e30]]))


def test_names_survive():
    named = Sequences(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 2]), ("x", "y"))
    assert Standardiser.fit(named).apply(named).feature_names == ("x", "y")


def test_missing_values_count_for_nothing():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [5.0, np.nan]])
    standardiser = Standardiser.fit(Sequences(values, np.array([0, 4])))
    assert standardiser.mean.tolist() == [3.0, 0.0]
    assert standardiser.scale == pytest.approx([np.std([1, 3, 5]), 1.0])


def test_a_weight_is_a_number_of_copies_and_zero_is_absence():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(40, 3))
    values[rng.random((40, 3)) < 0.2] = np.nan
    weights = rng.integers(0, 4, 40).astype(np.float64)
    weighted = Standardiser.fit(Sequences(values, np.array([0, 40])), weights)
    copies = np.repeat(values, weights.astype(int), axis=0)
    repeated = Standardiser.fit(Sequences(copies, np.array([0, len(copies)])))
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-13)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-13)
