"""Curves of training hold the records' numbers, whatever form and length the records have."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from drawn import encodings, note, rows, svg
from elman import ParameterError, plots
from elman.training.history import History


def record(epoch, loss, validation=None, **more):
    figures = {"training_loss": loss, "training_accuracy": 1 - loss / 4, "validation_loss": validation}
    return {
        "epoch": epoch,
        **figures,
        "validation_accuracy": None if validation is None else 1 - validation / 4,
        **more,
    }


THREE = [record(1, 1.5, 1.25), record(2, 0.75, 0.5), record(3, 0.25, 0.625)]


def test_curves_hold_each_epochs_loss_and_accuracy():
    chart = plots.learning_curves(THREE)
    losses = {(row["series"], row["x"]): row["y"] for row in rows(chart, "line", of=0)}
    accuracies = {(row["series"], row["x"]): row["y"] for row in rows(chart, "line", of=1)}
    for each in THREE:
        for series in ("training", "validation"):
            assert losses[series, each["epoch"]] == each[f"{series}_loss"]
            assert accuracies[series, each["epoch"]] == pytest.approx(each[f"{series}_accuracy"], rel=1e-4)
    assert len(losses) == len(accuracies) == 6
    svg(chart)


def test_the_best_epoch_is_marked():
    chart = plots.learning_curves(THREE)
    assert [(row["x"], row["y"]) for row in rows(chart, "ring")] == [(2, 0.5)]
    assert note(chart) == "Best epoch: 2, validation loss 0.5, accuracy 87.5\xa0%"
    assert rows(plots.learning_curves(History(THREE, best_epoch=3)), "ring")[0]["x"] == 3


def test_what_an_estimator_kept_is_the_best():
    estimator = SimpleNamespace(histories_=[THREE], training_={"members": [{"epochs": 3, "best_epoch": 1}]})
    assert rows(plots.learning_curves(estimator), "ring")[0]["x"] == 1


def test_what_was_kept_without_validation_is_told_by_its_epoch_alone():
    assert note(plots.learning_curves(History([record(1, 0.5)], best_epoch=1))) == "Best epoch: 1"


def test_members_have_a_line_each():
    chart = plots.learning_curves([THREE, THREE[:2]])
    assert {(row["member"], row["x"]) for row in rows(chart, "line")} == {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)}
    assert [(row["member"], row["x"]) for row in rows(chart, "ring")] == [(1, 2), (2, 2)]


def test_one_epoch_and_no_validation_are_drawn_too():
    chart = plots.learning_curves([record(1, 0.5)])
    assert [(row["series"], row["y"]) for row in rows(chart, "line")] == [("training", 0.5)]
    assert "title" not in chart.to_dict()
    svg(chart)


def test_a_loss_that_is_no_number_is_a_gap():
    chart = plots.learning_curves([record(1, 0.5, 0.5), record(2, float("nan"), float("inf")), record(3, 0.4, 0.4)])
    assert [row["y"] for row in rows(chart, "line") if row["x"] == 2] == [None, None]
    svg(chart)


def test_many_epochs_of_many_members_stay_small_and_keep_their_extremes():
    rng = np.random.default_rng(0)
    members = [[record(e, float(rng.random()), float(rng.random())) for e in range(1, 5001)] for _ in range(5)]
    chart = plots.learning_curves(members)
    assert len(json.dumps(chart.to_dict())) < 100_000
    drawn = [row["y"] for row in rows(chart, "line") if row["member"] == 1 and row["series"] == "training"]
    assert min(drawn) == pytest.approx(min(each["training_loss"] for each in members[0]), rel=1e-4)
    assert max(drawn) == pytest.approx(max(each["training_loss"] for each in members[0]), rel=1e-4)


@pytest.mark.parametrize("wrong", [None, 3, "history", {}, [3], [[3]], [{"epoch": 1}]])
def test_what_is_no_history_is_told_what_it_must_be(wrong):
    with pytest.raises(
        ParameterError, match="'history' parameter of learning_curves must be a fitted estimator, a list"
    ):
        plots.learning_curves(wrong)


@pytest.mark.parametrize("empty", [[], [[]], History()])
def test_a_history_without_epochs_is_told(empty):
    with pytest.raises(ParameterError, match=r"with at least one epoch\. Got no epoch instead"):
        plots.learning_curves(empty)


def flowing(epoch, profile, steps, memory):
    told = {"flow_profile": profile, "flow_steps": steps, "flow_memory": memory, "flow_of": "l0_reverse"}
    return record(epoch, 1 / epoch, **told)


def test_the_history_of_the_gradient_holds_each_epochs_profile_and_reach():
    chart = plots.gradient_history([flowing(1, [1.0, 0.1, 0.0], 5, 2), flowing(2, [0.5, 0.25, 0.125], 5, 5)])
    cells = rows(chart, "rect")
    assert [(row["x"], row["y"], row["y2"]) for row in cells[:3]] == [(0.5, 0, 1.5), (0.5, 1.5, 3.5), (0.5, 3.5, 5)]
    assert [row["v"] for row in cells] == [1.0, 0.1, 1e-12, 0.5, 0.25, 0.125]  # a logarithm has no 0
    assert [(row["epoch"], row["y"], row["of"]) for row in rows(chart, "reach")] == [
        (1, 2, "layer 1, reverse"),
        (2, 5, "layer 1, reverse"),
    ]
    assert [row["x"] for row in rows(chart, "reach")] == [1, 2], "in the middle of its column, over the tick"
    assert [row["of"] for row in cells] == ["1"] * 3 + ["2"] * 3
    svg(chart)


def test_a_long_history_of_the_gradient_stays_small():
    chart = plots.gradient_history([flowing(e, np.geomspace(1, 1e-9, 48).tolist(), 200, 30) for e in range(1, 1001)])
    assert len(json.dumps(chart.to_dict())) < 100_000
    assert {row["y2"] for row in rows(chart, "rect")} >= {200.0}
    assert {(row["x"], row["x2"], row["of"]) for row in rows(chart, "rect")} >= {(0.5, 20.5, "1 to 20")}


def test_one_epoch_of_one_step_has_a_history_too():
    svg(plots.gradient_history([flowing(1, [0.0], 1, 0)]))


def test_records_without_gradient_flow_are_told():
    with pytest.raises(ParameterError, match=r"must hold records with a 'flow_profile'\. Got none"):
        plots.gradient_history(THREE)


def test_a_few_epochs_have_a_tick_each():
    few, many = (plots.learning_curves([record(e, 1 / e) for e in range(1, n + 1)]) for n in (3, 40))
    assert encodings(few, "line")[1]["x"]["axis"]["values"] == [1, 2, 3]
    assert "values" not in encodings(many, "line")[1]["x"]["axis"]
