"""The time loop, forward and backward, written once for every cell.

A shard is at most SHARD_ROWS sequences, longest first. Its steps lie end to end, time-major: step t holds one row for
each sequence still running, so that nothing is ever computed for a sequence that has ended. `plan_shard` numbers them.

    starts (T + 1,)     row at which step t begins; starts[T] = S, all rows
    rows (S,)           0, 1, 2, ...: a row's own number
    sequence (S,)       which sequence of the shard a row belongs to
    previous (S,)       where the row's states at t - 1 lie among the states; the first N rows of these are the initial ones
    current (S,)        where the row's own states lie: N + row
    blocks (B + 1,)     steps at which blocks of about BLOCK_ROWS rows begin; a block's tape fits in the cache

Arrays of one layer in one direction:

    x                   input, row x_rows[row] for each row
    tape (S, ..)        forward leaves in it what backward needs; backward leaves dL/d(pre-activation)
    states (K, N + S, .)  the cell's states; states[0] is h
    d_states (K, N, .)  in: dL/d(final states); out: dL/d(initial states)
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import kernel, part
from elman.kernels.lanes import block_loader, block_storer, lanes, stay_separate
from elman.kernels.products import accumulate_gradient, multiply

SHARD_ROWS = 16
BLOCK_ROWS = 128


@kernel("plan_shard")
def plan_shard(lengths, block_rows, starts, rows, sequence, previous, current, blocks):  # type: ignore[no-untyped-def]
    """Number the rows of a shard of sequences with these lengths, longest first; return the number of blocks."""
    count, steps = lengths.size, lengths[0]
    alive, row, before, n_blocks = count, 0, -1, 0
    block_start = 0
    blocks[0] = 0
    for t in range(steps):
        while lengths[alive - 1] <= t:
            alive -= 1
        if row - block_start >= block_rows:
            n_blocks += 1
            blocks[n_blocks] = t
            block_start = row
        starts[t] = row
        for r in range(alive):
            rows[row + r] = row + r
            sequence[row + r] = r
            current[row + r] = count + row + r
            previous[row + r] = r if t == 0 else count + before + r
        before = row
        row += alive
    starts[steps] = row
    blocks[n_blocks + 1] = steps
    return n_blocks + 1


@kernel("order_rows")
def order_rows(lengths, starts, sequence, offsets, reverse, order):  # type: ignore[no-untyped-def]
    """Set order[row] to the row of the input that a row of the shard reads.

    offsets (N,): where each sequence begins in an array that holds them end to end; empty: the input is in the shard's
    own order. `reverse` reads each sequence from its own end.
    """
    for t in range(starts.size - 1):
        for row in range(starts[t], starts[t + 1]):
            r = sequence[row]
            step = lengths[r] - 1 - t if reverse else t
            order[row] = offsets[r] + step if offsets.size else starts[step] + r


class Sweep(NamedTuple):
    """The compiled time loop of one cell in one precision."""

    forward: Any
    backward: Any


@functools.cache
def sweep(cell_name: str, dtype: np.dtype[Any]) -> Sweep:
    """Return the time loop of a cell of `CELLS` in float32 or float64, compiled at its first call."""
    cell = CELLS[cell_name]
    return Sweep(_forward_sweep(cell, dtype), _backward_sweep(cell, dtype))


def _forward_step(cell: Cell, dtype: np.dtype[Any]) -> Any:
    """Make the element-wise half of a forward step: the cell's equations over all rows and units."""
    equations = cell.forward.compiled(dtype)
    load_pre = block_loader("tape", cell.blocks)
    load_previous = block_loader("previous", len(cell.states))
    store_kept, store_states = block_storer("tape"), block_storer("state")

    @part
    def forward_step(tape, tape_stride, states, state_stride, states_apart, first, previous, current, count, width):  # type: ignore[no-untyped-def]  # noqa: E501
        stay_separate()
        for r in range(count):
            at = (first + r) * tape_stride
            before, now = (previous + r) * state_stride, (current + r) * state_stride
            for j in range(width):
                pre = load_pre(tape, at + j, width)
                kept, new = equations(*pre, *load_previous(states, before + j, states_apart))
                store_kept(tape, at + j, width, kept)
                store_states(states, now + j, states_apart, new)

    return forward_step


def _backward_step(cell: Cell, dtype: np.dtype[Any]) -> Any:
    """Make the element-wise half of a backward step."""
    equations = cell.backward.compiled(dtype)
    load_kept, store_d_pre = block_loader("tape", cell.blocks), block_storer("tape")
    load_previous = block_loader("previous", len(cell.states))
    load_states = block_loader("state", len(cell.states))
    load_d_states, store_d_states = block_loader("d_state", len(cell.states)), block_storer("d_state")

    @part
    def backward_step(tape, tape_stride, states, state_stride, states_apart, d_states, d_apart, first, previous, current, count, width):  # type: ignore[no-untyped-def]  # noqa: E501
        stay_separate()
        for r in range(count):
            at = (first + r) * tape_stride
            before, now, d_at = (previous + r) * state_stride, (current + r) * state_stride, r * state_stride
            for j in range(width):
                kept = load_kept(tape, at + j, width)
                old = load_previous(states, before + j, states_apart)
                new = load_states(states, now + j, states_apart)
                d_pre, d_old = equations(*kept, *old, *new, *load_d_states(d_states, d_at + j, d_apart))
                store_d_pre(tape, at + j, width, d_pre)
                store_d_states(d_states, d_at + j, d_apart, d_old)

    return backward_step


def _forward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    forward_step = _forward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks

    @kernel(f"forward_{cell.name}")
    def forward(x, x_rows, depth, hidden_size, weight_ih, weight_hh, bias, starts, rows, previous, current, blocks, tape_rows, carried, tape, states):  # type: ignore[no-untyped-def]  # noqa: E501
        """Fill tape and states. `carried`: the initial states are not all zero, so step 0 needs its recurrent product."""
        tape_stride, state_stride = tape.shape[1], states.shape[2]
        states_apart, width = states.shape[1] * state_stride, bias.size // n_blocks
        x_matrix = (x, x_rows, 0, x.shape[1])
        h_matrix = (states, previous, 0, state_stride)
        for block in range(blocks.size - 1):
            first = starts[blocks[block]]
            block_rows = starts[blocks[block + 1]] - first
            for gate, place, count in input_runs:
                pre = (tape, tape_rows, place * width, tape_stride)
                multiply(pre, bias, 0, x_matrix, first, block_rows, depth, weight_ih, gate * width * depth, count * width, vector)  # noqa: E501
            for t in range(blocks[block], blocks[block + 1]):
                row = starts[t]
                count_alive = starts[t + 1] - row
                recurrent = carried or t > 0
                for gate, place, count in hidden_runs:
                    pre = (tape, tape_rows, place * width, tape_stride)
                    hidden_depth = hidden_size if recurrent else 0
                    if place < n_gates:
                        if recurrent:
                            multiply(pre, tape, tape_stride, h_matrix, row, count_alive, hidden_depth, weight_hh, gate * width * hidden_size, count * width, vector)  # noqa: E501
                    else:
                        multiply(pre, bias, 0, h_matrix, row, count_alive, hidden_depth, weight_hh, gate * width * hidden_size, count * width, vector)  # noqa: E501
                forward_step(tape, tape_stride, states, state_stride, states_apart, tape_rows[row], previous[row], current[row], count_alive, width)  # noqa: E501

    return forward


def _backward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    backward_step = _backward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks

    @kernel(f"backward_{cell.name}")
    def backward(x, x_rows, depth, weight_ih, weight_hh, starts, rows, sequence, previous, current, blocks, carried, tape, states, d_output, d_output_column, d_states, d_x, d_ih, d_hh, d_bias):  # type: ignore[no-untyped-def]  # noqa: E501
        """Go back through time: dL/d(states) accumulates in d_states, and the weights' gradients in d_ih, d_hh, d_bias.

        d_output (., .): dL/dh_t from above, rows as x_rows; empty: only the final states are used.
        d_x: dL/dx is added to it, rows as x_rows; empty: not wanted (the first layer).
        d_ih (depth, gates * width), d_hh (hidden_size, gates * width), d_bias (pre-activations * width): added to.
        """
        tape_stride, state_stride = tape.shape[1], states.shape[2]
        states_apart, d_apart = states.shape[1] * state_stride, d_states.shape[1] * state_stride
        width = d_bias.size // n_blocks
        d_h = (d_states, sequence, 0, state_stride)
        sums = np.empty_like(d_bias)
        for block in range(blocks.size - 2, -1, -1):
            first = starts[blocks[block]]
            block_rows = starts[blocks[block + 1]] - first
            for t in range(blocks[block + 1] - 1, blocks[block] - 1, -1):
                row = starts[t]
                alive = starts[t + 1] - row
                if d_output.size:
                    for r in range(alive):
                        for j in range(width):
                            d_states[0, r, j] += d_output[x_rows[row + r], d_output_column + j]
                backward_step(tape, tape_stride, states, state_stride, states_apart, d_states, d_apart, row, previous[row], current[row], alive, width)  # noqa: E501
                if carried or t > 0:
                    for gate, place, count in hidden_runs:
                        d_pre = (tape, rows, place * width, tape_stride)
                        multiply(d_h, d_states, state_stride, d_pre, row, alive, count * width, weight_hh, gate * width * width, width, vector)  # noqa: E501
            if d_x.size:
                for gate, place, count in input_runs:
                    d_pre = (tape, rows, place * width, tape_stride)
                    multiply((d_x, x_rows, 0, d_x.shape[1]), d_x, d_x.shape[1], d_pre, first, block_rows, count * width, weight_ih, gate * width * depth, depth, vector)  # noqa: E501
            for gate, place, count in input_runs:
                d_pre = (tape, rows, place * width, tape_stride)
                accumulate_gradient(d_ih, gate * width, n_gates * width, (x, x_rows, 0, x.shape[1]), depth, d_pre, count * width, first, block_rows, vector)  # noqa: E501
            second = first if carried or block > 0 else starts[1]
            for gate, place, count in hidden_runs:
                d_pre = (tape, rows, place * width, tape_stride)
                h = (states, previous, 0, state_stride)
                accumulate_gradient(d_hh, gate * width, n_gates * width, h, d_hh.shape[0], d_pre, count * width, second, first + block_rows - second, vector)  # noqa: E501
            sums[:] = 0
            for row in range(first, first + block_rows):
                for j in range(sums.size):
                    sums[j] += tape[row, j]
            for j in range(sums.size):
                d_bias[j] += sums[j]

    return backward
