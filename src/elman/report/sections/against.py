"""The model beside others on the same file: paired differences, told from chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from elman.insight.comparison import Comparison, Difference, compare
from elman.plots import comparison as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Figure, Name, Section, Table, between, percent, shown
from elman.report.facts import Facts


def against(facts: Facts) -> Section | None:
    """Compare with the other models that were given; nothing where there are none."""
    if not facts.others:
        return None
    mine = Path(facts.model.name).stem
    mine = mine if mine not in facts.others else f"{mine} (this model)"
    labels = facts.labels_of(np.arange(len(facts.sequences)))
    found = compare({mine: facts.estimator} | facts.others, facts.sequences, labels, ids=facts.ids)
    rows = [
        (Name(name), percent(figures.accuracy), between(low, high), f"{figures.log_loss:.3f}")
        for name, figures, (low, high) in zip(found.names, found.evaluations, found.accuracy_intervals.tolist())
    ]
    table = Table(
        ("model", "accuracy", "95\xa0% interval", "log loss"), rows, numbers=frozenset({1, 2, 3}), strong=frozenset({0})
    )
    paired = Table(
        ("model", "accuracy", "95\xa0% interval", "only it is right", "only this is right", "p"),
        [_row(each) for each in found.differences],
        caption=f"Each less {shown(mine)}, on the same {facts.unit}s. p by {found.test}, corrected for as many "
        "comparisons.",
        numbers=frozenset({1, 2, 3, 4, 5}),
        title="Paired differences",
    )
    figure = Figure(
        "comparison",
        specification(draw(found, width=charts.WIDTH, theme=None)),
        "Models side by side",
        reads="A paired difference counts only where the models disagree, so that it tells more than two intervals do.",
        shows=_clearest(found),
        label="Accuracy of each model with intervals, and paired differences",
    )
    return Section("against", "Beside other models", (figure, table, paired), _clearest(found))


def _row(each: Difference) -> tuple[str | Name, ...]:
    low, high = each.accuracy_interval
    return (
        Name(each.name),
        f"{100 * each.accuracy:+.1f}",
        f"{100 * low:+.1f} to {100 * high:+.1f}",
        f"{each.only_this:,}",
        f"{each.only_reference:,}",
        f"{each.p_corrected:.2g}",
    )


def _clearest(found: Comparison) -> str:
    each = min(found.differences, key=lambda difference: difference.p_value)
    better = "better" if each.accuracy > 0 else "worse"
    sure = "beyond chance" if each.p_corrected < 0.05 else "within what chance gives"
    if each.accuracy == 0:
        return f"{shown(each.name)} gets exactly as many right."
    return f"{shown(each.name)} is {abs(100 * each.accuracy):.1f} points {better} (p = {each.p_corrected:.2g}, {sure})."
