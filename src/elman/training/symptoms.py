"""Rules of health that go by the records of a run: steps, gradients and losses, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from elman.training.findings import Finding, Records, Setup, is_clearly_above, is_high, is_solved, shown
from elman.training.history import Record
from elman.training.remedies import to_calm, to_learn_less_by_heart, to_step_likewise, tried
from elman.training.settings import ENDING_LOW

EXPLODED = 1e3  # norm of the gradient, mean of an epoch, and how many times that of the first epoch it is
HUGE = 1e5  # the same, whatever it was in the first epoch
LARGE_STEP = 0.05  # of the parameters' own size, in three epochs
SMALL_STEP = 1e-5  # likewise, in the epoch with the largest steps
STILL = 0.01  # share of the first epoch's loss, or of that of chance, by which it must fall
BETTER = 0.05  # share of the log loss of chance by which a network is better that has learned something
BEHIND = 0.1  # points of accuracy
RISE = 0.1  # of the loss of chance, ln(C), by which the validation loss rises to above it
_USUAL = "0.001 to 0.01"
_FEW = 3  # epochs, in which steps show what they are
_SOME = 10  # epochs, after which a loss that has not fallen will not
_LAST = 10  # a tenth of the epochs
_SHORT = 0.25  # of the epochs that are usual
_FALLING = 0.1  # of the loss of chance, in the last quarter of the epochs


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
    if number < EXPLODED or number < min(EXPLODED * first, HUGE):
        return None
    at_first = f"{shown(first)} in epoch {records[0]['epoch']} and " if worst is not records[0] else ""
    sentence = f"Gradients explode: their norm was {at_first}{shown(number)} in epoch {worst['epoch']}"
    return Finding("exploding", f"{sentence}: {tried(to_calm(setup))}", number)


def large_steps(records: Records, setup: Setup) -> Finding | None:
    """Steps overwrite what was learned instead of adding to it."""
    ratios = sorted((record["update_ratio"] for record in records), reverse=True)
    if len(ratios) < _FEW or ratios[_FEW - 1] < LARGE_STEP:
        return None
    number = ratios[0]
    sentence = f"Steps are too large, {shown(number)} of the parameters' own size, where {_USUAL} is usual"
    return Finding("large_steps", f"{sentence}: {tried(to_step_likewise(setup, number))}", number)


def small_steps(records: Records, setup: Setup) -> Finding | None:
    """Steps are so small that the network stays what it was."""
    number = max(record["update_ratio"] for record in records)
    if len(records) < _FEW or number >= SMALL_STEP:
        return None
    sentence = f"Steps are too small, {shown(number)} of the parameters' own size, where {_USUAL} is usual"
    return Finding("small_steps", f"{sentence}: {tried(to_step_likewise(setup, number))}", number)


def no_fall(records: Records, setup: Setup, n_epochs: int) -> Finding | None:
    """The training loss stays where it began, or where class shares alone bring it, after half of n_epochs."""
    is_learned = any(is_high(record["training_accuracy"], setup) for record in records)
    if len(records) < max(_SOME, n_epochs / 2) or is_learned or is_solved(records, setup):
        return None
    first, lowest = records[0]["training_loss"], min(record["training_loss"] for record in records[1:])
    if lowest < (1 - STILL) * min(first, setup.loss_of_chance):
        return None
    ways = ["learning_rate='auto'", f"learning_rate={setup.settings.learning_rate / 10:.1g}"]
    began = f"{first:.3g} in epoch {records[0]['epoch']}"
    if lowest < (1 - STILL) * first:
        chance = f"the {setup.loss_of_chance:.3g} that the class frequencies alone give"
        sentence = f"The training loss never fell below {chance}: {began}, and {lowest:.3g} at best"
    else:
        sentence = f"The training loss did not fall: {began}, and never below {lowest:.3g} since"
    return Finding("no_fall", f"{sentence}: {tried(ways)}", lowest)


def overfitting(records: Records, setup: Setup) -> Finding | None:
    """The validation loss rises from an early epoch on, above that of chance, while the training loss falls.

    Under a schedule that ends low it may come down again, so that it is judged at the end.
    """
    if setup.settings.schedule in ENDING_LOW and len(records) < setup.settings.max_epochs:
        return None
    if is_solved(records, setup):
        return None
    losses = [math.inf if record["validation_loss"] is None else record["validation_loss"] for record in records]
    best = min(range(len(losses)), key=losses.__getitem__)
    if len(records) < _SOME or not math.isfinite(losses[best]) or best >= len(records) / 2:
        return None
    last = losses[-max(1, len(losses) // _LAST) :]
    number = sum(last) / len(last)
    of_chance = math.log(setup.architecture.n_classes)
    has_risen = number >= of_chance and number - losses[best] >= RISE * of_chance
    if not has_risen or records[-1]["training_loss"] >= records[best]["training_loss"]:
        return None
    sentence = (
        f"It learns by heart: the validation loss rises from {losses[best]:.3g} in epoch {records[best]['epoch']} "
        f"to {number:.3g} while the training loss falls to {records[-1]['training_loss']:.2g}"
    )
    return Finding("overfitting", f"{sentence}: {tried(to_learn_less_by_heart(setup))}", number)


def unfinished(records: Records, setup: Setup) -> Finding | None:
    """All epochs were used up and the best came among the last.

    Under a schedule that ends low it nearly always does; there it counts where the epochs were few, or where the
    training loss was falling fast and little was learned yet.
    """
    settings, most = setup.settings, setup.settings.max_epochs
    if len(records) < most:
        return None
    best = min(records, key=_loss_of)["epoch"] - records[0]["epoch"] + 1
    if best <= 0.9 * most:
        return None
    is_missed = not is_high(_accuracy_of(records[-1]), setup)
    if is_missed and most < _SHORT * setup.usual_epochs:
        ways = ["max_epochs='auto'", f"max_epochs={setup.usual_epochs}"]
        sentence = f"It was trained for {most} epoch{'s' * (most > 1)} only, and was still improving"
        return Finding("unfinished", f"{sentence}: {tried(ways)}", best)
    goes_by_validation = settings.schedule not in ENDING_LOW and records[-1]["validation_loss"] is not None
    if not goes_by_validation and not (is_missed and _is_falling(records, setup)):
        return None
    return Finding("unfinished", f"It was still improving in epoch {best} of {most}: try max_epochs={2 * most}.", best)


def _loss_of(record: Record) -> float:
    """Give the loss on the validation part, or in training where there is none."""
    found = record["validation_loss"]
    return record["training_loss"] if found is None else found


def _accuracy_of(record: Record) -> float:
    found = record["validation_accuracy"]
    return record["training_accuracy"] if found is None else found


def _is_falling(records: Records, setup: Setup) -> bool:
    """Whether the training loss falls fast in the last quarter, and training accuracy is nearer to chance than to 1."""
    before, last = records[-1 - len(records) // 4], records[-1]
    is_low = last["training_accuracy"] < (1 + setup.majority) / 2
    return is_low and before["training_loss"] - last["training_loss"] >= _FALLING * setup.loss_of_chance


def chance(validation: Mapping[str, Any] | None, setup: Setup) -> Finding | None:
    """What was learned is worth no more than to predict the most frequent class each time, by none of three figures.

    Accuracy alone would take a network for worthless that finds rare classes at the cost of the frequent one.
    """
    if validation is None:
        return None
    majority, n = validation["baselines"]["majority"], validation["n"]
    number, rival = validation["accuracy"], majority["accuracy"]
    if is_clearly_above(number, rival, n) or validation["log_loss"] < (1 - BETTER) * majority["log_loss"]:
        return None
    if is_clearly_above(validation["balanced_accuracy"], majority["balanced_accuracy"], n * _evenness(setup)):
        return None
    sentence = (
        f"The network is no better than chance: {100 * number:.1f} % right on the validation part, where always "
        f"predicting the most frequent class is right in {100 * rival:.1f} %"
    )
    if number > rival:
        sentence += f", a difference that says nothing on {n:,} label{'s' * (n > 1)}"
    return Finding("chance", f"{sentence}: check that the labels belong to the sequences, or try more data.", number)


def _evenness(setup: Setup) -> float:
    """Give the share of labels that would tell as much of a mean of recalls if all classes were equally frequent."""
    shares = [share for share in setup.shares if share > 0]
    return len(shares) ** 2 / sum(1 / share for share in shares) if shares else 1.0


def behind(validation: Mapping[str, Any] | None, setup: Setup) -> Finding | None:
    """A regression that is blind to the order of the steps finds far more."""
    if validation is None:
        return None
    number, rival = validation["accuracy"], validation["baselines"]["summary_statistics"]["accuracy"]
    if rival < number + BEHIND or not is_clearly_above(rival, number, validation["n"]):
        return None
    ways = ["learning_rate='auto'", f"max_epochs={2 * setup.settings.max_epochs}"]
    sentence = (
        f"The network has not learned what is there: {100 * number:.1f} % right on the validation part, where a "
        f"logistic regression on summary statistics has {100 * rival:.1f} %"
    )
    return Finding("behind", f"{sentence}: {tried(ways)}", number)
