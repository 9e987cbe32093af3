"""Options of `elman train` about several networks that answer together, and about how sure they are."""

from __future__ import annotations

from typing import Annotated

import typer

_PANEL = "Probabilities"

Members = Annotated[
    int,
    typer.Option(help="Networks from different seeds, whose probabilities are averaged.", rich_help_panel=_PANEL),
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate",
        metavar="",
        help="Make probabilities as sure as they are right, by the validation part.",
        rich_help_panel=_PANEL,
    ),
]
