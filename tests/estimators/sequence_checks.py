"""What every estimator of sequences keeps, for 3-D and for ragged input: scikit-learn's checks know tables alone.

A check takes an unfitted estimator that is cheap to fit, and raises AssertionError where the promise is broken.
"""

import pickle
from itertools import pairwise

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from elman import DataError, ParameterError, Sequences
from elman.data import as_sequences

N, T, D = 24, 7, 3


def make_data(estimator, *, ragged):
    """Labelled sequences, a list of N arrays (T_n, D), of which feature 1 tells the class."""
    rng = np.random.default_rng(6)
    lengths = rng.integers(3, 10, N) if ragged else np.full(N, T)
    X, y = [], []
    for n, length in enumerate(lengths):
        x = rng.normal(size=(length, D))
        x[:, 1] += 2 * (n % 2) - 1
        X.append(x)
        y.append(np.where(x[:, 1] > 0, "up", "down") if estimator.every_step else ("down", "up")[n % 2])
    return X, y if estimator.every_step else np.array(y)


def rows(proba):
    """Probabilities of all sequences or steps as one array, however they are given."""
    return np.concatenate(proba) if isinstance(proba, list) else proba.reshape(-1, proba.shape[-1])


def bits(fitted, X):
    return rows(fitted.predict_proba(X))


def of(labels, index):
    return [labels[n] for n in index] if isinstance(labels, list) else labels[index]


def check_padding_is_not_read(estimator):
    X, y = make_data(estimator, ragged=True)
    padded = np.full((N, 15, D), np.nan)
    for n, x in enumerate(X):
        padded[n, : len(x)] = x
    model, other = clone(estimator).fit(X, y), clone(estimator).fit(padded, y)
    assert np.array_equal(bits(model, X), bits(other, X))
    assert np.array_equal(bits(model, X), bits(model, padded))
    assert np.array_equal(bits(model, X), bits(model, padded[:, :9]))


def check_form_does_not_matter(estimator):
    for ragged in (False, True):
        X, y = make_data(estimator, ragged=ragged)
        forms = [X, tuple(X), as_sequences(X), [x.tolist() for x in X]]
        if not ragged:
            forms.append(np.stack(X))
        fitted = [clone(estimator).fit(form, y) for form in forms]
        expected = bits(fitted[0], X)
        assert all(np.array_equal(bits(model, form), expected) for model, form in zip(fitted, forms))


def check_batch_and_order_do_not_matter(estimator):
    X, y = make_data(estimator, ragged=True)
    model = clone(estimator).fit(X, y)
    together = model.predict_proba(X)
    alone = [model.predict_proba([x])[0] for x in X]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone))
    order = np.random.default_rng(0).permutation(N)
    shuffled = model.predict_proba([X[n] for n in order])
    assert all(np.array_equal(together[n], part) for n, part in zip(order, shuffled))


def check_threads_do_not_matter(estimator):
    X, y = make_data(estimator, ragged=True)
    one, two = (clone(estimator).set_params(n_threads=n).fit(X, y) for n in (1, 2))
    assert np.array_equal(bits(one, X), bits(two, X))


def check_dtype_of_input_is_that_of_its_numbers(estimator):
    X, y = make_data(estimator, ragged=True)
    X = [np.round(x * 4) for x in X]
    expected = bits(clone(estimator).fit(X, y), X)
    for dtype in (np.float32, np.int16, np.float16, object):
        other = [x.astype(dtype) for x in X]
        assert np.array_equal(bits(clone(estimator).fit(other, y), other), expected), dtype


def check_layout_in_memory_does_not_matter(estimator):
    X, y = make_data(estimator, ragged=False)
    array = np.stack(X)
    expected = bits(clone(estimator).fit(array, y), array)
    wide = np.zeros((2 * N, T + 3, 2 * D))
    wide[::2, 2 : T + 2, ::2] = array
    for other in (np.asfortranarray(array), array.swapaxes(0, 1).copy().swapaxes(0, 1), wide[::2, 2 : T + 2, ::2]):
        assert not other.flags.c_contiguous
        assert np.array_equal(bits(clone(estimator).fit(other, y), other), expected)
    backwards = [x[::-1].copy()[::-1] for x in X]
    assert np.array_equal(bits(clone(estimator).fit(backwards, y), backwards), expected)


def check_memory_that_cannot_be_written_serves(estimator, folder):
    X, y = make_data(estimator, ragged=True)
    whole = as_sequences(X)
    expected = bits(clone(estimator).fit(X, y), X)
    frozen = [x.copy() for x in X]
    for x in frozen:
        x.flags.writeable = False
    assert np.array_equal(bits(clone(estimator).fit(frozen, y), frozen), expected)
    np.save(folder / "values.npy", whole.values)
    mapped = Sequences(np.load(folder / "values.npy", mmap_mode="r"), whole.offsets)
    assert np.array_equal(bits(clone(estimator).fit(mapped, y), mapped), expected)


def check_input_is_left_as_it_was(estimator):
    X, y = make_data(estimator, ragged=True)
    weights = np.linspace(0, 2, N)
    before = pickle.dumps((X, y, weights))
    clone(estimator).fit(X, y, sample_weight=weights).predict(X)
    assert pickle.dumps((X, y, weights)) == before


def check_parameters_are_left_as_they_were(estimator):
    X, y = make_data(estimator, ragged=True)
    model = clone(estimator)
    before = model.get_params()
    model.fit(X, y)
    assert model.get_params() == before
    copy = clone(model)
    assert copy.get_params() == before
    assert not [name for name in vars(copy) if name.endswith("_")]
    assert set(vars(model)) > set(before)


def check_pickle_and_joblib_bring_back_the_bits(estimator, folder):
    X, y = make_data(estimator, ragged=True)
    model = clone(estimator).fit(X, y)
    joblib.dump(model, folder / "model.joblib")
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(folder / "model.joblib")):
        assert np.array_equal(bits(again, X), bits(model, X))
        assert again.score(X, y) == model.score(X, y)


def check_a_refit_forgets(estimator):
    X, y = make_data(estimator, ragged=True)
    model = clone(estimator).fit([x[:, :1] for x in X[:12]], of(y, np.arange(12)))
    model.fit(X, y)
    fresh = clone(estimator).fit(X, y)
    assert np.array_equal(bits(model, X), bits(fresh, X))
    assert vars(model).keys() == vars(fresh).keys()
    assert model.n_features_in_ == D


def check_probabilities_and_predictions_agree(estimator):
    for ragged in (False, True):
        X, y = make_data(estimator, ragged=ragged)
        X = X if ragged else np.stack(X)
        model = clone(estimator).fit(X, y)
        proba, predicted = model.predict_proba(X), model.predict(X)
        assert np.allclose(rows(proba).sum(axis=1), 1, rtol=0, atol=1e-12)
        flat = np.concatenate(predicted) if estimator.every_step else predicted
        assert np.array_equal(flat, model.classes_[rows(proba).argmax(axis=1)])
        truth = np.concatenate(y) if estimator.every_step else y
        assert model.score(X, y) == pytest.approx(np.mean(flat == truth), abs=1e-12)


def check_a_weight_of_k_is_k_copies(estimator):
    X, y = make_data(estimator, ragged=True)
    weights = np.arange(N) % 4
    index = np.repeat(np.arange(N), weights)
    assert set(weights) == {0, 1, 2, 3}
    whole_batch = {"early_stopping": False, "batch_size": 1000, "dtype": "float64", "max_epochs": 6}
    model = clone(estimator).set_params(**whole_batch)
    weighted = clone(model).fit(X, y, sample_weight=weights)
    repeated = clone(model).fit([X[n] for n in index], of(y, index))
    unweighted = clone(model).fit(X, y)
    assert np.allclose(bits(weighted, X), bits(repeated, X), rtol=0, atol=1e-10)
    assert not np.allclose(bits(weighted, X), bits(unweighted, X), rtol=0, atol=1e-3)
    assert weighted.loss_curve_ == pytest.approx(repeated.loss_curve_, rel=1e-10)
    expected = repeated.score([X[n] for n in index], of(y, index))
    assert weighted.score(X, y, sample_weight=weights) == pytest.approx(expected)


def check_names_of_features_are_kept_and_found(estimator):
    X, y = make_data(estimator, ragged=True)
    flat = as_sequences(X)
    model = clone(estimator).fit(Sequences(flat.values, flat.offsets, ("x", "y", "z")), y)
    assert model.feature_names_in_.tolist() == ["x", "y", "z"]
    turned = Sequences(np.ascontiguousarray(flat.values[:, [2, 0, 1]]), flat.offsets, ("z", "x", "y"))
    assert np.array_equal(bits(model, turned), bits(model, X))
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")


def check_broken_input_gets_a_sentence(estimator):
    X, y = make_data(estimator, ragged=True)
    broken = [x.copy() for x in X]
    broken[5][1, 2] = np.inf
    for data, labels, sentence in [
        (broken, y, r"^X\[5\], step 1, feature 2: expected a finite number, got inf"),
        ([*X[:-1], np.empty((0, D))], y, r"^X\[23\]"),
        ([*X[:-1], X[-1][:, :2]], y, r"^X\[23\]"),
        (X[:-1], y, r"^y must hold .* 23"),
        (X, None, "the target y is None"),
    ]:
        with pytest.raises(DataError, match=sentence):
            clone(estimator).fit(data, labels)
    with pytest.raises(NotFittedError):
        clone(estimator).predict(X)
    model = clone(estimator).fit(X, y)
    for ask in (model.predict, model.predict_proba, lambda X: model.score(X, y)):
        with pytest.raises(DataError, match=r"X has 2 features, but .* is expecting 3 features as input"):
            ask([x[:, :2] for x in X])
    with pytest.raises(ParameterError, match=f"The 'hidden_size' parameter of {type(model).__name__} must be"):
        clone(estimator).set_params(hidden_size=0).fit(X, y)
    with pytest.raises(DataError, match="'sample_weight' must hold at least one weight above zero"):
        clone(estimator).fit(X, y, sample_weight=np.zeros(N))


def check_parts_of_the_data_are_learned_one_after_the_other(estimator):
    X, y = make_data(estimator, ragged=True)
    model = clone(estimator)
    for begin, end in pairwise(range(0, N + 1, 8)):
        model.partial_fit(X[begin:end], of(y, np.arange(begin, end)), classes=["down", "up"])
    assert model.n_iter_ == len(model.loss_curve_) == 3
    again = pickle.loads(pickle.dumps(model))
    for either in (model, again):
        either.partial_fit(X, y)
    assert np.array_equal(bits(model, X), bits(again, X))


def sequence_checks():
    """Every check, by its name."""
    return {name: check for name, check in globals().items() if name.startswith("check_")}
