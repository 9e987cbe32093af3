"""Models compared in pairs: the figures, what is told from chance, and what would be lost without the pairs."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from elman import SequenceClassifier, SequenceTagger
from elman.errors import DataError, ParameterError
from elman.estimators.evaluation import evaluate, measure
from elman.insight.comparison import Judged, compare, side_by_side
from elman.insight.comparison_in_words import cautions, differences_in_words
from elman.insight.intervals import paired_interval, wilson
from elman.insight.paired import PairedLabels, holm, mcnemar
from elman.insight.resampling import bootstrap_interval, interval_by_sequence, swap_test

CLASSES = np.array(["a", "b", "c"])


def judged(name, right, codes, offsets=None, sure=0.7):
    """A model that gives the true class of each label ``sure`` where ``right``, else the next class."""
    said = np.where(right, codes, (codes + 1) % 3)
    proba = np.full((len(codes), 3), (1 - sure) / 2)
    proba[np.arange(len(codes)), said] = sure
    offsets = np.arange(len(codes) + 1) if offsets is None else offsets
    every_step = len(offsets) - 1 < len(codes)
    return Judged(name, measure(codes, proba, {}, CLASSES), codes, proba, offsets, every_step, {})


def counted(both, only_first, only_second, neither):
    """Whether two models are right on labels of which so many are right by which."""
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    return first, np.repeat([True, False, True, False], [both, only_first, only_second, neither])


@pytest.fixture
def pair():
    first, second = counted(70, 3, 12, 15)
    codes = np.arange(100) % 3
    return side_by_side([judged("first", first, codes), judged("second", second, codes)])


def test_mcnemar_is_the_coin_computed_by_hand():
    assert mcnemar(12, 3) == pytest.approx(2 * (1 + 15 + 105 + 455) / 2**15)
    assert mcnemar(3, 12) == mcnemar(12, 3)
    assert mcnemar(0, 0) == mcnemar(4, 4) == 1.0


def test_a_paired_difference_is_that_computed_by_hand(pair):
    [difference] = pair.differences
    assert (difference.name, difference.reference) == ("second", "first")
    assert (difference.only_this, difference.only_reference) == (12, 3)
    assert difference.accuracy == pytest.approx(0.09)
    assert difference.log_loss == pytest.approx(0.09 * np.log(0.15 / 0.7))
    assert difference.alike == pytest.approx(0.85)
    assert difference.p_value == difference.p_corrected == mcnemar(12, 3)
    half = 1.959964 * np.sqrt((17 / 102 - (9 / 102) ** 2) / 102)
    assert difference.accuracy_interval == pytest.approx((9 / 102 - half, 9 / 102 + half))
    low, high = difference.log_loss_interval
    assert low < difference.log_loss < high < 0


def test_figures_are_those_of_evaluate(seen, unseen, trained):
    other = SequenceClassifier(cell="lstm", hidden_size=3, max_epochs=3, random_state=1).fit(*seen)
    comparison = compare({"gru": trained, "lstm": other}, *unseen)
    for model, evaluation in zip((trained, other), comparison.evaluations):
        assert evaluation.to_dict() == evaluate(model, *unseen).to_dict()
    [difference] = comparison.differences
    a, b = comparison.evaluations
    assert difference.accuracy == pytest.approx(b.accuracy - a.accuracy)
    assert difference.log_loss == pytest.approx(b.log_loss - a.log_loss)
    assert comparison.truth[1] == pytest.approx(other.predict_proba(unseen[0])[np.arange(22), comparison.codes])


def test_a_model_does_not_differ_from_itself(trained, unseen):
    [difference] = compare({"a": trained, "b": trained}, *unseen).differences
    assert (difference.accuracy, difference.log_loss, difference.alike) == (0.0, 0.0, 1.0)
    assert (difference.p_value, difference.p_corrected) == (1.0, 1.0)
    assert difference.log_loss_interval == (0.0, 0.0)
    low, high = difference.accuracy_interval
    assert -0.2 < low < 0 < high < 0.2


def test_the_same_comparison_has_the_same_bits(pair):
    first, second = counted(70, 3, 12, 15)
    codes = np.arange(100) % 3
    again = side_by_side([judged("first", first, codes), judged("second", second, codes)])
    assert json.dumps(again.to_dict()) == json.dumps(pair.to_dict())


def test_pairs_tell_what_the_accuracies_alone_do_not():
    """9 of 200 sequences part two models, all to one side: in pairs that is no accident, in the shares it may be."""
    first, second = counted(150, 0, 9, 41)
    codes = np.arange(200) % 3
    paired = side_by_side([judged("first", first, codes), judged("second", second, codes)])
    assert paired.differences[0].p_value == pytest.approx(2 / 2**9)
    order = np.random.default_rng(0).permutation(200)  # the fault: pairs torn apart, accuracies the same
    torn = side_by_side([judged("first", first, codes), judged("second", second[order], codes)])
    assert torn.differences[0].accuracy == paired.differences[0].accuracy
    assert torn.differences[0].p_value > 0.1
    widths = [np.ptp(found.differences[0].accuracy_interval) for found in (paired, torn)]
    assert widths[1] > 2 * widths[0]
    losses = [np.ptp(found.differences[0].log_loss_interval) for found in (paired, torn)]
    assert losses[1] > 2 * losses[0]


def test_steps_of_a_sequence_count_as_one_witness():
    """One model is right on every step of 4 sequences more, of 25 steps each: 100 steps, yet 4 witnesses."""
    codes = np.arange(1000) % 3
    offsets = np.arange(0, 1001, 25)
    better = np.repeat(np.arange(40) < 4, 25)
    comparison = side_by_side([judged("a", better & False, codes, offsets), judged("b", better, codes, offsets)])
    [difference] = comparison.differences
    assert (difference.only_this, comparison.n_sequences, comparison.test) == (100, 40, "swapping whole sequences")
    assert difference.p_value == pytest.approx(2 / 2**4, abs=0.01)
    assert mcnemar(100, 0) < 1e-20  # the fault: steps taken for independent
    low, high = difference.accuracy_interval
    assert low < 0.06
    assert high > 0.17


def test_with_one_label_each_swapping_sequences_is_mcnemar():
    differences = np.repeat([1, -1, 0], [14, 5, 200])
    assert swap_test(differences) == pytest.approx(mcnemar(14, 5), abs=0.01)


def test_swapping_agrees_with_scipy():
    differences = np.random.default_rng(0).integers(-3, 5, 60)
    expected = stats.permutation_test(
        (differences,),
        lambda x, axis: x.sum(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9_999,
        rng=1,
    )
    assert swap_test(differences) == pytest.approx(expected.pvalue, abs=0.015)
    assert swap_test(differences) == swap_test(differences)


def test_the_bootstrap_agrees_with_scipy():
    totals = np.random.default_rng(0).lognormal(sigma=1.5, size=60)
    found = bootstrap_interval(totals, np.ones(60, dtype=np.int64))
    expected = stats.bootstrap((totals,), np.mean, n_resamples=9_999, method="BCa", rng=1).confidence_interval
    assert found == pytest.approx(tuple(expected), rel=0.03)
    uncorrected = stats.bootstrap((totals,), np.mean, n_resamples=9_999, method="percentile", rng=1).confidence_interval
    assert found != pytest.approx(tuple(uncorrected), rel=0.03)


@pytest.mark.parametrize("n", [3, 5, 10, 14, 40])
def test_the_interval_over_clusters_holds_the_share_as_often_as_it_says(n):
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        counts = rng.integers(5, 30, n)
        low, high = interval_by_sequence(rng.binomial(counts, rng.beta(6, 2, n)).astype(float), counts)
        held += low <= 0.75 <= high
    assert 0.9 <= held / 200 <= 0.99


def test_of_few_sequences_the_interval_is_students():
    totals = np.array([3.0, 5.0, 4.0, 9.0])
    mean = stats.ttest_1samp(totals / 10, 0).confidence_interval(0.95)
    assert interval_by_sequence(totals, np.full(4, 10)) == pytest.approx((mean.low, mean.high))


def test_from_fifteen_sequences_on_the_interval_is_the_bootstraps():
    totals, counts = np.arange(15.0) ** 2, np.full(15, 20)
    assert interval_by_sequence(totals, counts) == bootstrap_interval(totals, counts)
    assert interval_by_sequence(totals[:14], counts[:14]) != bootstrap_interval(totals[:14], counts[:14])


def test_draws_that_equal_the_value_count_half():
    """Of 20 right and 20 wrong the interval lies around a half, which every eighth draw equals."""
    low, high = bootstrap_interval(np.repeat([0.0, 1.0], 20), np.ones(40, dtype=np.int64))
    assert (low, high) == (pytest.approx(0.35), pytest.approx(0.65))


def of_sequences(right_of_each, n_steps=20):
    """Two taggers: one right nowhere, the other on so many of the steps of each sequence."""
    codes = np.tile(np.arange(n_steps) % 3, len(right_of_each))
    offsets = np.arange(0, len(codes) + 1, n_steps)
    right = np.concatenate([np.arange(n_steps) < n for n in right_of_each])
    return side_by_side([judged("a", right & False, codes, offsets), judged("b", right, codes, offsets)])


def test_one_sequence_of_many_steps_tells_nothing_of_others():
    comparison = of_sequences([5])
    [difference] = comparison.differences
    assert difference.accuracy_interval == (-1.0, 1.0)
    assert comparison.accuracy_intervals.tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert difference.p_value == 1.0
    assert json.loads(json.dumps(comparison.to_dict()))["differences"][0]["log_loss_interval"] == [None, None]
    [paragraph] = differences_in_words(comparison)
    assert "25.0 points in favour of b on this one sequence, without an interval or a test. The log" in paragraph
    assert "95 %" not in paragraph
    assert cautions(comparison)[0] == "One sequence tells nothing of others."


def test_where_sequences_do_not_differ_each_counts_as_one_case():
    [difference] = of_sequences([20] * 5).differences
    assert difference.accuracy_interval == paired_interval(5, 0, 5)
    comparison = of_sequences([5] * 8)
    assert comparison.differences[0].accuracy_interval == paired_interval(2, 0, 8)
    assert comparison.accuracy_intervals[0].tolist() == [float(bound) for bound in wilson(0, 8)]
    assert comparison.accuracy_intervals[1].tolist() == [float(bound) for bound in wilson(2, 8)]


def test_losses_without_spread_have_no_width():
    assert bootstrap_interval(np.full(5, 0.1), np.ones(5, dtype=np.int64)) == (pytest.approx(0.1), pytest.approx(0.1))


def test_several_comparisons_are_corrected_by_holm():
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    codes = np.arange(100) % 3
    first, second = counted(70, 3, 12, 15)
    found = side_by_side([judged("x", first, codes), judged("y", second, codes), judged("z", first, codes)])
    assert found.differences[0].p_corrected == pytest.approx(2 * found.differences[0].p_value)
    assert found.differences[1].p_corrected == 1.0


def test_steps_and_sequences_without_a_label_are_left_out():
    codes = np.array([0, -1, 1, -1, -1, 2])
    proba = np.eye(3)[[0, 0, 2, 1, 1, 2]] * 0.7 + 0.1
    labels = PairedLabels.of(codes, [proba, proba], np.array([0, 3, 5, 6]))
    assert labels.sequences.tolist() == [0, 2]
    assert labels.counts.tolist() == [2, 1]
    assert labels.right.tolist() == [[True, False, True]] * 2
    assert labels.by_sequence(labels.truth)[0] == pytest.approx([0.9, 0.8])


def test_taggers_are_compared_step_by_step_and_told_from_chance_by_sequence():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=rng.integers(4, 9)) for _ in range(30)]
    y = [np.where(x > 0, "up", "down") for x in X]
    short, long = (SequenceTagger(hidden_size=3, max_epochs=n, random_state=0).fit(X, y) for n in (1, 15))
    comparison = compare({"short": short, "long": long}, X, y, ids=[f"walk {n}" for n in range(30)])
    [difference] = comparison.differences
    assert difference.accuracy == pytest.approx(long.score(X, y) - short.score(X, y))
    assert comparison.evaluations[0].n == sum(map(len, X))
    assert comparison.ids[3] == "walk 3"
    low, high = comparison.accuracy_intervals[1]
    assert low < long.score(X, y) < high
    assert "steps of a sequence are not independent" in " ".join(cautions(comparison))
    assert "predicted" not in comparison.to_dict()["most_different"][0]


def test_baselines_stand_beside_the_models_as_rivals(trained, unseen):
    comparison = compare({"gru": trained}, *unseen, baselines=True)
    assert comparison.names == ("gru", "logistic regression", "most frequent class")
    own = comparison.evaluations[0].baselines
    assert comparison.evaluations[1].accuracy == own["summary_statistics"]["accuracy"]
    assert comparison.evaluations[2].log_loss == own["majority"]["log_loss"]
    assert comparison.n_models == 1


def test_the_sequences_that_differ_most_come_first(pair):
    chosen = pair.most_different(20)
    assert sorted(chosen.tolist()) == list(range(70, 85))
    rows = pair.to_dict()["most_different"]
    assert rows[0] == {
        "id": "70",
        "label": "b",
        "proba_of_truth": pytest.approx([0.7, 0.15]),
        "predicted": ["b", "c"],
    }


def test_words_give_the_numbers_behind_them(pair):
    [paragraph] = differences_in_words(pair, ["A", "B"])
    assert paragraph.startswith(
        "B is right on 12 sequences where A is wrong, A on 3 where B is wrong: 9.0 points in favour of B (95 % "
        "interval 1.1 to 16.6). p = 0.035 (McNemar's exact test): two equally good models would differ this much in "
        "3.5 % of such files. At the usual 5 % that is beyond chance. The log loss of B is 0.1386 lower (95 % "
    )
    assert paragraph.endswith("They predict the same for 85.0 % of sequences.")


def test_words_say_it_where_nothing_differs(trained, unseen):
    comparison = compare({"a": trained, "b": trained, "c": trained}, *unseen)
    paragraph = differences_in_words(comparison)[1]
    assert paragraph.startswith("c and a are right on the same sequences, with a 95 % interval of -")
    assert "Their log losses are the same. They predict the same for 100.0 % of sequences." in paragraph
    assert cautions(comparison)[0] == "22 sequences can tell little: only a great difference would show."


def test_p_is_said_however_small_or_large_it_is():
    codes = np.arange(100) % 3
    first, second = counted(50, 0, 30, 20)
    [far] = differences_in_words(side_by_side([judged("a", first, codes), judged("b", second, codes)]))
    assert (
        "p < 0.0001 (McNemar's exact test): two equally good models would differ this much in fewer than 1 of 10,000 "
        "such files. At the usual 5 % that is beyond chance."
    ) in far
    first, second = counted(60, 6, 10, 24)
    near = differences_in_words(side_by_side([judged("a", first, codes), *[judged("b", second, codes)] * 2]))[0]
    assert (
        "p = 0.45 (McNemar's exact test): two equally good models would differ this much in 45.4 % of such files; by "
        "Holm's correction for 2 comparisons p = 0.91. At the usual 5 % chance is explanation enough."
    ) in near
    [same] = differences_in_words(side_by_side([judged("a", first, codes), judged("b", first, codes)]))
    assert "points, p = 1 (McNemar's exact test). Their log losses are the same." in same


def test_the_interval_is_in_favour_of_the_better_one_as_well(pair):
    codes = np.arange(100) % 3
    first, second = counted(70, 3, 12, 15)
    swapped = side_by_side([judged("a", second, codes), judged("b", first, codes)])
    assert "9.0 points in favour of a (95 % interval 1.1 to 16.6)" in differences_in_words(swapped)[0]


def test_models_that_cannot_be_compared_are_named_with_what_differs(trained, seen, unseen):
    with pytest.raises(ParameterError, match=r"^The 'estimators' parameter of compare must be a dict of two .* Got 1 "):
        compare({"a": trained}, *unseen)
    codes = np.arange(9) % 3
    a = judged("a", codes >= 0, codes)
    steps = dataclasses.replace(a, name="b", every_step=True)
    with pytest.raises(ParameterError, match=r"must label the same: b labels each step, a each sequence\."):
        side_by_side([a, steps])
    classes = dataclasses.replace(a.evaluation, classes=np.array(["a", "b", "d"]))
    with pytest.raises(ParameterError, match=r"the same classes: a and b do not both know 'd', 'c'\. Train them on"):
        side_by_side([a, dataclasses.replace(a, name="b", evaluation=classes)])
    with pytest.raises(ParameterError, match=r"on the same labels: those that b was given differ from those of a\."):
        side_by_side([a, dataclasses.replace(a, name="b", codes=(codes + 1) % 3)])
    narrow = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0).fit([x[:, :1] for x in seen[0]], seen[1])
    with pytest.raises(DataError, match="has 2 features, but SequenceClassifier is expecting 1 features"):
        compare({"wide": trained, "narrow": narrow}, *unseen)
