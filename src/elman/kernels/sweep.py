"""The time loop, forward and backward, written once for every cell.

Arrays of one layer in one direction, for a shard (see `shards`) of N sequences and S rows:

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
from numba import from_dtype, types

from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import kernel, part, view
from elman.kernels.lanes import block_loader, block_storer, lanes, stay_separate
from elman.kernels.products import products
from elman.kernels.shards import Steps

FEW_INPUTS = 32  # up to which the input's product rides with the recurrent one; else it is made a block at a time


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


class Sweep(NamedTuple):
    """The compiled time loop of one cell in one precision."""

    forward: Any
    backward: Any
    products: tuple[int, int, int, int]  # the first argument of both: where the products lie in this process


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
    _, multiply, multiply_both, _, _ = products(dtype)

    @kernel(f"forward_{cell.name}_{dtype}")
    def forward(products, x, x_rows, weights, steps, tape_rows, carried, tape, states):
        """Fill tape and states.

        tape_rows : steps.rows to keep the tape for backward, steps.in_block to use a tape of one block over and over,
            which is also enough for backward if the cell keeps nothing but its states.
        carried : the initial states are not all zero, so that step 0 needs its recurrent product too.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, tape_stride = bias.size // n_blocks, tape.shape[1]
        at_multiply, at_both, _, _ = products
        flat_tape = view(tape, 0, (tape.size,))
        inputs = (view(x, 0, (x.size,)), x_rows, 0, x.shape[1])
        h = (view(states, 0, (states.size,)), steps.previous, 0, states.shape[2])
        few = depth <= FEW_INPUTS
        for block in range(steps.blocks.size - 1):
            first = steps.starts[steps.blocks[block]]
            rows = steps.starts[steps.blocks[block + 1]] - first
            if not few:
                for gate, place, count in input_runs:
                    pre, at = (flat_tape, tape_rows, place * width, tape_stride), gate * width * depth
                    multiply(at_multiply, (pre, bias, 0, inputs, first, rows, depth, ih, at, count * width, vector))
            for t in range(steps.blocks[block], steps.blocks[block + 1]):
                row = steps.starts[t]
                alive = steps.starts[t + 1] - row
                inner = hidden_size if carried or t > 0 else 0
                for gate, place, count in hidden_runs:
                    pre, columns = (flat_tape, tape_rows, place * width, tape_stride), count * width
                    at_ih, at_hh = gate * width * depth, gate * width * hidden_size
                    if place >= n_gates:  # a gate that keeps the recurrent part apart: it starts from its own bias
                        if few:
                            own = (flat_tape, tape_rows, gate * width, tape_stride)
                            multiply(at_multiply, (own, bias, 0, inputs, row, alive, depth, ih, at_ih, columns, vector))
                        multiply(at_multiply, (pre, bias, 0, h, row, alive, inner, hh, at_hh, columns, vector))
                    elif few:
                        factors = (inputs, depth, ih, at_ih, h, inner, hh, at_hh)
                        multiply_both(at_both, (pre, bias, 0, row, alive, columns, vector, *factors))
                    elif inner > 0:
                        start = (flat_tape, tape_stride)
                        multiply(at_multiply, (pre, *start, h, row, alive, inner, hh, at_hh, columns, vector))
                step(tape, tape_rows[row], states, steps.previous[row], steps.current[row], alive, width)

    return forward


def _backward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    step = _backward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks
    _, multiply, multiply_both, accumulate_gradient, accumulate_rows = products(dtype)
    one_pass = len(hidden_runs) == 2
    (_, first_place, first_count), (last_gate, last_place, last_count) = hidden_runs[0], hidden_runs[-1]

    @kernel(f"backward_{cell.name}_{dtype}")
    def backward(
        products, x, x_rows, order, weights, steps, tape_rows, carried, tape, states, d_output, d_column, d_states,
        d_x, sums,
    ):  # fmt: skip
        """Go back through time: d_states carries dL/d(states), `sums` collects the gradients of the weights.

        d_output (S, .) : dL/dh_t from above in columns from d_column on; empty: only final states count.
        d_x (S, depth) : dL/dx is added to it; empty: not wanted (the first layer).
        order (S,) : which row of d_output and d_x belongs to each row of the shard: the direction of time.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, stride = bias.size // n_blocks, states.shape[2]
        at_multiply, at_both, at_gradient, at_rows = products
        flat_tape, flat_d, flat_d_x = (
            view(tape, 0, (tape.size,)),
            view(d_states, 0, (d_states.size,)),
            view(d_x, 0, (d_x.size,)),
        )
        inputs, h = (
            (view(x, 0, (x.size,)), x_rows, 0, x.shape[1]),
            (view(states, 0, (states.size,)), steps.previous, 0, stride),
        )
        d_inputs, d_h = (flat_d_x, order, 0, d_x.shape[1]), (flat_d, steps.sequence, 0, stride)
        sums_ih, sums_hh = view(sums.ih, 0, (sums.ih.size,)), view(sums.hh, 0, (sums.hh.size,))
        for block in range(steps.blocks.size - 2, -1, -1):
            first = steps.starts[steps.blocks[block]]
            rows = steps.starts[steps.blocks[block + 1]] - first
            for t in range(steps.blocks[block + 1] - 1, steps.blocks[block] - 1, -1):
                row = steps.starts[t]
                alive = steps.starts[t + 1] - row
                if d_output.size:
                    _add_rows(d_output, order, row, d_column, d_states, alive, width)
                step(tape, tape_rows[row], states, d_states, steps.previous[row], steps.current[row], alive, width)
                if (carried or t > 0) and one_pass:
                    a = (flat_tape, tape_rows, first_place * width, tape.shape[1])
                    b = (flat_tape, tape_rows, last_place * width, tape.shape[1])
                    factors = (a, first_count * width, hh, 0, b, last_count * width, hh, last_gate * width * width)
                    multiply_both(at_both, (d_h, flat_d, stride, row, alive, width, vector, *factors))
                elif carried or t > 0:
                    for gate, place, count in hidden_runs:
                        d_pre, at = (flat_tape, tape_rows, place * width, tape.shape[1]), gate * width * width
                        multiply(
                            at_multiply, (d_h, flat_d, stride, d_pre, row, alive, count * width, hh, at, width, vector)
                        )
            for gate, place, count in input_runs:
                d_pre, at = (flat_tape, tape_rows, place * width, tape.shape[1]), gate * width * depth
                if d_x.size:
                    start = (flat_d_x, d_x.shape[1])
                    multiply(at_multiply, (d_inputs, *start, d_pre, first, rows, count * width, ih, at, depth, vector))
                to, across = gate * width, n_gates * width
                of = (inputs, depth, d_pre, count * width)
                accumulate_gradient(at_gradient, (sums_ih, to, across, *of, first, rows, vector))
            # the first row whose h_{t-1} may not be zero
            recurrent = first if carried or block > 0 else steps.starts[1]
            for gate, place, count in hidden_runs:
                d_pre = (flat_tape, tape_rows, place * width, tape.shape[1])
                to, across, n = gate * width, n_gates * width, first + rows - recurrent
                of = (h, hidden_size, d_pre, count * width)
                accumulate_gradient(at_gradient, (sums_hh, to, across, *of, recurrent, n, vector))
            d_pre = (flat_tape, tape_rows, 0, tape.shape[1])
            accumulate_rows(at_rows, (sums.bias, d_pre, bias.size, first, rows, vector))

    return backward


@part("add_rows")
def _add_rows(d_output, order, row, column, d_states, count, width):
    """Add to dL/dh what comes from the layer above at this step."""
    for r in range(count):
        for j in range(width):
            d_states[0, r, j] += d_output[order[row + r], column + j]


def sweep_signatures(dtype: np.dtype[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the types of the arguments of forward and backward, for kernels that call them by address."""
    number, index = from_dtype(dtype), types.int64
    indices = types.Array(index, 1, "C")
    vector, matrix, cube = (types.Array(number, n, "C") for n in (1, 2, 3))
    addresses, steps = types.UniTuple(index, 4), types.BaseTuple.from_types((indices,) * 7, Steps)
    weights = types.BaseTuple.from_types((vector, vector, vector, index, index), Weights)
    sums = types.BaseTuple.from_types((matrix, matrix, vector), WeightGradients)
    loop = (weights, steps, indices, types.boolean, matrix, cube)
    forward = (addresses, matrix, indices, *loop)
    return forward, (addresses, matrix, indices, indices, *loop, matrix, index, cube, matrix, sums)
