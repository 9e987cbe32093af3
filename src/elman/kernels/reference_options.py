"""The textbook, with what options add to a layer; without any of them it is `reference.forward` and `backward`.

    from_x = gain_ih * norm(W_ih x_t) + b_ih             layer normalisation; without it W_ih x_t + b_ih
    from_h = gain_hh * norm(W_hh (m * h_{t-1})) + b_hh   recurrent dropout: one mask m for all steps
    s_t = z_t * s_{t-1} + (1 - z_t) * cell(from_x, from_h, s_{t-1})   zoneout, for each state s; s_0 may be learned

    norm(a) = (a - mean(a)) / sqrt(var(a) + epsilon)

Shapes and names as in `reference`; K states.

Sources: Ba, Kiros & Hinton, "Layer normalization" (2016); Gal & Ghahramani, "A theoretically grounded application of
dropout in recurrent neural networks" (2016); Krueger et al., "Zoneout" (2017).
"""

from typing import NamedTuple

import numpy as np

from elman.kernels.reference import CELLS, Array, Arrays, lstm_d_c

EPSILON = 1e-5


class Options(NamedTuple):
    """What a layer has in one direction; None: without it."""

    start: Arrays | None = None  # K arrays (H,): the states before the first step
    gain_ih: Array | None = None  # (G,)
    gain_hh: Array | None = None  # (G,)
    mask: Array | None = None  # (H,) of 0 and 1 / (1 - rate)
    zoneout: Array | None = None  # (T, K, H) how much of each state stays, in the order in which the layer reads


class Tape(NamedTuple):
    """What forward leaves for backward, a list entry for each step."""

    x: Array  # (T, D)
    states: Array  # (K, T + 1, H), the first of which is h
    halves: list[Arrays]  # from_x and from_h, the two halves of the pre-activations (G,)
    kept: list[Arrays]  # by the cell
    normed: list[Arrays]  # norm(W_ih x_t), norm(W_hh h_{t-1}) and what each was divided by; empty without it

    @property
    def h(self) -> Array:
        """h_0, ..., h_T (T + 1, H)."""
        h: Array = self.states[0]
        return h


def norm(a: Array) -> tuple[Array, Array]:
    """Return (a - mean(a)) / deviation and the deviation."""
    moved = a - a.mean()
    deviation = np.sqrt((moved**2).mean() + EPSILON)
    return moved / deviation, deviation


def norm_backward(d_normed: Array, normed: Array, deviation: Array) -> Array:
    """Return dL/da: neither a shift of a nor a change of its scale reaches norm(a)."""
    d_a: Array = (d_normed - d_normed.mean() - normed * (d_normed * normed).mean()) / deviation
    return d_a


def forward(
    x: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array, options: Options, *, cell: str
) -> tuple[Array, Tape]:
    """Run one sequence x (T, D) forward through one layer; return h_1, ..., h_T (T, H) and the tape."""
    steps, hidden_size = len(x), weight_hh.shape[1]
    dtype = np.result_type(x, weight_ih, weight_hh, bias_ih, bias_hh, *options.start or (), *_gains(options))
    states = tuple(np.zeros(hidden_size, dtype) for _ in range(CELLS[cell].states))
    states = states if options.start is None else options.start
    all_states = np.zeros((len(states), steps + 1, hidden_size), dtype)
    h, all_states[:, 0] = all_states[0], states
    halves: list[Arrays] = []
    kept: list[Arrays] = []
    all_normed: list[Arrays] = []
    for t in range(1, steps + 1):
        from_x = weight_ih @ x[t - 1]
        from_h = weight_hh @ (h[t - 1] if options.mask is None else options.mask * h[t - 1])
        if options.gain_ih is not None:
            (from_x, of_x), (from_h, of_h) = norm(from_x), norm(from_h)
            all_normed.append((from_x, from_h, of_x, of_h))
            from_x, from_h = options.gain_ih * from_x, options.gain_hh * from_h
        halves.append((from_x + bias_ih, from_h + bias_hh))
        proposed, kept_t = CELLS[cell].forward(*halves[-1], *states)
        if options.zoneout is None:
            states = proposed
        else:
            states = tuple(z * s + (1 - z) * p for z, s, p in zip(options.zoneout[t - 1], states, proposed))
        all_states[:, t] = states
        kept.append(kept_t)
    return h[1:], Tape(x, all_states, halves, kept, all_normed)


def backward(
    d_output: Array, tape: Tape, weight_ih: Array, weight_hh: Array, options: Options, *, cell: str
) -> dict[str, Array]:
    """Carry the gradient back through time; d_output (T, H) as in `reference.backward`.

    Returns d_x (T, D), d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, with layer normalisation d_gain_ih and
    d_gain_hh, with a learned start d_start (K, H); and d_states (T, K, H), the total derivative by h_t and c_t. With
    zoneout it is by the states that it leaves; h_t is then made of what the cell proposed, and no longer of c_t.
    Likewise (T, G): d_from_x and d_from_h, and dL/d(W_ih x_t) and dL/d(W_hh h_{t-1}) as d_product_x and d_product_h.
    """
    steps, hidden_size = d_output.shape
    d_states = np.zeros((CELLS[cell].states, hidden_size), np.result_type(tape.h, d_output))
    rows, total = len(weight_ih), np.zeros((steps, *d_states.shape), d_states.dtype)
    shapes = {"d_x": tape.x.shape, "d_weight_ih": weight_ih.shape, "d_weight_hh": weight_hh.shape}
    shapes |= dict.fromkeys(("d_bias_ih", "d_bias_hh", "d_gain_ih", "d_gain_hh"), (rows,))
    shapes |= dict.fromkeys(("d_from_x", "d_from_h", "d_product_x", "d_product_h"), (steps, rows))
    found: dict[str, Array] = {name: np.zeros(shape, d_states.dtype) for name, shape in shapes.items()}
    for t in range(steps, 0, -1):
        d_states[0] += d_output[t - 1]
        total[t - 1] = d_states
        if cell == "lstm" and options.zoneout is None:
            total[t - 1, 1] = lstm_d_c(tape.kept[t - 1], *d_states)
        z = np.zeros(d_states.shape) if options.zoneout is None else options.zoneout[t - 1]
        d_past_the_cell = z * d_states
        d_x, d_h, direct = CELLS[cell].backward(tape.kept[t - 1], *((1 - z) * d_states))
        found["d_from_x"][t - 1], found["d_from_h"][t - 1] = d_x, d_h
        found["d_bias_ih"] += d_x
        found["d_bias_hh"] += d_h
        if options.gain_ih is not None:
            normed_x, normed_h, of_x, of_h = tape.normed[t - 1]
            found["d_gain_ih"] += d_x * normed_x
            found["d_gain_hh"] += d_h * normed_h
            d_x = norm_backward(d_x * options.gain_ih, normed_x, of_x)
            d_h = norm_backward(d_h * options.gain_hh, normed_h, of_h)
        found["d_product_x"][t - 1], found["d_product_h"][t - 1] = d_x, d_h
        mask = np.ones(hidden_size) if options.mask is None else options.mask
        found["d_weight_ih"] += np.outer(d_x, tape.x[t - 1])
        found["d_weight_hh"] += np.outer(d_h, mask * tape.h[t - 1])
        found["d_x"][t - 1] = weight_ih.T @ d_x
        d_states = np.array(direct) + d_past_the_cell
        d_states[0] += mask * (weight_hh.T @ d_h)
    return found | {"d_start": d_states, "d_states": total}


def _gains(options: Options) -> Arrays:
    return () if options.gain_ih is None or options.gain_hh is None else (options.gain_ih, options.gain_hh)
