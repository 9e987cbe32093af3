"""How training went: loss and accuracy epoch by epoch, and how it ended."""

from __future__ import annotations

from typing import Any

from elman.plots import learning_curves
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Prose, Remarks, Section, count, percent
from elman.report.facts import Facts


def training(facts: Facts) -> Section:
    """Draw the learning curves; without a history, say so."""
    estimator = facts.estimator
    summary = estimator.training_
    lead = ending(summary)
    blocks: list[Block] = []
    findings = list(getattr(estimator, "health_", []))
    if findings:
        blocks.append(Remarks(findings, "What was noticed in training"))
    if any(estimator.histories_):
        blocks.append(_curves(facts))
    else:
        blocks.append(Prose("The model keeps no record of its epochs.", is_soft=True))
    return Section("training", "Training", blocks, lead)


def ending(summary: dict[str, Any]) -> str:
    """Say on what was trained, for how long, and why it ended."""
    epochs = sum(member["epochs"] for member in summary["members"])
    of = f" of {len(summary['members'])} networks together" if len(summary["members"]) > 1 else ""
    said = f"{count(epochs, 'epoch')}{of} on {count(summary['n_training'], 'sequence')} in {summary['seconds']:.1f} s"
    if summary["n_validation"]:
        said += f", with {summary['n_validation']:,} more set aside for validation"
    ended = " It stopped early, as the validation loss no longer fell." * bool(summary["stopped_early"])
    ended += " It was interrupted." * bool(summary["interrupted"])
    if summary["n_refit"]:
        ended += (
            f" Then a network was trained from the same start on all {summary['n_refit']:,}; it is the model, and the "
            "curves are those of the first run."
        )
    return f"{said}.{ended}"


def _curves(facts: Facts) -> Figure:
    estimator = facts.estimator
    return Figure(
        "learning-curves",
        specification(learning_curves(estimator, width=charts.WIDTH, theme=None)),
        "Learning curves",
        reads="Each line follows one part of the data from epoch to epoch: what is trained on, and what is set aside. "
        "Where the two part, the network learns its training data by heart.",
        shows=_at_the_best(estimator.history_, estimator.training_),
        label="Loss and accuracy on training and validation part after each epoch",
    )


def _at_the_best(records: list[Any], summary: dict[str, Any]) -> str:
    best = summary["members"][0]["best_epoch"]
    if not summary["n_validation"] or not best or best > len(records):
        last = records[-1]
        return (
            f"After the last epoch, {last['epoch']}, the training loss was {last['training_loss']:.3g}, the accuracy "
            f"{percent(last['training_accuracy'])}; nothing was set aside."
        )
    record = records[best - 1]
    figures = [record[f"{part}_loss"] for part in ("training", "validation")]
    gap = "" if None in figures else f" {figures[0]:.3g} on the training part, {figures[1]:.3g} on the validation part"
    return (
        f"The best epoch was {best} of {len(records)}, with a loss of{gap}." if gap else f"The best epoch was {best}."
    )
