"""Callbacks of a user's own, in both estimators and in the document about them."""

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from elman import SequenceClassifier, SequenceTagger
from elman.errors import TrainingError
from elman.watching import Callback, JsonLines

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/watching.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


class Told(Callback):
    """Notes what it is told, and ends training where it is to."""

    def __init__(self, *, last_step=None, last_epoch=None):
        self.last_step, self.last_epoch, self.calls, self.steps = last_step, last_epoch, [], []

    def on_train_begin(self, run):
        self.run = run
        self.calls.append("train begins")

    def on_epoch_begin(self, epoch):
        self.calls.append(f"epoch {epoch} begins")

    def on_step_end(self, step):
        self.steps.append(step)
        return step["step"] == self.last_step

    def on_epoch_end(self, record):
        self.calls.append(f"epoch {record['epoch']} ends")
        return record["epoch"] == self.last_epoch

    def on_train_end(self, history):
        self.calls.append("train ends")
        self.history = history


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, 40)]
    return X, np.array(["a", "b"] * 20), [np.array(["up", "down"])[rng.integers(0, 2, len(x))] for x in X]


def small(**parameters):
    return {"hidden_size": 3, "max_epochs": 4, "batch_size": 8, "random_state": 0, "n_threads": 1, **parameters}


@pytest.mark.parametrize("estimator", [SequenceClassifier, SequenceTagger])
def test_a_callback_is_told_of_every_epoch_and_step_and_ends_training_with_an_epoch(data, estimator):
    X, y, labels = data
    told = Told(last_epoch=3)
    model = estimator(**small()).fit(X, y if estimator is SequenceClassifier else labels, callbacks=[told])
    epochs = [f"epoch {epoch} {what}" for epoch in (1, 2, 3) for what in ("begins", "ends")]
    assert told.calls == ["train begins", *epochs, "train ends"]
    assert [step["step"] for step in told.steps] == list(range(1, 13))  # some 32 sequences in batches of 8
    assert (told.run.n_sequences + told.run.n_validation, told.run.steps_per_epoch) == (40, 4)
    assert told.history.records == model.history_
    assert (model.n_iter_, model.training_["stopped_early"]) == (3, True)


def test_training_ended_at_a_step_closes_the_epoch_with_what_it_has_seen(data):
    X, y, _ = data
    told = Told(last_step=6)
    model = SequenceClassifier(**small()).fit(X, y, callbacks=[told])
    assert len(told.steps) == 6
    assert [record["epoch"] for record in model.history_] == [1, 2]
    last = model.history_[-1]
    assert last["steps"] == 6
    assert last["training_loss"] == pytest.approx(np.mean([step["loss"] for step in told.steps[4:]]), rel=1e-12)
    assert told.calls[-1] == "train ends"
    assert model.training_["best_epoch"] in (1, 2)


def test_a_true_of_numpy_ends_training_and_what_is_like_it_does_not(data):
    X, y, _ = data
    for answer, n_epochs in ((np.bool_(True), 1), (True, 1), (np.bool_(False), 4), (1, 4), (0.5, 4)):
        callback = Callback()
        callback.on_epoch_end = lambda record, answer=answer: answer
        for options in ({"on_epoch": callback.on_epoch_end}, {"callbacks": [callback]}):
            assert SequenceClassifier(**small(), refit=False).fit(X, y, **options).n_iter_ == n_epochs


def test_callbacks_do_not_change_what_is_learned(data, tmp_path):
    X, y, _ = data
    alone = SequenceClassifier(**small()).fit(X, y)
    watched = SequenceClassifier(**small()).fit(X, y, callbacks=[Told(), JsonLines(tmp_path / "log", every=1)])
    assert np.array_equal(alone.network_.parameters.vector, watched.network_.parameters.vector)


def test_a_log_of_a_run_that_broke_down_says_so(data, tmp_path):
    X, y, _ = data
    hopeless = SequenceClassifier(**small(optimizer="sgd", learning_rate=1e30))
    with pytest.warns(UserWarning, match="broke down"), pytest.raises(TrainingError) as raised:
        hopeless.fit(X, y, callbacks=[JsonLines(tmp_path / "run.jsonl")])
    end = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[-1])
    assert (end["kind"], end["reason"], end["error"]) == ("end", "error", str(raised.value))


def test_the_examples_of_the_document_run_as_they_stand(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlruns")
    has = {"Mlflow": find_spec("mlflow") is not None, "TensorBoard": find_spec("tensorboardX") is not None}
    names = {}
    for block in BLOCKS:
        if all(has[extra] for extra in has if extra in block):
            exec(compile(block, "docs/watching.md", "exec"), names)
    assert capsys.readouterr().out == "True\n"
    assert (tmp_path / "run.jsonl").exists()
    assert names["classifier"].n_iter_ == 8
    if has["Mlflow"]:
        assert len(list((tmp_path / "mlruns").rglob("vowels.safetensors"))) == 1
