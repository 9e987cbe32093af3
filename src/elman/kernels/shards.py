"""A batch cut into shards of at most SHARD_ROWS sequences, and the rows of a shard numbered.

The cut depends on the lengths alone. Sequences are sorted, longest first, and each run of 64 neighbours is dealt out
like cards to up to four shards. So the shards of a batch take about the same time, on any number of threads, and a
shard of a large batch holds sequences of about one length.

A shard's steps lie end to end, time-major: step t holds one row for each sequence still running, the longest first, so
that nothing is ever computed for a sequence that has ended.
"""

from typing import Any, NamedTuple

import numpy as np

from elman.kernels.compiled import kernel, part

SHARD_ROWS = 16
BLOCK_ROWS = 128
_DEALT = 4  # shards among which neighbours in length are dealt out

Ints = np.ndarray[Any, np.dtype[np.int64]]


class Batch(NamedTuple):
    """The sequences of a batch, shard by shard, in each shard the longest first; all int64 arrays."""

    places: Ints  # (N,) where each sequence stands in the batch
    lengths: Ints  # (N,)
    offsets: Ints  # (N,) where each sequence begins in the values
    starts: Ints  # (N,) where each would begin if the batch lay end to end in the order of places
    edges: Ints  # (shards + 1,) shard s holds sequences edges[s] to edges[s + 1] - 1


class Steps(NamedTuple):
    """The rows of a shard of S rows and T steps, numbered by `number_rows`; all int64."""

    starts: Ints  # (T + 1,) row at which step t begins; starts[T] = S
    blocks: Ints  # (B + 1,) step at which a block of about BLOCK_ROWS rows begins, whose tape fits the cache
    rows: Ints  # (S,) a row's own number: 0, 1, 2, ...
    in_block: Ints  # (S,) a row's number within its block
    sequence: Ints  # (S,) which sequence of the shard a row belongs to
    previous: Ints  # (S,) where the row's states at t - 1 lie among the states
    current: Ints  # (S,) where the row's own states lie: N + row


@part("shards_of")
def shards_of(n):
    """Return how many shards n sequences are cut into."""
    return -(-n // SHARD_ROWS)


@kernel("cut", allocates=True)
def cut(offsets, chosen, n_values, batch):
    """Cut a batch into shards; return whether its sequences lie within the values and none is empty.

    offsets (M + 1,) : sequence m is values[offsets[m] : offsets[m + 1]]
    chosen (N,) : the batch is these sequences, in this order
    """
    n = chosen.size
    longest, shortest = 0, n_values
    for place in range(n):
        m = chosen[place]
        if m < 0 or m + 1 >= offsets.size:
            return False
        length = offsets[m + 1] - offsets[m]
        if offsets[m] < 0 or length < 1 or offsets[m + 1] > n_values:
            return False
        longest, shortest = max(longest, length), min(shortest, length)

    # Sorted by counting, longest first, equal lengths in the order of the batch: at[longest - length] is the next rank.
    at = np.zeros(longest - shortest + 2, np.int64)
    for place in range(n):
        m = chosen[place]
        at[longest - (offsets[m + 1] - offsets[m]) + 1] += 1
    for i in range(1, at.size):
        at[i] += at[i - 1]
    run, n_shards = _DEALT * SHARD_ROWS, 0
    for first in range(0, n, run):
        here = min(run, n - first)
        shards = -(-here // SHARD_ROWS)
        for shard in range(shards):
            batch.edges[n_shards] = first + shard * (here // shards) + min(shard, here % shards)
            n_shards += 1
    batch.edges[n_shards] = n
    start = 0
    for place in range(n):
        m = chosen[place]
        length = offsets[m + 1] - offsets[m]
        rank = at[longest - length]
        at[longest - length] += 1
        first = rank // run * run
        shards = -(-min(run, n - first) // SHARD_ROWS)
        i = batch.edges[first // SHARD_ROWS + (rank - first) % shards] + (rank - first) // shards
        batch.places[i], batch.lengths[i], batch.offsets[i], batch.starts[i] = place, length, offsets[m], start
        start += length
    return True


@kernel("number_rows")
def number_rows(lengths, steps):
    """Number the rows of a shard of sequences with these lengths, longest first; return the number of blocks."""
    starts, blocks, rows, in_block, sequence, previous, current = steps
    count = lengths.size
    alive, row, before, block_start, n_blocks = count, 0, 0, 0, 0
    blocks[0] = 0
    for t in range(lengths[0]):
        while lengths[alive - 1] <= t:
            alive -= 1
        if row - block_start >= BLOCK_ROWS:
            n_blocks += 1
            blocks[n_blocks] = t
            block_start = row
        starts[t] = row
        back = 0 if t == 0 else count + before
        for r in range(alive):
            rows[row + r] = row + r
            in_block[row + r] = row + r - block_start
            sequence[row + r] = r
            current[row + r] = count + row + r
            previous[row + r] = back + r
        before = row
        row += alive
    starts[lengths[0]] = row
    blocks[n_blocks + 1] = lengths[0]
    return n_blocks + 1


@kernel("order_rows")
def order_rows(lengths, steps, offsets, reverse, order):
    """Set order[row] to the row of the input that a row of the shard reads.

    offsets (N,): where each sequence begins in an array that holds them end to end; empty: the input is in the shard's
    own order. `reverse` reads each sequence from its own end.
    """
    row = 0
    for t in range(steps.starts.size - 1):
        for r in range(steps.starts[t + 1] - row):
            step = lengths[r] - 1 - t if reverse else t
            order[row + r] = (offsets[r] + step) if offsets.size else steps.starts[step] + r
        row = steps.starts[t + 1]
