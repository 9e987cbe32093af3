"""A network small enough to see whole: three steps, several inputs, one answer.

A bell is struck three times, each time the low one or the high one, and heard in four bands of frequency. Is the third
stroke the same bell as the first? No stroke by itself tells, so the network has to carry the first one in its hidden
state past the second. `examples/three_steps.py` trains this network, from these very weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elman.insight.unroll import unroll
from elman.insight.unrolled import Unrolled
from elman.network.architecture import Architecture
from elman.network.network import Network

BELLS = np.array([[0.9, 0.6, 0.1, 0.0], [0.0, 0.2, 0.7, 0.8]])  # how loud in each band: the low one, the high one
BANDS = ("low", "mid-low", "mid-high", "high")
CLASSES = ("another bell", "the same bell")
STEPS, HIDDEN = 3, 5
N_SEQUENCES = 32  # that examples/three_steps.py trains on; the first is shown


def draw_strokes(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give sequences (n, T, D) of strokes, with noise, and their classes (n,): 1 if the first bell comes back."""
    bells = rng.integers(0, 2, (n, STEPS))
    sequences = BELLS[bells] + 0.1 * rng.standard_normal((n, STEPS, len(BANDS)))
    return sequences, (bells[:, 0] == bells[:, 2]).astype(np.int64)


def three_steps(learning_rate: float = 0.1) -> Unrolled:
    """Unroll the network on one sequence of three strokes, before any training.

    >>> unrolled = three_steps()
    >>> unrolled.n_steps, unrolled.logits.shape
    (3, (1, 2))
    """
    rng = np.random.default_rng(3)
    sequences, targets = draw_strokes(rng, N_SEQUENCES)
    architecture = Architecture(len(BANDS), len(CLASSES), cell="elman", hidden_size=HIDDEN, bidirectional=False)
    network = Network(architecture, dtype="float64")
    network.initialise(rng, "uniform", forget_bias=None)
    return unroll(
        network,
        sequences[0],
        targets[0],
        learning_rate=learning_rate,
        classes=CLASSES,
        feature_names=BANDS,
        title="Three strokes of a bell: is the third the same as the first?",
    )
