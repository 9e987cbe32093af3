"""How well each class is found, with intervals."""

from __future__ import annotations

from typing import Any

from elman.insight.intervals import per_class
from elman.report.blocks import Name, Prose, Section, Table, count, percent
from elman.report.facts import Facts

_MOST = 60


def classes(facts: Facts) -> Section:
    """Lay out precision, recall and F1 of each class."""
    every = per_class(facts.evaluation)
    present = [row for row in every if row["n"] or row["n_predicted"]]
    weakest = sorted(present, key=lambda row: (row["f1"] or 0.0, -row["n"]))
    shown = weakest[:_MOST]
    kept = [row for row in present if any(row is each for each in shown)]
    rows: list[tuple[str | Name, ...]] = [
        (Name(str(row["class"])), f"{row['n']:,}", *(_share(row, each) for each in ("precision", "recall", "f1")))
        for row in kept
    ]
    left_out = (
        f" The {len(kept)} weakest of {len(present)} classes that occur are shown." if len(kept) < len(present) else ""
    )
    table = Table(
        ("class", "n", "precision", "recall", "F1"),
        rows,
        caption="In %; in brackets the 95\xa0% interval.",
        numbers=frozenset({1, 2, 3, 4}),
    )
    reading = Prose(
        "Precision: of those predicted as this class, how many are. Recall: of those in this class, how many were "
        "found. F1: their harmonic mean. Wide intervals come from few examples. Where the intervals of two classes "
        "overlap, both may be equally hard." + left_out
    )
    return Section("per-class", "Class by class", (table, reading), _lead(weakest, facts.unit))


def _lead(weakest: list[dict[str, Any]], unit: str) -> str:
    worst, best = weakest[0], weakest[-1]
    if worst["f1"] == best["f1"]:
        return f"All classes have the same F1, {percent(best['f1'] or 0.0)}."
    return (
        f"The weakest class is {Name(str(worst['class'])).shown}: its F1 is {percent(worst['f1'] or 0.0)}, on "
        f"{count(worst['n'], unit)}."
    )


def _share(row: dict[str, Any], figure: str) -> str:
    if row[figure] is None:
        return "–"
    low, high = row[f"{figure}_interval"]
    return f"{100 * row[figure]:.1f} [{100 * low:.0f}, {100 * high:.0f}]"
