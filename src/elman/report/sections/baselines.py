"""The model beside the two baselines that were fitted on the same training data."""

from __future__ import annotations

from elman.report import charts
from elman.report.blocks import Figure, Section, Table, between, percent
from elman.report.facts import Facts
from elman.report.sections.headline import BASELINES, verdict


def baselines(facts: Facts) -> Section:
    """Draw accuracies with their intervals, beside the other figures."""
    evaluation = facts.evaluation
    named = {"this model": evaluation.scores} | {BASELINES[name]: evaluation.baselines[name] for name in BASELINES}
    dots = []
    for (name, scores), key in zip(named.items(), ("", *BASELINES)):
        dots.append((name, scores["accuracy"], *facts.beside_baselines.intervals[key]))
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
    figure = Figure(
        "baselines",
        charts.dots(dots, "accuracy"),
        "Accuracy beside the baselines",
        reads="Each point is an accuracy, the line its 95\xa0% interval. The logistic regression gets the mean, "
        "standard deviation, minimum, maximum, first and last value of each feature and the length, but not the order "
        "of the steps. So the distance from it to the network is what the order of the steps is worth.",
        shows=f"The network reaches {percent(evaluation.accuracy)} ({between(*facts.accuracy_interval)}).",
        label="Accuracy of the model and of both baselines, with intervals",
    )
    return Section("baselines", "Beside the baselines", (figure, table), verdict(facts))
