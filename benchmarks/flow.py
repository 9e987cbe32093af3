"""What it costs to watch the gradient on its way back: a watched step beside the same step, and in an epoch.

    python -m benchmarks.flow          about a minute
    python -m benchmarks.flow --quick  to see that it runs, not to quote

Aim: at most 3 % of the time of training. One step of an epoch is watched and summed up; where epochs take a few
milliseconds, one step of several: see `elman.training.flow.epochs_apart`.
"""

import argparse
import math
import sys

import numpy as np

from benchmarks.elman_steps import CELLS
from benchmarks.environment import environment
from benchmarks.timing import QUICK, Effort, Step, medians
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.threads import available_threads
from elman.training.flow import epochs_apart, summary
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

SHAPES = ((32, 28, 28, 32), (64, 100, 8, 64), (32, 3, 4, 8), (64, 150, 12, 128))  # N, T, D, H
CLASSES, EPOCHS = 10, (8, 32)  # steps of an epoch


def architecture(cell: str, shape: tuple[int, int, int, int]) -> Architecture:
    """Return the network of a row."""
    return Architecture(shape[2], CLASSES, CELLS[cell], hidden_size=shape[3], bidirectional=False)


def steps_of(cell: str, shape: tuple[int, int, int, int], threads: int) -> dict[str, Step]:
    """Return the same step of the same training, plain and watched."""
    n, t, d, _ = shape
    network = Network(architecture(cell, shape))
    rng = np.random.default_rng(0)
    network.initialise(rng)
    trainer = Trainer(network, TrainingSettings(learning_rate=1e-9, n_threads=threads), rng)
    values, targets = rng.standard_normal((n * t, d)).astype(np.float32), rng.integers(0, CLASSES, n)
    samples, chosen = Samples(values, np.arange(0, n * t + 1, t), targets), np.arange(n)

    def watched() -> None:
        trainer.watches = True
        trainer.step(samples, chosen)
        flow = trainer.seen()
        assert flow is not None
        assert summary(flow) is not None

    return {"plain": lambda: trainer.step(samples, chosen), "watched": watched}


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each cell and shape."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flow", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="each once or twice, figures not to be quoted")
    options = parser.parse_args(arguments)
    threads = available_threads()
    print(", ".join(f"{key} {value}" for key, value in environment(threads).items()))
    effort, shapes = (QUICK, SHAPES[:1]) if options.quick else (Effort(rounds=15), SHAPES)
    for cell in CELLS:
        for shape in shapes:
            seconds = medians(steps_of(cell, shape, threads), effort)
            ratio = seconds["watched"] / seconds["plain"]
            rows, size = shape[0] * shape[1], sum(map(math.prod, architecture(cell, shape).parameter_shapes().values()))
            shares = ", ".join(
                f"{(ratio - 1) / steps / epochs_apart(steps, rows * steps, size):6.2%} of epochs of {steps} steps"
                for steps in EPOCHS
            )
            name = f"{cell} N{shape[0]} T{shape[1]} D{shape[2]} H{shape[3]}"
            print(f"{name:<26}{seconds['plain'] * 1e3:8.3f} ms, watched {ratio:.3f} times: {shares}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
