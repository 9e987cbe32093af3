"""How an unrolled network is laid out in a terminal: titles, tables, and vectors with their norms and bars."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from elman.cli.text_table import BETWEEN, NUMBER_WIDTH, bar, below, columns, log_share, number
from elman.errors import ParameterError
from elman.insight.equations import of_cell, of_readout

if TYPE_CHECKING:
    from elman.insight.passage import Passage
    from elman.insight.unrolled import Unrolled

_ENDS = {True: (3, 7), False: (2, 4)}  # steps that are shown of a long sequence, of one layer and direction or several
_MOST_PASSAGES = 4
_SMALL = 12  # units of a network of one layer and direction that is shown gate by gate
_BAR = 8
INDENT = "   "

Array = NDArray[np.float64]


def shown_steps(chosen: str | None, n_steps: int, n_passages: int = 1) -> list[int]:
    """Give the steps, counted from 0, that tables show: the chosen ones, else all, or the first and last ones.

    >>> shown_steps("2:4", 9), shown_steps(":2", 9), shown_steps(None, 100)
    ([1, 2, 3], [0, 1], [0, 1, 2, 93, 94, 95, 96, 97, 98, 99])
    >>> shown_steps("5", 9)
    [4]

    Raises
    ------
    ParameterError
        If there are no such steps.
    """
    if chosen is None:
        first, last = _ENDS[n_passages == 1]
        if n_steps <= first + last + 2:
            return list(range(n_steps))
        return [*range(first), *range(n_steps - last, n_steps)]
    begin, colon, end = chosen.partition(":")
    try:
        start, stop = (int(begin or 1), int(end or n_steps)) if colon else (int(begin), int(begin))
    except ValueError:
        start, stop = 0, 0
    if not 1 <= start <= stop <= n_steps:
        raise ParameterError(
            f"--steps must be FROM:TO or one step, in 1..{n_steps}, such as 1:2. Got {chosen!r} instead."
        )
    return list(range(start - 1, stop))


class Layout:
    """Lays out the lines of tables, which `_lines` gives.

    Parameters
    ----------
    unrolled : Unrolled
    steps : list of int
        Those that are shown, counted from 0, in order.
    most : int
        Units, inputs and classes that are shown, as far as there is room.
    width : int
        Cells that no line is longer than.
    is_unicode : bool
        Whether bars may be drawn by block characters.
    """

    def __init__(self, unrolled: Unrolled, steps: list[int], most: int, width: int, *, is_unicode: bool) -> None:
        self.unrolled, self.steps, self.width, self.is_unicode = unrolled, steps, max(width, 40), is_unicode
        self.most = most
        self.number = 0
        self.equations = of_cell(unrolled.architecture)
        self.of_readout = of_readout(unrolled.architecture)
        self.shown = unrolled.passages[-_MOST_PASSAGES:]
        self.log_range = self._log_range()
        self.is_small = len(unrolled.passages) == 1 and unrolled.passages[0].states["h"].shape[1] <= _SMALL

    def lines(self) -> Iterator[Text]:
        """Give all lines in order, none longer than the width."""
        for line in self._lines():
            if line.cell_len <= self.width:
                yield line
            else:
                yield from (Text(part, style=line.style) for part in textwrap.wrap(line.plain, self.width))

    def _lines(self) -> Iterator[Text]:
        raise NotImplementedError

    def _prose(self, text: str) -> Iterator[Text]:
        yield from (Text(line, style="dim") for line in textwrap.wrap(text, self.width))

    def _part(self, name: str) -> Iterator[Text]:
        rule = "─" if self.is_unicode else "-"
        yield Text("")
        yield Text(f"{name.upper()} {rule * (self.width - len(name) - 1)}", style="bold")

    def _title(self, name: str, *equations: str) -> Iterator[Text]:
        self.number += 1
        yield Text("")
        yield Text(f"{self.number:>2} {name}", style="bold")
        for equation in equations:
            for line in textwrap.wrap(equation, self.width - 5, subsequent_indent="  "):
                yield Text(f"{INDENT}{line}", style="italic")

    def _table(self, rows: Sequence[Sequence[str]], *, left: Iterable[int] = ()) -> Iterator[Text]:
        is_left = [column in set(left) for column in range(len(rows[0]))]
        for k, line in enumerate(columns(rows, is_left, self.width - len(INDENT))):
            yield Text(f"{INDENT}{line}", style="dim" if k == 0 else "")

    def _of(self, passage: Passage) -> str:
        if len(self.unrolled.passages) == 1:
            return ""
        return f", layer {passage.layer + 1}{', reverse' if passage.is_reverse else ''}"

    def _steps_with_gap(self, *, is_backward: bool) -> list[int | None]:
        """Give the shown steps in the order of the sweep, None where some are left out."""
        found: list[int | None] = []
        for t in self.steps:
            if found and t != self.steps[len([s for s in found if s is not None]) - 1] + 1:
                found.append(None)
            found.append(t)
        return found[::-1] if is_backward else found

    def _rows(self, heads: list[str], of_step: dict[int, list[list[str]]], *, is_backward: bool) -> list[list[str]]:
        rows = [heads]
        for t in self._steps_with_gap(is_backward=is_backward):
            gap = "⋮" if self.is_unicode else ":"
            rows += [[gap, *[""] * (len(heads) - 1)]] if t is None else of_step[t]
        return rows

    def _vectors(
        self, passage: Passage, arrays: dict[str, Array], symbol: str, *, is_backward: bool = False
    ) -> Iterator[Text]:
        """Lay out vectors (T, H): a row a step and name, with norm, bar, and the most active units."""
        names_width = max(map(len, arrays)) + BETWEEN if len(arrays) > 1 else 0
        taken = len(str(self.unrolled.n_steps)) + names_width + NUMBER_WIDTH + 1 + _BAR + 2 * BETWEEN
        units = most_active(np.abs(passage.states["h"]).max(axis=0), min(self.most, self._room(taken)))
        norms = {name: np.linalg.norm(array, axis=1) for name, array in arrays.items()}
        largest = max(float(norm[self.steps].max()) for norm in norms.values())
        is_named = len(arrays) > 1
        heads = ["t", *([""] if is_named else []), f"|{symbol or next(iter(arrays))}_t|" if not is_named else "norm"]
        heads += ["log" if is_backward else "", *(f"unit {unit + 1}" for unit in units)]
        of_step = {}
        for t in self.steps:
            of_step[t] = [
                [
                    str(t + 1) if k == 0 else "",
                    *([name] if is_named else []),
                    number(float(norms[name][t])),
                    self._log_bar(float(norms[name][t])) if is_backward else self._bar(float(norms[name][t]), largest),
                    *(number(value) for value in array[t, units].tolist()),
                ]
                for k, (name, array) in enumerate(arrays.items())
            ]
        rows = self._rows(heads, of_step, is_backward=is_backward and not passage.is_reverse)
        yield from self._table(rows, left=(1, 3) if is_named else (2,))

    def _room(self, taken: int, width: int = NUMBER_WIDTH) -> int:
        """Give how many columns of numbers fit beside what takes so many cells."""
        return max(1, (self.width - len(INDENT) - taken) // (width + BETWEEN))

    def _bar(self, value: float, largest: float) -> str:
        return bar(value / largest if largest else 0.0, _BAR, is_unicode=self.is_unicode)

    def _log_bar(self, value: float) -> str:
        return bar(log_share(value, *self.log_range), _BAR, is_unicode=self.is_unicode)

    def _log_range(self) -> tuple[float, float]:
        """Give what an empty bar and a full one mean in all tables of gradients, so that their bars compare."""
        arrays = [array for passage in self.shown for of in (passage.d_states, passage.d_pre) for array in of.values()]
        norms = [float(norm) for array in arrays for norm in np.linalg.norm(array[self.steps], axis=1)]
        return below(norms), max(norms)


def most_active(activity: Array, most: int) -> list[int]:
    """Give the places of the largest entries, at most so many, in order."""
    return sorted(np.argsort(-activity, kind="stable")[:most].tolist())


def norm_of(array: Array) -> float:
    """Give the Euclidean norm of all entries."""
    return float(np.linalg.norm(array))
