"""What a model says of the beginnings of sequences."""

import json

import numpy as np
import pytest

from elman import Sequences, SequenceTagger
from elman.errors import DataError, ParameterError
from elman.insight.prefixes import Prefixes, beginnings, confidence_over_time


def test_a_beginning_has_the_share_of_the_steps_rounded_up_and_at_least_one():
    sequences = Sequences(np.arange(15.0)[:, None], np.array([0, 1, 5, 15]), ("x",))
    assert beginnings(sequences, 0.3).lengths.tolist() == [1, 2, 3]
    assert beginnings(sequences, 0.01).lengths.tolist() == [1, 1, 1]
    assert beginnings(sequences, 0.31).lengths.tolist() == [1, 2, 4]
    cut = beginnings(sequences, 0.5)
    assert [x[:, 0].tolist() for x in cut] == [[0.0], [1.0, 2.0], [5.0, 6.0, 7.0, 8.0, 9.0]]
    assert cut.feature_names == ("x",)


def test_the_whole_sequence_has_the_bits_of_predict_proba(trained, unseen):
    prefixes = confidence_over_time(trained, unseen[0], unseen[1])
    assert prefixes.proba.shape == (22, 10, 3)
    assert np.array_equal(prefixes.proba[:, -1], trained.predict_proba(unseen[0]))
    assert prefixes.accuracy[-1] == trained.score(*unseen)


def test_each_share_has_the_bits_of_the_sequences_cut_by_hand(trained, unseen):
    prefixes = confidence_over_time(trained, unseen[0], shares=(0.001, 0.5))
    assert np.array_equal(prefixes.proba[:, 0], trained.predict_proba([x[:1] for x in unseen[0]]))
    assert np.array_equal(prefixes.proba[:, 1], trained.predict_proba([x[: -(-len(x) // 2)] for x in unseen[0]]))
    assert (prefixes.codes, prefixes.accuracy) == (None, None)


def test_there_is_one_pass_for_each_share(trained, unseen, monkeypatch):
    passes = []
    kept = type(trained)._proba
    monkeypatch.setattr(type(trained), "_proba", lambda self, X: passes.append(len(X)) or kept(self, X))
    confidence_over_time(trained, unseen[0], unseen[1], shares=(0.2, 0.7, 1.0))
    assert passes == [22, 22, 22]


def test_figures_are_those_computed_by_hand():
    proba = np.array([[[0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]])
    prefixes = Prefixes(np.array([0.2, 0.5, 1.0]), proba, np.array(["a", "b"]), np.array([1, 1]))
    assert prefixes.confidence == pytest.approx([0.75, 0.75, 0.75])
    assert prefixes.accuracy.tolist() == [0.0, 0.5, 0.5]
    assert prefixes.decided.tolist() == [0.5, 0.2]
    assert json.loads(json.dumps(prefixes.to_dict())) == {
        "shares": [0.2, 0.5, 1.0],
        "confidence": pytest.approx([0.75, 0.75, 0.75]),
        "accuracy": [0.0, 0.5, 0.5],
    }


def test_a_prediction_that_changes_and_comes_back_is_decided_when_it_has_come_back():
    said = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])
    prefixes = Prefixes(np.array([0.25, 0.5, 0.75, 1.0]), np.eye(2)[said], np.array(["a", "b"]))
    assert prefixes.decided.tolist() == [0.75, 1.0, 0.25]


@pytest.mark.parametrize("shares", [(), (0.0, 1.0), (0.5, 0.5), (0.6, 0.5), (0.5, 1.1), (float("nan"),)])
def test_shares_that_do_not_rise_within_their_range_are_refused(trained, unseen, shares):
    with pytest.raises(ParameterError, match=r"^The 'shares' parameter of confidence_over_time must be rising floats "):
        confidence_over_time(trained, unseen[0], shares=shares)


def test_a_label_never_seen_is_named(trained, unseen):
    with pytest.raises(DataError, match=r"^The label 'jumps' \(y\[0\]\) was never seen in training\."):
        confidence_over_time(trained, unseen[0], ["jumps"] * 22)


def test_a_tagger_is_told_to_predict_by_itself():
    with pytest.raises(ParameterError, match=r"must be a SequenceClassifier\. Got a SequenceTagger, which labels each"):
        confidence_over_time(SequenceTagger(), [[1.0]])
