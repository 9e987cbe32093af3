"""How training went: loss and accuracy, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.errors import ParameterError
from elman.plots.drawing import Look, Theme, alt, as_data, as_number, dressed, layered, percent, whole_numbers
from elman.plots.thinning import MOST_POINTS, kept
from elman.training.history import History

if TYPE_CHECKING:
    from elman.training.history import Record

_SERIES = ("training", "validation")
_FEW = 12  # epochs, that are shown as points too
_CONTRACT = (
    "a fitted estimator, a list of records such as its 'history_', or a list of such lists, with at least one epoch"
)


def learning_curves(
    history: Any, *, title: str | None = None, width: int = 560, theme: Theme | None = "light"
) -> alt.VConcatChart:
    """Draw loss, above, and accuracy, below, on training and validation part after each epoch.

    The epoch whose parameters were kept is marked; of records alone, that of the least validation loss. Several
    members are thin lines each.

    Parameters
    ----------
    history : SequenceClassifier, SequenceTagger, History, list of records, or list of lists of records
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError
        If it is none of these, or holds no epoch.
    MissingExtraError
        If Altair is not installed.

    >>> record = {"epoch": 1, "training_loss": 0.7, "training_accuracy": 0.5, "validation_loss": 0.6}
    >>> chart = learning_curves([record | {"validation_accuracy": 0.75}])
    >>> len(chart.vconcat)
    2
    """
    look = Look(title, width, theme).checked("learning_curves")
    histories, bests = epochs_of(history, "learning_curves")
    marked = [records[best - 1] for records, best in zip(histories, bests) if best is not None]
    panels = [
        _panel(histories, marked, "loss", look, height=200),
        _panel(histories, marked, "accuracy", look, height=130),
    ]
    note = f"Best epoch: {_best_in_words(marked[0])}" if len(marked) == len(histories) == 1 else ""
    joined: alt.VConcatChart = alt.vconcat(*panels, spacing=14).resolve_scale(color="shared")  # and so one legend
    return dressed(joined, look, note)


def _best_in_words(record: Record) -> str:
    loss, accuracy = (_value(record, "validation", figure) for figure in ("loss", "accuracy"))
    told = [str(record["epoch"])]
    told += [] if loss is None else [f"validation loss {loss:.3g}"]
    told += [] if accuracy is None else [f"accuracy {percent(accuracy)}"]
    return ", ".join(told)


def epochs_of(history: Any, caller: str) -> tuple[list[list[Record]], list[int | None]]:
    """Give the records of each member, and the epoch, from 1, that each kept.

    Raises
    ------
    ParameterError
    """
    members: Any = getattr(history, "histories_", history)
    if isinstance(history, History):
        members = [history.records]
    elif isinstance(members, Sequence) and members and isinstance(members[0], Mapping):
        members = [members]
    if not (isinstance(members, Sequence) and all(_are_records(records) for records in members)):
        raise ParameterError(
            f"The 'history' parameter of {caller} must be {_CONTRACT}. Got {type(history).__name__} instead."
        )
    histories = [list(records) for records in members if records]
    if not histories:
        raise ParameterError(f"The 'history' parameter of {caller} must be {_CONTRACT}. Got no epoch instead.")
    if isinstance(history, History):
        return histories, [history.best_epoch]
    told = getattr(history, "training_", {}).get("members", [])
    if len(told) == len(histories):
        return histories, [member["best_epoch"] for member in told]
    return histories, [_best(records) for records in histories]


def _are_records(records: Any) -> bool:
    return isinstance(records, Sequence) and all(
        isinstance(record, Mapping) and "training_loss" in record for record in records
    )


def _best(records: list[Record]) -> int | None:
    losses = [record["validation_loss"] for record in records]
    valid = [(loss, number) for number, loss in enumerate(losses, start=1) if as_number(loss) is not None]
    return min(valid)[1] if valid else None


def _panel(histories: list[list[Record]], marked: list[Record], figure: str, look: Look, height: int) -> alt.LayerChart:
    series = [name for name in _SERIES if any(_value(r, name, figure) is not None for rs in histories for r in rs)]
    share = MOST_POINTS // (2 * len(histories) * max(len(series), 1))
    lines = [
        line for m, rs in enumerate(histories, start=1) for name in series for line in _line(rs, m, name, figure, share)
    ]
    longest = max(len(records) for records in histories)
    is_share = figure == "accuracy"
    value_format = ".1%" if is_share else ".4"
    x = alt.X("x:Q").title("epoch" if is_share else None).axis(whole_numbers(1, max(longest, 2), labels=is_share))
    x = x.scale(domain=[1, max(longest, 2)], nice=False)
    y = alt.Y("y:Q").title(figure).axis(format=".0%" if is_share else "~g", tickCount=5).scale(zero=False)
    colour = alt.Color("series:N").title(None).scale(domain=list(_SERIES)).legend(orient="top")
    tooltip = [
        alt.Tooltip("x:Q", title="epoch"),
        alt.Tooltip("series:N", title="on"),
        alt.Tooltip("y:Q", title=figure, format=value_format),
    ]
    if len(histories) > 1:
        tooltip.insert(1, alt.Tooltip("member:N"))
    base = alt.Chart(as_data(lines)).encode(x=x, y=y, color=colour, detail="member:N", tooltip=tooltip)
    one = len(histories) == 1
    curves = base.mark_line(
        strokeWidth=2 if one else 1, opacity=1 if one else 0.6, point={"size": 28} if longest <= _FEW else False
    )
    best = _marks(marked, figure, x, colour, tooltip)
    return layered(*best[:1], curves, *best[1:], width=look.width, height=height)


def _value(record: Record, series: str, figure: str) -> float | None:
    value: Any = record.get(f"{series}_{figure}")
    return as_number(value)


def _line(records: list[Record], member: int, series: str, figure: str, most: int) -> list[dict[str, Any]]:
    values = [_value(record, series, figure) for record in records]
    positions = kept(np.array(values, np.float64), max(most, 4))
    return [{"x": int(n) + 1, "y": values[n], "series": series, "member": member} for n in positions]


def _marks(
    marked: list[Record], figure: str, x: alt.X, colour: alt.Color, tooltip: list[alt.Tooltip]
) -> list[alt.Chart]:
    """Draw a rule through the best epochs, and a ring around the validation figure there."""
    data = [
        {"x": record["epoch"], "y": _value(record, "validation", figure), "series": "validation", "member": member}
        for member, record in enumerate(marked, start=1)
    ]
    data = [row for row in data if row["y"] is not None]
    if not data:
        return []
    base = alt.Chart(as_data(data)).encode(x=x)
    ring = base.mark_point(style="ring").encode(y="y:Q", color=colour, tooltip=tooltip)
    return [base.mark_rule(style="guide"), ring]
