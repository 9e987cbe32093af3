"""What is not as the kernels expect it is refused before it reaches them."""

import numpy as np
import pytest

from elman.errors import DataError
from elman.network.architecture import Architecture
from elman.network.network import Network

VALUES, OFFSETS, TARGETS = np.zeros((12, 3), np.float32), np.array([0, 5, 12]), np.array([0, 1])


@pytest.fixture(scope="module")
def network():
    network = Network(Architecture(3, 2, "gru", 4))
    network.initialise(np.random.default_rng(0))
    return network


@pytest.mark.parametrize(
    "values",
    [
        VALUES[:, :2],
        np.zeros((12, 4), np.float32),
        VALUES.astype(float),
        np.asfortranarray(VALUES),
        VALUES[::2],
        VALUES[0],
    ],
)
def test_values_of_another_shape_precision_or_layout(network, values):
    with pytest.raises(DataError, match="values must be a C-contiguous float32 array"):
        network.logits(values, OFFSETS)
    with pytest.raises(DataError, match="values must be a C-contiguous float32 array"):
        network.loss_and_gradient(values, OFFSETS, TARGETS)


@pytest.mark.parametrize("offsets", [[0, 5, 13], [-1, 5, 12], [0, 5, 5], [0, 7, 5], [0], []])
def test_offsets_beyond_the_values_or_empty_sequences(network, offsets):
    with pytest.raises(DataError, match=r"offsets must be int64|at least one"):
        network.logits(VALUES, np.array(offsets, np.int64))


@pytest.mark.parametrize("targets", [[0, 2], [-1, 0]])
def test_targets_that_are_no_class(network, targets):
    with pytest.raises(DataError, match=r"targets must be class numbers in 0\.\.1"):
        network.loss_and_gradient(VALUES, OFFSETS, np.array(targets))


def test_values_that_cannot_be_written_are_fine(network):
    locked = VALUES.copy()
    locked.flags.writeable = False
    assert np.array_equal(network.logits(locked, OFFSETS), network.logits(VALUES, OFFSETS))
