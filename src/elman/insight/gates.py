"""Rules of health that go by what units do on a sample: dead, saturated, shut.

A forget gate of an LSTM or an update gate of a GRU that is open at every step is no problem: it is how a state is kept,
and what "chrono" starts with. Neither is a GRU's reset gate at either end: its unit recalls all that was, or nothing.

Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013), for saturation;
Karpathy, Johnson & Fei-Fei, "Visualizing and understanding recurrent networks" (2015), for gates that are often open.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from elman.insight.units import Activity
from elman.training.findings import Finding, Setup
from elman.training.reach import place
from elman.training.remedies import tried

DEAD = 0.25  # share of the relu units of a network that are at 0 in every step
SATURATED = 0.75  # share of a layer's units in the outermost 0.05 of tanh at either end, mean over the steps
SHUT = 0.25  # share of a layer's units whose gate is below 0.05 in nearly every step
_NEARLY_ALL = 0.99  # of the steps
_SQUASHED = ("tanh", "g", "n")
_GATES = {"i": "input", "o": "output"}
_STARTING_SHUT = ("chrono", "mixed")


def dead_units(found: Sequence[Activity], setup: Setup, n_sequences: int, *, is_scaled: bool) -> Finding | None:
    """Relu units that are 0 whatever comes in: no gradient reaches their weights any more."""
    low = [activity.low for activity in found if activity.gate == "relu"]
    if not low:
        return None
    is_dead = np.concatenate(low) >= 1
    number, n_units = int(is_dead.sum()), len(is_dead)
    if number < DEAD * n_units:
        return None
    sentence = f"{number} of {n_units} relu units are dead, at 0 in every step of {n_sequences} sequences"
    return Finding("dead_units", f"{sentence}: {tried(_to_revive(setup, is_scaled=is_scaled))}", number)


def saturated_units(found: Sequence[Activity], setup: Setup, *, is_scaled: bool) -> Finding | None:
    """Units at the flat ends of tanh, through which next to no gradient passes."""
    shares = [(float((each.low + each.high).mean()), each) for each in found if each.gate in _SQUASHED]
    if not shares:
        return None
    number, worst = max(shares, key=lambda share: share[0])
    if number < SATURATED:
        return None
    where = f"in a step {100 * number:.0f} % of those {place(worst.name)}"
    sentence = f"Units are saturated: {where} are above 0.95 in absolute value"
    return Finding("saturated", f"{sentence}: {tried(_to_desaturate(setup, is_scaled=is_scaled))}", number)


def shut_units(found: Sequence[Activity], setup: Setup, *, is_scaled: bool) -> Finding | None:
    """Units of an LSTM that take nothing in, or let nothing out, in nearly every step."""
    starts_shut = setup.initialisation in _STARTING_SHUT
    gates = [each for each in found if each.gate == "o" or (each.gate == "i" and not starts_shut)]
    if not gates:
        return None
    worst = max(gates, key=lambda each: float(np.mean(each.low >= _NEARLY_ALL)))
    number = float(np.mean(worst.low >= _NEARLY_ALL))
    if number < SHUT:
        return None
    sentence = (
        f"The {_GATES[worst.gate]} gates of {100 * number:.0f} % of the units {place(worst.name)} are shut in all steps"
    )
    return Finding("shut", f"{sentence}: {tried(_to_desaturate(setup, is_scaled=is_scaled))}", number)


def _to_revive(setup: Setup, *, is_scaled: bool) -> list[str]:
    start = [] if setup.initialisation == "identity" else ["initialisation='identity'"]
    return [_smaller_inputs(setup, is_scaled=is_scaled), *start, "cell='elman'"]


def _to_desaturate(setup: Setup, *, is_scaled: bool) -> list[str]:
    norm = [] if setup.architecture.layer_norm else ["layer_norm=True"]
    return [_smaller_inputs(setup, is_scaled=is_scaled), *norm]


def _smaller_inputs(setup: Setup, *, is_scaled: bool) -> str:
    """Give what keeps weights, or values where these are as they came, from driving units to their ends."""
    return f"learning_rate={setup.settings.learning_rate / 10:.1g}" if is_scaled else "leaving standardise=False out"
