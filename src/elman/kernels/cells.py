"""Recurrent cells: element-wise equations between two matrix products, forward and backward side by side.

A cell sees one hidden unit of one sequence at one time step. `forward` takes the unit's pre-activations, one a gate,
then its states at t - 1; it returns what backward needs to keep, one number in place of each pre-activation, then the
new states. `backward` takes what was kept, the states at t - 1 and at t, and dL/d(states at t); it returns
dL/d(pre-activations), then the part of dL/d(states at t - 1) that does not pass through a matrix product.

The first state is h, the output. Gates in `apart` receive W_h h + b_h as a pre-activation of its own, after all others,
instead of added to W_x x + b_x: GRU's n, whose recurrent part is multiplied by the reset gate (PyTorch, cuDNN).
"""

import math
from dataclasses import dataclass

from elman.kernels.activations import relu, sigmoid, tanh
from elman.kernels.compiled import ElementWise


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: its name, its gates and states in order, and its equations."""

    name: str
    gates: tuple[str, ...]
    states: tuple[str, ...]
    forward: ElementWise
    backward: ElementWise
    apart: tuple[str, ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()  # the gates it keeps, in turn: beyond these a unit is saturated
    through_h: ElementWise | None = None  # dL/d(second state) with what goes through h_t, which is made of it
    keeps: bool = True  # backward reads what forward kept; else the states alone tell it all, and no tape is kept

    @property
    def blocks(self) -> int:
        """How many pre-activations a unit has."""
        return len(self.gates) + len(self.apart)

    @property
    def hidden_runs(self) -> tuple[tuple[int, int, int], ...]:
        """Runs of gates of weight_hh as (gate, pre-activation, count): each run is one matrix product."""
        places = [
            len(self.gates) + self.apart.index(gate) if gate in self.apart else number
            for number, gate in enumerate(self.gates)
        ]
        runs: list[tuple[int, int, int]] = []
        for number, place in enumerate(places):
            if runs and runs[-1][1] + runs[-1][2] == place:
                runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
            else:
                runs.append((number, place, 1))
        return tuple(runs)

    @property
    def input_runs(self) -> tuple[tuple[int, int, int], ...]:
        """The same runs of weight_ih, whose pre-activations are in the order of the gates."""
        return tuple((gate, gate, count) for gate, _, count in self.hidden_runs)


@ElementWise
def elman_forward(a, h_prev):
    """h_t = tanh(a)."""
    h = tanh(a)
    return (h,), (h,)


@ElementWise
def elman_backward(h_kept, h_prev, h, d_h):
    """tanh' = 1 - tanh^2."""
    return (d_h * (1 - h * h),), (0.0,)


@ElementWise
def elman_relu_forward(a, h_prev):
    """h_t = max(a, 0)."""
    h = relu(a)
    return (h,), (h,)


@ElementWise
def elman_relu_backward(h_kept, h_prev, h, d_h):
    """relu' = 1 where the output is positive."""
    return (d_h if h > 0 else 0.0,), (0.0,)


@ElementWise
def lstm_forward(i, f, g, o, h_prev, c_prev):
    """c_t = f c_{t-1} + i g;  h_t = o tanh(c_t)."""
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    return (i, f, g, o), (o * tanh(c), c)


@ElementWise
def lstm_backward(i, f, g, o, h_prev, c_prev, h, c, d_h, d_c):
    """The cell's state carries dL/dc_t back through f alone: the constant error carousel."""
    tanh_c = tanh(c)
    d_o = d_h * tanh_c
    d_c = d_c + d_h * o * (1 - tanh_c * tanh_c)
    d_i, d_f, d_g = d_c * g, d_c * c_prev, d_c * i
    d_pre = (d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g * g), d_o * o * (1 - o))
    return d_pre, (0.0, d_c * f)


@ElementWise
def lstm_through_h(i, f, g, o, h, c, d_h, d_c):
    """dL/dc_t in all: from step t + 1, and through h_t = o tanh(c_t)."""
    tanh_c = tanh(c)
    return d_c + d_h * o * (1 - tanh_c * tanh_c)


@ElementWise
def gru_forward(r, z, n, n_hidden, h_prev):
    """n = tanh(W_n x + b + r (W_hn h + b_hn));  h_t = (1 - z) n + z h_{t-1}."""
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n + r * n_hidden)
    return (r, z, n, n_hidden), ((1 - z) * n + z * h_prev,)


@ElementWise
def gru_backward(r, z, n, n_hidden, h_prev, h, d_h):
    """The update gate carries dL/dh_t straight back, times z."""
    d_n = d_h * (1 - z) * (1 - n * n)
    d_z = d_h * (h_prev - n) * z * (1 - z)
    d_r = d_n * n_hidden * r * (1 - r)
    return (d_r, d_z, d_n, d_n * r), (d_h * z,)


_SIGMOID, _TANH, _RELU = (0.05, 0.95), (-0.95, 0.95), (0.0, math.inf)  # outside: the outer twentieths, or switched off

ELMAN = Cell("elman", ("a",), ("h",), elman_forward, elman_backward, keeps=False, ranges=(("tanh", *_TANH),))
ELMAN_RELU = Cell(
    "elman_relu", ("a",), ("h",), elman_relu_forward, elman_relu_backward, keeps=False, ranges=(("relu", *_RELU),)
)
LSTM = Cell(
    "lstm", ("i", "f", "g", "o"), ("h", "c"), lstm_forward, lstm_backward,
    ranges=(("i", *_SIGMOID), ("f", *_SIGMOID), ("g", *_TANH), ("o", *_SIGMOID)), through_h=lstm_through_h,
)  # fmt: skip
GRU = Cell(
    "gru", ("r", "z", "n"), ("h",), gru_forward, gru_backward, apart=("n",),
    ranges=(("r", *_SIGMOID), ("z", *_SIGMOID), ("n", *_TANH)),
)  # fmt: skip

CELLS = {cell.name: cell for cell in (ELMAN, ELMAN_RELU, LSTM, GRU)}
