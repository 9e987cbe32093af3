"""The readouts "mean" and "max": features of a sequence made of its outputs at all steps, and the way back.

Both have one signature, are called by their addresses, and are compiled only for networks that use them.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part
from elman.kernels.shards import BLOCK_ROWS, Steps


@part("add_block")
def add_block(block, features):
    """Add what was summed over a block of steps, and clear it: short sums keep their precision over many steps."""
    for r in range(features.shape[0]):
        for j in range(features.shape[1]):
            features[r, j] += block[r, j]
            block[r, j] = 0


@kernel("mean_over_time", python=False)
def _mean(outputs, steps, lengths, block, winners, features):
    """Set features (N, F) to the mean of each sequence's outputs; block (N, F) sums over a block of steps at a time."""
    features[:] = 0
    block[:] = 0
    for t in range(steps.starts.size - 1):
        for row in range(steps.starts[t], steps.starts[t + 1]):
            for j in range(features.shape[1]):
                block[steps.sequence[row], j] += outputs[row, j]
        if t % BLOCK_ROWS == BLOCK_ROWS - 1 or t == steps.starts.size - 2:
            add_block(block, features)
    for r in range(lengths.size):
        length = features.dtype.type(lengths[r])
        for j in range(features.shape[1]):
            features[r, j] /= length


@kernel("spread_mean", python=False)
def _spread_mean(d_features, steps, lengths, winners, d_outputs):
    """Set d_outputs to dL/d(outputs) of `_mean`."""
    for row in range(d_outputs.shape[0]):
        r = steps.sequence[row]
        length = d_features.dtype.type(lengths[r])
        for j in range(d_features.shape[1]):
            d_outputs[row, j] = d_features[r, j] / length


@kernel("max_over_time", python=False)
def _max(outputs, steps, lengths, block, winners, features):
    """Set features (N, F) to the largest of each sequence's outputs and winners (N, F) to its row; NaN wins."""
    for row in range(outputs.shape[0]):
        r = steps.sequence[row]
        for j in range(features.shape[1]):
            value = outputs[row, j]
            if row == r or value > features[r, j] or (value != value and features[r, j] == features[r, j]):
                features[r, j] = value
                winners[r, j] = row


@kernel("spread_max", python=False)
def _spread_max(d_features, steps, lengths, winners, d_outputs):
    """Set d_outputs to dL/d(outputs) of `_max`."""
    d_outputs[:] = 0
    for r in range(d_features.shape[0]):
        for j in range(d_features.shape[1]):
            d_outputs[winners[r, j], j] = d_features[r, j]


def _signatures(dtype: np.dtype[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    index = types.int64
    ints, matrix = types.Array(index, 1, "C"), types.Array(from_dtype(dtype), 2, "C")
    steps, winners = types.BaseTuple.from_types((ints,) * 7, Steps), types.Array(index, 2, "C")
    return (matrix, steps, ints, matrix, winners, matrix), (matrix, steps, ints, winners, matrix)


def over_time_callers(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return what calls a readout and its way back by their addresses.

    readout(outputs (S, F), steps, lengths, block (N, F) spare, winners (N, F), features (N, F))
    back(d_features, steps, lengths, winners, d_outputs)
    """
    forward, back = _signatures(dtype)
    return caller(types.void, forward), caller(types.void, back)


@functools.cache
def over_time_addresses(readout: str, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Compile a readout, "mean" or "max", and its way back; return where they lie in this process."""
    kernels = {"mean": (_mean, _spread_mean), "max": (_max, _spread_max)}[readout]
    forward, back = _signatures(dtype)
    return address(kernels[0], forward), address(kernels[1], back)
