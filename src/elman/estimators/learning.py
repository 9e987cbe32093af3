"""A training run as an estimator sees it: who is told of its epochs, what is printed, what it came to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from elman.errors import ParameterError
from elman.estimators.evaluation import FIGURES, Evaluation
from elman.estimators.parameters import in_python
from elman.estimators.parts import Part
from elman.estimators.progress import epoch_line, going_on_line, tell_if_slow
from elman.training.callbacks import Callback, Callbacks, Run, StepRecord
from elman.training.checkpoint import Checkpoint
from elman.training.health import Finding
from elman.training.history import History, Record


class ShortForms(Callback):
    """Calls the functions ``on_epoch`` and ``on_step`` of `fit`, where they are given."""

    of_every_member = True

    def __init__(
        self, on_epoch: Callable[[Record], object] | None, on_step: Callable[[int, int], object] | None
    ) -> None:
        self._on_epoch, self._on_step = on_epoch, on_step

    def on_step_end(self, step: StepRecord) -> None:
        """Tell the steps done in this epoch, and how many there are."""
        if self._on_step is not None:
            self._on_step(step["step_in_epoch"], step["n_steps_in_epoch"])

    def on_epoch_end(self, record: Record) -> object:
        """Tell the record; True ends training."""
        return self._on_epoch is not None and self._on_epoch(record)


class OfRefit(Callbacks):
    """Tells a callback of the run on all data, and says so in its `Run`."""

    def __init__(self, callback: Callback) -> None:
        super().__init__([callback])
        self.of_every_member = callback.of_every_member  # type: ignore[misc]

    def on_train_begin(self, run: Run) -> None:
        """Tell of the run that it is one on all data."""
        super().on_train_begin(replace(run, is_refit=True))


class Printer(Callback):
    """Prints a line an epoch.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        What the run may go on from.
    """

    of_every_member = True

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        self._checkpoint, self._max_epochs = checkpoint, 0
        self._timer: threading.Timer | None = None

    def on_train_begin(self, run: Run) -> None:
        """Say where the run goes on from, and after a while why it has not begun."""
        self._max_epochs = run.max_epochs
        if run.is_resumed and self._checkpoint is not None:
            print(going_on_line(run, self._checkpoint.path), flush=True)
        self._stop_waiting()
        self._timer = tell_if_slow(lambda line: print(line, flush=True))

    def on_step_end(self, step: StepRecord) -> None:
        """Note that it has begun."""
        self._stop_waiting()

    def on_epoch_end(self, record: Record) -> None:
        """Print the line."""
        print(epoch_line(record, self._max_epochs), flush=True)

    def on_train_end(self, history: History) -> None:
        """Print no more."""
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def as_callbacks(callbacks: Any) -> list[Callback]:
    """Give the callbacks that were passed to `fit`; raise ParameterError if they are none."""
    found = list(callbacks) if isinstance(callbacks, list | tuple) else [] if callbacks is None else callbacks
    wrong = found if not isinstance(found, list) else next((each for each in found if not _is_callback(each)), None)
    if wrong is not None:
        raise ParameterError(
            "The 'callbacks' parameter of fit must be a list of elman.training.callbacks.Callback. "
            f"Got {'' if wrong is found else 'one with '}{type(wrong).__name__} instead."
        )
    checked: list[Callback] = found
    return checked


def _is_callback(value: Any) -> bool:
    return isinstance(value, Callback)


def as_checkpoint(path: str | os.PathLike[str] | None, every: float, random_state: Any) -> Checkpoint | None:
    """Give the checkpoint that `fit` was called with, None without; raise ParameterError if it cannot work."""
    is_number = isinstance(every, int | float) and not isinstance(every, bool) and every >= 0
    if not is_number:
        raise ParameterError(
            f"The 'every' parameter of fit must be a number of minutes of at least 0. Got {every!r} instead."
        )
    if path is None:
        return None
    if random_state is None:
        raise ParameterError(
            "The 'random_state' parameter must be set where a checkpoint is kept, so that the same training can be "
            "begun again. Got None instead; pass random_state=0."
        )
    return Checkpoint(path, every)


def as_validation(validation: Any, of: str = "fit") -> tuple[Any, Any, Any]:
    """Give X, y and sample_weight, or None, of a validation part passed to `fit`; raise ParameterError for others."""
    if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
        raise ParameterError(
            f"{in_python('validation', of)} must be a tuple (X, y) or (X, y, sample_weight). "
            f"Got {type(validation).__name__} instead."
        )
    X, y, sample_weight = (*validation, None)[:3]
    return X, y, sample_weight


def summary(
    histories: Sequence[History],
    training: Part,
    held_out: Part | None,
    figures: Evaluation | None,
    seconds: float,
    learning_rate: float,
    chosen: dict[str, Any],
    n_refit: int = 0,
    health: Sequence[Finding] = (),
    fingerprint: str | None = None,
) -> dict[str, Any]:
    """Give what training came to, as `training_` keeps it: that of the first member, and in short of every member."""
    history = histories[0]
    return {
        "epochs": len(history.records),
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "learning_rate": learning_rate,
        "n_training": len(training.sequences),
        "n_validation": 0 if held_out is None else len(held_out.sequences),
        "n_refit": n_refit,
        "chosen": chosen,
        "stopped_early": bool(history.stopped_early),
        "interrupted": any(history.interrupted for history in histories),
        "members": [{"epochs": len(history.records), "best_epoch": history.best_epoch} for history in histories],
        "validation": as_dict(figures),
        "health": [finding._asdict() for finding in health],
        "fingerprint": fingerprint,
    }


def as_dict(figures: Evaluation | None) -> dict[str, Any] | None:
    """Give figures on the validation part as `training_` keeps them, without its confusion matrix."""
    return None if figures is None else {name: getattr(figures, name) for name in (*FIGURES, "baselines")}
