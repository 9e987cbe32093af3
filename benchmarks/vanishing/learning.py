"""Training: how many steps until fewer than 1 in 100 new sequences are misclassified, if ever."""

import time
from typing import TypedDict

import numpy as np

from benchmarks.vanishing.contenders import BATCH, CONTENDERS
from benchmarks.vanishing.task import draw
from elman.errors import TrainingError
from elman.training.trainer import Trainer

CHECK = 250  # steps between two looks at how well it does
NEW_SEQUENCES = 1000  # that each look takes
SOLVED = 0.99  # of them, to be exceeded
STRETCH = 25  # steps of which the largest gradient is kept


class Job(TypedDict):
    """One training run to do."""

    contender: int  # its place in CONTENDERS
    T: int
    seed: int
    steps: int  # at most


class Run(TypedDict):
    """What came of it."""

    contender: int
    T: int
    seed: int
    solved: bool
    steps: int  # taken
    accuracies: list[float]  # on new sequences, after each 250 steps
    largest_norms: list[float]  # of the gradient before clipping, the largest of each 25 steps
    breakdown: str | None  # what ended it, where gradient or loss stopped being numbers
    seconds: float


def learn(job: Job) -> Run:
    """Train a network from one start, on new sequences at each step, until it has solved the task.

    Steps are those of the bare `Trainer`: an estimator's `fit` would go back where training breaks down, and on at half
    the rate, which is what would hide here how steps without clipping go wrong.
    """
    started, T = time.perf_counter(), job["T"]
    contender = CONTENDERS[job["contender"]]
    rng = np.random.default_rng([job["seed"], 1])
    trainer = Trainer(contender.network(T, job["seed"]), contender.settings, rng)
    accuracies: list[float] = []
    norms: list[float] = []
    breakdown = None
    try:
        while len(norms) < job["steps"] and not (accuracies and accuracies[-1] > SOLVED):
            for _ in range(min(CHECK, job["steps"] - len(norms))):
                norms.append(trainer.step(draw(rng, BATCH, T)).gradient_norm)
            accuracies.append(round(trainer.assess(draw(rng, NEW_SEQUENCES, T))[1], 4))
    except TrainingError as error:
        breakdown = str(error)
    return Run(
        contender=job["contender"],
        T=T,
        seed=job["seed"],
        solved=bool(accuracies) and accuracies[-1] > SOLVED,
        steps=len(norms),
        accuracies=accuracies,
        largest_norms=[float(f"{max(norms[at : at + STRETCH]):.4g}") for at in range(0, len(norms), STRETCH)],
        breakdown=breakdown,
        seconds=time.perf_counter() - started,
    )
