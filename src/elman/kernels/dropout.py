"""Dropout that is counted, not drawn: what happens to a unit is a hash of where it stands.

So masks do not depend on threads, shards or other sequences, and are made again on the way back instead of kept.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part
from elman.kernels.shards import Steps

# What tells the masks of one use from those of another; the number of the layer or direction is added.
BETWEEN_LAYERS, RECURRENT, ZONEOUT = 0, 1 << 20, 2 << 20
_ODD = np.uint64(0x9E3779B97F4A7C15)


@part("mixed")
def mixed(bits):
    """Spread the bits of a counter (the finaliser of MurmurHash3, D. Stafford's thirteenth variant)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@part("chance_of")
def chance_of(key, use, place, t):
    """Return what the units of one sequence at one step are told apart from: see `below`."""
    of_key = mixed(np.uint64(key) + _ODD)  # mixed(0) is 0
    return mixed(mixed(mixed(of_key ^ np.uint64(use)) ^ np.uint64(place)) ^ np.uint64(t))


@part("below")
def below(chance, unit, threshold):
    """Return whether a unit's number, uniform in [0, 2^53), is below the threshold."""
    return (mixed(chance ^ np.uint64(unit)) >> np.uint64(11)) < threshold


@part("threshold_of")
def threshold_of(rate):
    """Return the threshold that a share `rate` of units is below."""
    return np.uint64(rate * 2.0**53)


@kernel("drop_out")
def drop_out(values, steps, places, key, layer, rate, size, padded):
    """Set each value to 0 with probability `rate` and multiply the others by 1 / (1 - rate), in place.

    What happens to a unit depends on (key, layer, the sequence's place in the batch, time step, unit) alone. Rows of
    `values` are the shard's own.
    """
    threshold = threshold_of(rate)
    scale = values.dtype.type(1.0 / (1.0 - rate))
    zero = values.dtype.type(0)
    for t in range(steps.starts.size - 1):
        for row in range(steps.starts[t], steps.starts[t + 1]):
            chance = chance_of(key, BETWEEN_LAYERS + layer, places[steps.sequence[row]], t)
            for block in range(values.shape[1] // padded):
                for j in range(size):
                    at = block * padded + j
                    values[row, at] = zero if below(chance, block * size + j, threshold) else values[row, at] * scale


@kernel("zoneout_choices")
def zoneout_choices(choices, place, key, direction, rate):
    """Set choices (T, K, H) to 1 where zoneout keeps a state of one sequence, else 0."""
    threshold = threshold_of(rate)
    steps, states, size = choices.shape
    for t in range(steps):
        chance = chance_of(key, ZONEOUT + direction, place, t)
        for k in range(states):
            for j in range(size):
                choices[t, k, j] = 1 if below(chance, k * size + j, threshold) else 0


def _arguments(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    ints, index = types.Array(types.int64, 1, "C"), types.int64
    steps = types.BaseTuple.from_types((ints,) * 7, Steps)
    return (types.Array(from_dtype(dtype), 2, "C"), steps, ints, index, index, types.float64, index, index)


def drop_out_caller(dtype: np.dtype[Any]) -> Any:
    """Return what calls `drop_out` by its address: it is compiled only for networks that have dropout."""
    return caller(types.void, _arguments(dtype))


@functools.cache
def drop_out_address(dtype: np.dtype[Any]) -> int:
    """Compile `drop_out`; return where it lies in this process."""
    return address(drop_out, _arguments(dtype))


@kernel("recurrent_masks")
def recurrent_masks(masks, places, key, direction, rate, size):
    """Set masks (N, .) to 0 with probability `rate`, else 1 / (1 - rate): one mask a sequence, for all of its steps.

    Source: Gal & Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks" (2016).
    """
    threshold = threshold_of(rate)
    scale = masks.dtype.type(1.0 / (1.0 - rate))
    masks[:] = 0
    for r in range(masks.shape[0]):
        chance = chance_of(key, RECURRENT + direction, places[r], 0)
        for j in range(size):
            if not below(chance, j, threshold):
                masks[r, j] = scale
