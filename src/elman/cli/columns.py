"""The options that name the columns of a table."""

from __future__ import annotations

from typing import Annotated

import typer

from elman.estimators.parameters import SPLITS

_KINDS = "Text, kinds, missing values"
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
GroupFromId = Annotated[
    bool,
    typer.Option(
        "--group-from-id",
        metavar="",
        help="Take the group from the id: s01 of s01_1 and s01_2.",
        rich_help_panel=PANEL,
    ),
]
NoGroup = Annotated[
    bool,
    typer.Option(
        "--no-group",
        metavar="",
        help="Keep no group together, though a column is called so: set aside by class.",
        rich_help_panel=PANEL,
    ),
]
IgnoredGroup = Annotated[
    str | None, typer.Option("--group", metavar="C", help="Holds a group, and is ignored.", rich_help_panel=PANEL)
]
Text = Annotated[
    str | None,
    typer.Option(
        "--text", metavar="C", help="Holds a text each: a row is a sequence of its tokens.", rich_help_panel=_KINDS
    ),
]
TextSplit = Annotated[
    str, typer.Option("--text-split", help=f"What texts are split into: {', '.join(SPLITS)}.", rich_help_panel=_KINDS)
]
Categorical = Annotated[
    list[str],
    typer.Option(
        "--categorical",
        metavar="C",
        help="Holds numbers that stand for kinds; may be given again. Columns of text are kinds by themselves.",
        rich_help_panel=_KINDS,
    ),
]
EmbeddingSize = Annotated[
    int | None,
    typer.Option(
        help="Size of the vectors of tokens and of more than 8 kinds; by their number if not said.",
        rich_help_panel=_KINDS,
    ),
]
StepLength = Annotated[
    bool,
    typer.Option(
        "--step-length",
        metavar="",
        help="Make a feature of the time since the step before.",
        rich_help_panel=_KINDS,
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        "--missing",
        show_default="error; indicator with --missing-text",
        help="error: refuse missing values; indicator: carry the last one forward, and tell the network.",
        rich_help_panel=_KINDS,
    ),
]
PatchSize = Annotated[
    str,
    typer.Option(
        "--patch-size",
        metavar="N or auto",
        help="Steps in a row that the network reads as one; auto: as long sequences need; 1: each by itself.",
        rich_help_panel="Network",
    ),
]
MissingText = Annotated[
    list[str],
    typer.Option(
        "--missing-text",
        metavar="TEXT",
        help="How a missing value is written, if not NA or NaN; may be given again. It means --missing indicator.",
        rich_help_panel=_KINDS,
    ),
]
