"""Columns that hold codes enter the first layer as learned vectors, and every code gets its own gradient."""

import numpy as np
import pytest

from cases import CELLS, HEADS, Case, complex_step_gradient, draw
from comparisons import assert_same_gradients
from elman.errors import DataError, ParameterError
from elman.kernels.reference_network import loss_and_gradient
from elman.network import workplace
from elman.network.architecture import Architecture
from elman.network.live import LiveSequence
from elman.network.network import Network
from engine import Outcome, assert_same_outcome, network_for, run_engine

TWO = ((1, 4, 3), (3, 3, 2))
KINDS = [
    Case(cell, num_layers, both, *HEADS[head], embeddings=TWO)
    for cell in CELLS
    for num_layers, both, head in ((1, False, 0), (1, True, 3), (2, True, 1))
]
# Several shards and tasks, more than one block of rows, and one column of numbers between two of codes.
MANY = Case(
    "gru", 1, True, lengths=(70, *range(1, 60)), input_size=3, hidden_size=9, embeddings=((0, 50, 7), (2, 4, 5))
)
CODES_ALONE = Case("lstm", 1, False, loss_at="every_step", lengths=(40, 9, 17), input_size=1, embeddings=((0, 20, 6),))
WIDE = Case("gru", 1, True, lengths=(40, 9, 17), input_size=3, hidden_size=5, embeddings=((0, 5, 30), (1, 4, 9)))


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_gradient_of_embeddings_is_the_complex_step_derivative(case):
    batch = draw(case)
    assert_same_gradients(run_engine(case, batch).gradients, complex_step_gradient(case, batch), 1e-13)


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 3e-6)])
@pytest.mark.parametrize("case", [MANY, CODES_ALONE, WIDE], ids=["many", "codes alone", "wide"])
def test_embeddings_equal_the_textbook(case, dtype, bound):
    batch = draw(case)
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    assert_same_outcome(run_engine(case, batch, dtype), Outcome(*expected), bound)


def test_a_code_that_occurs_at_every_step_of_long_sequences_stays_near_float64():
    case = Case("gru", lengths=(5000, 3000, 100), input_size=2, hidden_size=4, embeddings=((1, 2, 3),))
    batch = draw(case)
    exact, found = (run_engine(case, batch, dtype).gradients for dtype in ("float64", "float32"))
    assert_same_gradients(found, exact, 3e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_embedded_prediction_does_not_depend_on_the_batch_and_gradient_not_on_threads(dtype, monkeypatch):
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


def test_codes_of_one_batch_leave_nothing_behind_for_the_next():
    batch = draw(MANY)
    network = network_for(MANY, batch.weights)
    first = network.loss_and_gradient(batch.values, batch.offsets, batch.targets)
    few = network.loss_and_gradient(batch.values, batch.offsets, batch.targets, chosen=np.array([2]))
    met = np.unique(batch.values[batch.offsets[2] : batch.offsets[3], 0]).astype(int)
    gradient = network.parameters.named(few.gradient)["weight_embedding_0"]
    assert sorted(np.flatnonzero(gradient.any(axis=1))) == met.tolist()
    again = network.loss_and_gradient(batch.values, batch.offsets, batch.targets)
    assert np.array_equal(first.gradient, again.gradient)


@pytest.mark.parametrize("bad", [-1, 4, 0.5, np.nan, np.inf, -np.inf, 1e30, -1e-9])
def test_a_value_that_is_no_code_never_reaches_memory(bad):
    network = Network(Architecture(3, 2, "gru", 4, bidirectional=False, embeddings=((0, 9, 2), (2, 4, 3))))
    network.initialise(np.random.default_rng(0))
    values, offsets = np.zeros((12, 3), np.float32), np.array([0, 5, 12])
    values[8, 2] = bad
    message = rf"^values column 2 must hold codes 0\.\.3, got {np.float32(bad):g}\.$".replace("+", r"\+")
    with pytest.raises(DataError, match=message):
        network.logits(values, offsets)
    with pytest.raises(DataError, match=message):
        network.loss_and_gradient(values, offsets, np.array([0, 1]))
    network.loss_and_gradient(values, offsets, np.array([0, 1]), chosen=np.array([0]))  # where the value is not read
    live = LiveSequence(network)
    with pytest.raises(DataError, match="must hold codes" if np.isfinite(bad) else "finite"):
        live.step(values[8])
    assert np.array_equal(live.step(values[0]), network.logits(values[:1], np.array([0, 1]))[0])


@pytest.mark.parametrize(
    "embeddings",
    [((3, 4, 2),), ((-1, 4, 2),), ((1, 4, 2), (1, 3, 2)), ((2, 4, 2), (0, 3, 2)), ((0, 0, 2),), ((0, 4, 0),)],
)
def test_embeddings_of_columns_that_are_not_there_or_of_no_size(embeddings):
    with pytest.raises(
        ParameterError, match=r"embeddings must be \(column, n_codes, size\), columns rising within 0\.\.2"
    ):
        Architecture(3, 2, embeddings=embeddings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_live_sequence_takes_codes_and_keeps_the_vectors_of_its_moment(dtype):
    case = Case("gru", 2, loss_at="every_step", lengths=(12,), hidden_size=5, embeddings=TWO)
    batch = draw(case)
    network, values = network_for(case, batch.weights, dtype), batch.values.astype(dtype)
    expected, live = network.logits(values, batch.offsets), LiveSequence(network)
    network.parameters.vector[:] = 0
    assert np.array_equal(np.stack([live.step(x) for x in values]), expected)


@pytest.mark.parametrize(("scheme", "spread"), [("uniform", 1), ("glorot", 20**-0.5), ("orthogonal", 20**-0.5)])
def test_vectors_start_about_as_long_as_a_one_hot_code_or_as_pytorchs(scheme, spread):
    network = Network(Architecture(2, 3, "gru", 4, embeddings=((1, 300, 20),)), dtype="float64")
    network.initialise(np.random.default_rng(0), scheme)
    vectors = network.parameters["weight_embedding_0"] / spread
    assert abs(vectors.mean()) < 0.05
    assert vectors.std() == pytest.approx(1, rel=0.05)
    assert 2.5 < np.abs(vectors).max() < 6
