"""Clipping: the remedy for exploding gradients."""

from typing import Any

import numpy as np

from elman.kernels.updates import norm

Array = np.ndarray[Any, Any]


def clip_scale(before: float, max_norm: float | None) -> float:
    """Return the factor that brings a gradient of this Euclidean norm down to at most max_norm; 1 if it is there.

    The optimizer multiplies by it as it reads the gradient, which saves a pass.

    Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013).
    """
    return max_norm / before if max_norm is not None and before > max_norm else 1.0


def clip_by_value(d_parameters: Array, max_value: float) -> float:
    """Bring every part of the gradient (P,) into [-max_value, max_value], in place; return its norm afterwards."""
    np.clip(d_parameters, -max_value, max_value, out=d_parameters)
    return float(norm(d_parameters))
