"""The options that let others see a training run as it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.console import warn
from elman.errors import OutputError, ParameterError

if TYPE_CHECKING:
    from elman.training.callbacks import Callback

_PANEL = "Watching"

Log = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="Write each epoch as a line of JSON, once it is done.", rich_help_panel=_PANEL
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", help="Write event files for TensorBoard.", rich_help_panel=_PANEL),
]
LogEvery = Annotated[
    int | None,
    typer.Option(
        "--log-every",
        metavar="N",
        help="Write each N-th step of the optimizer too, for --log and --tensorboard.",
        rich_help_panel=_PANEL,
    ),
]
Mlflow = Annotated[
    str | None,
    typer.Option(
        "--mlflow",
        metavar="NAME",
        help="Log to MLflow, and the model at the end, as a run of this experiment.",
        rich_help_panel=_PANEL,
    ),
]


def watchers(
    log: Path | None,
    tensorboard: Path | None,
    every: int | None,
    mlflow: str | None,
    *,
    model: Path,
) -> list[Callback]:
    """Give the callbacks that the options ask for; what they write to is checked.

    Raises
    ------
    OutputError, MissingExtraError, ParameterError
    """
    from elman.watching import JsonLines, MlflowRun, TensorBoardWriter

    if every is not None and every < 1:
        raise ParameterError(f"--log-every must be an int in the range [1, inf). Got {every} instead.")
    if every is not None and log is None and tensorboard is None:
        raise ParameterError("--log-every needs something to write to. Pass '--log' or '--tensorboard' too.")
    if log is not None and log.resolve() == model.resolve():
        raise OutputError(f"{log}: the model would replace the log. Choose another name for one.")
    given: list[Callback] = []
    if log is not None:
        given.append(JsonLines(log, every=every))
    if tensorboard is not None:
        given.append(TensorBoardWriter(tensorboard, every=every))
    if mlflow is not None:
        given.append(MlflowRun(mlflow))
    return given


def hand_over(model: Path, given: list[Callback]) -> None:
    """Add the model, now that it is saved, to the run of MLflow; warn if MLflow does not take it."""
    from elman.watching import MlflowRun

    for watcher in given:
        if isinstance(watcher, MlflowRun):
            try:
                watcher.log_file(model)
            except OutputError as error:
                warn(str(error))
