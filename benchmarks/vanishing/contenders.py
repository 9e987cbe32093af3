"""Who takes part: a cell, how its parameters start, and how it is trained."""

from typing import NamedTuple

import numpy as np

from benchmarks.vanishing.task import N_CLASSES, N_SYMBOLS
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.settings import TrainingSettings

HIDDEN = 50
BATCH = 20
CONNECTIONS, RADIUS = 15, 0.95  # of the sparse start: weights that a unit has from others; spectral radius


class Contender(NamedTuple):
    """One row of the table."""

    name: str
    cell: str
    start: str  # "gaussian", "sparse", or one of elman's own schemes
    optimizer: str
    learning_rate: float
    clip_norm: float | None

    @property
    def settings(self) -> TrainingSettings:
        """How it is trained: on one thread, since several are trained at a time."""
        return TrainingSettings(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            clip_norm=self.clip_norm,
            batch_size=BATCH,
            n_threads=1,
        )

    @property
    def trained(self) -> str:
        """How it is trained, in words."""
        name = {"sgd": "SGD", "adam": "Adam"}[self.optimizer]
        return f"{name} {self.learning_rate:g}{'' if self.clip_norm is None else ', clipped'}"

    def network(self, T: int, seed: int, dtype: str = "float32") -> Network:
        """Give its network as it starts, which for "chrono" depends on the length of the sequences."""
        rng = np.random.default_rng(seed)
        architecture = Architecture(N_SYMBOLS, N_CLASSES, cell=self.cell, hidden_size=HIDDEN, bidirectional=False)
        network = Network(architecture, dtype=dtype)
        if self.start == "gaussian":
            _draw_weights(network, rng, 0.1)
        elif self.start == "sparse":
            _draw_weights(network, rng, 0.01)
            _make_sparse(network.parameters["weight_hh_l0"], rng)
        else:
            network.initialise(rng, self.start, longest=T)
        return network


def _draw_weights(network: Network, rng: np.random.Generator, deviation: float) -> None:
    """Draw all weights of N(0, deviation^2); biases stay 0."""
    for values in network.parameters.values():
        if values.ndim == 2:
            values[...] = rng.normal(0, deviation, values.shape)


def _make_sparse(weight_hh: np.ndarray, rng: np.random.Generator) -> None:
    """Leave each unit 15 connections, and scale them to a spectral radius of 0.95."""
    for row in weight_hh:
        row[rng.permutation(len(row))[CONNECTIONS:]] = 0
    weight_hh *= RADIUS / spectral_radius(weight_hh)


def spectral_radius(weight_hh: np.ndarray) -> float:
    """Return the largest absolute value of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(weight_hh)).max())


SLOW, FAST, ADAM = 0.01, 0.1, 0.001  # rates; the first is that of the paper, which made a thousand times the updates
GAUSSIAN, SPARSE = "Elman, N(0, 0.1²)", "Elman, sparse, radius 0.95"
CONTENDERS = (
    Contender(GAUSSIAN, "elman", "gaussian", "sgd", FAST, None),
    Contender(GAUSSIAN, "elman", "gaussian", "sgd", FAST, 1.0),
    Contender(SPARSE, "elman", "sparse", "sgd", SLOW, None),
    Contender(SPARSE, "elman", "sparse", "sgd", SLOW, 1.0),
    Contender(SPARSE, "elman", "sparse", "sgd", FAST, None),
    Contender(SPARSE, "elman", "sparse", "sgd", FAST, 1.0),
    Contender("Elman, orthogonal", "elman", "orthogonal", "adam", ADAM, 1.0),
    Contender("Elman ReLU, identity", "elman_relu", "identity", "adam", ADAM, 1.0),
    Contender("GRU, orthogonal", "gru", "orthogonal", "adam", ADAM, 1.0),
    Contender("LSTM, orthogonal", "lstm", "orthogonal", "adam", ADAM, 1.0),
    Contender("GRU, chrono", "gru", "chrono", "adam", ADAM, 1.0),
    Contender("LSTM, chrono", "lstm", "chrono", "adam", ADAM, 1.0),
)
