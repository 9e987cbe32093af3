"""Schedules beside PyTorch's, step by step."""

import numpy as np
import pytest

from elman.training.schedules import Plateau, rate_at
from elman.training.settings import TrainingSettings

pytest.importorskip("torch")

import torch
from torch.optim import lr_scheduler

N, PER_EPOCH = 60, 5


def theirs(make, n: int = N) -> list[float]:
    """The rates of PyTorch's schedule, taken a step further at each step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, found = make(optimizer), []
    for _ in range(n):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def ours(n: int = N, **settings) -> list[float]:
    chosen = TrainingSettings(**settings)
    return [rate_at(chosen, step, n, PER_EPOCH) for step in range(n)]


def warm(optimizer, n_warm, rest):
    rising = lr_scheduler.LinearLR(optimizer, start_factor=1 / (n_warm + 1), total_iters=n_warm)
    return lr_scheduler.SequentialLR(optimizer, [rising, rest], milestones=[n_warm])


CASES = {
    "step": (
        {"schedule": "step", "schedule_epochs": 3, "schedule_factor": 0.3},
        lambda o: lr_scheduler.StepLR(o, 3 * PER_EPOCH, gamma=0.3),
    ),
    "exponential": (
        {"schedule": "exponential", "schedule_epochs": 1, "schedule_factor": 0.9},
        lambda o: lr_scheduler.ExponentialLR(o, 0.9 ** (1 / PER_EPOCH)),
    ),
    "cosine": (
        {"schedule": "cosine", "final_rate": 0.1},
        lambda o: lr_scheduler.CosineAnnealingLR(o, N, eta_min=0.1),
    ),
    "one_cycle": (
        {"schedule": "one_cycle", "final_rate": 0.002},
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, N, final_div_factor=1 / 25 / 0.002, cycle_momentum=False),
    ),
    "warm_up": (
        {"schedule": "cosine", "warm_up": 0.2},
        lambda o: warm(o, 12, lr_scheduler.CosineAnnealingLR(o, N - 12)),
    ),
    "constant": ({"warm_up": 0.5}, lambda o: warm(o, 30, lr_scheduler.ConstantLR(o, factor=1.0))),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_every_rate_equals_pytorchs(name):
    settings, make = CASES[name]
    np.testing.assert_allclose(ours(**settings), theirs(make), rtol=1e-12, atol=1e-12)


def test_a_plateau_equals_pytorchs_with_an_absolute_threshold():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.3, patience=3, threshold=0.01, threshold_mode="abs", eps=0.0
    )
    plateau = Plateau(TrainingSettings(schedule="plateau", schedule_factor=0.3, schedule_epochs=3, tol=0.01))
    for loss in np.random.default_rng(0).gamma(3.0, size=60) + np.linspace(2, 0, 60):
        schedule.step(loss)
        plateau.end_epoch(loss)
        assert plateau.factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
    assert plateau.factor < 0.1
