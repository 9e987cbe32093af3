"""Dropout masks are as random as they should be: each unit, step, sequence, layer and pass has a fate of its own."""

import numpy as np
import pytest

from elman.network.masks import dropout_mask

STEPS, WIDTH = 400, 60


def mask(key=1, layer=0, sequence=0, rate=0.3, dtype="float32"):
    return dropout_mask(key, layer, sequence, STEPS, WIDTH, rate, np.dtype(dtype))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_share_dropped_is_the_rate_and_the_mean_is_kept(rate, dtype):
    values = mask(rate=rate, dtype=dtype)
    assert set(np.unique(values)) == {0, np.dtype(dtype).type(1 / (1 - rate))}
    assert (values == 0).mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / values.size))


@pytest.mark.parametrize("other", [{"key": 2}, {"layer": 1}, {"sequence": 1}, {"sequence": 17}])
def test_another_pass_layer_or_sequence_has_another_mask(other):
    one, two = mask() == 0, mask(**other) == 0
    both = (one & two).mean()
    assert both == pytest.approx(0.09, abs=0.01), "two independent masks drop the same unit with 0.3 x 0.3"


def test_steps_and_units_are_independent_of_their_neighbours():
    dropped = mask() == 0
    assert (dropped[1:] & dropped[:-1]).mean() == pytest.approx(0.09, abs=0.01)
    assert (dropped[:, 1:] & dropped[:, :-1]).mean() == pytest.approx(0.09, abs=0.01)
    assert dropped.mean(axis=0).std() < 0.05
    assert dropped.mean(axis=1).std() < 0.1


def test_the_same_pass_layer_and_sequence_has_the_same_mask():
    assert np.array_equal(mask(key=5, layer=2, sequence=9), mask(key=5, layer=2, sequence=9))
