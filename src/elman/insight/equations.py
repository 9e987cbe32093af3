"""The equations of each cell as lines of text, for whoever shows an unrolled network; h_{t-1} is h with an index.

In a layer that reads from the end, t - 1 and t + 1 change places.
"""

from __future__ import annotations

from typing import NamedTuple

from elman.network.architecture import Architecture

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

_FEATURES = {
    "last": "v = h where each direction ends",
    "mean": "v = mean of h_t over all t",
    "max": "v = maximum of h_t over all t, unit by unit",
    "attention": "v = sum over t of s_t h_t, s = softmax(h_t . w_attention)",
    "every_step": "v_t = h_t, at every step",
}
GRADIENT = "dL/dW_ih = sum over t of dL/da_t x_t^T, dL/dW_hh = sum over t of dL/da_t h_{t-1}^T"
UPDATE = "w <- w - rate dL/dw, for every weight w"


def of_readout(architecture: Architecture) -> dict[str, str]:
    """Give the equations behind the last layer: features, logits, proba, loss, and d_logits."""
    if architecture.loss_at == "every_step":
        return {
            "features": _FEATURES["every_step"],
            "logits": "logits_t = W_out v_t + b_out",
            "proba": "y_t = softmax(logits_t)",
            "loss": "L = mean over the labelled steps of -ln y_t[wanted class]",
            "d_logits": "dL/dlogits_t = (y_t - wanted_t) / number of labelled steps",
        }
    return {
        "features": _FEATURES[architecture.readout],
        "logits": "logits = W_out v + b_out",
        "proba": "y = softmax(logits)",
        "loss": "L = -ln y[wanted class]",
        "d_logits": "dL/dlogits = y - wanted",
    }


def remarks(architecture: Architecture) -> tuple[str, ...]:
    """Say, a sentence each, what options change in a layer's equations."""
    found = []
    if architecture.layer_norm:
        found.append("Before they are added up, W_ih x_t and W_hh h_{t-1} are normalised and scaled by gains.")
    if architecture.zoneout:
        found.append(f"Of each state a share of {architecture.zoneout:g} stays as it was at t-1 (zoneout).")
    if architecture.residual and architecture.num_layers > 1:
        found.append("A layer's input is added to its output, where both are of one size.")
    if architecture.bidirectional:
        found.append("In a direction that reads from the end, t-1 and t+1 change places.")
    return tuple(found)
