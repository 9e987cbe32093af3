"""What to try against a problem of training: only what helps this network, and that it does not have yet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from elman.training.findings import GATED, Setup

SHORT = 32  # time steps over which a state is carried with ease
USUAL_STEP = 5e-3  # of the parameters' own size, in the epoch with the largest steps
_MOST_WAYS = 3


def tried(ways: Sequence[str]) -> str:
    """Give ways out as the end of a sentence; the first three.

    >>> tried(["cell='lstm'", "readout='attention'", "patch_size=7", "shorter sequences"])
    "try cell='lstm', readout='attention', or patch_size=7."
    >>> tried(["clip_norm=1", "learning_rate=0.01"])
    'try clip_norm=1 or learning_rate=0.01.'
    """
    *others, last = ways[:_MOST_WAYS]
    between = ", or " if len(others) > 1 else " or "
    return f"try {', '.join(others)}{between if others else ''}{last}."


def to_reach_further(setup: Setup) -> list[str]:
    """Give what carries gradients over many steps: gates, long memories at the start, shorter ways."""
    architecture, ways = setup.architecture, []
    if architecture.cell not in GATED:
        ways.append("cell='lstm'")
    elif setup.initialisation != "chrono":
        ways.append("initialisation='chrono'")
    if architecture.loss_at == "last" and architecture.readout == "last":
        ways.append("readout='attention'")
    if setup.patch_size is not None and setup.longest > SHORT:
        ways.append(f"patch_size={setup.patch_size * math.ceil(setup.longest / SHORT)}")
    return ways or ["shorter sequences"]


def to_calm(setup: Setup) -> list[str]:
    """Give what keeps gradients and steps from running away."""
    settings, ways = setup.settings, []
    if settings.clip_norm is None or settings.clip_norm > 1:
        ways.append("clip_norm=1")
    ways.append(f"learning_rate={settings.learning_rate / 10:.1g}")
    if setup.architecture.cell not in GATED:
        ways.append("cell='lstm'")
    return ways


def to_step_likewise(setup: Setup, ratio: float) -> list[str]:
    """Give the rate at which steps would be of a usual size, where they are of this share of the parameters'."""
    rate = min(setup.settings.learning_rate * USUAL_STEP / ratio, 1.0) if ratio > 0 else 0.005
    return ["learning_rate='auto'", f"learning_rate={rate:.1g}"]


def to_learn_less_by_heart(setup: Setup) -> list[str]:
    """Give what keeps a network from learning single sequences."""
    architecture, settings, ways = setup.architecture, setup.settings, ["more data"]
    if architecture.num_layers > 1 and architecture.dropout == 0:
        ways.append("dropout=0.3")
    if architecture.recurrent_dropout == 0:
        ways.append("recurrent_dropout=0.2")
    if settings.weight_decay < 0.1:
        ways.append("weight_decay=0.1")
    return ways
