"""How training went: loss and accuracy epoch by epoch, and how it ended."""

from __future__ import annotations

from typing import Any

from elman.plots import learning_curves
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Prose, Remarks, Section, count, percent
from elman.report.facts import Facts

_MOST_MEMBERS = 4  # whose epochs are named


def training(facts: Facts) -> Section:
    """Draw the learning curves; without a history, say so."""
    estimator = facts.estimator
    lead = ending(estimator.training_)
    blocks: list[Block] = []
    findings = list(getattr(estimator, "health_", []))
    if findings:
        blocks.append(Remarks(findings, "Noticed during training"))
    if any(estimator.histories_):
        blocks.append(_curves(facts))
    else:
        blocks.append(Prose("The model file holds no records of its epochs.", is_soft=True))
    return Section("training", "Training", blocks, lead)


def ending(summary: dict[str, Any]) -> str:
    """Say on what was trained, for how long, and why it ended."""
    epochs, n = [member["epochs"] for member in summary["members"]], len(summary["members"])
    said = (
        f"{count(n, 'network')}, trained for {' and '.join([', '.join(map(str, epochs[:-1])), str(epochs[-1])])} epochs"
        if 1 < n <= _MOST_MEMBERS
        else f"{count(n, 'network')}, trained for {sum(epochs):,} epochs in total"
        if n > 1
        else f"Trained for {count(epochs[0], 'epoch')}"
    )
    said += f" on {count(summary['n_training'], 'sequence')}"
    if summary["n_validation"]:
        said += f", with {summary['n_validation']:,} more for validation"
    said += "."
    if summary["stopped_early"]:
        said += " Training stopped early, because the validation loss no longer fell."
    if summary["interrupted"]:
        said += " Training was interrupted."
    if summary["n_refit"]:
        said += (
            f" {'The networks were' if n > 1 else 'The network was'} then trained again from the start on all "
            f"{count(summary['n_refit'], 'sequence')}: that is the saved model. The curves show the first run."
        )
    return f"{said} All this took {summary['seconds']:.1f} s, any compilation included."


def n_trained_on(summary: dict[str, Any]) -> int:
    """Give how many sequences the saved weights were trained on."""
    return int(summary["n_refit"] or summary["n_training"])


def _curves(facts: Facts) -> Figure:
    estimator = facts.estimator
    return Figure(
        "learning-curves",
        specification(learning_curves(estimator, width=charts.WIDTH, theme=None)),
        "Learning curves",
        reads="Loss and accuracy after each epoch, on the sequences it was trained on and on those for validation. "
        "Where the training loss falls and the validation loss rises, the network overfits."
        if estimator.training_["n_validation"]
        else "Loss and accuracy after each epoch, on the sequences it was trained on.",
        shows=_at_the_best(estimator.history_, estimator.training_),
        label="Loss and accuracy on training and validation part after each epoch",
    )


def _at_the_best(records: list[Any], summary: dict[str, Any]) -> str:
    best = summary["members"][0]["best_epoch"]
    if not summary["n_validation"] or not best or best > len(records):
        last = records[-1]
        return (
            f"After the last epoch, {last['epoch']}, the training loss was {last['training_loss']:.3g}, the accuracy "
            f"{percent(last['training_accuracy'])}. There was no validation part."
        )
    record = records[best - 1]
    figures = [record[f"{part}_loss"] for part in ("training", "validation")]
    said = f"The best epoch was {best} of {len(records)}"
    if None in figures:
        return f"{said}."
    return f"{said}: training loss {figures[0]:.3g}, validation loss {figures[1]:.3g}."
