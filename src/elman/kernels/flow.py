"""What looks on while the backward sweep goes back through time: how large dL/dh_t is, and what it meets there.

The sweep calls an observer by its address at each step, once what comes from above has been added to dL/dh_t and before
the cell's equations go back. A row belongs to one sequence and so to one thread; a sum is made in one order on any
vector width, and in float64, since what vanishes would be 0 once squared in float32.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import address, caller, kernel, part, view
from elman.kernels.lanes import PARTIAL_SUMS, block_loader, block_storer, stay_separate, sum_many_squares

Array = np.ndarray[Any, Any]


class Watch(NamedTuple):
    """What an observer needs to know of one layer in one direction, for a shard of N sequences."""

    observer: int  # address; 0: nobody looks on
    norms: Array  # float64 (Q, S) of the batch, its steps end to end; a row for each name that the observer gives
    starts: Array  # int64 (N,) where each sequence begins in it
    lengths: Array  # int64 (N,)
    is_reverse: bool
    spare: Array  # room for one row


@part("column_of")
def _column_of(watch, r, t):
    """Return where step t of the direction stands among the batch's, for sequence r of the shard."""
    return watch.starts[r] + (watch.lengths[r] - 1 - t if watch.is_reverse else t)


@part("norm_of_row")
def _norm_of_row(values, at, size):
    """Return the Euclidean norm of `size` numbers."""
    whole = size // PARTIAL_SUMS * PARTIAL_SUMS
    total = sum_many_squares(values, at, whole)
    for j in range(at + whole, at + size):
        value = np.float64(values[j])
        total += value * value
    return math.sqrt(total)


def names_of(cell_name: str) -> tuple[str, ...]:
    """Return what an observer can give of this cell, a row of `Watch.norms` each; gradients come first."""
    cell = CELLS[cell_name]
    return (*(f"d_{state}" for state in cell.states), *cell.states, *(gate for gate, _, _ in cell.ranges))


@functools.cache
def observer(cell_name: str, dtype: np.dtype[Any], *, zoneout: bool) -> int:
    """Compile the observer of a cell, of gradients alone where `Watch.norms` has no more rows; return its address."""
    cell = CELLS[cell_name]
    n_states, keeps, norm_of_d_c = len(cell.states), cell.keeps, _norm_of_d_c(cell, dtype, zoneout=zoneout)
    low, high = (tuple(each[i] for each in cell.ranges) for i in (1, 2))

    @kernel(f"observe_{cell.name}{'_zoneout' if zoneout else ''}_{dtype}", python=False)
    def observe(watch, tape, states, proposals, d_states, at, t, count, size, width):
        tape_row, current = at
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        d_apart, everything = d_states.shape[1] * stride, watch.norms.shape[0] > n_states
        flat_d, flat = view(d_states, 0, (d_states.size,)), view(states, 0, (states.size,))
        kept = view(tape, 0, (tape.size,)) if keeps else view(proposals, 0, (proposals.size,))
        for r in range(count):
            column, tape_at, state_at = _column_of(watch, r, t), (tape_row + r) * tape.shape[1], (current + r) * stride
            watch.norms[0, column] = _norm_of_row(flat_d, r * stride, size)
            if n_states == 2:
                place = (tape_at, state_at, apart, r * stride, d_apart, size, width)
                watch.norms[1, column] = norm_of_d_c(watch.spare, tape, states, d_states, place)
            if everything:
                for k in range(n_states):
                    watch.norms[n_states + k, column] = _norm_of_row(flat, state_at + k * apart, size)
                for gate in range(len(low)):
                    first = (tape_at if keeps else state_at) + gate * width
                    inside = 0
                    for j in range(first, first + size):
                        if low[gate] < kept[j] < high[gate]:
                            inside += 1
                    watch.norms[2 * n_states + gate, column] = (size - inside) / size

    return address(observe, _signature(dtype))


def _norm_of_d_c(cell: Cell, dtype: np.dtype[Any], *, zoneout: bool) -> Any:
    """Make the norm of the total derivative by a cell's second state.

    With zoneout h_t is not made of the c_t that is carried on, so that nothing comes through it.
    """
    if zoneout or cell.through_h is None:

        @part(f"norm_of_d_c_{cell.name}_carried_{dtype}")
        def norm_of_carried(spare, tape, states, d_states, place):
            _, _, _, d_at, d_apart, size, _ = place
            return _norm_of_row(view(d_states, d_at + d_apart, (size,)), 0, size)

        return norm_of_carried
    through_h, load_kept, store = (
        cell.through_h.compiled(dtype),
        block_loader("tape", cell.blocks),
        block_storer("previous"),
    )
    load_states, load_d_states = block_loader("state", len(cell.states)), block_loader("d_state", len(cell.states))

    @part(f"norm_of_d_c_{cell.name}_{dtype}")
    def norm_of_all(spare, tape, states, d_states, place):
        stay_separate()
        tape_at, at, apart, d_at, d_apart, size, width = place
        for j in range(width):
            now = load_states(states, at + j, apart)
            d_c = through_h(*load_kept(tape, tape_at + j, width), *now, *load_d_states(d_states, d_at + j, d_apart))
            store(spare, j, 0, (d_c,))
        return _norm_of_row(spare, 0, size)

    return norm_of_all


def watch_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of a Watch."""
    ints, norms, row = (
        types.Array(*kind, "C") for kind in ((types.int64, 1), (types.float64, 2), (from_dtype(dtype), 1))
    )
    return types.BaseTuple.from_types((types.int64, norms, ints, ints, types.boolean, row), Watch)


def _signature(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    number, index = from_dtype(dtype), types.int64
    matrix, cube = types.Array(number, 2, "C"), types.Array(number, 3, "C")
    return (watch_type(dtype), matrix, cube, cube, cube, types.UniTuple(index, 2), index, index, index, index)


def observer_caller(dtype: np.dtype[Any]) -> Any:
    """Return what calls an observer: call(address, (watch, tape, ...)).

    tape, states, proposals, d_states : as the sweep has them; count rows of step t are the first of d_states
    at : (row of the tape, row of the states) where step t begins
    size, width : hidden units; the same padded to whole vectors
    """
    return caller(types.void, _signature(dtype))
