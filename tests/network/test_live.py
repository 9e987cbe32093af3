"""A live sequence: one time step at a time gives, to the bit, what the whole sequence gives."""

import copy
import gc
import pickle

import numpy as np
import pytest

from elman import SequenceClassifier
from elman.errors import DataError, ParameterError
from elman.network.architecture import Architecture
from elman.network.live import LiveSequence
from elman.network.network import Network

STEPS, INPUTS, CLASSES = 23, 5, 3


def network_and_values(cell, dtype, layers=1, loss_at="last", inputs=INPUTS):
    rng = np.random.default_rng(6)
    network = Network(Architecture(inputs, CLASSES, cell, 19, layers, False, 0.3, "last", loss_at), dtype=dtype)
    network.initialise(rng, "uniform", forget_bias=None)
    return network, rng.standard_normal((STEPS, inputs)).astype(dtype)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["elman", "elman_relu", "lstm", "gru"])
def test_after_each_step_the_scores_are_those_of_the_sequence_so_far(cell, dtype, layers):
    network, values = network_and_values(cell, dtype, layers)
    sequence = LiveSequence(network)
    for t, x in enumerate(values, start=1):
        assert np.array_equal(sequence.step(x), network.logits(values[:t], np.array([0, t]))[0])


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("loss_at", ["last", "every_step"])
def test_so_it_is_with_every_option(cell, loss_at):
    rng = np.random.default_rng(6)
    options = {
        "zoneout": 0.3,
        "recurrent_dropout": 0.2,
        "layer_norm": True,
        "learn_initial_state": True,
        "residual": True,
    }
    network = Network(Architecture(INPUTS, CLASSES, cell, (19, 19, 7), 3, False, loss_at=loss_at, **options))
    network.parameters.vector[:] = rng.normal(0, 0.5, network.parameters.vector.size)
    values = rng.standard_normal((STEPS, INPUTS)).astype("float32")
    sequence = LiveSequence(network)
    for _ in range(2):  # the second one after a reset
        for t, x in enumerate(values, start=1):
            assert np.array_equal(sequence.step(x), network.logits(values[:t], np.array([0, t]))[-1])
        sequence.reset()


@pytest.mark.parametrize("inputs", [1, 32, 33, 70])
def test_so_it_is_for_any_number_of_inputs_and_with_a_loss_at_every_step(inputs):
    network, values = network_and_values("lstm", "float32", 2, "every_step", inputs)
    sequence = LiveSequence(network)
    live = np.stack([sequence.step(x) for x in values])
    assert np.array_equal(live, network.logits(values, np.array([0, STEPS])))


def test_reset_begins_a_new_sequence_and_two_sequences_do_not_meet():
    network, values = network_and_values("gru", "float32")
    one, other = LiveSequence(network), LiveSequence(network)
    first = [one.step(x) for x in values]
    for x in values[::-1]:
        other.step(x)
        one.step(x)
    one.reset()
    assert np.array_equal(first, [one.step(x) for x in values])


def test_parameters_are_those_of_the_moment_it_was_made():
    network, values = network_and_values("gru", "float32")
    sequence, expected = LiveSequence(network), network.logits(values[:1], np.array([0, 1]))[0]
    network.parameters.vector[:] = 0
    network.logits(values, np.array([0, STEPS]))
    assert np.array_equal(sequence.step(values[0]), expected)


def test_anything_that_is_a_vector_of_numbers_is_taken():
    network, values = network_and_values("gru", "float32")
    locked = values[0].copy()
    locked.flags.writeable = False
    for x in (values[0].tolist(), values[0].astype(float), values.T.copy().T[0], locked):
        assert np.array_equal(LiveSequence(network).step(x), LiveSequence(network).step(values[0]))


@pytest.mark.parametrize(
    "x",
    [
        [1.0],
        [1.0] * 6,
        [[1.0] * 5],
        3.0,
        ["1"] * 5,
        None,
        [1j] * 5,
        np.ones(5, complex),
        np.array([0, 0, np.nan, 0, 0], np.float32),
        [0, 0, 0, 0, np.inf],
        [1e300] * 5,
        [[1], [2, 3]],
        np.ones((5, 1), np.float32),
    ],
    ids=str,
)
def test_anything_else_is_refused_and_the_sequence_stays_where_it_was(x):
    network, values = network_and_values("lstm", "float32")
    one, other = LiveSequence(network), LiveSequence(network)
    with pytest.raises(DataError, match="A time step must be a vector of 5 finite numbers"):
        one.step(x)
    assert np.array_equal(one.step(values[0]), other.step(values[0]))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_live_sequence_is_not_copied_since_kernels_know_it_by_its_address(duplicate):
    network, _ = network_and_values("gru", "float32")
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        duplicate(LiveSequence(network))


def test_it_outlives_its_network():
    network, values = network_and_values("gru", "float32")
    expected = [LiveSequence(network).step(values[0])]
    sequence = LiveSequence(network)
    del network
    gc.collect()
    np.ones(100_000)
    assert np.array_equal([sequence.step(values[0])], expected)


def test_a_classifier_is_pointed_to_its_network():
    with pytest.raises(ParameterError, match="needs a Network, such as the network_ of a trained SequenceClassifier"):
        LiveSequence(SequenceClassifier())


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"readout": "mean"}, {"readout": "max"}])
def test_a_network_that_needs_steps_to_come_is_refused(options):
    architecture = Architecture(INPUTS, CLASSES, "gru", 4, **{"bidirectional": False, **options})
    with pytest.raises(ParameterError, match="needs a network that looks back alone"):
        LiveSequence(Network(architecture))
