"""`tune`: parameters chosen by the loss on sequences that a candidate was not trained on."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from typing import Any

from elman.errors import ParameterError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.constraints import LARGEST_FLOAT, Number, OrNone
from elman.estimators.folds import Folds, Labelled
from elman.estimators.learning import as_validation
from elman.estimators.parameters import check_parameters, in_python
from elman.extras import library
from elman.search.plan import Plan
from elman.search.result import SearchResult, TrialRecord
from elman.search.space import make_space
from elman.training.history import Record

_LIMITS: dict[str, Number | OrNone] = {
    "n_trials": Number(int, 1, 10**6, "both"),
    "folds": Number(int, 1, 1000, "both"),
    "timeout": OrNone(Number(float, 0, LARGEST_FLOAT, "neither")),
}


def tune(
    estimator: RecurrentEstimator,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    groups: Any = None,
    validation: tuple[Any, ...] | None = None,
    space: Mapping[str, Any] | None = None,
    pinned: Collection[str] = (),
    n_trials: int = 50,
    timeout: float | None = None,
    folds: int = 3,
    study: str | os.PathLike[str] | None = None,
    refit: bool = True,
    on_begin: Callable[[dict[str, str], list[TrialRecord]], object] | None = None,
    on_trial: Callable[[TrialRecord], object] | None = None,
    on_epoch: Callable[[int, Record], object] | None = None,
) -> SearchResult:
    """Search for parameters that lower the validation loss.

    The first trial has the parameters of the estimator as it is, so that the best is never worse by that loss. Further
    ones are chosen by a tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023), and given up where
    their loss falls behind the median of the finished ones.

    Parameters
    ----------
    estimator : SequenceClassifier or SequenceTagger
        Parameters that are not at their default values stay as they are. Its ``random_state`` seeds the search and
        every trial: the same seed, data and ``n_trials`` give the same result, also where a study was interrupted.
    X, y, sample_weight, groups : as for `fit`
    validation : tuple (X, y) or (X, y, sample_weight), optional
        What losses are measured on, instead of folds; with ``folds=1``.
    space : dict from parameter to `Range` or list, optional
        What is to be searched of a parameter, instead of what is usual, or beside it.
    pinned : names of parameters that stay as they are, optional
    n_trials : int
        Finished trials in all, those of earlier runs on the same study included.
    timeout : float or None
        Seconds after which the search ends, but not before the first trial.
    folds : int
        Folds of a cross-validation by class, or by whole groups where groups are given; 1: a single validation part, as
        `fit` sets one aside.
    study : path, optional
        A SQLite file that finished trials are written to; if it is there, the search goes on from it.
    refit : bool
        Whether to train with the best parameters on all data.
    on_begin : callable(space, trials), optional
        Called before the first trial with what is searched, and the trials of earlier runs.
    on_trial : callable(record), optional
        Called after each finished trial; the search ends if it returns True.
    on_epoch : callable(number, record), optional
        Called after each epoch with the number of the trial; the search ends if it returns True.

    Raises
    ------
    ParameterError, DataError
        As for `fit`, or if the space, the folds or the limits break their contract.
    MissingExtraError
        If Optuna, of the extra ``elman[tune]``, is not installed.
    FileError, OutputError
        If ``study`` is of other data or settings, damaged, or cannot be written.
    TrainingError
        If training broke down in every trial.

    Ctrl-C ends the search and keeps the best so far.

    Examples
    --------
    >>> import numpy as np
    >>> from elman import SequenceClassifier
    >>> from elman.search.domains import Range
    >>> rng = np.random.default_rng(0)
    >>> X = [np.cumsum(rng.normal(slope, 1.0, size=rng.integers(8, 12))) for slope in [-0.5, 0.5] * 10]
    >>> y = ["falls", "rises"] * 10
    >>> classifier = SequenceClassifier(hidden_size=4, max_epochs=5, random_state=0)
    >>> space = {"learning_rate": Range(1e-3, 1e-1), "batch_size": [4, 8]}
    >>> found = tune(classifier, X, y, space=space, pinned=["cell"], n_trials=3, folds=2)
    >>> found.best_loss <= found.start["loss"]
    True
    """
    check_limits({"n_trials": n_trials, "folds": folds, "timeout": timeout}, lambda name: in_python(name, "tune"))
    parameters = estimator.get_params(deep=False)
    check_parameters(parameters, estimator._called)
    _check_measure(parameters, folds, validation)
    searched = make_space(parameters, type(estimator)().get_params(deep=False), space, pinned)
    if not searched:
        raise ParameterError("There must be a parameter to search. Got none: all are pinned; name one in 'space'.")
    library("optuna", extra="tune")
    from elman.search.search import Search
    from elman.search.study_file import open_study, quiet

    whole = Labelled.read(estimator, X, y, sample_weight, groups)
    other = None if validation is None else Labelled.read(estimator, *as_validation(validation, "tune"), None)
    plan = Plan.of(estimator, whole, other, searched, folds)
    with quiet(), nullcontext() if study is None else open_study(study) as file:
        plan = plan.seeded(parameters["random_state"]) if file is None else file.going_on(plan)
        parameters["random_state"] = plan.seed
        parts: Folds | list[dict[str, Any]] = [whole.arguments(other)]
        if folds > 1:
            parts = Folds.of(whole, folds, every_step=estimator.every_step, seed=parameters["random_state"])
        search = Search(type(estimator), parameters, searched, parts, file)
        if on_begin is not None:
            on_begin(plan.space, list(search.records))
        interrupted = search.run(n_trials, timeout, on_trial, on_epoch)
        best, importances = search.best(), search.importances()
    found = type(estimator)(**{**parameters, **best["parameters"]})
    if refit:
        found.fit(X, y, sample_weight, groups=groups, validation=validation)
    return SearchResult(search.records, best, plan.space, importances, found, interrupted)


def check_limits(limits: Mapping[str, object], called: Callable[[str], str]) -> None:
    """Raise ParameterError for the first of ``n_trials``, ``folds`` and ``timeout`` that breaks its contract."""
    for name, value in limits.items():
        if not _LIMITS[name].accepts(value):
            raise ParameterError(f"{called(name)} must be {_LIMITS[name]}. Got {value!r} instead.")


def _check_measure(parameters: Mapping[str, Any], folds: int, validation: tuple[Any, ...] | None) -> None:
    """Refuse a search that has nothing to measure trials on, or two things."""
    if validation is not None and folds > 1:
        raise ParameterError(f"'validation' has no use with folds={folds}. Pass folds=1, or no validation data.")
    if validation is None and folds == 1 and not parameters["early_stopping"]:
        raise ParameterError("A search needs sequences to measure trials on. Pass early_stopping=True, or folds=3.")
