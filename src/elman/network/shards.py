"""A batch cut into shards: at most 16 sequences each, longest first, whose cut depends on the batch alone."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from elman.kernels.sweep import BLOCK_ROWS, SHARD_ROWS, Steps, number_rows, order_rows

Array = np.ndarray[Any, Any]
MOST_TASKS = 16  # tasks a batch is spread over at the most: each sums a gradient of its own
_OWN_ORDER = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Shard:
    """Up to 16 sequences of a batch, longest first, with their rows numbered."""

    places: Array  # (N,) where each sequence stands in the batch
    lengths: Array  # (N,) descending
    steps: Steps
    offsets: Array  # (N,) where each sequence begins in the values

    @property
    def n_rows(self) -> int:
        """How many time steps the shard's sequences have together."""
        return int(self.steps.rows.size)

    def value_rows(self, reverse: bool = False) -> Array:
        """Return which row of the values each row of the shard reads."""
        return self.rows_from(self.offsets, reverse)

    def layer_rows(self, reverse: bool) -> Array:
        """Return which row of the layer below each row reads; the layer below lies in the shard's own order."""
        return self.rows_from(_OWN_ORDER, True) if reverse else self.steps.rows

    def rows_from(self, offsets: Array, reverse: bool = False) -> Array:
        """Return the row of each row of the shard in an array where sequence n begins at offsets[n]."""
        order = np.empty(self.n_rows, np.int64)
        order_rows(self.lengths, self.steps, offsets, reverse, order)
        return order


def new_shard(places: Array, lengths: Array, offsets: Array) -> Shard:
    """Number the rows of a shard of sequences, longest first."""
    rows, longest = int(lengths.sum()), int(lengths[0])
    starts, blocks = np.empty((2, longest + 1), np.int64)
    steps = Steps(starts, blocks, *np.empty((5, rows), np.int64))
    n_blocks = number_rows(lengths, BLOCK_ROWS, steps)
    return Shard(places, lengths, steps._replace(blocks=blocks[: n_blocks + 1]), offsets)


@dataclass(frozen=True, eq=False)
class Cut:
    """The sequences of a batch in the order of their shards."""

    order: Array  # (N,) places in the batch, longest sequence first
    lengths: Array  # (N,) in this order
    offsets: Array  # (N,) in this order

    @property
    def starts(self) -> Array:
        """Where each sequence begins, by its place, if the batch's sequences lie end to end in the order of places."""
        lengths = np.empty_like(self.lengths)
        lengths[self.order] = self.lengths
        return np.cumsum(lengths) - lengths

    @property
    def n_shards(self) -> int:
        """How many shards the batch is cut into."""
        return -(-len(self.order) // SHARD_ROWS)

    def shard(self, number: int) -> Shard:
        """Return one of the shards."""
        part = slice(number * SHARD_ROWS, (number + 1) * SHARD_ROWS)
        return new_shard(self.order[part], self.lengths[part], self.offsets[part])

    def tasks(self) -> list[range]:
        """Return the numbers of the shards in at most MOST_TASKS runs."""
        n_tasks = min(self.n_shards, MOST_TASKS)
        edges = [task * self.n_shards // n_tasks for task in range(n_tasks + 1)]
        return [range(start, stop) for start, stop in pairwise(edges)]


def cut(offsets: Array, chosen: Array | None = None) -> Cut:
    """Cut the sequences (or those chosen, in this order) of values with these offsets (N + 1,) into shards."""
    if chosen is None:
        starts, lengths = offsets[:-1], np.diff(offsets)
    else:
        starts, lengths = offsets[chosen], offsets[chosen + 1] - offsets[chosen]
    order = np.argsort(-lengths, kind="stable")
    return Cut(order, np.ascontiguousarray(lengths[order]), np.ascontiguousarray(starts[order]))
