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
from elman.kernels.lanes import PARTIAL_SUMS, block_loader, sum_many_squares

Array = np.ndarray[Any, Any]


class Watch(NamedTuple):
    """What an observer needs to know of one layer in one direction, for a shard of N sequences."""

    observer: int  # address; 0: nobody looks on
    norms: Array  # float64 (Q, S) of the batch, its steps end to end; a row for each name that the observer gives
    starts: Array  # int64 (N,) where each sequence begins in it
    lengths: Array  # int64 (N,)
    is_reverse: bool


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


def names_of(cell_name: str, *, everything: bool) -> tuple[str, ...]:
    """Return what an observer of this cell gives, a row of `Watch.norms` each."""
    if not everything:
        return ("d_h",)
    cell = CELLS[cell_name]
    return (*(f"d_{state}" for state in cell.states), *cell.states, *(gate for gate, _, _ in cell.ranges))


@functools.cache
def observer(cell_name: str, dtype: np.dtype[Any], *, everything: bool, zoneout: bool) -> int:
    """Compile an observer of dL/dh_t alone, which serves every cell, or of everything; return its address."""
    if everything:
        return address(_observe_everything(CELLS[cell_name], dtype, zoneout=zoneout), _signature(dtype))

    @kernel(f"observe_d_h_{dtype}", python=False)
    def observe(watch, tape, states, proposals, d_states, at, t, count, size, width):
        d_h = view(d_states, 0, (d_states.size,))
        for r in range(count):
            watch.norms[0, _column_of(watch, r, t)] = _norm_of_row(d_h, r * d_states.shape[2], size)

    return address(observe, _signature(dtype))


def _norm_of_d_c(cell: Cell, dtype: np.dtype[Any], *, zoneout: bool) -> Any:
    """Make the norm of the total derivative by a cell's second state.

    With zoneout h_t is not made of the c_t that is carried on, so that nothing comes through it.
    """
    if zoneout or cell.through_h is None:

        @part(f"norm_of_d_c_{cell.name}_carried_{dtype}")
        def norm_of_carried(tape, tape_at, width, states, at, apart, d_states, d_at, d_apart, size):
            return _norm_of_row(d_states, d_at + d_apart, size)

        return norm_of_carried
    through_h, load_kept = cell.through_h.compiled(dtype), block_loader("tape", cell.blocks)
    load_states, load_d_states = block_loader("state", len(cell.states)), block_loader("d_state", len(cell.states))

    @part(f"norm_of_d_c_{cell.name}_{dtype}")
    def norm(tape, tape_at, width, states, at, apart, d_states, d_at, d_apart, size):
        total = 0.0
        for j in range(size):
            now = load_states(states, at + j, apart)
            d_c = through_h(*load_kept(tape, tape_at + j, width), *now, *load_d_states(d_states, d_at + j, d_apart))
            total += np.float64(d_c) * np.float64(d_c)
        return math.sqrt(total)

    return norm


def _observe_everything(cell: Cell, dtype: np.dtype[Any], *, zoneout: bool) -> Any:
    """Make the observer of all that `names_of` says."""
    n_states, keeps, norm_of_d_c = len(cell.states), cell.keeps, _norm_of_d_c(cell, dtype, zoneout=zoneout)
    low, high = (tuple(each[i] for each in cell.ranges) for i in (1, 2))

    @kernel(f"observe_{cell.name}{'_zoneout' if zoneout else ''}_{dtype}", python=False)
    def observe(watch, tape, states, proposals, d_states, at, t, count, size, width):
        tape_row, current = at
        stride, apart = states.shape[2], states.shape[1] * states.shape[2]
        d_apart = d_states.shape[1] * stride
        flat_d, flat = view(d_states, 0, (d_states.size,)), view(states, 0, (states.size,))
        kept = view(tape, 0, (tape.size,)) if keeps else view(proposals, 0, (proposals.size,))
        for r in range(count):
            column, tape_at, state_at = _column_of(watch, r, t), (tape_row + r) * tape.shape[1], (current + r) * stride
            watch.norms[0, column] = _norm_of_row(flat_d, r * stride, size)
            if n_states == 2:
                watch.norms[1, column] = norm_of_d_c(
                    tape, tape_at, width, flat, state_at, apart, flat_d, r * stride, d_apart, size
                )
            for k in range(n_states):
                watch.norms[n_states + k, column] = _norm_of_row(flat, state_at + k * apart, size)
            for gate in range(len(low)):
                first = (tape_at if keeps else state_at) + gate * width
                inside = 0
                for j in range(first, first + size):
                    if low[gate] < kept[j] < high[gate]:
                        inside += 1
                watch.norms[2 * n_states + gate, column] = (size - inside) / size

    return observe


def watch_type() -> Any:
    """Return Numba's type of a Watch."""
    ints = types.Array(types.int64, 1, "C")
    return types.BaseTuple.from_types(
        (types.int64, types.Array(types.float64, 2, "C"), ints, ints, types.boolean), Watch
    )


def _signature(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    number, index = from_dtype(dtype), types.int64
    matrix, cube = types.Array(number, 2, "C"), types.Array(number, 3, "C")
    return (watch_type(), matrix, cube, cube, cube, types.UniTuple(index, 2), index, index, index, index)


def observer_caller(dtype: np.dtype[Any]) -> Any:
    """Return what calls an observer: call(address, (watch, tape, ...)).

    tape, states, proposals, d_states : as the sweep has them; count rows of step t are the first of d_states
    at : (row of the tape, row of the states) where step t begins
    size, width : hidden units; the same padded to whole vectors
    """
    return caller(types.void, _signature(dtype))
