"""The readout "attention": features are a mean of h_t over time whose weights the network learns.

    a = softmax over the sequence's own steps of h_t . w        features = sum over t of a_t h_t
    d_a_t = dL/d(features) . h_t        d_s_t = a_t (d_a_t - sum over k of a_k d_a_k)
    d_h_t = a_t dL/d(features) + d_s_t w        d_w = sum over t of d_s_t h_t

Source: Felbo et al., "Using millions of emoji occurrences to learn any-domain representations for detecting sentiment,
emotion and sarcasm" (2017), after Bahdanau et al. (2015).

Rows of outputs and features have one block for each direction, `size` units padded to `width`; w is not padded. A
network with another readout neither compiles nor calls any of this.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part, view
from elman.kernels.over_time import add_block
from elman.kernels.shards import BLOCK_ROWS, Steps

NO_ATTENTION = (0, 0)  # addresses of a network with another readout
_PARTIAL = 16  # sums of a scalar product: whole vectors on every machine


class Attention(NamedTuple):
    """What attention needs, in one order: ways to call its kernels, or the kernels' addresses in this process."""

    attend: Any
    attend_back: Any


@part("attention_memory")
def attention_memory(rows, columns):
    """Return how many numbers `attend` and `attend_back` keep for a shard."""
    return 2 * rows + 2 * columns + _PARTIAL


@part("parts_of_memory")
def _parts_of_memory(memory, rows, columns):
    """Return a_t and d_s_t (rows,), w padded and the sum of d_w over a block (columns,), a scalar product's sums."""
    w, block, partial = 2 * rows, 2 * rows + columns, 2 * rows + 2 * columns
    return memory[:rows], memory[rows:w], memory[w:block], memory[block:partial], memory[partial : partial + _PARTIAL]


@part("dot")
def _dot(a, b, size, width, partial):
    """Return a . b over the first `size` of every `width`, in sums that know nothing of the padding."""
    partial[:] = 0
    whole = size // _PARTIAL * _PARTIAL
    for begin in range(0, a.size, width):
        x, y = view(a, begin, (size,)), view(b, begin, (size,))
        for j in range(0, whole, _PARTIAL):
            for lane in range(_PARTIAL):
                partial[lane] += x[j + lane] * y[j + lane]
        for j in range(whole, size):
            partial[j - whole] += x[j] * y[j]
    total = partial[0]
    for lane in range(1, _PARTIAL):
        total += partial[lane]
    return total


@part("softmax_over_time")
def _softmax_over_time(scores, starts, lengths):
    """Replace the scores of each sequence's steps by their softmax, shifted so that it never overflows."""
    for r in range(lengths.size):
        largest, total = np.float64(scores[r]), 0.0
        for t in range(1, lengths[r]):
            largest = max(largest, np.float64(scores[starts[t] + r]))
        for t in range(lengths[r]):
            power = math.exp(np.float64(scores[starts[t] + r]) - largest)
            scores[starts[t] + r] = power
            total += power
        for t in range(lengths[r]):
            scores[starts[t] + r] = np.float64(scores[starts[t] + r]) / total


@kernel("attend", python=False)
def _attend(outputs, steps, lengths, weight, size, width, memory, block, features):
    """Set features (N, F) from outputs (S, F), and leave in memory what `attend_back` needs; block (N, F) is spare."""
    rows, columns = outputs.shape
    shares, _, w, _, partial = _parts_of_memory(memory, rows, columns)
    w[:] = 0
    for end in range(columns // width):
        for j in range(size):
            w[end * width + j] = weight[end * size + j]
    for row in range(rows):
        shares[row] = _dot(outputs[row], w, size, width, partial)
    _softmax_over_time(shares, steps.starts, lengths)
    features[:] = 0
    block[:] = 0
    for t in range(steps.starts.size - 1):
        for row in range(steps.starts[t], steps.starts[t + 1]):
            h, total, share = outputs[row], block[steps.sequence[row]], shares[row]
            for j in range(columns):
                total[j] += share * h[j]
        if t % BLOCK_ROWS == BLOCK_ROWS - 1 or t == steps.starts.size - 2:
            add_block(block, features)


@part("softmax_back")
def _softmax_back(shares, d_shares, starts, lengths):
    """Replace d_a_t of each sequence's steps by d_s_t, whose sum over time is 0 to more than their own precision."""
    for r in range(lengths.size):
        total, mean = 0.0, 0.0
        for t in range(lengths[r]):
            share = np.float64(shares[starts[t] + r])
            total += share
            mean += share * d_shares[starts[t] + r]
        for t in range(lengths[r]):
            row = starts[t] + r
            d_shares[row] = shares[row] * (d_shares[row] - mean / total)


@kernel("attend_back", python=False)
def _attend_back(outputs, steps, lengths, size, width, memory, d_features, d_outputs, d_weight):
    """Set d_outputs and add to d_weight, summed a block of rows at a time."""
    rows, columns = outputs.shape
    shares, d_scores, w, block, partial = _parts_of_memory(memory, rows, columns)
    for row in range(rows):
        d_scores[row] = _dot(d_features[steps.sequence[row]], outputs[row], size, width, partial)
    _softmax_back(shares, d_scores, steps.starts, lengths)
    for first in range(0, rows, BLOCK_ROWS):
        block[:] = 0
        for row in range(first, min(first + BLOCK_ROWS, rows)):
            h, d_h, d_feature = outputs[row], d_outputs[row], d_features[steps.sequence[row]]
            share, d_score = shares[row], d_scores[row]
            for j in range(columns):
                d_h[j] = share * d_feature[j] + d_score * w[j]
                block[j] += d_score * h[j]
        for end in range(columns // width):
            for j in range(size):
                d_weight[end * size + j] += block[end * width + j]


def _signatures(dtype: np.dtype[Any]) -> Attention:
    """Return the arguments of each kernel."""
    index, number = types.int64, from_dtype(dtype)
    ints, vector, matrix = types.Array(index, 1, "C"), types.Array(number, 1, "C"), types.Array(number, 2, "C")
    steps = types.BaseTuple.from_types((ints,) * 7, Steps)
    return Attention(
        attend=(matrix, steps, ints, vector, index, index, vector, matrix, matrix),
        attend_back=(matrix, steps, ints, index, index, vector, matrix, matrix, vector),
    )


@functools.cache
def attention_callers(dtype: np.dtype[Any]) -> Attention:
    """Return call(address, (argument, ...)) for each kernel; nothing is compiled."""
    return Attention(*(caller(types.void, arguments) for arguments in _signatures(dtype)))


@functools.cache
def attention_addresses(dtype: np.dtype[Any]) -> Attention:
    """Compile the kernels and return their addresses, for a Plan."""
    return Attention(*map(address, (_attend, _attend_back), _signatures(dtype)))
