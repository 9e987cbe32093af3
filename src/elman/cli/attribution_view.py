"""An attribution as a terminal of 80 columns shows it: sums, strips over time, and the strongest cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.data.preparation import Preparation
from elman.insight.attribution import Attribution
from elman.insight.attribution_in_words import half_in_words

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_METHODS = {
    "integrated-gradients": "by integrated gradients",
    "gradient-x-input": "by gradient times input",
    "occlusion": "by occlusion",
}
_FOR, _AGAINST = "▁▂▃▄▅▆▇█", "░▒▓"
_FOR_ASCII, _AGAINST_ASCII = "12345678", "-=#"
_NEAR_ZERO = 1 / 32  # of the largest, from where on a stretch is marked
_LITTLE = 0.05  # nats
_MOST_FEATURES, _MOST_CELLS = 8, 5
_LONGEST_NAME = 20
_WIDTH = 79

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """What there is to show of one sequence."""

    attribution: Attribution  # of it alone
    sequence: Sequences  # raw
    predicted: Any
    id: str
    source: str
    baseline: str  # what the sequence is compared with

    @property
    def explained(self) -> Any:
        """The class that is explained."""
        return self.attribution.classes[self.attribution.codes[0]]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        found = self.attribution
        return {
            "file": self.source,
            "id": self.id,
            "predicted": _plain(self.predicted),
            "explained": _plain(self.explained),
            "step": None if found.steps is None else int(found.steps[0]) + 1,
            "method": found.method,
            "log_proba": float(found.log_proba[0]),
            "baseline_log_proba": float(found.baseline[0]),
            "gap": float(found.gap[0]),
            "is_complete": bool(found.is_complete[0]),
            "features": list(found.feature_names),
            "by_feature": found.by_feature(0).tolist(),
            "by_step": found.by_step(0).tolist(),
            "values": found[0].tolist(),
        }

    def lines(self, width: int, *, is_unicode: bool) -> Iterator[RenderableType]:
        """Give what a terminal of this width shows, from top to bottom."""
        from rich.text import Text

        found, width = self.attribution, min(width, _WIDTH)
        proba, change = np.exp(found.log_proba[0]), found.log_proba[0] - found.baseline[0]
        place = "" if found.steps is None else f", step {found.steps[0] + 1}"
        head = Text(f"Sequence {_short(self.id)} of {_short(self.source, 40)}{place}: predicted ")
        head.append(_short(str(self.predicted)), "bold")
        if self.explained == self.predicted:
            head.append(f" with probability {proba:.4f}.")
        else:
            head.append(f". Explained is {_short(str(self.explained))}, of probability {proba:.4f}.")
        yield head
        yield Text(
            f"log p is {found.log_proba[0]:.3f}, and {found.baseline[0]:.3f} with {self.baseline}. What makes the "
            f"difference of {change:+.3f}, {_METHODS[found.method]}:"
        )
        yield Text("")
        yield _table(found, width, self._tokens(), is_unicode=is_unicode)
        yield Text("")
        bars, shades = (_FOR, _AGAINST) if is_unicode else (_FOR_ASCII, _AGAINST_ASCII)
        yield Text(f"{bars} speaks for {_short(str(self.explained))}, {shades} against it.", "dim")
        yield from self._sentences()
        yield Text("")
        yield self._strongest()

    def _tokens(self) -> list[str] | None:
        """Give the token of each step, where all are single characters that take one column each."""
        if self.sequence.n_features > 1 or self.sequence.categories_of(0) is None:
            return None
        from rich.cells import cell_len

        codes, names = self.sequence.values[:, 0], self.sequence.categories_of(0) or ()
        if np.isnan(codes).any():
            return None
        tokens = [names[int(code)] for code in codes]
        return tokens if all(token.isprintable() and cell_len(token) == len(token) == 1 for token in tokens) else None

    def _sentences(self) -> Iterator[Text]:
        from rich.text import Text

        found = self.attribution
        if abs(found.log_proba[0] - found.baseline[0]) < _LITTLE:
            yield Text(
                f"There is little to explain, since the model says as much with {self.baseline}. Compare another class "
                "with --class."
            )
        if half := half_in_words(found):
            yield Text(half)
        change, total = found.log_proba[0] - found.baseline[0], found[0].sum()
        if found.is_complete[0]:
            yield Text(f"The parts add up to {total:+.3f}: all is accounted for.")
        elif found.method == "integrated-gradients":
            yield Text(
                f"The parts add up to {total:+.3f} of {change:+.3f}: the probability jumps too often on the way for "
                "all to be accounted for. Compare --method occlusion."
            )
        else:
            yield Text(
                f"The parts add up to {total:+.3f} of {change:+.3f}: this method does not share the difference out. "
                "--method integrated-gradients does."
            )

    def _strongest(self) -> Table:
        """Give the cells that count for the most, with their values."""
        from rich.table import Table
        from rich.text import Text

        values = self.attribution[0]
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for heading, justify in (("strongest", "left"), ("step", "right"), ("value", "right"), ("nats", "right")):
            table.add_column(heading, justify=justify, header_style="dim")  # type: ignore[arg-type]
        for cell in np.argsort(-np.abs(values), axis=None, kind="stable")[:_MOST_CELLS]:
            step, feature = (int(index) for index in np.unravel_index(cell, values.shape))
            if values[step, feature] == 0:
                break
            name = _short(self.attribution.feature_names[feature])
            nats = f"{values[step, feature]:+.3f}"
            table.add_row(
                Text(name), str(step + 1), Text(self._value(step, feature)), Text(nats, _style(values.flat[cell]))
            )
        return table

    def _value(self, step: int, feature: int) -> str:
        value, names = self.sequence.values[step, feature], self.sequence.categories_of(feature)
        if np.isnan(value):
            return "missing"
        return f"{value:.4g}" if names is None else repr(names[int(value)][:_LONGEST_NAME])


def _table(found: Attribution, width: int, tokens: list[str] | None, *, is_unicode: bool) -> Table:
    """Give the sum of all features and of each, the largest first, beside its strip over time."""
    from rich.table import Table
    from rich.text import Text

    values, names = found[0], [_short(name) for name in found.feature_names]
    order = np.argsort(-np.abs(values.sum(axis=0)), kind="stable")
    shown = order[: _MOST_FEATURES if len(order) > _MOST_FEATURES + 1 else len(order)]
    rows = [("all", values.sum(axis=1))] if len(order) > 1 else []
    rows += [(names[feature], values[:, feature]) for feature in shown]
    rest = order[len(shown) :]
    if len(rest):
        rows.append((f"{len(rest)} others", values[:, rest].sum(axis=1)))
    room = width - max(len(name) for name, _ in rows) - 14
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("nats", justify="right", header_style="dim")
    table.add_column(Text(_heading(len(values), room, tokens)), no_wrap=True, header_style="dim")
    strips = [binned(steps, room) for _, steps in rows]
    largest = max(float(np.abs(strip).max()) for strip in strips) or 1.0
    for (name, steps), strip in zip(rows, strips):
        sum_of = float(steps.sum())
        table.add_row(
            Text(name), Text(f"{sum_of:+.3f}", _style(sum_of)), _strip(strip / largest, is_unicode=is_unicode)
        )
    return table


def baseline_in_words(preparation: Preparation) -> str:
    """Say what a sequence is compared with.

    >>> from elman.data import as_sequences
    >>> baseline_in_words(Preparation.fit(as_sequences([[1.0, 2.0]])))
    'every feature at its mean'
    >>> baseline_in_words(Preparation.fit(as_sequences(["abba"])))
    'every token unknown'
    """
    parts = []
    if preparation.n_features > len(preparation.vocabularies):
        parts.append(f"every feature at {'0' if preparation.standardiser is None else 'its mean'}")
    if preparation.vocabularies:
        parts.append(f"every {'kind' if parts else 'token'} unknown")
    return " and ".join(parts)


def binned(steps: Array, room: int) -> Array:
    """Give the sums of stretches of steps that fit into so many columns; of few steps, each over several columns.

    >>> binned(np.array([1.0, 2.0, 3.0, 4.0]), 2).tolist(), binned(np.array([1.0, 2.0]), 5).tolist()
    ([3.0, 7.0], [1.0, 1.0, 2.0, 2.0])
    """
    if len(steps) <= room:
        return np.repeat(steps, min(4, room // len(steps)))
    ends = np.linspace(0, len(steps), room + 1).round().astype(int)
    return np.array([steps[start:stop].sum() for start, stop in pairwise(ends.tolist())])


def _heading(n_steps: int, room: int, tokens: list[str] | None = None) -> str:
    """Give the first and the last step at the ends of the strips; or the text itself, where there is room for it.

    >>> _heading(10, 60), _heading(1, 60)
    ('1                                     10', '1')
    >>> _heading(4, 60, ["h", "a", "u", "s"])
    'h   a   u   s   '
    """
    columns = len(binned(np.zeros(n_steps), room))
    if tokens is not None and n_steps <= room:
        return "".join(token.ljust(columns // n_steps) for token in tokens)
    last = str(n_steps)
    return "1" + last.rjust(columns - 1) if n_steps > 1 and columns > len(last) + 1 else "1"


def _strip(shares: Array, *, is_unicode: bool) -> Text:
    """Give shares in -1..1 as a strip: bars above zero, shades below, nothing near it."""
    from rich.text import Text

    bars, shades = (_FOR, _AGAINST) if is_unicode else (_FOR_ASCII, _AGAINST_ASCII)
    strip = Text()
    for share in shares.tolist():
        marks = bars if share > 0 else shades
        level = min(int(abs(share) * len(marks)), len(marks) - 1)
        strip.append(" " if abs(share) < _NEAR_ZERO else marks[level], _style(share))
    return strip


def _style(value: float) -> str:
    return "green" if value > 0 else "red"


def _short(name: str, longest: int = _LONGEST_NAME) -> str:
    """Give a name as a terminal may show it, on one line."""
    name = " ".join(name.split()) if " ".join(name.split()).isprintable() and name.strip() else repr(name)
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
