"""An unrolled network as tables: the steps of the algorithm in order, each below its equation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from elman.cli.tables import count, describe_network
from elman.cli.text_table import BETWEEN, NUMBER_WIDTH, bar, columns, decades, fitted, log_share, number, plain
from elman.errors import ParameterError
from elman.insight.equations import UPDATE, of_cell, of_readout, remarks

if TYPE_CHECKING:
    from elman.insight.passage import Passage
    from elman.insight.unroll import Unrolled

_ENDS = {True: (3, 7), False: (2, 4)}  # steps that are shown of a long sequence, of one layer and direction or several
_MOST_PASSAGES = 4
_SMALL = 12  # units of a network of one layer and direction that is shown gate by gate
_BAR = 8
_NAME = 14  # cells of the name of an input or a class
_INDENT = "   "

Array = NDArray[np.float64]


def shown_steps(chosen: str | None, n_steps: int, n_passages: int = 1) -> list[int]:
    """Give the steps, counted from 0, that tables show: those of FROM:TO, else all, or the first and last ones.

    >>> shown_steps("2:4", 9), shown_steps(":2", 9), shown_steps(None, 100)
    ([1, 2, 3], [0, 1], [0, 1, 2, 93, 94, 95, 96, 97, 98, 99])

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
        start, stop = int(begin or 1), int(end or n_steps)
    except ValueError:
        start, stop = 0, 0
    if not colon or not 1 <= start <= stop <= n_steps:
        raise ParameterError(
            f"--steps must be FROM:TO, two steps in 1..{n_steps}, such as 1:2. Got {chosen!r} instead."
        )
    return list(range(start - 1, stop))


class UnrolledTables:
    """Gives the lines of the tables.

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
        self.is_small = len(unrolled.passages) == 1 and unrolled.passages[0].states["h"].shape[1] <= _SMALL

    def lines(self) -> Iterator[Text]:
        """Give all lines in order, none longer than the width."""
        for line in self._lines():
            if line.cell_len <= self.width:
                yield line
            else:
                yield from (Text(part, style=line.style) for part in textwrap.wrap(line.plain, self.width))

    def _lines(self) -> Iterator[Text]:
        yield from self._heading()
        yield from self._part("Forward")
        yield from self._inputs()
        for passage in self.shown:
            yield from self._forward(passage)
        yield from self._scores()
        yield from self._part("Backward")
        yield from self._d_logits()
        for passage in reversed(self.shown):
            yield from self._backward(passage)
        yield from self._contributions()
        yield from self._part("Update")
        yield from self._update()

    # --- What stands between tables -----------------------------------------------------------------------------------

    def _heading(self) -> Iterator[Text]:
        unrolled = self.unrolled
        yield Text(fitted(plain(unrolled.title), self.width).rstrip(), style="bold")
        architecture = asdict(unrolled.architecture)
        about = f"{describe_network(architecture)}. {count(unrolled.n_steps, 'step')} of "
        about += f"{count(unrolled.values.shape[1], 'input')}, {len(unrolled.classes)} classes."
        yield from self._prose(" ".join([about, *remarks(unrolled.architecture)]))
        left_out = []
        if len(self.shown) < len(unrolled.passages):
            left_out.append(f"of {len(unrolled.passages)} layers and directions the last {len(self.shown)} are shown")
        if len(self.steps) < unrolled.n_steps:
            left_out.append(f"of {unrolled.n_steps:,} steps {len(self.steps)} are shown (others with --steps FROM:TO)")
        widest = max(passage.states["h"].shape[1] for passage in unrolled.passages)
        if self.most < widest:
            left_out.append(f"of {widest:,} units the {self.most} most active ones (more with --units K)")
        if left_out:
            sentence = ", ".join(left_out)
            yield from self._prose(f"{sentence[0].upper()}{sentence[1:]}; --json has every number.")

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
                yield Text(f"{_INDENT}{line}", style="italic")

    def _table(self, rows: Sequence[Sequence[str]], *, left: Iterable[int] = ()) -> Iterator[Text]:
        is_left = [column in set(left) for column in range(len(rows[0]))]
        for k, line in enumerate(columns(rows, is_left, self.width - len(_INDENT))):
            yield Text(f"{_INDENT}{line}", style="dim" if k == 0 else "")

    def _of(self, passage: Passage) -> str:
        if len(self.unrolled.passages) == 1:
            return ""
        return f", layer {passage.layer + 1}{', in reverse' if passage.is_reverse else ''}"

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

    # --- Forward ------------------------------------------------------------------------------------------------------

    def _inputs(self) -> Iterator[Text]:
        unrolled = self.unrolled
        codes = [column for column, _, _ in unrolled.architecture.embeddings]
        activity = np.abs(unrolled.values).max(axis=0)
        activity[codes] = np.inf
        chosen = _most_active(activity, min(self.most, self._room(len(str(unrolled.n_steps)), _NAME)))
        names = [fitted(plain(unrolled.feature_names[column]), _NAME).rstrip() for column in chosen]
        yield from self._title("Input", "x_t, as the network reads it")
        raw = unrolled.raw
        if raw is not None and any(_differs(raw[t][c], unrolled.values[t, c]) for t in self.steps for c in chosen):
            of_step = {t: [[str(t + 1), *(_shown(raw[t][c]) for c in chosen)]] for t in self.steps}
            yield from self._table(self._rows(["t", *names], of_step, is_backward=False))
            yield Text(f"{_INDENT}the same, prepared", style="dim")
        of_step = {t: [[str(t + 1), *(number(unrolled.values[t, c]) for c in chosen)]] for t in self.steps}
        yield from self._table(self._rows(["t", *names], of_step, is_backward=False))
        if len(chosen) < unrolled.values.shape[1]:
            yield Text(f"{_INDENT}and {unrolled.values.shape[1] - len(chosen):,} more inputs", style="dim")

    def _forward(self, passage: Passage) -> Iterator[Text]:
        of, equations = self._of(passage), self.equations
        if self.is_small:
            yield from self._title(f"Pre-activation{of}", *equations.pre)
            yield from self._vectors(passage, passage.pre, "a")
            if passage.gates:
                yield from self._title(f"Gates{of}", *equations.gates)
                yield from self._vectors(passage, passage.gates, "")
            yield from self._title(f"State{of}", *equations.states)
            yield from self._vectors(passage, passage.states, "")
            return
        once = (*equations.pre, *equations.gates, *equations.states) if passage is self.shown[0] else ()
        yield from self._title(f"State{of}", *once)
        if passage.gates:
            yield Text(f"{_INDENT}mean of each gate over its units, norms of the states", style="dim")
            heads = ["t", *passage.gates, *(f"|{state}_t|" for state in reversed(passage.states))]
            of_step = {
                t: [
                    [
                        str(t + 1),
                        *(number(float(gate[t].mean())) for gate in passage.gates.values()),
                        *(number(_norm(states[t])) for states in reversed(passage.states.values())),
                    ]
                ]
                for t in self.steps
            }
            yield from self._table(self._rows(heads, of_step, is_backward=False))
        yield from self._vectors(passage, {"h": passage.states["h"]}, "")

    def _vectors(
        self, passage: Passage, arrays: dict[str, Array], symbol: str, *, is_backward: bool = False
    ) -> Iterator[Text]:
        """Lay out vectors (T, H): a row a step and name, with norm, bar, and the most active units."""
        names_width = max(map(len, arrays)) + BETWEEN if len(arrays) > 1 else 0
        taken = len(str(self.unrolled.n_steps)) + names_width + NUMBER_WIDTH + 1 + _BAR + 2 * BETWEEN
        units = _most_active(np.abs(passage.states["h"]).max(axis=0), min(self.most, self._room(taken)))
        norms = {name: np.linalg.norm(array, axis=1) for name, array in arrays.items()}
        every = np.concatenate([norm[self.steps] for norm in norms.values()])
        scale, n_decades = float(every.max()), decades(every.tolist())
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
                    self._bar(float(norms[name][t]), scale, n_decades if is_backward else None),
                    *(number(value) for value in array[t, units].tolist()),
                ]
                for k, (name, array) in enumerate(arrays.items())
            ]
        rows = self._rows(heads, of_step, is_backward=is_backward and not passage.is_reverse)
        yield from self._table(rows, left=(1, 3) if is_named else (2,))
        if is_backward:
            yield Text(f"{_INDENT}bars are logarithmic, over {count(n_decades, 'decade')}", style="dim")

    def _room(self, taken: int, width: int = NUMBER_WIDTH) -> int:
        """Give how many columns of numbers fit beside what takes so many cells."""
        return max(1, (self.width - len(_INDENT) - taken) // (width + BETWEEN))

    def _bar(self, value: float, largest: float, n_decades: int | None) -> str:
        if n_decades is None:
            return bar(value / largest if largest else 0.0, _BAR, is_unicode=self.is_unicode)
        return bar(log_share(value, largest, n_decades), _BAR, is_unicode=self.is_unicode)

    def _scores(self) -> Iterator[Text]:
        unrolled, of = self.unrolled, self.of_readout
        yield from self._title("Class scores, probabilities and loss", of["features"], of["logits"], of["proba"])
        wanted = unrolled.targets
        if unrolled.every_step:
            rows = {}
            for t in self.steps:
                name = "-" if wanted[t] < 0 else self._class(wanted[t])
                y = float("nan") if wanted[t] < 0 else float(unrolled.proba[t, wanted[t]])
                best = self._class(int(unrolled.proba[t].argmax()))
                drawn = self._bar(0.0 if np.isnan(y) else y, 1.0, None)
                rows[t] = [[str(t + 1), name, number(y), drawn, number(unrolled.losses[t]), best]]
            heads = ["t", "wanted", "y_t", "", "loss", "most probable"]
            yield from self._table(self._rows(heads, rows, is_backward=False), left=(1, 3, 5))
        else:
            chosen = self._classes(unrolled.proba[0], int(wanted[0]))
            table = [["class", "logit", "y", "", ""]]
            for code in chosen:
                y = float(unrolled.proba[0, code])
                drawn = self._bar(y, 1.0, None)
                note = "wanted" if code == wanted[0] else ""
                table.append([self._class(code), number(unrolled.logits[0, code]), number(y), drawn, note])
            yield from self._table(table, left=(0, 3, 4))
            yield from self._more_classes(len(chosen))
        yield Text(f"{_INDENT}{of['loss']} = {number(unrolled.loss)}", style="bold")

    def _class(self, code: int) -> str:
        return fitted(plain(self.unrolled.classes[code]), 20).rstrip()

    def _classes(self, activity: Array, wanted: int) -> list[int]:
        activity = activity.copy()
        activity[wanted] += 1
        return _most_active(activity, max(self.most, 2))

    def _more_classes(self, n_shown: int) -> Iterator[Text]:
        more = len(self.unrolled.classes) - n_shown
        if more:
            yield Text(f"{_INDENT}and {more:,} others", style="dim")

    # --- Backward -----------------------------------------------------------------------------------------------------

    def _d_logits(self) -> Iterator[Text]:
        unrolled = self.unrolled
        yield from self._title("Gradient of the class scores", self.of_readout["d_logits"])
        activity = np.abs(unrolled.d_logits).max(axis=0)
        chosen = _most_active(activity, max(self.most, 2))
        if unrolled.every_step:
            chosen = chosen[: self._room(len(str(unrolled.n_steps)), _NAME)]
            names = [fitted(self._class(code), _NAME).rstrip() for code in chosen]
            rows = {t: [[str(t + 1), *(number(unrolled.d_logits[t, code]) for code in chosen)]] for t in self.steps}
            yield from self._table(self._rows(["t", *names], rows, is_backward=True))
            return
        table = [["class", "y", "wanted", "dL/dlogit"]]
        for code in chosen:
            is_wanted = "1" if code == unrolled.targets[0] else "0"
            table.append(
                [self._class(code), number(unrolled.proba[0, code]), is_wanted, number(unrolled.d_logits[0, code])]
            )
        yield from self._table(table, left=(0,))
        yield from self._more_classes(len(chosen))

    def _backward(self, passage: Passage) -> Iterator[Text]:
        of, equations = self._of(passage), self.equations
        order = "t = 1, ..., T" if passage.is_reverse else "t = T, ..., 1"
        d_pre = () if self.is_small else equations.d_pre  # which has a table of its own
        once = (*equations.d_states, *d_pre) if passage is self.shown[-1] else ()
        yield from self._title(f"Gradient of the states{of}, {order}", *once)
        named = {f"dL/d{state}": array for state, array in passage.d_states.items()}
        yield from self._vectors(passage, named, "dL/dh", is_backward=True)
        if self.is_small:
            yield from self._title(f"Gradient of the pre-activations{of}", *equations.d_pre)
            yield from self._vectors(passage, passage.d_pre, "dL/da", is_backward=True)

    def _contributions(self) -> Iterator[Text]:
        yield from self._title("What each step adds to each weight's gradient, as norms", *self.equations.gradient)
        groups: list[tuple[str, list[str]]] = []
        names = list(self.unrolled.contributions)
        for passage in reversed(self.shown):
            groups.append((self._of(passage)[2:], [name for name in names if name.endswith(f"_{passage.name}")]))
        of_layers = tuple(f"_{passage.name}" for passage in self.unrolled.passages)
        groups.append(("", [name for name in names if not name.endswith(of_layers)]))
        most = self._room(5, max(len(name.partition("_l")[0]) for name in names))
        for title, group in groups:
            if title:
                yield Text(f"{_INDENT}{title}", style="dim")
            for start in range(0, len(group), most):
                yield from self._table(self._terms(group[start : start + most]))

    def _terms(self, names: list[str]) -> list[list[str]]:
        norms = [self.unrolled.contributions[name].norms() for name in names]
        of_step = {t: [[str(t + 1), *(number(float(norm[t])) for norm in norms)]] for t in self.steps}
        rows = self._rows(["t", *(name.partition("_l")[0] for name in names)], of_step, is_backward=True)
        return [*rows, ["|sum|", *(number(_norm(self.unrolled.gradients[name])) for name in names)]]

    def _update(self) -> Iterator[Text]:
        unrolled = self.unrolled
        equation = UPDATE.replace("rate", f"{unrolled.learning_rate:g}")
        yield from self._title("Gradient descent, shown for the entry with the largest gradient", equation)
        rows = [["parameter", "|gradient|", "entry", "old", "gradient", "new"]]
        for name, gradient in unrolled.gradients.items():
            place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
            entry = (unrolled.parameters[name][place], gradient[place], unrolled.updated[name][place])
            at = f"[{','.join(str(int(k) + 1) for k in place)}]"
            rows.append([name, number(_norm(gradient)), at, *(number(float(value)) for value in entry)])
        yield from self._table(rows, left=(0,))
        yield Text("")
        arrow = "→" if self.is_unicode else "->"
        yield Text(f"The loss of this sequence: {unrolled.loss:.6f} {arrow} {unrolled.loss_after:.6f}", style="bold")


def _most_active(activity: Array, most: int) -> list[int]:
    """Give the places of the largest entries, at most so many, in order."""
    return sorted(np.argsort(-activity, kind="stable")[:most].tolist())


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array))


def _differs(raw: float | str | None, value: float) -> bool:
    return raw is not None and (isinstance(raw, str) or not np.isclose(raw, value, rtol=1e-6))


def _shown(raw: float | str | None) -> str:
    if raw is None:
        return "-"
    return fitted(plain(raw), _NAME).rstrip() if isinstance(raw, str) else f"{raw:.6g}"
