"""Softmax cross-entropy, and its gradient."""

import math
from typing import Any

import numpy as np

from elman.kernels.compiled import kernel


@kernel("cross_entropy")
def cross_entropy(logits, rows, targets, weights, n_classes, scored, smoothing, d_logits):
    """Return the parts of the batch's loss, and the sum of the weights of the targets that score highest.

    rows : which entry of targets and weights belongs to a row of the logits
    targets : -1 where there is no label: that row has no loss and no gradient
    weights : one for each target; empty: all are 1
    scored : the sum of the weights of the batch
    smoothing : the share of each target that is spread evenly over all classes

    A target's part of the loss is weight / scored times -sum(wanted log softmax(logits)), where wanted is
    (1 - smoothing) one_hot(target) + smoothing / C; d_logits is set to the same times softmax(logits) - wanted.
    Sums run in float64.
    """
    total, correct = 0.0, 0.0
    elsewhere = smoothing / n_classes
    for r in range(logits.shape[0]):
        target = targets[rows[r]]
        weight = weights[rows[r]] if weights.size else 1.0
        if target < 0 or weight == 0:
            d_logits[r] = 0
            continue
        largest, winner = np.float64(logits[r, 0]), 0
        for j in range(1, n_classes):
            if logits[r, j] > largest:
                largest, winner = np.float64(logits[r, j]), j
        if winner == target:
            correct += weight
        denominator = 0.0
        for j in range(n_classes):
            power = math.exp(np.float64(logits[r, j]) - largest)
            d_logits[r, j] = power
            denominator += power
        part_of_loss = weight / scored
        wanted = np.float64(logits[r, target])
        if smoothing > 0:
            wanted *= 1 - smoothing
            for j in range(n_classes):
                wanted += elsewhere * np.float64(logits[r, j])
        total += part_of_loss * (math.log(denominator) + largest - wanted)
        for j in range(n_classes):
            share = np.float64(d_logits[r, j]) / denominator
            d_logits[r, j] = part_of_loss * (share - (1 - smoothing + elsewhere if j == target else elsewhere))
        for j in range(n_classes, d_logits.shape[1]):
            d_logits[r, j] = 0
    return total, correct


def losses(logits: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return -log softmax(logits)[target] of each row (N,) as float64, however small the probability."""
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(scores)), targets])


def softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the class probabilities (N, C) as float64; each row sums to 1."""
    scores = logits.astype(np.float64)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
