"""Training killed with SIGKILL at random moments, and gone on with: does it end with the bits of one never interrupted?

    python -m benchmarks.kill_and_resume [--points 20] [--seed 0]

A child trains and saves after every step; it is killed a random moment after a random step, once or twice, then the
training is gone on with to its end. Weights are compared to the bit, histories but for their seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.callbacks import Callback, StepRecord
from elman.training.checkpoint import Checkpoint
from elman.training.history import History
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

Array = np.ndarray[Any, Any]
N, EPOCHS, BATCH = 30, 5, 5
CONFIGURATIONS: dict[str, tuple[float, dict[str, Any]]] = {  # share of dropout, settings
    "adam, dropout, early stopping": (0.4, {"n_iter_no_change": 3}),
    "sgd with momentum, cosine after warm-up, jitter": (
        0.0,
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "schedule": "cosine", "warm_up": 0.2, "jitter": 0.1},
    ),
    "rmsprop, plateau, average of weights": (
        0.0,
        {"optimizer": "rmsprop", "schedule": "plateau", "schedule_epochs": 1, "weight_average": 0.9},
    ),
    "lion, gradient noise, length buckets, two batches a step": (
        0.4,
        {
            "optimizer": "lion",
            "learning_rate": 0.003,
            "gradient_noise": 0.01,
            "bucket_by_length": True,
            "accumulate": 2,
        },
    ),
    "nadam, one cycle, window slices, label smoothing": (
        0.0,
        {"optimizer": "nadam", "schedule": "one_cycle", "window_slice": 0.7, "label_smoothing": 0.1},
    ),
}


def samples(seed: int) -> Samples:
    """Sequences of noise with labels of chance: what is learned of them is of no account."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(2, 9, N))])
    return Samples(rng.standard_normal((offsets[-1], 2)).astype(np.float32), offsets, rng.integers(0, 3, N))


def train(name: str, checkpoint: Path | None, *callbacks: Callback) -> tuple[Array, History]:
    """Train one configuration, or go on with it; give the weights and what happened."""
    dropout, settings = CONFIGURATIONS[name]
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, "gru", 4, 2, True, dropout))
    network.initialise(rng)
    chosen = {"batch_size": BATCH, "max_epochs": EPOCHS, "learning_rate": 0.02, "n_threads": 1} | settings
    trainer = Trainer(network, TrainingSettings(**chosen), rng)
    saved = None if checkpoint is None else Checkpoint(checkpoint, every=0)
    history = trainer.fit(samples(1), samples(2), callbacks, checkpoint=saved)
    return network.parameters.vector, history


class _Teller(Callback):
    """Says that a step is done."""

    def on_step_end(self, step: StepRecord) -> None:
        print("step", flush=True)


def kill(name: str, checkpoint: Path, after_steps: int, seconds: float) -> int:
    """Train in a child that is killed so many seconds after so many steps; give the steps it had told by then."""
    command = [sys.executable, "-m", "benchmarks.kill_and_resume", "--child", name, "--checkpoint", str(checkpoint)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        told = 0
        while told < after_steps and child.stdout.readline() == "step\n":
            told += 1
        time.sleep(seconds)
        child.kill()
        told += child.stdout.read().count("step\n")
    return told


def same(name: str, checkpoint: Path, expected: tuple[Array, History]) -> bool:
    """Go on to the end, here; whether that gives the same bits and the same history but for seconds."""
    weights, history = train(name, checkpoint)
    return weights.tobytes() == expected[0].tobytes() and _timeless(history) == _timeless(expected[1])


def _timeless(history: History) -> list[Any]:
    records = [{key: value for key, value in record.items() if "second" not in key} for record in history.records]
    return [records, history.best_epoch, history.stopped_early]


def main() -> None:
    """Print a row a point."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", choices=CONFIGURATIONS)
    parser.add_argument("--checkpoint", type=Path)
    given = parser.parse_args()
    if given.child:
        train(given.child, given.checkpoint, _Teller())
        return
    rng = np.random.default_rng(given.seed)
    names = list(CONFIGURATIONS)
    expected = {name: train(name, None) for name in names}
    print(f"{'point':>5}  {'configuration':<58}  killed after steps  same bits")
    n_same = 0
    for point in range(1, given.points + 1):
        name = names[(point - 1) % len(names)]
        steps = expected[name][1].records[-1]["steps"]
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint"
            kills = [
                kill(name, checkpoint, int(rng.integers(1, steps // 2)), float(rng.uniform(0, 0.02)))
                for _ in range(rng.integers(1, 3))
            ]
            is_same = same(name, checkpoint, expected[name])
        n_same += is_same
        print(f"{point:>5}  {name:<58}  {', '.join(map(str, kills)):>18}  {'yes' if is_same else 'NO'}", flush=True)
    print(f"{n_same} of {given.points} ended with the bits of a training that was never interrupted.")


if __name__ == "__main__":
    main()
