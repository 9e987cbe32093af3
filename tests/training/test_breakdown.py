"""A breakdown is caught at the step where it happens; training goes back once, and never ends with a broken network."""

import warnings

import numpy as np
import pytest
from benchmarks.kill_and_resume import samples

from elman.errors import TrainingError
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.callbacks import Callback
from elman.training.checkpoint import Checkpoint
from elman.training.divergence import IN_A_ROW, is_too_large
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer


def new_trainer(cell="gru", **settings):
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, cell, 4))
    network.initialise(rng)
    return Trainer(network, TrainingSettings(**{"batch_size": 5, "max_epochs": 4} | settings), rng)


def break_at(trainer, *passes, to="loss"):
    """Let these passes, counted from 1 over the whole run, give a loss or a gradient that is no number."""
    run, seen = trainer.network.loss_and_gradient, []

    def broken(*arrays, **options):
        seen.append(trainer.network.parameters.vector.copy())
        found = run(*arrays, **options)
        if len(seen) not in passes:
            return found
        return found._replace(loss=np.nan) if to == "loss" else found._replace(norm=np.inf)

    trainer.network.loss_and_gradient = broken
    return seen


class Told(Callback):
    def __init__(self):
        self.steps, self.records = [], []

    def on_step_end(self, step):
        self.steps.append(step)

    def on_epoch_end(self, record):
        self.records.append(record)


@pytest.mark.parametrize("to", ["loss", "gradient"])
def test_training_goes_back_to_the_start_of_the_epoch_and_on_at_half_the_rate(to):
    told, trainer = Told(), new_trainer(max_epochs=3)
    seen = break_at(trainer, 10, to=to)
    with pytest.warns(UserWarning, match="broke down") as warned:
        history = trainer.fit(samples(1), samples(2), [told])
    what = "the loss is nan and" if to == "loss" else "and the gradient's norm inf"
    assert [what in str(warning.message) for warning in warned] == [True]
    assert "broke down in epoch 2, after 3 of 6 steps: " in str(warned[0].message)
    assert "went back to the start of epoch 2, and on at half the learning rate." in str(warned[0].message)
    assert np.array_equal(seen[10], seen[6]), "the parameters of the start of epoch 2"
    assert [record["learning_rate"] for record in history.records] == [0.005, 0.0025, 0.0025]
    assert [record["rollbacks"] for record in history.records] == [0, 1, 1]
    assert [record["steps"] for record in history.records] == [6, 12, 18]
    assert [step["step"] for step in told.steps] == [*range(1, 10), *range(7, 19)]


def test_the_same_sequences_come_in_the_same_order_after_going_back():
    chosen, trainer = [], new_trainer(max_epochs=1)
    run = trainer.network.loss_and_gradient
    trainer.network.loss_and_gradient = lambda *arrays, **given: chosen.append(given["chosen"]) or run(*arrays, **given)
    break_at(trainer, 4)
    with pytest.warns(UserWarning, match="broke down"):
        trainer.fit(samples(1))
    assert [batch.tolist() for batch in chosen[:4]] == [batch.tolist() for batch in chosen[4:8]]


def test_the_second_breakdown_ends_training_with_advice_and_the_best_epoch():
    told, trainer = Told(), new_trainer(clip_norm=None)
    break_at(trainer, 10, 15)
    best = []
    told.on_epoch_end = lambda record: best.append(trainer.network.parameters.vector.copy())
    with (
        pytest.warns(UserWarning, match="broke down in epoch 2"),
        pytest.raises(TrainingError, match=r"again, at half the rate, in epoch 2, after 4 of 6 steps: the loss is nan"),
    ):
        trainer.fit(samples(1), samples(2), [told])
    assert np.array_equal(trainer.network.parameters.vector, best[0])


def test_at_the_first_step_there_is_nothing_to_go_back_to():
    trainer = new_trainer()
    start = trainer.network.parameters.vector.copy()
    break_at(trainer, 1)
    with pytest.raises(TrainingError) as caught:
        trainer.fit(samples(1))
    begin, end = str(caught.value).split(" norm ")
    assert begin == "Training broke down before anything was learned: the loss is nan and the gradient's"
    assert end.endswith(". Try another cell or initialisation, or shorter sequences.")
    assert np.array_equal(trainer.network.parameters.vector, start)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("with_validation", [True, False])
def test_a_huge_rate_ends_with_an_error_that_says_what_to_try(optimizer, with_validation):
    trainer = new_trainer(optimizer=optimizer, learning_rate=1e36, clip_norm=None, max_epochs=20)
    with (
        pytest.warns(UserWarning, match="Training broke down .* went back to the start of epoch 1, and on"),
        pytest.raises(TrainingError, match=r"again, at half the rate, .*Try learning_rate=1e\+35, or clip_norm=1\.$"),
    ):
        trainer.fit(samples(1), samples(2) if with_validation else None)
    assert np.isfinite(trainer.network.parameters.vector).all()


def test_a_rate_that_half_of_is_right_for_ends_well():
    trainer = new_trainer(cell="elman_relu", optimizer="sgd", learning_rate=1.0, clip_norm=None, max_epochs=6)
    slow = trainer.updater(6).slow_down
    trainer.updater().slow_down = lambda factor: slow(factor / 50)  # what is half of a rate of the sort of 0.02
    trainer.updater().update = exploding(trainer)
    with pytest.warns(UserWarning, match="broke down"):
        history = trainer.fit(samples(1))
    assert len(history.records) == 6
    assert np.isfinite(trainer.network.logits(*samples(2)[:2])).all()


def exploding(trainer):
    """An update whose third step is a jump far away."""
    update, steps = trainer.updater().update, []

    def jump(gradient, norm):
        found = update(gradient, norm)
        steps.append(1)
        if len(steps) == 3:
            trainer.network.parameters.vector[:] *= 1e6
        return found

    return jump


def test_one_batch_an_epoch_goes_back_past_the_epoch_that_did_the_harm():
    told, trainer = Told(), new_trainer(batch_size=30, max_epochs=40, learning_rate=1e-3)
    trainer.updater(1).update = exploding(trainer)
    with pytest.warns(UserWarning, match=r"the loss was above 50 times .* went back to the start of epoch 3, and on"):
        history = trainer.fit(samples(1), None, [told])
    numbers = [record["epoch"] for record in told.records]
    assert numbers == [*range(1, 3 + IN_A_ROW), *range(3, 41)]
    assert [record["epoch"] for record in history.records] == list(range(1, 41))
    assert max(record["training_loss"] for record in history.records) < 2


def test_what_the_very_last_step_broke_is_found_without_validation_data():
    trainer = new_trainer(max_epochs=1)
    update, steps = trainer.updater(6).update, []

    def last_one_breaks(gradient, norm):
        found = update(gradient, norm)
        steps.append(1)
        if len(steps) == 6:
            trainer.network.parameters.vector[-1] = np.nan
        return found

    trainer.updater().update = last_one_breaks
    with pytest.warns(
        UserWarning, match="after 6 of 6 steps: the last step left a network whose scores are no numbers"
    ):
        history = trainer.fit(samples(1))
    assert history.best_epoch == 1
    assert np.isfinite(trainer.network.logits(*samples(1)[:2])).all()


def test_a_wild_sequence_is_named_by_its_size():
    wild = samples(1)
    wild.values[20:23] = 3e38
    trainer = new_trainer(cell="elman_relu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(TrainingError, match=r"Try .*values scaled down; the largest is 3e\+38\.$"):
            trainer.fit(wild)


def test_noisy_training_with_outliers_is_left_alone():
    noisy = samples(1)
    noisy.values[:] *= np.random.default_rng(0).choice([1, 30], len(noisy.values))[:, None]
    trainer = new_trainer(batch_size=1, learning_rate=0.1, optimizer="sgd", momentum=0.9, max_epochs=8)
    history = trainer.fit(noisy, samples(2))
    assert [record["rollbacks"] for record in history.records] == [0] * 8
    assert max(record["training_loss"] for record in history.records) > 1.5, "the task must be one that hurts"


def test_too_large_is_far_above_chance_and_the_start():
    assert not is_too_large(54.0, 0.3, 3)
    assert is_too_large(56.0, 0.3, 3)  # 50 ln 3 = 54.9
    assert not is_too_large(400.0, 9.0, 3)
    assert is_too_large(451.0, 9.0, 3)


def test_a_run_resumed_before_its_breakdown_goes_back_to_the_same_bits(tmp_path):
    def run(path, stop=None):
        trainer = new_trainer(max_epochs=3)
        update = trainer.updater(6).update

        def jump(gradient, norm):
            found = update(gradient, norm)
            if trainer._updater.state()["steps"] == 9 and trainer._updater.state()["slowed"] == 1:
                trainer.network.parameters.vector[:] = np.inf
            return found

        trainer.updater().update = jump
        watching = Callback()
        watching.on_step_end = lambda step: step["step"] == stop and 1 / 0
        trainer.fit(samples(1), samples(2), [watching], checkpoint=path and Checkpoint(path, every=0))
        return trainer.network.parameters.vector

    with pytest.warns(UserWarning, match="broke down in epoch 2"):
        whole = run(None)
    for stop in (6, 8):
        path = tmp_path / f"{stop}"
        with pytest.raises(ZeroDivisionError):
            run(path, stop)
        with pytest.warns(UserWarning, match="broke down in epoch 2"):
            assert np.array_equal(run(path), whole)


@pytest.mark.parametrize("weights", [None, np.random.default_rng(0).uniform(0, 3, 30)])
def test_batches_that_are_accumulated_are_one_batch_of_them_all(weights):
    found = samples(1)._replace(weights=weights)
    found.targets[3:9] = -1

    def parameters_after(**settings):
        rng = np.random.default_rng(0)
        network = Network(Architecture(2, 3, "gru", 4), dtype="float64")
        network.initialise(rng)
        trainer = Trainer(network, TrainingSettings(max_epochs=3, optimizer="sgd", learning_rate=0.5, **settings), rng)
        history = trainer.fit(found._replace(values=found.values.astype(float)))
        return network.parameters.vector, history

    one, one_history = parameters_after(batch_size=12)
    four, four_history = parameters_after(batch_size=3, accumulate=4)
    np.testing.assert_allclose(four, one, rtol=1e-9)
    assert [record["steps"] for record in four_history.records] == [3, 6, 9]
    for name in ("training_loss", "training_accuracy", "gradient_norm", "update_ratio"):
        assert four_history.records[-1][name] == pytest.approx(one_history.records[-1][name], rel=1e-9)


def test_a_callback_that_ends_an_epoch_early_has_it_validated_and_kept():
    watching = Callback()
    watching.on_step_end = lambda step: step["step"] == 8
    history = new_trainer().fit(samples(1), samples(2), [watching])
    assert history.stopped_early
    assert [record["steps"] for record in history.records] == [6, 8]
    assert history.records[1]["validation_loss"] is not None


@pytest.mark.parametrize("end", ["well", "ctrl-c", "error"])
def test_every_callback_is_told_of_the_end_however_it_comes(end):
    ends, watching, failing = [], Callback(), Callback()
    watching.on_train_end = lambda history: ends.append(history.interrupted)
    failing.on_step_end = lambda step: {"well": lambda: None, "ctrl-c": interrupt, "error": lambda: 1 / 0}[end]()
    try:
        new_trainer(max_epochs=1).fit(samples(1), None, [failing, watching])
    except ZeroDivisionError:
        assert end == "error"
    assert ends == [end == "ctrl-c"]


def interrupt():
    raise KeyboardInterrupt
