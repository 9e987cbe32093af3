import numpy as np
import pytest

from elman import DataError, SequenceTagger


def test_every_step_learns_a_label_for_each_step_given_in_any_form(parity):
    X, y = parity
    model = SequenceTagger(hidden_size=8, bidirectional=False, max_epochs=150, learning_rate=0.02, random_state=0)
    model.fit(X, y)
    assert model.score(X, y) >= 0.95
    predicted = model.predict(X)
    assert [len(part) for part in predicted] == [len(x) for x in X]
    assert np.mean(np.concatenate(predicted) == np.concatenate(y)) == model.score(X, np.concatenate(y))
    assert [part.shape for part in model.predict_proba(X[:2])] == [(len(X[0]), 2), (len(X[1]), 2)]
    with pytest.raises(
        DataError, match=rf"^y\[1\] must hold one label for each step of its sequence, {len(y[1])}\. Got"
    ):
        model.fit(X, [y[0], y[1][1:], *y[2:]])
    with pytest.raises(DataError, match=r"^y must hold one label for each step, \d+\. Got 40 instead\.$"):
        model.fit(X, [part[0] for part in y])


def test_every_step_accepts_labels_of_padded_arrays():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(20, 6, 1))
    y = np.where(X[:, :, 0] > 0, 1, 0)
    X[3, 4:] = np.nan
    model = SequenceTagger(hidden_size=4, max_epochs=40, random_state=0).fit(X, y)
    assert len(model.predict(X)[3]) == 4
    assert model.score(X, y) >= 0.9


def test_every_class_of_steps_stays_in_training():
    X = [np.zeros((4, 1)), np.ones((3, 1)), np.zeros((2, 1)), np.ones((5, 1)), np.full((2, 1), 2.0)]
    y = [np.full(len(x), int(x[0, 0])) for x in X]  # class 2 occurs in one sequence
    for seed in range(6):
        model = SequenceTagger(hidden_size=2, max_epochs=1, validation_fraction=0.5, random_state=seed)
        assert (model.fit(X, y).baselines_.prior > 0).all()


def test_the_rarest_class_of_its_steps_stands_for_a_sequence_in_the_split():
    X = [np.zeros((4, 1))] * 40
    y = [["common"] * 3 + ["rare"] if n < 10 else ["common"] * 4 for n in range(40)]
    for seed in range(5):
        model = SequenceTagger(hidden_size=2, max_epochs=1, random_state=seed).fit(X, y)
        assert model.baselines_.prior[1] == pytest.approx(8 / 128)  # 8 of the 10 sequences with a rare step
