"""What all that watch a run need to know: which steps to write, and how a run ended."""

from __future__ import annotations

from typing import TypedDict

from elman.errors import ParameterError
from elman.training.callbacks import StepRecord
from elman.training.history import History


class Ending(TypedDict):
    """How a training run ended."""

    epochs: int  # that were finished
    best_epoch: int | None  # whose parameters were kept
    reason: str  # "max_epochs", "stopped" (by patience or a callback), "interrupted" or "error"
    error: str | None


def check_every(every: int | None) -> None:
    """Raise ParameterError unless each so many-th step can be written.

    >>> check_every(0)
    Traceback (most recent call last):
    elman.errors.ParameterError: The 'every' parameter must be an int in the range [1, inf) or None. Got 0 instead.
    """
    if every is not None and (not isinstance(every, int) or isinstance(every, bool) or every < 1):
        raise ParameterError(
            f"The 'every' parameter must be an int in the range [1, inf) or None. Got {every!r} instead."
        )


def is_due(step: StepRecord, every: int | None) -> bool:
    """Tell whether a step is to be written, if each so many-th is.

    >>> [number for number in range(1, 8) if is_due({"step": number}, 3)]
    [3, 6]
    """
    return every is not None and step["step"] % every == 0


def ending(history: History) -> Ending:
    """Give how a run ended, as plain data.

    >>> ending(History(best_epoch=None, interrupted=True))
    {'epochs': 0, 'best_epoch': None, 'reason': 'interrupted', 'error': None}
    """
    reason = "stopped" if history.stopped_early else "max_epochs"
    if history.error is not None or history.interrupted:
        reason = "interrupted" if history.interrupted else "error"
    return Ending(epochs=len(history.records), best_epoch=history.best_epoch, reason=reason, error=history.error)
