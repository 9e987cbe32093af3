"""The engine under test, seen like the reference: a case and a batch in, loss, named gradients and logits out."""

from typing import NamedTuple

import numpy as np

from cases import Batch, Case
from comparisons import assert_close, assert_same_gradients
from elman.network.architecture import Architecture
from elman.network.network import Network


class Outcome(NamedTuple):
    """What one pass forward and backward gives."""

    loss: float
    gradients: dict[str, np.ndarray]
    logits: np.ndarray


def network_for(case: Case, weights, dtype="float64") -> Network:
    """A Network with these weights."""
    network = Network(Architecture(**case.architecture), dtype=dtype)
    assert list(network.parameters) == list(weights)
    for name, weight in weights.items():
        network.parameters[name][...] = weight
    return network


def run_engine(case: Case, batch: Batch, dtype="float64", **options) -> Outcome:
    """Run Network.loss_and_gradient on a batch."""
    network = network_for(case, batch.weights, dtype)
    options.setdefault("weights", batch.target_weights)
    found = network.loss_and_gradient(batch.values.astype(dtype), batch.offsets, batch.targets, **options)
    return Outcome(found.loss, network.parameters.named(found.gradient), found.logits)


def assert_same_outcome(found: Outcome, expected: Outcome, bound: float) -> None:
    """Assert that loss, logits and the gradient of every parameter are equal to within `bound`."""
    assert_close(found.logits, expected.logits, bound, "logits")
    assert_close(found.loss, expected.loss, bound, "loss")
    assert_same_gradients(found.gradients, expected.gradients, bound)
