"""How far back the gradient reaches, as an epoch's record keeps it."""

from typing import Any

import numpy as np

from elman.network.flow import HiddenGradients, memory_of
from elman.training.history import Flow

MOST_LAGS = 48


def summary(flow: HiddenGradients) -> Flow | None:
    """Give what a record keeps of a batch: the layer and direction where the gradient reaches back least.

    None where there is no gradient, or none that is finite.
    """
    if not flow.d_h.any() or not np.isfinite(flow.d_h).all():
        return None
    profiles = [flow.profile(k) for k in range(len(flow.names))]
    reach = [(memory_of(profile), flow.ratio(k)) for k, profile in enumerate(profiles)]
    k = reach.index(min(reach))
    lags = np.linspace(0, len(profiles[k]) - 1, min(len(profiles[k]), MOST_LAGS)).round().astype(int)
    return Flow(
        flow_of=flow.names[k],
        flow_ratio=reach[k][1],
        flow_vanished=flow.vanished(k),
        flow_memory=reach[k][0],
        flow_steps=len(profiles[k]),
        flow_profile=[float(f"{norm:.4g}") for norm in profiles[k][lags].tolist()],
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
