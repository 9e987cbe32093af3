"""SequenceTagger: labels of steps in any form, some of them missing; output in the shape of the input."""

import numpy as np
import pytest
from sklearn.base import clone

from elman import DataError, ParameterError, SequenceTagger, load
from elman.data import as_sequences
from elman.estimators.evaluation import evaluate
from elman.estimators.parts import Part, split
from elman.estimators.targets import Targets


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
    model = SequenceTagger(hidden_size=4, max_epochs=40, learning_rate=0.02, random_state=0).fit(X, y)
    assert len(model.predict(X)[3]) == 4
    assert model.score(X, y) >= 0.9


@pytest.mark.filterwarnings("ignore:The validation part has fewer than 2 labels")
def test_every_class_of_steps_stays_in_training():
    X = [np.zeros((4, 1)), np.ones((3, 1)), np.zeros((2, 1)), np.ones((5, 1)), np.full((2, 1), 2.0)]
    y = [np.full(len(x), int(x[0, 0])) for x in X]  # class 2 occurs in one sequence
    for seed in range(6):
        model = SequenceTagger(hidden_size=2, max_epochs=1, validation_fraction=0.5, random_state=seed)
        assert (model.fit(X, y).baselines_.prior > 0).all()


def test_the_rarest_class_of_its_steps_stands_for_a_sequence_in_the_split():
    X = [np.arange(4.0)[:, None]] * 40
    y = [["common"] * 3 + ["rare"] if n < 10 else ["common"] * 4 for n in range(40)]
    for seed in range(5):
        model = SequenceTagger(hidden_size=2, max_epochs=1, random_state=seed).fit(X, y)
        assert model.baselines_.prior[1] == pytest.approx(8 / 128)  # 8 of the 10 sequences with a rare step


SMALL = SequenceTagger(hidden_size=4, max_epochs=2, random_state=0)
TWO = as_sequences([[[1.0], [2.0], [3.0]], [[4.0], [5.0]]])


@pytest.mark.parametrize(
    ("y", "unlabelled"),
    [
        ([[1, -1, 0], [0, -1]], -1),
        ([1, -1, 0, 0, -1], -1),
        (np.array([[1, -1, 0], [0, -1, -1]]), -1),
        ([[1, None, 0], [0, None]], None),
        ([[1.0, np.nan, 0.0], [0.0, np.nan]], None),
        (np.array([[1, np.nan, 0], [0, np.nan, np.nan]]), None),
        (np.ma.array([[1, 7, 0], [0, 7, 7]], mask=[[0, 1, 0], [0, 1, 1]]), None),
        ([np.ma.array([1, 7, 0], mask=[0, 1, 0]), np.ma.array([0, 7], mask=[0, 1])], None),
        ([["1", "", "0"], ["0", ""]], ""),
        ([np.array(["1", None, "0"], object), np.array(["0", "?"], object)], "?"),
    ],
)
def test_steps_without_a_label_are_marked_in_many_ways(y, unlabelled):
    targets = Targets.of_steps(y, TWO, unlabelled=unlabelled)
    assert targets.labelled.tolist() == [True, False, True, True, False]
    assert targets.labels.astype(int).tolist() == [1, 0, 0]
    assert targets.codes(np.unique(targets.labels)).tolist() == [1, -1, 0, 0, -1]


@pytest.mark.parametrize(
    ("y", "unlabelled", "sentence"),
    [
        ([[1, -1, 0], [0, 1]], None, None),  # -1 is a label like any other, where it marks nothing
        ([[True, False, True], [True, False]], 1, None),  # and 1 is not True
        ([[None] * 3, [None] * 2], None, r"y must hold at least one label\. Got 5 steps without\."),
        (
            [[1, None, 0.5], [0, 1]],
            None,
            r"Unknown label type: continuous\. y\[0\]\[2\] must be .* Got 0\.5 instead; .*",
        ),
        ([[1, None, 0], ["a", None]], None, r"y\[1\]: expected a number, as the first label 1 is, got 'a'\. .*"),
        ([[1, 0, 0], 0], None, r"y\[1\] must hold one label for each step of its sequence, 2\. Got 1 instead\."),
        ([[1, 0, 0]], None, r"y must hold the labels of 2 sequences\. Got those of 1 instead\."),
    ],
)
def test_what_marks_nothing_is_a_label_and_what_is_none_gets_a_sentence(y, unlabelled, sentence):
    if sentence is None:
        assert Targets.of_steps(y, TWO, unlabelled=unlabelled).labelled.all()
        return
    with pytest.raises(DataError, match=rf"^{sentence}$"):
        Targets.of_steps(y, TWO, unlabelled=unlabelled)


def test_steps_without_a_label_are_left_out_of_loss_baselines_classes_and_score(parity):
    X, y = parity
    rng = np.random.default_rng(0)
    known = [rng.random(len(x)) < 0.6 for x in X]
    known[7][:] = False  # a sequence without any
    marked = [np.where(mask, labels, "?") for mask, labels in zip(known, y)]
    tagger = clone(SMALL).set_params(unlabelled="?", hidden_size=8, max_epochs=40, learning_rate=0.02)
    tagger.fit(X, marked)
    assert tagger.classes_.tolist() == ["even", "odd"]
    labelled = np.concatenate(known)
    hits = np.concatenate(tagger.predict(X)) == np.concatenate(y)
    assert tagger.score(X, marked) == pytest.approx(hits[labelled].mean())
    assert evaluate(tagger, X, marked).n == labelled.sum()
    one_batch = {"early_stopping": False, "batch_size": 1000, "standardise": False, "max_epochs": 3}
    whole = clone(tagger).set_params(**one_batch).fit(X, marked)
    share = np.mean(np.concatenate(y)[labelled] == "odd")
    assert whole.baselines_.prior.tolist() == pytest.approx([1 - share, share])
    other = [np.where(mask, labels, np.where(labels == "odd", "even", "odd")) for mask, labels in zip(known, y)]
    weights = [mask.astype(float) for mask in known]
    weighed = clone(whole).fit(X, other, sample_weight=weights)  # what weighs nothing may say anything
    assert whole.loss_curve_ == pytest.approx(weighed.loss_curve_, rel=1e-5)


def test_every_class_stays_in_training_where_labels_are_missing():
    sequences = as_sequences([np.zeros((3, 1))] * 12)
    codes = np.full((12, 3), -1)
    codes[:, 0] = 0
    codes[[2, 9], 1] = 1  # two sequences have the rare class
    codes[4:7] = -1  # and some no label at all
    for seed in range(8):
        part = Part(sequences, codes.ravel())
        training, held_out = split(part, None, 0.5, np.random.default_rng(seed), every_step=True)
        assert sorted(set(training.codes) - {-1}) == [0, 1]
        assert (training.codes == 1).sum() == (held_out.codes == 1).sum() == 1
        assert len(training.sequences) + len(held_out.sequences) == 12


def test_predictions_have_the_shape_of_the_input():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 6, 2))
    y = np.where(X[:, :, 0] > 0, "up", "down")
    tagger = clone(SMALL).fit(X, y)
    assert tagger.predict(X).shape == (20, 6)
    assert tagger.predict_proba(X).shape == (20, 6, 2)
    assert np.array_equal(tagger.predict_proba(X), np.stack(tagger.predict_proba(list(X))))
    ragged = [X[0], X[1, :4]]
    assert [part.shape for part in tagger.predict(ragged)] == [(6,), (4,)]
    padded = X[:2].copy()
    padded[1, 4:] = np.nan
    assert [part.shape for part in tagger.predict_proba(padded)] == [(6, 2), (4, 2)]
    table = clone(SMALL).fit(X[:, :, 0], y)
    assert table.predict(X[:, :, 0]).shape == (20, 6)
    assert [len(part) for part in tagger.predict(as_sequences(X))] == [6] * 20


def test_the_mark_of_no_label_travels_in_the_model_file(tmp_path, parity):
    X, y = parity
    for mark in (-1, "?", False, None):
        clone(SMALL).set_params(unlabelled=mark).fit(X, y).save(tmp_path / "model")
        assert load(tmp_path / "model").unlabelled is mark or load(tmp_path / "model").unlabelled == mark
    with pytest.raises(ParameterError, match=r"'unlabelled' parameter of SequenceTagger must be a label .* Got 0\.5"):
        clone(SMALL).set_params(unlabelled=0.5).fit(X, y)


def test_names_that_look_like_no_label_are_doubted(parity):
    X, y = parity
    for mark in ("", "NaN", "n/a"):
        marked = [np.array([mark, *labels[1:]], object) for labels in y]
        sentence = rf"^The label '{mark}' counts as a class; if it marks steps without .*, pass unlabelled='{mark}'\.$"
        with pytest.warns(UserWarning, match=sentence) as told:
            assert mark in clone(SMALL).set_params(max_epochs=1).fit(X, marked).classes_
        assert [warning.filename for warning in told] == [__file__]
    assert clone(SMALL).set_params(max_epochs=1, unlabelled=mark).fit(X, marked).classes_.tolist() == ["even", "odd"]
