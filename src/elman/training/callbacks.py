"""Who watches training, and may end it: hooks at its begin and end, around every epoch, after every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NotRequired, TypedDict

import numpy as np

from elman.training.history import History, Record
from elman.training.settings import TrainingSettings

if TYPE_CHECKING:
    from elman.network.architecture import Architecture


@dataclass(frozen=True)
class Run:
    """What a training run is going to be, as far as it is known when it begins.

    Parameters
    ----------
    settings : TrainingSettings
    architecture : Architecture
    n_sequences, n_validation : int
        How many sequences are trained on and validated with; 0 where there is no validation part.
    steps_per_epoch : int
        Steps of the optimizer in an epoch.
    n_parameters, max_epochs : int
    first_epoch, first_step : int
        1, or what an interrupted run goes on with, which may be in the middle of an epoch.
    is_resumed : bool
        Whether it goes on from a checkpoint.
    is_finished : bool
        Whether that is of a run that was finished, so that nothing is left to do.
    is_refit : bool
        Whether it trains on all data what a run before was validated on.
    """

    settings: TrainingSettings
    architecture: Architecture
    n_sequences: int
    n_validation: int
    steps_per_epoch: int
    n_parameters: int
    max_epochs: int
    first_epoch: int = 1
    first_step: int = 1
    is_resumed: bool = False
    is_finished: bool = False
    is_refit: bool = False


class StepRecord(TypedDict):
    """One step of the optimizer."""

    step: int  # from 1, over all epochs
    epoch: int
    step_in_epoch: int  # from 1
    n_steps_in_epoch: int
    loss: float  # before the step
    gradient_norm: float  # before clipping
    is_clipped: bool
    update_ratio: float  # Euclidean norm of the change over that of the parameters
    learning_rate: float
    member: NotRequired[int]  # from 1, where a callback is told of several


class Callback:
    """Watches a training run. Methods do nothing until a subclass says what.

    Where a run goes back after a breakdown, the epochs from there on begin and end once more, with `rollbacks` at 1 in
    their records.

    Examples
    --------
    >>> class UntilLossIsLow(Callback):
    ...     def on_epoch_end(self, record):
    ...         return record["training_loss"] < 0.1

    Of an estimator with several members it is told of the first alone. One with ``of_every_member = True`` is told of
    each, one call at a time, with the number of the member in its records, and ends the training of that one.

    Where an estimator trains once more on all data, one with ``of_refit = True`` is told of that run too, which its
    `Run` says. A callback that has ended the first run thereby calls the second off.
    """

    of_every_member: ClassVar[bool] = False
    of_refit: ClassVar[bool] = False

    def on_remark(self, sentence: str) -> None:
        """Something that the user may not expect was chosen before training, or a problem showed while it goes on."""

    def on_train_begin(self, run: Run) -> None:
        """Training begins, or goes on."""

    def on_epoch_begin(self, epoch: int) -> None:
        """An epoch begins, or goes on; counted from 1."""

    def on_step_end(self, step: StepRecord) -> object:
        """A step of the optimizer was made. True ends training; the epoch is closed with what it has seen."""

    def on_epoch_end(self, record: Record) -> object:
        """An epoch was made and validated. True ends training."""

    def on_train_end(self, history: History) -> None:
        """Training is over, also where an error or Ctrl-C ended it."""


def says_to_end(answer: object) -> bool:
    """Whether an answer is True, of Python or NumPy; what is only taken for true, such as a loss, ends nothing.

    >>> says_to_end(np.float64(0.1) < 0.2), says_to_end(0.1)
    (True, False)
    """
    return isinstance(answer, bool | np.bool_) and bool(answer)


class Callbacks(Callback):
    """Several callbacks as one. Each is told, whatever the others return."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = tuple(callbacks)

    def on_remark(self, sentence: str) -> None:
        """Tell all."""
        for callback in self._callbacks:
            callback.on_remark(sentence)

    def on_train_begin(self, run: Run) -> None:
        """Tell all."""
        for callback in self._callbacks:
            callback.on_train_begin(run)

    def on_epoch_begin(self, epoch: int) -> None:
        """Tell all."""
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch)

    def on_step_end(self, step: StepRecord) -> bool:
        """Tell all; True if any returns True."""
        answers = [callback.on_step_end(step) for callback in self._callbacks]
        return any(map(says_to_end, answers))

    def on_epoch_end(self, record: Record) -> bool:
        """Tell all; True if any returns True."""
        answers = [callback.on_epoch_end(record) for callback in self._callbacks]
        return any(map(says_to_end, answers))

    def on_train_end(self, history: History) -> None:
        """Tell all."""
        for callback in self._callbacks:
            callback.on_train_end(history)
