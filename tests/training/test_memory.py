"""A training step takes the memory that ARCHITECTURE.md states, and takes it once."""

import tracemalloc

import numpy as np
import pytest

from elman.kernels.cells import CELLS
from elman.network import network as network_module
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

N, T, INPUTS, CLASSES = 64, 150, 5, 3
EMBEDDINGS = ((1, 2000, 40), (3, 500, 10))


def odd_lines(size: int) -> int:
    """Floats of a row of `size`: an odd number of cache lines."""
    lines = -(-size // 16)
    return 16 * (lines + 1 - lines % 2)


def stated(architecture: Architecture, threads: int, tasks: int, parameters: int) -> int:
    """The bytes that ARCHITECTURE.md states, in float32."""
    h, layers, directions = architecture.hidden_size, architecture.num_layers, architecture.directions
    row = {"lstm": odd_lines(4 * h) + 2 * odd_lines(h), "gru": odd_lines(4 * h) + odd_lines(h), "elman": odd_lines(h)}
    row = row[architecture.cell]
    states, gates = {"lstm": (2, 4), "gru": (1, 3), "elman": (1, 1)}[architecture.cell]
    row += odd_lines(h) * states if architecture.zoneout else 0
    row += odd_lines(h) if architecture.recurrent_dropout else 0
    if architecture.layer_norm:
        row += odd_lines(2 * gates * h + 2) + (odd_lines(h) if architecture.cell == "elman" else 0)
    step = layers * directions * row + (layers + 1) * directions * h * (layers > 1)
    rows = threads * 16 * T
    of_codes = 0
    if architecture.embeddings:
        vectors = sum(n_codes * width for _, n_codes, width in architecture.embeddings)
        codes = sum(n_codes for _, n_codes, _ in architecture.embeddings)
        inputs = -(-architecture.layer_input_size(0) // 16) * 16
        of_codes = 8 * rows * inputs + vectors * (20 + 8 * tasks) + 16 * codes * tasks
        parameters -= vectors
    attention = 8 * rows if architecture.readout == "attention" else 0
    return 4 * rows * step + attention + of_codes + 64 * rows + 4 * parameters * (5 + 2 * threads + tasks)


def step_and_network(cell, layers, bidirectional, hidden_size, threads, **options):
    rng = np.random.default_rng(0)
    network = Network(Architecture(INPUTS, CLASSES, cell, hidden_size, layers, bidirectional, **options))
    network.initialise(rng)
    trainer = Trainer(network, TrainingSettings(n_threads=threads), rng)
    samples = Samples(
        rng.standard_normal((N * T, INPUTS)).astype(np.float32), np.arange(0, N * T + 1, T), rng.integers(0, CLASSES, N)
    )
    for column, n_codes, _ in network.architecture.embeddings:
        samples.values[:, column] = rng.integers(0, n_codes, N * T)
    return lambda: trainer.step(samples), network


def peak_of(step) -> int:
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_options_take_the_memory_that_is_stated(cell):
    options = {"recurrent_dropout": 0.3, "zoneout": 0.2, "layer_norm": True, "residual": True}
    step_and_network(cell, 1, False, 8, 1, **options)[0]()
    step, network = step_and_network(cell, 2, True, 64, 2, **options)
    bytes_stated = stated(network.architecture, 2, N // 16, network.parameters.vector.size)
    assert bytes_stated / 1.2 <= peak_of(step) <= bytes_stated * 1.2


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (1, True), (3, True)])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_peak_memory_of_a_training_step_is_what_is_stated(cell, layers, bidirectional, threads):
    step_and_network(cell, 1, False, 8, 1)[0]()  # what is compiled and imported at first use is not memory of a step
    step, network = step_and_network(cell, layers, bidirectional, 64, threads)
    bytes_stated = stated(network.architecture, threads, N // 16, network.parameters.vector.size)
    peak = peak_of(step)
    assert 0.5 * bytes_stated < peak <= 1.2 * bytes_stated


def test_peak_memory_with_codes_and_attention_is_what_is_stated():
    step_and_network("gru", 1, False, 8, 1, readout="attention", embeddings=((0, 3, 2),))[0]()
    step, network = step_and_network("gru", 2, True, 32, 2, readout="attention", embeddings=EMBEDDINGS)
    bytes_stated = stated(network.architecture, 2, N // 16, network.parameters.vector.size)
    peak = peak_of(step)
    assert 0.8 * bytes_stated < peak <= 1.2 * bytes_stated


def test_the_next_step_takes_no_new_memory():
    step, network = step_and_network("gru", 2, True, 32, 2)
    step()
    assert peak_of(step) < 8 * 4 * network.parameters.vector.size + 100_000


def test_fit_gives_its_memory_back():
    rng = np.random.default_rng(0)
    network = Network(Architecture(INPUTS, CLASSES, "gru", 8))
    network.initialise(rng)
    samples = Samples(
        rng.standard_normal((60, INPUTS)).astype(np.float32), np.arange(0, 61, 6), np.arange(10) % CLASSES
    )
    Trainer(network, TrainingSettings(max_epochs=2), rng).fit(samples, samples)
    assert network._learning == network._spare == []


def test_a_prediction_keeps_neither_the_values_nor_much_memory(monkeypatch):
    network = Network(Architecture(INPUTS, CLASSES, "gru", 8))
    values, offsets = np.zeros((60, INPUTS), np.float32), np.array([0, 60])
    network.logits(values, offsets)
    (place,) = network._spare
    assert place._values is None
    monkeypatch.setattr(network_module, "MOST_SPARE", 1000)
    network.logits(values, offsets)
    assert network._spare == []


def test_cells_that_keep_nothing_are_those_whose_states_tell_all():
    assert {name for name, cell in CELLS.items() if not cell.keeps} == {"elman", "elman_relu"}
