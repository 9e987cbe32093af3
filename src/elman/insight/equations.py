"""The equations of each cell as lines of text, for whoever shows an unrolled network; h_{t-1} is h with an index.

In a layer that reads from the end, t - 1 and t + 1 change places.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from elman.network.architecture import Architecture

_SUM = "W_ih x_t + b_ih + W_hh h_{t-1} + b_hh"
_FROM_NEXT = "[from the output at t] + W_hh^T dL/da_{t+1}"


class Equations(NamedTuple):
    """A cell's way forward and back."""

    pre: tuple[str, ...]
    gates: tuple[str, ...]
    states: tuple[str, ...]
    d_states: tuple[str, ...]
    d_pre: tuple[str, ...]


EQUATIONS = {
    "elman": Equations(
        (f"a_t = {_SUM}",),
        (),
        ("h_t = tanh(a_t)",),
        (f"dL/dh_t = {_FROM_NEXT}",),
        ("dL/da_t = dL/dh_t (1 - h_t^2)",),
    ),
    "elman_relu": Equations(
        (f"a_t = {_SUM}",),
        (),
        ("h_t = max(0, a_t)",),
        (f"dL/dh_t = {_FROM_NEXT}",),
        ("dL/da_t = dL/dh_t where a_t > 0, else 0",),
    ),
    "lstm": Equations(
        (f"a_t = {_SUM}, a block for each gate: a_i, a_f, a_g, a_o",),
        ("i_t = sigmoid(a_i), f_t = sigmoid(a_f), g_t = tanh(a_g), o_t = sigmoid(a_o)",),
        ("c_t = f_t c_{t-1} + i_t g_t", "h_t = o_t tanh(c_t)"),
        (f"dL/dh_t = {_FROM_NEXT}", "dL/dc_t = dL/dh_t o_t (1 - tanh^2 c_t) + f_{t+1} dL/dc_{t+1}"),
        (
            "dL/da_i = dL/dc_t g_t i_t (1 - i_t), dL/da_f = dL/dc_t c_{t-1} f_t (1 - f_t)",
            "dL/da_g = dL/dc_t i_t (1 - g_t^2), dL/da_o = dL/dh_t tanh(c_t) o_t (1 - o_t)",
        ),
    ),
    "gru": Equations(
        (
            "a_r = W_ir x_t + b_ir + W_hr h_{t-1} + b_hr",
            "a_z = W_iz x_t + b_iz + W_hz h_{t-1} + b_hz",
            "a_n = W_in x_t + b_in + r_t (W_hn h_{t-1} + b_hn)",
        ),
        ("r_t = sigmoid(a_r), z_t = sigmoid(a_z), n_t = tanh(a_n)",),
        ("h_t = (1 - z_t) n_t + z_t h_{t-1}",),
        (f"dL/dh_t = {_FROM_NEXT} + z_{{t+1}} dL/dh_{{t+1}}",),
        (
            "dL/da_z = dL/dh_t (h_{t-1} - n_t) z_t (1 - z_t), dL/da_n = dL/dh_t (1 - z_t) (1 - n_t^2)",
            "dL/da_r = dL/da_n (W_hn h_{t-1} + b_hn) r_t (1 - r_t)",
        ),
    ),
}

_FEATURES = {
    "last": "v = h where each direction ends",
    "mean": "v = mean of h_t over all t",
    "max": "v = maximum of h_t over all t, unit by unit",
    "attention": "v = sum over t of s_t h_t, s = softmax(h_t . w_attention)",
    "every_step": "v_t = h_t, at every step",
}
GRADIENT = ("dL/dW_ih = sum over t of dL/da_t x_t^T", "dL/dW_hh = sum over t of dL/da_t h_{t-1}^T")
UPDATE = "w <- w - rate dL/dw, for every weight w"


def of_readout(architecture: Architecture) -> dict[str, str]:
    """Give the equations behind the last layer: features, logits, proba, loss, and d_logits."""
    if architecture.loss_at == "every_step":
        return {
            "features": _FEATURES["every_step"],
            "logits": "logits_t = W_out v_t + b_out",
            "proba": "y_t = softmax(logits_t)",
            "loss": "L = mean over the labelled steps of -ln y_t[target class]",
            "d_logits": "dL/dlogits_t = (y_t - target_t) / number of labelled steps",
        }
    return {
        "features": _FEATURES[architecture.readout],
        "logits": "logits = W_out v + b_out",
        "proba": "y = softmax(logits)",
        "loss": "L = -ln y[target class]",
        "d_logits": "dL/dlogits = y - target",
    }


def remarks(architecture: Architecture) -> tuple[str, ...]:
    """Say, a sentence each, what options change in a layer's equations."""
    found = []
    if architecture.cell == "gru":
        found.append("On the way back through W_hn and b_hn, dL/da_n is multiplied by r_t.")
    if architecture.layer_norm:
        found.append("Before they are added up, W_ih x_t and W_hh h_{t-1} are normalised and scaled by gains.")
    if architecture.zoneout:
        found.append(f"Of each state a share of {architecture.zoneout:g} stays as it was at t-1 (zoneout).")
    if architecture.residual and architecture.num_layers > 1:
        found.append("A layer's input is added to its output, where both are of one size.")
    if architecture.bidirectional:
        found.append("In a direction that reads from the end, t-1 and t+1 change places.")
    return tuple(found)


def answer(loss: float) -> tuple[str, str]:
    """Give y of the target class and its loss, -ln y, with as many digits of y as make that true of the text.

    >>> answer(0.73708), answer(0.00345), answer(3.0e-4), answer(0.0)
    (('0.4785', '0.7371'), ('0.996556', '0.003450'), ('(1 - 3.0e-04)', '3.0e-04'), ('1', '0'))
    """
    if loss == 0:
        return "1", "0"
    if loss < 1e-3:
        return f"(1 - {-math.expm1(-loss):.1e})", f"{loss:.1e}"
    said = f"{loss:#.4g}"
    texts = [f"{math.exp(-loss):.{digits}g}" for digits in range(4, 17)]
    return next((y for y in texts if float(y) > 0 and f"{-math.log(float(y)):#.4g}" == said), texts[-1]), said
