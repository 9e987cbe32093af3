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

from elman.training.findings import GATED, Finding, Records, Setup, is_solved, shown
from elman.training.history import Flow
from elman.training.remedies import to_calm, to_reach_further, tried

VANISHED = 0.25  # share of steps whose gradient is below a millionth of the largest
GROWN = 1e3  # norm at the first step over that at the last
FAR_BELOW = 0.25  # share of the steps that recurrent weights carry a state over
FAR_ABOVE = 3.0  # spectral radius
_FEW = 3  # epochs
_LARGEST = 512  # units, above which eigenvalues take seconds
_TENTH = math.log(10)
_MOST = 1e100  # which a model file can hold


class Reach(NamedTuple):
    """How the gradient goes back through time, each time in the layer and direction where it does worst."""

    memory: int  # steps until it falls to a tenth
    steps: int  # of the longest sequence
    ratio: float  # norm at the first step over that at the last
    vanished: float  # share of steps below 1e-6 of the largest
    name: str  # "l0", "l0_reverse": where memory is least


def reaches_of(records: Records) -> list[Reach]:
    """Give how far the gradient reached in each epoch that tells."""
    return [reach for reach in map(reach_of, records) if reach is not None]


def reach_of(kept: Flow) -> Reach | None:
    """Give what a record keeps of it, or None."""
    names = [f"flow_{name}" for name in ("memory", "steps", "ratio", "vanished", "of")]
    found = [kept.get(name) for name in names]
    return None if None in found else Reach(*found)  # type: ignore[arg-type]


def is_read_at_the_end(setup: Setup) -> bool:
    """Whether the loss sees the last step of each direction alone."""
    return setup.architecture.loss_at == "last" and setup.architecture.readout == "last"


def vanishing(reach: Reach, setup: Setup, when: str = "") -> Finding | None:
    """Early steps have no say: what the loss tells them is lost on the way."""
    if not is_read_at_the_end(setup) or reach.vanished < VANISHED:
        return None
    sentence = (
        f"Gradients vanish: {when}{100 * reach.vanished:.0f} % of the steps get less than a millionth of the largest, "
        f"and a tenth is left after {reach.memory} of {reach.steps} steps {place(reach.name)}"
    )
    return Finding("vanishing", f"{sentence}: {tried(to_reach_further(setup))}", reach.memory)


def growing(reach: Reach, setup: Setup, when: str = "") -> Finding | None:
    """The gradient grows on its way back: a small change early on changes everything later."""
    if not is_read_at_the_end(setup) or reach.ratio < GROWN:
        return None
    sentence = f"Gradients grow on their way back: {when}{shown(reach.ratio)}-fold over {reach.steps} steps"
    return Finding("growing", f"{sentence}: {tried(to_calm(setup))}", min(reach.ratio, _MOST))


def vanishing_in_training(records: Records, setup: Setup, n_epochs: int) -> Finding | None:
    """As `vanishing`, in a tenth of n_epochs at least, where something is still missed."""
    lost = sorted((each for each in reaches_of(records) if each.vanished >= VANISHED), key=lambda each: each.vanished)
    if len(lost) < _enough(n_epochs) or is_solved(records, setup):
        return None
    return vanishing(lost[len(lost) // 2], setup, _when(len(lost), len(records)))


def out_of_reach(records: Records, setup: Setup) -> Finding | None:
    """The gradient has a tenth of its size left long before it is at the first steps, in the last epochs still.

    Of a network that learned all the same that says nothing, for what counts may lie near the end; so it is told only
    where nothing was learned.
    """
    reaches = reaches_of(records)
    if not reaches or not is_read_at_the_end(setup):
        return None
    last = sorted(reaches[-max(_FEW, len(reaches) // 4) :], key=lambda each: each.memory)
    reach = last[len(last) // 2]
    if reach.memory >= FAR_BELOW * reach.steps:
        return None
    sentence = (
        f"The network is no better than chance, and gradients are down to a tenth after {reach.memory} of "
        f"{reach.steps} steps {place(reach.name)}"
    )
    return Finding("out_of_reach", f"{sentence}: {tried(to_reach_further(setup))}", reach.memory)


def growing_in_training(records: Records, setup: Setup, n_epochs: int) -> Finding | None:
    """As `growing`, in a tenth of n_epochs at least, where something is still missed."""
    grown = sorted((each for each in reaches_of(records) if each.ratio >= GROWN), key=lambda each: each.ratio)
    if len(grown) < _enough(n_epochs) or is_solved(records, setup):
        return None
    return growing(grown[len(grown) // 2], setup, _when(len(grown), len(records)))


def _enough(n_epochs: int) -> float:
    """Give the epochs in which something must show, since that of one batch may be chance."""
    return max(_FEW, n_epochs / 10)


def _when(n: int, n_epochs: int) -> str:
    """Say in how many epochs.

    >>> _when(12, 60), _when(12, 12)
    ('in 12 of 60 epochs ', '')
    """
    return f"in {n} of {n_epochs} epochs " if n < n_epochs else ""


def forgetting(records: Records, parameters: Mapping[str, Any], setup: Setup) -> Finding | None:
    """Recurrent weights shrink a state at each step, whatever comes in, and tanh and relu shrink it further."""
    name, radius = _radius(parameters, setup, min)
    if not is_read_at_the_end(setup) or not 0 < radius < 1 or is_solved(records, setup):
        return None
    carried = _TENTH / -math.log(radius)
    if carried >= FAR_BELOW * setup.longest:
        return None
    sentence = (
        f"Recurrent weights forget: the spectral radius of {name} is {radius:.2f}, so that a tenth of a state is left "
        f"after {max(1, round(carried))} of {setup.longest} steps at most"
    )
    return Finding("forgetting", f"{sentence}. If early steps matter, {tried(to_reach_further(setup))}", radius)


def unstable(records: Records, parameters: Mapping[str, Any], setup: Setup) -> Finding | None:
    """Recurrent weights stretch a state at each step, so that it saturates or runs away."""
    name, radius = _radius(parameters, setup, max)
    if radius < FAR_ABOVE or is_solved(records, setup):
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
    radii = {}
    for _, suffix in architecture.suffixes():
        weight = np.asarray(parameters[f"weight_hh{suffix}"], np.float64)
        try:
            radii[f"weight_hh{suffix}"] = float(np.abs(np.linalg.eigvals(weight)).max())
        except np.linalg.LinAlgError:  # no eigenvalues were found, which is no reason to lose a model
            return "", 0.0
    found: tuple[str, float] = choose(radii.items(), key=lambda item: item[1])
    return found


def place(name: str) -> str:
    """Say where in the network.

    >>> place("l0"), place("l1_reverse")
    ('in layer 1', 'in layer 2, reverse')
    """
    layer, _, way = name.removeprefix("l").partition("_")
    return f"in layer {int(layer) + 1}{', reverse' * (way == 'reverse')}"
