"""Options about the part that the best epoch is chosen by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Validation part"

Validation = Annotated[
    Path | None,
    typer.Option(
        "--validation",
        metavar="FILE",
        help="Labelled data to choose the best epoch by, instead of a part of the training data.",
        rich_help_panel=_PANEL,
    ),
]
ValidationFraction = Annotated[
    float, typer.Option(help="Share of the training data to set aside for it.", rich_help_panel=_PANEL)
]
Patience = Annotated[
    str,
    typer.Option(
        metavar="N, none or auto",
        help="Epochs without a fall of the validation loss by --tol to stop after; auto: none where the schedule "
        "ends low.",
        rich_help_panel=_PANEL,
    ),
]
Refit = Annotated[
    bool | None,
    typer.Option(
        "--refit/--no-refit",
        metavar="",
        help="Whether to train once more on all data, for as long as was best; not said: if that takes seconds.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Tol = Annotated[
    float,
    typer.Option(help="Smallest fall of the loss that counts for --patience.", rich_help_panel=_PANEL),
]
NoValidation = Annotated[
    bool,
    typer.Option(
        "--no-validation",
        metavar="",
        help="Set nothing aside: train on all data, for all epochs.",
        rich_help_panel=_PANEL,
    ),
]
