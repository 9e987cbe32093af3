"""What each option of the network costs: a training step with it beside the same step without, in one run.

    python -m benchmarks.options          about two minutes, on a machine that does nothing else
    python -m benchmarks.options --quick  to see that it runs, not to quote

Aim: at most 1.5 times the plain step. An option that changes the number of layers is compared with as many plain ones.
"""

import argparse
import sys
from typing import Any

import numpy as np

from benchmarks.elman_steps import CELLS
from benchmarks.environment import environment
from benchmarks.timing import QUICK, Effort, Step, medians
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.threads import available_threads
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

SHAPES = ((32, 28, 28, 32), (64, 100, 8, 64), (64, 150, 12, 128))  # N, T, D, H
CLASSES, AIM = 10, 1.5
OPTIONS: dict[str, dict[str, Any]] = {  # what each is, and what it is compared with where that is not the plain network
    "recurrent dropout": {"recurrent_dropout": 0.3},
    "zoneout": {"zoneout": 0.2},
    "layer normalisation": {"layer_norm": True},
    "learned initial state": {"learn_initial_state": True},
    "attention": {"readout": "attention"},
    "residual, 2 layers": {"residual": True, "num_layers": 2},
    "widths H, H / 2": {"hidden_size": "halved", "num_layers": 2},
}


def step_of(cell: str, shape: tuple[int, int, int, int], options: dict[str, Any], threads: int) -> Step:
    """Return one `Trainer.step` of a network with these options."""
    n, t, d, h = shape
    options = {"hidden_size": h} | options
    if options["hidden_size"] == "halved":
        options["hidden_size"] = (h, h // 2)
    network = Network(Architecture(d, CLASSES, CELLS[cell], bidirectional=False, **options))
    rng = np.random.default_rng(0)
    network.initialise(rng)
    trainer = Trainer(network, TrainingSettings(learning_rate=1e-3, clip_norm=None, n_threads=threads), rng)
    values, targets = rng.standard_normal((n * t, d)).astype(np.float32), rng.integers(0, CLASSES, n)
    samples = Samples(values, np.arange(0, n * t + 1, t), targets)
    return lambda: trainer.step(samples)


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each cell, shape and option."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.options", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="each once or twice, figures not to be quoted")
    options = parser.parse_args(arguments)
    threads = available_threads()
    print(", ".join(f"{key} {value}" for key, value in environment(threads).items()))
    effort, shapes = (QUICK, SHAPES[:1]) if options.quick else (Effort(rounds=5), SHAPES)
    beyond = 0
    for cell in CELLS:
        for shape in shapes:
            steps = {f"plain, {layers}": step_of(cell, shape, {"num_layers": layers}, threads) for layers in (1, 2)}
            steps |= {name: step_of(cell, shape, option, threads) for name, option in OPTIONS.items()}
            seconds = medians(steps, effort)
            print(f"\n{cell} N{shape[0]} T{shape[1]} D{shape[2]} H{shape[3]}: {seconds['plain, 1'] * 1e3:.3f} ms")
            for name, option in OPTIONS.items():
                ratio = seconds[name] / seconds[f"plain, {option.get('num_layers', 1)}"]
                beyond += ratio > AIM
                mark = f"  (aim {AIM})" if ratio > AIM else ""
                print(f"  {name:<24}{ratio:5.2f} times{mark}", flush=True)
    print(f"\n{beyond} rows beyond {AIM} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
