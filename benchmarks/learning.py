"""What the defaults reach, with nothing set: real data sets and generated tests of memory, several seeds each.

    python -m benchmarks.learning                          all tasks, seeds 0 to 4: about half an hour
    python -m benchmarks.learning --tasks digits parity --seeds 2
    python -m benchmarks.learning --output results.json
    python -m benchmarks.learning --tasks vowels italy --set refit=False      what a choice of the defaults is worth

One protocol for all: an estimator with `random_state` and no other parameter is fitted on the training data, and
scored once on the test data, which nothing was chosen by. Beside it stand the two baselines that each model carries, on
the same test data, and published figures. The seed also draws the generated data and the split of the digits.
"""

import argparse
import ast
import json
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from benchmarks.environment import environment
from benchmarks.tasks import TASKS, UNLABELLED, Task
from elman import SequenceClassifier, SequenceTagger
from elman.estimators.evaluation import evaluate
from elman.network.threads import threads_or_default

SLOWEST = 180  # seconds that a default fit may take on two cores


class Run(TypedDict):
    """One fit and its figures on the test data."""

    task: str
    seed: int
    accuracy: float
    majority: float
    summary_statistics: float
    seconds: float
    epochs: int
    chosen: dict[str, Any]


def measure(task: Task, seed: int, changed: dict[str, Any] | None = None) -> Run:
    """Fit the default estimator, but for what is changed, to one draw of a task and score it once."""
    (X, y), (X_test, y_test) = task.draw(np.random.default_rng(seed))
    estimator: Any = SequenceTagger(unlabelled=UNLABELLED) if task.every_step else SequenceClassifier()
    estimator.set_params(random_state=seed, **changed or {})
    start = time.perf_counter()
    estimator.fit(X, y)
    seconds = time.perf_counter() - start
    figures = evaluate(estimator, X_test, y_test)
    return Run(
        task=task.name,
        seed=seed,
        accuracy=figures.accuracy,
        majority=figures.baselines["majority"]["accuracy"],
        summary_statistics=figures.baselines["summary_statistics"]["accuracy"],
        seconds=seconds,
        epochs=estimator.training_["epochs"],
        chosen=estimator.chosen_,
    )


def row(task: Task, runs: list[Run]) -> str:
    """Give a line of the table: figures over the seeds, the median of the seconds."""
    accuracies = [run["accuracy"] for run in runs]
    reached = (
        "" if task.target is None else f">= {task.target:.3f} {'yes' if np.mean(accuracies) >= task.target else 'NO'}"
    )
    baselines = [float(np.mean([run[name] for run in runs])) for name in ("majority", "summary_statistics")]  # type: ignore[literal-required]
    return (
        f"| {task.name} | {np.mean(accuracies):.4f} | {np.std(accuracies):.4f} | {min(accuracies):.3f} to "
        f"{max(accuracies):.3f} | {reached} | {np.median([run['seconds'] for run in runs]):.0f} s | "
        f"{baselines[0]:.3f} | {baselines[1]:.3f} | {task.published} |"
    )


HEADING = """\
| task | accuracy | deviation | from, to | target | fit | majority | statistics | published |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Run the protocol and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="*", metavar="WORD", help="tasks whose names hold one of these words")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, ... (default 5)")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        type=_setting,
        help="parameters to set, against the protocol",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write all runs as JSON")
    arguments = parser.parse_args()
    words = arguments.tasks
    tasks = [task for task in TASKS if not words or any(word.lower() in task.name.lower() for word in words)]
    if not tasks:
        parser.error(f"no task's name holds {' or '.join(words)}: there are {', '.join(task.name for task in TASKS)}")
    about = environment(threads_or_default(None))
    print(", ".join(f"{name} {value}" for name, value in about.items()), end="\n\n")
    runs: list[Run] = []
    rows = []
    for task in tasks:
        of_task = []
        for seed in range(arguments.seeds):
            of_task.append(measure(task, seed, dict(arguments.set)))
            print(f"{task.name}, seed {seed}: {of_task[-1]['accuracy']:.4f} in {of_task[-1]['seconds']:.0f} s "
                  f"({of_task[-1]['epochs']} epochs)", file=sys.stderr, flush=True)  # fmt: skip
        rows.append(row(task, of_task))
        runs += of_task
    print(HEADING, *rows, sep="\n")
    slow = sorted({run["task"] for run in runs if run["seconds"] > SLOWEST})
    if slow:
        print(f"\nSlower than {SLOWEST} s: {', '.join(slow)}.")
    if arguments.output is not None:
        arguments.output.write_text(json.dumps({"environment": about, "runs": runs}, indent=1))


def _setting(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; a value that is no literal of Python's is text."""
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


if __name__ == "__main__":
    main()
