"""A training run as an estimator sees it: who is told of its epochs, what is printed, what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from elman.estimators.evaluation import FIGURES, Evaluation
from elman.estimators.parts import Part
from elman.estimators.progress import epoch_line, tell_if_slow
from elman.training.history import History, Record
from elman.training.samples import Samples
from elman.training.trainer import Trainer


@dataclass(frozen=True)
class Hooks:
    """Who is called in training; each may be None.

    before_epoch(epoch) counts from 1; on_epoch(record) ends training by returning True; on_step(done, total) is called
    after each step of the optimizer.
    """

    before_epoch: Callable[[int], object] | None = None
    on_epoch: Callable[[Record], object] | None = None
    on_step: Callable[[int, int], object] | None = None


def run(trainer: Trainer, training: Samples, held_out: Samples | None, hooks: Hooks, *, verbose: bool) -> History:
    """Run the trainer; where ``verbose``, print a line an epoch."""
    if not verbose:
        return trainer.fit(
            training,
            held_out,
            before_epoch=hooks.before_epoch,
            on_epoch=hooks.on_epoch,
            on_step=hooks.on_step,
        )
    timer = tell_if_slow(lambda line: print(line, flush=True))

    def print_epoch(record: Record) -> object:
        print(epoch_line(record, trainer.settings.max_epochs), flush=True)
        return hooks.on_epoch is not None and hooks.on_epoch(record)

    def note_step(done: int, total: int) -> None:
        timer.cancel()
        if hooks.on_step is not None:
            hooks.on_step(done, total)

    try:
        return trainer.fit(training, held_out, before_epoch=hooks.before_epoch, on_epoch=print_epoch, on_step=note_step)
    finally:
        timer.cancel()


def summary(
    history: History,
    training: Part,
    held_out: Part | None,
    figures: Evaluation | None,
    seconds: float,
    learning_rate: float,
) -> dict[str, Any]:
    """Give what training came to, as `training_` keeps it."""
    return {
        "epochs": len(history.records),
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "learning_rate": learning_rate,
        "n_training": len(training.sequences),
        "n_validation": 0 if held_out is None else len(held_out.sequences),
        "stopped_early": bool(history.stopped_early),
        "interrupted": bool(history.interrupted),
        "validation": None if figures is None else {name: getattr(figures, name) for name in (*FIGURES, "baselines")},
    }
