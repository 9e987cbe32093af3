"""Softmax cross-entropy, and its gradient."""

import math
from typing import Any

import numpy as np

from elman.kernels.compiled import kernel


@kernel("cross_entropy")
def cross_entropy(logits, targets, n_classes, scale, d_logits):
    """Return the sum of -log softmax(logits)[target] and how many targets score highest; set d_logits to the gradient.

    The gradient of a row is `scale` times softmax(logits) - one_hot(target). Sums run in float64.
    """
    total, correct = 0.0, 0
    for r in range(logits.shape[0]):
        largest, winner = np.float64(logits[r, 0]), 0
        for j in range(1, n_classes):
            if logits[r, j] > largest:
                largest, winner = np.float64(logits[r, j]), j
        correct += winner == targets[r]
        denominator = 0.0
        for j in range(n_classes):
            power = math.exp(np.float64(logits[r, j]) - largest)
            d_logits[r, j] = power
            denominator += power
        total += math.log(denominator) + largest - np.float64(logits[r, targets[r]])
        for j in range(n_classes):
            share = np.float64(d_logits[r, j]) / denominator
            d_logits[r, j] = scale * (share - (1.0 if j == targets[r] else 0.0))
        for j in range(n_classes, d_logits.shape[1]):
            d_logits[r, j] = 0
    return total, correct


def softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the class probabilities (N, C) as float64; each row sums to 1."""
    scores = logits.astype(np.float64)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
