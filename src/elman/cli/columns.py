"""The options that name the columns of a table."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Columns of a table (those not named are guessed, and the guess is said)"

Id = Annotated[
    str | None, typer.Option("--id", metavar="C", help="Tells which sequence a row is of.", rich_help_panel=PANEL)
]
Time = Annotated[
    str | None, typer.Option("--time", metavar="C", help="Orders the rows of a sequence.", rich_help_panel=PANEL)
]
Label = Annotated[
    str | None, typer.Option("--label", metavar="C", help="Holds the class of the sequence.", rich_help_panel=PANEL)
]
IgnoredLabel = Annotated[
    str | None, typer.Option("--label", metavar="C", help="Holds a class, and is ignored.", rich_help_panel=PANEL)
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="C",
        help="Says what must not be split, such as a person: all of it is trained on, or none.",
        rich_help_panel=PANEL,
    ),
]
IgnoredGroup = Annotated[
    str | None, typer.Option("--group", metavar="C", help="Holds a group, and is ignored.", rich_help_panel=PANEL)
]
