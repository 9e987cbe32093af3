"""Temporal order as Pascanu, Mikolov & Bengio (2013) draw it: sequences of one length, new ones for each step.

Early and in the middle stands an A or a B, everywhere else one of four symbols that mean nothing. Which two were they,
in which order? Only the last state is asked. `benchmarks.tasks.temporal_order` has the same task in the ragged form of
Hochreiter & Schmidhuber (1997).
"""

import numpy as np

from elman.training.samples import Samples

N_SYMBOLS, N_CLASSES = 6, 4  # A, B, then what means nothing; AA, AB, BA, BB


def draw(rng: np.random.Generator, n: int, T: int, dtype: str = "float32") -> Samples:
    """Draw n sequences of T >= 10 symbols, one-hot: A or B at a step in [T/10, 2T/10), and at one in [5T/10, 6T/10)."""
    labels, rows, tenth = rng.integers(0, N_CLASSES, n), np.arange(n), T // 10
    symbols = rng.integers(2, N_SYMBOLS, (n, T))
    symbols[rows, tenth + rng.integers(0, tenth, n)] = labels // 2
    symbols[rows, T // 2 + rng.integers(0, tenth, n)] = labels % 2
    return Samples(np.eye(N_SYMBOLS, dtype=dtype)[symbols.ravel()], np.arange(n + 1) * T, labels)
