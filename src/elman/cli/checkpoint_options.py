"""Options of a training that survives whatever ends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.console import note
from elman.errors import OutputError, ParameterError

if TYPE_CHECKING:
    from elman.training.callbacks import Callback

_PANEL = "Checkpoint"
EVERY = 10.0  # minutes

CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="Save the training here as it goes; the same command goes on from it after whatever ended it.",
        rich_help_panel=_PANEL,
    ),
]
Every = Annotated[
    float,
    typer.Option("--every", metavar="MINUTES", help="Time between two savings.", rich_help_panel=_PANEL),
]


def check_checkpoint(checkpoint: Path | None, every: float, model: Path, **others: Path | None) -> None:
    """Refuse what could not be saved or gone on from, before any work; note what has no effect.

    A checkpoint may have files beside it, of other members and of the run on all data. No option may name one of them.

    Parameters
    ----------
    others : what else is read or written, by the word that an error has for it
    """
    if not every >= 0:
        raise ParameterError(f"--every must be a number of minutes of at least 0. Got {every:g} instead.")
    if checkpoint is None:
        if every != EVERY:
            note("--every has no effect without --checkpoint.")
        return
    from elman.output_file import check_writable
    from elman.training.checkpoint import Checkpoint

    for what, other in {"model": model, **others}.items():
        if other is not None and Checkpoint(checkpoint).owns(other):
            raise OutputError(
                f"{other}: the {what} and a file of the checkpoint {checkpoint} would overwrite each other. "
                "Choose another name for one."
            )
    if not checkpoint.exists():
        check_writable(checkpoint)


def telling(checkpoint: Path | None) -> list[Callback]:
    """Give what says where training goes on from, if it does."""
    from elman.estimators.progress import going_on_line
    from elman.training.callbacks import Callback, Run

    class Teller(Callback):
        def on_train_begin(self, run: Run) -> None:
            if run.is_resumed and checkpoint is not None:
                note(going_on_line(run, checkpoint))

    return [Teller()]
