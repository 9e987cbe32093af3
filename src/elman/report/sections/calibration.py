"""Whether the model is as sure as it is right."""

from __future__ import annotations

from elman.insight.calibration_curve import CalibrationCurve, calibration_curve
from elman.plots import calibration as draw
from elman.plots.theme import specification
from elman.report.blocks import Figure, Section, Table, between, percent
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
        reads="Predictions sorted by how sure they are, in groups of like size: across how sure the model is, upwards "
        "how "
        "often it is right. On the diagonal both agree; below it the model is too sure, above it not sure enough.",
        shows=_farthest(curve),
        label="Accuracy against confidence, with the diagonal of perfect calibration",
        table=table,
    )
    return Section("calibration", "How sure, and how right", (figure,), lead(curve))


def lead(curve: CalibrationCurve) -> str:
    """Say how far confidence and accuracy lie apart, and whether that is more than chance."""
    apart = f"Confidence and accuracy lie {100 * curve.ece:.1f} points apart on average"
    chance = f"a perfectly calibrated model would show up to {100 * curve.ece_of_chance:.1f} by chance on as much data"
    if curve.ece <= curve.ece_of_chance:
        return f"{apart}; {chance}, so that its probabilities can be taken at their word."
    gap = float((curve.confidence - curve.accuracy) @ curve.counts) / curve.n
    direction = "too sure" if gap > 0 else "not sure enough"
    return f"{apart}; {chance}. The model is {direction}: calibrate=True would mend that."


def _farthest(curve: CalibrationCurve) -> str:
    n = int(abs(curve.confidence - curve.accuracy).argmax())
    return (
        f"The group that is farthest off is {percent(float(curve.confidence[n]))} sure and "
        f"{percent(float(curve.accuracy[n]))} "
        f"right, of {int(curve.counts[n]):,}."
    )
