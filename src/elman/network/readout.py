"""From the outputs of a shard's last layer to one row of features a sequence (or a step), and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from elman.kernels.outputs import last_states, max_over_time, mean_over_time, spread_max, spread_mean
from elman.network.shards import Shard

Array = np.ndarray[Any, Any]
# What sends dL/d(features) back: sets dL/d(outputs), rows as the outputs.
Backward = Callable[[Array, Array], None]


def final_states(states: list[Array], shard: Shard, width: int, features: Array) -> None:
    """Set features to each direction's state after its own last step."""
    for number, state in enumerate(states):
        last_states(state, shard.steps, shard.lengths, width, number * width, features)


def mean(outputs: Array, shard: Shard, features: Array) -> Backward:
    """Set features to the mean over each sequence's steps."""
    mean_over_time(outputs, shard.steps, shard.lengths, features)
    return lambda d_features, d_outputs: spread_mean(d_features, shard.steps, shard.lengths, d_outputs)


def largest(outputs: Array, shard: Shard, features: Array) -> Backward:
    """Set features to the maximum over each sequence's steps; its gradient goes to the first step that has it."""
    winners = np.empty(features.shape, np.int64)
    max_over_time(outputs, shard.steps, features, winners)
    return lambda d_features, d_outputs: spread_max(d_features, winners, d_outputs)


OVER_TIME: dict[str, Callable[[Array, Shard, Array], Backward]] = {"mean": mean, "max": largest}
