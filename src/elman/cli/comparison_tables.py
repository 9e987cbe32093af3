"""A comparison of models as tables that a terminal of 80 columns holds."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

from elman.cli.tables import FIGURES

if TYPE_CHECKING:
    from rich.table import Table

    from elman.insight.comparison import Comparison

_MOST_MODELS = 6  # beside each other, a column each


def letters(n: int) -> list[str]:
    """Give n short names: A to Z, then numbers.

    >>> letters(3), letters(28)[-2:]
    (['A', 'B', 'C'], ['27', '28'])
    """
    return [ascii_uppercase[m] if m < len(ascii_uppercase) else str(m + 1) for m in range(n)]


def without_suffix(names: Sequence[str]) -> list[str]:
    """Leave out what names of model files end in, where they stay distinct.

    >>> without_suffix(["gru.safetensors", "lstm.safetensors"]), without_suffix(["gru", "gru.safetensors"])
    (['gru', 'lstm'], ['gru', 'gru.safetensors'])
    """
    short = [name.removesuffix(".safetensors") for name in names]
    return short if len(set(short)) == len(names) else [*names]


def figures(comparison: Comparison) -> Table:
    """Lay the figures of the models one below the other, each under its letter."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    table.add_column("", overflow="fold")
    headings = [*FIGURES.values()]
    for heading in (headings[0], "95 %\ninterval", *headings[1:]):
        table.add_column(Text(heading), justify="right", vertical="bottom", no_wrap=True)
    names = without_suffix(comparison.names)
    rows = zip(letters(len(names)), names, comparison.evaluations, comparison.accuracy_intervals)
    for letter, name, evaluation, (low, high) in rows:
        scores = [f"{evaluation.scores[figure]:.4f}" for figure in FIGURES]
        table.add_row(Text(letter, "bold"), Text(name), scores[0], f"{low:.3f} to {high:.3f}", *scores[1:])
    return table


def most_different(comparison: Comparison) -> Table | None:
    """Lay the sequences on which the models differ most one below the other; None where they differ nowhere."""
    from rich.table import Table
    from rich.text import Text

    chosen = comparison.most_different()
    if len(chosen) == 0:
        return None
    shown = letters(len(comparison.names))[:_MOST_MODELS]
    classes = [str(name) for name in comparison.evaluations[0].classes.tolist()]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("sequence", header_style="dim", overflow="fold")
    if not comparison.every_step:
        table.add_column("class", header_style="dim", overflow="fold")
    for letter in shown:
        table.add_column(letter, justify="right", header_style="bold", no_wrap=True)
    for n in chosen:
        truth = comparison.truth[: len(shown), n]
        cells = [Text(str(comparison.ids[n]))]
        if not comparison.every_step:
            cells.append(Text(classes[comparison.codes[n]]))
            wrong = comparison.predicted[: len(shown), n] != comparison.codes[n]
            cells += [
                Text(f"{p:.3f}*" if is_wrong else f"{p:.3f} ", "red" if is_wrong else "")
                for p, is_wrong in zip(truth, wrong)
            ]
        else:
            cells += [Text(f"{p:.3f}") for p in truth]
        table.add_row(*cells)
    return table
