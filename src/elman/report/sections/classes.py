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
    rows = [
        (Name(str(row["class"])), f"{row['n']:,}", *(_share(row, each) for each in ("precision", "recall", "f1")))
        for row in kept
    ]
    left_out = (
        f" The {len(kept)} weakest of {len(present)} classes that occur are shown." if len(kept) < len(present) else ""
    )
    table = Table(
        ("class", "n", "precision", "recall", "F1"),
        rows,
        caption="In per cent; in brackets the 95\xa0% interval.",
        numbers=frozenset({1, 2, 3, 4}),
    )
    worst = weakest[0]
    lead = (
        f"The weakest class is {Name(str(worst['class'])).shown}, with an F1 of {percent(worst['f1'] or 0.0)} on "
        f"{count(worst['n'], facts.unit)}."
    )
    reading = Prose(
        "Precision is the share of what was called so that is so; recall the share of what is so that was found; F1 "
        "their "
        "harmonic mean. Wide intervals mean few examples: two classes whose intervals overlap may be equally hard."
        + left_out
    )
    return Section("per-class", "Class by class", (table, reading), lead)


def _share(row: dict[str, Any], figure: str) -> str:
    if row[figure] is None:
        return "–"
    low, high = row[f"{figure}_interval"]
    return f"{100 * row[figure]:.1f} [{100 * low:.0f}, {100 * high:.0f}]"
