"""The training loop keeps its promises: best epoch, clipping, seeds, interruption."""

from dataclasses import replace

import numpy as np
import pytest

from elman.errors import DataError, TrainingError
from elman.kernels.updates import norm
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.callbacks import Callback
from elman.training.clipping import clip_by_value, clip_scale
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer
from elman.training.updater import Update, Updater

LENGTHS = np.array([4, 6, 3, 5, 7, 2, 8, 5, 4, 6, 3, 9])


class Told(Callback):
    """Calls functions."""

    def __init__(self, on_epoch=lambda record: None, on_step=lambda step: None):
        self.on_epoch_end, self.on_step_end = on_epoch, on_step


def noisy_samples(seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    return Samples(rng.standard_normal((offsets[-1], 2)).astype(np.float32), offsets, rng.integers(0, 3, len(LENGTHS)))


def new_trainer(seed: int = 0, dropout: float = 0.0, **settings: object) -> Trainer:
    rng = np.random.default_rng(seed)
    network = Network(Architecture(2, 3, "gru", 6, 2, True, dropout))
    network.initialise(rng)
    return Trainer(network, TrainingSettings(batch_size=5, **settings), rng)


def test_the_epoch_with_the_lowest_validation_loss_is_kept():
    seen = []
    trainer = new_trainer(max_epochs=40, learning_rate=0.05, early_stopping=False, n_iter_no_change=2)
    vector = trainer.network.parameters.vector
    history = trainer.fit(
        noisy_samples(1), noisy_samples(2), [Told(on_epoch=lambda record: seen.append(vector.copy()))]
    )
    losses = [record["validation_loss"] for record in history.records]
    assert len(losses) == 40, "without early stopping there is no end to patience"
    best = int(np.argmin(losses))
    assert best < 39, "the task must be one that overfits"
    assert history.best_epoch == best + 1
    assert np.array_equal(vector, seen[best])
    assert trainer.assess(noisy_samples(2))[0] == losses[best]


def test_training_ends_after_n_iter_no_change_epochs_without_a_lower_validation_loss():
    history = new_trainer(max_epochs=500, learning_rate=0.05, n_iter_no_change=7).fit(
        noisy_samples(1), noisy_samples(2)
    )
    assert history.stopped_early
    assert len(history.records) == history.best_epoch + 7


def test_patience_counts_from_the_last_fall_by_tol_and_the_best_epoch_is_kept_all_the_same():
    trainer = new_trainer(max_epochs=50, n_iter_no_change=3, tol=0.05)
    losses = iter([1.0, 0.9, 0.89, 0.88, 0.87, 0.1, 0.05])
    trainer.assess = lambda samples: (next(losses), 0.5)
    history = trainer.fit(noisy_samples(1), noisy_samples(2))
    assert history.stopped_early
    assert [record["validation_loss"] for record in history.records] == [1.0, 0.9, 0.89, 0.88, 0.87]
    assert history.best_epoch == 5


def test_without_validation_data_the_last_epoch_is_kept():
    trainer = new_trainer(max_epochs=5)
    history = trainer.fit(noisy_samples(1))
    assert history.best_epoch == 5
    assert history.records[-1]["validation_loss"] is None


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(dropout):
    def parameters_after(seed: int, n_threads: int) -> np.ndarray:
        trainer = new_trainer(seed, dropout, max_epochs=4, n_threads=n_threads)
        trainer.fit(noisy_samples(1), noisy_samples(2))
        return trainer.network.parameters.vector

    assert np.array_equal(parameters_after(0, 1), parameters_after(0, 2))
    assert not np.array_equal(parameters_after(0, 1), parameters_after(1, 1))


@pytest.mark.parametrize("after", [1, 4, 30])
def test_ctrl_c_ends_training_with_the_best_so_far(after):
    def interrupt(record):
        seen.append((record["validation_loss"], trainer.network.parameters.vector.copy()))
        if record["epoch"] == after:
            raise KeyboardInterrupt

    seen: list[tuple[float, np.ndarray]] = []
    trainer = new_trainer(max_epochs=50, learning_rate=0.05)
    history = trainer.fit(noisy_samples(1), noisy_samples(2), [Told(on_epoch=interrupt)])
    assert history.interrupted
    assert len(history.records) == after
    best = min(range(after), key=lambda n: seen[n][0])
    assert after < 30 or best < 29, "the task must be one that overfits"
    assert np.array_equal(trainer.network.parameters.vector, seen[best][1])


def test_ctrl_c_in_the_first_epoch_keeps_what_was_learned():
    def interrupt(step):
        if step["step_in_epoch"] == 2:
            raise KeyboardInterrupt

    trainer = new_trainer()
    start = trainer.network.parameters.vector.copy()
    history = trainer.fit(noisy_samples(1), noisy_samples(2), [Told(on_step=interrupt)])
    assert history.interrupted
    assert history.best_epoch is None
    assert not np.array_equal(trainer.network.parameters.vector, start)


def test_a_record_says_what_happened():
    record = new_trainer(max_epochs=1, clip_norm=1e-3).fit(noisy_samples(1), noisy_samples(2)).records[0]
    assert record["epoch"] == 1
    assert 0 < record["training_loss"] < 5
    assert 0 < record["validation_loss"] < 5
    assert record["training_accuracy"] in np.arange(13) / 12
    assert record["gradient_norm"] > 1e-2, "the norm before clipping"
    assert record["learning_rate"] == TrainingSettings().learning_rate
    assert record["sequences_per_second"] == pytest.approx(12 / record["seconds"])


def test_an_epoch_visits_every_sequence_once_in_a_new_order():
    visits: list[np.ndarray] = []

    class Watching(Trainer):
        def step(self, samples, chosen=None):
            visits.append(chosen)
            return super().step(samples, chosen)

    plain = new_trainer(max_epochs=2)
    Watching(plain.network, plain.settings, np.random.default_rng(0)).fit(noisy_samples(1))
    assert [len(chosen) for chosen in visits] == [5, 5, 2, 5, 5, 2]
    first, second = np.concatenate(visits[:3]), np.concatenate(visits[3:])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first.tolist() != second.tolist()


def test_a_loss_that_is_no_number_ends_training_with_advice():
    samples = noisy_samples(1)
    samples.values[3] = np.nan
    trainer = new_trainer()
    start = trainer.network.parameters.vector.copy()
    with pytest.raises(TrainingError, match=r"Training broke down: the loss is nan and .* Try learning_rate=0\.0005\."):
        trainer.step(samples)
    assert np.array_equal(trainer.network.parameters.vector, start), "parameters are as they were before the step"


@pytest.mark.parametrize("n", [1, 7, 8, 1001])
def test_the_norm_is_summed_in_float64(n):
    gradient = np.random.default_rng(0).standard_normal(n).astype(np.float32) * 10
    assert norm(gradient) == pytest.approx(np.linalg.norm(gradient.astype(float)), rel=1e-12)


def test_clipping_by_norm_scales_to_the_largest_norm_and_leaves_a_smaller_one_alone():
    assert clip_scale(8.0, 0.5) == 0.0625
    assert clip_scale(0.5, 0.5) == clip_scale(0.1, 0.5) == clip_scale(8.0, None) == 1


def test_clipping_by_value_bounds_every_part_and_returns_the_norm_of_what_is_left():
    gradient = np.array([-3.0, -0.5, 0.0, 0.2, 9.0])
    assert clip_by_value(gradient, 0.5) == pytest.approx(np.sqrt(0.79))
    assert gradient.tolist() == [-0.5, -0.5, 0.0, 0.2, 0.5]


def test_values_are_clipped_before_the_norm():
    trainer = new_trainer(optimizer="sgd", learning_rate=1.0, clip_value=0.001, clip_norm=0.002)
    start = trainer.network.parameters.vector.copy()
    gradient = trainer.network.loss_and_gradient(*noisy_samples(1)[:3]).gradient
    clipped = np.clip(gradient, -0.001, 0.001)
    assert np.linalg.norm(clipped) > 0.002 > np.linalg.norm(gradient) * 0.001
    trainer.step(noisy_samples(1))
    change = start - trainer.network.parameters.vector
    np.testing.assert_allclose(change, clipped * (0.002 / np.linalg.norm(clipped)), atol=1e-7)


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
def test_loss_and_accuracy_of_an_epoch_are_means_over_sequences_or_steps(loss_at):
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, "gru", 6, loss_at=loss_at))
    network.initialise(rng)
    samples = noisy_samples(1)
    if loss_at == "every_step":
        samples = samples._replace(targets=np.random.default_rng(1).integers(0, 3, len(samples.values)))
    standing_still = TrainingSettings(optimizer="sgd", learning_rate=1e-30, batch_size=5, max_epochs=1)
    trainer = Trainer(network, standing_still, rng)
    record = trainer.fit(samples).records[0]
    loss, accuracy = trainer.assess(samples)
    assert record["training_loss"] == pytest.approx(loss, rel=1e-6)
    assert record["training_accuracy"] == pytest.approx(accuracy, abs=1e-12)


def test_of_two_epochs_with_the_same_validation_loss_the_earlier_is_kept():
    trainer = new_trainer(max_epochs=4)
    losses = iter([2.0, 1.0, 1.0, 1.5])
    trainer.assess = lambda samples: (next(losses), 0.5)
    assert trainer.fit(noisy_samples(1), noisy_samples(2)).best_epoch == 2


def test_every_update_has_dropout_masks_of_its_own():
    trainer = new_trainer(dropout=0.5, max_epochs=2)
    keys, run = [], trainer.network.loss_and_gradient

    def watched(*arrays, dropout_key, **options):
        keys.append(dropout_key)
        return run(*arrays, dropout_key=dropout_key, **options)

    trainer.network.loss_and_gradient = watched
    trainer.fit(noisy_samples(1))
    assert len(keys) == len(set(keys)) == 6


def test_clipping_changes_the_step_that_training_takes():
    def parameters_after(**settings: object) -> np.ndarray:
        trainer = new_trainer(optimizer="sgd", learning_rate=1.0, **settings)
        start = trainer.network.parameters.vector.copy()
        trainer.step(noisy_samples(1))
        return trainer.network.parameters.vector - start

    free = parameters_after(clip_norm=None)
    by_norm = parameters_after(clip_norm=0.01)
    by_value = parameters_after(clip_norm=None, clip_value=0.001)
    assert np.linalg.norm(by_norm) == pytest.approx(0.01, rel=1e-4)
    np.testing.assert_allclose(by_norm, free * (0.01 / np.linalg.norm(free)), atol=1e-7)
    np.testing.assert_allclose(by_value, np.clip(free, -0.001, 0.001), atol=1e-7)


def test_an_epoch_whose_validation_loss_is_no_number_is_never_preferred_to_one_that_has_a_loss():
    validation = noisy_samples(2)
    trainer = new_trainer(max_epochs=3, learning_rate=0.01)
    losses = iter([2.0, float("nan"), 2.5, 1.5])
    trainer.assess = lambda samples: (next(losses), 0.5)
    with pytest.warns(
        UserWarning, match="Training broke down in epoch 2, after 3 of 3 steps: the validation loss is nan"
    ):
        history = trainer.fit(noisy_samples(1), validation)
    assert [record["validation_loss"] for record in history.records] == [2.0, 2.5, 1.5]
    assert history.best_epoch == 3


def weighted_samples(seed: int) -> Samples:
    """Some without a label, the others of weights that sum to nothing round."""
    samples = noisy_samples(seed)
    samples.targets[1::4] = -1
    return samples._replace(weights=np.random.default_rng(seed).uniform(0, 3, len(LENGTHS)))


def test_weighted_loss_and_accuracy_are_means_by_weight_over_what_has_a_label():
    samples = weighted_samples(1)
    trainer = new_trainer(optimizer="sgd", learning_rate=1e-30, max_epochs=1)
    logits = trainer.network.logits(samples.values, samples.offsets).astype(float)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(12), samples.targets]
    weights = np.where(samples.targets < 0, 0, samples.weights)
    record = trainer.fit(samples, samples).records[0]
    accuracy = np.average(logits.argmax(axis=1) == samples.targets, weights=weights)
    for part in ("training", "validation"):
        assert record[f"{part}_loss"] == pytest.approx(np.average(losses, weights=weights), rel=1e-5)
        assert record[f"{part}_accuracy"] == pytest.approx(accuracy, rel=1e-12)


def test_a_batch_without_a_label_leaves_parameters_and_moments_alone():
    trainer, samples = new_trainer(learning_rate=0.1, weight_decay=0.1), noisy_samples(1)
    trainer.step(samples)
    start = trainer.network.parameters.vector.copy()
    result = trainer.step(samples._replace(targets=np.full(len(LENGTHS), -1)))
    assert (result.loss, result.correct, result.scored) == (0, 0, 0)
    assert np.array_equal(trainer.network.parameters.vector, start)


@pytest.mark.parametrize("weights", [np.zeros(12), np.where(noisy_samples(2).targets == 0, 0.0, 1.0)])
@pytest.mark.parametrize("part", ["training", "validation"])
def test_samples_in_which_nothing_counts_are_refused_before_anything_is_learned(weights, part):
    nothing = weighted_samples(2)._replace(weights=weights, targets=np.where(weights > 0, -1, noisy_samples(2).targets))
    trainer = new_trainer()
    start = trainer.network.parameters.vector.copy()
    samples = (nothing, noisy_samples(1)) if part == "training" else (noisy_samples(1), nothing)
    with pytest.raises(DataError, match="At least one target must have a label and a weight above 0"):
        trainer.fit(*samples)
    assert np.array_equal(trainer.network.parameters.vector, start)


AUGMENTED = {"jitter": 0.2, "scaling": 0.1, "time_warp": 0.3, "window_slice": 0.8}


@pytest.mark.parametrize("name", AUGMENTED)
def test_augmented_training_depends_on_the_seed_alone_and_validation_is_left_as_it_is(name):
    def trained(samples: Samples, **settings: object) -> tuple[np.ndarray, list]:
        trainer = new_trainer(max_epochs=2, early_stopping=False, **settings)
        history = trainer.fit(samples, noisy_samples(2))
        return trainer.network.parameters.vector.copy(), history.records

    plain, _ = trained(noisy_samples(1))
    parameters, records = trained(noisy_samples(1), **{name: AUGMENTED[name]})
    again, _ = trained(noisy_samples(1), n_threads=1, **{name: AUGMENTED[name]})
    assert np.array_equal(parameters, again)
    assert not np.array_equal(parameters, plain)
    still = new_trainer()
    still.network.parameters.vector[:] = parameters
    best = min(records, key=lambda record: record["validation_loss"])
    assert still.assess(noisy_samples(2)) == (best["validation_loss"], best["validation_accuracy"])


def test_every_pass_augments_anew():
    trainer, samples = new_trainer(jitter=0.5, optimizer="sgd", learning_rate=1e-30), noisy_samples(1)
    assert trainer.step(samples).loss != trainer.step(samples).loss


def test_only_quantities_are_augmented():
    samples = noisy_samples(1)
    network, still = new_trainer().network, TrainingSettings(optimizer="sgd", learning_rate=1e-30)
    bound = Trainer(network, replace(still, jitter=0.5), np.random.default_rng(0), np.array([], np.int64))
    plain = Trainer(network, still, np.random.default_rng(0))
    assert bound.step(samples, np.arange(12)).gradient_norm == plain.step(samples, np.arange(12)).gradient_norm


@pytest.mark.parametrize("kind", ["weighted sequences", "labels of steps"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_gradients_of_an_epoch_in_buckets_sum_up_to_that_of_the_data(kind, accumulate, monkeypatch):
    samples, every_step = weighted_samples(1), kind == "labels of steps"
    if every_step:
        rng, n_steps = np.random.default_rng(2), len(samples.values)
        samples = Samples(samples.values, samples.offsets, rng.integers(-1, 3, n_steps))
    network = Network(Architecture(2, 3, "gru", 6, 1, True, loss_at="every_step" if every_step else "last"))
    network.initialise(np.random.default_rng(0))
    settings = TrainingSettings(batch_size=5, accumulate=accumulate, bucket_by_length=True, max_epochs=1)
    gradients = []

    def stand_still(updater, gradient, norm_before):
        assert norm_before == pytest.approx(norm(gradient), rel=1e-5)
        gradients.append(gradient.astype(float))
        return Update(1.0, False, 0.0)

    monkeypatch.setattr(Updater, "update", stand_still)
    Trainer(network, settings, np.random.default_rng(3)).fit(samples)
    whole = network.loss_and_gradient(*samples[:3], weights=samples.weights).gradient
    n_usual = len(LENGTHS) / (5 * accumulate)
    np.testing.assert_allclose(sum(gradients) / n_usual, whole, atol=2e-6)
