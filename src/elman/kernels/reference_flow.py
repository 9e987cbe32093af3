"""The textbook, continued: how the gradient flows back through time, as norms; what `kernels.flow` must equal.

    |dL/dh_t|, |dL/dc_t|   Euclidean, the total derivative, what comes from above at step t included
    |h_t|, |c_t|
    saturated gates        the share of a gate's units in the outer twentieths of its range

L is a sequence's own loss: its cross-entropy, or the mean of it over the sequence's labelled steps.

Shapes and names as in `reference`; K layers x directions, S steps of all sequences end to end.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from elman.kernels.reference import CELLS, Array, Arrays, cross_entropy
from elman.kernels.reference_network import Masks, network_backward, network_forward

# The gates that a cell keeps, in turn, each with the values beyond which a unit is saturated.
_SIGMOID, _TANH, _RELU = (0.05, 0.95), (-0.95, 0.95), (0.0, np.inf)
GATES = {
    "elman": {"tanh": _TANH},
    "elman_relu": {"relu": _RELU},
    "lstm": {"i": _SIGMOID, "f": _SIGMOID, "g": _TANH, "o": _SIGMOID},
    "gru": {"r": _SIGMOID, "z": _SIGMOID, "n": _TANH},
}


def gradient_flow(
    sequences: Sequence[Array],
    targets: Array,
    weights: Mapping[str, Array],
    *,
    cell: str,
    loss_at: str = "last",
    masks: Sequence[Masks] | None = None,
    target_weights: Array | None = None,
    label_smoothing: float = 0.0,
    **settings: Any,
) -> dict[str, Array]:
    """Return the norms (K, S) by name: d_h, h; of an LSTM also d_c, c; and the saturated share of each gate.

    Parameters as in `reference_network.loss_and_gradient`; layers and directions in the order l0, l0_reverse, l1.
    A sequence's loss is weighed over its own steps: sum(w l) / sum(w).
    """
    of_sequences, at = [], 0
    for n, x in enumerate(sequences):
        given = {} if masks is None else {"masks": masks[n]}
        run = network_forward(x, weights, cell=cell, loss_at=loss_at, **given, **settings)
        own = slice(at, at + len(run.logits))
        at = own.stop
        _, d_logits = cross_entropy(run.logits, targets[own], label_smoothing)
        counted = np.where(targets[own] < 0, 0.0, 1.0 if target_weights is None else target_weights[own])
        share = counted / (counted.sum() or 1.0)
        gradients = {name: np.zeros(weight.shape, d_logits.dtype) for name, weight in weights.items()}
        embeddings = settings.get("embeddings", ())
        back = network_backward(share[:, None] * d_logits, run, weights, gradients, cell=cell, embeddings=embeddings)
        ways = [(tape, way) for layer in run.tapes for tape, way in zip(layer, (1, -1))]
        norms = [_norms(cell, tape.states, tape.kept, way) for tape, way in ways]
        for found, d in zip(norms, chain.from_iterable(back.d_states)):
            found |= {f"d_{state}": _norm(d[:, k]) for k, state in enumerate("hc"[: CELLS[cell].states])}
        of_sequences.append(norms)
    return {
        name: np.array([np.concatenate([found[k][name] for found in of_sequences]) for k in range(len(norms))])
        for name in of_sequences[0][0]
    }


def _norms(cell: str, states: Array, kept: Sequence[Arrays], way: int) -> dict[str, Array]:
    """Return the norms of the states (K, T + 1, H), and the saturated shares, in the sequence's own order of time."""
    found = {state: _norm(of_state[1:])[::way] for state, of_state in zip("hc", states)}
    for n, (gate, (low, high)) in enumerate(GATES[cell].items()):
        values = np.array([of_step[n] for of_step in kept])
        found[gate] = (~((values > low) & (values < high))).mean(axis=1)[::way]
    return found


def _norm(rows: Array) -> Array:
    norms: Array = np.sqrt((rows**2).sum(axis=-1))
    return norms
