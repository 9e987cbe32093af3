"""Long sequences made short: some steps in a row, side by side, become one step of the network."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import FloatArray, IntArray
from elman.data.sequences import Sequences, offsets_of

LONGEST_WHOLE = 512  # steps of a sequence of the median length that is read step by step
MOST_PATCHES = 256  # of one that is not
MOST_INPUTS = 1024  # numbers that a patch holds, unless the user asks for more


def chosen_size(lengths: IntArray, n_columns: int, weights: NDArray[np.float64] | None = None) -> int:
    """Give the patch size for sequences of these lengths, by their median.

    It is 1 up to 512 steps, and beyond them the least that makes at most 256 patches, of 1,024 numbers at most each. Of
    an even number of sequences the shorter of the middle two counts.

    Parameters
    ----------
    lengths : int64 array (N,)
        Of the training sequences, in steps.
    n_columns : int
        Numbers a step.
    weights : float64 array (N,), optional
        A weight of k counts as k sequences.

    Examples
    --------
    >>> [chosen_size(np.array([100, length, 9000]), 1) for length in (512, 513, 3000)]
    [1, 3, 12]
    >>> chosen_size(np.array([3000]), 300)
    3
    """
    median = int(np.quantile(lengths, 0.5, weights=weights, method="inverted_cdf"))
    size = 1 if median <= LONGEST_WHOLE else -(-median // MOST_PATCHES)
    return max(1, min(size, MOST_INPUTS // n_columns))


def patched_offsets(offsets: IntArray, size: int) -> IntArray:
    """Give the offsets, int64 (N + 1,), that sequences have in patches: T steps become T / size, rounded up.

    >>> patched_offsets(np.array([0, 5, 6, 10]), 4).tolist()
    [0, 2, 3, 4]
    """
    return offsets_of(-(-np.diff(offsets) // size))


def in_patches(sequences: Sequences, size: int) -> Sequences:
    """Give sequences of which each step holds ``size`` steps of these, one after the other.

    A last patch that is not full is filled up with the last step, as PatchTST's are: the sequence stays where it was.
    A layer that reads such steps is a linear layer of width and stride ``size`` before it, as in ViT.

    Parameters
    ----------
    sequences : Sequences
        Values (S, D).
    size : int

    Returns
    -------
    Sequences
        Values (S', size * D); offsets as `patched_offsets` has them.

    Sources: Dosovitskiy et al., "An image is worth 16x16 words" (2021); Nie et al., "A time series is worth 64 words"
    (2023), PatchTST.

    Examples
    --------
    >>> sequences = Sequences(np.arange(10.0).reshape(5, 2), np.array([0, 4, 5]))
    >>> in_patches(sequences, 3).values.tolist()
    [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 6.0, 7.0, 6.0, 7.0], [8.0, 9.0, 8.0, 9.0, 8.0, 9.0]]
    """
    if size == 1:
        return sequences
    offsets = patched_offsets(sequences.offsets, size)
    n_features = sequences.n_features
    steps: FloatArray = np.empty((offsets[-1] * size, n_features), dtype=sequences.values.dtype)
    for sequence, (start, stop) in zip(sequences, pairwise((offsets * size).tolist())):
        end = start + len(sequence)
        steps[start:end] = sequence
        steps[end:stop] = sequence[-1]
    return Sequences(steps.reshape(-1, size * n_features), offsets)


def by_step(values: FloatArray, offsets: IntArray, size: int) -> FloatArray:
    """Give what is known of each number of a patch by the step that it is of: where steps were copied, summed up.

    Parameters
    ----------
    values : float array (S', size * D)
        Of sequences that `in_patches` made.
    offsets : int64 array (N + 1,)
        Of the sequences before that.
    size : int

    Returns
    -------
    float array (S, D)

    Examples
    --------
    >>> by_step(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([0, 4]), 3).ravel().tolist()
    [1.0, 2.0, 3.0, 15.0]
    """
    if size == 1:
        return values
    patched = patched_offsets(offsets, size) * size
    copies = values.reshape(patched[-1], -1)
    steps: FloatArray = np.empty((offsets[-1], copies.shape[1]), dtype=values.dtype)
    for start, end, first, stop in zip(offsets[:-1], offsets[1:], patched[:-1], patched[1:]):
        last = first + end - 1 - start
        steps[start : end - 1] = copies[first:last]
        steps[end - 1] = copies[last:stop].sum(axis=0)
    return steps


def start_near_average(weight: FloatArray, size: int) -> None:
    """Bring the weights of the steps of a patch near their mean, in place, before training.

        weight = mean over the steps of the patch + weight / sqrt(size)

    Weights drawn for each step by itself sum up noise as much as signal, and what is slow takes long to be found in it;
    from a mere average the layer is slow to learn what differs from step to step. Of white noise both parts bring the
    same.

    Parameters
    ----------
    weight : float array (G, size * D), C-contiguous
        Of the layer that reads patches.
    size : int
        At 1 nothing changes.

    Examples
    --------
    >>> weight = np.array([[1.0, 10.0, 1.0, 20.0, 3.0, 10.0, 3.0, 40.0]])
    >>> start_near_average(weight, 4)
    >>> weight.tolist()
    [[2.5, 25.0, 2.5, 30.0, 3.5, 25.0, 3.5, 40.0]]
    """
    if size > 1:
        by_step = weight.reshape(len(weight), size, -1)
        by_step[...] = by_step.mean(axis=1, keepdims=True) + by_step / math.sqrt(size)
