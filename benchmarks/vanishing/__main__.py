"""Vanishing gradients on temporal order: twelve ways to train, four lengths, five starts each, in under ten minutes.

    pip install -e '.[report]'
    python -m benchmarks.vanishing                everything: tables on the terminal, and in a folder with the pictures
    python -m benchmarks.vanishing --docs         the same, and docs/vanishing_gradients.md and its pictures renewed
    python -m benchmarks.vanishing --quick        two short lengths, one start: to see that it runs
    python -m benchmarks.vanishing --lengths 50 --seeds 20 --steps 20000

Writes vanishing.json (every figure), vanishing.md (the tables) and the pictures vanishing_*.svg to benchmarks/results/,
or to results/quick. What is asked, how, and what came of it: docs/vanishing_gradients.md.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.environment import environment
from benchmarks.vanishing.charts import charts
from benchmarks.vanishing.contenders import CONTENDERS
from benchmarks.vanishing.flow import flow
from benchmarks.vanishing.learning import Job, Run, learn
from benchmarks.vanishing.results import Results, put_into, tables
from elman.network.threads import available_threads

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "vanishing_gradients.md"


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment, print its tables, write its results."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.quick and options.docs:
        parser.error("--quick is to see that it runs: its figures must not go into the page; leave out --docs")
    if options.quick:
        options.lengths, options.seeds, options.steps = (10, 20), 1, 250
    if options.results is None:
        results = measure(options.lengths, options.seeds, options.steps, options.jobs)
        folder = options.output or RESULTS / ("quick" if options.quick else "")
    else:
        results = json.loads(options.results.read_text())
        folder = options.output or options.results.parent
    found = "\n\n".join(tables(results).values())
    print(found)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vanishing.json").write_text(json.dumps(results))
    (folder / "vanishing.md").write_text(found + "\n", encoding="utf-8")
    pictures = save_charts(results, folder)
    if options.docs:
        put_into(PAGE, results)
        images = PAGE.parent / "images"
        images.mkdir(exist_ok=True)
        for picture in pictures:
            shutil.copy(picture, images)
    return 0


def measure(lengths: Sequence[int], seeds: int, steps: int, jobs: int) -> Results:
    """Measure the flow before training at the greatest length, then train everyone at all lengths from all starts."""
    started = time.perf_counter()
    starts = {contender.name: contender for contender in CONTENDERS}
    flows = [flow(contender, max(lengths), seeds) for contender in starts.values()]
    todo = [
        Job(contender=number, T=T, seed=seed, steps=steps)
        for T in sorted(lengths, reverse=True)  # the longest first, so that both cores have work to the end
        for number in range(len(CONTENDERS))
        for seed in range(seeds)
    ]
    runs: list[Run] = []
    for run in _learn_all(todo, jobs):
        runs.append(run)
        _tell(run, len(runs) / len(todo), time.perf_counter() - started)
    return Results(
        environment=environment(jobs),
        seconds=time.perf_counter() - started,
        lengths=sorted(lengths),
        seeds=seeds,
        steps=steps,
        flows=flows,
        runs=sorted(runs, key=lambda run: (run["contender"], run["T"], run["seed"])),
    )


def _tell(run: Run, share: float, seconds: float) -> None:
    """Say on stderr what came of a run, and how far all of them have come."""
    contender = CONTENDERS[run["contender"]]
    right = f"{run['accuracies'][-1]:.0%} right" if run["accuracies"] else "broke down"
    end = f"solved after {run['steps']:,} updates" if run["solved"] else f"not solved, {right}"
    name = f"T = {run['T']}, {contender.name}, {contender.trained}, seed {run['seed']}"
    print(f"{share:4.0%}  {seconds:4.0f} s  {name}: {end}", file=sys.stderr, flush=True)


def _learn_all(todo: Sequence[Job], jobs: int) -> Iterator[Run]:
    """Do the runs, several at a time, each on one thread."""
    if jobs == 1:
        yield from map(learn, todo)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(learn, todo)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def save_charts(results: Results, folder: Path) -> list[Path]:
    """Write the pictures as SVG, on light and on dark paper; return where they are."""
    pictures = []
    for is_dark in (False, True):
        for name, chart in charts(results, "dark" if is_dark else "light").items():
            pictures.append(folder / f"vanishing_{name}{'_dark' * is_dark}.svg")
            chart.save(pictures[-1])
    return pictures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.vanishing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lengths", type=_length, nargs="+", default=(20, 50, 100, 200), metavar="T")
    parser.add_argument("--seeds", type=_count, default=5, help="starts of each network (default: %(default)s)")
    parser.add_argument("--steps", type=_count, default=4000, help="updates of a run at most (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=_count, default=available_threads(), help="runs at a time (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="two short lengths, one start, 250 updates")
    parser.add_argument("--results", type=_file, metavar="FILE", help="draw from this vanishing.json, measure nothing")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="for the results")
    parser.add_argument("--docs", action="store_true", help="renew the page in docs/ and its pictures too")
    return parser


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"must be a file that this benchmark wrote, got {text!r}")
    return Path(text)


def _count(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
    return int(text)


def _length(text: str) -> int:
    return _count(text, 10)


if __name__ == "__main__":
    sys.exit(main())
