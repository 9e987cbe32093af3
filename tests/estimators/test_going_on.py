"""A warm start: what must be as it was, which sequences stay set aside, and what is told of it."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier

from elman import ParameterError, SequenceClassifier, load
from elman.estimators import fitting
from elman.estimators.going_on import SplitSource

SMALL = SequenceClassifier(hidden_size=4, max_epochs=2, warm_start=True)


@pytest.fixture
def held_out(monkeypatch):
    """The lengths and first values of what each fit sets aside."""
    seen = []

    def split(*arguments, **keywords):
        parts = original(*arguments, **keywords)
        seen.append([sequence.tolist() for sequence in parts[1].sequences])
        return parts

    original = fitting.split
    monkeypatch.setattr(fitting, "split", split)
    return seen


@pytest.mark.parametrize("random_state", [None, 3, np.random.RandomState(0), np.random.default_rng(0)])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_warm_start_sets_the_same_sequences_aside(ragged, held_out, random_state, grouped):
    groups = np.arange(45) // 3 % 5 if grouped else None
    model = clone(SMALL).set_params(random_state=random_state, max_epochs=1)
    for _ in range(3):
        model.fit(*ragged, groups=groups)
    assert held_out[0] == held_out[1] == held_out[2]
    model.set_params(warm_start=False).fit(*ragged, groups=groups)
    if random_state == 3:
        assert held_out[3] == held_out[0]
    elif not grouped:  # of five groups another draw may well be the same
        assert held_out[3] != held_out[0]


@pytest.mark.parametrize("change", ["data", "groups", "fraction", "all was trained on", "loaded"])
def test_a_warm_start_with_another_validation_part_warns(ragged, change, tmp_path):
    X, y = ragged
    model = clone(SMALL).set_params(random_state=0, max_epochs=1).fit(X, y)
    groups = None
    if change == "data":
        X, y = X[:-1], y[:-1]
    elif change == "groups":
        groups = np.arange(45) // 3 % 5
    elif change == "fraction":
        model.set_params(validation_fraction=0.3)
    elif change == "loaded":
        model.save(tmp_path / "model")
        model = load(tmp_path / "model")
    else:
        model.set_params(early_stopping=False).fit(X, y).set_params(early_stopping=True)
    with pytest.warns(UserWarning, match=r"validation part of this warm start may hold .* trained on before") as told:
        model.fit(X, y, groups=groups)
    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, groups=groups)
        model.fit(X[:9], y[:9], validation=(X[9:], y[9:]))


def test_the_source_of_a_split_gives_the_same_numbers_with_every_call():
    source = SplitSource("digest", np.random.default_rng(0))
    assert source.generator().random() == source.generator().random()


@pytest.mark.parametrize(
    ("name", "before", "value", "was"),
    [
        ("text", "characters", "words", "'characters'"),
        ("layout", "steps-first", "channels-first", "'steps-first'"),
        ("missing", "error", "indicator", "'error'"),
        ("categorical_features", None, [1], "None"),
        ("embedding_size", None, 3, "None"),
        ("standardise", True, False, "True"),
    ],
)
def test_what_becomes_of_the_features_stays_as_it_was(ragged, name, before, value, was):
    X, y = ragged
    model = clone(SMALL).set_params(random_state=0, early_stopping=False, max_epochs=1, **{name: before}).fit(X, y)
    sentence = (
        rf"^The '{name}' parameter of SequenceClassifier must stay as it was .*, {was}\. Got .* instead; fit with"
    )
    model.set_params(**{name: value})
    with pytest.raises(ParameterError, match=sentence):
        model.fit(X, y)
    with pytest.raises(ParameterError, match=sentence):
        model.partial_fit(X, y)
    model.set_params(**{name: before}).fit(X, y)


def test_another_network_is_refused_with_what_differs_alone(ragged):
    model = clone(SMALL).set_params(random_state=0, early_stopping=False, max_epochs=1).fit(*ragged)
    with pytest.raises(ParameterError) as raised:
        model.set_params(hidden_size=8, dtype="float64").fit(*ragged)
    assert str(raised.value) == (
        "The network that is trained on must keep its architecture. Got another: hidden_size was 4, is 8; "
        "dtype was 'float32', is 'float64'. Fit with warm_start=False."
    )


def test_curves_go_on_and_n_iter_is_of_the_last_fit_as_in_scikit_learn(ragged, tmp_path):
    X, y = ragged
    model = clone(SMALL).set_params(random_state=0, early_stopping=False).fit(X, y)
    first = model.history_
    model.set_params(max_epochs=3).fit(X, y)
    theirs = MLPClassifier(hidden_layer_sizes=(2,), max_iter=2, warm_start=True, solver="sgd", n_iter_no_change=99)
    table = np.array([x[:5, 0] for x in X])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(table, y).set_params(max_iter=3).fit(table, y)
    assert (model.n_iter_, len(model.loss_curve_)) == (theirs.n_iter_, len(theirs.loss_curve_)) == (3, 5)
    assert model.history_[:2] == first
    assert [record["epoch"] for record in model.history_] == [1, 2, 3, 4, 5]
    assert (model.training_["epochs"], model.training_["best_epoch"]) == (3, 5)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again.n_iter_, again.loss_curve_) == (3, model.loss_curve_)
    model.set_params(warm_start=False).fit(X, y)
    assert len(model.loss_curve_) == 3
