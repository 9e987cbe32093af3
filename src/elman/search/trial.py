"""One trial: a candidate trained on fold after fold, given up where it falls behind."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from elman.errors import ParameterError, TrainingError
from elman.estimators.base import RecurrentEstimator
from elman.training.history import Record

FOLD_STEPS = 1_000_000  # between the first steps of two folds: more than any number of epochs

Ending = Literal["complete", "pruned", "failed", "cut short", "interrupted"]
Look = Callable[[int, float, Record], "Ending | None"]
"""Called after each epoch with its step, the loss so far and its record; ends the trial by telling how."""


@dataclass
class Run:
    """What a trial came to.

    Parameters
    ----------
    ending : str
        'complete' where every fold was finished, 'pruned' where it fell behind, 'failed' where training broke down,
        'cut short' where the search ended meanwhile, 'interrupted' by Ctrl-C.
    losses : list of float
        The lowest validation loss of each fold that was finished.
    curve : dict from step to float
        After each epoch the mean of these and of the lowest loss so far in the fold that runs.
    epochs : int
        Over all folds.
    trouble : str
        Why training broke down, or ''.
    """

    ending: Ending = "complete"
    losses: list[float] = field(default_factory=list)
    curve: dict[int, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    trouble: str = ""


def run_trial(candidate: RecurrentEstimator, folds: Iterable[dict[str, Any]], look: Look) -> Run:
    """Train a candidate on every fold, as long as ``look`` lets it.

    Parameters
    ----------
    candidate : RecurrentEstimator
    folds : iterable of dict
        The arguments of `fit` for each fold.
    look : Look
    """
    start = time.monotonic()
    run = Run()
    candidate.set_params(refit=False, n_members=1)  # what counts is how one does that has not seen the fold
    for number, arguments in enumerate(folds):
        _run_fold(candidate, number, arguments, run, look)
        if run.ending != "complete":
            break
    run.seconds = time.monotonic() - start
    return run


def _run_fold(candidate: RecurrentEstimator, number: int, arguments: dict[str, Any], run: Run, look: Look) -> None:
    lowest = math.inf

    def follow(record: Record) -> bool:
        nonlocal lowest
        run.epochs += 1
        loss = record["validation_loss"]
        lowest = loss if loss is not None and loss < lowest else lowest
        step, so_far = number * FOLD_STEPS + record["epoch"], fmean([*run.losses, lowest])
        if math.isfinite(so_far):
            run.curve[step] = so_far
        run.ending = look(step, so_far, record) or run.ending
        return run.ending != "complete"

    try:
        with warnings.catch_warnings():  # they are of the data, or of a combination that nobody chose
            warnings.simplefilter("ignore", UserWarning)
            candidate.fit(**arguments, on_epoch=follow)
    except (TrainingError, ParameterError) as error:
        run.ending, run.trouble = "failed", str(error)
        return
    if candidate.training_["interrupted"]:
        run.ending = "interrupted"
    elif run.ending == "complete" and not math.isfinite(lowest):
        run.ending, run.trouble = "failed", "The validation loss is not finite."
    elif run.ending == "complete":
        run.losses.append(lowest)
