"""A sequence drawn, and what in it spoke for a class."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.data import as_sequences
from elman.errors import ParameterError
from elman.insight.attribution import Attribution
from elman.plots.drawing import (
    Look,
    Theme,
    alt,
    as_data,
    as_number,
    check_type,
    dressed,
    layered,
    short_names,
    whole_numbers,
)
from elman.plots.rows import lines_in_rows, named_rows, row_axis
from elman.plots.thinning import MOST_CELLS, MOST_POINTS, kept, pooled, stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]

_TOGETHER = 6  # features that are told apart by colour; more have a row each
_LINE_OF_LEGEND = 48  # characters
_MOST_ROWS = 20
_LOWEST, _HIGHEST = 22, 80  # pixels of a row
_CHARACTER, _LINE = 8, 13  # pixels of a name in a cell
_STRONG = 0.75  # of the largest attribution, from which on a cell wants light letters
_WHICH_STEPS = (  # of a cell, that reaches from half a step before the first to half a step behind the last
    "(datum.x2 - datum.x > 1 ? format(datum.x + 0.5, ',d') + ' to ' : '') + format(datum.x2 - 0.5, ',d')"
)
_SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+.2~g')"


def sequence(
    values: ArrayLike,
    feature_names: Sequence[object] | None = None,
    *,
    title: str | None = None,
    width: int = 560,
    theme: Theme | None = "light",
) -> alt.LayerChart:
    """Draw the features of one sequence over its steps.

    Up to six features share a scale and are told apart by colour. More have a row each, on a scale of its own; of more
    than twenty the first are shown. Of long sequences the least and the greatest value of each stretch are drawn.

    Parameters
    ----------
    values : array (T, D) or (T,)
        NaN is a missing value: a gap.
    feature_names : D names, optional
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("sequence")
    steps = _as_steps(values)
    n_steps, n_features = steps.shape
    names = _names(feature_names, n_features)
    x = _time(n_steps)
    if n_features > _TOGETHER:
        shown = steps[:, :_MOST_ROWS]
        note = f"The first {_MOST_ROWS} of {n_features:,} features" if n_features > _MOST_ROWS else ""
        lines = _lines(shown, names[:_MOST_ROWS], x, MOST_POINTS, is_alone=True)
        return dressed(layered(lines, width=width, height=_LOWEST * shown.shape[1]), look, note)
    short = short_names(names)
    data = [
        {"x": int(t) + 1, "y": as_number(column[t]), "series": name}
        for name, column in zip(short, steps.T)
        for t in kept(column, MOST_POINTS // n_features)
    ]
    colour = alt.Color("series:N").title(None).scale(domain=short)
    columns = _TOGETHER if sum(map(len, short)) <= _LINE_OF_LEGEND else 3
    colour = colour.legend(None if n_features == 1 else alt.Legend(orient="top", columns=columns))
    tooltip = [
        alt.Tooltip("series:N", title="feature"),
        alt.Tooltip("x:Q", title="step"),
        alt.Tooltip("y:Q", title="value"),
    ]
    y = alt.Y("y:Q").title(short[0] if n_features == 1 else None).axis(tickCount=5)
    y = y.scale(zero=False) if np.isfinite(steps).any() else y.scale(domain=[0, 1])
    lines = alt.Chart(as_data(data)).encode(x=x, y=y, color=colour, tooltip=tooltip)
    lines = lines.mark_line(strokeWidth=1.5, point={"size": 20} if n_steps <= 30 else False)
    return dressed(layered(lines, width=width, height=170), look)


def attribution(
    attribution: Attribution,
    X: Any = None,
    n: int = 0,
    *,
    title: str | None = None,
    width: int = 560,
    theme: Theme | None = "light",
) -> alt.VConcatChart:
    """Draw what in a sequence spoke for a class, and what against it: over its steps, and in each of its features.

    Above, the sum of all features at each step. Below a row a feature: its colour is the attribution, and the line in
    it the feature's values, each on a scale of its own. Of more than twenty features, those of the largest
    attributions are shown. Steps of long sequences are summed up in stretches.

    Parameters
    ----------
    attribution : Attribution
        As `elman.insight.attribution.attribute(classifier, X)` gives it.
    X : sequences, optional
        What was explained; without it no lines are drawn.
    n : int
        Which of the sequences, from 0.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError
        If there is no such sequence, or X is not what was explained.
    MissingExtraError
    """
    look = Look(title, width, theme).checked("attribution")
    described = "an Attribution, such as attribute(model, X) gives"
    check_type(attribution, Attribution, "attribution", "attribution", described)
    total = len(attribution)
    if not isinstance(n, int | np.integer) or not 0 <= n < total:
        raise ParameterError(
            f"The 'n' parameter of attribution must be an int in the range [0, {total}), which of the {total:,} "
            f"sequences is drawn. Got {n!r} instead."
        )
    weights = np.asarray(attribution[int(n)], np.float64)
    values, tokens = _explained(X, int(n), weights.shape)
    chosen = np.sort(np.argsort(-np.abs(weights).sum(axis=0), kind="stable")[:_MOST_ROWS])
    edges = stretches(len(weights), MOST_CELLS // len(chosen))
    panels = [
        _over_time(weights.sum(axis=1), edges, look),
        _by_feature(weights, values, tokens, attribution.feature_names, chosen, edges, look),
    ]
    name = short_names([attribution.classes[attribution.codes[n]]])[0]
    note = f"What speaks for {name}, and what against it, in nats of log p; p = {np.exp(attribution.log_proba[n]):.3g}"
    if len(chosen) < weights.shape[1]:
        note += f". The {len(chosen)} of {weights.shape[1]:,} features with most of it"
    joined: alt.VConcatChart = alt.vconcat(*panels, spacing=8).resolve_scale(color="independent")
    return dressed(joined, look, note)


def _as_steps(values: Any) -> Array:
    try:
        steps = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        steps = np.empty(0)
    shape = f" of shape {values.shape}" if isinstance(values, np.ndarray) else ""
    steps = steps[:, None] if steps.ndim == 1 else steps
    if steps.ndim != 2 or not steps.size:
        raise ParameterError(
            "The 'values' parameter of sequence must be the numbers of one sequence, an array (T, D) or (T,) with at "
            f"least one step. Got {type(values).__name__}{shape} instead."
        )
    return steps


def _names(names: Sequence[object] | None, n_features: int) -> list[object]:
    if names is None:
        return [f"feature {number}" for number in range(n_features)] if n_features > 1 else ["value"]
    if isinstance(names, str) or len(names) != n_features:
        raise ParameterError(
            f"The 'feature_names' parameter of sequence must be {n_features} names, one a feature, or None. "
            f"Got {names!r} instead."
        )
    return list(names)


def _time(n_steps: int, title: str | None = "step") -> alt.X:
    """Give the axis of steps from 1; each reaches half way to its neighbours."""
    shown = title is not None
    axis = whole_numbers(1, n_steps, labels=shown, ticks=shown, domain=shown)
    return alt.X("x:Q").title(title).axis(axis).scale(domain=[0.5, n_steps + 0.5], nice=False)


def _lines(values: Array, names: list[object], x: alt.X, most: int, *, is_alone: bool) -> alt.Chart:
    data = lines_in_rows(values, most)
    tooltip = [
        alt.Tooltip("name:N", title="feature"),
        alt.Tooltip("x:Q", title="step"),
        alt.Tooltip("value:Q"),
    ]
    chart = named_rows(alt.Chart(as_data(data)), names).encode(x=x, y=row_axis(names), detail="row:N", tooltip=tooltip)
    drawn: alt.Chart = chart.mark_line(strokeWidth=1.5) if is_alone else chart.mark_line(style="trace", strokeWidth=1.2)
    return drawn


def _explained(X: Any, n: int, shape: tuple[int, ...]) -> tuple[Array | None, list[list[str] | None]]:
    """Give the values of sequence n (T, F), or None, and of each feature of kinds the kind at every step."""
    nothing: list[list[str] | None] = [None] * shape[1]
    if X is None:
        return None, nothing
    sequences = as_sequences(X, missing="indicator")
    values = np.asarray(sequences[n], np.float64) if n < len(sequences) else np.empty((0, 0))
    if values.shape != shape:
        raise ParameterError(
            f"The 'X' parameter of attribution must be the sequences that were explained: sequence {n} has {shape[0]} "
            f"steps of {shape[1]} features. Got {values.shape[0]} steps of {values.shape[1]} instead."
        )
    kinds = sequences.categories or nothing
    return values, [None if names is None else _tokens(values[:, f], names) for f, names in enumerate(kinds)]


def _tokens(codes: Array, names: Sequence[str]) -> list[str]:
    return [names[int(code)] if code == code and 0 <= code < len(names) else "?" for code in codes]


def _over_time(by_step: Array, edges: NDArray[np.int64], look: Look) -> alt.LayerChart:
    sums = pooled(by_step[None], edges, np.nansum)[0].tolist()
    data = [{"x": x + 0.5, "x2": x2 + 0.5, "v": as_number(v)} for (x, x2), v in zip(pairwise(edges.tolist()), sums)]
    greatest = max(abs(row["v"] or 0.0) for row in data) or 1.0
    shade = alt.Color("v:Q").scale(range="diverging", domain=[-greatest, greatest], interpolate="rgb").legend(None)
    y = alt.Y("v:Q").title(None).axis(tickCount=3, format="~g")
    tooltip = [alt.Tooltip("of:N", title="step"), alt.Tooltip("v:Q", title="all features", format="+.3f")]
    bars = alt.Chart(as_data(data)).transform_calculate(of=_WHICH_STEPS).mark_bar(binSpacing=0)
    bars = bars.encode(x=_time(len(by_step), None).bin("binned"), x2="x2:Q", y=y, color=shade, tooltip=tooltip)
    return layered(bars, width=look.width, height=60)


def _written(
    data: list[dict[str, Any]], shown: list[object], n_steps: int, greatest: float, width: int, height: int
) -> list[alt.Chart]:
    """Write the names at steps into their cells where there is room for all, across or upwards."""
    cells = [
        {"x": cell["x"] + 0.5, "y": cell["row"] + 0.5, "token": cell["token"], "v": cell["v"]}
        for cell in data
        if "token" in cell
    ]
    is_across = n_steps * max(len(cell["token"]) for cell in cells) * _CHARACTER <= width
    if not is_across and (n_steps * _LINE > width or height < _HIGHEST):
        return []
    base = alt.Chart(as_data(cells)).encode(x=_time(n_steps), y=row_axis(shown), text="token:N")
    look: dict[str, Any] = {"aria": False, "limit": width if is_across else height - 6}
    look |= {} if is_across else {"angle": 270}
    return [
        base.transform_filter(f"abs(datum.v) <= {_STRONG * greatest}").mark_text(style="on-faint", **look),
        base.transform_filter(f"abs(datum.v) > {_STRONG * greatest}").mark_text(style="on-strong", **look),
    ]


def _by_feature(
    weights: Array,
    values: Array | None,
    tokens: list[list[str] | None],
    names: Sequence[str],
    chosen: NDArray[np.int64],
    edges: NDArray[np.int64],
    look: Look,
) -> alt.LayerChart:
    shown: list[object] = [names[f] for f in chosen.tolist()]
    sums = pooled(weights[:, chosen].T, edges, np.nansum)
    data = [
        {"x": x + 0.5, "x2": x2 + 0.5, "row": row, "v": as_number(v)}
        for row, of_row in enumerate(sums)
        for (x, x2), v in zip(pairwise(edges.tolist()), of_row.tolist())
    ]
    tooltip = [
        alt.Tooltip("name:N", title="feature"),
        alt.Tooltip("of:N", title="step"),
        alt.Tooltip("v:Q", title="attribution", format="+.3f"),
    ]
    x = _time(len(weights))
    is_text = len(shown) == 1 and tokens[0] is not None
    named = {row: names for row, f in enumerate(chosen.tolist()) if (names := tokens[f]) is not None}
    if named and len(weights) == len(edges) - 1:
        for cell in data:
            if cell["row"] in named:
                cell["token"] = named[cell["row"]][int(cell["x"])]
        tooltip.insert(1, alt.Tooltip("token:N", title="token" if is_text else "name"))
    greatest = float(np.abs(sums).max()) or 1.0
    shade = (
        alt.Color("v:Q").title("against, for").scale(range="diverging", domain=[-greatest, greatest], interpolate="rgb")
    )
    shade = shade.legend(orient="bottom", labelExpr=_SIGNED, values=[-greatest, 0, greatest])
    cells = named_rows(alt.Chart(as_data(data)), shown).transform_calculate(y2="datum.row + 1", of=_WHICH_STEPS)
    cells = cells.mark_rect(aria=False, x2Offset=0.7, y2Offset=0.7).encode(
        x=x, x2="x2:Q", y=row_axis(shown, "row"), y2="y2:Q", color=shade, tooltip=tooltip
    )
    layers = [cells]
    height = int(np.clip(240 / len(shown), _LOWEST, _HIGHEST)) * len(shown)
    if values is not None and len(named) < len(shown):
        numbers = values[:, chosen]
        numbers[:, [*named]] = np.nan  # the code of a name is no height
        layers.append(_lines(numbers, shown, x, MOST_POINTS // 2, is_alone=False))
    if named and len(weights) == len(edges) - 1:
        layers += _written(data, shown, len(weights), greatest, look.width, height // len(shown))
    return layered(*layers, width=look.width, height=height)
