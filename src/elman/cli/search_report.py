"""What a search came to: by how much it beats the start, what mattered, and what its figures are worth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elman.cli.console import say, say_command, tell
from elman.cli.places import quoted, test_file

if TYPE_CHECKING:
    from rich.table import Table

    from elman.cli.grouping import Grouping
    from elman.search.result import Gain, SearchResult

_HONEST = (
    "These losses chose the parameters, and so look better than they are: measure the model on data that took no part "
    "in the search."
)


def summary(found: SearchResult, grouping: Grouping, model: Path) -> dict[str, Any]:
    """Give the result for programs."""
    return {
        "model": str(model),
        "best": found.best,
        "start": found.start,
        "gain": None if found.gain is None else asdict(found.gain),
        "importances": found.importances,
        "space": found.space,
        "trials": found.trials,
        "interrupted": found.interrupted,
        "classes": found.estimator.classes_.tolist(),
        "training": found.estimator.training_,
        "split_by": grouping.split_by,
        "shared_subjects": grouping.n_shared,
    }


def print_summary(found: SearchResult, grouping: Grouping, model: Path, file: Path) -> None:
    """Print the result."""
    from elman.cli.tables import count, describe_network, describe_training

    n_behind = sum(trial["state"] == "pruned" for trial in found.trials)
    n_broken = sum(trial["state"] == "failed" for trial in found.trials)
    asides = [f"{n} {what}" for n, what in ((n_behind, "fell behind"), (n_broken, "broke down")) if n]
    if found.interrupted:
        tell("Stopped by Ctrl-C; the best trial so far is kept.")
    aside = f" ({', '.join(asides)})" if asides else ""
    tell(f"Best of {count(len(found.trials), 'trial')}{aside}:", "")
    say(_parameters(found))
    tell("", describe_gain(found.best_loss, found.gain), _HONEST)
    if grouping.split_by == "group":
        tell(f"No part that was measured on shares {grouping.what} with what was trained on.")
    if grouping.caution:
        tell(grouping.caution)
    estimator = found.estimator
    trained = describe_training(estimator.training_, estimator._value("max_epochs"), estimator.schedule)
    tell("", f"{describe_network(asdict(estimator.network_.architecture))}.", f"Trained on {trained}")
    say("", f"Saved {model}. Next, on data that took no part in the search:")
    say_command(f"elman evaluate {quoted(model)} {quoted(test_file(file))}")


def describe_gain(loss: float, gain: Gain | None) -> str:
    """Say by how much the best trial beats the first.

    >>> from elman.search.result import compare
    >>> describe_gain(0.4, compare([0.5, 0.6, 0.5], [0.4, 0.4, 0.4]))
    'Validation loss 0.4000, by 0.1333 ± 0.0333 lower than with the defaults: in 3 of 3 folds.'
    >>> describe_gain(0.4, compare([0.5], [0.4]))
    'Validation loss 0.4000, by 0.1000 lower than with the defaults, in a single split: part of that is chance.'
    """
    from elman.estimators.progress import show_loss

    text = f"Validation loss {show_loss(loss)}"
    if gain is None:
        return f"{text}; with the defaults training broke down."
    if gain.mean <= 0:
        return f"{text}: nothing was better than the defaults."
    text += f", by {show_loss(gain.mean)}"
    if gain.error is None:
        return f"{text} lower than with the defaults, in a single split: part of that is chance."
    doubt = "" if gain.mean > 2 * gain.error else " That may be chance."
    where = f"in {gain.n_better} of {gain.n_folds} folds"
    return f"{text} ± {show_loss(gain.error)} lower than with the defaults: {where}.{doubt}"


def _parameters(found: SearchResult) -> Table:
    """Lay out what was searched: the values of the start and of the best, and how much each mattered."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    headings = ["", "start", "best"] + (["importance"] if found.importances else [])
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", header_style="dim")
    order = list(found.importances) + [name for name in found.space if name not in found.importances]
    for name in order:
        cells = [name, _shown(found.start["parameters"][name]), _shown(found.best_parameters[name])]
        if found.importances:
            cells.append(f"{100 * found.importances[name]:.0f} %" if name in found.importances else "-")
        table.add_row(*map(Text, cells))
    return table


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
