"""Work as it goes: a live display in a terminal, else plain lines, an epoch or some seconds apart; both on stderr."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from elman.cli.console import console, note
from elman.training.callbacks import Callback

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from elman.training.callbacks import Run, StepRecord
    from elman.training.history import Record


class Progress(Callback):
    """Follows a training run: what is known of it so far, and for how long it may go on.

    Parameters
    ----------
    max_epochs : int, or None until training says it
    clock : callable
        Gives seconds.
    n_members : int
        How many networks are trained, each for max_epochs.
    """

    of_every_member: ClassVar[bool] = True
    of_refit: ClassVar[bool] = True

    def __init__(
        self, max_epochs: int | None = None, clock: Callable[[], float] = time.monotonic, n_members: int = 1
    ) -> None:
        self.max_epochs, self._clock, self.n_members = max_epochs or 1, clock, n_members
        self.console: Console | None = None  # that what is said meanwhile goes to
        self._done: dict[int, float] = {}  # epochs of each member
        self.is_refit = False
        self.n_sequences = 0
        self.records: list[Record] = []
        self.best: Record | None = None
        self.step: StepRecord | None = None  # the last one
        self._start = clock()
        self._marks: deque[tuple[float, float]] = deque(maxlen=20)  # seconds, epochs done until then

    def on_remark(self, sentence: str) -> None:
        """Say it."""
        note(sentence, self.console)

    def on_train_begin(self, run: Run) -> None:
        """Note where the run begins; one on all data, after that which chose its length, begins anew."""
        if run.is_refit and not self.is_refit:
            self.is_refit, self.best, self.step = True, None, None
            for noted in (self.records, self._marks, self._done):
                noted.clear()
        self.max_epochs, self.n_sequences = run.max_epochs, run.n_sequences
        self._marks.append((self._clock(), self.epochs_done if self.n_members > 1 else run.first_epoch - 1.0))

    def on_step_end(self, step: StepRecord) -> None:
        """Note a step."""
        self.step = step
        done = step["epoch"] - 1 + step["step_in_epoch"] / step["n_steps_in_epoch"]
        self._done[step.get("member", 1)] = done

    def on_epoch_end(self, record: Record) -> None:
        """Note a finished epoch."""
        self.records.append(record)
        self._marks.append((self._clock(), self.epochs_done))
        loss = record["validation_loss"]
        if loss is not None and (self.best is None or loss < (self.best["validation_loss"] or 0.0)):
            self.best = record

    @property
    def has_started(self) -> bool:
        """Whether a step is done."""
        return self.step is not None

    @property
    def epochs_done(self) -> float:
        """Epochs done, with the share of the running one."""
        if self.step is None:
            return self._marks[-1][1] if self._marks else 0.0
        return sum(self._done.values())

    @property
    def all_epochs(self) -> int:
        """Epochs of all members."""
        return self.max_epochs * self.n_members

    @property
    def seconds(self) -> float:
        """How long all has taken."""
        return self._clock() - self._start

    @property
    def seconds_an_epoch(self) -> float | None:
        """What the last epochs took on average; None as long as nothing is known."""
        if not self._marks or self.epochs_done <= self._marks[0][1]:
            return None
        since, done = self._marks[0]
        return (self._clock() - since) / (self.epochs_done - done)

    @property
    def seconds_left(self) -> float | None:
        """How long it takes if all epochs are made, as fast as the last ones; None as long as nothing is known."""
        pace = self.seconds_an_epoch
        return None if pace is None else pace * max(0.0, self.all_epochs - self.epochs_done)


class _Lines(Progress):
    """A plain line for the first epoch and the last; between them one an epoch, or one a second if that is less."""

    last_line = -math.inf
    n_told = 0  # epochs up to the last line

    def on_train_begin(self, run: Run) -> None:
        from elman.estimators.progress import refit_line

        begins_anew = run.is_refit and not self.is_refit  # which each of several members tells of
        if begins_anew:
            self.tell()
            self.n_told = 0
        super().on_train_begin(run)
        if begins_anew:
            _print(refit_line(run.n_sequences))

    def on_epoch_end(self, record: Record) -> None:
        super().on_epoch_end(record)
        if time.monotonic() - self.last_line >= 1:
            self.tell()

    def tell(self) -> None:
        """Print the line of the last epoch, unless it is printed."""
        from elman.estimators.progress import epoch_line

        if len(self.records) > self.n_told:
            self.last_line, self.n_told = time.monotonic(), len(self.records)
            _print(epoch_line(self.records[-1], self.max_epochs))


@contextmanager
def follow(max_epochs: int | None = None, n_members: int = 1) -> Iterator[Progress]:
    """Show the progress of a training run while the block runs."""
    to = console(stderr=True)
    if to.is_terminal:
        yield from _live(to, Progress(max_epochs, n_members=n_members))
    else:
        yield from _plain(_Lines(max_epochs, n_members=n_members))


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

    from elman.cli.display import display

    def show() -> RenderableType:
        return display(progress, ascii_only=to.options.ascii_only)

    with Live(get_renderable=show, console=to, refresh_per_second=8, transient=True):
        progress.console = to
        yield progress
