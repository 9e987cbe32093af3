"""The mistakes of which the model was surest, with their sequences drawn."""

from __future__ import annotations

import numpy as np

from elman.plots import sequence as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Name, Prose, Section, Table, capital, count, percent, shown
from elman.report.examples import Example, mistakes, named, said_of
from elman.report.facts import Facts

_MOST_LISTED = 12
_MOST_DRAWN = 4
_LONGEST_TEXT = 600  # characters


def most_confident_mistakes(facts: Facts) -> Section:
    """List and draw the mistakes that were made with most confidence."""
    worst = mistakes(facts, _MOST_LISTED)
    title = "The most confident mistakes"
    if not worst:
        return Section("mistakes", title, (), "There are none: every prediction was right.")
    n_wrong = int(facts.is_wrong.sum())
    n_sure = int((facts.proba[facts.is_wrong].max(axis=1) > 0.9).sum())
    lead = f"{count(n_wrong, 'mistake')}, {n_sure or 'none'} of them with more than {percent(0.9, 0)} confidence."
    advice = Prose("Confident mistakes are often wrong labels, classes that overlap, or faulty recordings.")
    blocks: list[Block] = [advice, _table(facts, worst)]
    blocks += [_drawn(facts, each, n) for n, each in enumerate(worst[:_MOST_DRAWN], 1)]
    return Section("mistakes", title, blocks, lead)


def _table(facts: Facts, worst: list[Example]) -> Table:
    rows = [
        (
            Name(str(facts.ids[each.sequence])),
            *(() if each.step is None else (f"{each.step + 1:,}",)),
            Name(str(facts.estimator.classes_[each.true])),
            Name(str(facts.estimator.classes_[each.predicted])),
            percent(each.confidence),
            percent(each.of_true),
        )
        for each in worst
    ]
    step = ("step",) if facts.every_step else ()
    headings = ("sequence", *step, "true class", "predicted", "confidence", "p(true class)")
    right = range(len(headings) - 2, len(headings))
    return Table(headings, rows, numbers=frozenset({*right, *([1] if step else [])}))


def _drawn(facts: Facts, each: Example, n: int) -> Block:
    title = capital(named(facts, each))
    if facts.texts is not None:
        return Prose(f"{title}: “{shown(facts.texts[each.sequence], _LONGEST_TEXT)}” {said_of(facts, each)}")
    values, names = numbers_of(facts, each.sequence)
    if not names:
        return Prose(f"{title}. {said_of(facts, each)}")
    here = "" if each.step is None else f" The step in question is {each.step + 1:,}."
    return Figure(
        f"mistake-{n}",
        specification(draw(values, names, width=charts.WIDTH, theme=None)),
        title,
        reads="Each line is a feature over the steps." + here,
        shows=said_of(facts, each),
        label=f"The features of {named(facts, each)} over time",
    )


def numbers_of(facts: Facts, n: int) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[str]]:
    """Give the features of numbers of one sequence, (T, Q), and their names."""
    kinds = {vocabulary.feature for vocabulary in facts.estimator.preparation_.vocabularies}
    chosen = [feature for feature in range(facts.sequences.n_features) if feature not in kinds]
    names = [shown(facts.feature_names[feature]) for feature in chosen]
    return facts.sequences[n][:, chosen].astype(np.float64), names
