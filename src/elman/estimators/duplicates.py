"""Sequences that are alike to the last value: how many of the validation part were trained on, how many contradict.

Each sequence is known by a hash of its bytes, so that memory holds one number a sequence, whatever its length.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.training.samples import Samples

_MOST_STEPS = 10_000  # looked at to see how often two steps are alike
_BLOCK = 1 << 16  # steps that are compared at a time
_TINY = 1e-300
_RARE = 0.01  # how many sequences like one of its own a sequence may find by chance before it says nothing

Hashes = NDArray[np.int64]


class Duplicates(NamedTuple):
    """What was found; n_alike of n_validation occur in training, n_contradicting of all have another's values."""

    n_alike: int
    n_validation: int
    n_contradicting: int
    n_sequences: int


def find_duplicates(training: Samples, held_out: Samples | None, *, every_step: bool) -> Duplicates:
    """Count the sequences that repeat another and are too long to do so by chance.

    Two steps drawn at random are alike with some probability q, and a step differs from the one before with some
    probability p. From one alike with another's, a sequence stays so for a step without a change with 1 - p, and with
    a change with p q / (1 - q), at most p, which is exact of unrelated steps of equally frequent kinds. So of N
    sequences

        N q (1 - p)^(steps without a change) (p q / (1 - q))^(changes)

    are like a given one by chance: bits, short words or levels that stay repeat, and teach nothing about the data by
    it. Only sequences of which less than 0.01 are expected count.

    Parameters
    ----------
    training, held_out : Samples, prepared; held_out may be None
    every_step : bool
        Whether each step has a label. A sequence contradicts another if any of their labels differ, and it has all.
    """
    chance = _Chance.of(training)
    parts = [training] if held_out is None else [training, held_out]
    contents = [_hashes(samples.values, samples.offsets) for samples in parts]
    labels = [_hashes(samples.targets, samples.offsets) if every_step else samples.targets for samples in parts]
    n_training = len(contents[0])
    counted = [np.log(n_training) + chance.log_of(samples) < np.log(_RARE) for samples in parts]
    n_alike = 0 if held_out is None else int((np.isin(contents[1], contents[0]) & counted[1]).sum())
    complete = [np.minimum.reduceat(part.targets, part.offsets[:-1]) >= 0 for part in parts] if every_step else counted
    n_contradicting = _contradicting(
        np.concatenate(contents), np.concatenate(labels), np.concatenate(counted) & np.concatenate(complete)
    )
    return Duplicates(n_alike, 0 if held_out is None else len(contents[1]), n_contradicting, sum(map(len, contents)))


def _hashes(rows: NDArray[Any], offsets: NDArray[np.int64]) -> Hashes:
    """Give a number for the content of each sequence, (N,); Python's hash of bytes differs from run to run."""
    cuts = offsets.tolist()
    return np.fromiter(
        (hash(rows[start:stop].tobytes()) for start, stop in pairwise(cuts)), dtype=np.int64, count=len(cuts) - 1
    )


class _Chance(NamedTuple):
    """How sequences are alike by chance: a first step, one without a change, one with a change."""

    first: float
    stays: float
    changes: float

    @classmethod
    def of(cls, training: Samples) -> _Chance:
        """Learn it from the training part."""
        q = _chance_of_a_step(training.values)
        n_changes = int(_changes(training).sum())
        p = n_changes / max(len(training.values) - len(training.offsets) + 1, 1)
        return cls(q, 1 - p, p * min(1.0, q / max(1 - q, _TINY)))

    def log_of(self, samples: Samples) -> NDArray[np.float64]:
        """Give the logarithm of the chance of each sequence, (N,)."""
        n_changes = _changes(samples)
        n_stays = np.diff(samples.offsets) - 1 - n_changes
        first, stays, changes = np.log(np.maximum(self, _TINY))
        log_chance: NDArray[np.float64] = first + n_stays * stays + n_changes * changes
        return log_chance


def _changes(samples: Samples) -> NDArray[np.int64]:
    """Give how many steps of each sequence differ from the one before, (N,)."""
    values, starts = samples.values, samples.offsets[:-1]
    differs = np.empty(len(values), dtype=bool)
    for start in range(1, len(values), _BLOCK):
        stop = min(start + _BLOCK, len(values))
        differs[start:stop] = (values[start:stop] != values[start - 1 : stop - 1]).any(axis=1)
    differs[starts] = False
    counts: NDArray[np.int64] = np.add.reduceat(differs, starts, dtype=np.int64)
    return counts


def _chance_of_a_step(values: NDArray[Any]) -> float:
    """Give the probability that two steps are alike, from a part of them, spread evenly."""
    some = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_STEPS)).astype(np.int64))]
    hashes = np.array([hash(row.tobytes()) for row in some])
    counts = np.unique(hashes, return_counts=True)[1]
    return float(((counts / counts.sum()) ** 2).sum())


def _contradicting(contents: Hashes, labels: Hashes, counted: NDArray[np.bool_]) -> int:
    """Count the sequences whose content comes with more than one label, among those that count."""
    contents, labels = contents[counted], labels[counted]
    if len(contents) == 0:
        return 0
    _, content = np.unique(contents, return_inverse=True)
    first = np.full(content.max() + 1, -1)
    first[content[::-1]] = np.arange(len(content))[::-1]  # the number of the first sequence of each content
    differs = labels != labels[first[content]]
    is_disputed = np.zeros(len(first), dtype=bool)
    is_disputed[content[differs]] = True
    return int(is_disputed[content].sum())
