"""Every optimizer beside PyTorch's over a hundred steps of gradients that are given, by groups of parameters."""

import numpy as np
import pytest

from comparisons import assert_close
from elman.network.parameters import Parameters
from elman.training.optimizers import make_optimizer
from elman.training.settings import OPTIMIZERS, TrainingSettings

pytest.importorskip("torch")

import torch

from torch_twin import scalars_in_double, torch_optimizer

SHAPES = {
    "weight_embedding_0": (3, 2),
    "weight_ih_l0": (6, 5),
    "bias_ih_l0": (6,),
    "weight_out": (4, 6),
    "bias_out": (4,),
}
WITH_A_TWIN = [{"optimizer": name} for name in OPTIMIZERS if name != "lion"] + [
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    {"optimizer": "rmsprop", "centred": True},
    {"optimizer": "rmsprop", "centred": True, "momentum": 0.8},
]


@pytest.mark.parametrize("decay", [0.0, 0.03])
@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("settings", WITH_A_TWIN, ids=lambda settings: "-".join(map(str, settings.values())))
def test_a_hundred_steps_with_pytorchs_defaults_equal_pytorch(settings, dtype, bound, decay):
    rng = np.random.default_rng(0)
    settings = {**settings, "learning_rate": 0.02, "weight_decay": decay}
    parameters = Parameters(SHAPES, np.dtype(dtype))
    parameters.vector[:] = rng.standard_normal(parameters.vector.size)
    theirs = {name: torch.nn.Parameter(torch.from_numpy(values.copy())) for name, values in parameters.items()}
    optimizer, twin = make_optimizer(TrainingSettings(**settings), parameters), torch_optimizer(theirs, settings)
    for step in range(100):
        gradient = (rng.standard_normal(parameters.vector.size) * 1.5 ** (step % 7)).astype(dtype)
        for name, values in parameters.named(gradient.copy()).items():
            theirs[name].grad = torch.from_numpy(values)
        optimizer.step(parameters.vector, gradient, settings["learning_rate"])
        with scalars_in_double():
            twin.step()
    for name, values in parameters.items():
        assert_close(values, theirs[name].detach().numpy(), bound, name)
