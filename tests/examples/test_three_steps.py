import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "three_steps.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("three_steps", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def walk(example):
    """The result and the printed lines of one run."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "print", lambda *texts, **_: lines.append(" ".join(map(str, texts))), raising=False)
        result = example.main()
    return result, "\n".join(lines).splitlines()


def test_the_network_learns_the_task(walk):
    result, _ = walk
    assert 0.6 < result.losses[0] < 0.8  # about log 2: it knows nothing yet
    assert result.losses[-1] < 0.02
    assert result.accuracy >= 0.98


def test_the_gradient_reaches_the_first_step(walk):
    result, _ = walk
    assert result.d_h_norms.shape == (3,)
    assert (result.d_h_norms > 0.01).all()


def test_the_engine_trains_the_same_network_to_rounding(walk):
    result, _ = walk
    assert np.abs(result.engine_losses - result.losses).max() < 1e-13
    assert result.largest_difference < 1e-12


def test_no_step_by_itself_tells_the_class(example):
    sequences, targets = example.draw_task(np.random.default_rng(0), 4000)
    low = np.abs(sequences - example.BELLS[0]).sum(axis=2) < np.abs(sequences - example.BELLS[1]).sum(axis=2)
    for t in range(3):
        assert abs(targets[low[:, t]].mean() - 0.5) < 0.05
    assert np.mean((low[:, 0] == low[:, 2]) == targets) > 0.999  # two steps together do


def test_the_gradient_it_prints_is_the_derivative(example):
    rng = np.random.default_rng(1)
    sequences, targets = example.draw_task(rng, 1)
    weights = example.initialise(rng)
    _, gradient, _ = example.backward(*example.forward(sequences[0], weights), targets[0], weights)
    for name, weight in weights.items():
        for place in np.ndindex(weight.shape):
            moved = {other: values.astype(complex) for other, values in weights.items()}
            moved[name][place] += 1e-200j
            loss, _, _ = example.backward(*example.forward(sequences[0], moved), targets[0], moved)
            assert abs(gradient[name][place] - loss.imag / 1e-200) < 1e-14


def test_the_weight_it_follows_gathers_what_a_nudge_measures(example):
    rng = np.random.default_rng(2)
    sequences, targets = example.draw_task(rng, 1)
    weights = example.initialise(rng)
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "print", lambda text: lines.append(text), raising=False)
        total, measured = example.follow_one_weight(sequences[0], targets[0], weights)
    assert abs(total - measured) < 1e-8
    parts = [float(line.split("= ")[-1]) for line in lines[1:4]]
    assert abs(sum(parts) - total) < 3e-6
    assert abs(total) > 1e-4


def test_it_prints_each_step_of_the_walk_within_80_columns(walk):
    _, lines = walk
    text = "\n".join(lines)
    for part in ("1. Initialise", "x_t", "h_t", "y_t", "L = -log y_3", "dL/dh_t", "3. Update", "5. On", "6. The same"):
        assert part in text
    assert max(len(line) for line in lines) <= 80
    assert (
        sum(line.startswith("    t = ") and "h_" not in line for line in lines) == 2 * 4 * 3
    )  # before and after, four tables of 3 steps
