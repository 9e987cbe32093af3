"""Whether the model is as sure as it is right."""

from __future__ import annotations

from elman.insight.calibration_curve import CalibrationCurve, calibration_curve
from elman.plots import calibration as draw
from elman.plots.theme import specification
from elman.report.blocks import Figure, Section, Table, between, count, percent
from elman.report.facts import Facts


def calibration(facts: Facts) -> Section:
    """Draw confidence against accuracy."""
    curve = calibration_curve(facts.proba, facts.codes)
    rows = [
        (percent(sure), percent(right), between(low, high, 0), f"{n:,}")
        for sure, right, low, high, n in zip(
            curve.confidence, curve.accuracy, curve.low, curve.high, curve.counts.tolist()
        )
    ]
    table = Table(
        ("mean confidence", "accuracy", "95\xa0% interval", f"{facts.unit}s"),
        rows,
        numbers=frozenset({0, 1, 2, 3}),
        folded="The numbers",
    )
    figure = Figure(
        "calibration",
        specification(draw(curve, theme=None)),
        "Calibration curve",
        reads="Predictions are sorted by confidence into groups of equal size. Each point is a group: its mean "
        "confidence across, its accuracy upwards. On the dashed diagonal both are equal; below it the model is "
        "overconfident, above it underconfident.",
        shows=_farthest(curve),
        label="Accuracy against confidence, with the diagonal of perfect calibration",
        table=table,
    )
    return Section("calibration", "Calibration", (figure,), lead(curve, facts.unit))


def lead(curve: CalibrationCurve, unit: str = "sequence") -> str:
    """Say how far confidence and accuracy lie apart, and whether that is more than chance."""
    apart = f"Confidence and accuracy differ by {100 * curve.ece:.1f} points on average"
    chance = f"A perfectly calibrated model would show up to {100 * curve.ece_of_chance:.1f} points by chance"
    if curve.ece <= curve.ece_of_chance:
        return f"{apart}. {chance}: no miscalibration can be seen on {count(curve.n, unit)}."
    gap = float((curve.confidence - curve.accuracy) @ curve.counts) / curve.n
    direction = "overconfident" if gap > 0 else "underconfident"
    return f"{apart}. {chance}, so the model is {direction}. Training with calibrate=True corrects that."


def _farthest(curve: CalibrationCurve) -> str:
    n = int(abs(curve.confidence - curve.accuracy).argmax())
    return (
        f"The largest difference is in a group of {int(curve.counts[n]):,}: mean confidence "
        f"{percent(float(curve.confidence[n]))}, accuracy {percent(float(curve.accuracy[n]))}."
    )
