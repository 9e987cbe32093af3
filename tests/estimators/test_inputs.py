"""Gaps, kinds, texts and layouts at the estimators: what is learned, what is refused, what does not matter."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from elman import DataError, ParameterError, SequenceClassifier, Sequences, SequenceTagger
from elman.data import as_sequences
from elman.estimators.evaluation import evaluate

SMALL = {"hidden_size": 6, "max_epochs": 12, "learning_rate": 0.02, "random_state": 0, "n_threads": 1}
WORDS = ["haus", "maus", "laus", "baum", "raum", "saum", "casa", "rosa", "cosa", "pera", "vera", "sera"] * 3
LANGUAGES = (["de"] * 6 + ["it"] * 6) * 3


def gappy(n=60, seed=0):
    """Sequences (T_n, 2) of which feature 0, where it is missing, and nothing else tells the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = []
    for kind in y:
        x = rng.normal(size=(rng.integers(4, 9), 2))
        x[rng.random(len(x)) < (0.1, 0.7)[kind], 0] = np.nan
        X.append(x)
    return X, y


def kinds(n=60, seed=0, n_names=3):
    """Sequences of a category of which one name tells the class, beside a number that tells nothing."""
    rng = np.random.default_rng(seed)
    arrays = []
    for label in np.arange(n) % 2:
        codes = rng.integers(1, n_names, 6).astype(float)
        codes[rng.integers(6)] = 0 if label else 1
        arrays.append(np.column_stack([rng.normal(size=6), codes]))
    names = tuple(f"kind {k}" for k in range(n_names))
    return Sequences(np.concatenate(arrays), np.arange(0, 6 * n + 1, 6), ("x", "kind"), (None, names)), np.arange(n) % 2


# Missing values


def test_missing_values_are_an_error_that_names_the_place_and_the_way_out():
    X, y = gappy()
    with pytest.raises(DataError, match=r"X\[\d+\], step \d+, feature 0: .* or train with missing='indicator'"):
        SequenceClassifier(**SMALL).fit(X, y)
    model = SequenceClassifier(missing="indicator", **SMALL).fit(X, y)
    whole = SequenceClassifier(**SMALL).fit([np.nan_to_num(x) for x in X], y)
    model.predict(X)
    with pytest.raises(DataError, match="expected a finite number, got NaN"):
        whole.predict(X)


def test_where_values_are_missing_is_learned():
    model = SequenceClassifier(missing="indicator", **SMALL).fit(*gappy(200))
    assert model.score(*gappy(300, seed=1)) > 0.85
    assert model.network_.architecture.input_size == 4
    assert model.n_features_in_ == 2


def test_infinite_values_stay_an_error():
    X, y = gappy()
    X[3][1, 1] = np.inf
    with pytest.raises(DataError, match=r"X\[3\], step 1, feature 1: expected a finite number, got inf"):
        SequenceClassifier(missing="indicator", **SMALL).fit(X, y)


@pytest.mark.parametrize("estimator", [SequenceClassifier, SequenceTagger])
@pytest.mark.filterwarnings("ignore:Labels never change within a sequence")
def test_a_gap_is_filled_alike_alone_and_in_any_batch(estimator):
    X, y = gappy()
    labels = y if estimator is SequenceClassifier else [np.full(len(x), label) for x, label in zip(X, y)]
    model = estimator(missing="indicator", **SMALL).fit(X, labels)
    together = model.predict_proba(X)
    for n in (0, 17, 59):
        assert np.array_equal(model.predict_proba(X[n : n + 1])[0], together[n])


@pytest.mark.filterwarnings("ignore:.*are identical to sequences in training")
def test_gaps_of_the_validation_part_teach_nothing():
    X, y = gappy()
    whole = [np.nan_to_num(x) for x in X]
    model = SequenceClassifier(missing="indicator", **SMALL).fit(whole, y, validation=(X, y))
    assert model.preparation_.gaps == ()
    assert model.preparation_.start == pytest.approx(np.concatenate(whole).mean(axis=0))


# Kinds


@pytest.mark.parametrize("n_names", [3, 12])
def test_a_category_is_learned_as_columns_or_as_vectors(n_names):
    model = SequenceClassifier(**SMALL | {"max_epochs": 60}).fit(*kinds(n=240, n_names=n_names))
    assert model.score(*kinds(seed=1, n_names=n_names)) > 0.95
    assert bool(model.network_.architecture.embeddings) == (n_names > 8)


def test_numbers_are_kinds_where_the_user_says_so():
    X, y = kinds(n_names=12)
    plain = [x.copy() for x in X]
    by_name = SequenceClassifier(**SMALL).fit(X, y)
    by_index = SequenceClassifier(categorical_features=[1], **SMALL).fit(plain, y)
    assert [len(each.names) for each in by_index.preparation_.vocabularies] == [12]
    assert by_name.network_.architecture == by_index.network_.architecture
    assert clone(by_index).get_params()["categorical_features"] == [1]


def test_an_unseen_kind_has_no_say_of_its_own():
    X, y = kinds(n_names=12)
    model = SequenceClassifier(**SMALL).fit(X, y)
    assert not model.network_.parameters["weight_embedding_0"][0].any()
    renamed = Sequences(X.values, X.offsets, X.feature_names, (None, tuple("abcdefghijkl")))
    unknown = Sequences(X.values, X.offsets, X.feature_names, (None, tuple("mnopqrstuvwx")))
    assert np.array_equal(model.predict_proba(renamed), model.predict_proba(unknown))


def test_the_order_of_the_names_in_the_data_does_not_matter():
    X, y = kinds(n_names=12)
    model = SequenceClassifier(**SMALL).fit(X, y)
    values = X.values.copy()
    values[:, 1] = 11 - values[:, 1]
    turned = Sequences(values, X.offsets, X.feature_names, (None, X.categories[1][::-1]))
    assert np.array_equal(model.predict_proba(turned), model.predict_proba(X))
    other = SequenceClassifier(**SMALL).fit(turned, y)
    assert np.array_equal(other.network_.parameters.vector, model.network_.parameters.vector)


def test_kinds_and_numbers_are_told_apart_after_training():
    X, y = kinds()
    model = SequenceClassifier(**SMALL).fit(X, y)
    with pytest.raises(DataError, match="Feature 1 must hold text, as in training, where it held 'kind 1', "):
        model.predict([x.copy() for x in X])
    numbers = SequenceClassifier(**SMALL).fit([x.copy() for x in X], y)
    with pytest.raises(DataError, match=r"Feature 1 must hold numbers, as in training. Got text, such as 'kind 0'."):
        numbers.predict(X)


# Texts


def test_texts_are_learned_by_character_and_by_word():
    model = SequenceClassifier(**SMALL | {"max_epochs": 30}).fit(WORDS, LANGUAGES)
    assert model.predict(["traum", "sposa"]).tolist() == ["de", "it"]
    assert model.feature_names_in_.tolist() == ["token"]
    sentences = ["the cat sat", "a cat ran", "the dog ran", "a dog sat"] * 8
    by_word = SequenceClassifier(text="words", **SMALL | {"max_epochs": 30}).fit(
        sentences, ["cat", "cat", "dog", "dog"] * 8
    )
    assert by_word.predict(["my cat", "that dog sat"]).tolist() == ["cat", "dog"]
    assert set(by_word.preparation_.vocabularies[0].names) == {"the", "a", "cat", "dog", "sat", "ran"}
    split = SequenceClassifier(**SMALL | {"max_epochs": 30}).fit(
        [s.split() for s in sentences], ["cat", "cat", "dog", "dog"] * 8
    )
    assert np.array_equal(split.network_.parameters.vector, by_word.network_.parameters.vector)


def test_texts_of_one_length_are_no_table_of_steps():
    four = [word for word in WORDS if len(word) == 4]
    labels = [label for word, label in zip(WORDS, LANGUAGES) if len(word) == 4]
    model = SequenceClassifier(**SMALL).fit([list(word) for word in four], labels)
    assert (model.n_features_in_, model.steps_are_columns_) == (1, False)
    assert model.predict([list("raumes")]).shape == (1,)


def test_a_text_is_split_as_in_training_and_travels_through_pickle():
    model = SequenceClassifier(text="words", **SMALL).fit([f"{word} x" for word in WORDS], LANGUAGES)
    expected = model.predict_proba(["haus x", "rosa"])
    model.set_params(text="characters")
    assert np.array_equal(model.predict_proba(["haus x", "rosa"]), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(["haus x", "rosa"]), expected)


def test_the_baselines_see_how_often_each_token_comes():
    model = SequenceClassifier(**SMALL).fit(WORDS, LANGUAGES)
    figures = evaluate(model, WORDS, LANGUAGES).to_dict()["baselines"]
    assert figures["summary_statistics"]["accuracy"] == 1
    assert figures["majority"]["accuracy"] == 0.5


def test_numbers_are_no_text_for_a_model_of_texts():
    model = SequenceClassifier(**SMALL).fit(WORDS, LANGUAGES)
    with pytest.raises(DataError, match="Feature 0 must hold text, as in training, where it held 'a', "):
        model.predict([[1.0, 2.0]])


def test_the_size_of_the_vectors_can_be_chosen():
    model = SequenceClassifier(embedding_size=3, **SMALL).fit(WORDS, LANGUAGES)
    n_names = len(set("".join(WORDS)))
    assert model.network_.architecture.embeddings == ((0, n_names + 1, 3),)


# Layouts and parameters


def test_channels_come_first_where_the_user_says_so():
    X, y = gappy()
    X = [np.nan_to_num(x) for x in X]
    expected = SequenceClassifier(**SMALL).fit(X, y)
    model = SequenceClassifier(layout="channels-first", **SMALL).fit([x.T for x in X], y)
    assert np.array_equal(model.network_.parameters.vector, expected.network_.parameters.vector)
    cube = np.stack([x[:4] for x in X])
    assert np.array_equal(model.predict_proba(cube.transpose(0, 2, 1)), expected.predict_proba(cube))


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (
            {"missing": "drop"},
            "The 'missing' parameter of SequenceClassifier must be a str among {'error', 'indicator'}.",
        ),
        ({"text": "letters"}, "must be a str among {'characters', 'words'}. Got 'letters' instead."),
        ({"layout": "NCT"}, "must be a str among {'steps-first', 'channels-first'}. Got 'NCT' instead."),
        ({"embedding_size": 0}, "must be an int in the range [1, 65536] or None. Got 0 instead."),
        (
            {"categorical_features": "kind"},
            "must be a list of indices or names of features, or None. Got 'kind' instead.",
        ),
        (
            {"categorical_features": [0.5]},
            "must be a list of indices or names of features, or None. Got [0.5] instead.",
        ),
        (
            {"categorical_features": [7]},
            "'categorical_features' parameter must hold indices or names of features, from 0",
        ),
    ],
)
def test_a_parameter_out_of_its_contract_is_named(parameter, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        SequenceClassifier(**SMALL, **parameter).fit([[[0.0, 1.0]], [[1.0, 0.0]]] * 4, [0, 1] * 4)


def test_zero_weights_are_absence_for_gaps_and_names():
    X, y = kinds(n_names=12)
    weights = np.ones(len(X))
    weights[::5] = 0
    values = X.values.copy()
    values[0, 0] = np.nan
    gappy_first = Sequences(values, X.offsets, X.feature_names, X.categories)
    weighted = SequenceClassifier(missing="indicator", **SMALL).fit(gappy_first, y, sample_weight=weights)
    without = SequenceClassifier(missing="indicator", **SMALL).fit(gappy_first[weights > 0], y[weights > 0])
    assert weighted.preparation_.gaps == ()
    assert np.array_equal(weighted.network_.parameters.vector, without.network_.parameters.vector)


def test_partial_fit_keeps_what_the_first_part_taught():
    model = SequenceClassifier(**SMALL).partial_fit(WORDS[:12], LANGUAGES[:12], classes=["de", "it"])
    names = model.preparation_.vocabularies[0].names
    model.partial_fit(["zzz", "xyz"], ["de", "it"])
    assert model.preparation_.vocabularies[0].names == names
    assert as_sequences(["zzz"]).categories == (("z",),)
