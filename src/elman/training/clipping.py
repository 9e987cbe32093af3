"""Clipping: the remedy for exploding gradients."""

from typing import Any

import numpy as np

from elman.kernels.updates import norm

Array = np.ndarray[Any, Any]


def clip_by_norm(d_parameters: Array, max_norm: float) -> float:
    """Scale the gradient in place so that its Euclidean norm is at most max_norm.

    Parameters
    ----------
    d_parameters : float array (P,)
        The whole gradient as one vector; overwritten.
    max_norm : float > 0

    Returns
    -------
    float
        The norm before clipping.

    Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013).
    """
    before = float(norm(d_parameters))
    if before > max_norm:
        d_parameters *= d_parameters.dtype.type(max_norm / before)
    return before


def clip_by_value(d_parameters: Array, max_value: float) -> None:
    """Bring every part of the gradient (P,) into [-max_value, max_value], in place."""
    np.clip(d_parameters, -max_value, max_value, out=d_parameters)
