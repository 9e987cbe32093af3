"""The equations beside the numbers: they hold for the numbers that stand beside them."""

import math

import numpy as np
import pytest

from elman.insight.equations import EQUATIONS, answer
from elman.insight.unroll import unroll
from elman.network.architecture import Architecture
from elman.network.network import Network


def passage_of(cell):
    architecture = Architecture(2, 3, cell=cell, hidden_size=4, bidirectional=False)
    network = Network(architecture, dtype="float64")
    network.initialise(np.random.default_rng(0), "uniform", forget_bias=None)
    unrolled = unroll(network, np.random.default_rng(1).normal(size=(6, 2)), 1)
    return unrolled.passages[0], unrolled.parameters


def test_the_equations_of_an_lstm_are_those_of_its_numbers():
    passage, _ = passage_of("lstm")
    gate, c_prev, c = passage.gates, passage.before["c"], passage.states["c"]
    d_c, d_h = passage.d_states["c"], passage.d_states["h"]
    by_equation = {
        "i": d_c * gate["g"] * gate["i"] * (1 - gate["i"]),
        "f": d_c * c_prev * gate["f"] * (1 - gate["f"]),
        "g": d_c * gate["i"] * (1 - gate["g"] ** 2),
        "o": d_h * np.tanh(c) * gate["o"] * (1 - gate["o"]),
    }
    for name, expected in by_equation.items():
        np.testing.assert_allclose(passage.d_pre[name], expected, rtol=1e-12)
    assert "dL/da_g = dL/dc_t i_t (1 - g_t^2)" in EQUATIONS["lstm"].d_pre[1]


def test_the_equations_of_a_gru_are_those_of_its_numbers():
    passage, weights = passage_of("gru")
    gate, h_prev, d_h = passage.gates, passage.before["h"], passage.d_states["h"]
    w_in, w_hn = weights["weight_ih_l0"][8:], weights["weight_hh_l0"][8:]
    from_h = h_prev @ w_hn.T + weights["bias_hh_l0"][8:]
    np.testing.assert_allclose(
        passage.pre["n"], passage.x @ w_in.T + weights["bias_ih_l0"][8:] + gate["r"] * from_h, rtol=1e-12
    )
    d_n = d_h * (1 - gate["z"]) * (1 - gate["n"] ** 2)
    np.testing.assert_allclose(passage.d_pre["n"], d_n, rtol=1e-12)
    np.testing.assert_allclose(passage.d_pre["r"], d_n * from_h * gate["r"] * (1 - gate["r"]), rtol=1e-12)
    np.testing.assert_allclose(passage.d_pre["z"], d_h * (h_prev - gate["n"]) * gate["z"] * (1 - gate["z"]), rtol=1e-12)
    whole = np.zeros_like(d_h)  # and dL/dh_t, from the step behind it, with what the remark says of W_hn
    d_pre = np.concatenate([passage.d_pre["r"], passage.d_pre["z"], gate["r"] * passage.d_pre["n"]], axis=1)
    whole[:-1] = d_pre[1:] @ weights["weight_hh_l0"] + gate["z"][1:] * d_h[1:]
    np.testing.assert_allclose(d_h[:-1], whole[:-1], rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("loss", [*np.geomspace(1e-14, 600, 40), math.log(2)])
def test_the_logarithm_of_the_y_that_is_shown_is_the_loss_that_is_shown(loss):
    y, said = answer(loss)
    assert float(said) == pytest.approx(loss, rel=0.05 if loss < 1e-3 else 5.1e-4)
    if y.startswith("("):
        assert f"{-math.log1p(-float(y.strip('()').removeprefix('1 - '))):.1e}" == said
    else:
        assert f"{-math.log(float(y)):#.4g}" == said
