"""What to try against an ill of training: only what helps this network, and that it does not have yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from elman.network.architecture import Architecture
from elman.training.settings import TrainingSettings

SHORT = 32  # time steps over which a state is carried with ease
_MOST_WAYS = 3
_GATED = ("lstm", "gru")


@dataclass(frozen=True)
class Setup:
    """What is trained, and how, as far as health goes by it.

    Parameters
    ----------
    architecture : Architecture
    settings : TrainingSettings
    initialisation : str
    patch_size : int or None
        Steps that are read as one; None where they cannot be put together, as with a label for each.
    """

    architecture: Architecture
    settings: TrainingSettings
    initialisation: str = "orthogonal"
    patch_size: int | None = 1


def tried(ways: Sequence[str]) -> str:
    """Give ways out as the end of a sentence; the first three.

    >>> tried(["cell='lstm'", "readout='attention'", "patch_size=7"])
    "try cell='lstm', readout='attention', or patch_size=7"
    >>> tried(["clip_norm=1"])
    'try clip_norm=1'
    """
    *others, last = ways[:_MOST_WAYS]
    between = ", or " if len(others) > 1 else " or "
    return f"try {', '.join(others)}{between if others else ''}{last}"


def to_reach_further(setup: Setup, steps: int) -> list[str]:
    """Give what carries gradients over so many steps: gates, long memories at the start, shorter ways."""
    architecture, ways = setup.architecture, []
    if architecture.cell not in _GATED:
        ways.append("cell='lstm'")
    elif setup.initialisation != "chrono":
        ways.append("initialisation='chrono'")
    if architecture.loss_at == "last" and architecture.readout == "last":
        ways.append("readout='attention'")
    if setup.patch_size is not None and steps > SHORT:
        ways.append(f"patch_size={setup.patch_size * math.ceil(steps / SHORT)}")
    return ways or ["shorter sequences"]


def to_calm(setup: Setup) -> list[str]:
    """Give what keeps gradients from running away."""
    settings, ways = setup.settings, []
    if settings.clip_norm is None or settings.clip_norm > 1:
        ways.append("clip_norm=1")
    ways.append(f"learning_rate={settings.learning_rate / 10:.1g}")
    if setup.architecture.cell not in _GATED:
        ways.append("cell='lstm'")
    return ways


def to_learn_less_by_heart(setup: Setup) -> list[str]:
    """Give what helps against overfitting."""
    architecture, settings = setup.architecture, setup.settings
    ways = ["more data"]
    if architecture.dropout == 0 and architecture.num_layers > 1:
        ways.append("dropout=0.3")
    elif architecture.recurrent_dropout == 0:
        ways.append("recurrent_dropout=0.2")
    largest = max(architecture.hidden_sizes)
    if largest >= 16:
        ways.append(f"hidden_size={largest // 2}")
    if settings.weight_decay < 0.1:
        ways.append("weight_decay=0.1")
    return ways
