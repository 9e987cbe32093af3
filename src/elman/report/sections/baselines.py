"""The model beside the two baselines that were fitted with it."""

from __future__ import annotations

from elman.insight.intervals import wilson
from elman.report import charts
from elman.report.blocks import Figure, Section, Table, between, percent
from elman.report.facts import Facts
from elman.report.sections.headline import BASELINES, accuracy_interval, verdict


def baselines(facts: Facts) -> Section:
    """Draw accuracies with their intervals, beside the other figures."""
    evaluation = facts.evaluation
    named = {"this model": evaluation.scores} | {BASELINES[name]: evaluation.baselines[name] for name in BASELINES}
    dots = []
    for name, scores in named.items():
        low, high = wilson(round(scores["accuracy"] * evaluation.n), evaluation.n)
        dots.append((name, scores["accuracy"], float(low), float(high)))
    rows = [
        (
            name,
            *(percent(scores[each]) for each in ("accuracy", "balanced_accuracy", "macro_f1")),
            f"{scores['log_loss']:.3f}",
        )
        for name, scores in named.items()
    ]
    table = Table(
        ("", "accuracy", "balanced accuracy", "macro F1", "log loss"),
        rows,
        numbers=frozenset({1, 2, 3, 4}),
        strong=frozenset({0}),
    )
    low, high = accuracy_interval(facts)
    figure = Figure(
        "baselines",
        charts.dots(dots, "accuracy"),
        "Accuracy beside the baselines",
        reads="Each point is an accuracy, the line its 95\xa0% interval. The logistic regression sees mean, deviation, "
        "least, "
        "greatest, first and last value of each feature and the length, but not the order: what lies between it and "
        "the "
        "network is what recurrence brought.",
        shows=f"The network has {percent(evaluation.accuracy)}, {between(low, high)}.",
        label="Accuracy of the model and of both baselines, with intervals",
    )
    return Section("baselines", "Beside the baselines", (figure, table), verdict(facts))
