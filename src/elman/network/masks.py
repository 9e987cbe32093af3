"""The random masks of a pass, as arrays: what the kernels hash on their way and never hold."""

from typing import Any

import numpy as np

from elman.kernels.dropout import drop_out, recurrent_masks, zoneout_choices
from elman.kernels.shards import Steps, number_rows

Array = np.ndarray[Any, Any]


def dropout_mask(
    key: int, layer: int, sequence: int, steps: int, width: int, rate: float, dtype: np.dtype[Any]
) -> Array:
    """Return the mask (steps, width) of 0 and 1 / (1 - rate) on the outputs of a layer, for one sequence of a batch.

    `sequence` is its place in the batch, `width` directions * hidden_size; the mask depends on nothing else.
    """
    mask = np.ones((steps, width), dtype)
    numbers = Steps(*np.empty((2, steps + 1), np.int64), *np.empty((5, steps), np.int64))
    number_rows(np.array([steps]), numbers)
    drop_out(mask, numbers, np.array([sequence]), key, layer, rate, width, width)
    return mask


def recurrent_mask(key: int, direction: int, sequence: int, size: int, rate: float, dtype: np.dtype[Any]) -> Array:
    """Return the mask (size,) of 0 and 1 / (1 - rate) on h_{t-1} at all steps of one sequence of a batch.

    `direction` counts all layers and directions: layer * directions + 1 if it is the reverse one.
    """
    masks = np.empty((1, size), dtype)
    recurrent_masks(masks, np.array([sequence]), key, direction, rate, size)
    mask: Array = masks[0]
    return mask


def zoneout_mask(
    key: int, direction: int, sequence: int, steps: int, states: int, size: int, rate: float, dtype: np.dtype[Any]
) -> Array:
    """Return which states stay as they were, 1 or 0 (steps, states, size), in the order in which the sweep reads."""
    mask = np.empty((steps, states, size), dtype)
    zoneout_choices(mask, sequence, key, direction, rate)
    return mask
