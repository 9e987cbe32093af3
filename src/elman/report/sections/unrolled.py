"""The network unrolled over one sequence: what each step brings, and what the gradient makes of it."""

from __future__ import annotations

import numpy as np

from elman.insight.unroll_model import unroll_model
from elman.report.blocks import Fragment, Prose, Section, percent, shown
from elman.report.examples import mistakes, right_one
from elman.report.facts import Facts
from elman.report.unrolled_view import unrolled_view

_LONGEST = 1000  # steps of a sequence that is chosen for the reader


def unrolled(facts: Facts) -> Section | None:
    """Show the sequence that was asked for, else the surest mistake, else a right answer, if it is not too long."""
    n = facts.unrolled if facts.unrolled is not None else _chosen(facts)
    if n is None:
        return None
    one = facts.sequences.between(n, n + 1)
    labels = facts.labels_of(np.array([n]))
    name = shown(facts.ids[n])
    view = unrolled_view(unroll_model(facts.estimator, one, labels, title=f"sequence {name}"))
    lead = f"Sequence {name}, step by step through the network and back: {_said(facts, n)}"
    reading = Prose(
        "Point at a time step, or move with the arrow keys, to see its inputs, gates and state, the gradient that "
        "reaches it, and what it adds to the gradient of each weight.",
        is_printed=False,
    )
    members = len(facts.estimator.networks_)
    note = (Prose(f"This is the first of {members} networks, whose probabilities the model averages.", is_soft=True),)
    return Section(
        "unrolled", "One sequence, unrolled", (reading, *(note if members > 1 else ()), Fragment(view)), lead
    )


def _chosen(facts: Facts) -> int | None:
    right = right_one(facts)
    examples = [*mistakes(facts, 10), *([right] if right is not None else [])]
    short = [each.sequence for each in examples if facts.sequences.lengths[each.sequence] <= _LONGEST]
    return short[0] if short else None


def _said(facts: Facts, n: int) -> str:
    of = facts.sequence_of == n
    codes, predicted = facts.codes[of], facts.predicted[of]
    if not facts.every_step:
        confidence = percent(float(facts.proba[of].max()))
        return f"true class {facts.class_name(codes[0])}, predicted {facts.class_name(predicted[0])} ({confidence})."
    labelled = codes >= 0
    n_right = int((codes == predicted)[labelled].sum())
    return f"{n_right:,} of its {int(labelled.sum()):,} labelled steps are right."
