"""The engine beside what PyTorch once computed: the oracle where torch is not installed."""

import pytest

from engine import assert_same_outcome, run_engine
from stored import CASES, FOLDER, load_case, load_trajectory
from trajectories import CASE, SETTINGS, assert_same_trajectory, engine_trajectory

BOUND = {"float64": 1e-12, "float32": 1e-5}


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_and_every_gradient_equal_what_pytorch_computed(case, dtype):
    batch, expected = load_case(case)
    assert_same_outcome(run_engine(case, batch, dtype), expected, BOUND[dtype])


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", SETTINGS)
def test_ten_updates_equal_what_pytorch_computed(name, dtype):
    batch, expected = load_trajectory(CASE, name)
    assert_same_trajectory(engine_trajectory(CASE, batch, SETTINGS[name], dtype), expected, BOUND[dtype])


def test_the_fixtures_are_complete_and_small():
    assert len(list(FOLDER.glob("*.npz"))) == len({str(case) for case in CASES}) + 1
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 350_000
