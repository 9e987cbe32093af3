"""Before training: how large the gradient is at each step back, and what the weights alone let expect.

What carries the past is h, and c in an LSTM; the gradient that counts is by that state.
"""

from typing import TypedDict

import numpy as np

from benchmarks.vanishing.contenders import HIDDEN, Contender, spectral_radius
from benchmarks.vanishing.task import draw
from elman.network.flow import memory_of

SEQUENCES = 10  # over which norms are averaged, for each seed


class Flow(TypedDict):
    """How the gradient flows back through a network as it starts; geometric means over the seeds."""

    name: str
    T: int
    norms: list[float]  # of dL/dh_t, or an LSTM's dL/dc_t (T,), at 0, 1, 2, ... steps before the last
    memory: int  # steps until they fall to a tenth of their greatest
    rate: float  # by which they are multiplied from one step back to the next, over the earlier half of the sequence
    radius: float | None  # spectral radius of weight_hh; None for cells with gates, whose Jacobian is another
    largest_singular_value: float | None


def flow(contender: Contender, T: int, seeds: int) -> Flow:
    """Measure the flow of a contender's networks before their first step, in float64: float32 ends at 1e-45."""
    logs, radii, singular = [], [], []
    for seed in range(seeds):
        network = contender.network(T, seed, "float64")
        found = network.gradient_flow(*draw(np.random.default_rng([seed, 2]), SEQUENCES, T, "float64")[:3])
        carried = found.d_h if found.d_c is None else found.d_c
        logs.append(np.log(found.over_lags(0, carried[0])))
        weight_hh = network.parameters["weight_hh_l0"]
        if weight_hh.shape == (HIDDEN, HIDDEN):
            radii.append(spectral_radius(weight_hh))
            singular.append(float(np.linalg.norm(weight_hh, 2)))
    mean = np.mean(logs, axis=0)
    return Flow(
        name=contender.name,
        T=T,
        norms=[float(f"{norm:.4g}") for norm in np.exp(mean)],
        memory=memory_of(np.exp(mean)),
        rate=float(np.exp((mean[-1] - mean[T // 2]) / (T - 1 - T // 2))),
        radius=float(np.mean(radii)) if radii else None,
        largest_singular_value=float(np.mean(singular)) if singular else None,
    )
