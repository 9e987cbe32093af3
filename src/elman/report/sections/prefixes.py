"""How early the model knows: its confidence after the first part of each sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.estimators.classifier import SequenceClassifier
from elman.insight.prefixes import confidence_over_time
from elman.plots import confidence_over_time as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Figure, Section, percent
from elman.report.facts import Facts

_MOST_STEPS = 200_000  # which are read about five times
_MOST_NUMBERS = 500_000  # probabilities of the classes, for each share
_LATE = 0.9  # of the sequence
_NEAR = 0.95  # of the accuracy in the end


def prefixes(facts: Facts) -> Section | None:
    """Draw confidence and accuracy against the share of the sequence seen; nothing where each step has a label."""
    if not isinstance(facts.estimator, SequenceClassifier) or int(facts.sequences.lengths.max()) == 1:
        return None
    chosen = facts.some(_MOST_STEPS, _MOST_NUMBERS // len(facts.estimator.classes_))
    sequences: Sequences = facts.sequences[chosen]
    found = confidence_over_time(facts.estimator, sequences, facts.labels_of(chosen))
    decided, accuracy = found.decided, found.accuracy
    assert accuracy is not None  # labels were given
    n, of = len(chosen), len(facts.sequences)
    sample = f" This is a sample of {n:,} of {of:,} sequences." * (n < of)
    figure = Figure(
        "confidence-over-time",
        specification(draw(found, width=charts.WIDTH, theme=None)),
        "Confidence against the share seen",
        reads="Each sequence is cut after a share of its steps and classified as if it ended there.",
        shows=_accuracy(found.shares, accuracy) + sample,
        label="Confidence and accuracy against the share of the sequence that was seen",
    )
    return Section("prefixes", "How early it knows", (figure,), _lead(decided))


def _lead(decided: NDArray[np.float64]) -> str:
    """Say when predictions are settled."""
    half, late = float(np.median(decided)), float((decided > _LATE).mean())
    last = f"for {percent(late)}, it still changes in the last tenth" if late else "none changes in the last tenth"
    return f"For half of the sequences the prediction is final after {percent(half, 0)} of the steps; {last}."


def _accuracy(shares: NDArray[np.float64], accuracy: NDArray[np.float64]) -> str:
    """Say how accuracy grows with the share seen."""
    first, end = (
        f"After {percent(float(shares[0]), 0)} of the steps the accuracy is {percent(accuracy[0])}",
        accuracy[-1],
    )
    near = int(np.flatnonzero(accuracy >= _NEAR * end)[0])
    if near == 0:
        return f"{first}, after all of them {percent(end)}."
    return f"{first}. It is near its final value, {percent(end)}, after {percent(float(shares[near]), 0)} of the steps."
