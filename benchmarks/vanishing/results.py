"""What the experiment found, as it is written to a file, and as tables of its page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from benchmarks.vanishing.contenders import CONTENDERS
from benchmarks.vanishing.flow import Flow
from benchmarks.vanishing.learning import Run

BEGIN, END = "<!-- begin: {} -->", "<!-- end: {} -->"


class Results(TypedDict):
    """Everything measured."""

    environment: dict[str, str]
    seconds: float
    lengths: list[int]
    seeds: int
    steps: int  # updates that a run has at most
    flows: list[Flow]
    runs: list[Run]


def tables(results: Results) -> dict[str, str]:
    """Give the tables by the names of their places in the page."""
    return {"flow": _flows(results["flows"]), "success": _success(results), "measured": _measured(results)}


def _flows(flows: Sequence[Flow]) -> str:
    rows = [
        f"| network | dL/dh, {flows[0]['T'] - 1} steps back over that at the last | falls tenfold within "
        "| factor a step, earlier half | spectral radius | largest singular value |",
        "|---|---|---|---|---|---|",
    ]
    for flow in flows:
        theory = ["" if of is None else f"{of:.2f}" for of in (flow["radius"], flow["largest_singular_value"])]
        within = "not at all" if flow["memory"] >= flow["T"] else f"{flow['memory']} step{'s' * (flow['memory'] != 1)}"
        rows.append(
            f"| {flow['name']} | {flow['norms'][-1] / flow['norms'][0]:.1e} | {within} | {flow['rate']:.3f} | "
            f"{theory[0]} | {theory[1]} |"
        )
    return "\n".join(rows)


def _success(results: Results) -> str:
    heads = [f"T = {T}" for T in results["lengths"]]
    rows = [f"| network | trained by | {' | '.join(heads)} | largest gradient norm |", "|" + "---|" * (3 + len(heads))]
    for number, contender in enumerate(CONTENDERS):
        runs = [run for run in results["runs"] if run["contender"] == number]
        cells = [_cell([run for run in runs if run["T"] == T]) for T in results["lengths"]]
        largest = max(max(run["largest_norms"], default=0.0) for run in runs)
        rows.append(f"| {contender.name} | {contender.trained} | {' | '.join(cells)} | {largest:,.3g} |")
    return "\n".join(rows)


def _cell(runs: Sequence[Run]) -> str:
    """Say how many solved it and the median of their updates; where none did, the mean accuracy at the end."""
    solved = [run["steps"] for run in runs if run["solved"]]
    if solved:
        return f"**{len(solved)}/{len(runs)}**, {np.median(solved):,.0f}"
    return f"0/{len(runs)}, {np.mean([(run['accuracies'] or [0.0])[-1] for run in runs]):.0%} right"


def _measured(results: Results) -> str:
    about, broken = results["environment"], sum(run["breakdown"] is not None for run in results["runs"])
    starts = f"{results['seeds']} start{'s' * (results['seeds'] > 1)}"
    return (
        f"{len(results['runs'])} runs, {starts} of each network, of at most {results['steps']:,} updates,\n"
        f"in {results['seconds'] / 60:.1f} minutes, {about['threads']} at a time, on {about['cpu']}; "
        f"elman {about['elman']}, Python {about['python']}.\n"
        f"Runs that ended in a loss or gradient that is no number: {broken}."
    )


def put_into(page: Path, results: Results) -> None:
    """Put the tables into their places in a page, which marks them by comments."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables(results).items():
        head, begin, rest = text.partition(BEGIN.format(name))
        _, end, tail = rest.partition(END.format(name))
        if not (begin and end):
            raise ValueError(f"{page.name} must hold {BEGIN.format(name)} and {END.format(name)}.")
        text = f"{head}{begin}\n{table}\n{end}{tail}"
    page.write_text(text, encoding="utf-8")
