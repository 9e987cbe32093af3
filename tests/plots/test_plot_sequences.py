"""Charts of sequences, gradients through them and what mattered in them hold the arrays that they are of."""

import json

import numpy as np
import pytest

from drawn import HOSTILE, note, rows, svg
from elman import ParameterError, Sequences, plots
from elman.insight.attribution import Attribution
from elman.network.flow import GradientFlow


def flow(d_h, offsets, names=("l0",)):
    d_h = np.asarray(d_h, np.float64)
    return GradientFlow(np.asarray(offsets), d_h, names, "last", "last", h=d_h)


def test_gradient_flow_holds_the_profile_of_each_direction():
    found = flow([[0.01, 0.1, 1.0, 0.2, 0.5], [1.0, 0.5, 0.2, 0.3, 0.1]], [0, 3, 5], ("l0", "l0_reverse"))
    chart = plots.gradient_flow(found)
    drawn = {(row["series"], row["x"]): row["y"] for row in rows(chart, "line")}
    assert [drawn["layer 1", lag] for lag in range(3)] == pytest.approx([1, 0.25, 0.01])
    assert [drawn["layer 1, reverse", lag] for lag in range(3)] == pytest.approx([1, (0.5 + 1 / 3) / 2, 0.2], rel=1e-4)
    assert [(row["series"], row["x"]) for row in rows(chart, "ring")] == [("layer 1", 2)]
    assert note(chart) == "Gradients of layer 1 fall to a tenth within 2 of 3 steps"
    svg(chart)


def test_a_gradient_of_nothing_has_a_place_on_a_logarithm():
    svg(plots.gradient_flow(flow([[0.0, 0.0, 0.0]], [0, 3])))
    vanished = plots.gradient_flow(flow([[0.0, 1e-3, 1.0]], [0, 3]))
    assert rows(vanished, "line")[-1]["y"] == 1e-12
    svg(vanished)


def test_a_gradient_that_reaches_all_the_way_is_said_to():
    assert note(plots.gradient_flow(flow([[1.0, 1.0]], [0, 2]))) == "Gradients reach back over all 2 steps"
    svg(plots.gradient_flow(flow([[1.0]], [0, 1])))


def test_gradient_of_single_sequences_has_a_row_each_the_longest_first():
    chart = plots.gradient_flow(flow([[0.5, 1.0, 0.25, 0.125, 2.0]], [0, 2, 5]), sequences="l0")
    cells = {(row["row"], row["x"]): row["v"] for row in rows(chart, "rect")}
    assert cells == {(1, 0): 1.0, (1, 1): 0.0625, (1, 2): 0.125, (0, 0): 1.0, (0, 1): 0.5}
    assert next(iter(cells))[0] == 1
    svg(chart)


def test_long_gradients_stay_small():
    rng = np.random.default_rng(0)
    found = flow(rng.lognormal(size=(4, 60_000)), np.arange(0, 60_001, 2000), ("l0", "l0_reverse", "l1", "l1_reverse"))
    assert len(json.dumps(plots.gradient_flow(found).to_dict())) < 100_000
    assert len(json.dumps(plots.gradient_flow(found, sequences="l1").to_dict())) < 100_000


def test_a_direction_that_is_not_there_is_told():
    with pytest.raises(ParameterError, match=r"'sequences' parameter of gradient_flow must be one of 'l0'\. Got 'l1'"):
        plots.gradient_flow(flow([[1.0]], [0, 1]), sequences="l1")


def test_a_sequence_holds_its_values_at_its_steps():
    chart = plots.sequence(np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0]]), ["a.b", "c"])
    drawn = [(row["series"], row["x"], row["y"]) for row in rows(chart, "line")]
    assert drawn == [("a.b", 1, 1.0), ("a.b", 2, None), ("a.b", 3, 3.0), ("c", 1, 5.0), ("c", 2, 6.0), ("c", 3, 7.0)]
    svg(chart)


def test_many_features_have_a_row_each_within_which_they_lie():
    rng = np.random.default_rng(0)
    chart = plots.sequence(rng.normal(size=(30, 8)), HOSTILE)
    for row in rows(chart, "line"):
        assert row["row"] < row["y"] < row["row"] + 1
    assert "</script>" in json.dumps(chart.to_dict())
    assert "slash, lines" in svg(chart)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (5,), (2, 40)])
def test_sequences_of_any_shape_are_drawn(shape):
    svg(plots.sequence(np.full(shape, 2.5)))
    svg(plots.sequence(np.full(shape, np.nan)))


def test_a_long_sequence_keeps_its_extremes():
    values = np.random.default_rng(0).normal(size=(100_000, 6))
    chart = plots.sequence(values)
    assert len(json.dumps(chart.to_dict())) < 100_000
    drawn = [row["y"] for row in rows(chart, "line") if row["series"] == "feature 2"]
    assert (min(drawn), max(drawn)) == pytest.approx((values[:, 2].min(), values[:, 2].max()), rel=1e-4)


@pytest.mark.parametrize("wrong", ["text", None, [], np.zeros((2, 2, 2)), [[1, 2], [3]]])
def test_what_is_no_sequence_is_told(wrong):
    with pytest.raises(ParameterError, match="'values' parameter of sequence must be the numbers of one sequence"):
        plots.sequence(wrong)


def test_names_that_do_not_fit_the_features_are_told():
    with pytest.raises(ParameterError, match="'feature_names' parameter of sequence must be 2 names"):
        plots.sequence(np.zeros((3, 2)), ["one"])


def attributed(values, offsets, names, codes=0):
    n = len(offsets) - 1
    zeros = np.zeros(n)
    return Attribution(
        values=np.asarray(values, np.float64),
        offsets=np.asarray(offsets),
        codes=np.full(n, codes),
        classes=np.array(["walk", "</b>"]),
        feature_names=tuple(names),
        method="occlusion",
        log_proba=np.log(np.full(n, 0.5)),
        baseline=zeros,
        gap=zeros,
        is_complete=np.ones(n, bool),
    )


def test_what_mattered_is_shown_by_step_and_by_feature():
    found = attributed([[9, 9], [1, -2], [3, 4], [0, -1]], [0, 1, 4], ["a", "b"])
    sequences = Sequences(np.array([[0.0, 0.0], [1.0, 5.0], [2.0, 5.0], [3.0, 6.0]]), np.array([0, 1, 4]))
    chart = plots.attribution(found, sequences, n=1)
    assert [(row["x"], row["x2"], row["v"]) for row in rows(chart, "bar")] == [
        (0.5, 1.5, -1),
        (1.5, 2.5, 7),
        (2.5, 3.5, -1),
    ]
    cells = {(row["row"], row["x"]): row["v"] for row in rows(chart, "rect")}
    assert cells == {(0, 0.5): 1, (0, 1.5): 3, (0, 2.5): 0, (1, 0.5): -2, (1, 1.5): 4, (1, 2.5): -1}
    assert [row["value"] for row in rows(chart, "trace") if row["row"] == 0] == [1, 2, 3]
    assert note(chart) == "What speaks for walk, and what against it, in nats of log p; p = 0.5"
    svg(chart)


def test_stretches_of_a_long_sequence_sum_to_the_whole():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5000, 30))
    found = attributed(values, [0, 5000], [f"feature {n}" for n in range(30)])
    chart = plots.attribution(found, Sequences(values, np.array([0, 5000])))
    assert len(json.dumps(chart.to_dict())) < 100_000
    assert sum(row["v"] for row in rows(chart, "bar")) == pytest.approx(values.sum(), rel=1e-3)
    largest = np.sort(np.argsort(-np.abs(values).sum(axis=0))[:20])
    drawn = [sum(cell["v"] for cell in rows(chart, "rect") if cell["row"] == row) for row in range(20)]
    assert drawn == pytest.approx(values[:, largest].sum(axis=0).tolist(), rel=1e-2, abs=0.05)
    assert note(chart).endswith("The 20 of 30 features with most of it")


def test_attribution_of_hostile_names_of_nothing_and_of_missing_values_is_drawn():
    found = attributed(np.zeros((2, 8)), [0, 2], HOSTILE, codes=1)
    values = np.full((2, 8), np.nan)
    svg(plots.attribution(found, Sequences(values, np.array([0, 2]))))
    svg(plots.attribution(found))


def test_tokens_are_told_instead_of_drawn():
    found = attributed([[1.0], [-1.0], [0.5]], [0, 3], ["token"])
    text = Sequences(np.array([[1.0], [0.0], [np.nan]]), np.array([0, 3]), categories=(("'a'", "b.c"),))
    chart = plots.attribution(found, text)
    assert [row["token"] for row in rows(chart, "rect")] == ["b.c", "'a'", "?"]
    svg(chart)


@pytest.mark.parametrize("n", [2, -1, "0", 0.5])
def test_a_sequence_that_is_not_there_is_told(n):
    with pytest.raises(ParameterError, match=r"'n' parameter of attribution must be an int in the range \[0, 2\)"):
        plots.attribution(attributed([[1.0], [2.0]], [0, 1, 2], ["a"]), n=n)


def test_sequences_that_were_not_explained_are_told():
    with pytest.raises(ParameterError, match=r"sequence 0 has 2 steps of 1 features\. Got 3 steps of 1 instead"):
        plots.attribution(attributed([[1.0], [2.0]], [0, 2], ["a"]), [np.zeros((3, 1))])


def test_lengths_are_counted():
    chart = plots.lengths([3, 5, 5, 6])
    assert [(row["of"], row["count"]) for row in rows(chart, "bar")] == [("3", 1), ("4", 0), ("5", 2), ("6", 1)]
    assert note(chart) == "4 sequences of 3 to 6 steps, median 5"
    svg(chart)
    sequences = Sequences(np.zeros((5, 1)), np.array([0, 2, 5]))
    assert sum(row["count"] for row in rows(plots.lengths(sequences), "bar")) == 2


@pytest.mark.parametrize("found", [[1], [7, 7], [1, 1_000_000], list(range(1, 2000))])
def test_lengths_of_any_spread_fit(found):
    chart = plots.lengths(found)
    drawn = rows(chart, "bar")
    assert len(drawn) <= 40
    assert sum(row["count"] for row in drawn) == len(found)
    svg(chart)


def test_classes_are_counted_the_most_frequent_first():
    chart = plots.classes(np.array(["b", "a", "b", None], dtype=object))
    assert [(row["name"], row["count"]) for row in rows(chart, "bar")] == [("b", 2), ("a", 1)]
    svg(chart)


def test_of_many_classes_the_rare_are_put_together():
    chart = plots.classes(np.repeat(np.arange(40), np.arange(1, 41)))
    drawn = rows(chart, "bar")
    assert (drawn[0]["name"], drawn[0]["count"]) == ("39", 40)
    assert (drawn[-1]["name"], drawn[-1]["count"]) == ("16 others", sum(range(1, 17)))
    svg(plots.classes(HOSTILE))


@pytest.mark.parametrize("wrong", [[], [None], 3, np.zeros((2, 2))])
def test_what_are_no_labels_is_told(wrong):
    with pytest.raises(ParameterError, match=r"'y' parameter of classes must be labels \(N,\)"):
        plots.classes(np.array(wrong, dtype=object) if isinstance(wrong, list) else wrong)


@pytest.mark.parametrize("wrong", [[], [0], [1.5], "long", None])
def test_what_are_no_lengths_is_told(wrong):
    with pytest.raises(ParameterError, match="'X' parameter of lengths must be Sequences, or lengths"):
        plots.lengths(wrong)
