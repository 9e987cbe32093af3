"""One training step of elman beside PyTorch's and JAX's, side by side in one run.

    pip install torch jax jaxlib          (peers that are not installed are left out)
    python -m benchmarks.train_step [--cells LSTM GRU RNN] [--threads 2] [--rounds 15] [--json FILE]

Work: forward, cross-entropy on the last state, backward, Adam; float32, dense batches of one length: the peers' best
case. elman's step is `Trainer.step`, the one that `SequenceClassifier.fit` takes. PyTorch runs with 1 and with
--threads threads and counts with the faster; JAX takes the cores it finds. Rounds are interleaved, each contender once,
then again; the figures are medians. Nothing else should run on the machine.
"""

import argparse
import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from benchmarks import peers
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.settings import TrainingSettings
from elman.training.trainer import Samples, Trainer

SHAPES = [  # batch, time steps, features, hidden units
    (32, 3, 8, 8),
    (32, 28, 28, 32),
    (32, 100, 3, 32),
    (64, 100, 8, 64),
    (64, 150, 12, 128),
    (128, 200, 64, 256),
    (32, 784, 1, 100),
]
CELLS = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}
CLASSES = 5


def elman_step(cell: str, n: int, t: int, d: int, h: int, threads: int) -> Callable[[], object]:
    """Return a call that does one training step."""
    rng = np.random.default_rng(0)
    network = Network(Architecture(d, CLASSES, CELLS[cell], h, bidirectional=False))
    network.initialise(rng, "uniform", forget_bias=None)
    trainer = Trainer(network, TrainingSettings(learning_rate=1e-3, clip_norm=None, n_threads=threads), rng)
    values = rng.standard_normal((n * t, d), np.float32)
    samples = Samples(values, np.arange(0, n * t + 1, t), rng.integers(0, CLASSES, n))
    return lambda: trainer.step(samples)


def medians(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Time every contender once a round, in turn; return the median seconds of each."""
    for step in steps.values():
        for _ in range(3):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step()  # its data into the cache, the threads of the one before to rest
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def measure(cell: str, shape: tuple[int, int, int, int], threads: int, rounds: int) -> dict[str, object]:
    """Measure one row of the table."""
    n, t, d, h = shape
    steps = {"elman": elman_step(cell, n, t, d, h, threads), **peers.steps(cell, n, t, d, h, CLASSES, threads)}
    seconds = medians(steps, rounds if n * t < 20_000 else max(5, rounds // 3))
    flops = 3 * 2 * n * t * (d + h) * peers.GATES[cell] * h
    fastest = min((s for name, s in seconds.items() if name != "elman"), default=math.nan)
    return {
        "cell": cell,
        "shape": {"batch": n, "steps": t, "features": d, "hidden": h},
        "milliseconds": {name: s * 1e3 for name, s in seconds.items()},
        "gflops": flops / seconds["elman"] / 1e9,
        "ratio": fastest / seconds["elman"],
    }


def family(name: str) -> str:
    """Return the peer of a contender: "torch" of "torch, 2 threads"."""
    return name.split(",")[0]


def ratio_to(peer: str, milliseconds: dict[str, float]) -> float:
    """Return how many times as long as elman's a step of this peer takes, at its best."""
    return min(ms for name, ms in milliseconds.items() if family(name) == peer) / milliseconds["elman"]


def geometric_mean(ratios: list[float]) -> float:
    """Return the n-th root of the product."""
    return math.exp(statistics.mean(map(math.log, ratios)))


def environment(threads: int) -> dict[str, str]:
    """Return what the figures were measured on."""
    versions = {}
    for name in ("elman", "numpy", "numba", "torch", "jax"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {"cpu": cpu_name(), "threads": str(threads), "python": platform.python_version(), **versions}


def cpu_name() -> str:
    """Return the CPU's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=list(CELLS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    about = environment(options.threads)
    print(", ".join(f"{key} {value}" for key, value in about.items()), "\n")
    rows = []
    for cell in options.cells:
        for shape in SHAPES:
            row = measure(cell, shape, options.threads, options.rounds)
            rows.append(row)
            times = "   ".join(f"{name} {ms:8.3f} ms" for name, ms in row["milliseconds"].items())
            n, t, d, h = shape
            label = f"{cell:4s} N{n:<4d}T{t:<4d}D{d:<3d}H{h:<4d}"
            print(f"{label} {times}   {row['gflops']:6.1f} GFLOP/s   x {row['ratio']:.2f}", flush=True)
    mean = geometric_mean([row["ratio"] for row in rows])
    print(f"\ngeometric mean of the ratios to the fastest peer: {mean:.2f}")
    for peer in dict.fromkeys(family(name) for row in rows for name in row["milliseconds"] if name != "elman"):
        ratios = [ratio_to(peer, row["milliseconds"]) for row in rows]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"to {peer} at its best: {spread}, geometric mean {geometric_mean(ratios):.2f}")
    if options.json:
        options.json.write_text(
            json.dumps({"environment": about, "rows": rows, "geometric_mean": mean}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
