"""Random numbers that are counted, not drawn: each is a hash of where it belongs, whatever the order."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_UNIT = 2.0**-32


def hashed(key: int, *places: Array | int) -> Array:
    """Return 64 random bits, uint64, for each place: ints, or arrays of them that are broadcast.

    Examples
    --------
    >>> hashed(5, np.array([0, 1])).tolist() == [hashed(5, 0).item(), hashed(5, 1).item()]
    True
    """
    bits = _mixed(np.array([key], np.uint64) + _ODD)
    for place in places:
        bits = within(bits, place)
    return bits


def within(bits: Array, place: Array | int) -> Array:
    """Return the random bits of places inside the places that `bits` are of."""
    return _mixed(bits ^ np.asarray(place).astype(np.uint64))


def uniform(bits: Array) -> Array:
    """Return float64 numbers in [0, 1), of 32 bits: n times one of them stays below n."""
    return (bits >> _HALF) * _UNIT


def normals(bits: Array, n: int) -> Array:
    """Return n standard normal numbers, float32 (..., n), for each of the places that `bits` (...) are of.

    Source: Box & Muller, "A note on the generation of random normal deviates" (1958); two for one hash.
    """
    pairs = within(bits[..., None], np.arange((n + 1) // 2))
    first = ((pairs >> _HALF).astype(np.float32) + np.float32(0.5)) * np.float32(_UNIT)  # never 0
    second = pairs.astype(np.uint32).astype(np.float32) * np.float32(2 * np.pi * _UNIT)
    radius = np.sqrt(np.float32(-2) * np.log(first))
    numbers: Array = np.concatenate([radius * np.cos(second), radius * np.sin(second)], axis=-1)[..., :n]
    return numbers


def _mixed(bits: Array) -> Array:
    """Spread the bits of a counter, as the masks of dropout are (`elman.kernels.dropout.mixed`)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    spread: Array = bits ^ (bits >> np.uint64(31))
    return spread
