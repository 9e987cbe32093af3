"""Counted random numbers are as good as drawn ones, and do not depend on what is computed beside them."""

import numpy as np
import pytest

from elman.training.counted import hashed, normals, uniform, within


def test_normal_numbers_have_the_moments_and_tails_of_a_normal_distribution():
    numbers = normals(hashed(11, np.arange(20_000)), 25).astype(np.float64)
    n = numbers.size
    moments = [(numbers**power).mean() for power in (1, 2, 3, 4)]
    for moment, expected, deviation in zip(moments, (0, 1, 0, 3), np.sqrt([1, 2, 15, 96]), strict=True):
        assert moment == pytest.approx(expected, abs=5 * deviation / np.sqrt(n))
    for bound, share in ((1, 0.317311), (2, 0.045500), (3, 0.002700)):
        assert (np.abs(numbers) > bound).mean() == pytest.approx(share, abs=5 * np.sqrt(share / n))


@pytest.mark.parametrize("axis", ["keys", "places", "inner places", "numbers"])
def test_neighbours_are_not_correlated(axis):
    if axis == "keys":
        numbers = np.array([normals(hashed(key, 3), 2)[0] for key in range(4000)])[:, 0]
    elif axis == "places":
        numbers = normals(hashed(5, np.arange(4000)), 1)[:, 0]
    elif axis == "inner places":
        numbers = normals(within(hashed(5, 1), np.arange(4000)), 1)[:, 0]
    else:
        numbers = normals(hashed(5, 1), 4000)[0]
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 5 / np.sqrt(4000)


def test_uniform_numbers_fill_their_range_evenly_and_n_times_one_is_below_n():
    numbers = uniform(hashed(2, np.arange(50_000)))
    counts = np.bincount((numbers * 10).astype(int), minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert (uniform(np.array([2**64 - 1], np.uint64)) * np.arange(1, 2**20)).astype(int).tolist() == list(
        range(2**20 - 1)
    )


def test_numbers_have_the_same_bits_alone_and_among_others():
    among = normals(hashed(7, np.arange(101)), 13)
    for place in (0, 1, 50, 99, 100):
        assert np.array_equal(normals(hashed(7, place), 13)[0], among[place])
        assert np.array_equal(normals(hashed(7, np.array([place, 3])), 12)[0][:6], among[place][:6])


def test_places_inside_places_are_told_apart_in_order():
    assert hashed(1, 2, 3) != hashed(1, 3, 2)
    assert hashed(1, 2, 3) == within(hashed(1, 2), 3)
