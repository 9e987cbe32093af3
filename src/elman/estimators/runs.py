"""Data of any size, prepared and classified some sequences at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.data.numeric import FloatArray
from elman.data.scratch import goes_to_disk, on_disk
from elman.errors import DataError
from elman.network.network import Network

RUN = 1 << 22  # numbers that are prepared at a time, but one sequence at least

Prepare: TypeAlias = Callable[[Sequences, int], Sequences]
"""Gives sequences as the network takes them; the number is what errors call the first."""


def prepared_values(prepare: Prepare, sequences: Sequences, dtype: np.dtype[np.generic]) -> FloatArray:
    """Give all values (S, D) as the network takes them; where they come from disk and are too many, on disk again."""
    if not goes_to_disk(sequences.values, sequences.values.size * dtype.itemsize):
        return prepare(sequences, 0).values
    blocks = (run.values for run in _prepared_runs(prepare, sequences))
    return on_disk(blocks, len(sequences.values), dtype, sequences.values)


def probabilities(
    networks: Sequence[Network], prepare: Prepare, sequences: Sequences, n_threads: int | None
) -> Iterator[NDArray[np.float64]]:
    """Give the mean of the networks' probabilities (n, C) of run after run; a row a sequence, or a step with a loss."""
    for prepared in _prepared_runs(prepare, sequences):
        with np.errstate(over="ignore", invalid="ignore"):
            total = networks[0].proba(prepared.values, prepared.offsets, n_threads=n_threads)
            for network in networks[1:]:
                total += network.proba(prepared.values, prepared.offsets, n_threads=n_threads)
        yield total / len(networks)


def require_finite_scores(
    runs: Iterator[NDArray[np.float64]], sequences: Sequences, *, every_step: bool
) -> Iterator[NDArray[np.float64]]:
    """Give the same probabilities, or raise DataError with the number of the first sequence whose are not finite."""
    n_before = 0
    for proba in runs:
        broken = ~np.isfinite(proba).all(axis=1)
        if broken.any():
            row = n_before + int(np.argmax(broken))
            n = int(np.searchsorted(sequences.offsets, row, side="right")) - 1 if every_step else row
            raise DataError(
                f"Expected finite scores of every class; the network's scores of X[{n}] are not finite: "
                "its values or its length are far beyond those of training. Scale or shorten it, or leave it out."
            )
        n_before += len(proba)
        yield proba


def _prepared_runs(prepare: Prepare, sequences: Sequences) -> Iterator[Sequences]:
    first = 0
    for run in sequences.in_runs(RUN):
        with np.errstate(over="ignore", invalid="ignore"):
            prepared = prepare(run, first)
        yield prepared
        first += len(run)
