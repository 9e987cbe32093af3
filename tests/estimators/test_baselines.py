import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from elman.data import Preparation, as_sequences
from elman.estimators import baselines
from elman.estimators.baselines import Baselines


def statistics_one_by_one(X):
    rows = []
    for x in X:
        rows.append(np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0), x[0], x[-1], [len(x)]]))
    return np.array(rows)


def test_summary_statistics_are_those_of_each_sequence(ragged):
    got = baselines._of_sequences(as_sequences(ragged[0]))
    assert np.allclose(got, statistics_one_by_one(ragged[0]), rtol=1e-12, atol=1e-12)


def test_statistics_of_a_step_are_those_of_the_sequence_up_to_it(ragged):
    X = ragged[0][:4]
    beginnings = [x[: t + 1] for x in X for t in range(len(x))]
    expected = statistics_one_by_one(beginnings)
    got = baselines._of_steps(as_sequences(X), np.arange(len(beginnings)))
    assert np.allclose(got, expected, rtol=1e-9, atol=1e-9)
    kept = np.array([0, 1, len(X[0]), len(beginnings) - 1])  # none of the third sequence
    assert np.array_equal(baselines._of_steps(as_sequences(X), kept), got[kept])


def test_of_columns_of_0_and_1_the_statistics_are_mean_first_and_last():
    texts = as_sequences(["abba", "b", "ab"])
    summarise = Preparation.fit(texts).summarised
    got = baselines._of_sequences(summarise(texts))  # a, b of each statistic; the length
    expected = [[0.5, 0.5, 1, 0, 1, 0, 4], [0, 1, 0, 1, 0, 1, 1], [0.5, 0.5, 1, 0, 0, 1, 2]]
    assert np.array_equal(got[:, [1, 0, 3, 2, 5, 4, 6]], expected)  # b is the more frequent
    steps = baselines._of_steps(texts, np.arange(7), summarise)
    ends = [3, 4, 6]
    np.testing.assert_allclose(steps[ends], got, rtol=1e-12)
    assert steps[1].tolist() == [0.5, 0.5, 0, 1, 1, 0, 2]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_numpy_alone_gives_the_probabilities_of_scikit_learns_regression(ragged, unseen, n_classes):
    X, y = ragged
    codes = np.unique(y, return_inverse=True)[1] % n_classes
    fitted = Baselines.fit(as_sequences(X), codes, n_classes, every_step=False)
    statistics, new = statistics_one_by_one(X), statistics_one_by_one(unseen[0])
    mean, scale = statistics.mean(0), statistics.std(0)
    reference = LogisticRegression(max_iter=500).fit((statistics - mean) / scale, codes)
    got = fitted.proba(as_sequences(unseen[0]), every_step=False)
    assert np.allclose(got["summary_statistics"], reference.predict_proba((new - mean) / scale), rtol=0, atol=1e-6)


def test_the_majority_is_the_share_of_each_class_in_training():
    codes = np.array([2, 0, 2, 2, 1])
    fitted = Baselines.fit(as_sequences(np.arange(15.0).reshape(5, 3)), codes, 3, every_step=False)
    got = fitted.proba(as_sequences([[1.0]]), every_step=False)["majority"]
    assert got.tolist() == [[0.2, 0.2, 0.6]]


def test_a_constant_feature_does_no_harm():
    X = as_sequences([np.column_stack([np.full(4, 3.0), np.arange(4.0) * k]) for k in (-1, 1, -2, 2)])
    proba = Baselines.fit(X, np.array([0, 1, 0, 1]), 2, every_step=False).proba(X, every_step=False)
    assert proba["summary_statistics"].argmax(axis=1).tolist() == [0, 1, 0, 1]


def test_many_steps_are_thinned_out_but_no_class_is_lost(monkeypatch):
    monkeypatch.setattr(baselines, "_MOST_ROWS", 10)
    codes = np.zeros(101, dtype=np.int64)
    codes[37] = 1
    X = as_sequences([np.arange(101.0)])
    fitted = Baselines.fit(X, codes, 2, every_step=True)
    assert fitted.coefficients[1].any()
    assert fitted.prior[1] == pytest.approx(1 / 101)
