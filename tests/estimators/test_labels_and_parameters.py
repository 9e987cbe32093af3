"""What fit and score refuse or doubt in labels, names and parameters, and in whose name."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone

from elman import DataError, ParameterError, SequenceClassifier, Sequences, SequenceTagger, load
from elman.estimators.parameters import check_parameters


def test_score_knows_labels_however_they_are_written_and_no_others():
    X, y = [np.arange(5.0), -np.arange(5.0)] * 6, [0, 1] * 6
    model = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0).fit(X, y)
    assert model.score(X, [str(label) for label in y]) == model.score(X, y) == np.mean(model.predict(X) == y)
    weights = np.arange(12.0)
    assert model.score(X, y, weights) == pytest.approx(np.average(model.predict(X) == y, weights=weights))
    for labels, sentence in [
        ([7] * 12, r"^The label 7 \(y\[0\]\) was never seen in training\. The model knows 0, 1\.$"),
        ([None] * 12, r"^y\[0\]: expected a label, got None\."),
        ([0.5] * 12, r"^Unknown label type: continuous\. y\[0\] must be text"),
        (None, r"^y must hold the labels: requires y to be passed, but the target y is None\.$"),
    ]:
        with pytest.raises(DataError, match=sentence):
            model.score(X, labels)
    for call in (SequenceClassifier().fit, model.score):
        with pytest.raises(DataError, match=r"^y must hold the labels"):
            call(X)


@pytest.mark.parametrize(
    ("estimator", "name"), [(SequenceClassifier, "hiden_size"), (SequenceTagger, "readout"), (SequenceTagger, "C")]
)
def test_a_parameter_that_there_is_not_is_refused_by_the_name_of_the_estimator(estimator, name):
    sentence = rf"^{estimator.__name__}\.__init__\(\) got an unexpected keyword argument '{name}'"
    with pytest.raises(TypeError, match=sentence):
        estimator(**{name: 3})


def test_numbers_of_any_kind_are_parameters_that_can_be_saved(tmp_path):
    X, y = [np.arange(5.0), -np.arange(5.0)] * 6, [0, 1] * 6
    odd = {"learning_rate": Fraction(1, 100), "class_weight": {1: Fraction(1, 2)}, "hidden_size": np.int32(2)}
    model = SequenceClassifier(**odd, max_epochs=1, random_state=0).fit(X, y)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again.learning_rate, again.class_weight, again.hidden_size) == (0.01, {1: 0.5}, 2)
    plainly = SequenceClassifier(learning_rate=0.01, class_weight={1: 0.5}, hidden_size=2, max_epochs=1, random_state=0)
    assert np.array_equal(plainly.fit(X, y).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize("label", ["a" * 10_001, "\ud800"])
def test_labels_that_no_model_file_holds_are_refused_by_fit(label, as_array):
    y = [label, "b"] * 6
    with pytest.raises(
        DataError, match=r"^y\[0\]: expected text of at most 10,000 characters that UTF-8 has as a label"
    ):
        SequenceClassifier().fit([np.arange(5.0)] * 12, np.array(y) if as_array else y)


@pytest.mark.parametrize("mark", ["a" * 1001, "\udfff", 2**63])
def test_marks_that_no_model_file_holds_are_refused_by_fit(mark):
    with pytest.raises(
        ParameterError, match=r"'unlabelled' parameter of SequenceTagger must be a label \(text of at most"
    ):
        SequenceTagger(unlabelled=mark).fit([np.arange(3.0)], [["a", "b", "a"]])


def test_names_of_features_that_no_model_file_holds_are_refused_by_fit():
    X = Sequences(np.arange(20.0)[:, None], np.arange(0, 21, 5), ("\ud800",))
    with pytest.raises(DataError, match=r"^Feature 0: expected a name of at most 10000 characters that UTF-8 has, got"):
        SequenceClassifier().fit(X, ["a", "b", "a", "b"])


def test_numbers_that_stand_for_kinds_and_look_like_a_quantity_are_doubted():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 6, 2)), ["a", "b"] * 10
    model = SequenceClassifier(hidden_size=2, max_epochs=1, early_stopping=False, random_state=0)
    sentence = (
        r"^Feature 1 of 'categorical_features' has 120 kinds in 120 steps; if it is a quantity, leave it out of th"
    )
    with pytest.warns(UserWarning, match=sentence) as told:
        clone(model).set_params(categorical_features=[1]).fit(X, y)
    assert [warning.filename for warning in told] == [__file__]
    X[:, :, 1] = rng.integers(0, 60, (20, 6))  # at most half as many kinds as steps
    clone(model).set_params(categorical_features=[1]).fit(X, y)
    clone(model).set_params(categorical_features=[1]).fit(X[:8], y[:8])  # few


def test_sizes_and_layers_that_differ_in_number_get_one_sentence():
    sentence = (
        r"^The 'num_layers' parameter of SequenceClassifier must be 2, as many as there are sizes in hidden_size, or "
    )
    with pytest.raises(ParameterError, match=sentence + r"left out\. Got 3 instead\.$"):
        check_parameters({"hidden_size": (32, 32), "num_layers": 3})
