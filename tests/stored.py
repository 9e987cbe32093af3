"""Fixtures made by PyTorch and kept in tests/oracle/fixtures: the oracle where torch is not installed."""

from pathlib import Path

import numpy as np

from cases import CELLS, HEADS, Batch, Case, parameter_shapes
from engine import Outcome

FOLDER = Path(__file__).parent / "oracle" / "fixtures"
# Depth, both directions or one, and which head: each head for each cell.
KINDS = ((1, False, 0), (1, True, 1), (1, True, 2), (2, False, 3), (2, True, 0), (3, True, 1))
SIZES = {"lengths": (7, 1, 4, 9, 2, 5), "input_size": 5, "hidden_size": 3, "n_classes": 4}
CASES = [
    *(Case(cell, layers, both, *HEADS[head], **SIZES) for cell in CELLS for layers, both, head in KINDS),
    *(Case("gru", 1, True, *HEADS[head], **SIZES, weighted=True) for head in (0, 3)),
    Case("lstm", 2, True, *HEADS[3], **SIZES, embeddings=((1, 4, 3), (4, 6, 2))),
]


def file_of(name: str) -> Path:
    """Where the fixture of a case or of the trajectories lies."""
    return FOLDER / f"{name}.npz"


def joined(parameters) -> np.ndarray:
    """Named arrays as one vector, in their order."""
    return np.concatenate([values.ravel() for values in parameters.values()])


def named(case: Case, vector) -> dict[str, np.ndarray]:
    """The inverse of joined."""
    shapes = parameter_shapes(case)
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    pieces = np.split(vector, ends[:-1])
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces)}


def put_batch(batch: Batch) -> dict[str, np.ndarray]:
    """A batch as arrays."""
    return {
        "values": batch.values,
        "offsets": batch.offsets,
        "targets": batch.targets,
        "weights": joined(batch.weights),
        **({} if batch.target_weights is None else {"target_weights": batch.target_weights}),
    }


def take_batch(case: Case, stored) -> Batch:
    """The inverse of put_batch."""
    sequences = np.split(stored["values"], stored["offsets"][1:-1])
    weights = stored["target_weights"] if case.weighted else None
    return Batch(sequences, stored["targets"], named(case, stored["weights"]), weights)


def load_case(case: Case) -> tuple[Batch, Outcome]:
    """The batch of a case and what PyTorch made of it."""
    with np.load(file_of(str(case))) as stored:
        outcome = Outcome(float(stored["loss"]), named(case, stored["gradient"]), stored["logits"])
        return take_batch(case, stored), outcome


def load_trajectory(case: Case, name: str):
    """The batch of the trajectories, and PyTorch's losses and last parameters with these settings."""
    with np.load(file_of("trajectories")) as stored:
        return take_batch(case, stored), (stored[f"losses {name}"], named(case, stored[f"end {name}"]))
