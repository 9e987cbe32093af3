"""The training part and the validation part, and one source of random numbers for each use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences, split_by_class, split_by_group
from elman.errors import DataError
from elman.estimators.labels import Codes
from elman.estimators.weights import Weights


@dataclass(frozen=True, eq=False)
class Part:
    """Labelled sequences.

    Parameters
    ----------
    sequences : Sequences
    codes : int64 array (N,) or (S,)
        The class of each sequence, or step; -1 where a step has no label.
    weights : float64 array (N,) or (S,), or None
        How much each counts; None: all alike.
    """

    sequences: Sequences
    codes: Codes
    weights: Weights | None = None

    def take(self, index: Codes, *, every_step: bool) -> Part:
        """Give the sequences ``index`` with what belongs to them."""
        rows = steps_of(self.sequences, index) if every_step else index
        weights = None if self.weights is None else self.weights[rows]
        return Part(self.sequences[index], self.codes[rows], weights)

    def step_weights(self) -> Weights | None:
        """Give the weight of each step, (S,), None where all count alike."""
        if self.weights is None or len(self.weights) == len(self.sequences.values):
            return self.weights
        return np.repeat(self.weights, self.sequences.lengths)


def steps_of(sequences: Sequences, index: Codes) -> Codes:
    """Give the numbers of the steps of the sequences ``index``, in their order."""
    lengths = sequences.lengths[index]
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) + np.repeat(sequences.offsets[index] - ends + lengths, lengths)


def make_generators(random_state: Any, n_members: int = 1) -> list[np.random.Generator]:
    """Give generators for the split, and for each member for the start of its parameters and for its training.

    Each has a stream of its own, so that passing validation data in leaves the start and the training as they were,
    and more members leave the first ones as they were. A generator passed in moves on: the next fit with it draws other
    numbers.
    """
    if random_state is None or isinstance(random_state, int | np.integer):
        seed = np.random.SeedSequence(random_state)
    elif hasattr(random_state, "bit_generator"):
        seed = np.random.SeedSequence(random_state.integers(2**32, size=4).tolist())
    else:
        seed = np.random.SeedSequence(random_state.randint(2**31 - 1, size=4).tolist())
    return [np.random.default_rng(child) for child in seed.spawn(1 + 2 * n_members)]


def split(
    part: Part, groups: NDArray[Any] | None, fraction: float, rng: np.random.Generator, *, every_step: bool
) -> tuple[Part, Part]:
    """Set a validation part aside, by class, or by whole groups where ``groups`` (N,) are given.

    With ``every_step`` a sequence counts as of the rarest class among its steps, one without labels as of the most
    frequent, and every class stays in training.

    Raises
    ------
    DataError
        If the data cannot be split so.
    """
    labels = _rarest(part) if every_step else part.codes
    if groups is None:
        training, validation = split_by_class(labels, fraction, rng)
    else:
        training, validation = split_by_group(groups, labels, fraction, rng)
    if every_step:
        training, validation = _with_every_class(part, training, validation, may_move=groups is None)
    return part.take(training, every_step=every_step), part.take(validation, every_step=every_step)


def _rarest(part: Part) -> Codes:
    """Give for each sequence the class among its steps that is rarest over all steps, (N,)."""
    counts = np.bincount(part.codes[part.codes >= 0])
    by_rank = np.argsort(counts, kind="stable")
    rank = np.empty(len(counts) + 1, dtype=np.int64)  # the last, which -1 finds, is of no class
    rank[by_rank] = np.arange(len(counts))
    rank[-1] = len(counts) - 1
    rarest_rank = np.minimum.reduceat(rank[part.codes], part.sequences.offsets[:-1])
    return by_rank[rarest_rank]


def _with_every_class(part: Part, training: Codes, validation: Codes, *, may_move: bool) -> tuple[Codes, Codes]:
    """Move sequences to training until every class occurs there."""
    offsets = part.sequences.offsets

    def classes_of(n: int) -> Codes:
        codes = part.codes[offsets[n] : offsets[n + 1]]
        return np.unique(codes[codes >= 0])

    missing = set(np.unique(part.codes[part.codes >= 0]).tolist()).difference(
        *(classes_of(n).tolist() for n in training)
    )
    moved: list[int] = []
    while missing:
        n = max(validation.tolist(), key=lambda n: len(missing.intersection(classes_of(n).tolist())))
        missing -= set(classes_of(n).tolist())
        moved.append(n)
        validation = validation[validation != n]
        if not may_move or len(validation) == 0:
            raise DataError(
                "A validation part would take the only steps of some class out of training. "
                "Pass validation data, or train without early stopping."
            )
    return np.sort(np.concatenate([training, np.array(moved, dtype=np.int64)])), validation
