"""The updater: what becomes of a gradient, and that it goes on from a state as if it had never stopped."""

import json

import numpy as np
import pytest

from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.schedules import SCHEDULES
from elman.training.settings import OPTIMIZERS, TrainingSettings
from elman.training.updater import Updater

N_STEPS, PER_EPOCH = 12, 2


def new_network() -> Network:
    network = Network(Architecture(2, 3, "gru", 3))
    network.initialise(np.random.default_rng(0))
    return network


def new_updater(network: Network | None = None, seed: int = 0, **settings) -> Updater:
    network = new_network() if network is None else network
    chosen = TrainingSettings(**{"clip_norm": None, **settings})
    return Updater(network, chosen, N_STEPS, PER_EPOCH, np.random.default_rng(seed))


def gradient_of(step: int, size: int) -> np.ndarray:
    return np.random.default_rng(step).standard_normal(size).astype(np.float32)


def go(updater: Updater, network: Network, first: int, stop: int) -> None:
    """Take some steps, each epoch's validation loss a little worse than the last."""
    for step in range(first, stop):
        gradient = gradient_of(step, network.parameters.vector.size)
        updater.update(gradient, float(np.linalg.norm(gradient)))
        if step % PER_EPOCH == PER_EPOCH - 1:
            updater.end_epoch(1 + step / 10)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_ten_steps_are_five_and_five_from_a_state_to_the_bit(optimizer, schedule):
    settings = {
        "optimizer": optimizer,
        "schedule": schedule,
        "schedule_epochs": 1,
        "warm_up": 0.2,
        "weight_decay": 0.01,
        "clip_norm": 3.0,
        "clip_value": 1.0,
        "gradient_noise": 0.1,
        "weight_average": 0.9,
        "momentum": 0.9 if optimizer in ("sgd", "rmsprop") else 0.0,
        "centred": optimizer == "rmsprop",
    }
    whole = new_network()
    through = new_updater(whole, **settings)
    go(through, whole, 0, 3)
    through.slow_down(0.5)
    go(through, whole, 3, 10)

    halves = new_network()
    before = new_updater(halves, **settings)
    go(before, halves, 0, 3)
    before.slow_down(0.5)
    go(before, halves, 3, 5)
    state = before.state()
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    numbers = json.loads(json.dumps({name: state[name] for name in state.keys() - arrays.keys()}, allow_nan=False))
    after = new_updater(halves, seed=99, **settings)
    after.restore({**numbers, **arrays})
    before.update(gradient_of(77, halves.parameters.vector.size), 1.0)  # a state is a copy, which this leaves alone
    halves.parameters.vector[:] = _at_five(settings)
    go(after, halves, 5, 10)

    assert np.array_equal(halves.parameters.vector, whole.parameters.vector)
    assert np.array_equal(after.evaluated(), through.evaluated())
    states = after.state(), through.state()
    assert states[0].keys() == states[1].keys()
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])


def _at_five(settings) -> np.ndarray:
    network = new_network()
    updater = new_updater(network, **settings)
    go(updater, network, 0, 3)
    updater.slow_down(0.5)
    go(updater, network, 3, 5)
    return network.parameters.vector


def test_a_gradient_is_clipped_by_value_and_then_by_norm_and_that_is_said():
    network = new_network()
    size, start = network.parameters.vector.size, network.parameters.vector.copy()
    gradient = gradient_of(0, size)
    updater = new_updater(network, optimizer="sgd", learning_rate=1.0, clip_value=0.5, clip_norm=0.1)
    found = updater.update(gradient.copy(), float(np.linalg.norm(gradient)))
    clipped = np.clip(gradient, -0.5, 0.5)
    np.testing.assert_allclose(start - network.parameters.vector, clipped * (0.1 / np.linalg.norm(clipped)), atol=1e-6)
    assert found.is_clipped
    small = gradient * 1e-4
    assert not updater.update(small.copy(), float(np.linalg.norm(small))).is_clipped
    loose = new_updater(optimizer="sgd", clip_value=0.5)
    assert loose.update(gradient.copy(), float(np.linalg.norm(gradient))).is_clipped


def test_the_update_ratio_is_the_change_by_the_size_of_what_changes():
    network = new_network()
    before = network.parameters.vector.astype(float)
    gradient = gradient_of(0, before.size)
    ratio = new_updater(network, optimizer="adamw", learning_rate=0.01).update(gradient, 1.0).update_ratio
    change = network.parameters.vector - before
    assert ratio == pytest.approx(np.linalg.norm(change) / np.linalg.norm(before), rel=1e-6)


def test_noise_has_the_variance_that_its_paper_gives_and_comes_from_the_seed():
    def noise_at(seed: int, steps: int) -> np.ndarray:
        network = Network(Architecture(2, 3, "gru", 60))
        updater = new_updater(network, seed=seed, optimizer="sgd", learning_rate=1.0, gradient_noise=0.3)
        for _ in range(steps):
            before = network.parameters.vector.copy()
            updater.update(np.zeros_like(before), 0.0)
        return before - network.parameters.vector

    first, third = noise_at(0, 1), noise_at(0, 3)
    assert first.var() == pytest.approx(0.3, rel=0.05)
    assert third.var() == pytest.approx(0.3 / 3**0.55, rel=0.05)
    assert abs(np.corrcoef(first, third)[0, 1]) < 0.05
    assert np.array_equal(third, noise_at(0, 3))
    assert not np.array_equal(first, noise_at(1, 1))


def test_noise_comes_after_clipping():
    network = Network(Architecture(2, 3, "gru", 60))
    updater = new_updater(network, optimizer="sgd", learning_rate=1.0, gradient_noise=1.0, clip_norm=1e-3)
    found = updater.update(np.full_like(network.parameters.vector, 5), 1e3)
    assert found.is_clipped
    assert network.parameters.vector.std() == pytest.approx(1, rel=0.05)


def test_without_noise_no_random_number_is_drawn():
    rng = np.random.default_rng(0)
    Updater(new_network(), TrainingSettings(), N_STEPS, PER_EPOCH, rng)
    assert rng.integers(2**63) == np.random.default_rng(0).integers(2**63)


def test_the_average_follows_quickly_at_first_and_then_by_its_decay():
    network = new_network()
    updater = new_updater(network, optimizer="sgd", learning_rate=0.1, weight_average=0.4)
    expected = network.parameters.vector.astype(float)
    for step in range(1, 13):
        gradient = gradient_of(step, expected.size)
        updater.update(gradient, 1.0)
        decay = min(0.4, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.parameters.vector
        np.testing.assert_allclose(updater.evaluated(), expected, rtol=0, atol=1e-5)
    assert (1 + 1) / (10 + 1) < 0.4 < (1 + 12) / (10 + 12), "both rules had their turn"


def test_without_an_average_the_parameters_themselves_are_evaluated():
    network = new_network()
    assert new_updater(network).evaluated() is network.parameters.vector


def test_a_plateau_of_the_validation_loss_lowers_the_rate_and_none_leaves_it():
    updater = new_updater(schedule="plateau", schedule_epochs=1, schedule_factor=0.1, learning_rate=0.5)
    size = updater.evaluated().size
    rates = []
    for loss in (1.0, 1.0, None, 1.0, None):
        rates.append(updater.update(gradient_of(0, size), 1.0).learning_rate)
        updater.end_epoch(loss)
    assert rates == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.05])
    updater.slow_down(0.5)
    assert updater.update(gradient_of(0, size), 1.0).learning_rate == pytest.approx(0.025)


def test_the_rate_of_the_schedule_is_the_rate_of_the_step():
    updater = new_updater(schedule="cosine", learning_rate=0.2, optimizer="sgd")
    vector = updater.evaluated()
    for step in range(N_STEPS):
        before, gradient = vector.copy(), np.ones_like(vector)
        rate = updater.update(gradient, 1.0).learning_rate
        assert rate == pytest.approx(0.1 * (1 + np.cos(np.pi * step / N_STEPS)))
        np.testing.assert_allclose(before - vector, rate, atol=1e-6)
