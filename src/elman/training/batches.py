"""Which sequences are learned from together: the batches of an epoch, in a new order each time."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
POOL = 50  # batches whose sequences are sorted by length among themselves


def epoch_batches(lengths: Array, batch_size: int, rng: np.random.Generator, *, bucketed: bool = False) -> list[Array]:
    """Return the batches of an epoch: each sequence once, in a random order.

    Bucketed, the sequences of a batch are of like length, so that they end together and no step is computed for a few
    of them alone: the order is cut into pools of 50 batches, each pool is sorted by length, ties in random order, and
    cut into batches, whose order is then shuffled. A last batch that is not full is drawn from all lengths before, so
    that which sequences are in it does not depend on their length. The trainer weighs the gradient of a step by what
    its targets count.

    Parameters
    ----------
    lengths : int64 array (N,), in steps
    batch_size : int
    rng : numpy Generator
    bucketed : bool

    Returns
    -------
    list of int64 arrays
        The numbers of the sequences of each batch.

    Source: Khomenko et al., "Accelerating recurrent neural network training using sequence bucketing" (2016).

    Examples
    --------
    >>> lengths = np.array([3, 9, 2, 8, 2, 9])
    >>> [lengths[batch].tolist() for batch in epoch_batches(lengths, 2, np.random.default_rng(0), bucketed=True)]
    [[2, 2], [3, 8], [9, 9]]
    """
    n = len(lengths)
    order = rng.permutation(n)
    if not bucketed:
        return _cut(order, batch_size)
    n_full = n - n % batch_size
    batches = [] if n_full == n else [order[n_full:]]
    for pool in _cut(order[:n_full], POOL * batch_size):
        batches += _cut(pool[np.argsort(lengths[pool], kind="stable")], batch_size)
    return [batches[at] for at in rng.permutation(len(batches))]


def _cut(order: Array, size: int) -> list[Array]:
    return [order[at : at + size] for at in range(0, len(order), size)]
