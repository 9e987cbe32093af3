"""The unrolled view: holds what it draws, stays small, and no name breaks out of it."""

import json
import re

import numpy as np
import pytest

from elman.cli.text_table import number
from elman.insight.three_steps import three_steps
from elman.insight.unroll import unroll
from elman.network.architecture import Architecture
from elman.network.network import Network

pytest.importorskip("jinja2")

from elman.report.unrolled_view import unrolled_page, unrolled_view

HOSTILE = [
    "</script><script>alert(1)</script>",
    "\"quoted\" 'names' & <b>markup</b>",
    "\x00\x1b[31m\u2028line",
    "plain",
]


def data_of(fragment):
    (text,) = re.findall(r'<script type="application/json" class="unrolled-data">(.*?)</script>', fragment, re.DOTALL)
    return json.loads(text)


def unrolled_network(n_steps, *, target=1, **changes):
    architecture = Architecture(**{"input_size": 4, "n_classes": 4, "hidden_size": 3} | changes)
    network = Network(architecture, dtype="float64")
    network.initialise(np.random.default_rng(0), "orthogonal", forget_bias=None)
    values = np.random.default_rng(1).standard_normal((n_steps, architecture.input_size))
    names = [*HOSTILE, *(f"x{k}" for k in range(architecture.input_size - 4))]
    classes = [*HOSTILE, *(f"class {k}" for k in range(architecture.n_classes - 4))]
    return unroll(network, values, target, classes=classes, feature_names=names, title=HOSTILE[0])


def test_the_fragment_holds_the_numbers_of_every_step():
    unrolled = three_steps()
    data = data_of(unrolled_view(unrolled))
    assert data["steps"] == [1, 2, 3]
    (passage,) = data["passages"]
    np.testing.assert_allclose(passage["d_states"]["h"], unrolled.passages[0].d_states["h"], atol=5.1e-5)
    norms = np.linalg.norm(unrolled.passages[0].d_states["h"], axis=1)
    np.testing.assert_allclose(passage["norms"]["d_h"], norms, rtol=1e-6)
    assert data["output"]["classes"] == ["another bell", "the same bell"]
    assert data["output"]["target"] == [0]
    terms = passage["terms"]["weight_hh"]
    whole = sum(np.outer(row, column) for row, column in zip(terms["rows"], terms["columns"]))
    np.testing.assert_allclose(whole, unrolled.gradients["weight_hh_l0"], rtol=1e-2, atol=1e-4)


def test_numbers_of_the_page_have_the_digits_of_the_terminal():
    unrolled = unrolled_network(9, cell="lstm")
    data = data_of(unrolled_view(unrolled))
    for sent, passage in zip(data["passages"], unrolled.passages, strict=True):
        assert sent["units"] == [1, 2, 3]
        for of in ("pre", "gates", "states", "d_states", "d_pre"):
            for name, array in getattr(passage, of).items():
                there = [number(value) for row in sent[of][name] for value in row]
                assert there == [number(value) for value in array.ravel().tolist()]
        assert [number(norm) for norm in sent["norms"]["h"]] == [
            number(float(norm)) for norm in np.linalg.norm(passage.states["h"], axis=1)
        ]
    assert [number(y) for y in data["output"]["proba"][0]] == [number(y) for y in unrolled.proba[0].tolist()]


def test_an_upper_layer_reads_the_states_of_the_layer_below():
    unrolled = unrolled_network(5, cell="gru", num_layers=2, embeddings=())
    data = data_of(unrolled_view(unrolled))
    below = np.concatenate([passage.states["h"] for passage in unrolled.passages[:2]], axis=1)
    terms = data["passages"][2]["terms"]
    assert terms["inputs"] == ["unit 1", "unit 2", "unit 3", "unit 1, reverse", "unit 2, reverse", "unit 3, reverse"]
    np.testing.assert_allclose(terms["weight_ih"]["columns"], below, atol=1e-4)
    assert data["passages"][0]["terms"]["inputs"] == data["inputs"]["names"]


def test_the_steps_are_there_as_a_table_without_script():
    fragment = unrolled_view(three_steps())
    table = re.sub(r"<(script|style).*?</\1>", "", fragment, flags=re.DOTALL)
    for norm in np.linalg.norm(three_steps().passages[0].d_states["h"], axis=1):
        assert f"{float(f'{norm:.4g}'):.4g}" in table


@pytest.mark.parametrize(
    "unrolled",
    [
        unrolled_network(200, input_size=90, n_classes=60, cell="lstm", hidden_size=64, num_layers=2),
        unrolled_network(12, cell="gru", num_layers=9),
        unrolled_network(3000, cell="elman", bidirectional=False, hidden_size=8),
    ],
    ids=["wide", "deep", "long"],
)
def test_large_networks_are_thinned_to_fit_and_that_is_said(unrolled):
    fragment = unrolled_view(unrolled)
    data = data_of(fragment)
    assert len(fragment.encode()) < 600_000
    if len(data["steps"]) < unrolled.n_steps:
        assert f"{len(data['steps'])} of {unrolled.n_steps:,} steps are drawn" in fragment
        assert data["steps"][0] == 1
        assert data["steps"][-1] == unrolled.n_steps
        assert len(data["passages"][0]["line"]) <= 600
    if len(data["passages"]) < len(unrolled.passages):
        assert f"Of {len(unrolled.passages)} layers and directions the last {len(data['passages'])}" in fragment
    units = data["passages"][-1]["units"]
    if len(units) < data["passages"][-1]["n_units"]:
        assert f"the {len(units)} most active ones are drawn" in fragment


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
def test_no_name_breaks_out_of_the_page(loss_at):
    page = unrolled_page(unrolled_network(4, loss_at=loss_at, target=[0, 1, 2, 3] if loss_at == "every_step" else 1))
    assert "<script>alert(1)" not in page
    assert "<b>markup" not in page
    assert "\u2028" not in page
    assert page.count("<script>") == page.count("</script>") - len(re.findall(r'<script type="application/json"', page))
    data = data_of(page)
    assert data["inputs"]["names"][0] == HOSTILE[0]


def test_the_same_network_gives_the_same_bytes():
    assert unrolled_page(three_steps()) == unrolled_page(three_steps())
