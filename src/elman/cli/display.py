"""What a terminal shows of a training run while it goes on: some lines of at most 80 columns, in place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from elman.cli.progress import Progress

WIDTH = 79
_CURVE = 20  # columns
_BARS = "▁▂▃▄▅▆▇"  # without the full block, so that curves do not touch
_LONG = 2.0  # seconds an epoch from which its steps are told


def display(progress: Progress, *, ascii_only: bool = False) -> RenderableType:
    """Give the lines; with ``ascii_only`` without curves."""
    from rich.console import Group
    from rich.text import Text

    from elman.estimators.progress import PATIENCE, PREPARING, n_compiled

    if progress.step is None:
        is_compiling = progress.seconds > PATIENCE and n_compiled() > 0
        return Text(f"{PREPARING if is_compiling else 'Preparing.'} {progress.seconds:.0f} s")
    lines: list[RenderableType] = [_bar(progress)]
    if progress.records:
        lines.append(_figures(progress, with_curves=not ascii_only))
    return Group(*lines, _learning(progress))


def clock(seconds: float) -> str:
    """Give a time as a clock shows it.

    >>> clock(64.9), clock(7384)
    ('1:04', '2:03:04')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def curve(values: Sequence[float], low: float, high: float, width: int = _CURVE) -> str:
    """Give losses as a curve of bars from ``low`` to ``high`` on a scale of logarithms; a bar may stand for several.

    >>> curve([4.0, 2.0, 1.0], 1.0, 4.0)
    '▇▄▁'
    >>> len(curve(range(1, 1000), 1.0, 1000.0))
    20
    """
    n = min(width, len(values))
    ends = [round(at * len(values) / n) for at in range(n + 1)]
    means = [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(ends)]
    return "".join(_BARS[round(_height(mean, low, high) * (len(_BARS) - 1))] for mean in means)


def _height(value: float, low: float, high: float) -> float:
    """Give where a loss lies between two others, from 0 to 1."""
    if not value > low or not high > low:
        return 0.0
    if not value < high:
        return 1.0
    least = max(low, 1e-9)
    return math.log(max(value, least) / least) / math.log(high / least)


def _bar(progress: Progress) -> Table:
    """Give how far training is, and how long it may yet take."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    row: list[RenderableType] = [
        Text(_place(progress)),
        ProgressBar(progress.all_epochs, progress.epochs_done, complete_style="cyan"),
    ]
    left = progress.seconds_left
    row.append(Text(clock(progress.seconds) + ("" if left is None else f", at most {clock(left)} left")))
    bar = Table.grid(padding=(0, 1))
    bar.width = WIDTH
    for part in row:
        bar.add_column(no_wrap=True, ratio=1 if isinstance(part, ProgressBar) else None)
    bar.add_row(*row)
    return bar


def _place(progress: Progress) -> str:
    """Give the running epoch, and its step where epochs are long."""
    step, pace = progress.step, progress.seconds_an_epoch
    if step is None:
        return ""
    if progress.n_members > 1:
        place = f"epoch {min(int(progress.epochs_done) + 1, progress.all_epochs)}/{progress.all_epochs}"
        place += f" of {progress.n_members} members"
    else:
        place = f"epoch {step['epoch']}/{progress.max_epochs}"
    if progress.is_refit:
        place = f"once more on all {progress.n_sequences:,}: {place}"
    if pace is not None and pace >= _LONG:
        place += f", step {step['step_in_epoch']}/{step['n_steps_in_epoch']}"
    return place


def _figures(progress: Progress, *, with_curves: bool) -> Table:
    """Give loss and accuracy of the last epoch, and the losses of all epochs as curves on one scale."""
    from rich.table import Table
    from rich.text import Text

    from elman.estimators.progress import show_loss

    last: Mapping[str, Any] = progress.records[-1]
    parts = ["training"] if last["validation_loss"] is None else ["training", "validation"]
    losses: dict[str, list[float]] = {part: _losses(progress, part) for part in parts}
    ends = [end for values in losses.values() if values for end in (min(values), max(values))]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("", "loss", "accuracy"):
        table.add_column(heading, justify="right" if heading else "left", header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    for part in parts:
        values = losses[part]
        shape = Text(curve(values, min(ends), max(ends)) if with_curves and values else "", style="cyan")
        mark = _best(progress) if part == "validation" else ""
        table.add_row(part, show_loss(last[f"{part}_loss"]), f"{last[f'{part}_accuracy']:.3f}", shape, mark)
    return table


def _losses(progress: Progress, part: str) -> list[float]:
    records: list[Mapping[str, Any]] = list(progress.records)
    return [record[f"{part}_loss"] for record in records if math.isfinite(record[f"{part}_loss"])]


def _best(progress: Progress) -> Text:
    """Give the lowest validation loss, and whether it is that of now."""
    from rich.text import Text

    from elman.estimators.progress import show_loss

    best = progress.best
    if best is None:
        return Text("")
    if best["epoch"] == progress.records[-1]["epoch"]:
        return Text("best so far", style="green")
    return Text(f"best {show_loss(best['validation_loss'] or 0.0)} in epoch {best['epoch']}", style="dim")


def _learning(progress: Progress) -> Text:
    """Give how it is learned: of the last epoch on average, or of the last step while there is none."""
    from rich.text import Text

    step = progress.step
    if progress.records:
        last = progress.records[-1]
        parts = [
            f"learning rate {last['learning_rate']:.3g}",
            f"gradient norm {last['gradient_norm']:.3g}, clipped {last['clipped_share']:.0%}",
            f"{last['sequences_per_second']:,.0f} sequences/s",
        ]
    elif step is not None:
        parts = [f"learning rate {step['learning_rate']:.3g}", f"loss {step['loss']:.4g}"]
        parts.append(f"gradient norm {step['gradient_norm']:.3g}")
    text = Text("   ".join(parts))
    return text.append("\nCtrl-C ends training and keeps the best epoch", style="dim")
