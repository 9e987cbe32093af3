"""How far a training run has come: what its epochs were, which is the best, how the running one goes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from elman.training.history import Flow, History, Record
from elman.training.settings import TrainingSettings


class StepResult(NamedTuple):
    """What one update saw before it changed anything, and how it changed it."""

    loss: float
    correct: float  # the sum of the weights of what was right
    scored: float  # the sum of the weights of all: without weights the labelled sequences, or steps
    gradient_norm: float  # before clipping
    learning_rate: float = 0.0  # 0 where nothing was scored, and so nothing learned
    is_clipped: bool = False
    update_ratio: float = 0.0


@dataclass
class Progress:
    """The counters of a training run.

    Parameters
    ----------
    epoch : int
        The one that is running, or about to; from 1.
    results : list of StepResult
        Of the steps that are done in it.
    seconds : float
        That these took.
    history : History
    lowest : float
        The lowest validation loss so far.
    mark, mark_epoch : float, int
        The validation loss that patience counts from, and its epoch.
    first_loss : float or None
        That of the very first step.
    n_too_large : int
        Steps in a row up to now whose loss was too large.
    rollbacks : int
    is_finished : bool
    flow : Flow or None
        How far back the gradient reaches in the running epoch, once it is known.
    """

    epoch: int = 1
    results: list[StepResult] = field(default_factory=list)
    seconds: float = 0.0
    history: History = field(default_factory=History)
    lowest: float = math.inf
    mark: float = math.inf
    mark_epoch: int = 0
    first_loss: float | None = None
    n_too_large: int = 0
    rollbacks: int = 0
    is_finished: bool = False
    flow: Flow | None = None

    def copy(self) -> Progress:
        """Give a copy that further training leaves alone."""
        history = replace(self.history, records=list(self.history.records))
        return replace(self, results=list(self.results), history=history)

    def end_epoch(self, record: Record, settings: TrainingSettings) -> bool:
        """Take note of an epoch; return whether it is the best so far."""
        loss, epoch = record["validation_loss"], self.epoch
        self.history.records.append(record)
        self.epoch, self.results, self.seconds, self.flow = epoch + 1, [], 0.0, None
        is_best = loss is None or loss < self.lowest
        if is_best:
            self.history.best_epoch = epoch
            self.lowest = math.inf if loss is None else loss
        if loss is not None and loss < self.mark - settings.tol:
            self.mark, self.mark_epoch = loss, epoch
        patience = settings.n_iter_no_change if settings.early_stopping else None
        if loss is not None and patience is not None and epoch - self.mark_epoch >= patience:
            self.stop()
        self.is_finished = self.is_finished or epoch >= settings.max_epochs
        return is_best

    def stop(self, *, told: bool = False) -> None:
        """End training before its last epoch, as its own rules say, or as a callback has told."""
        self.history.stopped_early = self.is_finished = True
        self.history.told_to_stop = told

    def record(
        self, validation: tuple[float, float] | tuple[None, None], *, n_sequences: int, steps_per_epoch: int
    ) -> Record:
        """Give the record of the running epoch, whose steps are done."""
        results = self.results
        most = max(result.scored for result in results) or 1.0  # weights may be as large as numbers go
        shares = [result.scored / most for result in results]
        total = sum(shares) or 1.0
        record = Record(
            epoch=self.epoch,
            training_loss=sum(result.loss * share for result, share in zip(results, shares)) / total,
            training_accuracy=sum(result.correct / most for result in results) / total,
            validation_loss=validation[0],
            validation_accuracy=validation[1],
            gradient_norm=sum(result.gradient_norm for result in results) / len(results),
            clipped_share=sum(result.is_clipped for result in results) / len(results),
            update_ratio=sum(result.update_ratio for result in results) / len(results),
            learning_rate=next((result.learning_rate for result in reversed(results) if result.scored), 0.0),
            steps=(self.epoch - 1) * steps_per_epoch + len(results),
            rollbacks=self.rollbacks,
            seconds=self.seconds,
            sequences_per_second=n_sequences / self.seconds,
        )
        record.update(self.flow or {})  # type: ignore[typeddict-item]
        return record
