"""Series of pandas beside a frame with a MultiIndex: matched by index."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate

import elman
from elman import DataError, SequenceClassifier, SequenceTagger
from elman.estimators.alignment import aligned
from elman.estimators.evaluation import evaluate

CASES = [f"case {n}" for n in (5, 2, 9, 0, 7, 3, 1, 8)]
INDEX = pd.MultiIndex.from_product([CASES, range(6)], names=["case", "time"])
Y = pd.Series(["up", "down", "down", "up", "down", "up", "up", "down"], index=CASES)
SLOPES = np.where(Y == "up", 1.0, -1.0)
X = pd.DataFrame({"x": np.repeat(SLOPES, 6) * INDEX.get_level_values(1)}, index=INDEX)
SMALL = {"hidden_size": 4, "max_epochs": 1, "early_stopping": False, "random_state": 0}


def test_labels_weights_and_groups_are_matched_by_the_index_of_the_sequences():
    weights = pd.Series(np.arange(8.0) + 1, index=CASES)
    model = SequenceClassifier(**SMALL)
    expected = clone(model).fit(X, Y, weights)
    got = clone(model).fit(X, Y.sort_index(), weights.sort_values(ascending=False))
    assert np.array_equal(got.predict_proba(X), expected.predict_proba(X))
    assert got.baselines_.prior.tolist() == expected.baselines_.prior.tolist()
    score = np.average(got.predict(X) == Y, weights=weights)
    assert got.score(X, Y.sort_index(), sample_weight=weights.sort_index()) == pytest.approx(score)
    assert evaluate(got, X, Y.sort_index()).accuracy == np.mean(got.predict(X) == Y)
    groups = pd.Series([0, 0, 1, 1, 2, 2, 3, 3], index=CASES)
    early = clone(model).set_params(early_stopping=True)
    a, b = (clone(early).fit(X, Y, groups=given).training_ for given in (groups, groups.sort_index()))
    assert a["validation"] == b["validation"]


def test_an_index_that_says_nothing_is_taken_by_position_and_another_refused():
    assert aligned(Y.reset_index(drop=True), X, "y").tolist() == Y.tolist()
    assert aligned(Y.tolist(), X, "y") == Y.tolist()
    numbered = X.set_index(pd.MultiIndex.from_product([[3, 1, 2, 0, 7, 6, 5, 4], range(6)]))
    assert aligned(pd.Series(list("abcdefgh")), numbered, "y").tolist() == list("dbcahgfe")
    for wrong in (Y.rename({"case 5": "case 4"}), Y.iloc[[0, 0, *range(2, 8)]], Y.iloc[:7]):
        with pytest.raises(
            DataError, match=r"^y must have the sequences of X as its index, .* pass y\.to_numpy\(\)\.$"
        ):
            SequenceClassifier(**SMALL).fit(X, wrong)


def test_labels_of_steps_are_matched_by_sequence_and_time():
    labels = pd.Series(np.where(INDEX.get_level_values(1) % 2 == 0, "even", "odd"), index=INDEX)
    shuffled = labels.sample(frac=1.0, random_state=0)
    assert shuffled.tolist() != labels.tolist()
    tagger = SequenceTagger(**SMALL)
    expected, got = (clone(tagger).fit(X, y) for y in (labels, shuffled))
    assert all(np.array_equal(a, b) for a, b in zip(got.predict_proba(X), expected.predict_proba(X)))
    assert aligned(shuffled, X, "y").tolist() == labels.tolist()
    with pytest.raises(DataError, match=r"^y must have the steps of X as its index"):
        clone(tagger).fit(X, labels.iloc[1:])
    with pytest.raises(DataError, match=r"Sort by \.sort_index"):
        clone(tagger).fit(X.sample(frac=1.0, random_state=0), labels)


def test_sequences_of_such_a_frame_go_through_cross_validation():
    found = cross_validate(SequenceClassifier(**SMALL), elman.as_sequences(X), Y, cv=2)
    assert len(found["test_score"]) == 2
