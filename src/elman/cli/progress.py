"""Training as it goes: a live display in a terminal, else plain lines, an epoch or a second apart; both on stderr."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from elman.cli.console import console

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from elman.training.history import Record

_PATIENCE = 2.0  # seconds without a first step before the reason is told
_PREPARING = "Preparing: the first training on a machine compiles its kernels, which can take a minute."


class Progress:
    """Follows a training run through the callbacks of `SequenceClassifier.fit`."""

    def __init__(self, max_epochs: int) -> None:
        self.max_epochs = max_epochs
        self.records: list[Record] = []
        self.best: Record | None = None
        self.within = 0.0  # share of the running epoch that is done
        self.has_started = False
        self.start = time.monotonic()

    def on_step(self, done: int, total: int) -> None:
        """Note how far the running epoch is."""
        self.has_started = True
        self.within = done / total if done < total else 0.0

    def on_epoch(self, record: Record) -> None:
        """Note a finished epoch."""
        self.has_started = True
        self.records.append(record)
        self.within = 0.0
        loss = record["validation_loss"]
        if loss is not None and (self.best is None or loss < (self.best["validation_loss"] or 0.0)):
            self.best = record


class _Lines(Progress):
    """A plain line for the first epoch, then one an epoch, or one a second if epochs are faster."""

    last_line = -math.inf

    def on_epoch(self, record: Record) -> None:
        from elman.estimators.progress import epoch_line

        super().on_epoch(record)
        if time.monotonic() - self.last_line >= 1 or record["epoch"] == self.max_epochs:
            self.last_line = time.monotonic()
            print(epoch_line(record, self.max_epochs), file=sys.stderr, flush=True)


@contextmanager
def follow(max_epochs: int) -> Iterator[Progress]:
    """Show the progress of a training run while the block runs."""
    to = console(stderr=True)
    if to.is_terminal:
        yield from _live(to, Progress(max_epochs))
    else:
        yield from _plain(_Lines(max_epochs))


def _plain(progress: Progress) -> Iterator[Progress]:
    def tell() -> None:
        if not progress.has_started:
            print(_PREPARING, file=sys.stderr, flush=True)

    timer = threading.Timer(_PATIENCE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield progress
    finally:
        timer.cancel()


def _live(to: Console, progress: Progress) -> Iterator[Progress]:
    from rich.live import Live

    with Live(get_renderable=lambda: _display(progress), console=to, refresh_per_second=8, transient=True):
        yield progress


def _display(progress: Progress) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    seconds = time.monotonic() - progress.start
    if not progress.has_started:
        return Text(f"{_PREPARING} {seconds:.0f} s" if seconds > _PATIENCE else f"Preparing. {seconds:.0f} s")
    n_done = len(progress.records)
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        Text(f"epoch {min(n_done + 1, progress.max_epochs)}/{progress.max_epochs}"),
        ProgressBar(total=progress.max_epochs, completed=n_done + progress.within, width=44),
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
