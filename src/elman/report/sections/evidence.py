"""What in a sequence spoke for the class that was said: for a mistake, and for a right answer beside it."""

from __future__ import annotations

from elman.insight.attribution import Attribution, attribute
from elman.insight.attribution_in_words import half_in_words
from elman.plots import attribution as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Figure, Section, shown
from elman.report.examples import Example, mistakes, named, right_one, said_of
from elman.report.facts import Facts

_LONGEST = 20_000  # steps of a sequence that is explained


def evidence(facts: Facts) -> Section | None:
    """Draw the attribution of two predictions; nothing where sequences are too long."""
    chosen = [each for each in _chosen(facts) if facts.sequences.lengths[each.sequence] <= _LONGEST]
    if not chosen:
        return None
    lead = (
        "The logarithm of a class's probability is shared out among the steps and features of the sequence, by "
        "integrated "
        "gradients: what speaks for the class is above zero, what speaks against it below."
    )
    return Section("evidence", "What it looked at", [_figure(facts, each) for each in chosen], lead)


def _chosen(facts: Facts) -> list[Example]:
    """Give the surest mistake, and a right answer of the class that was said; or a right answer alone."""
    wrong = mistakes(facts, 1)
    right = (right_one(facts, wrong[0].predicted) or right_one(facts)) if wrong else right_one(facts)
    return [*wrong, *([right] if right is not None else [])]


def _figure(facts: Facts, each: Example) -> Figure:
    one = facts.sequences.between(each.sequence, each.sequence + 1)
    label = facts.estimator.classes_[each.predicted]
    found = attribute(facts.estimator, one, classes=label, step=each.step)
    kind = "A right answer" if each.is_right else "A mistake"
    return Figure(
        "evidence-right" if each.is_right else "evidence-mistake",
        specification(draw(found, one, 0, width=charts.WIDTH, theme=None)),
        f"{kind}: {named(facts, each)}",
        reads="Above, what each step adds; below, a row a feature: its colour is what it adds, its line its values.",
        shows=f"{said_of(facts, each)} {_most(facts, found)}",
        label=f"What spoke for {facts.class_name(each.predicted)} in {named(facts, each)}",
    )


def _most(facts: Facts, found: Attribution) -> str:
    """Name the features and the steps that count most."""
    by_feature = found.by_feature(0)
    best, worst = int(by_feature.argmax()), int(by_feature.argmin())
    names = facts.feature_names
    said = ""
    if len(by_feature) > 1:
        said = f"Most for it speaks {shown(names[best])} ({by_feature[best]:+.2f} nats in all)"
        said += (
            f", most against it {shown(names[worst])} ({by_feature[worst]:+.2f}). " if by_feature[worst] < 0 else ". "
        )
    return said + half_in_words(found)
