"""Learning in parts, starting warm, and what is told while learning."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate

from elman import DataError, ParameterError, SequenceClassifier, SequenceTagger, TrainingError, load
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

CLASSES = ["falls", "rises", "stays"]


def small(**parameters):
    return SequenceClassifier(**{"hidden_size": 4, "max_epochs": 3, "random_state": 0} | parameters)


def test_a_part_is_gone_through_once_and_the_optimizer_is_carried_on(ragged):
    X, y = ragged
    parts = [(X[:20], y[:20]), (X[20:], y[20:]), (X[:20], y[:20])]
    pinned = {"optimizer": "adam", "weight_decay": 0.0, "batch_size": 32}
    model = small(**pinned)
    for part in parts:
        model.partial_fit(*part, classes=CLASSES)
    fresh = small().partial_fit(*parts[0], classes=CLASSES)
    network = Network(fresh.network_.architecture)
    _, start_rng, training_rng = (np.random.default_rng(child) for child in np.random.SeedSequence(0).spawn(3))
    network.initialise(start_rng, "orthogonal", forget_bias=1.0)
    trainer = Trainer(network, TrainingSettings(**pinned, max_epochs=1, early_stopping=False), training_rng)
    for X_part, y_part in parts:
        samples = fresh._samples(fresh._counted(*_read(fresh, X_part, y_part), None, None)[0])
        trainer.fit(Samples(*samples))
    assert np.array_equal(model.network_.parameters.vector, network.parameters.vector)
    assert model.n_iter_ == 3
    assert [record["epoch"] for record in model.history_] == [1, 2, 3]
    assert len(model.loss_curve_) == 3
    assert model.validation_scores_ == [None] * 3


def _read(model, X, y):
    sequences = model._sequences(X)
    return sequences, model._targets(y, sequences)


def test_parts_may_lack_classes_and_many_of_them_are_learned(ragged, unseen):
    X, y = ragged
    model = small(hidden_size=6)
    model.partial_fit(X[:1], y[:1], classes=CLASSES)
    assert model.classes_.tolist() == CLASSES
    assert np.isfinite(model.baselines_.proba(model._sequences(X), every_step=False)["summary_statistics"]).all()
    model = small(hidden_size=6)
    for _ in range(25):
        for begin in range(0, 45, 15):
            model.partial_fit(X[begin : begin + 15], y[begin : begin + 15], classes=CLASSES)
    assert model.score(*unseen) > 0.9


def test_classes_are_needed_once_and_stay(ragged):
    X, y = ragged
    with pytest.raises(DataError, match=r"^classes must be passed on the first call to partial_fit, .* Got None\.$"):
        small().partial_fit(X, y)
    model = small().partial_fit(X, y, classes=CLASSES)
    with pytest.raises(DataError, match=r"^'classes' must be those of the first call .*'stays'\]\. Got \['a', 'b'\]"):
        model.partial_fit(X, y, classes=["a", "b"])
    with pytest.raises(DataError, match=r"The label 'jumps' .* was never seen in training"):
        model.partial_fit(X[:1], ["jumps"])
    with pytest.raises(ParameterError, match=r"'class_weight' .* must be a dict or None for partial_fit, .*'balanced'"):
        small(class_weight="balanced").partial_fit(X, y, classes=CLASSES)


def test_a_part_that_fails_leaves_the_model_whole(ragged, monkeypatch):
    X, y = ragged
    model = small().partial_fit(X, y, classes=CLASSES)
    before = pickle.dumps(model)
    for X_bad in ([x * np.nan for x in X], [x[:, :1] for x in X]):
        with pytest.raises(DataError):
            model.partial_fit(X_bad, y)

    original, calls = Trainer.step, []

    def fail_later(self, *arguments):
        calls.append(1)
        if len(calls) > 1:
            raise TrainingError
        return original(self, *arguments)

    monkeypatch.setattr(Trainer, "step", fail_later)
    with pytest.raises(TrainingError):
        model.partial_fit(X, y)
    monkeypatch.undo()
    again = pickle.loads(before)
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
    for either in (model, again):
        either.partial_fit(X, y)
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))


def test_what_was_fitted_or_loaded_is_learned_on(ragged, tmp_path):
    X, y = ragged
    model = small().fit(X, y)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for either in (model, loaded):
        either.partial_fit(X, y)
    assert np.array_equal(model.predict_proba(X), loaded.predict_proba(X))
    assert model.n_iter_ == 4
    model.save(tmp_path / "again")
    assert load(tmp_path / "again").training_["epochs"] == 4
    with pytest.raises(ParameterError, match=r"architecture\. Got another: hidden_size was 4, is 9\. Fit with"):
        model.set_params(hidden_size=9).partial_fit(X, y)


def test_a_tagger_learns_in_parts(parity):
    X, y = parity
    tagger = SequenceTagger(hidden_size=8, bidirectional=False, learning_rate=0.02, random_state=0)
    for _ in range(60):
        tagger.partial_fit(X[:20], y[:20], classes=["even", "odd"]).partial_fit(X[20:], y[20:])
    assert tagger.score(X, y) > 0.9


def test_a_warm_start_goes_on_from_the_network_that_is_there(ragged):
    X, y = ragged
    cold = small(early_stopping=False, max_epochs=4).fit(X, y)
    warm = small(early_stopping=False, max_epochs=4, warm_start=True).fit(X, y)
    assert np.array_equal(warm.predict_proba(X), cold.predict_proba(X))
    first = warm.history_
    warm.fit(X, y)
    assert warm.loss_curve_[4] < first[0]["training_loss"] - 0.05
    assert warm.loss_curve_[4] == pytest.approx(first[-1]["training_loss"], abs=0.1)
    assert np.array_equal(cold.fit(X, y).predict_proba(X), clone(cold).fit(X, y).predict_proba(X))
    with pytest.raises(ParameterError, match=r"must keep its architecture\. .* cell was 'gru', is 'lstm'\. Fit with"):
        warm.set_params(cell="lstm").fit(X, y)
    with pytest.raises(DataError, match=r"The label 'FALLS' .* was never seen in training"):
        warm.set_params(cell="gru").fit(X, np.char.upper(y))


def test_curves_are_there_once_fitted(ragged):
    model = small()
    with pytest.raises(AttributeError):
        _ = model.loss_curve_
    model.fit(*ragged)
    assert model.loss_curve_ == [record["training_loss"] for record in model.history_]
    assert model.validation_scores_ == [record["validation_accuracy"] for record in model.history_]
    assert len(model.loss_curve_) == model.n_iter_ == 3


def test_on_epoch_ends_training_by_returning_true(ragged):
    model = small(max_epochs=9).fit(*ragged, on_epoch=lambda record: record["epoch"] == 2)
    assert model.n_iter_ == 2
    assert model.training_["stopped_early"]
    assert not model.training_["interrupted"]


@pytest.mark.filterwarnings("ignore:The validation part has fewer than 2 labels")
def test_weights_and_groups_are_routed(ragged):
    X, y = ragged
    weights = np.where(y == "rises", 1.0, 0.0) + (np.arange(45) % 2)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small(early_stopping=True).set_fit_request(sample_weight=True, groups=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"max_epochs": [2]}, cv=3)
        search.fit(X, y, sample_weight=weights, groups=np.arange(45) // 3 % 5)
        direct = clone(model).set_params(max_epochs=2).fit(X, y, weights, groups=np.arange(45) // 3 % 5)
        assert np.array_equal(search.predict_proba(X), direct.predict_proba(X))
        with pytest.raises(TypeError, match="on_epoch"):
            model.set_fit_request(on_epoch=True)
        found = cross_validate(model, X, y, params={"sample_weight": weights, "groups": np.arange(45) % 5}, cv=3)
        assert len(found["test_score"]) == 3


def test_callbacks_of_scikit_learn_see_every_epoch_and_may_end_training(ragged):
    callback = pytest.importorskip("sklearn.callback")
    X, y = ragged
    monitor = callback.ScoringMonitor(scoring="accuracy")
    steady = {"early_stopping": False, "schedule": "constant"}
    model = small(**steady).set_callbacks(monitor)
    seen = []
    model.fit(X, y, on_epoch=lambda record: seen.append(record["epoch"]))
    assert seen == [1, 2, 3]
    log = monitor.get_logs().data
    epochs = [row for row in log if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in epochs] == [0, 1, 2]
    assert epochs[-1]["accuracy"] == model.score(X, y)
    assert epochs[0]["accuracy"] == small(**steady, max_epochs=1).fit(X, y).score(X, y)
    assert np.array_equal(model.predict_proba(X), small(**steady).fit(X, y).predict_proba(X))

    class StopsAtTwo:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch" and context.task_id == 1

    assert small().set_callbacks(StopsAtTwo()).fit(X, y).n_iter_ == 2
    with pytest.raises(NotFittedError):
        clone(model).predict(X)
