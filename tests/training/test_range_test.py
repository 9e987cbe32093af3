"""The range test finds a rate, and leaves everything as it was."""

import numpy as np
import pytest

from elman.errors import TrainingError
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.range_test import HIGHEST, LOWEST, N_RATES, rate_curve, suggested
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

LENGTHS = np.random.default_rng(0).integers(5, 12, 60)


def slopes(seed=0, shuffled=False):
    """Give sequences that rise or fall, or that have nothing to do with their labels."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    targets = rng.integers(0, 2, len(LENGTHS))
    values = rng.standard_normal((offsets[-1], 2)) + np.repeat(2.0 * targets - 1, LENGTHS)[:, None]
    return Samples(values.astype(np.float32), offsets, rng.permutation(targets) if shuffled else targets)


def new_network(dropout=0.0):
    network = Network(Architecture(2, 2, "gru", 6, 1, True, recurrent_dropout=dropout))
    network.initialise(np.random.default_rng(1))
    return network


def curve(samples, network=None, seed=3, **settings):
    settings = TrainingSettings(**{"batch_size": 10, "n_threads": 1} | settings)
    return rate_curve(network or new_network(), samples, settings, np.random.default_rng(seed))


def test_rates_rise_by_one_factor_until_the_loss_explodes():
    found = curve(slopes())
    np.testing.assert_allclose(found.rates, np.geomspace(LOWEST, HIGHEST, N_RATES)[: len(found.rates)], rtol=1e-12)
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert len(found.rates) == N_RATES or found.smoothed[-1] > 2 * found.smoothed.min()
    assert (found.smoothed[:-1] <= 2 * np.minimum.accumulate(found.smoothed)[:-1]).all()


def test_the_losses_are_those_of_training_at_these_rates():
    """Held against plain gradient descent, step by step."""
    samples, network = slopes(), new_network()
    found = curve(samples, network, optimizer="sgd", clip_norm=None, batch_size=100)
    for rate, loss in zip(found.rates, found.losses, strict=True):
        result = network.loss_and_gradient(samples.values, samples.offsets, samples.targets)
        assert loss == pytest.approx(result.loss, rel=1e-4)
        network.parameters.vector[:] -= np.float32(rate) * result.gradient


def test_the_smoothed_loss_is_a_running_mean_with_a_fair_start():
    found = curve(slopes())
    weights = 0.9 ** np.arange(len(found.losses))[::-1]
    expected = [weights[-k:] @ found.losses[:k] / weights[-k:].sum() for k in range(1, len(found.losses) + 1)]
    np.testing.assert_allclose(found.smoothed, expected, rtol=1e-9)


@pytest.mark.parametrize("schedule", [{}, {"optimizer": "sgd", "momentum": 0.9}])
def test_network_and_generator_end_as_they_were_and_the_curve_is_the_same_again(schedule):
    network, rng = new_network(dropout=0.2), np.random.default_rng(4)
    before, state = network.parameters.vector.copy(), rng.bit_generator.state
    settings = TrainingSettings(batch_size=7, jitter=0.1, **schedule)
    first, again = (rate_curve(network, slopes(), settings, rng) for _ in range(2))
    assert np.array_equal(network.parameters.vector, before)
    assert rng.bit_generator.state == state
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_learning_rate_that_is_set_and_its_schedule_have_no_part_in_it():
    scheduled = curve(slopes(), schedule="one_cycle", warm_up=0.3)
    assert np.array_equal(scheduled.losses, curve(slopes()).losses)
    assert np.array_equal(curve(slopes(), learning_rate=1e-9).losses, curve(slopes(), learning_rate=5.0).losses)


def test_half_of_the_fall_is_what_is_suggested_in_two_digits():
    rates = np.geomspace(1e-6, 1, 100)
    fall = np.interp(np.log(rates), np.log([1e-4, 1e-2, 1e-1, 1]), [2.0, 1.0, 1.5, 4.0])
    assert suggested(rates, fall, fall) == pytest.approx(1e-3, rel=0.15)
    dip = fall.copy()
    dip[5] = 1.2  # a lucky batch, long before the loss falls for good
    assert suggested(rates, fall, dip) == suggested(rates, fall, fall) == 0.0011


@pytest.mark.parametrize("samples", [slopes(), slopes(1), slopes(2)])
def test_the_suggestion_trains_and_a_thirtieth_of_it_is_slow(samples):
    def loss_after(rate):
        network = new_network()
        settings = TrainingSettings(batch_size=10, learning_rate=rate, max_epochs=4, n_threads=1)
        return Trainer(network, settings, np.random.default_rng(5)).fit(samples).records[-1]["training_loss"]

    suggestion = curve(samples).suggestion
    assert loss_after(suggestion) < 0.2 < 0.4 < loss_after(suggestion / 30)


def test_where_nothing_can_be_learned_in_so_few_steps_the_default_is_suggested():
    samples = slopes()
    blank = samples._replace(values=np.zeros_like(samples.values), targets=np.arange(60) % 2)
    assert curve(blank, batch_size=60).suggestion == TrainingSettings.learning_rate


@pytest.mark.parametrize("n_sound", [1, 40])
def test_a_rate_at_which_training_breaks_down_ends_the_curve(monkeypatch, n_sound):
    whole, real_step, n_steps = curve(slopes()), Trainer.step, iter(range(100))

    def breaking_step(trainer, *arguments):
        if next(n_steps) == n_sound:
            raise TrainingError("the loss is nan")
        return real_step(trainer, *arguments)

    monkeypatch.setattr(Trainer, "step", breaking_step)
    found = curve(slopes())
    assert np.array_equal(found.losses, whole.losses[:n_sound])
    assert found.suggestion == TrainingSettings.learning_rate, "so low rates have taught nothing"


def test_a_network_that_is_broken_before_any_step_is_an_error():
    network = new_network()
    network.parameters.vector[:] = np.nan
    with pytest.raises(TrainingError, match="Training broke down"):
        curve(slopes(), network)


def test_batches_without_a_label_are_passed_over():
    samples = slopes()
    few = samples._replace(targets=np.where(np.arange(60) < 30, samples.targets, -1))
    assert (curve(few, batch_size=1).losses > 0).all()
