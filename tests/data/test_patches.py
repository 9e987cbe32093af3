"""Several steps as one: values, offsets and sizes, each as the docs say."""

import numpy as np
import pytest

from elman.data import Preparation, Sequences, as_sequences
from elman.data.patches import LONGEST_WHOLE, MOST_INPUTS, MOST_PATCHES, chosen_size, in_patches, patched_offsets
from elman.errors import ParameterError

RNG = np.random.default_rng(4)
RAGGED = as_sequences([RNG.normal(size=(length, 3)).astype(np.float32) for length in (7, 1, 8, 3, 4, 12)])


@pytest.mark.parametrize("size", [1, 2, 4, 5, 100])
def test_a_patch_holds_its_steps_in_order_and_the_last_one_is_filled_with_the_last_step(size):
    patched = in_patches(RAGGED, size)
    assert patched.values.dtype == np.float32
    assert patched.lengths.tolist() == [-(-length // size) for length in (7, 1, 8, 3, 4, 12)]
    assert np.array_equal(patched.offsets, patched_offsets(RAGGED.offsets, size))
    for raw, patches in zip(RAGGED, patched):
        for patch, columns in enumerate(patches.reshape(-1, size, 3)):
            for place, column in enumerate(columns):
                assert np.array_equal(column, raw[min(patch * size + place, len(raw) - 1)])


def test_no_sequences_are_no_patches():
    none = in_patches(RAGGED[[]], 4)
    assert (none.values.shape, none.offsets.tolist()) == ((0, 12), [0])


def test_a_long_sequence_of_the_median_length_becomes_as_many_patches_as_are_allowed_and_no_more():
    assert chosen_size(np.array([3, LONGEST_WHOLE, 10**7]), 1) == 1
    for length in (LONGEST_WHOLE + 1, 3 * MOST_PATCHES, 3 * MOST_PATCHES + 1, 100_000):
        size = chosen_size(np.array([3, length, 10**7]), 1)
        assert -(-length // size) <= MOST_PATCHES < -(-length // (size - 1))
    assert chosen_size(np.array([LONGEST_WHOLE, LONGEST_WHOLE + 1]), 1) == 1, "the shorter one of the middle two"


def test_a_patch_of_the_chosen_size_holds_no_more_numbers_than_are_allowed():
    lengths = np.array([10**6])
    for n_columns in (1, 3, MOST_INPUTS // 2, MOST_INPUTS // 2 + 1, MOST_INPUTS, MOST_INPUTS + 1):
        size = chosen_size(lengths, n_columns)
        assert size == max(1, MOST_INPUTS // n_columns)


def test_a_sequence_of_weight_k_counts_as_k_where_the_size_is_chosen():
    lengths = np.array([100, 5000, 20_000])
    for weights in ([1, 1, 1], [5, 1, 1], [1, 2, 4], [0, 1, 0]):
        expected = chosen_size(np.repeat(lengths, weights), 2)
        assert chosen_size(lengths, 2, np.array(weights, np.float64)) == expected
    assert len({chosen_size(np.repeat(lengths, weights), 2) for weights in ([5, 1, 1], [1, 1, 1], [1, 2, 4])}) == 3


# As the last step of a preparation


def with_gaps():
    values = RNG.normal(3, 2, (40, 2))
    values[RNG.random((40, 2)) < 0.3] = np.nan
    kinds = RNG.integers(0, 3, 40)
    categories = (None, None, ("sun", "rain", "snow"))
    return Sequences(np.column_stack([values, kinds]), np.array([0, 11, 12, 27, 40]), None, categories)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_patches_are_made_of_what_the_network_would_else_see(dtype):
    raw = with_gaps()
    plain = Preparation.fit(raw, missing="indicator")
    patched = Preparation.fit(raw, missing="indicator", patch_size=4)
    assert (plain.n_columns, plain.input_size) == (9, 9)
    assert (patched.n_columns, patched.input_size) == (9, 36)
    expected = in_patches(plain.apply(raw, dtype), 4)
    given = patched.apply(raw, dtype)
    assert given.values.dtype == dtype
    assert np.array_equal(given.values, expected.values)
    assert np.array_equal(given.offsets, expected.offsets)
    assert np.array_equal(patched.offsets(raw), expected.offsets)
    assert np.array_equal(patched.summarised(raw).values, plain.summarised(raw).values)


def test_the_size_is_chosen_from_the_training_part():
    long = as_sequences([np.zeros(length) + [[1.0], [2.0]][length % 2] for length in (40, 1500, 9000)])
    assert Preparation.fit(long, patch_size="auto").patch_size == 6
    assert Preparation.fit(long).patch_size == 1
    by_sequence = np.array([3.0, 1.0, 1.0])
    assert Preparation.fit(long, patch_size="auto", weights=by_sequence).patch_size == 1
    by_step = np.repeat(by_sequence, long.lengths)
    assert Preparation.fit(long, patch_size="auto", weights=by_step).patch_size == 1


def test_ids_that_are_embedded_are_read_one_by_one():
    tokens = as_sequences(["a long text " * 100, "another one " * 100])
    assert Preparation.fit(tokens, patch_size="auto").patch_size == 1
    sentence = (
        r"^The 'patch_size' parameter must be 1 or 'auto' where tokens or kinds are embedded, one id a step\. "
        r"Got 2 instead\. Pass patch_size=1\.$"
    )
    with pytest.raises(ParameterError, match=sentence):
        Preparation.fit(tokens, patch_size=2)
