"""What is measured: each row of the table, its contenders, and the figure it is held to."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import elman_steps, jax_steps, onnx_steps, torch_steps
from benchmarks.timing import Step
from elman import read

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
CLASSES = 5
TRAINING_SHAPES = [  # batch, time steps, features, hidden units
    (32, 3, 8, 8),
    (32, 28, 28, 32),
    (32, 100, 3, 32),
    (64, 100, 8, 64),
    (64, 150, 12, 128),
    (128, 200, 64, 256),
    (32, 784, 1, 100),
]
# The share of the multiply-add roof that a training step is held to, by (cell, shape).
ROOF_TARGETS = {
    ("LSTM", (64, 100, 8, 64)): 0.65,
    ("LSTM", (64, 150, 12, 128)): 0.75,
    ("LSTM", (128, 200, 64, 256)): 0.85,
}
EXAMPLES = Path(__file__).parents[1] / "examples" / "data"


class Work(NamedTuple):
    """One row: the same work for every contender."""

    group: str
    name: str
    contenders: Callable[[], dict[str, Step]]  # the first is elman's
    target: float | None = None  # how many times as fast as the best peer
    flops: float | None = None  # multiply-adds of the products, counted twice
    roof_target: float | None = None  # the share of the roof
    peers: str | None = None  # only contenders whose names begin so count as peers; default all
    peer_scale: float = 1.0  # by which a peer's time counts: its share of the work, where it does more or less


def training(threads: int) -> Iterator[Work]:
    """A training step: forward, cross-entropy on the last state, backward, Adam; float32, dense."""
    for cell, gates in GATES.items():
        for n, t, d, h in TRAINING_SHAPES:
            contenders = partial(_training, cell, (n, t, d, h), threads)
            yield Work(
                "training step",
                f"{cell} N{n} T{t} D{d} H{h}",
                contenders,
                target=1.8,
                # forward, weight gradients, and dL/dh; nobody needs dL/dx of the data
                flops=2 * n * t * gates * h * (2 * (d + h) + h),
                roof_target=ROOF_TARGETS.get((cell, (n, t, d, h))),
            )


def _training(cell: str, shape: tuple[int, int, int, int], threads: int) -> dict[str, Step]:
    return {
        "elman": elman_steps.training(cell, *shape, CLASSES, threads),
        **torch_steps.training(cell, *shape, CLASSES, threads),
        **jax_steps.training(cell, *shape, CLASSES),
    }


def ragged(threads: int) -> Iterator[Work]:
    """A training step on ragged batches, beside PyTorch's packed sequences (correct) and padded ones (wrong, but fast).

    And beside elman's own step on sequences of one length, per time step: what raggedness costs.
    """
    n, d, h = 32, 12, 64
    for cell in ("LSTM", "GRU"):
        for name, lengths in (("as Japanese Vowels", vowel_lengths(n)), ("uniform 10..400", long_lengths(n))):
            label, group = f"{cell} N{n} D{d} H{h}, {name}", "ragged training step, beside"
            packed = partial(_ragged, cell, lengths, d, h, threads)
            yield Work(f"{group} packed sequences", label, packed, 8.0, peers="torch packed")
            yield Work(f"{group} padded ones", label, packed, 3.0, peers="torch padded")
            t = round(float(lengths.mean()))
            dense = partial(_ragged_and_dense, cell, lengths, t, d, h, threads)
            share = float(lengths.sum()) / (n * t)
            yield Work(f"{group} our own dense one", label, dense, 1 / 1.15, peer_scale=share)


def _ragged(cell: str, lengths: np.ndarray, d: int, h: int, threads: int) -> dict[str, Step]:
    own = elman_steps.ragged(cell, lengths, d, h, CLASSES, threads)
    return {"elman": own, **torch_steps.ragged(cell, lengths, d, h, CLASSES, threads)}


def _ragged_and_dense(cell: str, lengths: np.ndarray, t: int, d: int, h: int, threads: int) -> dict[str, Step]:
    dense = elman_steps.training(cell, len(lengths), t, d, h, CLASSES, threads)
    return {"elman": elman_steps.ragged(cell, lengths, d, h, CLASSES, threads), "elman, dense": dense}


def vowel_lengths(n: int) -> np.ndarray:
    """Lengths of a batch of Japanese Vowels, from the file itself: 7 to 29 steps."""
    offsets = read(EXAMPLES / "JapaneseVowels_TRAIN.ts").sequences.offsets
    return np.random.default_rng(0).choice(np.diff(offsets), n, replace=False)


def long_lengths(n: int) -> np.ndarray:
    """Lengths spread evenly over 10 to 400 steps."""
    return np.random.default_rng(0).integers(10, 401, n)


def prediction(threads: int) -> Iterator[Work]:
    """Class scores of 256 sequences of 100 steps; float32, dense."""
    n, t, d = 256, 100, 8
    for cell in GATES:
        for h in (32, 64, 128, 256):
            contenders = partial(_prediction, cell, (n, t, d, h), threads)
            flops = 2 * n * t * (d + h) * GATES[cell] * h
            yield Work("prediction", f"{cell} N{n} T{t} D{d} H{h}", contenders, 1.1, flops)


def _prediction(cell: str, shape: tuple[int, int, int, int], threads: int) -> dict[str, Step]:
    return {
        "elman": elman_steps.prediction(cell, *shape, CLASSES, threads),
        **onnx_steps.prediction(cell, *shape, CLASSES, threads),
        **torch_steps.prediction(cell, *shape, CLASSES, threads),
    }


def live(threads: int) -> Iterator[Work]:
    """One time step of one sequence from Python, its states carried over; elman gives class scores as well."""
    del threads  # one step of one sequence has nothing to share
    for cell in ("LSTM", "GRU"):
        for h, target in ((32, 6.0), (64, 3.5), (128, 1.8)):
            contenders = partial(_live, cell, 8, h)
            yield Work("live step", f"{cell} D8 H{h}", contenders, target)


def _live(cell: str, d: int, h: int) -> dict[str, Step]:
    return {
        "elman": elman_steps.live(cell, d, h, CLASSES),
        **onnx_steps.live(cell, d, h),
        **torch_steps.live(cell, d, h),
    }


def epoch(threads: int) -> Iterator[Work]:
    """One epoch over data of the shape of MNIST-1D: 4000 sequences of 40 steps, one feature, 10 classes."""

    def contenders() -> dict[str, Step]:
        shape = ("GRU", 4000, 40, 1, 64, 10)
        return {"elman": elman_steps.epoch(*shape, threads), **torch_steps.epoch(*shape, threads)}

    yield Work("epoch", "GRU H64 in both directions, MNIST-1D's shape, batches of 64", contenders, 4.0)


def double(threads: int) -> Iterator[Work]:
    """A training step in float64."""
    n, t, d, h = 64, 100, 8, 64

    def contenders() -> dict[str, Step]:
        return {
            "elman": elman_steps.training("LSTM", n, t, d, h, CLASSES, threads, dtype="float64"),
            **torch_steps.training("LSTM", n, t, d, h, CLASSES, threads, dtype="float64"),
        }

    yield Work("float64 training step", f"LSTM N{n} T{t} D{d} H{h}", contenders, 3.0)


# Group -> its rows, and the geometric mean over them that is aimed at.
GROUPS: dict[str, tuple[Callable[[int], Iterator[Work]], float | None]] = {
    "training": (training, 4.5),
    "ragged": (ragged, None),
    "prediction": (prediction, 1.6),
    "live": (live, None),
    "epoch": (epoch, None),
    "double": (double, None),
}
