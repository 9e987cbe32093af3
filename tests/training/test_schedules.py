"""Schedules: the shapes that their names promise."""

import itertools

import pytest

from elman.training.schedules import SCHEDULES, Plateau, rate_at
from elman.training.settings import TrainingSettings


def rates(n_steps: int = 40, steps_per_epoch: int = 4, **settings) -> list[float]:
    chosen = TrainingSettings(**settings)
    return [rate_at(chosen, step, n_steps, steps_per_epoch) for step in range(n_steps)]


def test_a_constant_rate_is_the_rate():
    assert set(rates()) == {1.0}


def test_a_step_falls_at_once_every_so_many_epochs():
    found = rates(schedule="step", schedule_epochs=3, schedule_factor=0.1)
    assert found == pytest.approx([1.0] * 12 + [0.1] * 12 + [0.01] * 12 + [0.001] * 4)


def test_exponential_meets_step_where_that_falls_and_is_even_between():
    step, smooth = (rates(schedule=name, schedule_epochs=2, schedule_factor=0.25) for name in ("step", "exponential"))
    assert smooth[::8] == pytest.approx(step[::8])
    assert all(b / a == pytest.approx(0.25 ** (1 / 8)) for a, b in itertools.pairwise(smooth))


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
@pytest.mark.parametrize("final_rate", [0.0, 0.2])
def test_cosine_and_one_cycle_fall_to_the_final_rate(name, final_rate):
    found = rates(n_steps=1000, schedule=name, final_rate=final_rate)
    assert max(found) == pytest.approx(1)
    assert found[-1] == pytest.approx(final_rate, abs=1e-5)
    top = found.index(max(found))
    assert all(a >= b for a, b in itertools.pairwise(found[top:]))
    if name == "one_cycle":
        assert found[0] == pytest.approx(1 / 25)
        assert top == 299
        assert all(a < b for a, b in itertools.pairwise(found[: top + 1]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_rises_in_a_line_and_the_schedule_has_the_other_steps(name):
    found = rates(n_steps=50, warm_up=0.2, schedule=name)
    assert found[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert found[10:] == rates(n_steps=40, schedule=name)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 5, 7])
def test_however_few_steps_there_are_every_rate_is_a_share(name, n_steps):
    found = rates(n_steps=n_steps, steps_per_epoch=1, schedule=name, warm_up=0.3)
    assert all(0 <= rate <= 1 for rate in found)
    assert rate_at(TrainingSettings(schedule=name), 100, n_steps, 200) == rates(n_steps, 200, schedule=name)[-1]


def test_a_plateau_lowers_the_rate_once_the_loss_has_not_fallen_for_longer_than_the_patience():
    plateau = Plateau(TrainingSettings(schedule="plateau", schedule_epochs=2, schedule_factor=0.1, tol=0.01))
    factors = []
    for loss in [1.0, 0.995, 0.992, 0.98, 0.985, 0.99, 0.975, 2.0, 2.0, 2.0, float("nan")]:
        plateau.end_epoch(loss)
        factors.append(plateau.factor)
    assert factors == pytest.approx([1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])
