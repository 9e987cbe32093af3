"""Calibration: the temperature that makes probabilities as sure as they are right."""

import numpy as np
import pytest
from sklearn.base import clone

import elman
from elman import ParameterError, SequenceClassifier
from elman.estimators.calibration import at_temperature, fit_temperature
from elman.estimators.evaluation import evaluate

MODEL = SequenceClassifier(hidden_size=16, max_epochs=25, learning_rate=0.02, random_state=0, n_iter_no_change=25)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(n, n_classes, seed, factor=1.0):
    """Probabilities p, labels drawn from them, and what p becomes where its logits are scaled by a factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, size=(n, n_classes))
    codes = np.array([rng.choice(n_classes, p=p) for p in softmax(logits)])
    return softmax(logits * factor), codes


def log_loss(proba, codes, weights=None):
    return np.average(-np.log(proba[np.arange(len(codes)), codes]), weights=weights)


def expected_calibration_error(proba, codes, n_bins=10):
    """Mean distance of confidence and accuracy over bins of confidence (Guo et al. 2017)."""
    sure, right = proba.max(axis=1), proba.argmax(axis=1) == codes
    bins = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    return sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_the_factor_that_logits_were_scaled_by_is_found(factor):
    proba, codes = drawn(20_000, 5, seed=1, factor=factor)
    assert fit_temperature(proba, codes) == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_temperature_is_that_of_the_least_log_loss_of_all(weighted):
    proba, codes = drawn(300, 3, seed=2, factor=2.5)
    weights = np.random.default_rng(3).integers(0, 4, 300).astype(float) if weighted else None
    grid = np.exp(np.linspace(np.log(0.5), np.log(10), 2001))
    losses = [log_loss(at_temperature(proba, T), codes, weights) for T in grid]
    found = fit_temperature(proba, codes, weights)
    assert found == pytest.approx(grid[np.argmin(losses)], rel=2e-3)
    assert log_loss(at_temperature(proba, found), codes, weights) <= min(losses)
    if weighted:
        copies = np.repeat(np.arange(300), weights.astype(int))
        assert fit_temperature(proba[copies], codes[copies]) == pytest.approx(found, rel=1e-9)


def test_what_has_no_label_does_not_count():
    proba, codes = drawn(200, 4, seed=4, factor=2.0)
    marked = np.where(np.arange(200) < 150, codes, -1)
    assert fit_temperature(proba, marked) == fit_temperature(proba[:150], codes[:150])


def test_a_temperature_is_the_logits_divided():
    logits = np.random.default_rng(5).normal(0, 5, size=(50, 4))
    assert np.allclose(at_temperature(softmax(logits), 3.7), softmax(logits / 3.7), rtol=1e-12)
    assert at_temperature(softmax(logits), 1.0).tobytes() == softmax(logits).tobytes()


@pytest.mark.parametrize("temperature", [0.01, 0.5, 3.0, 100.0])
def test_the_most_probable_class_stays_the_most_probable(temperature):
    rng = np.random.default_rng(6)
    near = np.full((500, 3), 1 / 3) + rng.integers(-3, 4, (500, 3)) * 2.0**-54  # apart by a rounding or less
    tiny = np.array([[0.0, 1.0, 0.0], [1e-300, 1 - 1e-16, 1e-320], [0.5, 0.5, 0.0]])
    for proba in (near, tiny, rng.dirichlet([0.05] * 3, 500)):
        scaled = at_temperature(proba, temperature)
        assert np.array_equal(scaled.argmax(axis=1), proba.argmax(axis=1))
        assert np.isfinite(scaled).all()
        assert np.allclose(scaled.sum(axis=1), 1, atol=1e-15)


def test_where_no_label_is_missed_there_is_nothing_to_learn():
    assert fit_temperature(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 1])) is None
    assert fit_temperature(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0])) is not None


def test_the_temperature_stays_within_its_bounds():
    always_wrong = np.array([[0.9, 0.1]] * 4), np.array([1] * 4)
    assert fit_temperature(*always_wrong) == pytest.approx(100)


@pytest.fixture(scope="module")
def noisy():
    """Walks up or down, of which a quarter is labelled at random: whoever learns them by heart is too sure."""
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, 500)
    X = [np.cumsum(rng.normal(0.3 if label else -0.3, 1, rng.integers(5, 12))) for label in y]
    return X, np.where(rng.random(500) < 0.25, rng.integers(0, 2, 500), y)


def test_an_overconfident_model_becomes_as_sure_as_it_is_right(noisy):
    X, y = noisy
    validation = (X[120:260], y[120:260])
    # All epochs are kept to the last one, which knows its 120 sequences by heart.
    settings = {"early_stopping": False, "max_epochs": 60, "n_members": 2}
    raw = clone(MODEL).set_params(**settings).fit(X[:120], y[:120])
    proba = raw.predict_proba(X[260:])
    temperature = fit_temperature(raw.predict_proba(validation[0]), validation[1])
    calibrated = at_temperature(proba, temperature)
    assert temperature > 1.5
    assert log_loss(calibrated, y[260:]) < log_loss(proba, y[260:]) - 0.05
    assert expected_calibration_error(calibrated, y[260:]) < 0.7 * expected_calibration_error(proba, y[260:])


def test_an_estimator_fits_its_temperature_on_the_validation_part_and_keeps_it(noisy, tmp_path):
    X, y = noisy
    validation, fresh = (X[300:], y[300:]), X[200:300]
    model = clone(MODEL).set_params(calibrate=True, max_epochs=5).fit(X[:200], y[:200], validation=validation)
    raw = clone(MODEL).set_params(max_epochs=5).fit(X[:200], y[:200], validation=validation)
    assert raw.temperature_ == 1
    assert model.temperature_ == fit_temperature(raw.predict_proba(validation[0]), validation[1])
    assert np.array_equal(model.predict_proba(fresh), at_temperature(raw.predict_proba(fresh), model.temperature_))
    assert np.array_equal(model.predict(fresh), raw.predict(fresh))
    assert model.training_["validation"]["log_loss"] < raw.training_["validation"]["log_loss"]
    assert model.training_["validation"]["log_loss"] == pytest.approx(evaluate(model, *validation).log_loss)
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert loaded.temperature_ == model.temperature_
    assert np.array_equal(loaded.predict_proba(fresh), model.predict_proba(fresh))
    model.set_params(calibrate=False, warm_start=True, max_epochs=1).fit(X[:200], y[:200], validation=validation)
    assert model.temperature_ == 1


def test_a_validation_part_without_mistakes_warns_and_changes_nothing(ragged):
    y = ragged[1]
    model = clone(MODEL).set_params(calibrate=True)
    easy = [
        np.full((4, 2), 9.0 if label == "rises" else -9.0) + np.arange(8).reshape(4, 2) * 0.1 * n
        for n, label in enumerate(y)
    ]
    kept = np.flatnonzero(y != "stays")
    with pytest.warns(UserWarning, match=r"stay as they are: with all 6 labels of the validation part predicted right"):
        model.fit([easy[n] for n in kept], y[kept])
    assert model.temperature_ == 1


def test_without_a_validation_part_there_is_nothing_to_calibrate_on(ragged):
    model = clone(MODEL).set_params(calibrate=True)
    with pytest.raises(ParameterError, match=r"'calibrate' .* must be False where nothing is set aside .* Got True"):
        model.set_params(early_stopping=False).fit(*ragged)
    with pytest.raises(ParameterError, match=r"'calibrate' .* must be False for partial_fit"):
        model.partial_fit(*ragged, classes=np.unique(ragged[1]))
