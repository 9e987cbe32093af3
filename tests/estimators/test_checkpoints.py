"""What is being fitted survives whatever ends it, and whoever wants to watch is told."""

import numpy as np
import pytest

from elman import CheckpointError, ParameterError, SequenceClassifier, SequenceTagger, TrainingError
from elman.training.callbacks import Callback


def small(**parameters):
    return SequenceClassifier(**{"hidden_size": 4, "max_epochs": 4, "random_state": 0} | parameters)


def power_cut_at(step):
    callback = Callback()
    callback.on_step_end = lambda found: found["step"] == step and 1 / 0
    return callback


def timeless(history):
    return [{name: value for name, value in record.items() if "second" not in name} for record in history]


@pytest.mark.parametrize("every_step", [False, True])
def test_a_fit_that_is_repeated_gives_the_model_of_one_never_interrupted(ragged, parity, tmp_path, capsys, every_step):
    kind, data = (SequenceTagger, parity) if every_step else (SequenceClassifier, ragged)
    path = tmp_path / "checkpoint"
    parameters = {"hidden_size": 4, "max_epochs": 4, "random_state": 0, "batch_size": 12, "weight_average": 0.9}
    parameters["refit"] = False  # one run, one file
    whole = kind(**parameters).fit(*data)
    model = kind(**parameters, verbose=True)
    with pytest.raises(ZeroDivisionError):
        model.fit(*data, checkpoint=path, every=0, callbacks=[power_cut_at(5)])
    assert not hasattr(model, "network_")
    capsys.readouterr()
    model.fit(*data, checkpoint=path)
    assert capsys.readouterr().out.startswith(f"Going on from {path}: epoch 2 of 4.\nepoch 2/4")
    assert np.array_equal(model.network_.parameters.vector, whole.network_.parameters.vector)
    assert timeless(model.history_) == timeless(whole.history_)
    content = path.read_bytes()
    again = kind(**parameters, verbose=True).fit(*data, checkpoint=path)
    ended = f"Training ended in epoch 4, says {path}: nothing is left to do. Remove the file to train anew.\n"
    assert capsys.readouterr().out == ended
    assert np.array_equal(again.network_.parameters.vector, whole.network_.parameters.vector)
    assert again.training_["validation"] == whole.training_["validation"]
    assert path.read_bytes() == content


def test_another_fit_than_the_saved_one_is_refused_and_changes_nothing(ragged, tmp_path):
    X, y = ragged
    model = small().fit(X, y, checkpoint=tmp_path / "checkpoint")
    before = model.network_.parameters.vector.copy()
    with pytest.raises(CheckpointError, match=r"of another training: learning_rate was 0\.005, is 0\.1\. Train as it"):
        model.set_params(learning_rate=0.1).fit(X, y, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match=r"of another training: other training values; other training lengths"):
        small().fit(X[1:], y[1:], checkpoint=tmp_path / "checkpoint")
    assert np.array_equal(model.network_.parameters.vector, before)


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        (
            {"random_state": None},
            {"checkpoint": "c"},
            r"'random_state' .* must be set where a checkpoint is kept.* Got No",
        ),
        ({}, {"checkpoint": "c", "every": -1}, r"'every' parameter of fit must be .* at least 0\. Got -1 instead"),
        ({}, {"every": "often"}, r"'every' parameter of fit must be a number of minutes .* Got 'often' instead"),
        ({}, {"callbacks": print}, r"'callbacks' parameter of fit must be a list of .*Callback\. Got builtin_"),
        ({}, {"callbacks": [Callback(), 3]}, r"'callbacks' parameter of fit must be a list .* Got one with int inst"),
        ({"accumulate": 0}, {}, r"'accumulate' parameter of SequenceClassifier must be an int in the range \[1"),
    ],
)
def test_what_cannot_be_saved_or_told_is_refused(ragged, tmp_path, monkeypatch, parameters, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match=message):
        small(**parameters).fit(*ragged, **options)
    assert list(tmp_path.iterdir()) == []


def test_callbacks_are_told_of_everything_in_its_order_and_end_training(ragged):
    told = []

    class Watching(Callback):
        def on_train_begin(self, run):
            told.append(("begin", run.n_sequences, run.n_validation, run.steps_per_epoch, run.max_epochs))

        def on_epoch_begin(self, epoch):
            told.append(("epoch", epoch))

        def on_step_end(self, step):
            told.append(("step", step["step"], step["step_in_epoch"], step["n_steps_in_epoch"]))

        def on_epoch_end(self, record):
            told.append(("ended", record["epoch"], record["steps"]))
            return record["epoch"] == 2

        def on_train_end(self, history):
            told.append(("end", history.stopped_early))

    steps = []
    model = small(batch_size=20).fit(*ragged, callbacks=[Watching()], on_step=lambda *of: steps.append(of))
    epoch = [("step", 1, 1, 2), ("step", 2, 2, 2), ("ended", 1, 2)]
    assert told == [
        ("begin", 36, 9, 2, 4),
        ("epoch", 1),
        *epoch,
        ("epoch", 2),
        *[("step", 3, 1, 2), ("step", 4, 2, 2), ("ended", 2, 4)],
        ("end", True),
    ]
    assert steps == [(1, 2), (2, 2)] * 2
    assert model.n_iter_ == 2


def test_a_breakdown_warns_at_the_line_that_called_and_leaves_the_estimator_as_it_was(ragged):
    model = small().fit(*ragged)
    before = model.network_.parameters.vector.copy()
    with (
        pytest.warns(UserWarning, match="Training broke down") as warned,
        pytest.raises(TrainingError, match=r"again, at half the rate, .* Try learning_rate=1e\+36"),
    ):
        model.set_params(learning_rate=1e37, clip_norm=None, optimizer="sgd").fit(*ragged)
    assert {warning.filename for warning in warned} == {__file__}
    assert np.array_equal(model.network_.parameters.vector, before)


def test_values_that_overflow_end_in_an_error_that_names_their_size(ragged):
    X, y = ragged
    wild = [*X[:-1], np.full((40, 2), -1e38)]
    with (
        pytest.warns(UserWarning, match=r"Values reach from -1e\+38"),
        pytest.raises(TrainingError, match=r"before anything was learned: .* scaled down; the largest is 1e\+38"),
    ):
        small(cell="elman_relu", standardise=False, batch_size=100, early_stopping=False, hidden_size=8).fit(wild, y)
