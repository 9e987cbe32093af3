"""What options do before and after the time loop of one layer in one direction: set up what the passes in `hooks` need.

Called by its address, and compiled only where an option is on: see `passes.stages`.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, put, room_for, view
from elman.kernels.dropout import recurrent_masks
from elman.kernels.hooks import Context, Extras, context_type, extras_type
from elman.kernels.jobs import CONTEXT, job_type, plan_type, shard_type
from elman.kernels.plan import SIZE, WIDTH, gains, start_states


class Options(NamedTuple):
    """Two stages in one precision, for kernels that call them by address: call(address, (argument, ...))."""

    addresses: tuple[int, int]  # of the two in this process
    begin: Any
    end: Any


def callers(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return what calls `begin` and `end` by their addresses."""
    begin, end = _signatures(dtype)
    return caller(extras_type(dtype), begin), caller(types.void, end)


def _signatures(dtype: np.dtype[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    number, index = from_dtype(dtype), types.int64
    vector, matrix, cube = (types.Array(number, n, "C") for n in (1, 2, 3))
    begin = (job_type(dtype), shard_type(dtype), vector, vector, index, matrix, cube, cube, vector)
    return begin, (plan_type(), index, cube, vector)


@functools.cache
def options(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Compile `begin` and `end`; return where they lie in this process."""

    assert room_for(context_type(dtype)) <= CONTEXT

    @kernel(f"begin_options_{dtype}", python=False)
    def begin(job, shard, packed, sums, d, tape, states, d_states, bias):
        """Set the initial states and masks of direction d; return the Extras of its time loop.

        sums : of the gradients, in the backward sweep; empty in the forward one
        """
        setup, at, memory, n = job.setup, shard.at, shard.memory, shard.lengths.size
        plan, learning, size, width = setup.plan, setup.learning, setup.plan.table[d, SIZE], setup.plan.table[d, WIDTH]
        stride, of, rows = plan.state_stride, (d if learning else 0), n + shard.rows
        start, _, n_start = start_states(plan, d)
        if n_start > 0:
            for k in range(plan.n_states):
                for r in range(n):
                    for j in range(width):
                        states[k, r, j] = packed[start + k * width + j]
        proposals, recurrent = states, view(states, 0, (rows, stride))
        masks = d_hidden = view(memory, 0, (0, stride))
        if plan.zoneout > 0:
            proposals = view(memory, at.proposals + of * at.states_size, (plan.n_states, rows, stride))
        if plan.recurrent_dropout > 0 and job.dropout_key >= 0:
            recurrent = view(memory, at.recurrent + of * at.recurrent_size, (rows, stride))
            masks, d_hidden = view(memory, at.masks, (n, stride)), view(memory, at.d_hidden, (n, stride))
            recurrent_masks(masks, shard.places, job.dropout_key, d, plan.recurrent_dropout, size)
            for r in range(n):
                for j in range(width):
                    recurrent[r, j] = masks[r, j] * states[0, r, j]
        parts_at = at.parts + (of * at.parts_size if plan.keeps else 0)
        parts = view(memory, parts_at, (at.tape_rows if plan.parts_stride > 0 else 0, plan.parts_stride))
        gain, sum_gain, n_gains = gains(plan, d)
        if n_gains > 0:
            for j in range(3 * plan.gates * width):
                memory[at.spare + j] = 0
        where = shard.spare[shard.spare.size - CONTEXT :]
        zeros = view(packed, plan.zeros, (n_gains,))
        extras = Extras(plan.hooks, np.int64(where.ctypes.data), proposals, recurrent, parts, zeros, d_hidden)
        put(where, Context(
            extras, tape, states, d_states, bias, view(packed, gain, (n_gains,)),
            view(sums, sum_gain, (n_gains if sums.size > 0 else 0,)), plan.hidden_runs, masks,
            view(memory, at.d_kept, (plan.n_states, n, stride)), memory[at.spare :], shard.places, job.dropout_key,
            plan.zoneout, d, size, width,
        ))  # fmt: skip
        return extras

    @kernel(f"end_options_{dtype}", python=False)
    def end(plan, d, d_states, sums):
        """Add up dL/d(initial states) of all sequences of a shard."""
        _, at, n_start = start_states(plan, d)
        if n_start > 0:
            width = plan.table[d, WIDTH]
            for k in range(plan.n_states):
                for r in range(d_states.shape[1]):
                    for j in range(width):
                        sums[at + k * width + j] += d_states[k, r, j]

    return tuple(address(*each) for each in zip((begin, end), _signatures(dtype)))  # type: ignore[return-value]
