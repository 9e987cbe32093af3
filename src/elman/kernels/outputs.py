"""From the outputs h_t of all steps to the class scores, and back: directions joined, last states, class scores.

Outputs of a layer lie in rows of `in_blocks` blocks, one a direction, each padded to whole vectors like the gates.
"""

import functools
from typing import Any

import numpy as np

from elman.kernels.compiled import kernel, view
from elman.kernels.lanes import lanes
from elman.kernels.products import products
from elman.kernels.shards import BLOCK_ROWS


@kernel("join_outputs")
def join_outputs(states, current, order, width, column, outputs):
    """Copy h of every row of a shard to outputs[order[row]], columns from `column` on."""
    for row in range(order.size):
        for j in range(width):
            outputs[order[row], column + j] = states[0, current[row], j]


@kernel("last_states")
def last_states(states, steps, lengths, width, column, features):
    """Copy each sequence's h at the last step of its sweep to features (N, .), columns from `column` on."""
    for r in range(lengths.size):
        row = steps.current[steps.starts[lengths[r] - 1] + r]
        for j in range(width):
            features[r, column + j] = states[0, row, j]


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
