"""What a rule of health says, and what it needs to know of the training that it judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from elman.network.architecture import Architecture
from elman.training.history import Record
from elman.training.settings import TrainingSettings

Records: TypeAlias = Sequence[Record]
GATED = ("lstm", "gru")
SOLVED = 0.95  # accuracy from which nothing that is missed costs much


class Finding(NamedTuple):
    """Something that is ill: by which rule, in words with a remedy, and the number behind it."""

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
    """

    architecture: Architecture
    settings: TrainingSettings
    longest: int
    initialisation: str = "orthogonal"
    patch_size: int | None = 1


def accuracy_of(record: Record) -> float:
    """Give the accuracy on the validation part, or in training where there is none."""
    found = record["validation_accuracy"]
    return record["training_accuracy"] if found is None else found


def is_solved(records: Records) -> bool:
    """Whether the accuracy was high after one of the epochs."""
    return any(accuracy_of(record) >= SOLVED for record in records)
