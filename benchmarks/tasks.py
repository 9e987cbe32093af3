"""The tasks of `benchmarks.learning`: real data with the split it is published with, and generated tests of memory.

Each draws sequences and labels to train on, then those to test on. The generated ones, after Hochreiter & Schmidhuber
(1997), are solvable without error by whoever carries a few values over all the steps between.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import elman
from elman.data import Sequences
from elman.data.readers import read

DATA = Path(__file__).parent.parent / "examples" / "data"
UNLABELLED = -1

Labelled = tuple[Sequences, NDArray[Any]]


class Task(NamedTuple):
    """What is to be learned, and what others reached."""

    name: str
    draw: Callable[[np.random.Generator], tuple[Labelled, Labelled]]
    target: float | None  # mean accuracy to reach; None: reported only
    published: str
    every_step: bool = False


def archive(name: str) -> Callable[[np.random.Generator], tuple[Labelled, Labelled]]:
    """Give the published split of a bundled data set of the UCR and UEA archives."""

    def draw(rng: np.random.Generator) -> tuple[Labelled, Labelled]:
        training, test = (read(DATA / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
        return (training.sequences, training.labels), (test.sequences, test.labels)

    return draw


def mnist_1d(rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """Give MNIST-1D as its package makes it: 4,000 and 1,000 signals of 40 steps (Greydanus & Kobak 2024)."""
    from mnist1d.data import get_dataset_args, make_dataset

    data = make_dataset(get_dataset_args())
    return _labelled(data["x"][:, :, None], data["y"]), _labelled(data["x_test"][:, :, None], data["y_test"])


def digits(rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """Give scikit-learn's digits as 8 rows of 8 pixels, a stratified third to test on."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    seed = int(rng.integers(2**31))
    X, X_test, y, y_test = train_test_split(X.reshape(-1, 8, 8), y, test_size=1 / 3, stratify=y, random_state=seed)
    return _labelled(X, y), _labelled(X_test, y_test)


def adding(rng: np.random.Generator, T: int = 200) -> tuple[Labelled, Labelled]:
    """Draw numbers of [0, 1], two of them marked, one in each half: in which tenth of [0, 2] lies their sum?"""

    def draw(n: int) -> Labelled:
        marks = np.zeros((n, T))
        marks[np.arange(n), rng.integers(0, T // 2, n)] = 1
        marks[np.arange(n), rng.integers(T // 2, T, n)] = 1
        numbers = rng.uniform(0, 1, (n, T))
        sums = (numbers * marks).sum(axis=1)
        return _labelled(np.stack([numbers, marks], axis=2), np.minimum((5 * sums).astype(int), 9))

    return draw(10_000), draw(1000)


def temporal_order(rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """Draw 100 to 110 symbols, of which one at step 10 to 20 and one at 50 to 60 are X or Y: which, in which order?"""

    def draw(n: int) -> Labelled:
        labels = rng.integers(0, 4, n)
        X = []
        for label in labels:
            symbols = rng.integers(0, 4, rng.integers(100, 111))
            symbols[rng.integers(10, 21)] = 4 + label // 2
            symbols[rng.integers(50, 61)] = 4 + label % 2
            symbols[0], symbols[-1] = 6, 7
            X.append(np.eye(8)[symbols])
        return elman.as_sequences(X), labels

    return draw(2000), draw(1000)


def copy_memory(rng: np.random.Generator, T: int = 50) -> tuple[Labelled, Labelled]:
    """Draw 10 symbols of 8, then T blanks with a signal at their end: what were the symbols? A label a step."""

    def draw(n: int) -> Labelled:
        symbols = rng.integers(0, 8, (n, 10))
        shown = np.full((n, T + 20), 8)
        shown[:, :10], shown[:, T + 9] = symbols, 9
        labels = np.full((n, T + 20), UNLABELLED)
        labels[:, -10:] = symbols
        return elman.as_sequences(np.eye(10)[shown]), labels

    return draw(10_000), draw(1000)


def parity(rng: np.random.Generator, longest: int = 30) -> tuple[Labelled, Labelled]:
    """Draw up to 30 bits: is the number of ones odd?"""

    def draw(n: int) -> Labelled:
        X = [rng.integers(0, 2, (rng.integers(1, longest + 1), 1)).astype(float) for _ in range(n)]
        return elman.as_sequences(X), np.array([int(x.sum()) % 2 for x in X])

    return draw(5000), draw(1000)


def _labelled(X: NDArray[Any], y: NDArray[Any]) -> Labelled:
    return elman.as_sequences(X), y


TASKS = (
    Task("Japanese Vowels", archive("JapaneseVowels"), 0.985, "echo state 0.965, MLP 0.976, ResNet 0.992, FCN 0.993"),
    Task("Basic Motions", archive("BasicMotions"), 0.98, "alignment kernel 1.000"),
    Task("Italy Power Demand", archive("ItalyPowerDemand"), 0.965, "MLP 0.946, DTW 0.950, rotation forest 0.973"),
    Task("MNIST-1D", mnist_1d, 0.985, "logistic 0.32, MLP 0.68, GRU 0.91, CNN 0.94"),
    Task("digits, 8 rows", digits, 0.98, ""),
    Task("adding, T = 200", adding, 0.90, "solved"),
    Task("temporal order, T = 100", temporal_order, 0.99, "solved"),
    Task("copy memory, T = 50", copy_memory, 0.99, "solved", every_step=True),
    Task("parity, up to 30 bits", parity, None, ""),
)
