"""What each hidden unit does over sequences: for how much of the time its gates are wide open, or shut.

The engine reports shares of units, step by step; here it is shares of steps, unit by unit, by the textbook's own run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.kernels.cells import CELLS
from elman.kernels.reference_network import Masks, network_forward
from elman.network.network import Network

FloatArray = NDArray[np.float64]
OUTER = 0.05  # next to either end of a gate's range
_RANGES = {
    "elman": {"tanh": (-1.0, 1.0)},
    "elman_relu": {"relu": (0.0, np.inf)},  # of which the run keeps whether it is on
    "lstm": {"i": (0.0, 1.0), "f": (0.0, 1.0), "g": (-1.0, 1.0), "o": (0.0, 1.0)},
    "gru": {"r": (0.0, 1.0), "z": (0.0, 1.0), "n": (-1.0, 1.0)},
}


class Activity(NamedTuple):
    """A gate of a layer in one direction, unit by unit."""

    name: str  # "l0", "l0_reverse"
    gate: str  # "i", "f", "g", "o"; "r", "z", "n"; "tanh"; "relu"
    low: FloatArray  # (H,) share of the steps in which the unit is within 0.05 of the lower end of its range; a relu at 0
    high: FloatArray  # (H,) likewise of the upper end


def activities(network: Network, values: NDArray[Any], offsets: NDArray[np.int64]) -> list[Activity]:
    """Give what every gate does over sequences as the network reads them: values (S, D), offsets (N + 1,)."""
    architecture = network.architecture
    names = ("cell", "num_layers", "bidirectional", "readout", "loss_at", "residual", "embeddings")
    settings = {name: getattr(architecture, name) for name in names}
    weights = {name: array.astype(np.float64) for name, array in network.parameters.items()}
    ways = [suffix.removeprefix("_") for _, suffix in architecture.suffixes()]
    ranges = _RANGES[architecture.cell]
    counts = {(way, gate): np.zeros((2, _size(network, way))) for way in ways for gate in ranges}
    for x in np.split(values.astype(np.float64), offsets[1:-1]):
        run = network_forward(x, weights, masks=_masks(network, len(x)), **settings)
        for way, tape in zip(ways, (tape for layer in run.tapes for tape in layer)):
            for number, (gate, (low, high)) in enumerate(ranges.items()):
                kept = np.array([of_step[number] for of_step in tape.kept], np.float64)
                counts[way, gate] += (kept < low + OUTER).sum(axis=0), (kept > high - OUTER).sum(axis=0)
    return [Activity(way, gate, *(count / len(values))) for (way, gate), count in counts.items()]


def _size(network: Network, way: str) -> int:
    return len(network.parameters[f"weight_hh_{way}"][0])


def _masks(network: Network, steps: int) -> Masks:
    """Give what zoneout does in a prediction: each state keeps its share."""
    a = network.architecture
    n_states = len(CELLS[a.cell].states)
    sizes = [size for size in a.hidden_sizes for _ in range(a.directions)]
    return Masks(zoneout=[np.full((steps, n_states, size), a.zoneout) for size in sizes] if a.zoneout > 0 else ())
