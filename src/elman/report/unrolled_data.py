"""What the unrolled view draws: some steps and some units of an unrolled network, rounded, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.insight.equations import UPDATE, answer, of_cell, of_readout, remarks
from elman.insight.passage import Passage
from elman.insight.unrolled import Unrolled
from elman.report.blocks import shown

Array = NDArray[Any]

_DIGITS = 7  # of a norm or a probability, from which the page makes lengths and text
_DIGITS_OF_COLOUR = 3  # of what is only drawn as a colour
_LONGEST_NAME = 60
_MOST_CLASSES = 10
_MOST_PASSAGES = 12
_MOST_POINTS = 600  # of the line over the whole sequence
_CELLS = {"elman": "Elman", "elman_relu": "Elman (relu)", "lstm": "LSTM", "gru": "GRU"}


def page_data(unrolled: Unrolled, most_steps: int, most_units: int) -> dict[str, Any]:
    """Give what a page needs of an unrolled network, with so many steps, units and inputs at most."""
    steps = shown_steps(unrolled.n_steps, most_steps)
    drawn = unrolled.passages[-_MOST_PASSAGES:]
    architecture = unrolled.architecture
    return {
        "title": shown(unrolled.title, 200) if unrolled.title else "",
        "remark": unrolled.remark,
        "cell": _CELLS[architecture.cell],
        "readout": "every_step" if unrolled.every_step else architecture.readout,
        "n_steps": unrolled.n_steps,
        "steps": (steps + 1).tolist(),
        "n_layers": architecture.num_layers,
        "n_passages": len(unrolled.passages),
        "equations": _equations(unrolled),
        "inputs": _inputs(unrolled, steps, most_units),
        "passages": [_passage(unrolled, passage, steps, most_units) for passage in drawn],
        "output": _output(unrolled, steps),
        "parameters": _parameters(unrolled, steps, drawn),
        "learning_rate": unrolled.learning_rate,
        "loss": unrolled.loss,
        "loss_after": unrolled.loss_after,
        "answer": answer(unrolled.loss),
        "answer_after": answer(unrolled.loss_after)[1],
    }


def shown_steps(n_steps: int, most: int) -> NDArray[np.int64]:
    """Give the steps that are drawn: all, or the first quarter of so many and the last ones.

    >>> shown_steps(4, 8).tolist(), shown_steps(100, 8).tolist()
    ([0, 1, 2, 3], [0, 1, 94, 95, 96, 97, 98, 99])
    """
    if n_steps <= most:
        return np.arange(n_steps)
    first = most // 4
    return np.concatenate([np.arange(first), np.arange(n_steps - (most - first), n_steps)])


def most_active(activity: Array, most: int) -> NDArray[np.int64]:
    """Give the places of the largest entries, at most so many, in order."""
    chosen: NDArray[np.int64] = np.sort(np.argsort(-activity, kind="stable")[:most])
    return chosen


def _for_colour(array: Array) -> Any:
    """Give a matrix as lists of numbers from which colours are made."""
    return [[float(f"{value:.{_DIGITS_OF_COLOUR}g}") for value in row] for row in array.tolist()]


def _rounded(array: Array) -> Any:
    """Give an array as lists of numbers; None for what is no number."""
    if array.ndim > 1:
        return [_rounded(row) for row in array]
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in array.tolist()]


def _as_shown(array: Array) -> Any:
    """Give a matrix as lists of numbers with the digits that the page and the terminal show, and no more."""
    return [
        [float(f"{value:.1e}") if abs(value) < 1e-3 else round(value, 4) for value in row] for row in array.tolist()
    ]


def _short(name: str) -> str:
    return shown(name, _LONGEST_NAME)


def _equations(unrolled: Unrolled) -> dict[str, list[str]]:
    lines, readout = of_cell(unrolled.architecture), of_readout(unrolled.architecture)
    forward = [*lines.pre, *lines.gates, *lines.states]
    forward += [readout[name] for name in ("features", "logits", "proba", "loss")]
    backward = [readout["d_logits"], *lines.d_states, *lines.d_pre, *lines.gradient, UPDATE]
    return {
        "forward": forward,
        "backward": backward,
        "remarks": list(remarks(unrolled.architecture)),
    }


def _inputs(unrolled: Unrolled, steps: Array, most: int) -> dict[str, Any]:
    """Give what the network reads at the steps, of the columns that vary the most or hold codes."""
    values = unrolled.values
    codes = [column for column, _, _ in unrolled.architecture.embeddings]
    activity = np.abs(values).max(axis=0)
    activity[codes] = np.inf
    columns = most_active(activity, most)
    raw = None
    if unrolled.raw is not None:
        raw = [[_short_raw(unrolled.raw[t][column]) for column in columns] for t in steps]
    return {
        "n": values.shape[1],
        "names": [_short(unrolled.feature_names[column]) for column in columns],
        "is_code": [bool(column in codes) for column in columns],
        "values": _as_shown(values[np.ix_(steps, columns)]),
        "raw": raw,
    }


def _short_raw(value: float | str | None) -> float | str | None:
    return _short(value) if isinstance(value, str) else None if value is None else float(f"{value:.6g}")


def _passage(unrolled: Unrolled, passage: Passage, steps: Array, most: int) -> dict[str, Any]:
    h, d_h = passage.states["h"], passage.d_states["h"]
    units = most_active(np.abs(h).max(axis=0) * (1 + np.abs(d_h).max(axis=0) / (np.abs(d_h).max() or 1)), most)
    chosen = np.ix_(steps, units)

    def of_units(arrays: dict[str, Array]) -> dict[str, Any]:
        return {name: _as_shown(array[chosen]) for name, array in arrays.items()}

    norms = {f"d_{state}": np.linalg.norm(d_state, axis=1) for state, d_state in passage.d_states.items()}
    norms["h"] = np.linalg.norm(h, axis=1)
    hidden_size = h.shape[1]
    width = unrolled.h.shape[1]
    is_last = passage.layer == unrolled.architecture.num_layers - 1
    half = slice(width - hidden_size, width) if passage.is_reverse else slice(0, hidden_size)
    share = None
    if unrolled.share is not None and is_last:
        share = np.broadcast_to(unrolled.share, unrolled.h.shape)[steps, half].mean(axis=1)
    return {
        "name": passage.name,
        "layer": passage.layer,
        "is_reverse": passage.is_reverse,
        "n_units": hidden_size,
        "units": (units + 1).tolist(),
        "pre": of_units(passage.pre),
        "gates": of_units(passage.gates),
        "states": of_units(passage.states),
        "d_states": of_units(passage.d_states),
        "d_pre": of_units(passage.d_pre),
        "norms": {name: _rounded(norm[steps]) for name, norm in norms.items()},
        "line": _rounded(_line(norms["d_h"])),
        "share": None if share is None else _rounded(share),
        "terms": _terms(unrolled, passage, steps, units, most),
    }


def _line(norms: Array) -> Array:
    """Give the norms over the whole sequence, of long ones the largest of each of some hundred stretches."""
    size = -(-len(norms) // _MOST_POINTS)
    filled = np.concatenate([norms, np.zeros(-len(norms) % size)])
    longest: Array = filled.reshape(-1, size).max(axis=1)
    return longest


def _terms(unrolled: Unrolled, passage: Passage, steps: Array, units: Array, most: int) -> dict[str, Any]:
    """Give the two vectors whose outer product each step adds to the gradient of W_ih and W_hh, gate by gate."""
    n_gates = len(passage.pre)
    rows = (np.arange(n_gates)[:, None] * passage.states["h"].shape[1] + units).reshape(-1)
    inputs = most_active(np.abs(passage.x).max(axis=0), most)
    terms = {}
    for name, columns in (("weight_ih", inputs), ("weight_hh", units)):
        contribution = unrolled.contributions[f"{name}_{passage.name}"]
        assert contribution.columns is not None
        terms[name] = {
            "rows": _for_colour(contribution.rows[np.ix_(steps, rows)]),
            "columns": _as_shown(contribution.columns[np.ix_(steps, columns)]),
            "gradient": _for_colour(unrolled.gradients[f"{name}_{passage.name}"][np.ix_(rows, columns)]),
        }
    names = _names_of_inputs(unrolled, passage)
    return {"gates": list(passage.pre), "inputs": [names[k] for k in inputs], "n_inputs": len(names), **terms}


def _names_of_inputs(unrolled: Unrolled, passage: Passage) -> list[str]:
    """Name what a layer reads: the features, with codes as their vectors, or the units of the layer below."""
    if passage.layer:
        size = unrolled.architecture.hidden_sizes[passage.layer - 1]
        names = [f"unit {unit + 1}" for unit in range(size)]
        return names + [f"{name}, reverse" for name in names] * unrolled.architecture.bidirectional
    embeddings = unrolled.architecture.embeddings
    codes = {column for column, _, _ in embeddings}
    names = [_short(name) for column, name in enumerate(unrolled.feature_names) if column not in codes]
    return names + [
        f"{_short(unrolled.feature_names[column])}, {k + 1}" for column, _, size in embeddings for k in range(size)
    ]


def _output(unrolled: Unrolled, steps: Array) -> dict[str, Any]:
    """Give class scores, of the most probable classes and the targets."""
    rows = steps if unrolled.every_step else np.array([0])
    targets = unrolled.targets[rows]
    activity = unrolled.proba[rows].max(axis=0)
    activity[targets[targets >= 0]] += 1
    classes = most_active(activity, _MOST_CLASSES)
    chosen = np.ix_(rows, classes)
    place_of = {int(code): place for place, code in enumerate(classes)}
    return {
        "n_classes": len(unrolled.classes),
        "classes": [_short(unrolled.classes[code]) for code in classes],
        "target": [place_of.get(int(code)) for code in targets],
        "logits": _rounded(unrolled.logits[chosen]),
        "proba": _rounded(unrolled.proba[chosen]),
        "d_logits": _rounded(unrolled.d_logits[chosen]),
        "losses": _rounded(unrolled.losses[rows]),
    }


def _parameters(unrolled: Unrolled, steps: Array, drawn: tuple[Passage, ...]) -> list[dict[str, Any]]:
    """Give how much each step adds to each gradient, and the update of each parameter's largest entry."""
    left_out = {passage.name for passage in unrolled.passages} - {passage.name for passage in drawn}
    found = []
    for name, contribution in unrolled.contributions.items():
        if any(name.endswith(f"_{passage}") for passage in left_out):
            continue
        gradient, old = unrolled.gradients[name], unrolled.parameters[name]
        place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
        entry = np.array([old[place], gradient[place], unrolled.updated[name][place]])
        found.append(
            {
                "name": name,
                "shape": list(gradient.shape),
                "norms": _rounded(contribution.norms()[steps]),
                "gradient": _rounded(np.array([np.linalg.norm(gradient)]))[0],
                "place": [int(k) + 1 for k in place],
                "entry": _rounded(entry),
            }
        )
    return found
