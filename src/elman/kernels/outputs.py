"""From the outputs h_t of all steps to the class scores, and back: directions joined, readouts, class scores.

Outputs of a layer lie in rows of `in_blocks` blocks, one a direction, each padded to whole vectors like the gates.
"""

import functools
from typing import Any

import numpy as np

from elman.kernels.compiled import kernel, part, view
from elman.kernels.lanes import lanes
from elman.kernels.products import products
from elman.kernels.shards import BLOCK_ROWS


@kernel("join_outputs")
def join_outputs(states, current, order, width, column, outputs):
    """Copy h of every row of a shard to outputs[order[row]], columns from `column` on."""
    for row in range(order.size):
        for j in range(width):
            outputs[order[row], column + j] = states[0, current[row], j]


@kernel("add_residual")
def add_residual(outputs, below):
    """Add a layer's input to its output, row by row."""
    for row in range(outputs.shape[0]):
        for j in range(outputs.shape[1]):
            outputs[row, j] += below[row, j]


@kernel("add_last")
def add_last(below, order, steps, lengths, width, column, features):
    """Add to features what `last_states` would take from a layer's input, columns from `column` on."""
    for r in range(lengths.size):
        row = order[steps.starts[lengths[r] - 1] + r]
        for j in range(width):
            features[r, column + j] += below[row, column + j]


@kernel("spread_last")
def spread_last(d_features, order, steps, lengths, width, column, d_below):
    """Add to d_below what `add_last` passes back."""
    for r in range(lengths.size):
        row = order[steps.starts[lengths[r] - 1] + r]
        for j in range(width):
            d_below[row, column + j] += d_features[r, column + j]


@kernel("last_states")
def last_states(states, steps, lengths, width, column, features):
    """Copy each sequence's h at the last step of its sweep to features (N, .), columns from `column` on."""
    for r in range(lengths.size):
        row = steps.current[steps.starts[lengths[r] - 1] + r]
        for j in range(width):
            features[r, column + j] = states[0, row, j]


@part("add_block")
def add_block(block, features):
    """Add what was summed over a block of steps, and clear it: short sums keep their precision over many steps."""
    for r in range(features.shape[0]):
        for j in range(features.shape[1]):
            features[r, j] += block[r, j]
            block[r, j] = 0


@kernel("mean_over_time")
def mean_over_time(outputs, steps, lengths, block, features):
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


@kernel("spread_mean")
def spread_mean(d_features, steps, lengths, d_outputs):
    """Set d_outputs to dL/d(outputs) of `mean_over_time`."""
    for row in range(d_outputs.shape[0]):
        r = steps.sequence[row]
        length = d_features.dtype.type(lengths[r])
        for j in range(d_features.shape[1]):
            d_outputs[row, j] = d_features[r, j] / length


@kernel("max_over_time")
def max_over_time(outputs, steps, features, winners):
    """Set features (N, F) to the largest of each sequence's outputs and winners (N, F) to its row; NaN wins."""
    for row in range(outputs.shape[0]):
        r = steps.sequence[row]
        for j in range(features.shape[1]):
            value = outputs[row, j]
            if row == r or value > features[r, j] or (value != value and features[r, j] == features[r, j]):
                features[r, j] = value
                winners[r, j] = row


@kernel("spread_max")
def spread_max(d_features, winners, d_outputs):
    """Set d_outputs to dL/d(outputs) of `max_over_time`."""
    d_outputs[:] = 0
    for r in range(d_features.shape[0]):
        for j in range(d_features.shape[1]):
            d_outputs[winners[r, j], j] = d_features[r, j]


@functools.cache
def class_scores(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return score(...) and score_backward(...), compiled for float32 or float64; they call `products` by address."""
    _, multiply, _, accumulate_gradient, accumulate_rows = products(dtype)
    vector = lanes(dtype)

    @kernel(f"score_{dtype}")
    def score(products, features, rows, packed, bias, logits):
        """Set logits (N, .) to features (N, F) @ weight_out.T + bias_out, the weights packed by pack_transposed."""
        n, inner = features.shape
        c = (view(logits, 0, (logits.size,)), rows, 0, logits.shape[1])
        a = (view(features, 0, (features.size,)), rows, 0, inner)
        multiply(products[0], (c, bias, 0, a, 0, n, inner, packed, 0, bias.size, vector))

    @kernel(f"score_backward_{dtype}")
    def score_backward(products, features, d_logits, rows, packed, d_features, d_weight, d_bias):
        """Set d_features and add to d_weight (F, .) and d_bias, from d_logits, the weights packed by pack_plain."""
        n, inner, columns = features.shape[0], features.shape[1], d_bias.size
        d_out = (view(d_logits, 0, (d_logits.size,)), rows, 0, d_logits.shape[1])
        a, flat = (view(features, 0, (features.size,)), rows, 0, inner), view(d_features, 0, (d_features.size,))
        d_features[:] = 0
        multiply(products[0], ((flat, rows, 0, inner), flat, inner, d_out, 0, n, columns, packed, 0, inner, vector))
        to = (view(d_weight, 0, (d_weight.size,)), 0, columns)
        for first in range(0, n, BLOCK_ROWS):
            rows_here = min(BLOCK_ROWS, n - first)
            accumulate_gradient(products[2], (*to, a, inner, d_out, columns, first, rows_here, vector))
            accumulate_rows(products[3], (d_bias, d_out, columns, first, rows_here, vector))

    return score, score_backward
