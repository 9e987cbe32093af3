"""Charts of predictions hold the figures that they are of, also of many classes, one class, and hostile names."""

import json

import numpy as np
import pytest

from drawn import HOSTILE, encodings, note, rows, svg
from elman import DataError, ParameterError, plots
from elman.estimators.evaluation import Evaluation, measure
from elman.insight.calibration_curve import calibration_curve
from elman.insight.comparison import Comparison, Difference
from elman.insight.prefixes import Prefixes


def evaluation(matrix, classes=None):
    matrix = np.asarray(matrix)
    names = np.array(classes or [f"class {c}" for c in range(len(matrix))], dtype=object)
    return Evaluation(0.5, 0.5, 0.5, 0.7, matrix, names, {}, int(matrix.sum()))


def random_matrix(n_classes):
    rng = np.random.default_rng(0)
    return rng.integers(0, 3, (n_classes, n_classes)) + np.diag(rng.integers(5, 30, n_classes))


def test_each_cell_holds_its_count_and_its_share_of_the_true_class():
    chart = plots.confusion(evaluation([[3, 1, 0], [0, 0, 0], [2, 2, 4]], ["a", "b", "c"]))
    cells = {(row["row"], row["column"]): (row["count"], row["share"]) for row in rows(chart, "rect")}
    assert cells["a", "a"] == (3, 0.75)
    assert cells["c", "b"] == (2, 0.25)
    assert cells["b", "b"] == (0, 0.0)  # a class that does not occur
    assert len(cells) == 9
    assert "title" not in chart.to_dict()


def test_true_and_predicted_labels_do_too():
    chart = plots.confusion(["b", "a", "b", "b"], ["b", "b", "c", "b"])
    cells = {(row["row"], row["column"]): row["count"] for row in rows(chart, "rect") if row["count"]}
    assert cells == {("b", "b"): 2, ("a", "b"): 1, ("b", "c"): 1}
    assert {row["row"] for row in rows(plots.confusion([1, 2], np.array([1, 2])), "rect")} == {"1", "2"}
    svg(chart)
    with pytest.raises(DataError, match=r"a predicted label for each true one.*Got 2 true and 1 predicted"):
        plots.confusion([1, 2], [1])
    with pytest.raises(DataError, match=r"must be of one type\. Got int64 and <U1 instead"):
        plots.confusion([1, 2], ["1", "2"])
    with pytest.raises(ParameterError, match=r"or the true labels with the predicted ones\. Got list instead"):
        plots.confusion([1, 2])


def test_of_many_classes_the_most_confused_are_shown():
    matrix = np.diag(np.full(60, 10))
    matrix[7, 50] = 6
    matrix[50, 8] = 3
    chart = plots.confusion(evaluation(matrix))
    shown = {row["row"] for row in rows(chart, "rect")}
    assert shown >= {"class 7", "class 8", "class 50"}
    assert len(shown) == 24
    assert note(chart) == "The 24 of 60 classes most often confused: 9 of 9 mistakes"
    assert len(json.dumps(plots.confusion(evaluation(random_matrix(200))).to_dict())) < 100_000


def test_hostile_names_are_values_and_never_fields():
    chart = plots.confusion(evaluation(random_matrix(len(HOSTILE)), HOSTILE))
    seen = {row["row"] for row in rows(chart, "rect")}
    expected = {"a.b[0]", 'it\'s "quoted"', "</script>", "back\\slash, lin…", "''", "日本 ${datum}"}
    assert seen == expected | {"constructor\u200b", "__proto__\u200b"}
    fields = {
        channel.get("field")
        for encoding in encodings(chart, "rect")
        for channel in encoding.values()
        if "field" in channel
    }
    assert fields == {"row", "column", "share"}
    assert "slash, lin…" in svg(chart)


def test_one_class_is_drawn_too():
    svg(plots.confusion(evaluation([[4]])))
    svg(plots.confusion(evaluation([[0]])))


def test_the_calibration_curve_holds_its_bins():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1, 1], 300)
    curve = calibration_curve(proba, rng.integers(0, 3, 300))
    chart = plots.calibration(curve)
    drawn = rows(chart, "dot")
    for name, values in (("x", curve.confidence), ("y", curve.accuracy), ("low", curve.low), ("high", curve.high)):
        assert [row[name] for row in drawn] == pytest.approx(values.tolist(), rel=1e-4)
    assert [row["count"] for row in drawn] == curve.counts.tolist()
    assert note(chart).startswith(f"Off by {100 * curve.ece:.1f}\xa0% on average")
    svg(chart)


def test_a_single_certain_bin_is_drawn_within_the_axes():
    chart = plots.calibration(calibration_curve(np.tile([1.0, 0.0], (5, 1)), np.zeros(5, np.int64)))
    domain = encodings(chart, "dot")[0]["x"]["scale"]["domain"]
    assert domain[0] <= rows(chart, "dot")[0]["low"]
    svg(chart)


def prefixes(codes):
    proba = np.array([[[0.6, 0.4], [0.2, 0.8]], [[0.7, 0.3], [0.9, 0.1]], [[0.5, 0.5], [0.3, 0.7]]])
    return Prefixes(np.array([0.5, 1.0]), proba, np.array(["a", "b"]), codes)


def test_confidence_over_time_holds_medians_quartiles_and_accuracies():
    chart = plots.confidence_over_time(prefixes(np.array([1, 0, 1])))
    drawn = {(row["series"], row["x"]): row for row in rows(chart, "line")}
    assert [drawn["confidence", share]["y"] for share in (0.5, 1.0)] == [0.6, 0.8]
    assert (drawn["confidence", 0.5]["low"], drawn["confidence", 0.5]["high"]) == (0.55, 0.65)
    assert [drawn["accuracy", share]["y"] for share in (0.5, 1.0)] == [0.33333, 1.0]
    assert drawn["accuracy", 1.0]["low"] == pytest.approx(0.4385, abs=1e-4)  # Wilson's, 3 of 3
    svg(chart)


def test_without_labels_there_is_confidence_alone():
    assert {row["series"] for row in rows(plots.confidence_over_time(prefixes(None)), "line")} == {"confidence"}


def comparison_of(names):
    codes, rng = np.arange(40) % 2, np.random.default_rng(0)
    evaluations = [measure(codes, rng.dirichlet([2, 2], 40), {}, np.array(["x", "y"])) for _ in names]
    apart = [
        Difference(name, names[0], 0.1, (0.02, 0.18), -0.05, (-0.2, 0.1), 6, 2, 0.8, 0.01 * at, 0.02 * at)
        for at, name in enumerate(names[1:], start=1)
    ]
    bounds = np.array([[each.accuracy - 0.1, each.accuracy + 0.1] for each in evaluations])
    return Comparison(
        names=tuple(names),
        evaluations=tuple(evaluations),
        accuracy_intervals=bounds,
        differences=tuple(apart),
        ids=np.arange(40).astype(str),
        codes=codes,
        predicted=np.zeros((len(names), 40), np.int64),
        truth=np.zeros((len(names), 40)),
        n_models=len(names),
        every_step=False,
    )


def test_models_side_by_side_hold_accuracies_and_paired_differences():
    compared = comparison_of(["one", "two", "three", "four"])
    chart = plots.comparison(compared)
    own, accuracy, log_loss = (rows(chart, "interval", of=panel) for panel in range(3))
    assert [row["x"] for row in own] == [each.accuracy for each in compared.evaluations]
    assert [(row["name"], row["x"], row["low"], row["high"]) for row in accuracy] == [
        (name, 0.1, 0.02, 0.18) for name in ("two", "three", "four")
    ]
    assert [row["kind"] for row in accuracy] == ["beyond chance", "beyond chance", "within chance"]  # 0.02, 0.04, 0.06
    assert {(row["x"], row["kind"]) for row in log_loss} == {(-0.05, "within chance")}
    svg(chart)


def test_models_with_hostile_names_are_compared_too():
    svg(plots.comparison(comparison_of(HOSTILE)))


def test_one_model_has_nothing_to_differ_from():
    assert len(plots.comparison(comparison_of(["one"])).to_dict()["vconcat"]) == 1


@pytest.mark.parametrize(
    ("draw", "parameter", "kind"),
    [
        (plots.confusion, "evaluation", "an Evaluation"),
        (plots.calibration, "curve", "a CalibrationCurve"),
        (plots.confidence_over_time, "prefixes", "a Prefixes"),
        (plots.comparison, "comparison", "a Comparison"),
        (plots.gradient_flow, "flow", "a GradientFlow"),
        (plots.attribution, "attribution", "an Attribution"),
    ],
)
def test_a_wrong_type_is_told_with_what_it_must_be(draw, parameter, kind):
    expected = f"The '{parameter}' parameter of {draw.__name__} must be {kind}, such as .* gives.*\\. Got dict instead"
    with pytest.raises(ParameterError, match=expected):
        draw({})


def test_the_same_figures_give_the_same_specification():
    first, second = (json.dumps(plots.comparison(comparison_of(["one", "two"])).to_dict()) for _ in range(2))
    assert first == second
