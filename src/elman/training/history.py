"""What happened in training: a list of plain records. Printing, plotting and logging are readers of it."""

from dataclasses import dataclass, field
from typing import NotRequired, TypedDict


class Record(TypedDict):
    """One epoch."""

    epoch: int  # from 1
    training_loss: float  # mean over the epoch's batches, each before its update
    training_accuracy: float
    validation_loss: float | None  # None without validation data
    validation_accuracy: float | None
    gradient_norm: float  # before clipping, mean over the epoch's batches
    learning_rate: float
    seconds: float
    sequences_per_second: float
    member: NotRequired[int]  # from 1, where several networks are trained at a time and hooks are told of all


@dataclass
class History:
    """The records of a training run, and how it ended."""

    records: list[Record] = field(default_factory=list)
    best_epoch: int | None = None  # the epoch whose parameters were kept; None if not a single one was finished
    stopped_early: bool = False
    interrupted: bool = False

    @property
    def best(self) -> Record | None:
        """The record of the epoch whose parameters were kept."""
        return None if self.best_epoch is None else self.records[self.best_epoch - 1]
