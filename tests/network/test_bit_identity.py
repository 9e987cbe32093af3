"""A result depends on the sequence and the parameters alone: the same bits in any batch, any order, on any threads."""

from itertools import pairwise

import numpy as np
import pytest

from elman.network import network as network_module
from elman.network import workplace
from elman.network.architecture import Architecture
from elman.network.network import Network

LENGTHS = np.array(
    [5, 3, 70, 7, 2, 1, 9, 30, 12, 12, 11, 4, 4, 4, 4, 4, 3, 8, 9, 10, 41, 1, 6, 40, 25, 26, 27, 28, 2, 3, 5, 8, 13]
)
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
CELLS = ("elman", "elman_relu", "lstm", "gru")
READOUTS = (("last", "last"), ("mean", "last"), ("max", "last"), ("last", "every_step"))


def ragged_network(cell: str, dtype: str, readout: str, loss_at: str) -> tuple[Network, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    network = Network(Architecture(5, 3, cell, 19, 2, True, 0.3, readout, loss_at), dtype=dtype)
    network.initialise(rng, "uniform", forget_bias=None)
    values = rng.standard_normal((OFFSETS[-1], 5)).astype(dtype)
    return network, values, rng.integers(0, 3, OFFSETS[-1] if loss_at == "every_step" else len(LENGTHS))


@pytest.fixture(autouse=True)
def threads_are_used_however_small_the_work(monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("readout", "loss_at"), READOUTS)
def test_prediction_does_not_depend_on_the_batch_it_rides_in(cell, dtype, readout, loss_at):
    network, values, _ = ragged_network(cell, dtype, readout, loss_at)
    together = network.logits(values, OFFSETS)
    pieces = [values[start:stop] for start, stop in pairwise(OFFSETS)]
    alone = np.concatenate([network.logits(piece, np.array([0, len(piece)])) for piece in pieces])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("cell", CELLS)
def test_prediction_does_not_depend_on_the_order(cell):
    network, values, _ = ragged_network(cell, "float32", "last", "last")
    together = network.logits(values, OFFSETS)
    order = np.random.default_rng(0).permutation(len(LENGTHS))
    shuffled = np.concatenate([values[OFFSETS[n] : OFFSETS[n + 1]] for n in order])
    offsets = np.concatenate([[0], np.cumsum(LENGTHS[order])])
    assert np.array_equal(network.logits(shuffled, offsets), together[order])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("readout", "loss_at"), READOUTS)
def test_gradient_does_not_depend_on_the_number_of_threads(cell, dtype, readout, loss_at):
    network, values, targets = ragged_network(cell, dtype, readout, loss_at)
    one = network.loss_and_gradient(values, OFFSETS, targets, dropout_key=7, n_threads=1)
    for n_threads in (2, 3, 5):
        several = network.loss_and_gradient(values, OFFSETS, targets, dropout_key=7, n_threads=n_threads)
        assert several.loss == one.loss
        assert np.array_equal(several.gradient, one.gradient)
        assert np.array_equal(several.logits, one.logits)


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
def test_a_batch_chosen_by_number_is_the_batch_put_together_by_hand(loss_at):
    network, values, targets = ragged_network("gru", "float32", "last", loss_at)
    chosen = np.array([20, 3, 7, 32, 0, 5])
    numbered = network.loss_and_gradient(values, OFFSETS, targets, chosen=chosen, dropout_key=1)
    rows = np.concatenate([np.arange(OFFSETS[n], OFFSETS[n + 1]) for n in chosen])
    offsets = np.concatenate([[0], np.cumsum(LENGTHS[chosen])])
    wanted = targets[rows] if loss_at == "every_step" else targets[chosen]
    by_hand = network.loss_and_gradient(values[rows], offsets, wanted, dropout_key=1)
    assert numbered.loss == by_hand.loss
    assert np.array_equal(numbered.gradient, by_hand.gradient)
    assert np.array_equal(numbered.logits, by_hand.logits)


def test_training_leaves_nothing_behind_that_changes_the_next_pass():
    network, values, targets = ragged_network("lstm", "float32", "max", "last")
    first = network.loss_and_gradient(values, OFFSETS, targets)
    network.loss_and_gradient(values * 100, OFFSETS, targets, chosen=np.array([2]))
    again = network.loss_and_gradient(values, OFFSETS, targets)
    assert np.array_equal(first.gradient, again.gradient)


def test_parameters_changed_in_place_are_those_that_predict():
    network, values, _ = ragged_network("gru", "float32", "last", "last")
    other, _, _ = ragged_network("gru", "float32", "last", "last")
    network.logits(values, OFFSETS)
    for vector in (network.parameters.vector, other.parameters.vector):
        vector *= 1.5
    assert np.array_equal(network.logits(values, OFFSETS), other.logits(values, OFFSETS))


def test_an_interruption_while_weights_are_packed_leaves_no_stale_ones(monkeypatch):
    def interrupted(*arguments):
        pack(*arguments)
        raise KeyboardInterrupt

    network, values, _ = ragged_network("gru", "float32", "last", "last")
    expected, start = network.logits(values, OFFSETS), network.parameters.vector.copy()
    network.parameters.vector[:] *= 3
    pack = network_module.pack_all
    with monkeypatch.context() as patch:
        patch.setattr(network_module, "pack_all", interrupted)
        with pytest.raises(KeyboardInterrupt):
            network.logits(values, OFFSETS)
    network.parameters.vector[:] = start
    assert np.array_equal(network.logits(values, OFFSETS), expected)


def test_a_large_batch_after_a_small_one_is_the_large_one_alone():
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 3 * 200 + 1, 3)
    values, targets = rng.standard_normal((600, 5)).astype(np.float32), rng.integers(0, 3, 200)
    used, fresh = (Network(Architecture(5, 3, "gru", 9)) for _ in range(2))
    used.initialise(rng)
    fresh.parameters.vector[:] = used.parameters.vector
    used.loss_and_gradient(values, offsets, targets, chosen=np.arange(16), n_threads=1)
    found = used.loss_and_gradient(values, offsets, targets, n_threads=1)
    assert np.array_equal(found.gradient, fresh.loss_and_gradient(values, offsets, targets).gradient)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_float32_gradient_stays_near_float64_over_thousands_of_steps(cell):
    rng = np.random.default_rng(0)
    lengths = np.array([5000, 3000, 100, 7])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.standard_normal((offsets[-1], 3)).astype(np.float32)
    gradients = []
    start = Network(Architecture(3, 4, cell, 20, readout="mean"))
    start.initialise(rng, "uniform", forget_bias=None)
    for dtype in ("float32", "float64"):
        network = Network(start.architecture, dtype=dtype)
        network.parameters.vector[:] = start.parameters.vector
        gradients.append(network.loss_and_gradient(values.astype(dtype), offsets, np.arange(4)).gradient)
    single, double = gradients
    assert np.linalg.norm(single - double) <= 3e-6 * np.linalg.norm(double)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_so_does_each_parameters_gradient_with_a_loss_at_every_step(cell):
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 16 * 3000 + 1, 3000)
    values, targets = rng.standard_normal((offsets[-1], 3)).astype(np.float32), rng.integers(0, 4, offsets[-1])
    single = Network(Architecture(3, 4, cell, 12, bidirectional=False, loss_at="every_step"))
    single.initialise(rng, "uniform", forget_bias=None)
    double = Network(single.architecture, dtype="float64")
    double.parameters.vector[:] = single.parameters.vector
    found = single.parameters.named(single.loss_and_gradient(values, offsets, targets).gradient)
    true = double.parameters.named(double.loss_and_gradient(values.astype(float), offsets, targets).gradient)
    for name, gradient in true.items():
        assert np.linalg.norm(found[name] - gradient) <= 1e-6 * np.linalg.norm(gradient), name


def test_nan_in_one_sequence_reaches_no_other():
    network, values, _ = ragged_network("gru", "float32", "last", "last")
    clean = network.logits(values, OFFSETS)
    spoiled = values.copy()
    spoiled[OFFSETS[7] + 3] = np.nan
    logits = network.logits(spoiled, OFFSETS)
    others = np.arange(len(LENGTHS)) != 7
    assert np.isnan(logits[7]).all()
    assert np.array_equal(logits[others], clean[others])
