"""The search itself: candidates that Optuna chooses, trained and measured one after the other."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from elman.errors import TrainingError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.folds import Folds
from elman.search.pruning import Curve, falls_behind
from elman.search.result import TrialRecord
from elman.search.space import Space, filled, start_of
from elman.search.study_file import StudyFile, damaged
from elman.search.suggestion import distribution, suggest
from elman.search.trial import Ending, Run, run_trial
from elman.training.callbacks import says_to_end
from elman.training.history import Record

_FEWEST = 8  # complete trials from which importances can be told
_SHARE = 10  # of the epochs: no trial is given up in the first tenth of them
_MOST = 10  # epochs of which that is at most
_RUN = "run"  # attribute of a trial: what there is to know of it beside its value


class Search:
    """Trials in memory, and each in the file too once it is finished.

    What a trial is depends on the finished ones and the seed alone, so that a search that goes on from a file finds
    what it would have found uninterrupted.

    Parameters
    ----------
    estimator : class of the candidates
    parameters : dict
        Those of the estimator; ``random_state`` is the seed.
    space : Space
    folds : Folds, or list of dict
        The arguments of `fit` for each fold.
    file : StudyFile or None
    """

    def __init__(
        self,
        estimator: type[RecurrentEstimator],
        parameters: Mapping[str, Any],
        space: Space,
        folds: Folds | list[dict[str, Any]],
        file: StudyFile | None,
    ) -> None:
        self._estimator, self._parameters, self._space, self._folds = estimator, dict(parameters), space, folds
        self._file = file
        self._study = optuna.create_study(direction="minimize")
        self._curves: list[Curve] = []  # of the complete trials
        self.records: list[TrialRecord] = []
        if file is not None:
            self._take_over(file)

    def _take_over(self, file: StudyFile) -> None:
        for trial in file.trials():
            if not _is_sound(trial, self._space, len(self._folds)):
                raise damaged(file.path, f"trial {len(self.records) + 1} is none of this search")
            self._study.add_trial(trial)
            self._note(trial)

    def run(
        self,
        n_trials: int,
        timeout: float | None,
        on_trial: Callable[[TrialRecord], object] | None,
        on_epoch: Callable[[int, Record], object] | None,
    ) -> bool:
        """Run trials until there are so many, the time is over, or a callback or Ctrl-C ends it; tell of the last.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C comes before a trial was completed.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        try:
            while len(self.records) < n_trials and not (self._curves and time.monotonic() > deadline):
                ending = self._trial(deadline, on_epoch)
                if ending == "interrupted":
                    raise KeyboardInterrupt
                if ending == "cut short" or (on_trial is not None and says_to_end(on_trial(self.records[-1]))):
                    break
        except KeyboardInterrupt:
            if not self._curves:
                raise
            return True
        return False

    def best(self) -> TrialRecord:
        """Give the complete trial of the lowest loss, the first of equals.

        Raises
        ------
        TrainingError
            If training broke down in every trial.
        """
        complete = [(record["loss"], record["number"]) for record in self.records if record["loss"] is not None]
        if not complete:
            trouble = self._study.get_trials(deepcopy=False)[0].user_attrs[_RUN]["trouble"]
            raise TrainingError(f"Training broke down in every trial of the search. In the first: {trouble}")
        return self.records[min(complete)[1] - 1]

    def importances(self) -> dict[str, float]:
        """Give how much each parameter explains, greatest first; nothing where there are too few complete trials."""
        if len(self._curves) < _FEWEST:
            return {}
        with warnings.catch_warnings():  # of the few trials that had dropout, or had none
            warnings.simplefilter("ignore", UserWarning)
            found = optuna.importance.get_param_importances(self._study)
        return {name: float(share) for name, share in found.items() if math.isfinite(share)}

    def _trial(self, deadline: float, on_epoch: Callable[[int, Record], object] | None) -> Ending:
        """Choose a candidate, train it, and keep what it came to, unless it was ended from outside."""
        number = len(self.records)
        seed = np.random.SeedSequence([self._parameters["random_state"], number]).generate_state(1)[0]
        self._study.sampler = optuna.samplers.TPESampler(seed=int(seed), constant_liar=False)
        if number == 0:
            self._study.enqueue_trial(start_of(self._space, self._parameters))
        trial, values = suggest(self._study, self._space, self._parameters)
        candidate = self._estimator(**{**self._parameters, **values, "warm_start": False, "verbose": False})
        n_epochs = candidate.max_epochs
        first_look = min(math.ceil(n_epochs / _SHARE), _MOST) if isinstance(n_epochs, int) else _MOST

        def look(step: int, loss: float, record: Record) -> Ending | None:
            wants_to_stop = on_epoch is not None and says_to_end(on_epoch(number + 1, record))
            if wants_to_stop or (self._curves and time.monotonic() > deadline):
                return "cut short"
            return "pruned" if step >= first_look and falls_behind(loss, step, self._curves) else None

        run = run_trial(candidate, self._folds, look)
        if run.ending in ("cut short", "interrupted"):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._finish(trial, run)
        return run.ending

    def _finish(self, trial: optuna.Trial, run: Run) -> None:
        for step, loss in run.curve.items():
            trial.report(loss, step)
        trial.set_user_attr(_RUN, {name: getattr(run, name) for name in ("losses", "epochs", "seconds", "trouble")})
        if run.ending == "complete":
            finished = self._study.tell(trial, fmean(run.losses))
        else:
            finished = self._study.tell(trial, state=TrialState.PRUNED)
        if self._file is not None:
            self._file.add(finished)
        self._note(finished)

    def _note(self, trial: FrozenTrial) -> None:
        is_complete = trial.state == TrialState.COMPLETE
        run = trial.user_attrs[_RUN]
        if is_complete:
            self._curves.append(Curve(trial.intermediate_values))
        self.records.append(
            {
                "number": len(self.records) + 1,
                "state": "complete" if is_complete else "failed" if run["trouble"] else "pruned",
                "loss": trial.value if is_complete else None,
                "fold_losses": run["losses"],
                "epochs": run["epochs"],
                "seconds": run["seconds"],
                "parameters": filled(trial.params, self._space),
            }
        )


def _is_sound(trial: FrozenTrial, space: Space, n_folds: int) -> bool:
    """Tell whether a trial is one that a search of this space could have written."""
    run = trial.user_attrs.get(_RUN)
    if not isinstance(run, dict) or run.keys() != {"losses", "epochs", "seconds", "trouble"}:
        return False
    kinds = {"losses": list, "epochs": int, "seconds": float, "trouble": str}
    if any(type(run[name]) is not kind for name, kind in kinds.items()):
        return False
    numbers = [*run["losses"], run["seconds"], *trial.intermediate_values.values()]
    if not all(type(number) is float and math.isfinite(number) for number in numbers):
        return False
    if filled(trial.params, space).keys() != space.keys() or not all(
        space[name].holds(value) and trial.distributions[name] == distribution(space[name])
        for name, value in trial.params.items()
    ):
        return False
    if trial.state == TrialState.COMPLETE:
        return len(run["losses"]) == n_folds and trial.value == fmean(run["losses"]) and bool(trial.intermediate_values)
    return len(run["losses"]) < n_folds
