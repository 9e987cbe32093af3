"""Optimizers by their rules: Lion by its paper's, weight decay by what it spares."""

import numpy as np
import pytest

from comparisons import assert_close
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.parameters import Parameters
from elman.training.optimizers import make_optimizer
from elman.training.settings import OPTIMIZERS, TrainingSettings


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 1e-5)])
def test_a_hundred_steps_of_lion_follow_the_papers_rule(dtype, bound):
    rng = np.random.default_rng(0)
    parameters = Parameters({"weight_out": (7, 3), "bias_out": (7,)}, np.dtype(dtype))
    parameters.vector[:] = rng.standard_normal(28)
    settings = TrainingSettings(optimizer="lion", learning_rate=0.01, weight_decay=0.1)
    optimizer = make_optimizer(settings, parameters)
    w, m, decay = parameters.vector.astype(float), np.zeros(28), np.where(np.arange(28) < 21, 0.1, 0)
    for _ in range(100):
        gradient = rng.standard_normal(28).astype(dtype)
        g = gradient.astype(float) / 2
        optimizer.step(parameters.vector, gradient, 0.01, scale=0.5)
        update = np.sign(0.9 * m + 0.1 * g) + decay * w
        w, m = w - 0.01 * update, 0.99 * m + 0.01 * g
    assert_close(parameters.vector, w, bound)


def test_lion_leaves_alone_what_never_had_a_gradient():
    parameters = Parameters({"weight_out": (2, 2)}, np.dtype("float32"))
    parameters.vector[:] = 1
    optimizer = make_optimizer(TrainingSettings(optimizer="lion"), parameters)
    optimizer.step(parameters.vector, np.float32([0, 3, -2, 0]), 0.5)
    assert parameters.vector.tolist() == [1, 0.5, 1.5, 1]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weight_decay_pulls_weights_and_embeddings_and_spares_all_else(optimizer):
    options = {"layer_norm": True, "learn_initial_state": True, "embeddings": ((1, 5, 2),)}
    architecture = Architecture(3, 2, "lstm", 4, 2, True, readout="attention", **options)
    network = Network(architecture, dtype="float64")
    network.parameters.vector[:] = 0.5
    settings = TrainingSettings(optimizer=optimizer, weight_decay=0.1)
    step = make_optimizer(settings, network.parameters).step
    step(network.parameters.vector, np.zeros_like(network.parameters.vector), 0.1)
    moved = {name for name, values in network.parameters.items() if (values != 0.5).any()}
    pulled = {name for name, values in network.parameters.items() if (values < 0.5).all()}
    assert moved == pulled == {name for name in network.parameters if name.startswith("weight_")}
    kinds = {name.split("_l")[0] for name in set(network.parameters) - moved}
    assert kinds == {"bias_ih", "bias_hh", "gain_ih", "gain_hh", "h_0", "c_0", "bias_out"}


def test_centred_rmsprop_stays_finite_where_the_gradient_stays_as_it_is():
    parameters = Parameters({"weight_out": (5, 5)}, np.dtype("float32"))
    gradient = np.random.default_rng(0).standard_normal(25).astype(np.float32)
    optimizer = make_optimizer(TrainingSettings(optimizer="rmsprop", centred=True, rho=0.5), parameters)
    for _ in range(200):
        optimizer.step(parameters.vector, gradient.copy(), 1e-9)
    assert np.isfinite(parameters.vector).all()
