"""The options of how a network learns."""

from __future__ import annotations

from typing import Annotated

import typer

from elman.estimators.parameters import OPTIMIZERS, SCHEDULES

_PANEL = "Learning"
_SCHEDULE = "Learning: the rate as training goes on"

Optimizer = Annotated[str, typer.Option("--optimizer", help=f"{', '.join(OPTIMIZERS)}.", rich_help_panel=_PANEL)]
LearningRate = Annotated[
    str,
    typer.Option(
        "--learning-rate",
        metavar="RATE or auto",
        help="Size of a step; auto: chosen before training, by how the loss falls.",
        rich_help_panel=_PANEL,
    ),
]
Momentum = Annotated[float, typer.Option("--momentum", help="For sgd, rmsprop.", rich_help_panel=_PANEL)]
Nesterov = Annotated[
    bool, typer.Option("--nesterov", metavar="", help="Nesterov's momentum, for sgd.", rich_help_panel=_PANEL)
]
Centred = Annotated[
    bool,
    typer.Option(
        "--centred", metavar="", help="Divide by the gradient's deviation, for rmsprop.", rich_help_panel=_PANEL
    ),
]
WeightDecay = Annotated[
    float, typer.Option("--weight-decay", help="Pull of the weights to 0; biases are spared.", rich_help_panel=_PANEL)
]
BatchSize = Annotated[
    str,
    typer.Option(
        "--batch-size",
        metavar="N or auto",
        help="Sequences a step.",
        rich_help_panel=_PANEL,
    ),
]
MaxEpochs = Annotated[
    str,
    typer.Option(
        "--max-epochs",
        metavar="N or auto",
        help="Passes over the data, at most.",
        rich_help_panel=_PANEL,
    ),
]
ClipNorm = Annotated[
    float | None,
    typer.Option("--clip-norm", help="Largest norm of the gradient; 0 for none.", rich_help_panel=_PANEL),
]
ClipValue = Annotated[
    float | None,
    typer.Option("--clip-value", help="Largest part of the gradient; none if not said.", rich_help_panel=_PANEL),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        "--class-weight",
        metavar="balanced",
        help="Let rare classes count as much as frequent ones.",
        rich_help_panel=_PANEL,
    ),
]
LabelSmoothing = Annotated[
    float,
    typer.Option("--label-smoothing", help="Share of a label spread over all classes.", rich_help_panel=_PANEL),
]
GradientNoise = Annotated[
    float,
    typer.Option("--gradient-noise", help="Variance of noise on the first gradient; it falls.", rich_help_panel=_PANEL),
]
WeightAverage = Annotated[
    float,
    typer.Option(
        "--weight-average",
        help="Decay of a running mean of the weights, which is kept in their place; 0 for none.",
        rich_help_panel=_PANEL,
    ),
]
Accumulate = Annotated[
    int, typer.Option("--accumulate", help="Batches whose gradients make one step.", rich_help_panel=_PANEL)
]
Schedule = Annotated[str, typer.Option("--schedule", help=f"{', '.join(SCHEDULES)}.", rich_help_panel=_SCHEDULE)]
WarmUp = Annotated[
    float,
    typer.Option(
        "--warm-up",
        help="Share of all steps in which the rate rises, before the schedule begins; one_cycle rises by itself, over "
        "the first 0.3.",
        rich_help_panel=_SCHEDULE,
    ),
]
ScheduleEpochs = Annotated[
    int,
    typer.Option(
        "--schedule-epochs",
        help="Epochs until the rate falls: for step and exponential; for plateau, without a lower loss.",
        rich_help_panel=_SCHEDULE,
    ),
]
ScheduleFactor = Annotated[
    float, typer.Option("--schedule-factor", help="What it is multiplied by then.", rich_help_panel=_SCHEDULE)
]
FinalRate = Annotated[
    float,
    typer.Option("--final-rate", help="Share of the rate that cosine and one_cycle end at.", rich_help_panel=_SCHEDULE),
]
