"""The problems that a fit finds in itself: trained into one each, kept in files, told once; a healthy one has none."""

import numpy as np

import elman
from elman import SequenceClassifier, SequenceTagger
from elman.training.callbacks import Callback
from elman.training.findings import Finding

SMALL = {"hidden_size": 4, "num_layers": 1, "n_threads": 1, "random_state": 0, "refit": False}


class Remarks(Callback):
    def __init__(self):
        self.sentences, self.epochs = [], []

    def on_remark(self, sentence):
        self.sentences.append(sentence)

    def on_epoch_end(self, record):
        self.epochs.append(len(self.sentences))


def fitted(data, callbacks=None, **parameters):
    return SequenceClassifier(**SMALL | {"max_epochs": 25} | parameters).fit(*data, callbacks=callbacks)


def far_marks(n_steps=60, n=32):
    """Which of two marks comes first, at the begin of a long sequence of noise."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(0, 0.1, (n, n_steps, 1)), np.arange(n) % 2
    X[np.arange(n), rng.integers(0, 5, n), 0] = np.where(y == 1, 3.0, -3.0)
    return X, y


def rules(model):
    return [finding["rule"] for finding in model.training_["health"]]


def test_a_healthy_fit_has_nothing_to_tell(ragged, trained):
    assert trained.health_ == []
    remarks = Remarks()
    assert fitted(ragged, [remarks], hidden_size=6).health_ == remarks.sentences == []
    X = [np.random.default_rng(n).normal(size=(8, 1)) for n in range(20)]
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    assert SequenceTagger(**SMALL | {"max_epochs": 40, "learning_rate": 0.02}).fit(X, y).health_ == []


def test_steps_that_are_too_small_are_told_once_and_early(ragged):
    remarks = Remarks()
    model = fitted(ragged, [remarks], learning_rate=1e-9, max_epochs=6)
    assert rules(model) == ["small_steps"]
    number = max(record["update_ratio"] for record in model.history_)
    assert f"Steps are too small, {number:.2g} of the parameters' own size" in model.health_[0]
    assert len(remarks.sentences) == 1
    assert remarks.sentences[0].startswith("Steps are too small, ")
    assert remarks.epochs == [0, 0, 0, 1, 1, 1]  # after the third epoch


def test_steps_that_are_too_large_are_told(ragged):
    model = fitted(ragged, learning_rate=3.0, max_epochs=8)
    assert "large_steps" in rules(model)
    assert "try learning_rate='auto' or learning_rate=0.0" in model.health_[0]


def test_gradients_that_explode_are_told():
    X, y = np.random.default_rng(0).normal(size=(40, 6, 1)), np.repeat(["low", "high"], 20)
    X[20:] += 3
    remarks = Remarks()
    model = fitted((X, y), [remarks], learning_rate=2.0, cell="elman_relu", num_layers=2, max_epochs=20)
    assert rules(model)[0] == "exploding"
    number = max(record["gradient_norm"] for record in model.history_)
    assert f" and {number:.2g} in epoch " in model.health_[0]
    assert model.health_[0].endswith("try learning_rate=0.2 or cell='lstm'.")
    assert sum(sentence.startswith("Gradients explode") for sentence in remarks.sentences) == 1


def test_labels_that_belong_to_nothing_are_told_and_labels_that_are_learned_by_heart():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8, 3)), np.arange(60) % 3
    model = fitted((X, y), validation_fraction=0.4, max_epochs=25)
    assert rules(model) == ["chance"]
    assert "no better than chance: 25.0 % right on the validation part, where always pred" in model.health_[0]
    assert "the most frequent class is right in 33.3 %: check that the labels" in model.health_[0]
    X[:, :, 0] += 0.5 * y[:, None]
    model = fitted((X, y), validation_fraction=0.4, hidden_size=24, max_epochs=80)
    assert rules(model) == ["overfitting"]
    lowest = model.history_[model.training_["best_epoch"] - 1]["validation_loss"]
    assert f"It learns by heart: the validation loss rises from {lowest:.3g} in epoch 19 to 1.59" in model.health_[0]


def test_recurrent_weights_that_forget_are_told():
    X, y = far_marks()
    parameters = {"cell": "elman", "bidirectional": False, "readout": "last", "patch_size": 1, "max_epochs": 2}
    model = fitted((X, y), initialisation="uniform", **parameters)
    [sentence] = [sentence for sentence in model.health_ if "forget" in sentence]
    weights = model.network_.parameters["weight_hh_l0"]
    radius = np.abs(np.linalg.eigvals(weights)).max()
    assert f"the spectral radius of weight_hh_l0 is {radius:.2f}" in sentence
    assert sentence.endswith(
        "of 60 steps at most. If early steps matter, try cell='lstm', readout='attention', or patch_size=2."
    )
    assert "forgetting" not in rules(fitted((X, y), initialisation="orthogonal", **parameters))


def test_of_several_members_a_problem_is_told_once(ragged):
    remarks = Remarks()
    model = fitted(ragged, [remarks], learning_rate=1e-9, max_epochs=4, n_members=2)
    assert rules(model) == ["small_steps"]
    assert len(remarks.sentences) == 1


def test_it_is_printed_where_epochs_are(ragged, capsys):
    fitted(ragged, learning_rate=1e-9, max_epochs=4, verbose=True)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Steps are too small")] != []


def test_parts_are_not_judged(ragged):
    X, y = ragged
    model = SequenceClassifier(**SMALL, learning_rate=1e-9).partial_fit(X, y, classes=np.unique(y))
    assert model.health_ == []


def test_a_file_keeps_it(ragged, tmp_path):
    model = fitted(ragged, learning_rate=1e-9, max_epochs=4)
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert loaded.health_ == model.health_ != []
    assert Finding(**loaded.training_["health"][0]).number == model.training_["health"][0]["number"]
