"""The engine beside PyTorch: forward, every gradient, and ten updates by every optimizer."""

import pytest

from cases import ATTENTION, CELLS, Case, all_cases, draw
from engine import assert_same_outcome, masks_of_the_engine, run_engine
from trajectories import CASE, SETTINGS, STEPS, assert_same_trajectory, engine_trajectory

pytest.importorskip("torch")

from torch_twin import run_torch, torch_trajectory

# Two shards; N = 19, T = 13, D = 5, H = 11, C = 4.
LENGTHS = (4, 13, 1, 7, 2, 2, 9, 5, 11, 3, 6, 12, 1, 8, 10, 3, 13, 6, 2)
SIZES = {"lengths": LENGTHS, "input_size": 5, "hidden_size": 11, "n_classes": 4}
BOUND = {"float64": 1e-12, "float32": 1e-5}


CASES = all_cases(**SIZES)
WEIGHTED = [case for case in all_cases(**SIZES, weighted=True) if case.cell == "lstm" and case.num_layers == 1]
SMOOTHED = [
    Case(cell, 1, True, loss_at=loss_at, weighted=weighted, label_smoothing=0.15, **SIZES)
    for cell, weighted in (("gru", True), ("elman", False))
    for loss_at in ("last", "every_step")
]
EMBEDDED = [
    Case(cell, num_layers, num_layers == 2, loss_at=loss_at, embeddings=((0, 3, 4), (2, 7, 2)), **SIZES)
    for cell in CELLS
    for num_layers in (1, 2)
    for loss_at in ("last", "every_step")
]
ATTENTIVE = [
    Case(cell, layers, both, *ATTENTION, **SIZES) for cell in CELLS for layers, both in ((1, False), (2, True))
]


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("case", CASES + WEIGHTED + SMOOTHED + EMBEDDED + ATTENTIVE, ids=str)
def test_forward_and_every_gradient_equal_pytorch(case, dtype):
    batch = draw(case)
    assert_same_outcome(run_engine(case, batch, dtype), run_torch(case, batch, dtype), BOUND[dtype])


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", SETTINGS)
def test_ten_updates_equal_pytorch(name, dtype):
    batch = draw(CASE)
    expected = torch_trajectory(CASE, batch, SETTINGS[name], STEPS, dtype)
    assert_same_trajectory(engine_trajectory(CASE, batch, SETTINGS[name], dtype), expected, BOUND[dtype])


OPTIONS = [
    {"hidden_size": (11, 6), "num_layers": 2},
    {"residual": True, "num_layers": 3, "dropout": 0.2},
    {"learn_initial_state": True},
    {"recurrent_dropout": 0.3},
    {"zoneout": 0.2},
    {"layer_norm": True},
    {
        "residual": True,
        "learn_initial_state": True,
        "recurrent_dropout": 0.3,
        "zoneout": 0.25,
        "layer_norm": True,
        "dropout": 0.2,
        "num_layers": 2,
        "readout": "mean",
    },
]


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=["-".join(options) for options in OPTIONS])
def test_options_equal_a_composition_of_pytorch(options, cell, dtype):
    case = Case(cell, bidirectional=True, **{**SIZES, **options})
    batch, masks = draw(case), masks_of_the_engine(case, 99)
    found = run_engine(case, batch, dtype, dropout_key=99)
    assert_same_outcome(found, run_torch(case, batch, dtype, masks), BOUND[dtype])
