"""Rules of health that go by the records of a run: steps, gradients and losses, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from elman.training.findings import Finding, Records, Setup, is_solved
from elman.training.remedies import to_calm, to_learn_less_by_heart, to_step_likewise, tried
from elman.training.settings import ENDING_LOW

EXPLODED = 1e3  # norm of the gradient, mean of an epoch, and how many times that of the first epoch it is
LARGE_STEP = 0.05  # of the parameters' own size, in three epochs
SMALL_STEP = 1e-5  # likewise, in the epoch with the largest steps
STILL = 0.01  # share of the first epoch's loss by which it must fall
RISE = 0.1  # of the loss of chance, ln(C), by which the validation loss rises
_USUAL = "0.001 to 0.01"
_FEW = 3  # epochs, in which steps show what they are
_SOME = 10  # epochs, after which a loss that has not fallen will not
_LAST = 10  # a tenth of the epochs


def breakdown(records: Records, setup: Setup) -> Finding | None:
    """Training broke down, and went on from a good state at half the rate."""
    number = records[-1]["rollbacks"]
    if not number:
        return None
    return Finding("breakdown", f"Training broke down and went on at half the rate: {tried(to_calm(setup))}", number)


def exploding(records: Records, setup: Setup) -> Finding | None:
    """The gradient's norm rose far above what it was and what a step can use."""
    worst = max(records, key=lambda record: record["gradient_norm"])
    first, number = records[0]["gradient_norm"], worst["gradient_norm"]
    if number < EXPLODED or number < EXPLODED * first:
        return None
    sentence = (
        f"Gradients explode: their norm was {first:.2g} in epoch {records[0]['epoch']} and {number:,.3g} in epoch "
        f"{worst['epoch']}"
    )
    return Finding("exploding", f"{sentence}: {tried(to_calm(setup))}", number)


def large_steps(records: Records, setup: Setup) -> Finding | None:
    """Steps overwrite what was learned instead of adding to it."""
    ratios = sorted((record["update_ratio"] for record in records), reverse=True)
    if len(ratios) < _FEW or ratios[_FEW - 1] < LARGE_STEP:
        return None
    number = ratios[0]
    sentence = f"Steps are too large, {number:.2g} of the parameters' own size, where {_USUAL} is usual"
    return Finding("large_steps", f"{sentence}: {tried(to_step_likewise(setup, number))}", number)


def small_steps(records: Records, setup: Setup) -> Finding | None:
    """Steps are so small that the network stays what it was."""
    number = max(record["update_ratio"] for record in records)
    if len(records) < _FEW or number >= SMALL_STEP:
        return None
    sentence = f"Steps are too small, {number:.2g} of the parameters' own size, where {_USUAL} is usual"
    return Finding("small_steps", f"{sentence}: {tried(to_step_likewise(setup, number))}", number)


def no_fall(records: Records, setup: Setup) -> Finding | None:
    """The training loss stays where it began, after half of the epochs and some at least."""
    if len(records) < max(_SOME, setup.settings.max_epochs / 2) or is_solved(records):
        return None
    first, lowest = records[0]["training_loss"], min(record["training_loss"] for record in records[1:])
    if lowest < (1 - STILL) * first:
        return None
    ways = ["learning_rate='auto'", f"learning_rate={setup.settings.learning_rate / 10:.1g}"]
    epoch = records[0]["epoch"]
    sentence = f"The training loss did not fall: {first:.3g} in epoch {epoch}, and never below {lowest:.3g} since"
    return Finding("no_fall", f"{sentence}: {tried(ways)}", lowest)


def overfitting(records: Records, setup: Setup) -> Finding | None:
    """The validation loss rises from an early epoch on while the training loss falls.

    Under a schedule that ends low it may come down again, so that it is judged at the end.
    """
    if is_solved(records) or (setup.settings.schedule in ENDING_LOW and len(records) < setup.settings.max_epochs):
        return None
    losses = [math.inf if record["validation_loss"] is None else record["validation_loss"] for record in records]
    best = min(range(len(losses)), key=losses.__getitem__)
    if len(records) < _SOME or not math.isfinite(losses[best]) or best >= len(records) / 2:
        return None
    last = losses[-max(1, len(losses) // _LAST) :]
    number = sum(last) / len(last)
    has_risen = number - losses[best] >= RISE * math.log(setup.architecture.n_classes)
    if not has_risen or records[-1]["training_loss"] >= records[best]["training_loss"]:
        return None
    sentence = (
        f"It learns by heart: the validation loss rises from {losses[best]:.3g} in epoch {records[best]['epoch']} "
        f"to {number:.3g} while the training loss falls to {records[-1]['training_loss']:.2g}"
    )
    return Finding("overfitting", f"{sentence}: {tried(to_learn_less_by_heart(setup))}", number)


def unfinished(records: Records, setup: Setup) -> Finding | None:
    """All epochs were used up and the best came among the last; under a schedule that ends low that says nothing."""
    settings, most = setup.settings, setup.settings.max_epochs
    if settings.schedule in ENDING_LOW or len(records) < most or records[-1]["validation_loss"] is None:
        return None
    best = min(records, key=lambda record: record["validation_loss"] or 0.0)["epoch"]
    if best <= 0.9 * most:
        return None
    return Finding("unfinished", f"It was still improving in epoch {best} of {most}: try max_epochs={2 * most}.", best)


def chance(validation: Mapping[str, Any] | None) -> Finding | None:
    """What was learned is worth no more than to say the most frequent class each time."""
    if validation is None:
        return None
    number, rival = validation["accuracy"], validation["baselines"]["majority"]["accuracy"]
    if number > rival:
        return None
    sentence = (
        f"Nothing was learned that helps: {number:.1%} right on the validation part, where saying the most frequent "
        f"class each time is right in {rival:.1%}"
    )
    return Finding("chance", f"{sentence}: check that the labels belong to the sequences, or try more data.", number)
