"""Whether training is healthy: plain sentences with the number behind them and what to try, from records alone.

Each rule looks at the records of a run, from the first epoch on, and at what is trained; it gives what it finds, or None.
`docs/health.md` has the thresholds, with what was measured on healthy networks and on ill ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from elman.training.history import Record
from elman.training.remedies import Setup


class Finding(NamedTuple):
    """Something that is ill: by which rule, in words with a remedy, and the number behind it."""

    rule: str
    sentence: str
    number: float


Records: TypeAlias = Sequence[Record]
Rule: TypeAlias = Callable[[Records, Setup], Finding | None]


def while_training(records: Records, setup: Setup) -> list[Finding]:
    """Give what is ill in a run up to now."""
    return []


def after_training(
    records: Records, setup: Setup, parameters: Mapping[str, Any], validation: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Give what is ill in a finished run.

    Parameters
    ----------
    records : list of Record
    setup : Setup
    parameters : mapping from name to array, those of the network
    validation : dict or None
        Figures on the validation part, and those of its baselines, as `training_` holds them.
    """
    return []
