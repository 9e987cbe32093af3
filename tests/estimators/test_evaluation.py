import numpy as np
import pytest

from elman import DataError, SequenceClassifier, SequenceTagger
from elman.estimators.evaluation import evaluate, measure
from elman.estimators.labels import encode


def test_figures_are_those_computed_by_hand():
    codes = np.array([0, 0, 0, 1, 1, 2])
    probabilities = np.array(
        [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.3, 0.3, 0.4]]
    )
    got = measure(codes, probabilities, {}, np.array(["a", "b", "c"]))
    assert got.accuracy == pytest.approx(4 / 6)
    assert got.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert got.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)  # class a: 2 of 3 found, 2 of 3 said
    assert got.log_loss == pytest.approx(-np.log([0.7, 0.6, 0.2, 0.8, 0.4, 0.4]).mean())
    assert got.confusion_matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert got.n == 6


def test_rows_of_the_confusion_matrix_are_true_classes_and_columns_predicted_ones():
    got = measure(np.array([0, 0, 0, 1]), np.array([[0.2, 0.8]] * 2 + [[0.9, 0.1]] * 2), {}, np.array(["a", "b"]))
    assert got.confusion_matrix.tolist() == [[1, 2], [1, 0]]


def test_a_class_that_does_not_occur_neither_counts_nor_warns():
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    got = measure(np.array([0, 1]), probabilities, {}, np.array([5, 6, 7]))
    assert (got.accuracy, got.balanced_accuracy, got.macro_f1) == (1.0, 1.0, 1.0)
    assert got.confusion_matrix.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_the_model_is_measured_beside_both_baselines(trained, unseen):
    got = evaluate(trained, *unseen)
    assert got.accuracy == trained.score(*unseen)
    assert set(got.baselines) == {"majority", "summary_statistics"}
    assert got.baselines["majority"]["accuracy"] == pytest.approx(np.mean(unseen[1] == "falls"))
    assert got.baselines["majority"]["log_loss"] == pytest.approx(np.log(3), rel=0.01)
    assert got.baselines["summary_statistics"]["accuracy"] > 0.9
    assert set(got.to_dict()) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "confusion_matrix",
        "classes",
        "baselines",
    }


def test_a_label_never_seen_is_named_with_those_that_are_known(trained, unseen):
    with pytest.raises(DataError, match=r"^The label 'jumps' \(y\[1\]\) was never seen in training\. The model knows "):
        evaluate(trained, unseen[0][:2], ["falls", "jumps"])


def test_labels_written_alike_match_across_types():
    X = [np.arange(4.0), -np.arange(4.0)] * 4
    model = SequenceClassifier(hidden_size=3, max_epochs=30, early_stopping=False, random_state=0).fit(X, [10, 2] * 4)
    assert evaluate(model, X, ["10", "2"] * 4).accuracy == model.score(X, [10, 2] * 4) == 1.0


@pytest.mark.parametrize(
    ("trained_on", "given"),
    [
        (["false", "true"], [False, True]),
        (["FALSE", "True"], [False, True]),
        ([False, True], ["false", "TRUE"]),
    ],
)
def test_booleans_match_text_in_either_case(trained_on, given):
    codes = encode(np.array(given * 2), np.array(trained_on))
    assert codes.tolist() == [0, 1, 0, 1]


def test_booleans_that_could_be_either_of_two_texts_are_unknown():
    with pytest.raises(DataError, match=r"The label True \(y\[0\]\) was never seen in training\."):
        encode(np.array([True]), np.array(["TRUE", "true"]))


def test_every_step_is_measured_step_by_step(parity):
    X, y = parity
    model = SequenceTagger(hidden_size=3, max_epochs=3, random_state=0).fit(X, y)
    got = evaluate(model, X, y)
    assert got.n == sum(map(len, X))
    assert got.accuracy == pytest.approx(np.mean(np.concatenate(model.predict(X)) == np.concatenate(y)))
