"""A search as it goes: a live table of trials in a terminal, else a plain line a trial; both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from elman.cli.console import console, note

if TYPE_CHECKING:
    from rich.console import RenderableType

    from elman.search.result import TrialRecord
    from elman.training.history import Record

_SHOWN = 10  # trials of the live table


class SearchProgress:
    """Follows a search through the callbacks of `tune`."""

    def __init__(self, n_trials: int, timeout: float | None) -> None:
        self.n_trials, self.timeout = n_trials, timeout
        self.trials: list[TrialRecord] = []
        self.n_before = 0  # trials of earlier runs
        self.best: TrialRecord | None = None
        self.running = ""
        self.start = time.monotonic()

    @property
    def hooks(self) -> dict[str, Any]:
        """The callbacks, as `tune` takes them."""
        return {"on_begin": self.on_begin, "on_trial": self.on_trial, "on_epoch": self.on_epoch}

    def on_begin(self, space: dict[str, str], trials: list[TrialRecord]) -> None:
        """Say what is searched, and take over the trials of earlier runs."""
        note(f"Searching {'; '.join(f'{name} {domain}' for name, domain in space.items())}.")
        if trials:
            note(f"Going on after {len(trials)} trial{'s' * (len(trials) > 1)} of the study.")
        for record in trials:
            self._take(record)
        self.n_before = len(trials)
        self.start = time.monotonic()

    def on_trial(self, record: TrialRecord) -> None:
        """Note a finished trial."""
        self._take(record)
        self.running = ""

    def on_epoch(self, number: int, record: Record) -> None:
        """Note an epoch of the trial that runs."""
        self.running = f"trial {number}, epoch {record['epoch']}"

    def left(self) -> float | None:
        """Give about how many seconds are left; None before there is a trial to tell from."""
        n_done, elapsed = len(self.trials) - self.n_before, time.monotonic() - self.start
        by_time = None if self.timeout is None else max(self.timeout - elapsed, 0.0)
        if n_done == 0:
            return by_time
        by_trials = elapsed / n_done * (self.n_trials - len(self.trials))
        return by_trials if by_time is None else min(by_trials, by_time)

    def _take(self, record: TrialRecord) -> None:
        self.trials.append(record)
        loss = record["loss"]
        if loss is not None and (self.best is None or self.best["loss"] is None or loss < self.best["loss"]):
            self.best = record


class _Lines(SearchProgress):
    def on_trial(self, record: TrialRecord) -> None:
        super().on_trial(record)
        print(trial_line(record, self.n_trials, self.best, self.left()), file=sys.stderr, flush=True)


def trial_line(record: TrialRecord, n_trials: int, best: TrialRecord | None, left: float | None) -> str:
    """Give a finished trial on one line.

    >>> record = {"number": 3, "state": "complete", "loss": 0.51, "epochs": 60, "seconds": 4.2}
    >>> trial_line(record, 50, record, 210.0)
    'trial  3/50  loss 0.5100  best 0.5100 in trial 3  4.2 s  about 3:30 left'
    """
    parts = [f"trial {record['number']:{len(str(n_trials))}}/{n_trials}", outcome(record)]
    if best is not None:
        parts.append(f"best {show_loss(best)} in trial {best['number']}")
    parts.append(f"{record['seconds']:.1f} s")
    if left is not None:
        parts.append(f"about {clock(left)} left")
    return "  ".join(parts)


def outcome(record: TrialRecord) -> str:
    """Give how a trial ended, in a few words."""
    if record["state"] == "complete":
        return f"loss {show_loss(record)}"
    return f"fell behind in epoch {record['epochs']}" if record["state"] == "pruned" else "training broke down"


def show_loss(record: TrialRecord) -> str:
    """Give the loss of a complete trial."""
    from elman.estimators.progress import show_loss

    return show_loss(record["loss"] or 0.0)


def clock(seconds: float) -> str:
    """Give a time as minutes and seconds, or hours, minutes and seconds.

    >>> clock(65), clock(3725)
    ('1:05', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@contextmanager
def follow_search(n_trials: int, timeout: float | None) -> Iterator[SearchProgress]:
    """Show the progress of a search while the block runs."""
    to = console(stderr=True)
    if not to.is_terminal:
        yield _Lines(n_trials, timeout)
        return
    from rich.live import Live

    progress = SearchProgress(n_trials, timeout)
    with Live(get_renderable=lambda: _display(progress), console=to, refresh_per_second=4, transient=True):
        yield progress


def _display(progress: SearchProgress) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    left = progress.left()
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        Text(f"{len(progress.trials)}/{progress.n_trials} trials"),
        ProgressBar(total=progress.n_trials, completed=len(progress.trials), width=30),
        Text(clock(time.monotonic() - progress.start) + ("" if left is None else f", about {clock(left)} left")),
        Text("Ctrl-C keeps the best", style="dim"),
    )
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("trial", "loss", "epochs", "seconds"):
        table.add_column(heading, justify="right", header_style="dim")
    table.add_column("", justify="left")
    for record in progress.trials[-_SHOWN:]:
        is_best = record is progress.best
        loss = show_loss(record) if record["state"] == "complete" else "-"
        remark = "best so far" if is_best else "" if record["state"] == "complete" else outcome(record)
        row = [str(record["number"]), loss, str(record["epochs"]), f"{record['seconds']:.1f}", remark]
        table.add_row(*map(Text, row), style="green" if is_best else "")
    lines: list[RenderableType] = [bar, table]
    if progress.best is not None and progress.best not in progress.trials[-_SHOWN:]:
        lines.append(Text(f"best {show_loss(progress.best)} in trial {progress.best['number']}", style="green"))
    return Group(*lines, Text(progress.running or "Preparing.", style="dim"))
