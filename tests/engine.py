"""The engine under test, seen like the reference: a case and a batch in, loss, named gradients and logits out."""

from typing import NamedTuple

import numpy as np

from cases import Batch, Case
from comparisons import assert_close, assert_same_gradients
from elman.kernels.reference_network import Masks
from elman.network.architecture import Architecture
from elman.network.masks import dropout_mask, recurrent_mask, zoneout_mask
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
    options = {"weights": batch.target_weights, "label_smoothing": case.label_smoothing, **options}
    found = network.loss_and_gradient(batch.values.astype(dtype), batch.offsets, batch.targets, **options)
    return Outcome(found.loss, network.parameters.named(found.gradient), found.logits)


def masks_of_the_engine(case: Case, key: int | None) -> list[Masks]:
    """What the engine draws under a key, or does without one, as the reference takes it."""
    dtype, ends = np.dtype("float64"), case.directions
    directions = [(d, case.hidden_sizes[d // ends]) for d in range(case.num_layers * ends)]

    def zoneout(d, size, n, length):
        if key is None:
            return np.full((length, len(case.states), size), case.zoneout)
        return zoneout_mask(key, d, n, length, len(case.states), size, case.zoneout, dtype)

    def masks(n, length):
        between, recurrent = [], []
        if case.dropout and key is not None:
            sizes = [size * ends for size in case.hidden_sizes[:-1]]
            between = [
                dropout_mask(key, layer, n, length, size, case.dropout, dtype) for layer, size in enumerate(sizes)
            ]
        if case.recurrent_dropout and key is not None:
            recurrent = [recurrent_mask(key, d, n, size, case.recurrent_dropout, dtype) for d, size in directions]
        return Masks(between, recurrent, [zoneout(*d, n, length) for d in directions] if case.zoneout else [])

    return [masks(n, length) for n, length in enumerate(case.lengths)]


def assert_same_outcome(found: Outcome, expected: Outcome, bound: float) -> None:
    """Assert that loss, logits and the gradient of every parameter are equal to within `bound`."""
    assert_close(found.logits, expected.logits, bound, "logits")
    assert_close(found.loss, expected.loss, bound, "loss")
    assert_same_gradients(found.gradients, expected.gradients, bound)
