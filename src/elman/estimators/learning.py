"""A training run as an estimator sees it: who is told of its epochs, what is printed, what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from elman.estimators.evaluation import FIGURES, Evaluation
from elman.estimators.parts import Part
from elman.estimators.progress import epoch_line, tell_if_slow
from elman.training.history import History, Record


@dataclass(frozen=True)
class Hooks:
    """Who is called in training; each may be None.

    before_epoch(epoch) counts from 1; on_epoch(record) ends training by returning True; on_step(done, total) is called
    after each step of the optimizer.
    """

    before_epoch: Callable[[int], object] | None = None
    on_epoch: Callable[[Record], object] | None = None
    on_step: Callable[[int, int], object] | None = None


@contextmanager
def printing(hooks: Hooks, max_epochs: int) -> Iterator[Hooks]:
    """Give hooks that print a line an epoch, and then do what ``hooks`` do."""
    timer = tell_if_slow(lambda line: print(line, flush=True))

    def print_epoch(record: Record) -> object:
        print(epoch_line(record, max_epochs), flush=True)
        return hooks.on_epoch is not None and hooks.on_epoch(record)

    def note_step(done: int, total: int) -> None:
        timer.cancel()
        if hooks.on_step is not None:
            hooks.on_step(done, total)

    try:
        yield replace(hooks, on_epoch=print_epoch, on_step=note_step)
    finally:
        timer.cancel()


def summary(
    histories: Sequence[History], training: Part, held_out: Part | None, figures: Evaluation | None, seconds: float
) -> dict[str, Any]:
    """Give what training came to, as `training_` keeps it: that of the first member, and in short of every member."""
    history = histories[0]
    return {
        "epochs": len(history.records),
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "n_training": len(training.sequences),
        "n_validation": 0 if held_out is None else len(held_out.sequences),
        "stopped_early": bool(history.stopped_early),
        "interrupted": any(history.interrupted for history in histories),
        "members": [{"epochs": len(history.records), "best_epoch": history.best_epoch} for history in histories],
        "validation": None if figures is None else {name: getattr(figures, name) for name in (*FIGURES, "baselines")},
    }
