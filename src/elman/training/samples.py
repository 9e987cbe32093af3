"""What is trained on: sequences end to end, with their targets."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Samples(NamedTuple):
    """Sequences end to end, with their targets."""

    values: Array  # (S, D) in the network's dtype, C-contiguous
    offsets: Array  # (N + 1,) int64
    targets: Array  # int64 class numbers (N,), or (S,) with a loss at every step; -1 where there is no label
    weights: Array | None = None  # float64, how much each target counts; None: all alike
