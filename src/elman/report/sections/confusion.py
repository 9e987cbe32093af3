"""Which classes are taken for which."""

from __future__ import annotations

import numpy as np

from elman.plots import confusion as draw
from elman.plots.theme import specification
from elman.report.blocks import Block, Figure, Name, Section, Table, count, percent
from elman.report.facts import Facts

_MOST_PAIRS = 12


def confusion(facts: Facts) -> Section:
    """Draw the confusion matrix, and list the pairs that are confused most."""
    evaluation = facts.evaluation
    matrix = evaluation.confusion_matrix
    n_wrong = evaluation.n - int(matrix.trace())
    lead = f"{count(n_wrong, 'mistake')} in {count(evaluation.n, facts.unit)} ({percent(n_wrong / evaluation.n)})."
    lead = lead if n_wrong else f"No mistakes in {count(evaluation.n, facts.unit)}."
    figure = Figure(
        "confusion",
        specification(draw(evaluation, theme=None)),
        "Confusion matrix",
        reads="Rows are true classes, columns predicted classes. The diagonal is right; a strong colour off the "
        "diagonal is a confusion that happens often.",
        shows=_most_frequent(facts),
        label="Confusion matrix: true classes in rows, predicted ones in columns",
    )
    blocks: list[Block] = [figure]
    if n_wrong:
        blocks.append(_pairs(facts))
    return Section("confusion", "Confusions", blocks, lead)


def _order(facts: Facts) -> list[tuple[int, int]]:
    """Give (true, predicted) of the cells off the diagonal, the fullest first."""
    off = facts.evaluation.confusion_matrix.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:_MOST_PAIRS]
    return [(int(n) // len(off), int(n) % len(off)) for n in order if off.flat[n] > 0]


def _most_frequent(facts: Facts) -> str:
    pairs = _order(facts)
    if not pairs:
        return "There is nothing off the diagonal."
    true, predicted = pairs[0]
    matrix = facts.evaluation.confusion_matrix
    n, of = int(matrix[true, predicted]), int(matrix[true].sum())
    return (
        f"Most often class {facts.class_name(true)} is predicted as {facts.class_name(predicted)}: {n:,} of {of:,} "
        f"({percent(n / of)})."
    )


def _pairs(facts: Facts) -> Table:
    matrix, classes = facts.evaluation.confusion_matrix, facts.evaluation.classes
    rows = []
    for true, predicted in _order(facts):
        n = int(matrix[true, predicted])
        share = percent(n / int(matrix[true].sum()))
        rows.append((Name(str(classes[true])), Name(str(classes[predicted])), f"{n:,}", share))
    return Table(
        ("true class", "predicted", "how often", "share of the true class"),
        rows,
        numbers=frozenset({2, 3}),
        folded="The most frequent confusions",
    )
