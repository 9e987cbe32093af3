"""Options about what the network is made of."""

from __future__ import annotations

from typing import Annotated

import typer

from elman.estimators.parameters import CELLS, DTYPES, INITIALISATIONS, READOUTS

_PANEL = "Network"

Cell = Annotated[str, typer.Option(help=f"{', '.join(CELLS)}.", rich_help_panel=_PANEL)]
HiddenSize = Annotated[
    str,
    typer.Option(metavar="N or N,N", help="Size of the state of a layer; 128,64 for one each.", rich_help_panel=_PANEL),
]
NumLayers = Annotated[int, typer.Option(help="Layers.", rich_help_panel=_PANEL)]
Bidirectional = Annotated[
    bool,
    typer.Option(
        "--bidirectional/--one-direction",
        metavar="",
        help="Read from both ends, or forward only.",
        rich_help_panel=_PANEL,
    ),
]
Dropout = Annotated[float, typer.Option(help="Share of values dropped between layers.", rich_help_panel=_PANEL)]
RecurrentDropout = Annotated[
    float,
    typer.Option(help="Share of the state that is dropped on its way to the next step.", rich_help_panel=_PANEL),
]
Zoneout = Annotated[
    float, typer.Option(help="Share of the state that stays as it was at a step.", rich_help_panel=_PANEL)
]
LayerNorm = Annotated[
    bool,
    typer.Option("--layer-norm", metavar="", help="Normalise inside the cell.", rich_help_panel=_PANEL),
]
LearnInitialState = Annotated[
    bool,
    typer.Option("--learn-initial-state", metavar="", help="Learn the state before step 1.", rich_help_panel=_PANEL),
]
Residual = Annotated[
    bool,
    typer.Option("--residual", metavar="", help="Add a layer's input to its output.", rich_help_panel=_PANEL),
]
Readout = Annotated[
    str,
    typer.Option(
        help=f"What is classified of all states: {', '.join(READOUTS)}, auto.",
        rich_help_panel=_PANEL,
    ),
]
Initialisation = Annotated[str, typer.Option(help=f"{', '.join(INITIALISATIONS)}, auto.", rich_help_panel=_PANEL)]
ForgetBias = Annotated[float | None, typer.Option(help="Start of an LSTM's forget gate.", rich_help_panel=_PANEL)]
NoStandardise = Annotated[
    bool,
    typer.Option(
        "--no-standardise",
        metavar="",
        help="Take features as they are, not shifted to mean 0 and scaled to deviation 1.",
        rich_help_panel=_PANEL,
    ),
]
Dtype = Annotated[str, typer.Option(help=f"{', '.join(DTYPES)}.", rich_help_panel=_PANEL)]
