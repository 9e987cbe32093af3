"""elman beside PyTorch, JAX and ONNX Runtime, side by side in one run.

    pip install -e '.[benchmark]'         (peers that are not installed are left out)
    python -m benchmarks.peers            everything: about ten minutes, on a machine that does nothing else
    python -m benchmarks.peers training live --cells LSTM
    python -m benchmarks.peers --quick    every row once or twice: to see that it runs, not to quote

Writes peers.json, peers.md (the table) and peers.svg (the plot) to benchmarks/results/, or to results/partial or
results/quick. See benchmarks/README.md for what is compared, and why it is fair.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.environment import environment
from benchmarks.report import Results, Row, line_of, write
from benchmarks.roof import roof
from benchmarks.timing import QUICK, Effort, medians
from benchmarks.work import GROUPS, Work
from elman.network.threads import available_threads

RESULTS = Path(__file__).parent / "results"


def measure(work: Work, effort: Effort, both_cores: float) -> Row:
    """Measure one row of the table."""
    contenders = work.contenders()
    seconds = medians(contenders, effort)
    own = next(iter(seconds.values()))
    others = list(seconds.items())[1:]
    peers = {name: s * work.peer_scale for name, s in others if name.startswith(work.peers or "")}
    best = min(peers, key=peers.__getitem__, default=None)
    gflops = None if work.flops is None else work.flops / own / 1e9
    return Row(
        group=work.group,
        name=work.name,
        milliseconds={name: s * 1e3 for name, s in seconds.items()},
        best_peer=best,
        ratio=None if best is None else peers[best] / own,
        peer_share=work.peer_scale,
        target=work.target,
        gflops=gflops,
        share_of_roof=None if gflops is None else gflops / both_cores,
        roof_target=work.roof_target,
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text!r}")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(GROUPS)}; default all")
    parser.add_argument("--cells", nargs="+", choices=("RNN", "GRU", "LSTM"), help="only rows of these cells")
    parser.add_argument(
        "--threads",
        type=_positive,
        default=available_threads(),
        help="of elman, PyTorch and ONNX Runtime; JAX takes all cores (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=_positive, default=Effort().rounds, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="every row once or twice, figures not to be quoted")
    parser.add_argument("--output", type=Path, help="folder for the results")
    options = parser.parse_args(arguments)
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"unknown group {', '.join(sorted(unknown))}: choose from {', '.join(GROUPS)}")
    effort = QUICK if options.quick else Effort(rounds=options.rounds)
    partial = bool(options.groups or options.cells)
    folder = options.output or RESULTS / ("quick" if options.quick else "partial" if partial else "")

    about = environment(options.threads)
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    roofs = {"one core": roof(1), "all threads": roof(options.threads)}
    print(
        f"roof of the register tile: {roofs['one core']:.0f} GFLOP/s on one core, {roofs['all threads']:.0f} on all\n"
    )
    results = Results(about, roofs, quick=options.quick)
    for group in options.groups or GROUPS:
        rows, mean = GROUPS[group]
        for work in rows(options.threads):
            if options.cells and not work.name.startswith(tuple(options.cells)):
                continue
            row = measure(work, effort, roofs["all threads"])
            results.add(row, mean)
            print(line_of(row), flush=True)
    if not results.rows:
        parser.error("no row of these groups has one of these cells")
    for sentence in results.summary():
        print(sentence)
    folder.mkdir(parents=True, exist_ok=True)
    for path in write(results, folder):
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
