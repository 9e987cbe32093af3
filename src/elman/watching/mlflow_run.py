"""A training run as a run of MLflow."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from elman.caution import warn_user
from elman.errors import OutputError
from elman.extras import library
from elman.training.callbacks import Callback, Run
from elman.training.history import History, Record
from elman.watching.runs import ending


class MlflowRun(Callback):
    """Logs the settings of a training run to MLflow as parameters, and the record of each epoch as metrics.

    If a run of MLflow is active (``with mlflow.start_run():``), it is logged to and left open; else one is started and
    ended. Where the records go is MLflow's to say: ``mlflow.set_tracking_uri``, or MLFLOW_TRACKING_URI. If MLflow fails
    while training runs, training goes on.

    Parameters
    ----------
    experiment : str or None
        Name of the experiment that a new run is part of, created if it does not exist; None: the active one.
    run_name : str or None
        None: MLflow makes one up.

    Attributes
    ----------
    run_id : str or None
        MLflow's name for the run; None before training.

    Raises
    ------
    MissingExtraError
        If MLflow, of the extra ``elman[mlflow]``, is not installed.
    OutputError
        When training begins, if MLflow does not take the run.

    >>> from elman import SequenceClassifier
    >>> run = MlflowRun("vowels")  # doctest: +SKIP
    >>> SequenceClassifier().fit(X, y, callbacks=[run]).save("vowels.safetensors")  # doctest: +SKIP
    >>> run.log_file("vowels.safetensors")  # doctest: +SKIP
    """

    def __init__(self, experiment: str | None = None, *, run_name: str | None = None) -> None:
        self._mlflow = library("mlflow", extra="mlflow")
        self.experiment, self.run_name = experiment, run_name
        self.run_id: str | None = None
        self._is_own = False
        self._has_warned = False

    def on_train_begin(self, run: Run) -> None:
        """Start a run of MLflow, or take the active one, and log the settings."""
        self.run_id = None
        try:
            active = self._mlflow.active_run()
            self._is_own = active is None
            if active is None:
                active = self._mlflow.start_run(experiment_id=self._experiment_id(), run_name=self.run_name)
            self.run_id = active.info.run_id
            content = asdict(run)
            self._mlflow.log_params(content.pop("settings") | content.pop("architecture") | content)
        except (self._mlflow.MlflowException, OSError) as error:
            raise OutputError(
                f"MLflow does not take the run: {error} Train without it, or set another store."
            ) from error

    def on_epoch_end(self, record: Record) -> None:
        """Log all numbers of the record, at the step of the optimizer that it was made after."""
        figures = {name: value for name, value in record.items() if name != "steps" and isinstance(value, int | float)}
        self._tried(self._mlflow.log_metrics, figures, step=record["steps"], run_id=self.run_id)

    def on_train_end(self, history: History) -> None:
        """Log how training ended; end the run of MLflow if it was started here."""
        if self.run_id is None:  # MLflow did not take the run
            return
        end = ending(history)
        tags = {f"elman.{name}": value for name, value in end.items() if value is not None}
        self._tried(self._mlflow.set_tags, tags)
        if self._is_own:
            status = {"interrupted": "KILLED", "error": "FAILED"}.get(end["reason"], "FINISHED")
            self._tried(self._mlflow.end_run, status)

    def log_file(self, path: str | os.PathLike[str]) -> None:
        """Add a file, such as that of the model, to the run's artifacts; the run may have ended.

        Raises
        ------
        RuntimeError
            If no training has begun.
        OutputError
            If MLflow does not take the file.
        """
        if self.run_id is None:
            raise RuntimeError("MlflowRun has no run yet to add a file to. Train with it first.")
        try:
            self._mlflow.log_artifact(os.fspath(path), run_id=self.run_id)
        except (self._mlflow.MlflowException, OSError) as error:
            raise OutputError(f"{path}: MLflow does not take the file: {error} Hand it over again later.") from error

    def _experiment_id(self) -> Any:
        if self.experiment is None:
            return None
        found = self._mlflow.get_experiment_by_name(self.experiment)
        return self._mlflow.create_experiment(self.experiment) if found is None else found.experiment_id

    def _tried(self, do: Callable[..., object], *arguments: Any, **named: Any) -> None:
        """Call MLflow, whose server may be gone for a while; that must not end training."""
        try:
            do(*arguments, **named)
        except (self._mlflow.MlflowException, OSError) as error:
            if not self._has_warned:
                self._has_warned = True
                warn_user(f"MLflow did not take all records of the run: {error}")
