"""The options that change how training sequences are put into batches, and what becomes of them there."""

from __future__ import annotations

from typing import Annotated

import typer

_BATCHES = "Batches and augmentation"

BucketByLength = Annotated[
    bool,
    typer.Option(
        "--bucket-by-length", metavar="", help="Batches hold sequences of like length.", rich_help_panel=_BATCHES
    ),
]
Jitter = Annotated[
    float,
    typer.Option(help="Noise on every value, in deviations of its feature: 0.05 is little.", rich_help_panel=_BATCHES),
]
Scaling = Annotated[
    float,
    typer.Option(
        help="Deviation from 1 of a factor for each feature of a sequence: 0.1 is little.", rich_help_panel=_BATCHES
    ),
]
TimeWarp = Annotated[
    float,
    typer.Option(help="How unevenly time runs: 0.2 is mostly within a fifth.", rich_help_panel=_BATCHES),
]
WindowSlice = Annotated[
    float,
    typer.Option(
        help="Share of the steps of a sequence that is learned from at a time: 0.9 is mild, 1 is all.",
        rich_help_panel=_BATCHES,
    ),
]
