"""Whether training is healthy: plain sentences with the number behind them and what to try.

A rule looks at the records of a run, from the first epoch on, or at the network, and at what is trained; it gives what
it finds, or None. Rules stand in groups: how it is learned, how far that reaches through time, what came of it. Of a
group the first that finds something is told, and an outcome only where no cause was found.
`docs/health.md` has the thresholds, with what was measured on healthy networks and on others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from elman.training.callbacks import Callback
from elman.training.findings import Finding as Finding
from elman.training.findings import Records, Setup
from elman.training.history import Record
from elman.training.reach import forgetting, growing_in_training, out_of_reach, unstable, vanishing_in_training
from elman.training.symptoms import (
    behind,
    breakdown,
    chance,
    exploding,
    large_steps,
    no_fall,
    overfitting,
    small_steps,
    unfinished,
)


def while_training(records: Records, setup: Setup) -> list[Finding]:
    """Give the problems of a run up to now; that it broke down is told when it does."""
    n_epochs = setup.settings.max_epochs
    learning = [rule(records, setup) for rule in (exploding, large_steps, small_steps)]
    reaching = [rule(records, setup, n_epochs) for rule in (growing_in_training, vanishing_in_training)]
    outcome = [no_fall(records, setup, n_epochs), overfitting(records, setup)]
    return first_of_each([learning, reaching]) or first_of_each([outcome])


def after_training(
    records: Records, setup: Setup, parameters: Mapping[str, Any], validation: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Give the problems of a finished run, however early it ended.

    Parameters
    ----------
    records : list of Record, one at least
    setup : Setup
    parameters : mapping from name to array, those of the network
    validation : dict or None
        Figures on the validation part, and those of its baselines, as `training_` of an estimator holds them; and how
        many labels it has, as "n".
    """
    n_epochs = len(records)
    learning = [rule(records, setup) for rule in (breakdown, exploding, large_steps, small_steps)]
    growth = [growing_in_training(records, setup, n_epochs), unstable(records, parameters, setup)]
    decay = [vanishing_in_training(records, setup, n_epochs), forgetting(records, parameters, setup)]
    nothing = chance(validation, setup)
    too_short = None if nothing is None else out_of_reach(records, setup)
    outcome = [too_short, no_fall(records, setup, n_epochs), unfinished(records, setup), nothing]
    outcome += [overfitting(records, setup), behind(validation, setup)]
    return first_of_each([learning, [*growth, *decay]]) or first_of_each([outcome])


def first_of_each(groups: Iterable[Iterable[Finding | None]]) -> list[Finding]:
    """Give the first finding of each group that has one."""
    firsts = (next((finding for finding in group if finding is not None), None) for group in groups)
    return [finding for finding in firsts if finding is not None]


_GROWTH = 1.05  # of the epochs from look to look, so that all looks together take no more than some of the last


class HealthWatch(Callback):
    """Tells each problem of a run once, when it first shows.

    Parameters
    ----------
    setup : Setup
    tell : callable
        Gets the sentence.
    """

    def __init__(self, setup: Setup, tell: Callable[[str], object]) -> None:
        self._setup, self._tell = setup, tell
        self._records: list[Record] = []
        self._told: set[str] = set()
        self._next = 0  # the epoch to look again after

    def on_epoch_end(self, record: Record) -> None:
        """Look at the run up to now; epochs that a run went back over count as they were made last."""
        epoch = record["epoch"]
        while self._records and self._records[-1]["epoch"] >= epoch:
            self._next = min(self._next, self._records.pop()["epoch"])
        self._records.append(record)
        if epoch < self._next:
            return
        self._next = max(epoch + 1, int(_GROWTH * epoch))
        for finding in while_training(self._records, self._setup):
            if finding.rule not in self._told:
                self._told.add(finding.rule)
                self._tell(finding.sentence)
