"""What happened in training: a list of plain records. Printing, plotting and logging are readers of it."""

from dataclasses import dataclass, field
from typing import NotRequired, TypedDict


class Flow(TypedDict, total=False):
    """How far back the gradient reaches, in the layer and direction where it reaches back least.

    Of the first batch of the epoch, or, where epochs are so short that watching would be felt, of an earlier one. See
    `elman.network.flow.HiddenGradients`. Ratio and vanished are the largest of all layers and directions. Absent from
    records of before it was noted, and until something is learned.
    """

    flow_of: str  # "l0", "l0_reverse" and so on
    flow_ratio: float  # norm of dL/dh, of an LSTM dL/dc, at the first step that is read over that at the last; median
    flow_vanished: float  # share of steps whose norm is below 1e-6 of their sequence's largest
    flow_memory: int  # steps until the norm is a tenth of its greatest
    flow_steps: int  # that a twentieth of the batch's sequences have at least: as far back as the profile goes
    # The norm, relative to the largest of its sequence, at up to 48 evenly spaced lags from 0 to flow_steps - 1:
    # median, four digits.
    flow_profile: list[float]


class Record(Flow):
    """One epoch."""

    epoch: int  # from 1
    training_loss: float  # mean over the epoch's batches, each before its update
    training_accuracy: float
    validation_loss: float | None  # None without validation data
    validation_accuracy: float | None
    gradient_norm: float  # before clipping, mean over the epoch's steps
    clipped_share: float  # of the epoch's steps
    update_ratio: float  # Euclidean norm of a step's change over that of the parameters, mean over the epoch's steps
    learning_rate: float  # of the epoch's last step
    steps: int  # of the optimizer, so far
    rollbacks: int  # 1 once training broke down and went on from a good state at half the rate, before that 0
    seconds: float  # without validation
    sequences_per_second: float
    member: NotRequired[int]  # from 1, where a callback is told of several; not in a History


@dataclass
class History:
    """The records of a training run, and how it ended."""

    records: list[Record] = field(default_factory=list)
    best_epoch: int | None = None  # the epoch whose parameters were kept; None if not a single one was finished
    stopped_early: bool = False
    told_to_stop: bool = False  # by a callback
    interrupted: bool = False
    error: str | None = None  # what ended it, where that was an error

    @property
    def best(self) -> Record | None:
        """The record of the epoch whose parameters were kept."""
        return None if self.best_epoch is None else self.records[self.best_epoch - 1]
