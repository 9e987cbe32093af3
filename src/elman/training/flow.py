"""How far back the gradient reaches, as an epoch's record keeps it."""

import math
from typing import Any

import numpy as np

from elman.network.flow import HiddenGradients, memory_of
from elman.training.history import Flow

MOST_LAGS = 48
# What watching and summing up one batch takes, and what a step does, in microseconds: so that it stays within 3 %.
_SHARE, _WATCHED, _ROW, _STEP, _MULTIPLY_ADD = 0.025, 125.0, 0.04, 25.0, 3e-5


def epochs_apart(steps_per_epoch: int, n_rows: int, n_parameters: int) -> int:
    """Give from one epoch to how many later the next is watched: 1, but where epochs take a few milliseconds or less.

    A rule by size, not by the clock, so that training keeps its bits.

    >>> epochs_apart(8, 7168, 8000), epochs_apart(32, 28672, 8000), epochs_apart(8, 768, 300)
    (4, 1, 25)
    """
    watched = _WATCHED + _ROW * n_rows / steps_per_epoch
    epoch = _STEP * steps_per_epoch + _MULTIPLY_ADD * n_rows * n_parameters
    return math.ceil(watched / (_SHARE * epoch))


def summary(flow: HiddenGradients) -> Flow | None:
    """Give what a record keeps of a batch: the layer and direction where the gradient reaches back least.

    Ratio and share of vanished steps are the largest of all, for where it reaches back least it need not grow most.
    None where there is no gradient, or none that is finite.
    """
    if not 0 < flow.carried.sum() < np.inf:
        return None
    profiles = [flow.profile(k) for k in range(len(flow.names))]
    reach = [(memory_of(profile), flow.ratio(k)) for k, profile in enumerate(profiles)]
    k = reach.index(min(reach))
    steps, n = len(profiles[k]), min(len(profiles[k]), MOST_LAGS)
    profile = profiles[k][[lag * (steps - 1) // max(n - 1, 1) for lag in range(n)]]
    return Flow(
        flow_of=flow.names[k],
        flow_ratio=max(ratio for _, ratio in reach),
        flow_vanished=max(map(flow.vanished, range(len(reach)))),
        flow_memory=reach[k][0],
        flow_steps=steps,
        flow_profile=[float(f"{norm:.4g}") for norm in profile.tolist()],
    )


def is_sound(fields: Any) -> bool:
    """Whether these are the fields of a `Flow`, all of them and each in its range."""
    if not isinstance(fields, dict) or fields.keys() != Flow.__annotations__.keys():
        return False
    profile, steps = fields["flow_profile"], fields["flow_steps"]
    is_list = isinstance(profile, list) and 1 <= len(profile) <= MOST_LAGS
    numbers = [fields["flow_ratio"], fields["flow_vanished"], *(profile if is_list else [])]
    are_counts = all(isinstance(fields[name], int) for name in ("flow_memory", "flow_steps"))
    return (
        is_list
        and isinstance(fields["flow_of"], str)
        and len(fields["flow_of"]) <= 100
        and are_counts
        and 0 <= fields["flow_memory"] <= steps < 2**53
        and all(isinstance(number, float) and 0 <= number < np.inf for number in numbers)
    )
