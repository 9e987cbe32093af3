"""A training run as callbacks are told of it, with figures drawn at random."""

from contextlib import contextmanager

import numpy as np
import pytest

from elman.network.architecture import Architecture
from elman.training.callbacks import Run
from elman.training.history import History
from elman.training.settings import TrainingSettings

STEPS = 4  # an epoch


def new_run(*, first_step=1, n_validation=7, max_epochs=5):
    return Run(
        settings=TrainingSettings(optimizer="adamw", learning_rate=0.0125, betas=(0.9, 0.999)),
        architecture=Architecture(2, 3, cell="lstm"),
        n_sequences=26,
        n_validation=n_validation,
        steps_per_epoch=STEPS,
        n_parameters=123,
        max_epochs=max_epochs,
        first_epoch=(first_step - 1) // STEPS + 1,
        first_step=first_step,
        is_resumed=first_step > 1,
    )


def new_record(epoch, *, rng, validated=True):
    losses = rng.uniform(0.1, 3, 2)
    accuracies = rng.uniform(0, 1, 2)
    return {
        "epoch": epoch,
        "training_loss": float(losses[0]),
        "training_accuracy": float(accuracies[0]),
        "validation_loss": float(losses[1]) if validated else None,
        "validation_accuracy": float(accuracies[1]) if validated else None,
        "gradient_norm": float(rng.uniform(0, 9)),
        "clipped_share": float(rng.uniform(0, 1)),
        "update_ratio": float(rng.uniform(0, 0.1)),
        "learning_rate": float(rng.uniform(0, 0.01)),
        "steps": epoch * STEPS,
        "rollbacks": 0,
        "seconds": float(rng.uniform(0, 2)),
        "sequences_per_second": float(rng.uniform(100, 1e6)),
    }


def new_step(step, *, rng):
    return {
        "step": step,
        "epoch": (step - 1) // STEPS + 1,
        "step_in_epoch": (step - 1) % STEPS + 1,
        "n_steps_in_epoch": STEPS,
        "loss": float(rng.uniform(0.1, 3)),
        "gradient_norm": float(rng.uniform(0, 9)),
        "is_clipped": bool(rng.integers(2)),
        "update_ratio": float(rng.uniform(0, 0.1)),
        "learning_rate": float(rng.uniform(0, 0.01)),
    }


@pytest.fixture
def tell():
    """Tell a callback of a run up to an epoch, from one or a step on; gives the history of these, and the steps."""

    open_ends = []

    def tell_it(callback, first=1, last=5, *, first_step=None, seed=0, validated=True, ends=True, **how):
        rng = np.random.default_rng([seed, first])
        first_step = first_step or (first - 1) * STEPS + 1
        history, steps = History(**how), []
        callback.on_train_begin(new_run(first_step=first_step, n_validation=7 if validated else 0))
        for epoch in range(first, last + 1):
            callback.on_epoch_begin(epoch)
            for number in range(max(first_step, (epoch - 1) * STEPS + 1), epoch * STEPS + 1):
                steps.append(new_step(number, rng=rng))
                assert callback.on_step_end(steps[-1]) is not True
            history.records.append(new_record(epoch, rng=rng, validated=validated))
            assert callback.on_epoch_end(history.records[-1]) is not True
            history.best_epoch = epoch
        if ends:
            callback.on_train_end(history)
        else:
            open_ends.append((callback, history))
        return history, steps

    yield tell_it
    for callback, history in open_ends:
        callback.on_train_end(history)


@pytest.fixture
def small_files():
    """Let no file grow beyond so many bytes while a block runs, as on a full disk; pytest may be printing to one."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
