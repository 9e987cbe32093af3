"""What a search found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, TypedDict

from elman.estimators.base import RecurrentEstimator


class TrialRecord(TypedDict):
    """One finished trial."""

    number: int  # from 1, which has the parameters that the search started from
    state: str  # 'complete', 'pruned' where it fell behind, or 'failed' where training broke down
    loss: float | None  # mean over folds of the lowest validation loss; None unless complete
    fold_losses: list[float]  # of each fold that was finished
    epochs: int  # over all folds
    seconds: float
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Gain:
    """By how much the best trial beats the first, fold by fold.

    mean : float, mean over folds of the difference of the losses
    error : float or None, standard error of it; None with one fold
    n_better : folds in which the best trial's loss is the lower one
    n_folds : int
    """

    mean: float
    error: float | None
    n_better: int
    n_folds: int


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    trials : list of TrialRecord
        All finished ones, those of earlier runs included; the first has the parameters that the search started from.
    best : TrialRecord
        The complete trial with the lowest loss. That loss chose it, so it looks better than it is: measure on data that
        the search never saw.
    space : dict from parameter to str
        What was searched.
    importances : dict from parameter to float
        How much of reaching the best tenth of the losses each parameter explains, greatest first, 1 in all (PED-ANOVA);
        empty where too few trials were completed to tell.
    estimator : RecurrentEstimator
        With the best parameters; fitted on all data, unless ``refit=False``.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    trials: list[TrialRecord]
    best: TrialRecord
    space: dict[str, str]
    importances: dict[str, float]
    estimator: RecurrentEstimator
    interrupted: bool

    @property
    def best_parameters(self) -> dict[str, Any]:
        """The values that the best trial had of what was searched."""
        return self.best["parameters"]

    @property
    def best_loss(self) -> float:
        """The loss of the best trial."""
        return self.best["loss"] if self.best["loss"] is not None else math.inf

    @property
    def start(self) -> TrialRecord:
        """The first trial."""
        return self.trials[0]

    @property
    def gain(self) -> Gain | None:
        """By how much the best trial beats the first; None where that one broke down.

        >>> from elman.search.result import compare
        >>> compare([0.5, 0.6, 0.4], [0.4, 0.5, 0.4]).n_better
        2
        """
        return compare(self.start["fold_losses"], self.best["fold_losses"]) if self.start["loss"] is not None else None


def compare(before: list[float], after: list[float]) -> Gain:
    """Compare two trials by their losses on the same folds."""
    differences = [a - b for a, b in zip(before, after, strict=True)]
    n = len(differences)
    error = stdev(differences) / math.sqrt(n) if n > 1 else None
    return Gain(fmean(differences), error, sum(difference > 0 for difference in differences), n)
