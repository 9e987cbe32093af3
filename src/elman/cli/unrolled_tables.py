"""An unrolled network as tables: the steps of the algorithm in order, each below its equation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from elman.cli.tables import count, describe_network
from elman.cli.text_table import fitted, number, plain, without_middle
from elman.cli.unrolled_layout import INDENT, Layout, most_active, norm_of
from elman.insight.equations import UPDATE, answer, remarks

if TYPE_CHECKING:
    from elman.insight.passage import Passage

_NAME = 14  # cells of the name of an input or a class

Array = NDArray[np.float64]


class UnrolledTables(Layout):
    """Gives the lines of the tables: forward, backward, update."""

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
        about += f"{count(unrolled.values.shape[1], 'feature')}, {len(unrolled.classes)} classes."
        said = filter(None, [about, unrolled.remark, *remarks(unrolled.architecture)])
        yield from self._prose(" ".join(said))
        left_out = []
        be = "is" if len(self.steps) == 1 else "are"
        if len(self.shown) < len(unrolled.passages):
            left_out.append(f"of {len(unrolled.passages)} layers and directions the last {len(self.shown)} are shown")
        if len(self.steps) < unrolled.n_steps:
            left_out.append(f"of {unrolled.n_steps:,} steps {len(self.steps)} {be} shown (others with --steps FROM:TO)")
        widest = max(passage.states["h"].shape[1] for passage in unrolled.passages)
        if self.most < widest:
            left_out.append(f"of {widest:,} units the {self.most} most active ones (more with --units K)")
        if left_out:
            sentence = ", ".join(left_out)
            yield from self._prose(f"{sentence[0].upper()}{sentence[1:]}; --json has every number.")

    # --- Forward ------------------------------------------------------------------------------------------------------

    def _inputs(self) -> Iterator[Text]:
        unrolled = self.unrolled
        codes = [column for column, _, _ in unrolled.architecture.embeddings]
        activity = np.abs(unrolled.values).max(axis=0)
        activity[codes] = np.inf
        chosen = most_active(activity, min(self.most, self._room(len(str(unrolled.n_steps)), _NAME)))
        names = [without_middle(plain(unrolled.feature_names[column]), _NAME) for column in chosen]
        yield from self._title("Input", "x_t, as the network reads it")
        raw = unrolled.raw
        if raw is not None and any(_differs(raw[t][c], unrolled.values[t, c]) for t in self.steps for c in chosen):
            of_step = {t: [[str(t + 1), *(_shown(raw[t][c]) for c in chosen)]] for t in self.steps}
            yield from self._table(self._rows(["t", *names], of_step, is_backward=False))
            yield Text(f"{INDENT}the same, prepared", style="dim")
        is_code = set(codes)

        def read(t: int, c: int) -> str:
            return str(int(unrolled.values[t, c])) if c in is_code else number(unrolled.values[t, c])

        of_step = {t: [[str(t + 1), *(read(t, c) for c in chosen)]] for t in self.steps}
        yield from self._table(self._rows(["t", *names], of_step, is_backward=False))
        if len(chosen) < unrolled.values.shape[1]:
            yield Text(f"{INDENT}and {unrolled.values.shape[1] - len(chosen):,} more features", style="dim")

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
            yield Text(f"{INDENT}mean of each gate over its units, norms of the states", style="dim")
            heads = ["t", *passage.gates, *(f"|{state}_t|" for state in reversed(passage.states))]
            of_step = {
                t: [
                    [
                        str(t + 1),
                        *(number(float(gate[t].mean())) for gate in passage.gates.values()),
                        *(number(norm_of(states[t])) for states in reversed(passage.states.values())),
                    ]
                ]
                for t in self.steps
            }
            yield from self._table(self._rows(heads, of_step, is_backward=False))
        yield from self._vectors(passage, {"h": passage.states["h"]}, "")

    def _scores(self) -> Iterator[Text]:
        unrolled, of = self.unrolled, self.of_readout
        yield from self._title("Class scores, probabilities and loss", of["features"], of["logits"], of["proba"])
        target = unrolled.targets
        if unrolled.every_step:
            rows = {}
            for t in self.steps:
                name = "-" if target[t] < 0 else self._class(target[t])
                y = float("nan") if target[t] < 0 else float(unrolled.proba[t, target[t]])
                best = self._class(int(unrolled.proba[t].argmax()))
                drawn = self._bar(0.0 if np.isnan(y) else y, 1.0)
                rows[t] = [[str(t + 1), name, number(y), drawn, number(unrolled.losses[t]), best]]
            heads = ["t", "target", "y_t", "", "loss", "predicted"]
            yield from self._table(self._rows(heads, rows, is_backward=False), left=(1, 3, 5))
        else:
            chosen = self._classes(unrolled.proba[0], int(target[0]))
            table = [["class", "logit", "y", "", ""]]
            for code in chosen:
                y = float(unrolled.proba[0, code])
                drawn = self._bar(y, 1.0)
                note = "target" if code == target[0] else ""
                table.append([self._class(code), number(unrolled.logits[0, code]), number(y), drawn, note])
            yield from self._table(table, left=(0, 3, 4))
            yield from self._more_classes(len(chosen))
        shown_y, loss = answer(unrolled.loss)
        said = loss if unrolled.every_step else f"-ln {shown_y} = {loss}"
        yield Text(f"{INDENT}{of['loss']} = {said}", style="bold")

    def _class(self, code: int) -> str:
        return without_middle(plain(self.unrolled.classes[code]), 20)

    def _classes(self, activity: Array, target: int) -> list[int]:
        activity = activity.copy()
        activity[target] += 1
        return most_active(activity, max(self.most, 2))

    def _more_classes(self, n_shown: int) -> Iterator[Text]:
        more = len(self.unrolled.classes) - n_shown
        if more:
            yield Text(f"{INDENT}and {more:,} others", style="dim")

    # --- Backward -----------------------------------------------------------------------------------------------------

    def _d_logits(self) -> Iterator[Text]:
        unrolled = self.unrolled
        yield from self._title("Gradient of the class scores", self.of_readout["d_logits"])
        activity = np.abs(unrolled.d_logits).max(axis=0)
        chosen = most_active(activity, max(self.most, 2))
        if unrolled.every_step:
            chosen = chosen[: self._room(len(str(unrolled.n_steps)), _NAME)]
            names = [without_middle(plain(unrolled.classes[code]), _NAME) for code in chosen]
            rows = {t: [[str(t + 1), *(number(unrolled.d_logits[t, code]) for code in chosen)]] for t in self.steps}
            yield from self._table(self._rows(["t", *names], rows, is_backward=True))
            return
        table = [["class", "y", "target", "dL/dlogit"]]
        for code in chosen:
            is_target = "1" if code == unrolled.targets[0] else "0"
            table.append(
                [self._class(code), number(unrolled.proba[0, code]), is_target, number(unrolled.d_logits[0, code])]
            )
        yield from self._table(table, left=(0,))
        yield from self._more_classes(len(chosen))

    def _backward(self, passage: Passage) -> Iterator[Text]:
        of, equations = self._of(passage), self.equations
        order = "t = 1, ..., T" if passage.is_reverse else "t = T, ..., 1"
        d_pre = () if self.is_small else equations.d_pre  # which has a table of its own
        once = (*equations.d_states, *d_pre) if passage is self.shown[-1] else ()
        yield from self._title(f"Gradient of the states{of}, {order}", *once)
        if passage is self.shown[-1]:
            least, largest = self.log_range
            note = f"bars in all tables of gradients: logarithmic, {least:g} is empty, {number(largest)} full"
            yield Text(f"{INDENT}{note}", style="dim")
        named = {f"dL/d{state}": array for state, array in passage.d_states.items()}
        yield from self._vectors(passage, named, "dL/dh", is_backward=True)
        if self.is_small:
            yield from self._title(f"Gradient of the pre-activations{of}", *equations.d_pre)
            yield from self._vectors(passage, passage.d_pre, "dL/da", is_backward=True)

    def _contributions(self) -> Iterator[Text]:
        yield from self._title("What each step adds to each weight's gradient, as norms", *self.equations.gradient)
        yield Text(f"{INDENT}steps add up as vectors: |sum| may be less than a single step's norm", style="dim")
        groups: list[tuple[str, list[str]]] = []
        names = list(self.unrolled.contributions)
        for passage in reversed(self.shown):
            groups.append((self._of(passage)[2:], [name for name in names if name.endswith(f"_{passage.name}")]))
        of_layers = tuple(f"_{passage.name}" for passage in self.unrolled.passages)
        groups.append(("", [name for name in names if not name.endswith(of_layers)]))
        most = self._room(5, max(len(name.partition("_l")[0]) for name in names))
        for title, group in groups:
            if title:
                yield Text(f"{INDENT}{title}", style="dim")
            for start in range(0, len(group), most):
                yield from self._table(self._terms(group[start : start + most]))

    def _terms(self, names: list[str]) -> list[list[str]]:
        norms = [self.unrolled.contributions[name].norms() for name in names]
        of_step = {t: [[str(t + 1), *(number(float(norm[t])) for norm in norms)]] for t in self.steps}
        rows = self._rows(["t", *(name.partition("_l")[0] for name in names)], of_step, is_backward=True)
        return [*rows, ["|sum|", *(number(norm_of(self.unrolled.gradients[name])) for name in names)]]

    def _update(self) -> Iterator[Text]:
        unrolled = self.unrolled
        equation = UPDATE.replace("rate", f"{unrolled.learning_rate:g}")
        yield from self._title("Gradient descent, shown for the entry with the largest gradient", equation)
        rows = [["parameter", "|gradient|", "entry", "old", "gradient", "new"]]
        for name, gradient in unrolled.gradients.items():
            place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
            entry = (unrolled.parameters[name][place], gradient[place], unrolled.updated[name][place])
            at = f"[{','.join(str(int(k) + 1) for k in place)}]"
            rows.append([name, number(norm_of(gradient)), at, *(number(float(value)) for value in entry)])
        yield from self._table(rows, left=(0,))
        yield Text("")
        arrow = "→" if self.is_unicode else "->"
        yield Text(f"The loss of this sequence: {unrolled.loss:.6f} {arrow} {unrolled.loss_after:.6f}", style="bold")


def _differs(raw: float | str | None, value: float) -> bool:
    return raw is not None and (isinstance(raw, str) or not np.isclose(raw, value, rtol=1e-6))


def _shown(raw: float | str | None) -> str:
    if raw is None:
        return "-"
    return without_middle(plain(raw), _NAME) if isinstance(raw, str) else f"{raw:.6g}"
