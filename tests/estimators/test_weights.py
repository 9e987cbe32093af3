"""Weights of sequences, of steps and of classes."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.class_weight import compute_class_weight

from elman import DataError, ParameterError, SequenceClassifier, SequenceTagger, load
from elman.data import Standardiser, as_sequences
from elman.estimators.baselines import Baselines
from elman.estimators.weights import as_weights, weights_by_class

FULL_BATCH = {"early_stopping": False, "batch_size": 1000, "dtype": "float64", "max_epochs": 5, "hidden_size": 4}


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1.0, -1.0, 1.0], r"'sample_weight' must hold numbers of at least 0\. Got -1 at 1; leave it out with 0\."),
        ([1.0, np.nan, 1.0], r"'sample_weight' must hold numbers of at least 0\. Got nan at 1; .*"),
        ([1.0, 1.0], r"'sample_weight' must hold one weight for each sequence, 3\. Got shape \(2,\) instead\."),
        (np.ones((3, 2)), r"'sample_weight' must hold one weight for each sequence, 3\. Got shape \(3, 2\) instead\."),
        (
            [1.0, 1e-320, 1.0],
            r"'sample_weight' must hold 0, or numbers between 1e-100 and 1e\+100\. Got .*e-321 at 1; .*",
        ),
        ([1e-300, 1e10, 1.0], r"'sample_weight' must hold 0, or numbers between .* Got 1e-300 at 0; scale .*"),
        ([1.0, 1.0, 1e101], r"'sample_weight' must hold 0, or numbers between .* Got 1e\+101 at 2; scale .*"),
        ([0, 0, 0], r"'sample_weight' must hold at least one weight above zero\. Got only zeros; .*"),
        (["a", "b", "c"], r"'sample_weight' must hold numbers, one for each sequence\. Got others\."),
    ],
)
def test_weights_that_are_none_get_one_sentence(weights, sentence):
    with pytest.raises(DataError, match=rf"^{sentence}$"):
        SequenceClassifier(max_epochs=1).fit([[1.0, 2.0], [2.0], [3.0]], ["a", "b", "a"], sample_weight=weights)


def test_weights_of_steps_come_in_any_form():
    X = as_sequences([[[1.0], [2.0]], [[3.0], [4.0], [5.0]]])
    for given, expected in [
        (3, [3, 3, 3, 3, 3]),
        ([1, 2], [1, 1, 2, 2, 2]),
        ([[1, 2], [3, 4, 5]], [1, 2, 3, 4, 5]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([[1, 2, 9], [3, 4, 5]], [1, 2, 3, 4, 5]),
    ]:
        assert as_weights(given, X, every_step=True).tolist() == expected
    with pytest.raises(DataError, match=r"for each sequence, 2, or for each step, 5\. Got shape \(3,\)"):
        as_weights([1, 2, 3], X, every_step=True)
    with pytest.raises(DataError, match="must hold numbers, one for each sequence or step"):
        as_weights([[1], [2, 3, 4]], X, every_step=True)


def test_what_weighs_nothing_is_as_if_it_were_absent(ragged):
    X, y = ragged
    strange = [np.full((9, 2), 1e6), *X]
    labels = np.array(["never", *y])
    weights = np.array([0.0, *np.ones(len(X))])
    groups = np.array([7, *np.arange(len(X)) // 9])
    for early_stopping in (False, True):
        model = SequenceClassifier(hidden_size=3, max_epochs=2, early_stopping=early_stopping, random_state=0)
        expected = clone(model).fit(X, y, groups=groups[1:])
        got = clone(model).fit(strange, labels, weights, groups=groups)
        assert np.array_equal(got.predict_proba(X), expected.predict_proba(X))
        assert got.classes_.tolist() == ["falls", "rises", "stays"]
        assert np.array_equal(got.preparation_.standardiser.mean, expected.preparation_.standardiser.mean)
        for name, array in got.baselines_.arrays().items():
            assert np.allclose(array, expected.baselines_.arrays()[name], rtol=1e-6, atol=1e-6), name


def test_scale_and_baselines_count_a_weight_of_k_as_k_copies(ragged):
    X, y = ragged
    weights = np.arange(45) % 3 + 1.0
    index = np.repeat(np.arange(45), weights.astype(int))
    _, codes = np.unique(y, return_inverse=True)
    repeated, once = as_sequences([X[n] for n in index]), as_sequences(X)
    expected, got = Standardiser.fit(repeated), Standardiser.fit(once, np.repeat(weights, once.lengths))
    assert got.mean == pytest.approx(expected.mean, rel=1e-13)
    assert got.scale == pytest.approx(expected.scale, rel=1e-13)
    baselines = Baselines.fit(repeated, codes[index], 3, every_step=False)
    weighed = Baselines.fit(once, codes, 3, every_step=False, weights=weights)
    for name, array in weighed.arrays().items():
        assert np.allclose(array, baselines.arrays()[name], rtol=1e-3, atol=1e-3), name


def test_a_class_that_weighs_k_is_one_whose_sequences_do(ragged):
    X, y = ragged
    by_class = SequenceClassifier(**FULL_BATCH, class_weight={"rises": 3.0}, random_state=0, standardise=False)
    by_sequence = SequenceClassifier(**FULL_BATCH, random_state=0, standardise=False)
    got = by_class.fit(X, y).predict_proba(X)
    expected = by_sequence.fit(X, y, sample_weight=np.where(y == "rises", 3.0, 1.0)).predict_proba(X)
    assert np.allclose(got, expected, rtol=0, atol=1e-12)
    both = clone(by_class).fit(X, y, sample_weight=np.where(y == "rises", 2.0, 1.0)).predict_proba(X)
    product = clone(by_sequence).fit(X, y, sample_weight=np.where(y == "rises", 6.0, 1.0)).predict_proba(X)
    assert np.allclose(both, product, rtol=0, atol=1e-12)


def test_balanced_weights_are_those_of_scikit_learn_and_count_weights():
    codes = np.array([0, 0, 0, 0, 1, 1, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    assert weights_by_class("balanced", np.arange(3), codes, None) == pytest.approx(expected)
    weights = np.array([1, 2, 3, 0, 2, 2, 1.0])
    repeated = np.repeat(codes, weights.astype(int))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=repeated)
    assert weights_by_class("balanced", np.arange(3), codes, weights) == pytest.approx(expected)
    unlabelled = np.append(codes, [-1, -1])
    assert weights_by_class("balanced", np.arange(3), unlabelled, None) == pytest.approx(
        weights_by_class("balanced", np.arange(3), codes, None)
    )


def test_rare_classes_are_found_when_balanced():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = np.where(X.mean(axis=1) > 0.7, "rare", "common")
    X += rng.normal(size=X.shape)
    model = SequenceClassifier(
        hidden_size=4, max_epochs=8, learning_rate=0.02, early_stopping=False, random_state=0, standardise=False
    )
    recalls = [
        np.mean(clone(model).set_params(class_weight=weight).fit(X, y).predict(X[y == "rare"]) == "rare")
        for weight in (None, "balanced")
    ]
    assert recalls[0] < 0.5 < recalls[1]


@pytest.mark.parametrize("class_weight", ["heavy", {"rises": -1}, {"rises": "1"}, {None: 1}, [1, 2, 3]])
def test_class_weights_out_of_contract_are_refused(ragged, class_weight):
    sentence = (
        r"'class_weight' parameter of SequenceClassifier must be a dict from labels to floats of at least 0, 'bal"
    )
    with pytest.raises(ParameterError, match=sentence):
        SequenceClassifier(class_weight=class_weight).fit(*ragged)


def test_class_weights_of_a_class_that_is_not_there_are_refused(ragged):
    with pytest.raises(DataError, match=r"^'class_weight' must name classes that y holds\. Got 'jumps', which is none"):
        SequenceClassifier(class_weight={"jumps": 2.0}).fit(*ragged)


@pytest.mark.parametrize("labels", [[3, -7], [True, False], ["a b", "ü"]])
def test_class_weights_travel_in_the_model_file(tmp_path, labels):
    X = [np.arange(5.0), -np.arange(5.0)] * 6
    class_weight = {labels[0]: 2.5, labels[1]: 0.5}
    model = SequenceClassifier(hidden_size=2, max_epochs=1, class_weight=class_weight, random_state=0)
    model.fit(X, labels * 6).save(tmp_path / "model")
    assert load(tmp_path / "model").class_weight == class_weight
    assert load(tmp_path / "model").fit(X, labels * 6).score(X, labels * 6) == model.score(X, labels * 6)


def test_weights_of_the_validation_part_choose_the_epoch(ragged, unseen):
    model = SequenceClassifier(hidden_size=4, max_epochs=3, random_state=0)
    weights = np.where(unseen[1] == "stays", 5.0, 0.5)
    model.fit(*ragged, validation=(*unseen, weights))
    chosen = model.training_["best_epoch"]
    assert model.history_[chosen - 1]["validation_loss"] == pytest.approx(
        model.training_["validation"]["log_loss"], rel=1e-6
    )
    proba = model.predict_proba(unseen[0])
    codes = np.searchsorted(model.classes_, unseen[1])
    losses = -np.log(proba[np.arange(22), codes])
    assert model.training_["validation"]["log_loss"] == pytest.approx(np.average(losses, weights=weights), rel=1e-6)
    assert model.validation_scores_[chosen - 1] == pytest.approx(model.score(*unseen, sample_weight=weights))


def test_steps_of_a_tagger_are_weighed_one_by_one(parity):
    X, y = parity
    tagger = SequenceTagger(**FULL_BATCH, random_state=0, standardise=False)
    of_sequence = np.arange(40) % 3
    as_steps = [np.full(len(x), weight) for x, weight in zip(X, of_sequence)]
    by_sequence = clone(tagger).fit(X, y, sample_weight=of_sequence).predict_proba(X)
    by_step = clone(tagger).fit(X, y, sample_weight=as_steps).predict_proba(X)
    assert all(np.array_equal(a, b) for a, b in zip(by_sequence, by_step))
    last = [np.where(np.arange(len(x)) == len(x) - 1, 1.0, 0.0) for x in X]
    marked = [np.array([None] * (len(x) - 1) + [labels[-1]], object) for x, labels in zip(X, y)]
    weighed, unlabelled = clone(tagger).fit(X, y, sample_weight=last), clone(tagger).fit(X, marked)
    assert weighed.loss_curve_ == pytest.approx(unlabelled.loss_curve_, rel=1e-12)
    assert weighed.score(X, y, sample_weight=last) == unlabelled.score(X, marked)


X_TWO, Y_TWO = [np.arange(5.0), -np.arange(5.0)] * 6, [0, 1] * 6
NOTHING_COUNTS = r"^'class_weight' must be above 0 for a class that occurs in the {} part\. Got 0 for all that occur; "


@pytest.mark.filterwarnings("ignore:.*are identical to sequences in training")
def test_weights_of_classes_that_leave_nothing_to_count_are_refused():
    model = SequenceClassifier(hidden_size=2, max_epochs=1, class_weight={0: 0.0}, random_state=0)
    assert clone(model).fit(X_TWO, Y_TWO).classes_.tolist() == [0, 1]
    with pytest.raises(DataError, match=NOTHING_COUNTS.format("training")):
        clone(model).set_params(class_weight={0: 0, 1: 0}).fit(X_TWO, Y_TWO)
    with pytest.raises(DataError, match=NOTHING_COUNTS.format("validation")):
        clone(model).fit(X_TWO, Y_TWO, validation=(X_TWO[::2], Y_TWO[::2]))
    model.partial_fit(X_TWO, Y_TWO, classes=[0, 1])
    with pytest.raises(DataError, match=NOTHING_COUNTS.format("training")):
        model.partial_fit(X_TWO[::2], Y_TWO[::2])


def test_weights_whose_product_cannot_be_summed_are_refused():
    model = SequenceClassifier(hidden_size=2, max_epochs=1, class_weight={0: 1e150}, random_state=0)
    assert np.isfinite(clone(model).fit(X_TWO, Y_TWO, [1e-100, 1e100] * 6).loss_curve_).all()
    sentence = r"^'class_weight' times 'sample_weight' must be 0, or between 1e-200 and 1e\+200\. Got 1e\+250; scale"
    with pytest.raises(DataError, match=sentence):
        clone(model).fit(X_TWO, Y_TWO, [1e100] * 12)
    extreme = clone(model).set_params(class_weight="balanced").fit(X_TWO, Y_TWO, [1e-100, 1e100] * 6)
    assert np.isfinite(extreme.loss_curve_).all()


@pytest.mark.parametrize(("labels", "class_weight"), [([0, 1], {True: 2.0}), ([False, True], {1: 2.0, 0: 3})])
def test_class_weights_that_python_takes_for_a_label_travel_in_the_model_file(tmp_path, labels, class_weight):
    model = SequenceClassifier(hidden_size=2, max_epochs=1, class_weight=class_weight, random_state=0)
    model.fit(X_TWO, labels * 6).save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.class_weight == class_weight
    assert [type(label) for label in again.class_weight] == [type(labels[0])] * len(class_weight)
    assert np.isfinite(again.fit(X_TWO, labels * 6).loss_curve_).all()


@pytest.mark.filterwarnings("ignore:The validation part has fewer than 2 labels")
@pytest.mark.filterwarnings("ignore:.*are identical to sequences in training")
def test_balanced_weights_are_learned_from_the_training_part_alone_and_weigh_the_validation_part_too(ragged):
    X, y = ragged
    rng = np.random.default_rng(0)
    is_common = y == "rises"
    X_held, y_held = [X[n] for n in np.flatnonzero(is_common)], y[is_common]
    kept = np.flatnonzero(~is_common | (rng.random(45) < 0.5))
    X_held, y_held = [*X_held, X[0]], [*y_held, "falls"]
    model = SequenceClassifier(hidden_size=3, max_epochs=1, class_weight="balanced", dtype="float64", random_state=0)
    model.fit([X[n] for n in kept], y[kept], validation=(X_held, y_held))
    classes, codes = np.unique(y[kept], return_inverse=True)
    by_class = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    held_codes = np.searchsorted(classes, y_held)
    losses = -np.log(model.predict_proba(X_held)[np.arange(len(held_codes)), held_codes])
    expected = np.average(losses, weights=by_class[held_codes])
    assert abs(expected - losses.mean()) > 1e-3
    assert model.history_[0]["validation_loss"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:The validation part has fewer than 2 labels")
def test_balanced_weights_are_learned_without_what_early_stopping_sets_aside(ragged, monkeypatch):
    X, y = ragged
    y = np.where(np.arange(45) < 3, y, "rises")  # so rare that the shares of the two parts differ
    learned = {}
    original = Baselines.fit.__func__

    def fit(cls, sequences, codes, *arguments, by_class, **keywords):
        learned.update(codes=codes, by_class=by_class)
        return original(cls, sequences, codes, *arguments, by_class=by_class, **keywords)

    monkeypatch.setattr(Baselines, "fit", classmethod(fit))
    model = SequenceClassifier(hidden_size=2, max_epochs=1, class_weight="balanced", refit=False, random_state=0)
    model.fit(X, y)
    assert len(learned["codes"]) < 45
    expected = compute_class_weight("balanced", classes=np.arange(3), y=learned["codes"])
    assert learned["by_class"] == pytest.approx(expected, rel=1e-14)


def test_balanced_weights_count_only_the_classes_that_occur():
    codes = np.array([0, 0, 0, 2])
    assert weights_by_class("balanced", np.arange(3), codes, None).tolist() == pytest.approx([4 / 6, 1.0, 4 / 2])


def test_the_scale_of_features_is_learned_with_the_weights(ragged):
    X, y = ragged
    weights = np.arange(45) % 3 + 1.0
    model = SequenceClassifier(hidden_size=2, max_epochs=1, early_stopping=False, random_state=0)
    scales = [
        clone(model).fit(*data).preparation_.standardiser
        for data in (
            (X, y, weights),
            ([X[n] for n in np.repeat(np.arange(45), weights.astype(int))], np.repeat(y, weights.astype(int))),
        )
    ]
    assert scales[0].mean == pytest.approx(scales[1].mean, rel=1e-12)
    assert scales[0].scale == pytest.approx(scales[1].scale, rel=1e-12)
