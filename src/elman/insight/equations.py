"""The equations of each cell as one line of text each, for whoever shows an unrolled network: h_{t-1} is h with an index.

In a layer that reads from the end, t - 1 and t + 1 change places.
"""

from __future__ import annotations

from typing import NamedTuple

_SUM = "W_ih x_t + b_ih + W_hh h_{t-1} + b_hh"
_FROM_NEXT = "[from the output at t] + W_hh^T dL/da_{t+1}"


class Equations(NamedTuple):
    """A cell's way forward and back."""

    pre: str
    gates: str
    states: str
    d_states: tuple[str, ...]
    d_pre: str


EQUATIONS = {
    "elman": Equations(
        f"a_t = {_SUM}",
        "",
        "h_t = tanh(a_t)",
        (f"dL/dh_t = {_FROM_NEXT}",),
        "dL/da_t = dL/dh_t (1 - h_t^2)",
    ),
    "elman_relu": Equations(
        f"a_t = {_SUM}",
        "",
        "h_t = max(0, a_t)",
        (f"dL/dh_t = {_FROM_NEXT}",),
        "dL/da_t = dL/dh_t where a_t > 0, else 0",
    ),
    "lstm": Equations(
        f"a_t = {_SUM}, a block for each gate",
        "i, f, o = sigmoid(a_t), g = tanh(a_t)",
        "c_t = f c_{t-1} + i g, h_t = o tanh(c_t)",
        (f"dL/dh_t = {_FROM_NEXT}", "dL/dc_t = dL/dh_t o (1 - tanh^2 c_t) + f_{t+1} dL/dc_{t+1}"),
        "dL/da_f = dL/dc_t c_{t-1} f (1 - f), and so on",
    ),
    "gru": Equations(
        f"a_t = {_SUM}; of n: W x_t + b + r (W h_{{t-1}} + b)",
        "r, z = sigmoid(a_t), n = tanh(a_t)",
        "h_t = (1 - z) n + z h_{t-1}",
        (f"dL/dh_t = {_FROM_NEXT} + z_{{t+1}} dL/dh_{{t+1}}",),
        "dL/da_z = dL/dh_t (h_{t-1} - n) z (1 - z), and so on",
    ),
}

FEATURES = {
    "last": "v = h where each direction ends",
    "mean": "v = mean of h_t over all t",
    "max": "v = maximum of h_t over all t, unit by unit",
    "attention": "v = sum over t of s_t h_t, s = softmax(h_t . w_attention)",
    "every_step": "v_t = h_t, at every step",
}
LOGITS = "logits = W_out v + b_out"
PROBA = "y = softmax(logits)"
LOSS = "L = -ln y[wanted class]"
LOSS_OF_STEPS = "L = mean over the labelled steps of -ln y_t[wanted class]"
D_LOGITS = "dL/dlogits = y - wanted"
D_LOGITS_OF_STEPS = "dL/dlogits_t = (y_t - wanted_t) / labelled steps"
GRADIENT = "dL/dW_ih = sum over t of dL/da_t x_t^T, dL/dW_hh = sum over t of dL/da_t h_{t-1}^T"
UPDATE = "w <- w - learning_rate dL/dw"
