"""What a rule of health says, and what it needs to know of the training that it judges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from elman.network.architecture import Architecture
from elman.training.history import Record
from elman.training.settings import TrainingSettings

Records: TypeAlias = Sequence[Record]
GATED = ("lstm", "gru")
SOLVED = 0.95  # accuracy from which nothing that is missed costs much
_ERRORS_LEFT = 0.5  # of those of the most frequent class, at most, where something counts as solved
_DEVIATIONS = 1.96  # that a share is above another only once in forty times by chance


class Finding(NamedTuple):
    """A problem: by which rule, in words with a remedy, and the number behind it."""

    rule: str
    sentence: str
    number: float


@dataclass(frozen=True)
class Setup:
    """What is trained, and how, as far as health goes by it.

    Parameters
    ----------
    architecture : Architecture
    settings : TrainingSettings
    longest : int
        Steps of the longest training sequence, as the network sees it.
    initialisation : str
    patch_size : int or None
        Steps that are read as one; None where they cannot be put together, as with a label for each.
    shares : tuple of C float
        What each class counts for in the training loss, together 1; () where that is not known: all the same.
    usual_epochs : int
        What max_epochs='auto' would have chosen; 0 where that is not known.
    """

    architecture: Architecture
    settings: TrainingSettings
    longest: int
    initialisation: str = "orthogonal"
    patch_size: int | None = 1
    shares: tuple[float, ...] = ()
    usual_epochs: int = 0

    @property
    def majority(self) -> float:
        """The share of the most frequent class."""
        return max(self.shares, default=1 / self.architecture.n_classes)

    @property
    def loss_of_chance(self) -> float:
        """The training loss of a network that always gives the shares of the classes: their entropy, in nats."""
        n_classes, smoothing = self.architecture.n_classes, self.settings.label_smoothing
        shares = self.shares or (1 / n_classes,) * n_classes
        smoothed = ((1 - smoothing) * share + smoothing / n_classes for share in shares)
        return -sum(share * math.log(share) for share in smoothed if share > 0)


def is_solved(records: Records, setup: Setup) -> bool:
    """Whether the accuracy on the validation part was high after one of the epochs.

    It must be far above what the most frequent class alone has, too. Training accuracy says nothing here: what was
    learned by heart is not solved.
    """
    found = (record["validation_accuracy"] for record in records)
    return any(accuracy is not None and is_high(accuracy, setup) for accuracy in found)


def is_high(accuracy: float, setup: Setup) -> bool:
    """Whether an accuracy leaves nothing that costs much."""
    return accuracy >= max(SOLVED, 1 - _ERRORS_LEFT * (1 - setup.majority))


def is_clearly_above(share: float, rival: float, n: float) -> bool:
    """Whether a share of n is above another by more than chance explains: Wilson's 95 % interval leaves that out.

    >>> is_clearly_above(0.30, 0.25, 60), is_clearly_above(0.40, 0.25, 60)
    (False, True)
    """
    return share - rival > _DEVIATIONS * math.sqrt(rival * (1 - rival) / max(n, 1.0))


def shown(number: float) -> str:
    """Give a number as a sentence has it.

    >>> shown(0.00021), shown(2.31), shown(25_310.0), shown(6.6e8)
    ('0.00021', '2.3', '25,310', '6.6e+08')
    """
    return f"{number:,.0f}" if 10 <= number < 1e6 else f"{number:.2g}"
