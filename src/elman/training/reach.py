"""Rules of health that go by how far a state reaches through time: gradients that vanish or grow, recurrent weights.

Where only the last step is scored, the loss reaches all others through the recurrence alone. With another readout, or
a loss at every step, each step is read directly, and how far a gradient reaches back says little.

Sources: Bengio, Simard & Frasconi, "Learning long-term dependencies with gradient descent is difficult" (1994);
Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from elman.training.findings import GATED, Finding, Records, Setup, is_solved
from elman.training.remedies import to_calm, to_reach_further, tried

VANISHED = 0.25  # share of steps whose gradient is below a millionth of the largest
GROWN = 1e3  # norm at the first step over that at the last
FAR_BELOW = 0.25  # share of the steps that recurrent weights carry a state over
FAR_ABOVE = 3.0  # spectral radius
_EPOCHS = 3
_LARGEST = 1024  # units, above which eigenvalues take seconds
_TENTH = math.log(10)


class Reach(NamedTuple):
    """How the gradient of a layer in one direction goes back through time; see `elman.network.flow`."""

    memory: int  # steps until it falls to a tenth
    steps: int  # of the longest sequence
    ratio: float  # norm at the first step over that at the last
    vanished: float  # share of steps below 1e-6 of the largest
    name: str  # "l0", "l0_reverse"


def reach_of(records: Records) -> Reach | None:
    """Give the farthest that gradients reached in the last epochs; None where these do not tell.

    Of several, since that of one batch early in training may be small by chance.
    """
    reaches = []
    for record in records[-_EPOCHS:]:
        found = [record.get(f"flow_{name}") for name in ("memory", "steps", "ratio", "vanished", "of")]
        if None not in found:
            reaches.append(Reach(*found))  # type: ignore[arg-type]
    return min(reaches, key=lambda reach: reach.vanished) if len(reaches) == _EPOCHS else None


def is_read_at_the_end(setup: Setup) -> bool:
    """Whether the loss sees the last step of each direction alone."""
    return setup.architecture.loss_at == "last" and setup.architecture.readout == "last"


def vanishing(reach: Reach, setup: Setup) -> Finding | None:
    """Early steps have no say: what the loss tells them is lost on the way."""
    if not is_read_at_the_end(setup) or reach.vanished < VANISHED:
        return None
    sentence = (
        f"Gradients reach back {reach.memory} of {reach.steps} steps {place(reach.name)}, and {reach.vanished:.0%} of "
        "the steps get less than a millionth of the largest"
    )
    return Finding("vanishing", f"{sentence}: {tried(to_reach_further(setup))}", reach.memory)


def growing(reach: Reach, setup: Setup) -> Finding | None:
    """The gradient grows on its way back: a small change early on changes everything later."""
    if not is_read_at_the_end(setup) or reach.ratio < GROWN:
        return None
    sentence = f"Gradients grow {reach.ratio:,.2g}-fold on their way back over {reach.steps} steps {place(reach.name)}"
    return Finding("growing", f"{sentence}: {tried(to_calm(setup))}", reach.ratio)


def vanishing_in_training(records: Records, setup: Setup) -> Finding | None:
    """As `vanishing`, by records, where something is still missed."""
    reach = reach_of(records)
    return None if reach is None or is_solved(records) else vanishing(reach, setup)


def growing_in_training(records: Records, setup: Setup) -> Finding | None:
    """As `growing`, by records."""
    reach = reach_of(records)
    return None if reach is None else growing(reach, setup)


def forgetting(parameters: Mapping[str, Any], setup: Setup) -> Finding | None:
    """Recurrent weights shrink a state at each step, whatever comes in, and tanh and relu shrink it further."""
    name, radius = _radius(parameters, setup, min)
    if not is_read_at_the_end(setup) or not 0 < radius < 1:
        return None
    carried = _TENTH / -math.log(radius)
    if carried >= FAR_BELOW * setup.longest:
        return None
    sentence = (
        f"Recurrent weights forget: the spectral radius of {name} is {radius:.2f}, so that a tenth of a state is left "
        f"after {max(1, round(carried))} of {setup.longest} steps at most"
    )
    return Finding("forgetting", f"{sentence}: {tried(to_reach_further(setup))}", radius)


def unstable(parameters: Mapping[str, Any], setup: Setup) -> Finding | None:
    """Recurrent weights stretch a state at each step, so that it saturates or runs away."""
    name, radius = _radius(parameters, setup, max)
    if radius < FAR_ABOVE:
        return None
    sentence = f"Recurrent weights are unstable: the spectral radius of {name} is {radius:.2f} (about 1 is usual)"
    return Finding("unstable", f"{sentence}: {tried(to_calm(setup))}", radius)


def _radius(parameters: Mapping[str, Any], setup: Setup, choose: Any) -> tuple[str, float]:
    """Give the recurrent weights with the least or the largest spectral radius; ("", 0) where it would say nothing.

    In a gated cell a block of weight_hh acts through gates, and none alone says how long a state lasts. Layer
    normalisation undoes the scale.
    """
    architecture = setup.architecture
    if architecture.cell in GATED or architecture.layer_norm or max(architecture.hidden_sizes) > _LARGEST:
        return "", 0.0
    names = [f"weight_hh{suffix}" for _, suffix in architecture.suffixes()]
    radii = {name: float(np.abs(np.linalg.eigvals(np.asarray(parameters[name], np.float64))).max()) for name in names}
    found: tuple[str, float] = choose(radii.items(), key=lambda item: item[1])
    return found


def place(name: str) -> str:
    """Say where in the network.

    >>> place("l0"), place("l1_reverse")
    ('in layer 0', 'in layer 1, reverse')
    """
    layer, _, way = name.removeprefix("l").partition("_")
    return f"in layer {layer}{', reverse' * (way == 'reverse')}"
