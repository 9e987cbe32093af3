"""Sequences, and what as_sequences takes and refuses."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from elman.data import Sequences, as_sequences
from elman.errors import DataError


@pytest.fixture
def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, 3)) for length in (4, 1, 6, 2)]


def same(sequences, arrays):
    assert len(sequences) == len(arrays)
    for got, expected in zip(sequences, arrays):
        np.testing.assert_array_equal(got, expected)


# What Sequences promise


def test_values_lie_end_to_end_and_offsets_part_them(ragged):
    sequences = as_sequences(ragged)
    np.testing.assert_array_equal(sequences.values, np.concatenate(ragged))
    assert sequences.values.flags.c_contiguous
    assert sequences.offsets.tolist() == [0, 4, 5, 11, 13]
    assert sequences.offsets.dtype == np.int64
    assert sequences.lengths.tolist() == [4, 1, 6, 2]
    assert sequences.n_features == 3
    assert len(sequences) == 4


def test_an_int_gives_a_view_of_one_sequence(ragged):
    sequences = as_sequences(ragged)
    np.testing.assert_array_equal(sequences[2], ragged[2])
    np.testing.assert_array_equal(sequences[-1], ragged[3])
    np.testing.assert_array_equal(sequences[np.int64(1)], ragged[1])
    assert np.shares_memory(sequences[2], sequences.values)


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_out_of_range_raises_index_error_as_lists_do(ragged, index):
    with pytest.raises(IndexError, match=f"no sequence {index} among 4"):
        as_sequences(ragged)[index]


@pytest.mark.parametrize(
    ("index", "order"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -1), [3, 2, 1, 0]),
        ([2, 0, 2], [2, 0, 2]),
        (np.array([-1, 1]), [3, 1]),
        (np.array([True, False, True, False]), [0, 2]),
        ([], []),
        (slice(0, 0), []),
    ],
)
def test_several_are_chosen_as_numpy_chooses(ragged, index, order):
    chosen = as_sequences(ragged)[index]
    assert isinstance(chosen, Sequences)
    same(chosen, [ragged[n] for n in order])
    assert chosen.n_features == 3


def test_a_two_dimensional_index_is_refused(ragged):
    with pytest.raises(IndexError, match="one index"):
        as_sequences(ragged)[np.array([[0, 1]])]


def test_names_travel_with_a_choice_of_sequences():
    named = Sequences(np.arange(6.0).reshape(3, 2), np.array([0, 1, 3]), ("x", "y"))
    assert named[[1]].feature_names == ("x", "y")


def test_with_values_keeps_the_offsets(ragged):
    sequences = as_sequences(ragged)
    doubled = sequences.with_values(2 * sequences.values)
    same(doubled, [2 * array for array in ragged])
    named = Sequences(np.ones((3, 2)), np.array([0, 1, 3]), ("x", "y"))
    assert named.with_values(np.zeros((3, 2))).feature_names == ("x", "y")
    assert named.with_values(np.zeros((3, 5))).feature_names is None
    with pytest.raises(DataError, match="offsets"):
        sequences.with_values(sequences.values[1:])


def test_select_orders_features_by_name_and_drops_the_others():
    named = Sequences(np.arange(6.0).reshape(2, 3), np.array([0, 2]), ("x", "y", "z"))
    chosen = named.select(["z", "x"])
    assert chosen.values.tolist() == [[2.0, 0.0], [5.0, 3.0]]
    assert chosen.feature_names == ("z", "x")
    assert chosen.values.flags.c_contiguous
    assert named.select(("x", "y", "z")) is named


def test_select_names_what_is_missing():
    named = Sequences(np.ones((2, 2)), np.array([0, 2]), ("x", "y"))
    with pytest.raises(DataError, match=re.escape("lacks 'u', 'v'. It has 'x', 'y'.")):
        named.select(["x", "u", "v"])
    with pytest.raises(DataError, match="have no names"):
        as_sequences([[1.0, 2.0]]).select(["x"])


def test_repr_is_short_and_tells_the_shape(ragged):
    assert repr(as_sequences(ragged)) == "Sequences(4 sequences, 1 to 6 steps, 3 features, float64)"
    assert repr(as_sequences(np.ones((5, 7), np.float32))) == "Sequences(5 sequences, 7 steps, 1 feature, float32)"
    assert repr(as_sequences(ragged)[:0]) == "Sequences(0 sequences, 0 steps, 3 features, float64)"


@pytest.mark.parametrize(
    ("values", "offsets", "names", "message"),
    [
        (np.ones(3), np.array([0, 3]), None, "float32 or float64 array (S, D). Got float64 (3,)"),
        (np.ones((3, 1), int), np.array([0, 3]), None, "Got int64 (3, 1)"),
        ([[1.0]], np.array([0, 1]), None, "Got list"),
        (np.ones((3, 4)).T, np.array([0, 4]), None, "C-contiguous"),
        (np.ones((3, 0)), np.array([0, 3]), None, "at least one feature"),
        (np.ones((3, 1)), np.array([0, 3], np.int32), None, "int64 array (N + 1,). Got int32 (2,)"),
        (np.ones((3, 1)), np.array([], np.int64), None, "int64 array (N + 1,)"),
        (np.ones((3, 1)), np.array([0, 2]), None, "from 0 to the number of steps, 3. Got 0 to 2"),
        (np.ones((3, 1)), np.array([1, 3]), None, "Got 1 to 3"),
        (np.ones((3, 1)), np.array([0, 2, 2, 3]), None, "Got 2 and then 2 for sequence 1"),
        (np.ones((3, 1)), np.array([0, 2, 1, 3]), None, "Got 2 and then 1 for sequence 1"),
        (np.ones((3, 2)), np.array([0, 3]), ("x",), "2 distinct names"),
        (np.ones((3, 2)), np.array([0, 3]), ("x", "x"), "2 distinct names"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(values, offsets, names, message):
    with pytest.raises(DataError, match=re.escape(message)):
        Sequences(values, offsets, names)


# What as_sequences takes


def test_every_form_of_the_same_data_gives_the_same_sequences(ragged):
    padded = np.full((4, 6, 3), np.nan)
    for n, array in enumerate(ragged):
        padded[n, : len(array)] = array
    objects = np.empty(4, dtype=object)
    objects[:] = ragged
    nested = [array.tolist() for array in ragged]
    for form in (ragged, tuple(ragged), objects, nested, padded, padded.astype(object), as_sequences(ragged)):
        same(as_sequences(form), ragged)


def test_sequences_pass_through_unchanged(ragged):
    sequences = as_sequences(ragged)
    assert as_sequences(sequences) is sequences


def test_three_dimensions_are_sequences_steps_features():
    cube = np.arange(24.0).reshape(2, 3, 4)
    same(as_sequences(cube), list(cube))


def test_two_dimensions_are_univariate_sequences():
    table = np.arange(6.0).reshape(2, 3)
    same(as_sequences(table), [[[0.0], [1.0], [2.0]], [[3.0], [4.0], [5.0]]])


def test_lists_of_flat_sequences_are_univariate():
    same(as_sequences([[1, 2, 3], np.array([4.5])]), [[[1.0], [2.0], [3.0]], [[4.5]]])


def test_nan_at_the_end_is_padding_only_where_every_feature_is_nan():
    cube = np.array([[[1, 2], [3, np.nan], [np.nan, np.nan]]], float)
    with pytest.raises(DataError, match=re.escape("X[0], step 1, feature 1: expected a finite number, got NaN")):
        as_sequences(cube)
    cube[0, 1, 1] = 4
    same(as_sequences(cube), [[[1, 2], [3, 4]]])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float64),
        (np.int8, np.float64),
        (np.uint64, np.float64),
        (np.bool_, np.float64),
        (np.longdouble, np.float64),
        (np.dtype(">f8"), np.float64),
    ],
)
def test_float32_stays_and_every_other_number_becomes_float64(dtype, expected):
    array = np.array([[[0, 1], [1, 0]]], dtype=dtype)
    for form in (array, list(array)):
        sequences = as_sequences(form)
        assert sequences.values.dtype == expected
        assert sequences.values.tolist() == [[0, 1], [1, 0]]


def test_float32_beside_float64_becomes_float64():
    assert as_sequences([np.ones((2, 1), np.float32), np.ones((2, 1))]).values.dtype == np.float64


def test_a_view_that_is_not_contiguous_is_read_right():
    cube = np.arange(48.0).reshape(4, 3, 4).transpose(0, 2, 1)[::2]
    same(as_sequences(cube), list(cube))
    same(as_sequences([cube[0].T, cube[1].T]), [cube[0].T, cube[1].T])


def test_anything_with_the_array_protocol_is_an_array():
    class Frame:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 2.0]])

    same(as_sequences(Frame()), [[[1.0], [2.0]]])


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=5),
        elements=st.floats(-1e30, 1e30),
    ),
    st.data(),
)
def test_padding_and_unpadding_is_the_identity(cube, data):
    lengths = [data.draw(st.integers(1, cube.shape[1])) for _ in cube]
    expected = [array[:length].copy() for array, length in zip(cube, lengths)]
    for array, length in zip(cube, lengths):
        array[length:] = np.nan
    same(as_sequences(cube), expected)


# What as_sequences refuses


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X must hold at least one sequence. Got none."),
        (np.empty((0, 3)), "X has 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required."),
        (np.empty((4, 0)), "X has 0 feature(s) (shape=(4, 0)) while a minimum of 1 is required."),
        (np.empty((4, 0, 2)), "X has 0 step(s)"),
        (np.empty((4, 2, 0)), "X has 0 feature(s)"),
        ([np.ones((2, 3)), np.ones((0, 3))], "X[1] must have at least one step and one feature. Got shape (0, 3)"),
        ([[1.0], []], "X[1] must have at least one step"),
        ([np.ones((2, 0))], "X[0] must have at least one step and one feature"),
        ([np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 4))], "X[2] must have as many features as X[0], 3. Got 4"),
        ([np.ones(2), np.ones((2, 1))], "X[1] must have as many features as X[0], one, without an axis for it. Got 1"),
        ([np.ones((2, 2, 2))], "X[0] must be one sequence (T, D) or (T,). Got shape (2, 2, 2)"),
        (np.ones((2, 2, 2, 2)), "X must have 2 or 3 dimensions: (N, T) or (N, T, D). Got shape (2, 2, 2, 2)"),
        (np.ones(5), "if it is one sequence, pass [X]"),
        ([1.0, 2.0], "if it is one sequence, pass [X]"),
        (np.float64(1.0), "X must have 2 or 3 dimensions"),
        (np.full((2, 3), "a"), "X must hold numbers. Got text"),
        ([[1, "2"]], "X[0] must hold numbers. Got text"),
        ([b"abc"], "X[0] must hold numbers. Got bytes"),
        (np.array([["2026-01-01"]], "M8[D]"), "X must hold numbers. Got dates"),
        (np.array([[1, "2"]], object), "X must hold real numbers. Got a value of type str"),
        (np.array([[1, {}]], object), "X must hold real numbers. Got a value of type dict"),
        (np.array([[1, 10**400]], object), "X must hold real numbers"),
        ([[1.0, None]], "X[0], step 1, feature 0: expected a finite number, got NaN"),
        (np.ones((2, 2), complex), "Complex data not supported: X must hold real numbers. Got complex128"),
        ([[1j]], "Complex data not supported: X[0]"),
        ([[[1, 2], [3]]], "X[0] must be an array of numbers"),
        (None, "Got NoneType instead"),
        ("abc", "Got str instead"),
        ({"a": 1}, "Got dict instead"),
        (iter([[1.0]]), "Got list_iterator instead"),
        ([np.array([1.0, np.nan])], "X[0], step 1, feature 0: expected a finite number, got NaN"),
        (np.array([[1.0, np.nan, 2.0]]), "X[0], step 1, feature 0: expected a finite number, got NaN"),
        (np.array([[1.0, 2.0], [np.nan, np.nan]]), "X[1] must have at least one step. Got NaN in every step"),
        ([[0.0], [1.0, 2.0, -np.inf]], "X[1], step 2, feature 0: expected a finite number, got -inf"),
        (np.array([[[1.0, np.inf]]], np.float32), "X[0], step 0, feature 1: expected a finite number, got inf"),
        ([[3.0, -2e38]], "X[0], step 1, feature 0: expected an absolute value of at most 1e+38, got -2e+38"),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[0, 1]]), "X must not have masked values"),
        ([np.ma.masked_array([1.0, 2.0], mask=[0, 1])], "X[0] must not have masked values"),
    ],
)
def test_bad_data_is_refused_with_its_place_and_a_way_out(X, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        as_sequences(X)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_sparse_data_is_refused():
    class Sparse:
        def toarray(self):
            return np.ones((2, 2))

    with pytest.raises(DataError, match="sparse"):
        as_sequences(Sparse())


def test_sequences_made_by_hand_are_checked_as_well():
    with pytest.raises(DataError, match="NaN"):
        as_sequences(Sequences(np.array([[np.nan]]), np.array([0, 1])))
    with pytest.raises(DataError, match="at least one sequence"):
        as_sequences(Sequences(np.ones((0, 1)), np.array([0])))


def test_errors_call_the_data_by_the_name_given():
    with pytest.raises(DataError, match=r"X_val\[0\], step 0"):
        as_sequences([[np.nan]], name="X_val")


def test_a_masked_array_without_a_masked_value_is_an_array():
    same(as_sequences(np.ma.masked_array([[1.0, 2.0]], mask=False)), [[[1.0], [2.0]]])


@pytest.mark.parametrize(
    ("values", "categories", "message"),
    [
        ([[0.0], [2.0]], (("a", "b"),), "X[0], step 1, feature 0: expected the code of one of 2 categories, a whole"),
        ([[0.0], [0.5]], (("a", "b"),), "number from 0 to 1, got 0.5. Correct the codes or the categories."),
        ([[-1.0]], (("a", "b"),), "number from 0 to 1, got -1."),
        ([[0.0]], ((1,),), "X, feature 0: expected categories to be text, got 1."),
        ([[0.0]], (("\ud800",),), "X, feature 0: expected categories in valid Unicode."),
        ([[0.0]], (("a",), None), "'categories' of Sequences must be a tuple of 1, one a feature"),
        ([[0.0]], ["a"], "'categories' of Sequences must be a tuple of 1, one a feature"),
    ],
)
def test_codes_without_a_name_and_names_that_are_no_text_are_refused(values, categories, message):
    with pytest.raises(DataError, match=re.escape(message)):
        as_sequences(Sequences(np.array(values), np.array([0, len(values)]), None, categories))
