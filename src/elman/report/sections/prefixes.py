"""How early the model knows: its confidence after the first part of each sequence."""

from __future__ import annotations

import numpy as np

from elman.data import Sequences
from elman.estimators.classifier import SequenceClassifier
from elman.insight.prefixes import confidence_over_time
from elman.plots import confidence_over_time as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Figure, Section, count, percent
from elman.report.facts import Facts

_MOST_STEPS = 200_000
_MOST_SEQUENCES = 500
_LATE = 0.9  # of the sequence


def prefixes(facts: Facts) -> Section | None:
    """Draw confidence and accuracy against the share of the sequence seen; nothing where each step has a label."""
    if not isinstance(facts.estimator, SequenceClassifier) or int(facts.sequences.lengths.max()) == 1:
        return None
    chosen = facts.some(_MOST_STEPS, _MOST_SEQUENCES)
    sequences: Sequences = facts.sequences[chosen]
    found = confidence_over_time(facts.estimator, sequences, facts.labels_of(chosen))
    decided, accuracy = found.decided, found.accuracy
    assert accuracy is not None  # labels were given
    half = float(np.median(decided))
    early = int(np.flatnonzero(accuracy >= 0.95 * accuracy[-1])[0])
    some = f" Drawn from {count(len(chosen), 'sequence')} of {len(facts.sequences):,}." * (
        len(chosen) < len(facts.sequences)
    )
    figure = Figure(
        "confidence-over-time",
        specification(draw(found, width=charts.WIDTH, theme=None)),
        "Confidence against the share seen",
        reads="Each sequence is cut after a share of its steps and classified as if it ended there.",
        shows=f"Accuracy is {percent(float(accuracy[0]))} after {percent(float(found.shares[0]), 0)} of the steps, "
        "and comes "
        f"within a twentieth of its last value, {percent(float(accuracy[-1]))}, after "
        f"{percent(float(found.shares[early]), 0)}."
        f"{some}",
        label="Confidence and accuracy against the share of the sequence that was seen",
    )
    late = float((decided > _LATE).mean())
    lead = (
        f"For half of the sequences the answer is settled after {percent(half, 0)} of the steps; for "
        f"{percent(late, 0)} it "
        f"changes in the last tenth."
    )
    return Section("prefixes", "How early it knows", (figure,), lead)
