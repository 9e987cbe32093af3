"""How models compare with each other, and with themselves when they have seen less of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.insight.comparison import Comparison
from elman.insight.intervals import wilson
from elman.insight.prefixes import Prefixes
from elman.plots.drawing import Look, Theme, alt, as_data, as_number, check_type, dressed, layered, short_names

_ROW = 26  # pixels of a model
_STYLES = {"beyond chance": "dot", "within chance": "ring"}


def confidence_over_time(
    prefixes: Prefixes, *, title: str | None = None, width: int = 560, theme: Theme | None = "light"
) -> alt.LayerChart:
    """Draw how sure a model is, and how often it is right, after the first part of each sequence.

    The line of confidence is the median probability of the class predicted there, its band holds the middle half of
    the sequences. The band of accuracy, where labels are known, is its 95 % interval.

    Parameters
    ----------
    prefixes : Prefixes
        As `elman.insight.prefixes.confidence_over_time(classifier, X, y)` gives it.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("confidence_over_time")
    described = "a Prefixes, such as insight.prefixes.confidence_over_time(model, X, y) gives"
    check_type(prefixes, Prefixes, "prefixes", "confidence_over_time", described)
    low, middle, high = np.quantile(prefixes.proba.max(axis=2), (0.25, 0.5, 0.75), axis=0)
    series = {"confidence": (middle, low, high)}
    accuracy = prefixes.accuracy
    if accuracy is not None:
        n = len(prefixes.proba)
        series = {"accuracy": (accuracy, *wilson(np.round(accuracy * n), n))} | series
    data = [
        {"x": share, "series": name, "y": as_number(y), "low": as_number(below), "high": as_number(above)}
        for name, (ys, lows, highs) in series.items()
        for share, y, below, above in zip(prefixes.shares.tolist(), ys, lows, highs)
    ]
    x = alt.X("x:Q").title("share of the sequence seen").axis(format=".0%", tickCount=6)
    x = x.scale(domain=[min(0.1, float(prefixes.shares[0])), 1], nice=False, zero=False)
    colour = alt.Color("series:N").title(None).scale(domain=list(series)).legend(orient="top")
    tooltip = [
        alt.Tooltip("x:Q", title="seen", format=".0%"),
        alt.Tooltip("series:N", title="of"),
        alt.Tooltip("y:Q", title="is", format=".1%"),
        alt.Tooltip("low:Q", title="from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
    ]
    base = alt.Chart(as_data(data)).encode(x=x, color=colour, tooltip=tooltip)
    y = alt.Y("y:Q").title(None).axis(format=".0%", tickCount=5).scale(domain=[0, 1])
    bands = base.mark_area(style="band").encode(y=alt.Y("low:Q"), y2="high:Q")
    lines = base.mark_line(point={"size": 28}).encode(y=y)
    return dressed(layered(bands, lines, width=width, height=240), look)


def comparison(
    comparison: Comparison, *, title: str | None = None, width: int = 420, theme: Theme | None = "light"
) -> alt.VConcatChart:
    """Draw models side by side: the accuracy of each, and what sets it apart from the first, with 95 % intervals.

    Differences are paired, on the same sequences, so they tell more than whether the intervals above overlap. Those
    that chance explains are hollow; the others are beyond it at 5 %, corrected for how many there are.

    Parameters
    ----------
    comparison : Comparison
        As `elman.insight.comparison.compare({"name": classifier, ...}, X, y)` gives it.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("comparison")
    described = "a Comparison, such as compare({'a': model_a, 'b': model_b}, X, y) gives"
    check_type(comparison, Comparison, "comparison", "comparison", described)
    names = short_names(comparison.names)
    own = [
        _row(name, evaluation.accuracy, interval, True)
        for name, evaluation, interval in zip(names, comparison.evaluations, comparison.accuracy_intervals.tolist())
    ]
    differences = comparison.differences
    beyond = [difference.is_beyond_chance for difference in differences]
    accuracy = [_row(n, d.accuracy, d.accuracy_interval, b) for n, d, b in zip(names[1:], differences, beyond)]
    apart = [not low <= 0 <= high for low, high in (d.log_loss_interval for d in differences)]
    log_loss = [_row(n, d.log_loss, d.log_loss_interval, b) for n, d, b in zip(names[1:], differences, apart)]
    panels = [_panel(own, names, "accuracy", ".1%", look, zero=False)]
    if differences:
        panels += [
            _panel(accuracy, names[1:], f"accuracy less that of {names[0]}", "+.1%", look, zero=True),
            _panel(log_loss, names[1:], f"log loss less that of {names[0]} (lower is better)", "+.3f", look, zero=True),
        ]
    return dressed(alt.vconcat(*panels, spacing=22), look)


def _row(name: str, value: float, interval: Any, is_beyond_chance: bool) -> dict[str, Any]:
    low, high = interval
    kind = "beyond chance" if is_beyond_chance else "within chance"
    return {"name": name, "x": as_number(value), "low": as_number(low), "high": as_number(high), "kind": kind}


def _panel(
    rows: list[dict[str, Any]], names: list[str], heading: str, form: str, look: Look, *, zero: bool
) -> alt.LayerChart:
    """Draw a point and an interval a row; with ``zero`` around a line at 0."""
    x_axis: dict[str, Any] = {"format": form.replace(".1%", "~%").replace(".3f", "~g"), "tickCount": 5, "grid": True}
    y = alt.Y("name:N").sort(names).title(None).axis(labelLimit=180, domain=False)
    tooltip = [
        alt.Tooltip("name:N", title="model"),
        alt.Tooltip("x:Q", title=heading, format=form),
        alt.Tooltip("low:Q", title="from", format=form),
        alt.Tooltip("high:Q", title="to", format=form),
    ]
    if zero:
        tooltip.append(alt.Tooltip("kind:N", title="is"))
    low = alt.X("low:Q").title(heading).axis(**x_axis).scale(zero=zero)
    value = alt.X("x:Q").title(heading).axis(**x_axis).scale(zero=zero)
    layers = []
    if bounded := [row for row in rows if row["low"] is not None]:  # of one sequence a log loss has no interval
        base = alt.Chart(as_data(bounded)).encode(y=y, tooltip=tooltip)
        layers.append(base.mark_rule(style="interval").encode(x=low, x2="high:Q"))
    if zero:
        layers.insert(0, alt.Chart(as_data([{"x": 0}])).mark_rule(style="guide").encode(x=alt.X("x:Q")))
    for kind, style in _STYLES.items():
        if of_kind := [row for row in rows if row["kind"] == kind]:
            points = alt.Chart(as_data(of_kind)).encode(y=y, x=value, tooltip=tooltip)
            layers.append(points.mark_point(style=style))
    return layered(*layers, width=look.width, height=_ROW * len(names))
