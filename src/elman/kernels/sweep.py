"""The time loop, forward and backward, written once for every cell.

Arrays of one layer in one direction, for a shard (see `shards`) of N sequences and S rows:

    x (., depth)          input; row `x_rows[row]` is the input of a row of the shard
    tape (., .)           pre-activations; forward leaves what backward needs, backward leaves dL/d(pre-activations)
    states (K, N + S, .)  the cell's states, the initial ones first; states[0] is h
    d_states (K, N, .)    in: dL/d(final states); out: dL/d(initial states)

What options add is in `hooks`: between the products and the cell the loop calls passes of their own.

Rows of tape and states may be longer than what they hold: an odd number of cache lines apart, they do not compete for
the same places in the cache.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import kernel, part, view
from elman.kernels.flow import observer_caller, watch_type
from elman.kernels.hooks import CARRY, NORMALISE, NORMALISE_BACK, PUT_TOGETHER, TAKE_APART, call_hook, extras_type
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
    def forward_step(tape, first, states, proposals, previous, current, count, width):
        stay_separate()
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        for r in range(count):
            at = (first + r) * tape.shape[1]
            before, now = (previous + r) * stride, (current + r) * stride
            for j in range(width):
                pre = load_pre(tape, at + j, width)
                kept, new = equations(*pre, *load_previous(states, before + j, apart))
                store_kept(tape, at + j, width, kept)
                store_states(proposals, now + j, apart, new)

    return forward_step


def _backward_step(cell: Cell, dtype: np.dtype[Any]) -> Any:
    """Make the element-wise half of a backward step."""
    equations = cell.backward.compiled(dtype)
    n_states = len(cell.states)
    load_kept, store_d_pre = block_loader("tape", cell.blocks), block_storer("tape")
    load_previous, load_states = block_loader("previous", n_states), block_loader("state", n_states)
    load_d_states, store_d_states = block_loader("d_state", n_states), block_storer("d_state")

    @part(f"backward_step_{cell.name}_{dtype}")
    def backward_step(tape, first, states, proposals, d_states, previous, current, count, width):
        stay_separate()
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        d_apart = d_states.shape[1] * stride
        for r in range(count):
            at, d_at = (first + r) * tape.shape[1], r * stride
            before, now = (previous + r) * stride, (current + r) * stride
            for j in range(width):
                kept = load_kept(tape, at + j, width)
                old = load_previous(states, before + j, apart)
                new = load_states(proposals, now + j, apart)
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
    def forward(products, x, x_rows, weights, steps, tape_rows, carried, tape, states, extras):
        """Fill tape and states.

        tape_rows : steps.rows to keep the tape for backward, steps.in_block to use a tape of one block over and over,
            which is also enough for backward if the cell keeps nothing but its states.
        carried : the initial states are not all zero, so that step 0 needs its recurrent product too.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, hooks = bias.size // n_blocks, extras.hooks
        at_multiply, at_both, _, _ = products
        inputs = (view(x, 0, (x.size,)), x_rows, 0, x.shape[1])
        h = (view(extras.recurrent, 0, (extras.recurrent.size,)), steps.previous, 0, states.shape[2])
        apart = hooks[NORMALISE] != 0  # the products of x and of h stay apart until both are normalised
        pre_activations, origin = (extras.parts, extras.zeros) if apart else (tape, bias)
        flat, stride = view(pre_activations, 0, (pre_activations.size,)), pre_activations.shape[1]
        few = depth <= FEW_INPUTS and not apart
        for block in range(steps.blocks.size - 1):
            first = steps.starts[steps.blocks[block]]
            rows = steps.starts[steps.blocks[block + 1]] - first
            if not few:
                for gate, place, count in input_runs:
                    pre, at = (flat, tape_rows, place * width, stride), gate * width * depth
                    multiply(at_multiply, (pre, origin, 0, inputs, first, rows, depth, ih, at, count * width, vector))
            for t in range(steps.blocks[block], steps.blocks[block + 1]):
                row = steps.starts[t]
                alive = steps.starts[t + 1] - row
                inner = hidden_size if carried or t > 0 else 0
                for gate, place, count in hidden_runs:
                    own_place = n_gates + gate if apart else place
                    pre, columns = (flat, tape_rows, own_place * width, stride), count * width
                    at_ih, at_hh = gate * width * depth, gate * width * hidden_size
                    if own_place >= n_gates:  # the recurrent part has a place of its own, and starts from its own bias
                        if few:
                            own = (flat, tape_rows, gate * width, stride)
                            multiply(at_multiply, (own, bias, 0, inputs, row, alive, depth, ih, at_ih, columns, vector))
                        multiply(at_multiply, (pre, origin, 0, h, row, alive, inner, hh, at_hh, columns, vector))
                    elif few:
                        factors = (inputs, depth, ih, at_ih, h, inner, hh, at_hh)
                        multiply_both(at_both, (pre, bias, 0, row, alive, columns, vector, *factors))
                    elif inner > 0:
                        start = (flat, stride)
                        multiply(at_multiply, (pre, *start, h, row, alive, inner, hh, at_hh, columns, vector))
                at = (extras.context, tape_rows[row], steps.previous[row], steps.current[row], alive, t)
                if apart:
                    call_hook(hooks[NORMALISE], at)
                step(tape, at[1], states, extras.proposals, at[2], at[3], alive, width)
                if hooks[CARRY] != 0:
                    call_hook(hooks[CARRY], at)

    return forward


def _backward_sweep(cell: Cell, dtype: np.dtype[Any]) -> Any:
    step = _backward_step(cell, dtype)
    input_runs, hidden_runs, vector = cell.input_runs, cell.hidden_runs, lanes(dtype)
    n_gates, n_blocks = len(cell.gates), cell.blocks
    _, multiply, multiply_both, accumulate_gradient, accumulate_rows = products(dtype)
    one_pass, observe = len(hidden_runs) == 2, observer_caller(dtype)
    (_, first_place, first_count), (last_gate, last_place, last_count) = hidden_runs[0], hidden_runs[-1]

    @kernel(f"backward_{cell.name}_{dtype}")
    def backward(
        products, x, x_rows, order, weights, steps, tape_rows, carried, tape, states, d_output, d_column, d_states,
        d_x, sums, extras, watch,
    ):  # fmt: skip
        """Go back through time: d_states carries dL/d(states), `sums` collects the gradients of the weights.

        d_output (S, .) : dL/dh_t from above in columns from d_column on; empty: only final states count.
        d_x (S, depth) : dL/dx is added to it; empty: not wanted (the first layer).
        order (S,) : which row of d_output and d_x belongs to each row of the shard: the direction of time.
        watch : who looks on at each step, see `flow`.
        """
        ih, hh, bias, depth, hidden_size = weights
        width, stride, hooks = bias.size // n_blocks, states.shape[2], extras.hooks
        at_multiply, at_both, at_gradient, at_rows = products
        apart, masked = hooks[NORMALISE] != 0, extras.d_hidden.shape[0] > 0
        d_pre_activations = extras.parts if apart else tape
        flat_pre, pre_stride = view(d_pre_activations, 0, (d_pre_activations.size,)), d_pre_activations.shape[1]
        flat_tape, flat_d_x = view(tape, 0, (tape.size,)), view(d_x, 0, (d_x.size,))
        flat_d = view(extras.d_hidden, 0, (extras.d_hidden.size,)) if masked else view(d_states, 0, (d_states.size,))
        inputs, h = (
            (view(x, 0, (x.size,)), x_rows, 0, x.shape[1]),
            (view(extras.recurrent, 0, (extras.recurrent.size,)), steps.previous, 0, stride),
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
                at = (extras.context, tape_rows[row], steps.previous[row], steps.current[row], alive, t)
                if watch.observer != 0:
                    seen = (tape, states, extras.proposals, d_states, (at[1], at[3]), t, alive, hidden_size, width)
                    observe(watch.observer, (watch, *seen))
                if hooks[TAKE_APART] != 0:
                    call_hook(hooks[TAKE_APART], at)
                step(tape, at[1], states, extras.proposals, d_states, at[2], at[3], alive, width)
                if apart:
                    call_hook(hooks[NORMALISE_BACK], at)
                if (carried or t > 0) and one_pass:
                    a_place, b_place = (n_gates, n_gates + last_gate) if apart else (first_place, last_place)
                    a = (flat_pre, tape_rows, a_place * width, pre_stride)
                    b = (flat_pre, tape_rows, b_place * width, pre_stride)
                    factors = (a, first_count * width, hh, 0, b, last_count * width, hh, last_gate * width * width)
                    multiply_both(at_both, (d_h, flat_d, stride, row, alive, width, vector, *factors))
                elif carried or t > 0:
                    for gate, place, count in hidden_runs:
                        own_place = n_gates + gate if apart else place
                        d_pre, of = (flat_pre, tape_rows, own_place * width, pre_stride), gate * width * width
                        multiply(
                            at_multiply, (d_h, flat_d, stride, d_pre, row, alive, count * width, hh, of, width, vector)
                        )
                if hooks[PUT_TOGETHER] != 0:
                    call_hook(hooks[PUT_TOGETHER], at)
            for gate, place, count in input_runs:
                d_pre, of_gate = (flat_pre, tape_rows, place * width, pre_stride), gate * width * depth
                if d_x.size:
                    start = (flat_d_x, d_x.shape[1])
                    factors = (d_pre, first, rows, count * width, ih, of_gate, depth, vector)
                    multiply(at_multiply, (d_inputs, *start, *factors))
                to, across = gate * width, n_gates * width
                of = (inputs, depth, d_pre, count * width)
                accumulate_gradient(at_gradient, (sums_ih, to, across, *of, first, rows, vector))
            # the first row whose h_{t-1} may not be zero
            recurrent = first if carried or block > 0 else steps.starts[1]
            for gate, place, count in hidden_runs:
                own_place = n_gates + gate if apart else place
                d_pre = (flat_pre, tape_rows, own_place * width, pre_stride)
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
    seen = (extras_type(dtype), watch_type(dtype))
    back = (matrix, index, cube, matrix, sums, *seen)  # what the way back has besides
    return (addresses, matrix, indices, *loop, seen[0]), (addresses, matrix, indices, indices, *loop, *back)
