"""The readout "attention" is the mean over time with learned weights, forward and backward."""

import numpy as np
import pytest

from cases import ATTENTION, CELLS, Case, complex_step_gradient, draw
from comparisons import assert_close, assert_same_gradients
from elman.errors import ParameterError
from elman.kernels.reference_network import loss_and_gradient
from elman.network import workplace
from elman.network.architecture import Architecture
from elman.network.live import LiveSequence
from elman.network.network import Network
from engine import Outcome, assert_same_outcome, network_for, run_engine

KINDS = [Case(cell, layers, both, *ATTENTION) for cell in CELLS for layers in (1, 2) for both in (False, True)]
# Several shards, more than one block of 128 rows, more units than partial sums of a scalar product.
MANY = Case("gru", 1, True, *ATTENTION, lengths=(170, *range(1, 60)), hidden_size=37, n_classes=3)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_gradient_of_attention_is_the_complex_step_derivative(case):
    batch = draw(case)
    assert_same_gradients(run_engine(case, batch).gradients, complex_step_gradient(case, batch), 1e-13)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 3e-6)])
def test_attention_over_several_shards_equals_the_textbook(dtype, bound):
    batch = draw(MANY)
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **MANY.settings)
    assert_same_outcome(run_engine(MANY, batch, dtype), Outcome(*expected), bound)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_attention_over_thousands_of_steps_stays_near_float64(cell):
    case = Case(cell, 1, False, *ATTENTION, lengths=(5000, 3000, 100, 7), input_size=3, hidden_size=6)
    batch = draw(case)
    assert_same_outcome(run_engine(case, batch, "float32"), run_engine(case, batch), 3e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attention_does_not_depend_on_the_batch_and_its_gradient_not_on_threads(dtype, monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)
    batch = draw(MANY)
    network, values = network_for(MANY, batch.weights, dtype), batch.values.astype(dtype)
    together = network.logits(values, batch.offsets)
    pieces = np.split(values, batch.offsets[1:-1])
    alone = np.concatenate([network.logits(piece, np.array([0, len(piece)])) for piece in pieces])
    assert np.array_equal(together, alone)
    one, *others = (network.loss_and_gradient(values, batch.offsets, batch.targets, n_threads=n) for n in (1, 2, 3))
    for other in others:
        assert np.array_equal(one.gradient, other.gradient)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_beyond_any_exponential_are_safe(dtype, sign):
    batch = draw(MANY)
    batch.weights["weight_attention"][:] = sign * 1e30
    exact = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **MANY.settings)
    found = run_engine(MANY, batch, dtype)
    assert np.isfinite(found.loss)
    assert all(np.isfinite(gradient).all() for gradient in found.gradients.values())
    if dtype == "float64":
        assert_close(found.logits, exact[2], 1e-12)


def test_weights_of_zero_are_the_mean_and_so_attention_starts():
    batch, mean = draw(MANY), Case("gru", 1, True, "mean", lengths=MANY.lengths, hidden_size=37, n_classes=3)
    weights = {name: w for name, w in batch.weights.items() if name != "weight_attention"}
    expected = network_for(mean, weights).logits(batch.values, batch.offsets)
    batch.weights["weight_attention"][:] = 0
    assert_close(network_for(MANY, batch.weights).logits(batch.values, batch.offsets), expected, 1e-14)
    network = Network(Architecture(3, 2, "gru", 4, readout="attention"))
    for scheme in ("orthogonal", "glorot"):
        network.initialise(np.random.default_rng(0), scheme)
        assert not network.parameters["weight_attention"].any()
    network.initialise(np.random.default_rng(0), "uniform")
    assert 0.5 / np.sqrt(8) < np.abs(network.parameters["weight_attention"]).max() <= 1 / np.sqrt(8)


def test_with_a_loss_at_every_step_there_is_no_attention_to_learn():
    architecture = Architecture(3, 2, "gru", 4, bidirectional=False, readout="attention", loss_at="every_step")
    assert "weight_attention" not in architecture.parameter_shapes()
    LiveSequence(Network(architecture))


def test_attention_needs_the_whole_sequence():
    network = Network(Architecture(3, 2, "gru", 4, bidirectional=False, readout="attention"))
    with pytest.raises(ParameterError, match="needs a network that looks back alone"):
        LiveSequence(network)
