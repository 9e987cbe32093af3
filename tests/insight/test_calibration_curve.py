"""The calibration curve: known data, ties, few cases, and what chance gives."""

import json

import numpy as np
import pytest

from elman.errors import DataError, ParameterError
from elman.insight.calibration_curve import calibration_curve


def sure_of(confidence, n_classes=3):
    """Probabilities (n, C) whose greatest, of class 0, are these."""
    confidence = np.asarray(confidence)
    rest = (1 - confidence) / (n_classes - 1)
    return np.column_stack([confidence, *[rest] * (n_classes - 1)])


def drawn(n, sharpen, seed=0):
    """Predictions that are right as often as they are sure, then made surer."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.4, 1.0, n)
    codes = np.where(rng.random(n) < confidence, 0, 1)
    return sure_of(confidence ** (1 / sharpen)), codes


def test_known_data_gives_the_curve_computed_by_hand():
    proba = sure_of([0.9] * 20 + [0.6] * 10)
    codes = np.array([0] * 19 + [1] + [0] * 3 + [2] * 7)
    curve = calibration_curve(proba, codes, n_bins=2)
    assert curve.confidence == pytest.approx([0.6, 0.9])
    assert curve.accuracy == pytest.approx([0.3, 0.95])
    assert curve.counts.tolist() == [10, 20]
    assert curve.ece == pytest.approx((10 * 0.3 + 20 * 0.05) / 30)
    assert (curve.low < curve.accuracy).all()
    assert (curve.accuracy < curve.high).all()
    assert json.loads(json.dumps(curve.to_dict()))["n"] == curve.n == 30


def test_bins_hold_about_as_many_cases_each():
    curve = calibration_curve(*drawn(1003, 1.0))
    assert len(curve.counts) == 10
    assert set(curve.counts.tolist()) == {100, 101}
    assert (np.diff(curve.confidence) > 0).all()


def test_equal_confidences_stay_in_one_bin_whatever_their_order():
    proba, codes = sure_of([0.5] * 95 + [0.8] * 5), np.array([0, 1] * 50)
    curve = calibration_curve(proba, codes)
    assert curve.counts.tolist() == [95, 5]
    assert calibration_curve(sure_of([0.4] * 8 + [0.5] * 7 + [1.0] * 85), codes).counts.tolist() == [8, 7, 85]
    order = np.random.default_rng(0).permutation(100)
    again = calibration_curve(proba[order], codes[order])
    assert again.to_dict() == curve.to_dict()


def test_few_cases_are_cut_into_fewer_bins():
    assert [len(calibration_curve(*drawn(n, 1.0)).counts) for n in (1, 9, 25, 99, 100)] == [1, 1, 2, 9, 10]


def test_a_model_as_sure_as_it_is_right_is_within_chance_and_a_sharpened_one_is_not():
    good, sharp = calibration_curve(*drawn(2000, 1.0)), calibration_curve(*drawn(2000, 3.0))
    assert good.ece < good.ece_of_chance < 0.06
    assert sharp.ece > 2 * sharp.ece_of_chance


def test_a_calibrated_model_stays_below_what_chance_gives_as_often_as_it_says():
    curves = [calibration_curve(*drawn(100, 1.0, seed)) for seed in range(100)]
    assert 0.91 <= np.mean([curve.ece <= curve.ece_of_chance for curve in curves]) <= 0.99


def test_what_chance_gives_is_the_quantile_computed_by_hand():
    """Of 20 tosses of a coin 6 to 14 are heads in 95.9 % of cases: the error is at most 4 / 20."""
    curve = calibration_curve(sure_of([0.5] * 20), np.zeros(20, dtype=int), n_bins=1)
    assert curve.ece_of_chance == pytest.approx(4 / 20)


def test_cases_of_a_bin_are_each_right_as_often_as_they_are_sure():
    """Nine are sure, ten are coins: only these vary, and 2 to 8 heads of 10 are 97.9 % of cases."""
    curve = calibration_curve(sure_of([0.5001] * 10 + [0.9999] * 9), np.zeros(19, dtype=int), n_bins=1)
    assert curve.ece_of_chance == pytest.approx(3 / 19, abs=1e-3)


def test_many_cases_are_drawn_in_groups_of_neighbours():
    """Half of 4,000 are sure and half are coins, all in one bin: the error's deviation is that of 2,000 coins."""
    sure = np.repeat([0.5001, 0.9999], 2000)
    curve = calibration_curve(sure_of(sure), np.zeros(4000, dtype=int), n_bins=1)
    assert curve.ece_of_chance == pytest.approx(1.96 * np.sqrt(2000 / 4) / 4000, rel=0.05)


def test_what_is_not_labelled_is_left_out():
    proba, codes = drawn(200, 1.0)
    codes[::4] = -1
    assert (
        calibration_curve(proba, codes).to_dict() == calibration_curve(proba[codes >= 0], codes[codes >= 0]).to_dict()
    )


def test_no_label_and_no_bins_are_refused():
    with pytest.raises(
        DataError, match=r"^'codes' of calibration_curve must hold at least one label\. Got 2 without\.$"
    ):
        calibration_curve(sure_of([0.5, 0.6]), np.array([-1, -1]))
    with pytest.raises(
        ParameterError, match=r"^The 'n_bins' parameter of calibration_curve must be .* Got 0 instead\.$"
    ):
        calibration_curve(sure_of([0.5]), np.array([0]), n_bins=0)
