"""What in a sequence spoke for the predicted class: of a mistake, and of a right prediction beside it."""

from __future__ import annotations

import numpy as np

from elman.data import Sequences
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
        "Which steps and features the prediction rests on, by integrated gradients. The logarithm of the probability "
        "of the predicted class is divided among them: positive values speak for the class, negative ones against it."
    )
    return Section("evidence", "What it looked at", [_figure(facts, each) for each in chosen], lead)


def _chosen(facts: Facts) -> list[Example]:
    """Give the surest mistake, and a right prediction of the same class; or a right prediction alone."""
    wrong = mistakes(facts, 1)
    right = (right_one(facts, wrong[0].predicted) or right_one(facts)) if wrong else right_one(facts)
    return [*wrong, *([right] if right is not None else [])]


def _figure(facts: Facts, each: Example) -> Figure:
    one = facts.sequences.between(each.sequence, each.sequence + 1)
    label = facts.estimator.classes_[each.predicted]
    found = attribute(facts.estimator, one, classes=label, step=each.step)
    kind = "A right prediction" if each.is_right else "A mistake"
    return Figure(
        "evidence-right" if each.is_right else "evidence-mistake",
        specification(draw(found, one, 0, width=charts.WIDTH, theme=None)),
        f"{kind}: {named(facts, each)}",
        reads="Above and below, what each step adds. The cells show the text, where there is room."
        if facts.texts is not None
        else "Above, the sum of all features at each step. Below, a row per feature: its colour is the attribution, "
        "its line or names are the values.",
        shows=f"{said_of(facts, each)} {_most(facts, found, _tokens(one))}",
        label=f"What spoke for {facts.class_name(each.predicted)} in {named(facts, each)}",
    )


def _most(facts: Facts, found: Attribution, tokens: list[str] | None) -> str:
    """Name the features and the steps that count most."""
    by_feature, by_step = found.by_feature(0), found.by_step(0)
    best, worst = int(by_feature.argmax()), int(by_feature.argmin())
    names = facts.feature_names
    said = ""
    if len(by_feature) > 1:
        said = (
            f"What speaks most for the predicted class is {shown(names[best])} ({by_feature[best]:+.2f} nats in total)"
        )
        said += (
            f"; most against it, {shown(names[worst])} ({by_feature[worst]:+.2f}). " if by_feature[worst] < 0 else ". "
        )
    if len(by_step) == 1:
        return said.strip()
    top = int(np.abs(by_step).argmax())
    name = "" if tokens is None else f" ({shown(tokens[top])})"
    return " ".join(filter(None, [said.strip(), half_in_words(found), f"Step {top + 1:,}{name} counts most."]))


def _tokens(one: Sequences) -> list[str] | None:
    """Give the name at each step of a sequence of nothing but names, such as a text."""
    if one.n_features != 1 or one.categories is None or one.categories[0] is None:
        return None
    names = one.categories[0]
    return ["unknown" if code != code or not 0 <= code < len(names) else names[int(code)] for code in one.values[:, 0]]
