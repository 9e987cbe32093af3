"""The equations that are shown are those of the numbers: each line is evaluated on what is shown beside it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cases import CELLS, Case, draw
from comparisons import assert_close
from elman.insight.equations import of_cell, remarks
from elman.insight.unroll import unroll
from engine import network_for

OPTIONS = [{}, {"layer_norm": True}, {"zoneout": 0.25}, {"layer_norm": True, "zoneout": 0.25}]
FUNCTIONS = {"tanh": np.tanh, "max": np.maximum, "sqrt": np.sqrt, "mean": np.mean, "var": np.var}
FUNCTIONS |= {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "where": np.where, "vector": lambda *of: np.concatenate(of)}
NAME = r"\[[^\]]*\]|(?:dL/d)?[A-Za-z]+~?(?:_\{t[+-]1\}|_\w+)?(?:\^T)?"
TOKEN = re.compile(rf"\s*({NAME}|\d+\.?\d*|\^2|[-+/*(),>])")


class Matrix:
    """What is multiplied with a vector beside it as a matrix is."""

    def __init__(self, values):
        self.values = values

    def __mul__(self, vector):
        return self.values @ vector if np.ndim(vector) else 0.0  # nothing follows the last step


class Row:
    """A transposed vector: a vector beside it gives an outer product."""

    __array_ufunc__ = None

    def __init__(self, values):
        self.values = values

    def __rmul__(self, column):
        return np.outer(column, self.values)


class Notation:
    """What the names of the lines stand for, in a passage that is read forward; steps count from 0."""

    def __init__(self, unrolled):
        self.passage = passage = unrolled.passages[0]
        self.steps = unrolled.n_steps
        self.weights = {name.removesuffix("_l0"): value for name, value in unrolled.parameters.items()}
        self.gates = list(passage.pre)
        self.shown = {"x": passage.x, **passage.gates, **passage.states, "[from the output at t]": unrolled.d_readout}
        self.shown["a"] = np.concatenate(list(passage.pre.values()), axis=1)
        self.shown["dL/da"] = np.concatenate(list(passage.d_pre.values()), axis=1)
        self.shown |= {f"dL/d{state}": values for state, values in passage.d_states.items()}
        self.found, self.functions = {}, dict(FUNCTIONS)  # found: what is not shown, but follows from a line

    def value(self, name, t):
        """Give what a name stands for at step t."""
        if name.endswith("^T"):
            value = self.value(name.removesuffix("^T"), t)
            return Matrix(value.values.T) if isinstance(value, Matrix) else Row(value)
        base, _, index = name.partition("_")
        at = {"t": t, "{t-1}": t - 1, "{t+1}": t + 1}.get(index)
        if at is None and name != "[from the output at t]":
            return self.without_step(base, index, t)
        if at == -1:
            return self.passage.before[base][0]
        at = t if at is None else at
        if at == self.steps:
            return 0.0
        return self.shown[base][at] if base in self.shown else self.found[base, at]

    def without_step(self, base, index, t):
        """Give a weight, or the rows of one gate."""
        long = {"W": "weight", "b": "bias", "gain": "gain"}.get(base)
        if long and index in ("ih", "hh"):
            value = self.weights[f"{long}_{index}"]
        elif long:  # W_ir: the rows of r in W_ih
            value = self.rows(self.weights[f"{long}_{index[0]}h"], index[1])
        elif (f"{base}_{index}", t) in self.found:
            value = self.found[f"{base}_{index}", t]
        else:
            value = self.rows(self.shown[base][t] if base in self.shown else self.found[base, t], index)
        return Matrix(value) if long == "weight" else value

    def rows(self, value, gate):
        """Give the block of a gate."""
        return np.split(value, len(self.gates))[self.gates.index(gate)]

    def evaluate(self, text, t, arguments=()):
        """Compute one side of an equation at step t."""
        choice = re.fullmatch(r"(.+) where (.+) and 0 elsewhere", text)
        text = f"where({choice[2]}, {choice[1]}, 0)" if choice else text
        text = f"vector{text}" if text.startswith("(") and ", " in text else text
        names, code, after_term, at = {}, "", False, 0
        while at < len(text):
            match = TOKEN.match(text, at)
            assert match, f"no notation: {text[at:]}"
            token, at = match[1], match.end()
            is_function = token.isalpha() and text[at : at + 1] == "("
            if after_term and (token[0].isalnum() or token[0] in "(["):
                code += " * "
            if token == "^2":
                code += "**2"
            elif is_function:
                code += f"functions[{token!r}]"
            elif token[0].isalpha() or token[0] == "[":
                key = f"v{len(names)}"
                names[key] = arguments[token] if token in arguments else self.value(token, t)
                code += key
            else:
                code += token
            after_term = not is_function and (token[0].isalnum() or token[-1] in ")]" or token == "^2")
        return eval(code, {"functions": self.functions, **names})

    def define(self, line):
        """Take a line like norm(u) = ... for a function."""
        name, given, text = re.fullmatch(r"(\w+)\(([\w, ]+)\) = (.+)", line).groups()
        order = given.split(", ")
        self.functions[name] = lambda *values: self.evaluate(text, 0, dict(zip(order, values)))


def equations_in(lines):
    """Split lines into left and right sides, what a line needs before it."""
    for line in lines:
        parts = re.split(r", (?![^(]*\))", line)  # not within brackets
        for part in sorted(parts, key=lambda part: not part.startswith("with ")):
            if " = " in part and not re.match(r"\w+\(", part):
                yield part.removeprefix("with ").split(" = ")


def check(notation, lines, t):
    """Evaluate lines at step t, and compare with what is shown."""
    for left, right in equations_in(lines):
        value = notation.evaluate(right, t)
        base, _, index = left.partition("_")
        key = (base if index == "t" else left, t)
        if base in notation.shown or key in notation.found:
            known = notation.value(left, t)
            assert_close(value + np.zeros(known.shape), known, 1e-12, f"{left} = {right} at {t}")
        else:
            notation.found[key] = value


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("starts_learned", [False, True])
def test_every_line_holds_for_the_numbers_shown_with_it(cell, options, starts_learned):
    case = Case(cell, hidden_size=3, readout="mean", learn_initial_state=starts_learned, lengths=(4,), **options)
    batch = draw(case)
    network = network_for(case, batch.weights)
    unrolled = unroll(network, batch.sequences[0], batch.targets)
    lines, notation = of_cell(network.architecture), Notation(unrolled)
    for line in (*lines.pre, *lines.d_pre):
        if re.match(r"\w+\(", line):
            notation.define(line)
    for t in range(4):
        check(notation, [*lines.pre, *lines.gates, *lines.states], t)
    for t in reversed(range(4)):
        check(notation, [*lines.d_states, *lines.d_pre], t)
    for left, right in equations_in(lines.gradient):
        term = right.removeprefix("sum over t of ")
        terms = [notation.evaluate(term, t) for t in range(4)]
        name = re.sub("^W_", "weight_", re.sub("^b_", "bias_", left.removeprefix("dL/d"))) + "_l0"
        assert_close(sum(terms), unrolled.gradients[name], 1e-12, left)
        for t in range(4):
            assert_close(terms[t], unrolled.contributions[name].at(t), 1e-12, f"{left} at {t}")


def test_a_wrong_line_is_noticed():
    case = Case("gru", hidden_size=3, lengths=(4,))
    batch = draw(case)
    notation = Notation(unroll(network_for(case, batch.weights), batch.sequences[0], batch.targets))
    check(notation, ["h_t = (1 - z_t) n_t + z_t h_{t-1}"], 2)
    for wrong in ("h_t = z_t n_t + (1 - z_t) h_{t-1}", "h_t = (1 - z_t) n_t + z_t h_t"):
        with pytest.raises(AssertionError):
            check(notation, [wrong], 2)


def test_remarks_say_what_the_equations_leave_open():
    case = Case("gru", 2, bidirectional=True, residual=True, zoneout=0.25, layer_norm=True, learn_initial_state=True)
    said = remarks(network_for(case, draw(replace(case, lengths=(3,))).weights).architecture)
    assert [sentence.split()[0] for sentence in said] == ["p_r", "Layer", "Zoneout:", "The", "From", "In"]
    assert remarks(network_for(Case("elman"), draw(Case("elman")).weights).architecture) == ()
