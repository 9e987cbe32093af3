"""Several networks in one estimator: the same ones on any number of threads, averaged, kept and stopped together."""

import os
import pickle
import signal
import threading

import numpy as np
import pytest
from sklearn.base import clone

import elman
from elman import ParameterError, SequenceClassifier, SequenceTagger, TrainingError
from elman.estimators.evaluation import evaluate
from elman.estimators.parts import make_generators
from elman.estimators.progress import refit_line
from elman.training.callbacks import Callback
from elman.training.trainer import Trainer

SMALL = SequenceClassifier(hidden_size=4, max_epochs=3, learning_rate=0.02, random_state=0, n_members=3)
MANY = 3000  # epochs, some seconds


@pytest.fixture(scope="module")
def three(ragged):
    return clone(SMALL).fit(*ragged)


def vectors(model):
    return [network.parameters.vector for network in model.networks_]


def without_times(history):
    return [{name: value for name, value in record.items() if "second" not in name} for record in history]


def same(left, right):
    return len(left) == len(right) and all(np.array_equal(a, b) for a, b in zip(left, right))


def test_the_first_member_is_the_network_of_an_estimator_of_one(ragged, three):
    one = clone(SMALL).set_params(n_members=1).fit(*ragged)
    assert np.array_equal(three.network_.parameters.vector, one.network_.parameters.vector)
    assert without_times(three.history_) == without_times(one.history_)
    assert three.training_["n_validation"] == one.training_["n_validation"] == 9
    assert same(vectors(clone(SMALL).set_params(n_members=2).fit(*ragged)), vectors(three)[:2])


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_members_are_the_same_bits_on_any_number_of_threads(ragged, unseen, three, n_threads):
    model = clone(SMALL).set_params(n_threads=n_threads).fit(*ragged)
    assert same(vectors(model), vectors(three))
    assert [without_times(history) for history in model.histories_] == list(map(without_times, three.histories_))
    assert np.array_equal(model.predict_proba(unseen[0]), three.predict_proba(unseen[0]))


def test_members_differ_and_each_is_the_best_of_its_own_epochs(three):
    a, b, c = vectors(three)
    assert not any(np.array_equal(left, right) for left, right in ((a, b), (b, c), (a, c)))
    losses = [[record["validation_loss"] for record in history] for history in three.histories_]
    assert [member["best_epoch"] for member in three.training_["members"]] == [1 + np.argmin(each) for each in losses]
    assert [member["epochs"] for member in three.training_["members"]] == [3, 3, 3]


def test_probabilities_are_the_mean_of_the_members(three, unseen):
    X, y = unseen
    alone = []
    for network in three.networks_:
        member = pickle.loads(pickle.dumps(three))
        member.networks_ = [network]
        alone.append(member.predict_proba(X))
    mean = three.predict_proba(X)
    assert np.allclose(mean, np.mean(alone, axis=0), rtol=0, atol=1e-15)
    assert np.array_equal(three.predict(X), three.classes_[mean.argmax(axis=1)])
    assert three.score(X, y) == np.mean(three.predict(X) == y)
    of_truth = mean[np.arange(len(y)), np.searchsorted(three.classes_, y)]
    assert evaluate(three, X, y).log_loss == pytest.approx(-np.log(of_truth).mean(), rel=1e-12)


def test_a_tagger_has_members_too(parity):
    X, y = parity
    model = SequenceTagger(hidden_size=4, max_epochs=2, random_state=0, n_members=2).fit(X, y)
    alone = SequenceTagger(hidden_size=4, max_epochs=2, random_state=0).fit(X, y)
    assert np.array_equal(model.network_.parameters.vector, alone.network_.parameters.vector)
    assert [len(labels) for labels in model.predict(X)] == [len(x) for x in X]


def test_a_model_file_holds_every_member(three, unseen, tmp_path):
    three.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert same(vectors(loaded), vectors(three))
    assert np.array_equal(loaded.predict_proba(unseen[0]), three.predict_proba(unseen[0]))
    assert (loaded.histories_, loaded.training_) == (three.histories_, three.training_)
    assert loaded.get_params() == three.get_params()


def test_clones_and_pickles_are_as_those_of_one(ragged, unseen, three):
    assert np.array_equal(pickle.loads(pickle.dumps(three)).predict_proba(unseen[0]), three.predict_proba(unseen[0]))
    again = clone(three)
    assert again.get_params() == three.get_params()
    assert not hasattr(again, "networks_")
    assert not hasattr(again, "network_")


def test_every_epoch_of_every_member_is_told_one_at_a_time(ragged):
    told, inside = [], []

    def on_epoch(record):
        inside.append(1)
        assert len(inside) == 1
        told.append((record["member"], record["epoch"]))
        inside.pop()

    model = clone(SMALL).set_params(n_threads=2).fit(*ragged, on_epoch=on_epoch)
    assert sorted(told) == [(member, epoch) for member in (1, 2, 3) for epoch in (1, 2, 3)]
    assert "member" not in model.history_[0]


def test_callbacks_follow_the_first_member_unless_they_ask_for_every_one(ragged):
    class Follows(Callback):
        def __init__(self):
            self.told = []

        def on_train_begin(self, run):
            self.told.append("begin")

        def on_step_end(self, step):
            self.told.append(("step", step["member"]))

        def on_epoch_end(self, record):
            self.told.append(("epoch", record["member"]))

        def on_train_end(self, history):
            self.told.append("end")

    class FollowsAll(Follows):
        of_every_member = True

    first, every = Follows(), FollowsAll()
    clone(SMALL).set_params(max_epochs=1, n_threads=1, batch_size=32).fit(*ragged, callbacks=[first, every])
    assert first.told == ["begin", *[("step", 1)] * 2, ("epoch", 1), "end"]
    assert every.told == [told for n in (1, 2, 3) for told in ("begin", *[("step", n)] * 2, ("epoch", n), "end")]


def test_callbacks_of_scikit_learn_see_an_estimator_of_the_first_member(ragged):
    callback = pytest.importorskip("sklearn.callback")
    X, y = ragged
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clone(SMALL).set_params(early_stopping=False, n_threads=2).set_callbacks(monitor).fit(X, y)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    alone = clone(SMALL).set_params(early_stopping=False, n_members=1).fit(X, y)
    assert [row["task_id"] for row in epochs] == [0, 1, 2]
    assert epochs[-1]["accuracy"] == alone.score(X, y)


def test_true_ends_the_member_that_it_is_answered_to(ragged):
    model = clone(SMALL).fit(*ragged, on_epoch=lambda record: record["member"] == record["epoch"])
    assert [member["epochs"] for member in model.training_["members"]] == [1, 2, 3]


def test_printed_epochs_name_their_member(ragged, capsys):
    clone(SMALL).set_params(verbose=True, max_epochs=1, n_threads=2).fit(*ragged)
    lines = capsys.readouterr().out.splitlines()
    once_more = lines.index(refit_line(len(ragged[0])))
    for run in (lines[:once_more], lines[once_more + 1 :]):
        of_epochs = sorted(line[:19] for line in run if "epoch" in line)  # beside them, why a first step takes long
        assert of_epochs == [f"member {n} epoch 1/1 " for n in (1, 2, 3)]
    assert lines.count(lines[once_more]) == 1


def test_ctrl_c_stops_all_and_each_keeps_its_best(ragged):
    """The signal comes to the main thread, which waits for the members."""

    reached = {1: 0, 2: 0}

    def on_epoch(record):
        reached[record["member"]] = record["epoch"]
        if min(reached.values()) == record["epoch"] == 3:  # once, as the slower of the two gets there
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(0.2)  # for it to arrive

    model = clone(SMALL).set_params(max_epochs=MANY, n_iter_no_change=MANY, n_threads=2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have set to be ignored
    try:
        model.fit(*ragged, on_epoch=on_epoch)
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.training_["interrupted"]
    assert len(model.networks_) == 2, "the third had not begun"
    for network, member, history in zip(model.networks_, model.training_["members"], model.histories_):
        assert np.isfinite(network.parameters.vector).all()
        losses = [record["validation_loss"] for record in history]
        assert member == {"epochs": len(losses), "best_epoch": 1 + np.argmin(losses)}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("elman-member")]


def test_an_error_in_one_member_is_the_fits_and_leaves_the_estimator_as_it_was(ragged):
    model = clone(SMALL).set_params(max_epochs=1).fit(*ragged)
    before = vectors(model)

    def on_epoch(record):
        if record["member"] == 2:
            raise TrainingError("of the second")

    with pytest.raises(TrainingError, match="of the second"):
        model.set_params(max_epochs=MANY, n_iter_no_change=MANY, n_threads=2).fit(*ragged, on_epoch=on_epoch)
    assert same(vectors(model), before)


def test_a_warm_start_goes_on_member_by_member(ragged):
    model = clone(SMALL).set_params(warm_start=True, max_epochs=1).fit(*ragged)
    alone = clone(SMALL).set_params(warm_start=True, max_epochs=1, n_members=1).fit(*ragged)
    first = vectors(model)
    model.fit(*ragged), alone.fit(*ragged)
    assert np.array_equal(model.network_.parameters.vector, alone.network_.parameters.vector)
    assert not any(np.array_equal(a, b) for a, b in zip(first, vectors(model)))
    assert [[record["epoch"] for record in history] for history in model.histories_] == [[1, 2]] * 3
    with pytest.raises(ParameterError, match=r"'n_members' .* must stay as many as there are .*, 3\. Got 2 instead"):
        model.set_params(n_members=2).fit(*ragged)


def test_partial_fit_goes_on_member_by_member(ragged):
    X, y = ragged
    model, alone = clone(SMALL), clone(SMALL).set_params(n_members=1)
    for part in (slice(0, 20), slice(20, 45)):
        for each in (model, alone):
            each.partial_fit(X[part], y[part], classes=np.unique(y))
    assert np.array_equal(model.network_.parameters.vector, alone.network_.parameters.vector)
    assert len(model.networks_) == len(model.histories_) == 3
    assert [len(history) for history in model.histories_] == [2, 2, 2]
    other = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    assert same(vectors(other), vectors(model.partial_fit(X, y)))


def test_each_member_has_a_checkpoint_and_goes_on_from_it(ragged, three, tmp_path):
    path = tmp_path / "run"

    def interrupt(record):
        if (record["member"], record["epoch"]) == (2, 2):
            raise KeyboardInterrupt

    model = clone(SMALL).set_params(n_threads=1)
    assert len(clone(model).fit(*ragged, checkpoint=path, on_epoch=interrupt).networks_) == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run", "run.2"]
    told = []
    model.fit(*ragged, checkpoint=path, on_epoch=lambda record: told.append((record["member"], record["epoch"])))
    assert told == [(2, 3), (3, 1), (3, 2), (3, 3)]
    assert same(vectors(model), vectors(three))
    assert [without_times(history) for history in model.histories_] == list(map(without_times, three.histories_))


def test_members_learn_from_the_same_arrays(ragged, monkeypatch):
    seen = []
    original = Trainer.fit

    def fit(self, training, validation=None, callbacks=(), **more):
        seen.append((id(training.values), id(validation.values)))
        return original(self, training, validation, callbacks, **more)

    monkeypatch.setattr(Trainer, "fit", fit)
    clone(SMALL).set_params(max_epochs=1, refit=False).fit(*ragged)
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_more_members_leave_the_streams_of_the_first_as_they_were():
    few, many = make_generators(5, 1), make_generators(5, 4)
    assert len(many) == 9
    drawn = [rng.random() for rng in many]
    assert [rng.random() for rng in few] == drawn[:3]
    assert len(set(drawn)) == 9


@pytest.mark.parametrize("wrong", [0, 1.5, True, 1025, None])
def test_a_number_of_members_out_of_range_is_refused(ragged, wrong):
    with pytest.raises(ParameterError, match=r"'n_members' .* must be an int in the range \[1, 1024\]"):
        clone(SMALL).set_params(n_members=wrong).fit(*ragged)
