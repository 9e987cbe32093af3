"""How good a network is on labelled samples: its loss and its accuracy."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from elman.errors import DataError
from elman.kernels.loss import losses
from elman.network.network import Network
from elman.training.samples import Samples

Array = np.ndarray[Any, Any]
_RUN = 1 << 20  # steps that are assessed together, but of one sequence at least


def assess(network: Network, samples: Samples, n_threads: int | None = None) -> tuple[float, float]:
    """Return loss and accuracy of the network as it is: means over the labelled targets by their weights.

    Raises
    ------
    DataError
        If no target has a label and a weight above 0.
    """
    weights, total = counted(samples)
    loss = np.empty(len(samples.targets))
    hits = np.empty(len(samples.targets), dtype=bool)
    done = 0
    for values, offsets in _runs(samples):
        logits = network.logits(values, offsets, n_threads=n_threads)
        rows = slice(done, done + len(logits))
        targets = samples.targets[rows]
        loss[rows] = losses(logits, targets)
        hits[rows] = logits.argmax(axis=1) == targets
        done += len(logits)
    shares = weights / total
    counts = shares > 0  # a sequence that does not count may have any scores
    return float(shares[counts] @ loss[counts]), float(shares[hits].sum())


def counted(samples: Samples) -> tuple[Array, float]:
    """Return how much each target counts: its weight, or 0 where there is no label; and the sum of all.

    Raises
    ------
    DataError
        If that sum is 0.
    """
    weights = np.where(samples.targets < 0, 0.0, 1.0 if samples.weights is None else samples.weights)
    total = float(weights.sum())
    if not total > 0:
        raise DataError(
            f"At least one target must have a label and a weight above 0. "
            f"Got {(samples.targets >= 0).sum()} labels, with weights that sum to {total:g}."
        )
    return weights, total


def _runs(samples: Samples) -> Iterator[tuple[Array, Array]]:
    """Give values and offsets of runs of sequences, so that class scores of every step are never held for all."""
    offsets, first = samples.offsets, 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _RUN, side="right")) - 1
        last = max(last, first + 1)
        yield samples.values[offsets[first] : offsets[last]], offsets[first : last + 1] - offsets[first]
        first = last
