"""Residual connections: a layer's input added to its output, compiled only for networks that have them."""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel
from elman.kernels.shards import Steps

ALL_STEPS, LAST_STEP, LAST_STEP_BACK = range(3)


@kernel("residual", python=False)
def _residual(what, target, source, order, steps, lengths, width, column):
    """Add the source to the target.

    what : ALL_STEPS, row by row, forward as back; LAST_STEP, from a layer's input (S, .) to features (N, .), the rows
        that `last_states` takes, columns from `column` on; LAST_STEP_BACK, the other way
    order : which row of the layer's input belongs to each row of the shard
    """
    if what == ALL_STEPS:
        for row in range(target.shape[0]):
            for j in range(target.shape[1]):
                target[row, j] += source[row, j]
        return
    for r in range(lengths.size):
        row = order[steps.starts[lengths[r] - 1] + r]
        for j in range(column, column + width):
            if what == LAST_STEP:
                target[r, j] += source[row, j]
            else:
                target[row, j] += source[r, j]


def _arguments(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    index, matrix = types.int64, types.Array(from_dtype(dtype), 2, "C")
    ints = types.Array(index, 1, "C")
    return (index, matrix, matrix, ints, types.BaseTuple.from_types((ints,) * 7, Steps), ints, index, index)


def residual_caller(dtype: np.dtype[Any]) -> Any:
    """Return what calls the kernel by its address."""
    return caller(types.void, _arguments(dtype))


@functools.cache
def residual_address(dtype: np.dtype[Any]) -> int:
    """Compile the kernel; return where it lies in this process."""
    return address(_residual, _arguments(dtype))
