"""Work as it goes: a live display in a terminal, else plain lines, an epoch or some seconds apart; both on stderr."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from elman.cli.console import console

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from elman.training.history import Record


class Progress:
    """Follows a training run through the callbacks of `fit`."""

    def __init__(self, max_epochs: int, n_members: int = 1) -> None:
        self.max_epochs, self.n_members = max_epochs, n_members
        self.records: list[Record] = []
        self.best: Record | None = None
        self.within = 0.0  # share of the running epoch that is done
        self.has_started = False
        self.start = time.monotonic()

    def on_step(self, done: int, total: int) -> None:
        """Note how far the running epoch is."""
        self.has_started = True
        self.within = done / total if done < total and self.n_members == 1 else 0.0  # members take turns

    def on_epoch(self, record: Record) -> None:
        """Note a finished epoch."""
        self.has_started = True
        self.records.append(record)
        self.within = 0.0
        loss = record["validation_loss"]
        if loss is not None and (self.best is None or loss < (self.best["validation_loss"] or 0.0)):
            self.best = record


class _Lines(Progress):
    """A plain line for the first epoch and the last; between them one an epoch, or one a second if that is less."""

    last_line = -math.inf
    n_told = 0  # epochs up to the last line

    def on_epoch(self, record: Record) -> None:
        super().on_epoch(record)
        if time.monotonic() - self.last_line >= 1:
            self.tell()

    def tell(self) -> None:
        """Print the line of the last epoch, unless it is printed."""
        from elman.estimators.progress import epoch_line

        if len(self.records) > self.n_told:
            self.last_line, self.n_told = time.monotonic(), len(self.records)
            _print(epoch_line(self.records[-1], self.max_epochs))


@contextmanager
def follow(max_epochs: int, n_members: int = 1) -> Iterator[Progress]:
    """Show the progress of a training run while the block runs; of several members epochs are counted together."""
    to = console(stderr=True)
    if to.is_terminal:
        yield from _live(to, Progress(max_epochs, n_members))
    else:
        yield from _plain(_Lines(max_epochs, n_members))


@contextmanager
def follow_share(doing: str, things: str) -> Iterator[Callable[[float, int], object]]:
    """Show how far work has come, from its first second on: a callable takes the share done and a number of things."""
    to = console(stderr=True)
    start = told = time.monotonic()

    def line(share: float, n: int) -> str:
        seconds = int(time.monotonic() - start)
        return f"{doing}: {100 * share:.0f} %, {n:,} {things}, {seconds // 60}:{seconds % 60:02d}"

    def on_progress(share: float, n: int) -> None:
        nonlocal told
        if time.monotonic() - told >= (1 if to.is_terminal else 5) or (told == start and time.monotonic() - start >= 1):
            told = time.monotonic()
            print(line(share, n), end="\r" if to.is_terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield on_progress
    finally:
        if to.is_terminal and told > start:
            print(file=sys.stderr)


def _plain(progress: _Lines) -> Iterator[Progress]:
    from elman.estimators.progress import tell_if_slow

    timer = tell_if_slow(lambda line: None if progress.has_started else _print(line))
    try:
        yield progress
    finally:
        timer.cancel()
        progress.tell()


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _live(to: Console, progress: Progress) -> Iterator[Progress]:
    from rich.live import Live

    with Live(get_renderable=lambda: _display(progress), console=to, refresh_per_second=8, transient=True):
        yield progress


def _display(progress: Progress) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    from elman.estimators.progress import PATIENCE, PREPARING

    seconds = time.monotonic() - progress.start
    if not progress.has_started:
        return Text(f"{PREPARING if seconds > PATIENCE else 'Preparing.'} {seconds:.0f} s")
    n_done, total = len(progress.records), progress.max_epochs * progress.n_members
    of_members = f" of {progress.n_members} members" if progress.n_members > 1 else ""
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        Text(f"epoch {min(n_done + 1, total)}/{total}{of_members}"),
        ProgressBar(total=total, completed=n_done + progress.within, width=44),
        Text(f"{int(seconds) // 60}:{int(seconds) % 60:02d}"),
        Text("Ctrl-C keeps the best", style="dim"),
    )
    if not progress.records:
        return bar
    return Group(bar, _figures(progress), Text(f"{progress.records[-1]['sequences_per_second']:,.0f} sequences/s"))


def _figures(progress: Progress) -> Table:
    from rich.table import Table
    from rich.text import Text

    from elman.estimators.progress import show_loss

    last, best = progress.records[-1], progress.best
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("", "loss", "accuracy"):
        table.add_column(heading, justify="right" if heading else "left", header_style="dim")
    table.add_column("", justify="left")
    table.add_row("training", show_loss(last["training_loss"]), f"{last['training_accuracy']:.3f}")
    if last["validation_loss"] is not None:
        mark = ""
        if best is not None:
            is_now = best["epoch"] == last["epoch"]
            mark = (
                "best so far"
                if is_now
                else f"best {show_loss(best['validation_loss'] or 0.0)} in epoch {best['epoch']}"
            )
        table.add_row(
            "validation",
            show_loss(last["validation_loss"]),
            f"{last['validation_accuracy']:.3f}",
            Text(mark, style="green" if mark == "best so far" else "dim"),
        )
    return table
