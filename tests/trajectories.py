"""Ten updates of one small network by each optimizer, for comparison with PyTorch."""

import numpy as np

from cases import Batch, Case
from comparisons import assert_close
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer
from engine import network_for

STEPS = 10
CASE = Case("gru", 2, bidirectional=True, lengths=(5, 2, 9, 1, 7, 3), input_size=3, hidden_size=4, n_classes=2, seed=3)
SETTINGS = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.5},
    "sgd_momentum": {"optimizer": "sgd", "learning_rate": 0.2, "momentum": 0.9},
    "sgd_nesterov": {"optimizer": "sgd", "learning_rate": 0.2, "momentum": 0.8, "nesterov": True},
    "sgd_decay": {"optimizer": "sgd", "learning_rate": 0.5, "weight_decay": 0.1},
    "sgd_all": {"optimizer": "sgd", "learning_rate": 0.2, "momentum": 0.7, "nesterov": True, "weight_decay": 0.05},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.01},
    "rmsprop_all": {
        "optimizer": "rmsprop",
        "learning_rate": 0.01,
        "momentum": 0.6,
        "rho": 0.9,
        "weight_decay": 0.02,
        "epsilon": 1e-5,
    },
    "rmsprop_centred": {"optimizer": "rmsprop", "learning_rate": 0.003, "centred": True, "momentum": 0.5},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.05},
    "adagrad_decay": {"optimizer": "adagrad", "learning_rate": 0.05, "weight_decay": 0.1},
    "adadelta": {"optimizer": "adadelta", "learning_rate": 3.0},
    "adadelta_all": {
        "optimizer": "adadelta",
        "learning_rate": 2.0,
        "rho": 0.8,
        "weight_decay": 0.05,
        "epsilon": 1e-5,
    },
    "nadam": {"optimizer": "nadam", "learning_rate": 0.03},
    "nadam_all": {"optimizer": "nadam", "learning_rate": 0.03, "betas": (0.8, 0.95), "weight_decay": 0.1},
    "radam": {"optimizer": "radam", "learning_rate": 0.03},
    "radam_all": {"optimizer": "radam", "learning_rate": 0.03, "betas": (0.8, 0.95), "weight_decay": 0.1},
    "amsgrad": {"optimizer": "amsgrad", "learning_rate": 0.03},
    "amsgrad_all": {"optimizer": "amsgrad", "learning_rate": 0.03, "betas": (0.8, 0.9), "weight_decay": 0.1},
    "adam": {"optimizer": "adam", "learning_rate": 0.03},
    "adam_all": {
        "optimizer": "adam",
        "learning_rate": 0.03,
        "betas": (0.8, 0.95),
        "weight_decay": 0.1,
        "epsilon": 1e-6,
    },
    "adamw": {"optimizer": "adamw", "learning_rate": 0.03},
    "adamw_decay": {"optimizer": "adamw", "learning_rate": 0.03, "weight_decay": 0.2},
    "clip_norm": {"optimizer": "sgd", "learning_rate": 0.5, "clip_norm": 0.1},
    "clip_value": {"optimizer": "sgd", "learning_rate": 0.5, "clip_value": 0.02},
    "clip_adam": {"optimizer": "adam", "learning_rate": 0.03, "epsilon": 0.01, "clip_norm": 0.05},
}


def engine_trajectory(case: Case, batch: Batch, settings: dict, dtype="float64"):
    """Return the loss before each full-batch update by Trainer.step, and the parameters after the last."""
    network = network_for(case, batch.weights, dtype)
    trainer = Trainer(network, TrainingSettings(**{"clip_norm": None, **settings}), np.random.default_rng(0))
    samples = Samples(batch.values.astype(dtype), batch.offsets, batch.targets)
    losses = np.array([trainer.step(samples).loss for _ in range(STEPS)])
    return losses, dict(network.parameters)


def assert_same_trajectory(found, expected, bound: float) -> None:
    """Assert that two trajectories have the same losses and end at the same parameters."""
    assert np.ptp(expected[0]) > 1e-3, "a trajectory that moves"
    assert_close(found[0], expected[0], bound, "losses")
    assert list(found[1]) == list(expected[1])
    for name in expected[1]:
        assert_close(found[1][name], expected[1][name], bound, name)
