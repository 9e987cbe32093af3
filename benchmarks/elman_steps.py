"""The work as elman does it, by the calls that its estimator makes."""

import numpy as np

from benchmarks.timing import Step
from elman.network.architecture import Architecture
from elman.network.live import LiveSequence
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

CELLS = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}


def _network(cell: str, d: int, h: int, classes: int, *, both: bool = False, dtype: str = "float32") -> Network:
    network = Network(Architecture(d, classes, CELLS[cell], h, bidirectional=both), dtype=dtype)
    network.initialise(np.random.default_rng(0), "uniform", forget_bias=None)
    return network


def _trainer(network: Network, threads: int) -> Trainer:
    settings = TrainingSettings(learning_rate=1e-3, clip_norm=None, n_threads=threads)
    return Trainer(network, settings, np.random.default_rng(0))


def _samples(lengths: np.ndarray, d: int, classes: int, dtype: str = "float32") -> Samples:
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Samples(rng.standard_normal((offsets[-1], d)).astype(dtype), offsets, rng.integers(0, classes, len(lengths)))


def ragged(cell: str, lengths: np.ndarray, d: int, h: int, classes: int, threads: int, dtype: str = "float32") -> Step:
    """One `Trainer.step`."""
    trainer = _trainer(_network(cell, d, h, classes, dtype=dtype), threads)
    samples = _samples(lengths, d, classes, dtype)
    return lambda: trainer.step(samples)


def training(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int, dtype: str = "float32") -> Step:
    """One `Trainer.step` on sequences of one length."""
    return ragged(cell, np.full(n, t), d, h, classes, threads, dtype)


def prediction(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int) -> Step:
    """`Network.logits`."""
    network, samples = _network(cell, d, h, classes), _samples(np.full(n, t), d, classes)
    return lambda: network.logits(samples.values, samples.offsets, n_threads=threads)


def live(cell: str, d: int, h: int, classes: int) -> Step:
    """`LiveSequence.step`."""
    sequence = LiveSequence(_network(cell, d, h, classes))
    x = np.random.default_rng(0).standard_normal(d).astype(np.float32)
    return lambda: sequence.step(x)


def epoch(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int) -> Step:
    """`Trainer.step` for each batch of 64, in a new order."""
    trainer = _trainer(_network(cell, d, h, classes, both=True), threads)
    samples, rng = _samples(np.full(n, t), d, classes), np.random.default_rng(0)

    def step() -> None:
        order = rng.permutation(n)
        for at in range(0, n, 64):
            trainer.step(samples, order[at : at + 64])

    return step
