"""The textbook: recurrent networks and backpropagation through time in plain NumPy, one sequence at a time.

    h_0 = 0;  for t = 1, ..., T:   h_t = cell(W_ih x_t + b_ih, W_hh h_{t-1} + b_hh)
    y_t = softmax(W_out h_t + b_out),   L = -log y_t[class]
    for t = T, ..., 1:   dL/dh_t = (from the output at step t) + (from step t + 1)

This module is for reading and for checking. It is slow, and it is what every compiled kernel must equal. It works for
any dtype, complex included, so that a derivative can be had without subtraction: dL/dw = Im L(w + i e) / e, e = 1e-200.

Shapes: T time steps, D input_size, H hidden_size, G = gates x H, C classes, F = H x directions. An array named h holds
h_0, ..., h_T, so h[t] is h_t; an array named x begins with x_1, so x_t is x[t - 1].

Source: P. J. Werbos, "Backpropagation through time: what it does and how to do it" (1990).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = tuple[Array, ...]

# --- Cells ------------------------------------------------------------------------------------------------------------
#
# forward(from_x, from_h, *states at t-1) -> states at t, kept for backward
# backward(kept, *dL/d(states at t)) -> dL/d(from_x), dL/d(from_h), what reaches the states at t-1 without a product
#
# from_x = W_ih x_t + b_ih and from_h = W_hh h_{t-1} + b_hh are (G,): one block of H for each gate. States are (H,).


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), which is (1 + tanh(x / 2)) / 2 and so never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def elman_forward(from_x: Array, from_h: Array, h: Array) -> tuple[Arrays, Arrays]:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh).  Source: J. L. Elman, "Finding structure in time" (1990)."""
    h_new = np.tanh(from_x + from_h)
    return (h_new,), (h_new,)


def elman_backward(kept: Arrays, d_h: Array) -> tuple[Array, Array, Arrays]:
    """Apply tanh' = 1 - tanh^2."""
    (h_new,) = kept
    d_a = d_h * (1 - h_new**2)
    return d_a, d_a, (0 * d_h,)


def elman_relu_forward(from_x: Array, from_h: Array, h: Array) -> tuple[Arrays, Arrays]:
    """h' = max(0, W_ih x + b_ih + W_hh h + b_hh)."""
    a = from_x + from_h
    positive = np.real(a) > 0
    return (np.where(positive, a, 0),), (positive,)


def elman_relu_backward(kept: Arrays, d_h: Array) -> tuple[Array, Array, Arrays]:
    """The gradient passes where the unit was on."""
    (positive,) = kept
    d_a = np.where(positive, d_h, 0)
    return d_a, d_a, (0 * d_h,)


def lstm_forward(from_x: Array, from_h: Array, h: Array, c: Array) -> tuple[Arrays, Arrays]:
    """c' = f c + i g, h' = o tanh(c').  Source: Hochreiter & Schmidhuber (1997); Gers et al. (2000) for f."""
    i, f, g, o = np.split(from_x + from_h, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_new = f * c + i * g
    h_new = o * np.tanh(c_new)
    return (h_new, c_new), (i, f, g, o, c, c_new)


def lstm_d_c(kept: Arrays, d_h: Array, d_c: Array) -> Array:
    """Return dL/dc_t in all: what comes from step t + 1, and what comes through h_t = o tanh(c_t)."""
    *_, o, _, c_new = kept
    total: Array = d_c + d_h * o * (1 - np.tanh(c_new) ** 2)
    return total


def lstm_backward(kept: Arrays, d_h: Array, d_c: Array) -> tuple[Array, Array, Arrays]:
    """dL/dc travels back through f alone, untouched by any weight: the constant error carousel."""
    i, f, g, o, c, c_new = kept
    d_o = d_h * np.tanh(c_new)
    d_c = lstm_d_c(kept, d_h, d_c)
    d_i, d_f, d_g = d_c * g, d_c * c, d_c * i
    d_a = np.concatenate([d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)])
    return d_a, d_a, (0 * d_h, d_c * f)


def gru_forward(from_x: Array, from_h: Array, h: Array) -> tuple[Arrays, Arrays]:
    """n = tanh(n_x + r n_h), h' = (1 - z) n + z h.  Source: Cho et al. (2014); reset after the product, as in cuDNN."""
    r_x, z_x, n_x = np.split(from_x, 3)
    r_h, z_h, n_h = np.split(from_h, 3)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * n_h)
    return ((1 - z) * n + z * h,), (r, z, n, n_h, h)


def gru_backward(kept: Arrays, d_h: Array) -> tuple[Array, Array, Arrays]:
    """The update gate carries dL/dh straight back, times z."""
    r, z, n, n_h, h = kept
    d_n = d_h * (1 - z) * (1 - n**2)
    d_z = d_h * (h - n) * z * (1 - z)
    d_r = d_n * n_h * r * (1 - r)
    return np.concatenate([d_r, d_z, d_n]), np.concatenate([d_r, d_z, d_n * r]), (d_h * z,)


class Cell(NamedTuple):
    """A cell's equations, its number of gates and of states; the first state is h."""

    forward: Callable[..., tuple[Arrays, Arrays]]
    backward: Callable[..., tuple[Array, Array, Arrays]]
    gates: int
    states: int = 1


CELLS = {
    "elman": Cell(elman_forward, elman_backward, gates=1),
    "elman_relu": Cell(elman_relu_forward, elman_relu_backward, gates=1),
    "lstm": Cell(lstm_forward, lstm_backward, gates=4, states=2),
    "gru": Cell(gru_forward, gru_backward, gates=3),
}


# --- Through time -----------------------------------------------------------------------------------------------------


class Tape(NamedTuple):
    """What forward leaves for backward: x (T, D), h (T + 1, H), and what the cell kept at each of the T steps."""

    x: Array
    h: Array
    kept: list[Arrays]


class Gradients(NamedTuple):
    """What backward finds: dL/dx (T, D), dL/dh_t for t = 1, ..., T (T, H), and the weights' gradients."""

    d_x: Array
    d_h: Array
    d_weight_ih: Array
    d_weight_hh: Array
    d_bias_ih: Array
    d_bias_hh: Array


def forward(
    x: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array, *, cell: str
) -> tuple[Array, Tape]:
    """Run one sequence x (T, D) forward through one layer; return h_1, ..., h_T (T, H) and the tape.

    weight_ih (G, D), weight_hh (G, H), bias_ih (G,), bias_hh (G,).
    """
    steps, hidden_size = len(x), weight_hh.shape[1]
    dtype = np.result_type(x, weight_ih, weight_hh, bias_ih, bias_hh)
    h = np.zeros((steps + 1, hidden_size), dtype)
    states = tuple(np.zeros(hidden_size, dtype) for _ in range(CELLS[cell].states))
    kept = []
    for t in range(1, steps + 1):
        from_x = weight_ih @ x[t - 1] + bias_ih
        from_h = weight_hh @ h[t - 1] + bias_hh
        states, kept_t = CELLS[cell].forward(from_x, from_h, *states)
        h[t] = states[0]
        kept.append(kept_t)
    return h[1:], Tape(x, h, kept)


def backward(d_output: Array, tape: Tape, weight_ih: Array, weight_hh: Array, *, cell: str) -> Gradients:
    """Carry the gradient back through time, t = T, ..., 1.

    d_output (T, H) is what each h_t receives from above, at its own step: for a loss at the last step, zero but there.
    """
    x, h, kept = tape
    steps, hidden_size = d_output.shape
    dtype = np.result_type(h, d_output)
    d_x, d_h = np.zeros(x.shape, dtype), np.zeros(d_output.shape, dtype)
    d_weight_ih, d_weight_hh = np.zeros(weight_ih.shape, dtype), np.zeros(weight_hh.shape, dtype)
    d_bias_ih, d_bias_hh = (np.zeros(len(weight_ih), dtype) for _ in range(2))
    d_states = tuple(np.zeros(hidden_size, dtype) for _ in range(CELLS[cell].states))  # nothing follows step T
    for t in range(steps, 0, -1):
        d_h[t - 1] = d_output[t - 1] + d_states[0]
        d_from_x, d_from_h, (d_h_direct, *d_others) = CELLS[cell].backward(kept[t - 1], d_h[t - 1], *d_states[1:])
        d_weight_ih += np.outer(d_from_x, x[t - 1])  # every step uses the same weights, so their gradients add up
        d_weight_hh += np.outer(d_from_h, h[t - 1])
        d_bias_ih += d_from_x
        d_bias_hh += d_from_h
        d_x[t - 1] = weight_ih.T @ d_from_x
        d_states = (weight_hh.T @ d_from_h + d_h_direct, *d_others)  # what h_{t-1} receives from step t
    return Gradients(d_x, d_h, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh)


# --- Loss -------------------------------------------------------------------------------------------------------------


def softmax(logits: Array) -> Array:
    """Return exp(logits) / sum(exp(logits)) along the last axis, shifted so that it never overflows."""
    exp: Array = np.exp(logits - np.real(logits).max(axis=-1, keepdims=True))
    proba: Array = exp / exp.sum(axis=-1, keepdims=True)
    return proba


def cross_entropy(logits: Array, targets: Array, label_smoothing: float = 0.0) -> tuple[Array, Array]:
    """Return -sum(wanted log softmax(logits)) for each row, and its gradient: softmax(logits) - wanted.

    wanted = (1 - label_smoothing) one_hot(target) + label_smoothing / C

    logits (R, C), targets int (R,) -> losses (R,), d_logits (R, C).
    """
    wanted = np.full(logits.shape, label_smoothing / logits.shape[-1], np.real(logits).dtype)
    wanted[np.arange(len(logits)), targets] += 1 - label_smoothing
    shifted = logits - np.real(logits).max(axis=-1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=-1)) - (wanted * shifted).sum(axis=-1)
    return losses, softmax(logits) - wanted
