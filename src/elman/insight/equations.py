"""The equations of a network as lines of text, for whoever shows an unrolled network; h_{t-1} is h with an index.

In a layer that reads from the end, t - 1 and t + 1 change places. Where nothing follows, what has the index t + 1 is 0.

A test evaluates each line of `of_cell` on the numbers that are shown with it, so the lines keep to one notation: two
terms side by side are multiplied, matrices as matrices, all else unit by unit; ", " stands between two equations or
before words, ", with " before what the line needs; a list in brackets is one vector; h~ and c~ are what the cell
proposes where zoneout has the last word.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from elman.network.architecture import Architecture


class Equations(NamedTuple):
    """A cell's way forward and back, and what its weights receive: each some lines."""

    pre: tuple[str, ...]
    gates: tuple[str, ...]
    states: tuple[str, ...]
    d_states: tuple[str, ...]
    d_pre: tuple[str, ...]
    gradient: tuple[str, ...]


UPDATE = "w <- w - rate dL/dw, for every weight w"
_NORM = "norm(u) = (u - mean(u)) / sqrt(var(u) + 0.00001)"
_NORM_BACK = "back(d, u) = (d - mean(d) - norm(u) mean(d norm(u))) / sqrt(var(u) + 0.00001)"
_PRODUCTS = "k_t = W_ih x_t, m_t = W_hh h_{t-1}"


def of_cell(architecture: Architecture) -> Equations:
    """Give the equations of a layer in one direction, with layer normalisation and zoneout where there are any."""
    is_gru, has_norm, share = architecture.cell == "gru", architecture.layer_norm, architecture.zoneout
    h, c = ("h~", "c~") if share else ("h", "c")  # what the cell makes, be it the state or a proposal
    gates, states, d_pre = _inside(architecture.cell, h, c)
    from_h = "q" if is_gru else "a"  # whose gradient W_hh h_{t-1} + b_hh receives
    product_x, product_h = ("k", "m") if has_norm else ("a", from_h)
    back = f"W_hh^T dL/d{product_h}_{{t+1}}"
    if is_gru:
        back += f" + z_{{t+1}} dL/d{h}_{{t+1}}"
    d_states = [_backward_of("h", back, share)]
    through_h = f"dL/d{h}_t o_t (1 - tanh({c}_t)^2)"
    if share:
        d_states.append(f"dL/dh~_t = {1 - share:g} dL/dh_t")
    if architecture.cell == "lstm":
        carried = f"f_{{t+1}} dL/d{c}_{{t+1}}"
        if share:
            d_states += [_backward_of("c", carried, share), f"dL/dc~_t = {1 - share:g} dL/dc_t + {through_h}"]
        else:
            d_states.append(f"dL/dc_t = {through_h} + {carried}")
    if is_gru:
        known = "" if has_norm else ", with q_t = W_hh h_{t-1} + b_hh"
        d_pre = (*d_pre, f"dL/dq_t = (dL/da_r, dL/da_z, r_t dL/da_n){known}")
    gradient = [
        f"dL/dW_ih = sum over t of dL/d{product_x}_t x_t^T",
        f"dL/dW_hh = sum over t of dL/d{product_h}_t h_{{t-1}}^T",
        f"dL/db_ih = sum over t of dL/da_t, dL/db_hh = sum over t of dL/d{from_h}_t",
    ]
    if has_norm:
        d_pre = (
            *d_pre,
            "dL/dk_t = back(gain_ih dL/da_t, k_t)",
            f"dL/dm_t = back(gain_hh dL/d{from_h}_t, m_t)",
            _NORM_BACK,
        )
        gradient.append("dL/dgain_ih = sum over t of dL/da_t norm(k_t)")
        gradient.append(f"dL/dgain_hh = sum over t of dL/d{from_h}_t norm(m_t)")
    if share:
        states += tuple(f"{s}_t = {share:g} {s}_{{t-1}} + {1 - share:g} {s}~_t" for s in ("h", "c")[: len(states)])
    return Equations(_before(architecture), gates, states, tuple(d_states), d_pre, tuple(gradient))


def _before(architecture: Architecture) -> tuple[str, ...]:
    """Give the lines of the pre-activations."""
    if architecture.cell == "gru" and architecture.layer_norm:
        halves = "p_t = gain_ih norm(k_t) + b_ih, q_t = gain_hh norm(m_t) + b_hh"
        return (_PRODUCTS, halves, "a_r = p_r + q_r", "a_z = p_z + q_z", "a_n = p_n + r_t q_n", _NORM)
    if architecture.cell == "gru":
        return (
            "a_r = W_ir x_t + b_ir + W_hr h_{t-1} + b_hr",
            "a_z = W_iz x_t + b_iz + W_hz h_{t-1} + b_hz",
            "a_n = W_in x_t + b_in + r_t q_n, with q_n = W_hn h_{t-1} + b_hn",
        )
    blocks = ", the rows of each gate one below the other: i, f, g, o" * (architecture.cell == "lstm")
    if architecture.layer_norm:
        return (_PRODUCTS, f"a_t = gain_ih norm(k_t) + b_ih + gain_hh norm(m_t) + b_hh{blocks}", _NORM)
    return (f"a_t = W_ih x_t + b_ih + W_hh h_{{t-1}} + b_hh{blocks}",)


def _inside(cell: str, h: str, c: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Give the lines of the gates, of the states that the cell makes, and of the way back through both."""
    if cell == "elman":
        return (), (f"{h}_t = tanh(a_t)",), (f"dL/da_t = dL/d{h}_t (1 - {h}_t^2)",)
    if cell == "elman_relu":
        return (), (f"{h}_t = max(0, a_t)",), (f"dL/da_t = dL/d{h}_t where a_t > 0 and 0 elsewhere",)
    if cell == "gru":
        return (
            ("r_t = sigmoid(a_r)", "z_t = sigmoid(a_z)", "n_t = tanh(a_n)"),
            (f"{h}_t = (1 - z_t) n_t + z_t h_{{t-1}}",),
            (
                f"dL/da_n = dL/d{h}_t (1 - z_t) (1 - n_t^2)",
                f"dL/da_z = dL/d{h}_t (h_{{t-1}} - n_t) z_t (1 - z_t)",
                "dL/da_r = dL/da_n q_n r_t (1 - r_t)",
            ),
        )
    return (
        ("i_t = sigmoid(a_i), f_t = sigmoid(a_f), g_t = tanh(a_g), o_t = sigmoid(a_o)",),
        (f"{c}_t = f_t c_{{t-1}} + i_t g_t", f"{h}_t = o_t tanh({c}_t)"),
        (
            f"dL/da_i = dL/d{c}_t g_t i_t (1 - i_t)",
            f"dL/da_f = dL/d{c}_t c_{{t-1}} f_t (1 - f_t)",
            f"dL/da_g = dL/d{c}_t i_t (1 - g_t^2)",
            f"dL/da_o = dL/d{h}_t tanh({c}_t) o_t (1 - o_t)",
        ),
    )


def _backward_of(state: str, back: str, share: float) -> str:
    """Give the line of the gradient by a state that the next step reads."""
    output = "[from the output at t] + " * (state == "h")
    stays = f" + {share:g} dL/d{state}_{{t+1}}" if share else ""
    return f"dL/d{state}_t = {output}{back}{stays}"


_FEATURES = {
    "last": "v = h where each direction ends",
    "mean": "v = mean of h_t over all t",
    "max": "v = maximum of h_t over all t, unit by unit",
    "attention": "v = sum over t of s_t h_t, s = softmax(h_t . w_attention)",
    "every_step": "v_t = h_t, at every step",
}


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
    """Say, a sentence each, what the equations of a layer leave open."""
    found = []
    if architecture.cell == "gru" and architecture.layer_norm:
        found.append("p_r and q_r are the rows of the gate r in p_t and q_t; so for z and n.")
    elif architecture.cell == "gru":
        found.append("W_ir, b_ir, W_hr, b_hr are the rows of the gate r in W_ih, b_ih, W_hh, b_hh; so for z and n.")
    if architecture.layer_norm:
        over = "units" if architecture.cell.startswith("elman") else "units of all gates together"
        found.append(f"Layer normalisation: mean and var are taken over the {over}.")
    if architecture.zoneout:
        found.append(f"Zoneout: of each state a share of {architecture.zoneout:g} stays as it was at t-1.")
    if architecture.learn_initial_state:
        found.append("The states before the first step are learned: their gradient is what the first step passes back.")
    if architecture.residual and architecture.num_layers > 1:
        found.append(
            "From the second layer on, a layer's input is added to its output, where both are of one size; so the "
            "input receives the output's gradient as well."
        )
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
