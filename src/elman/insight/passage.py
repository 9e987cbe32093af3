"""What passes through one layer in one direction, step by step, and the derivative of the loss by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.kernels.cells import CELLS
from elman.kernels.reference_network import Run, Way
from elman.kernels.reference_options import Tape
from elman.network.architecture import Architecture

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Passage:
    """A layer in one direction; arrays are (T, .) in the sequence's own order of time, however the direction reads it.

    Parameters
    ----------
    name : str
        l0, l0_reverse, l1 and so on, as the parameters end.
    layer : int
    is_reverse : bool
        Whether it reads from the last step to the first.
    x, d_x : (T, I)
        What it reads: the columns of the data, with codes as their vectors, or the layer below.
    before : dict of (T, H)
        The states that each step starts from: h, and for an LSTM c.
    pre, d_pre : dict of (T, H)
        The argument of each gate's tanh, sigmoid or relu.
    gates : dict of (T, H)
        The gates' values; empty where the only one is h itself.
    states, d_states : dict of (T, H)
        h_t, and for an LSTM c_t; their derivatives are total: of all ways to the loss.
    """

    name: str
    layer: int
    is_reverse: bool
    x: Array
    d_x: Array
    before: dict[str, Array]
    pre: dict[str, Array]
    gates: dict[str, Array]
    states: dict[str, Array]
    d_states: dict[str, Array]
    d_pre: dict[str, Array]

    def to_dict(self) -> dict[str, Any]:
        """Give every number as JSON can hold it."""
        nested = ("before", "pre", "gates", "states", "d_states", "d_pre")
        return {
            "name": self.name,
            "layer": self.layer,
            "is_reverse": self.is_reverse,
            "x": self.x.tolist(),
            **{of: {name: array.tolist() for name, array in getattr(self, of).items()} for of in nested},
            "d_x": self.d_x.tolist(),
        }


def passages(run: Run, way: Way, architecture: Architecture) -> tuple[Passage, ...]:
    """Take apart what a run forward and backward left, for every layer and direction."""
    tapes = [tape for layer in run.tapes for tape in layer]
    found = [each for layer in way.found for each in layer]
    return tuple(
        _passage(layer, suffix.removeprefix("_"), tape, each, architecture)
        for (layer, suffix), tape, each in zip(architecture.suffixes(), tapes, found)
    )


def _passage(layer: int, name: str, tape: Tape, found: dict[str, Array], architecture: Architecture) -> Passage:
    cell = CELLS[architecture.cell]
    is_reverse = name.endswith("_reverse")
    way = -1 if is_reverse else 1

    def by_gate(rows: Array) -> dict[str, Array]:
        return dict(zip(cell.gates, np.split(rows[::way], len(cell.gates), axis=1)))

    def by_state(states: Array) -> dict[str, Array]:
        return {state: rows[::way] for state, rows in zip(cell.states, states)}

    from_x, from_h = (np.array(half) for half in zip(*tape.halves))
    pre = from_x + from_h
    gates = {}
    if len(cell.gates) > 1:
        kept = [np.array(rows) for rows in zip(*tape.kept)]
        gates = {gate: kept[k][::way] for k, gate in enumerate(cell.gates)}
    if cell.apart:  # a GRU's n: n_x + r n_h
        size = tape.h.shape[1]
        pre[:, -size:] = from_x[:, -size:] + kept[0] * from_h[:, -size:]
    return Passage(
        name=name,
        layer=layer,
        is_reverse=is_reverse,
        x=tape.x[::way],
        d_x=found["d_x"][::way],
        before=by_state(tape.states[:, :-1]),
        pre=by_gate(pre),
        gates=gates,
        states=by_state(tape.states[:, 1:]),
        d_states=by_state(found["d_states"].swapaxes(0, 1)),
        d_pre=by_gate(found["d_from_x"]),
    )
