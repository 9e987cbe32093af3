"""Tables (N, T) of univariate sequences: their columns are the time steps, by number and by name."""

import numpy as np
import pandas
import polars
import pytest

from elman import DataError, SequenceClassifier, load

RNG = np.random.default_rng(4)
X = RNG.normal(size=(30, 5)) + np.arange(30)[:, None] % 2
Y = np.arange(30) % 2
NAMES = [f"hour {step}" for step in range(5)]
MODEL = {"hidden_size": 3, "max_epochs": 2, "random_state": 0}


def proba(data):
    return SequenceClassifier(**MODEL).fit(data, Y).predict_proba(data)


def test_arrays_frames_and_lists_of_lists_are_the_same_table():
    expected = proba(X)
    frame = pandas.DataFrame(X, columns=NAMES)
    for data in (frame, polars.DataFrame(X, schema=NAMES), X.tolist(), X[:, :, None], list(X)):
        assert np.array_equal(proba(data), expected)
    model = SequenceClassifier(**MODEL).fit(frame, Y)
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == NAMES


def test_columns_must_be_those_of_training():
    model = SequenceClassifier(**MODEL).fit(pandas.DataFrame(X, columns=NAMES), Y)
    with pytest.raises(
        DataError, match=r"(?s)names should match .* same order.*pass a list of arrays, or an array \(N"
    ):
        model.predict(pandas.DataFrame(X, columns=NAMES[::-1]))
    for fitted in (X, X.tolist()):
        model.fit(fitted, Y)
        assert not hasattr(model, "feature_names_in_")
        with pytest.raises(DataError, match="X has 4 features, but SequenceClassifier is expecting 5 features as inp"):
            model.predict(X[:, 1:])
        with pytest.raises(DataError, match="X has 30 features"):
            model.predict(X.T)


def test_other_lengths_are_read_from_lists_and_three_dimensions():
    model = SequenceClassifier(**MODEL).fit(X, Y)
    longer = np.hstack([X, X])
    assert np.array_equal(model.predict_proba(longer[:, :, None]), model.predict_proba(list(longer)))
    on_lists = SequenceClassifier(**MODEL).fit(list(X), Y)
    assert on_lists.n_features_in_ == 1
    assert np.array_equal(on_lists.predict_proba(longer), model.predict_proba(list(longer)))


def test_what_is_known_of_columns_travels_in_the_model_file(tmp_path):
    frame = pandas.DataFrame(X, columns=NAMES)
    SequenceClassifier(**MODEL).fit(frame, Y).save(tmp_path / "model")
    model = load(tmp_path / "model")
    assert model.feature_names_in_.tolist() == NAMES
    assert np.array_equal(model.predict_proba(frame), proba(frame))
    with pytest.raises(DataError, match="now missing:\n- hour 0"):
        model.predict(frame[NAMES[1:]])


def test_a_single_sequence_says_how_it_is_passed():
    with pytest.raises(DataError, match=r"Got a flat array \(5,\)\. Reshape your data: if it is one .*, pass \[X\]\."):
        SequenceClassifier(**MODEL).fit(X, Y).predict(X[0])


def test_what_is_no_number_is_a_type_error_too():
    broken = X.astype(object)
    broken[3, 2] = {}
    with pytest.raises(DataError, match=r"^X must hold real numbers\. Got a value of type dict among them: ") as caught:
        SequenceClassifier(**MODEL).fit(broken, Y)
    assert isinstance(caught.value, TypeError)
