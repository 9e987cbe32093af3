"""How an estimator learns: schedules, label smoothing, averages and initialisations reach the network."""

import numpy as np
import pytest

import elman
from elman import SequenceClassifier
from elman.errors import ParameterError
from elman.kernels.loss import losses
from elman.network.network import Network
from elman.training.schedules import SCHEDULES, rate_at
from elman.training.updater import Updater


def fitted(ragged, **parameters) -> SequenceClassifier:
    options = {"hidden_size": 3, "max_epochs": 4, "random_state": 0, **parameters}
    return SequenceClassifier(**options).fit(*ragged)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_history_holds_the_rate_of_the_schedule(ragged, schedule):
    falls = {"schedule_epochs": 1} if schedule in ("step", "exponential") else {}
    model = fitted(ragged, schedule=schedule, batch_size=12, learning_rate=0.01, warm_up=0.25, **falls)
    per_epoch = -(-model.training_["n_training"] // 12)
    assert per_epoch > 1
    expected = [
        0.01 * rate_at(model._settings(), per_epoch * epoch - 1, 4 * per_epoch, per_epoch) for epoch in (1, 2, 3, 4)
    ]
    assert [record["learning_rate"] for record in model.history_] == pytest.approx(expected)


def test_plateau_lowers_the_rate_where_the_validation_loss_does_not_fall(ragged):
    model = fitted(ragged, schedule="plateau", schedule_epochs=1, schedule_factor=0.1, tol=10.0, max_epochs=6)
    rates = np.array([record["learning_rate"] for record in model.history_])
    np.testing.assert_allclose(rates / rates[0], [1, 1, 1, 0.1, 0.1, 0.01])


def test_plateau_without_a_validation_part_is_refused(ragged, unseen):
    model = SequenceClassifier(hidden_size=3, max_epochs=2, schedule="plateau", early_stopping=False)
    with pytest.raises(ParameterError, match=r"'schedule' .* 'plateau' goes by the loss on a validation part"):
        model.fit(*ragged)
    assert model.fit(*ragged, validation=unseen).n_iter_ == 2


def test_parts_are_learned_by_the_weights_themselves(ragged):
    def vector_of(**parameters) -> np.ndarray:
        model = SequenceClassifier(hidden_size=3, random_state=0, **parameters)
        for _ in range(2):
            model.partial_fit(*ragged, classes=np.unique(ragged[1]))
        return model.network_.parameters.vector

    assert np.array_equal(vector_of(weight_average=0.99), vector_of())


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_parts_are_learned_at_one_rate_whatever_the_schedule(ragged, schedule):
    model = SequenceClassifier(hidden_size=3, schedule=schedule, warm_up=0.5, batch_size=9)
    for _ in range(3):
        model.partial_fit(*ragged, classes=np.unique(ragged[1]))
    assert [record["learning_rate"] for record in model.history_] == [model.learning_rate] * 3


@pytest.mark.filterwarnings("ignore:.*are identical to sequences in training")
def test_label_smoothing_is_in_the_training_loss_and_not_in_the_validation_loss(ragged):
    options = {"optimizer": "sgd", "learning_rate": 1e-30, "max_epochs": 1, "early_stopping": False}
    model = SequenceClassifier(hidden_size=3, random_state=0, label_smoothing=0.4, **options)
    record = model.fit(*ragged, validation=ragged).history_[0]
    proba = model.predict_proba(ragged[0])
    codes = np.searchsorted(model.classes_, ragged[1])
    plain = losses(np.log(proba), codes).mean()
    spread = -np.log(proba).mean()
    assert record["validation_loss"] == pytest.approx(plain, rel=1e-5)
    assert record["training_loss"] == pytest.approx(0.6 * plain + 0.4 * spread, rel=1e-5)
    assert abs(plain - spread) > 1e-3


def test_the_average_of_the_weights_is_what_is_validated_and_kept(ragged, monkeypatch):
    averages, update = [], Updater.update

    def watched(self, *arguments):
        found = update(self, *arguments)
        averages.append(self.evaluated().copy())
        return found

    monkeypatch.setattr(Updater, "update", watched)
    options = {"batch_size": 36, "learning_rate": 0.05, "refit": False}
    model = fitted(ragged, weight_average=0.9, **options)
    best = model.training_["best_epoch"]
    assert len(averages) == 4
    assert np.array_equal(model.network_.parameters.vector, averages[best - 1])
    assert model.history_[best - 1]["validation_loss"] == pytest.approx(
        model.training_["validation"]["log_loss"], rel=1e-6
    )
    assert not np.array_equal(model.network_.parameters.vector, fitted(ragged, **options).network_.parameters.vector)


def test_chrono_knows_the_longest_sequence_of_the_training_part(ragged, monkeypatch):
    seen, initialise = [], Network.initialise

    def watched(self, *arguments, longest, **options):
        seen.append(longest)
        initialise(self, *arguments, longest=longest, **options)

    monkeypatch.setattr(Network, "initialise", watched)
    fitted(ragged, initialisation="chrono", early_stopping=False, max_epochs=1)
    assert seen == [max(len(x) for x in ragged[0])]


def test_what_was_chosen_is_saved_with_the_model(ragged, tmp_path):
    chosen = {
        "optimizer": "rmsprop",
        "centred": True,
        "schedule": "step",
        "schedule_epochs": 3,
        "schedule_factor": 0.25,
        "warm_up": 0.1,
        "label_smoothing": 0.05,
        "gradient_noise": 0.001,
        "weight_average": 0.9,
        "initialisation": "chrono",
    }
    fitted(ragged, **chosen, max_epochs=1).save(tmp_path / "model")
    parameters = elman.load(tmp_path / "model").get_params()
    assert {name: parameters[name] for name in chosen} == chosen
