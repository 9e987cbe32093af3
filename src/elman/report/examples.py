"""Single predictions worth looking at: the most confident mistakes, and right ones to set beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from elman.report.blocks import percent, shown
from elman.report.facts import Facts


@dataclass(frozen=True)
class Example:
    """One label: of a sequence, or of a step of it.

    Parameters
    ----------
    label : int
        Which of the M labels.
    sequence : int
    step : int or None
        Where each step has a label.
    true, predicted : int
        Class codes.
    confidence, of_true : float
        The probabilities of the predicted class and of the true one.
    """

    label: int
    sequence: int
    step: int | None
    true: int
    predicted: int
    confidence: float
    of_true: float

    @property
    def is_right(self) -> bool:
        """Whether the prediction is true."""
        return self.true == self.predicted


def example(facts: Facts, label: int) -> Example:
    """Give one label with all that is said of it."""
    sequence = int(facts.sequence_of[label])
    step = label - int(facts.sequences.offsets[sequence]) if facts.every_step else None
    true, predicted = int(facts.codes[label]), int(facts.predicted[label])
    proba = facts.proba[label]
    return Example(label, sequence, step, true, predicted, float(proba[predicted]), float(proba[true]))


def mistakes(facts: Facts, most: int) -> list[Example]:
    """Give the mistakes of which the model was surest, one a sequence at most."""
    wrong = np.flatnonzero(facts.is_wrong)
    sure = facts.proba[wrong].max(axis=1)
    ordered = wrong[np.argsort(-sure, kind="stable")]
    _, first = np.unique(facts.sequence_of[ordered], return_index=True)
    return [example(facts, int(label)) for label in ordered[np.sort(first)][:most]]


def right_one(facts: Facts, predicted: int | None = None) -> Example | None:
    """Give a right prediction, of a class where one is named: that of middling confidence among them."""
    right = (facts.codes >= 0) & ~facts.is_wrong
    if predicted is not None:
        right &= facts.predicted == predicted
    found = np.flatnonzero(right)
    if not len(found):
        return None
    order = found[np.argsort(facts.proba[found].max(axis=1), kind="stable")]
    return example(facts, int(order[len(order) // 2]))


def named(facts: Facts, each: Example) -> str:
    """Give what a sequence, or a step of it, is called."""
    sequence = f"sequence {shown(facts.ids[each.sequence])}"
    return sequence if each.step is None else f"step {each.step + 1} of {sequence}"


def said_of(facts: Facts, each: Example) -> str:
    """Say what is true and what was predicted, with the probabilities."""
    true, predicted = facts.class_name(each.true), facts.class_name(each.predicted)
    said = f"True class {true}. Predicted {predicted} ({percent(each.confidence)})"
    return f"{said}." if each.is_right else f"{said}; class {true} got {percent(each.of_true)}."
