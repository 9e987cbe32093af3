"""The time loop, forward and backward, written once for every cell.

A shard is at most SHARD_ROWS sequences, longest first. Its steps lie end to end, time-major: step t holds one row for
each sequence still running, so that nothing is ever computed for a sequence that has ended (see `Steps`).

Arrays of one layer in one direction, for a shard of N sequences and S rows:

    x (., depth)          input; row `x_rows[row]` is the input of a row of the shard
    tape (., .)           pre-activations; forward leaves what backward needs, backward leaves dL/d(pre-activations)
    states (K, N + S, .)  the cell's states, the initial ones first; states[0] is h
    d_states (K, N, .)    in: dL/d(final states); out: dL/d(initial states)

Rows of tape and states may be longer than what they hold: an odd number of cache lines apart, they do not compete for
the same places in the cache.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import kernel, part
from elman.kernels.lanes import block_loader, block_storer, lanes, stay_separate
from elman.kernels.products import products

SHARD_ROWS = 16
BLOCK_ROWS = 128


class Steps(NamedTuple):
    """The rows of a shard, numbered by `number_rows`; all int64."""

    starts: np.ndarray[Any, Any]  # (T + 1,) row at which step t begins; starts[T] = S
    blocks: np.ndarray[
        Any, Any
    ]  # (B + 1,) step at which a block of about BLOCK_ROWS rows begins, whose tape fits the cache
    rows: np.ndarray[Any, Any]  # (S,) a row's own number: 0, 1, 2, ...
    in_block: np.ndarray[Any, Any]  # (S,) a row's number within its block
    sequence: np.ndarray[Any, Any]  # (S,) which sequence of the shard a row belongs to
    previous: np.ndarray[Any, Any]  # (S,) where the row's states at t - 1 lie among the states
    current: np.ndarray[Any, Any]  # (S,) where the row's own states lie: N + row


class Weights(NamedTuple):
    """The packed weights of one layer in one direction, for one sweep."""

    ih: np.ndarray[Any, Any]  # by pack_transposed for forward, by pack_plain for backward; likewise hh
    hh: np.ndarray[Any, Any]
    bias: np.ndarray[Any, Any]  # (pre-activations * width,)
    depth: int  # columns of x
    hidden_size: int


class WeightGradients(NamedTuple):
    """Sums that the backward sweep adds to."""

    ih: np.ndarray[Any, Any]  # (depth, gates * width)
    hh: np.ndarray[Any, Any]  # (hidden_size, gates * width)
    bias: np.ndarray[Any, Any]  # (pre-activations * width,)


@kernel("number_rows")
def number_rows(lengths, block_rows, steps):
    """Number the rows of a shard of sequences with these lengths, longest first; return the number of blocks."""
    starts, blocks, rows, in_block, sequence, previous, current = steps
    count = lengths.size
    alive, row, before, block_start, n_blocks = count, 0, 0, 0, 0
    blocks[0] = 0
    for t in range(lengths[0]):
        while lengths[alive - 1] <= t:
            alive -= 1
        if row - block_start >= block_rows:
            n_blocks += 1
            blocks[n_blocks] = t
            block_start = row
        starts[t] = row
        for r in range(alive):
            rows[row + r] = row + r
            in_block[row + r] = row + r - block_start
            sequence[row + r] = r
            current[row + r] = count + row + r
            previous[row + r] = r if t == 0 else count + before + r
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
    for t in range(steps.starts.size - 1):
        for row in range(steps.starts[t], steps.starts[t + 1]):
            r = steps.sequence[row]
            step = lengths[r] - 1 - t if reverse else t
            order[row] = offsets[r] + step if offsets.size else steps.starts[step] + r


class Sweep(NamedTuple):
    """The compiled time loop of one cell in one precision."""

    forward: Any
    backward: Any
    products: tuple[int, int]  # the first argument of both: where the products lie in this process


@functools.cache
def sweep(cell_name: str, dtype: np.dtype[Any]) -> Sweep:
    """Return the time loop of a cell of `CELLS` in float32 or float64, compiled at its first call."""
    cell = CELLS[cell_name]
    return Sweep(_forward_sweep(cell, dtype), _backward_sweep(cell, dtype), products(dtype).addresses)


def _forward_step(cell: Cell, dtype: np.dtype[Any]) -> Any:
    """Make the element-wise half of a forward step: the cell's equations over all rows and units."""
    equations = cell.forward.compiled(dtype)
    load_pre = block_loader("tape", cell.blocks)
    load_previous = block_loader("previous", len(cell.states))
    store_kept, store_states = block_storer("tape"), block_storer("state")

    @part(f"forward_step_{cell.name}_{dtype}")
    def forward_step(tape, first, states, previous, current, count, width):
        stay_separate()
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        for r in range(count):
            at = (first + r) * tape.shape[1]
            before, now = (previous + r) * stride, (current + r) * stride
            for j in range(width):
                pre = load_pre(tape, at + j, width)
                kept, new = equations(*pre, *load_previous(states, before + j, apart))
                store_kept(tape, at + j, width, kept)
                store_states(states, now + j, apart, new)

    return forward_step


def _backward_step(cell: Cell, dtype: np.dtype[Any]) -> Any:
    """Make the element-wise half of a backward step."""
    equations = cell.backward.compiled(dtype)
    n_states = len(cell.states)
    load_kept, store_d_pre = block_loader("tape", cell.blocks), block_storer("tape")
    load_previous, load_states = block_loader("previous", n_states), block_loader("state", n_states)
    load_d_states, store_d_states = block_loader("d_state", n_states), block_storer("d_state")

    @part(f"backward_step_{cell.name}_{dtype}")
    def backward_step(tape, first, states, d_states, previous, current, count, width):
        stay_separate()
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        d_apart = d_states.shape[1] * stride
        for r in range(count):
            at, d_at = (first + r) * tape.shape[1], r * stride
            before, now = (previous + r) * stride, (current + r) * stride
            for j in range(width):
                kept = load_kept(tape, at + j, width)
                old = load_previous(states, before + j, apart)
                new = load_states(states, now + j, apart)
                d_pre, d_old = equations(*kept, *old, *new, *load_d_states(d_states, d_at + j, d_apart))
                store_d_pre(tape, at + j, width, d_pre)
                store_d_states(d_states, d_at + j, d_apart, d_old)

    return backward_step


def _forward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    step = _forward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks
    multiply = products(dtype).multiply

    @kernel(f"forward_{cell.name}_{dtype}")
    def forward(products, x, x_rows, weights, steps, tape_rows, carried, tape, states):
        """Fill tape and states.

        tape_rows : steps.rows to keep the tape for backward, steps.in_block to use a tape of one block over and over.
        carried : the initial states are not all zero, so that step 0 needs its recurrent product too.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, tape_stride = bias.size // n_blocks, tape.shape[1]
        multiply_at, flat_tape = products[0], tape.reshape(tape.size)
        inputs = (x.reshape(x.size), x_rows, 0, x.shape[1])
        h = (states.reshape(states.size), steps.previous, 0, states.shape[2])
        for block in range(steps.blocks.size - 1):
            first = steps.starts[steps.blocks[block]]
            rows = steps.starts[steps.blocks[block + 1]] - first
            for gate, place, count in input_runs:
                pre, at = (flat_tape, tape_rows, place * width, tape_stride), gate * width * depth
                multiply(multiply_at, (pre, bias, 0, inputs, first, rows, depth, ih, at, count * width, vector))
            for t in range(steps.blocks[block], steps.blocks[block + 1]):
                row = steps.starts[t]
                alive = steps.starts[t + 1] - row
                recurrent = carried or t > 0
                for gate, place, count in hidden_runs:
                    pre, at = (flat_tape, tape_rows, place * width, tape_stride), gate * width * hidden_size
                    if place >= n_gates:  # a gate that keeps the recurrent part apart: it starts from its own bias
                        inner = hidden_size if recurrent else 0
                        multiply(multiply_at, (pre, bias, 0, h, row, alive, inner, hh, at, count * width, vector))
                    elif recurrent:
                        start = (flat_tape, tape_stride)
                        multiply(multiply_at, (pre, *start, h, row, alive, hidden_size, hh, at, count * width, vector))
                step(tape, tape_rows[row], states, steps.previous[row], steps.current[row], alive, width)

    return forward


def _backward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    step = _backward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks
    _, multiply, accumulate_gradient = products(dtype)

    @kernel(f"backward_{cell.name}_{dtype}")
    def backward(
        products, x, x_rows, order, weights, steps, carried, tape, states, d_output, d_column, d_states, d_x, sums
    ):
        """Go back through time: d_states carries dL/d(states), `sums` collects the gradients of the weights.

        d_output (S, .) : dL/dh_t from above in columns from d_column on; empty: only final states count.
        d_x (S, depth) : dL/dx is added to it; empty: not wanted (the first layer).
        order (S,) : which row of d_output and d_x belongs to each row of the shard: the direction of time.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, stride = bias.size // n_blocks, states.shape[2]
        multiply_at, accumulate_at = products
        flat_tape, flat_d, flat_d_x = tape.reshape(tape.size), d_states.reshape(d_states.size), d_x.reshape(d_x.size)
        inputs, h = (x.reshape(x.size), x_rows, 0, x.shape[1]), (states.reshape(states.size), steps.previous, 0, stride)
        d_inputs, d_h = (flat_d_x, order, 0, d_x.shape[1]), (flat_d, steps.sequence, 0, stride)
        sums_ih, sums_hh = sums.ih.reshape(sums.ih.size), sums.hh.reshape(sums.hh.size)
        block_bias = np.empty_like(bias)
        for block in range(steps.blocks.size - 2, -1, -1):
            first = steps.starts[steps.blocks[block]]
            rows = steps.starts[steps.blocks[block + 1]] - first
            for t in range(steps.blocks[block + 1] - 1, steps.blocks[block] - 1, -1):
                row = steps.starts[t]
                alive = steps.starts[t + 1] - row
                if d_output.size:
                    _add_rows(d_output, order, row, d_column, d_states, alive, width)
                step(tape, row, states, d_states, steps.previous[row], steps.current[row], alive, width)
                if carried or t > 0:
                    for gate, place, count in hidden_runs:
                        d_pre, at = (flat_tape, steps.rows, place * width, tape.shape[1]), gate * width * width
                        multiply(
                            multiply_at, (d_h, flat_d, stride, d_pre, row, alive, count * width, hh, at, width, vector)
                        )
            for gate, place, count in input_runs:
                d_pre, at = (flat_tape, steps.rows, place * width, tape.shape[1]), gate * width * depth
                if d_x.size:
                    start = (flat_d_x, d_x.shape[1])
                    multiply(multiply_at, (d_inputs, *start, d_pre, first, rows, count * width, ih, at, depth, vector))
                to, across = gate * width, n_gates * width
                of = (inputs, depth, d_pre, count * width)
                accumulate_gradient(accumulate_at, (sums_ih, to, across, *of, first, rows, vector))
            # the first row whose h_{t-1} may not be zero
            recurrent = first if carried or block > 0 else steps.starts[1]
            for gate, place, count in hidden_runs:
                d_pre = (flat_tape, steps.rows, place * width, tape.shape[1])
                to, across, n = gate * width, n_gates * width, first + rows - recurrent
                of = (h, hidden_size, d_pre, count * width)
                accumulate_gradient(accumulate_at, (sums_hh, to, across, *of, recurrent, n, vector))
            block_bias[:] = 0
            for row in range(first, first + rows):
                for j in range(block_bias.size):
                    block_bias[j] += tape[row, j]
            for j in range(block_bias.size):
                sums.bias[j] += block_bias[j]

    return backward


@part("add_rows")
def _add_rows(d_output, order, row, column, d_states, count, width):
    """Add to dL/dh what comes from the layer above at this step."""
    for r in range(count):
        for j in range(width):
            d_states[0, r, j] += d_output[order[row + r], column + j]
