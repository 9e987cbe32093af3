"""Intervals of shares, of F1 and of paired differences: known values, and how often they hold the truth."""

import numpy as np
import pytest
from scipy.stats import binomtest

from elman.errors import ParameterError
from elman.estimators.evaluation import measure
from elman.insight.intervals import f1_interval, paired_interval, per_class, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (8, 10), (10, 10), (81, 263), (15, 148), (1, 29), (0, 1)])
def test_wilson_gives_the_values_of_scipy(k, n):
    low, high = wilson(k, n)
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_gives_the_published_values():
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3."""
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low.round(4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert high.round(4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


def test_of_nothing_nothing_is_known():
    assert [float(bound) for bound in wilson(0, 0)] == [0.0, 1.0]


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (float("nan"), 2)])
def test_a_count_beyond_all_is_refused(k, n):
    with pytest.raises(ParameterError, match=r"^The 'k' parameter of wilson must be a count from 0 to n, 2\. Got "):
        wilson(k, n)


@pytest.mark.parametrize(("n", "share"), [(12, 0.9), (30, 0.5), (40, 0.97), (400, 0.98)])
def test_wilson_holds_the_share_as_often_as_it_says(n, share):
    low, high = wilson(np.random.default_rng(0).binomial(n, share, 20_000), n)
    assert 0.925 < np.mean((low <= share) & (share <= high)) < 0.975


@pytest.mark.parametrize("n", [30, 200])
def test_the_interval_of_f1_holds_it_as_often_as_it_says(n):
    chances = np.array([0.2, 0.05, 0.08, 0.67])  # found, said wrongly, missed, neither
    f1 = 2 * 0.2 / (2 * 0.2 + 0.05 + 0.08)
    found, wrongly, missed, _ = np.random.default_rng(0).multinomial(n, chances, 20_000).T
    low, high = f1_interval(found, wrongly + missed)
    assert 0.93 < np.mean((low <= f1) & (f1 <= high)) < 0.97


@pytest.mark.parametrize(("n", "gain", "loss"), [(20, 0.1, 0.1), (50, 0.1, 0.02), (300, 0.03, 0.01)])
def test_the_paired_interval_holds_the_difference_as_often_as_it_says(n, gain, loss):
    drawn = np.random.default_rng(0).multinomial(n, [gain, loss, 1 - gain - loss], 4_000)
    bounds = np.array([paired_interval(int(a), int(b), n) for a, b, _ in drawn])
    assert 0.93 < np.mean((bounds[:, 0] <= gain - loss) & (gain - loss <= bounds[:, 1])) < 0.995


def test_the_paired_interval_is_that_computed_by_hand():
    low, high = paired_interval(12, 3, 98)  # 13 and 4 of 100: 0.09, variance (0.17 - 0.0081) / 100
    assert (low, high) == pytest.approx((0.09 - 1.959964 * 0.0402368, 0.09 + 1.959964 * 0.0402368), abs=1e-6)


def test_cases_that_tell_nothing_apart_leave_an_interval_that_narrows_with_their_number():
    few, many = paired_interval(0, 0, 20), paired_interval(0, 0, 2000)
    assert few == pytest.approx((-few[1], few[1]))
    assert 0.1 < few[1] < 0.15
    assert 0 < many[1] < 0.002


@pytest.fixture
def evaluation():
    codes = np.array([0] * 10 + [1] * 5 + [2] * 0 + [3] * 2)
    said = np.array([0] * 8 + [1] * 2 + [1] * 4 + [0] + [1] * 2)
    return measure(codes, np.eye(4)[said], {}, np.array(["a", "b", "c", "d"]))


def test_precision_recall_and_f1_of_each_class_are_those_computed_by_hand(evaluation):
    a, b, c, d = per_class(evaluation)
    assert (a["class"], a["n"], a["n_predicted"]) == ("a", 10, 9)
    assert (a["precision"], a["recall"], a["f1"]) == pytest.approx((8 / 9, 8 / 10, 16 / 19))
    assert (b["precision"], b["recall"], b["f1"]) == pytest.approx((4 / 8, 4 / 5, 8 / 13))
    assert a["recall_interval"] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert (c["n"], c["precision"], c["recall"], c["f1"]) == (0, None, None, None)
    assert (d["precision"], d["recall"], d["f1"]) == (None, 0.0, 0.0)
    assert c["f1_interval"] == d["precision_interval"] == [0.0, 1.0]


def test_every_figure_of_a_class_lies_within_its_interval(evaluation):
    for row in per_class(evaluation):
        for figure in ("precision", "recall", "f1"):
            low, high = row[f"{figure}_interval"]
            assert 0 <= low < high <= 1
            assert row[figure] is None or low <= row[figure] <= high
