"""How the gradient flows back through time: after training, and over its epochs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.errors import ParameterError
from elman.network.flow import VANISHED, GradientFlow
from elman.plots.drawing import Look, Theme, alt, as_data, as_number, check_type, dressed, layered, whole_numbers
from elman.plots.learning import epochs_of
from elman.plots.thinning import MOST_CELLS, MOST_POINTS, kept, pooled, stretches

if TYPE_CHECKING:
    from elman.training.history import Record

_MOST_SEQUENCES = 25  # of a heat map
_MOST_EPOCHS = 50
_LEAST = 1e-12  # of a sequence's largest norm: what is less is shown as that, for a logarithm has no 0
_POWER_OF_TEN = "datum.value < 1 ? format(datum.value, '.0e') : '1'"
_STEPS_BACK = "steps back from where the direction ends"


def gradient_flow(
    flow: GradientFlow,
    *,
    sequences: str | None = None,
    title: str | None = None,
    width: int = 560,
    theme: Theme | None = "light",
) -> alt.LayerChart:
    """Draw the norm of dL/dh_t, of an LSTM dL/dc_t, by how many steps back it is, a line a layer and direction.

    Steps are counted from where a direction ends: the last step forward, the first one in reverse. Norms are relative
    to the largest of their sequence; the line is their median, as far back as a twentieth of the sequences go. A ring
    marks how far back the gradient reaches: where the median has fallen to a tenth of its greatest.

    Parameters
    ----------
    flow : GradientFlow
        As ``classifier.gradient_flow(X, y)`` gives it.
    sequences : str, optional
        The name of a layer and direction, such as ``"l0"``: a heat map of it instead, a row a sequence, the longest
        first, at most 25, evenly chosen.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("gradient_flow")
    check_type(flow, GradientFlow, "flow", "gradient_flow", "a GradientFlow, such as model.gradient_flow(X, y) gives")
    if sequences is not None:
        return _of_sequences(flow, sequences, look)
    profiles = [flow.profile(k) for k in range(len(flow.names))]
    order = [_direction(name) for name in flow.names]
    lines = [
        {"x": lag, "y": as_number(max(profile[lag], _LEAST)), "series": order[k]}
        for k, profile in enumerate(profiles)
        for lag in kept(np.log(np.maximum(profile, _LEAST)), max(MOST_POINTS // len(profiles), 8)).tolist()
    ]
    reach = [(min(flow.memory(k), len(profile) - 1), k) for k, profile in enumerate(profiles)]
    rings = [
        {"x": lag, "y": as_number(max(profiles[k][lag], _LEAST)), "series": order[k]}
        for lag, k in reach
        if flow.memory(k) < len(profiles[k])
    ]
    x = alt.X("x:Q").title(_STEPS_BACK)
    furthest = max(*map(len, profiles), 2) - 1
    x = x.axis(whole_numbers(0, furthest)).scale(domain=[0, furthest], nice=False)
    y = (
        alt.Y("y:Q")
        .title(f"{_by(flow)}, relative to the largest of its sequence")
        .scale(type="log")
        .axis(labelExpr=_POWER_OF_TEN, values=_decades(lines))
    )
    colour = alt.Color("series:N").title(None).scale(domain=order).legend(orient="top", columns=4)
    tooltip = [
        alt.Tooltip("series:N", title="layer"),
        alt.Tooltip("x:Q", title="steps back"),
        alt.Tooltip("y:Q", title=f"relative {_by(flow)}", format=".3~e"),
    ]
    base = alt.Chart(as_data(lines)).encode(x=x, y=y, color=colour, tooltip=tooltip)
    layers = [base.mark_line(point={"size": 28} if len(lines) <= len(profiles) * 12 else False)]
    if rings:
        layers.append(
            alt.Chart(as_data(rings)).mark_point(style="ring").encode(x=x, y=y, color=colour, tooltip=tooltip)
        )
    return dressed(layered(*layers, width=width, height=240), look, _reach_in_words(flow))


def _by(flow: GradientFlow) -> str:
    return "dL/dh" if flow.d_c is None else "dL/dc"


def _decades(lines: list[dict[str, Any]]) -> list[float]:
    """Give at most eight powers of ten, the ticks of an axis that holds every y."""
    low, high = (math.floor(math.log10(extreme(row["y"] for row in lines))) for extreme in (min, max))
    step = -(-(high - low + 1) // 8)
    return [float(f"1e{power}") for power in range(low, high + 2, step)]


def _direction(name: str) -> str:
    """Give a layer's name in words.

    >>> _direction("l0"), _direction("l1_reverse")
    ('layer 1', 'layer 2, reverse')
    """
    number, _, reverse = name.removeprefix("l").partition("_")
    return f"layer {int(number) + 1}{', reverse' * bool(reverse)}"


def _reach_in_words(flow: GradientFlow) -> str:
    memory, k = min((flow.memory(k), k) for k in range(len(flow.names)))
    longest = len(flow.profile(k))
    where = f" of {_direction(flow.names[k])}" if len(flow.names) > 1 else ""
    if memory >= longest:
        return f"Gradients reach back over all {longest:,} steps"
    return f"Gradients{where} fall to a tenth within {memory:,} of {longest:,} steps"


def _of_sequences(flow: GradientFlow, name: Any, look: Look) -> alt.LayerChart:
    if name not in flow.names:
        raise ParameterError(
            f"The 'sequences' parameter of gradient_flow must be one of {', '.join(map(repr, flow.names))}. "
            f"Got {name!r} instead."
        )
    k = flow.number(name)
    order = np.argsort(-flow.lengths, kind="stable")
    rows = order[np.linspace(0, len(order) - 1, min(len(order), _MOST_SEQUENCES)).round().astype(np.int64)].tolist()
    longest = int(flow.lengths[rows].max())
    norms = np.full((len(rows), longest), np.nan)
    for row, n in enumerate(rows):
        steps = slice(flow.offsets[n], flow.offsets[n + 1])
        norms[row, flow.lags(k)[steps]] = flow.relative[k, steps]
    edges = stretches(longest, MOST_CELLS // len(rows))
    data = [
        {"x": x, "x2": x2, "row": n, "v": as_number(v)}
        for n, of_row in zip(rows, pooled(norms, edges, np.nanmean))
        for x, x2, v in zip(edges[:-1].tolist(), edges[1:].tolist(), of_row.tolist())
        if not np.isnan(v)
    ]
    x = alt.X("x:Q").title(_STEPS_BACK).axis(whole_numbers(0, longest)).scale(domain=[0, longest], nice=False)
    y = alt.Y("row:N").sort(rows).title("sequence").axis(ticks=False)
    tooltip = [
        alt.Tooltip("row:N", title="sequence"),
        alt.Tooltip("x:Q", title="steps back"),
        alt.Tooltip("v:Q", title=f"relative {_by(flow)}", format=".3~e"),
    ]
    cells = _cells(data).encode(x=x, x2="x2:Q", y=y, tooltip=tooltip)
    chart = layered(cells, width=look.width, height=max(14 * len(rows), 40))
    return dressed(chart, look, f"{_by(flow)}_t in {_direction(name)}, relative to the largest of its sequence")


def _cells(data: list[dict[str, Any]]) -> alt.Chart:
    """Give cells coloured by the logarithm of their relative norm, from a millionth, where it has vanished.

    Each is drawn a little over its neighbours, or the paper would show between them.
    """
    for row in data:
        row["v"] = max(row["v"], _LEAST)
    shade = alt.Color("v:Q").title("relative norm of the gradient")
    shade = shade.scale(type="log", domain=[VANISHED, 1], clamp=True, nice=False, interpolate="rgb")
    shade = shade.legend(orient="top", values=[VANISHED, VANISHED**0.5, 1], labelExpr=_POWER_OF_TEN)
    cells: alt.Chart = alt.Chart(as_data(data)).mark_rect(aria=False, x2Offset=0.7, y2Offset=-0.7).encode(color=shade)
    return cells


def gradient_history(
    history: Any, *, title: str | None = None, width: int = 560, theme: Theme | None = "light"
) -> alt.LayerChart:
    """Draw how the gradient flowed back in each epoch: a heat map of the norm of dL/dh, of an LSTM dL/dc.

    It is that of the layer and direction where it reached back least, relative to the largest of its sequence. A line
    through it marks how far: where the norm has fallen to a tenth of its greatest.

    Parameters
    ----------
    history : SequenceClassifier, SequenceTagger, History, list of records, or list of lists of records
        Of several members the first is shown.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError
        If it is none of these, or its records hold no gradient flow, as those of older models.
    MissingExtraError
    """
    look = Look(title, width, theme).checked("gradient_history")
    records = [record for record in epochs_of(history, "gradient_history")[0][0] if record.get("flow_profile")]
    if not records:
        raise ParameterError(
            "The 'history' parameter of gradient_history must hold records with a 'flow_profile'. Got none, for "
            "models of earlier versions have none: train it again."
        )
    chosen = [records[start] for start in stretches(len(records), _MOST_EPOCHS)[:-1].tolist()]
    numbers = [record["epoch"] for record in chosen]
    lasts = [*(number - 1 for number in numbers[1:]), records[-1]["epoch"]]
    data = [
        {"x": number - 0.5, "x2": last + 0.5, "of": _epochs(number, last), **cell}
        for record, number, last in zip(chosen, numbers, lasts)
        for cell in _cells_of_epoch(record, MOST_CELLS // len(chosen))
    ]
    reach = [
        {"x": (number + last) / 2, "y": record["flow_memory"], "epoch": number, "of": _direction(record["flow_of"])}
        for record, number, last in zip(chosen, numbers, lasts)
    ]
    x = alt.X("x:Q").title("epoch").axis(whole_numbers(numbers[0], lasts[-1]))
    x = x.scale(domain=[numbers[0] - 0.5, lasts[-1] + 0.5], nice=False)
    y = alt.Y("y:Q").title("steps back").axis(format="d", tickMinStep=1, grid=False)
    y = y.scale(domain=[0, max(record["flow_steps"] for record in chosen)], nice=False)
    tooltip = [
        alt.Tooltip("of:N", title="epoch"),
        alt.Tooltip("y:Q", title="steps back", format=".0f"),
        alt.Tooltip("v:Q", title="relative norm", format=".3~e"),
    ]
    cells = _cells(data).encode(x=x, x2="x2:Q", y=y, y2="y2:Q", tooltip=tooltip)
    told = [
        alt.Tooltip("epoch:Q"),
        alt.Tooltip("y:Q", title="reaches back", format="d"),
        alt.Tooltip("of:N", title="in"),
    ]
    line = alt.Chart(as_data(reach)).mark_line(style="reach", point=len(reach) == 1).encode(x=x, y=y, tooltip=told)
    chart = layered(cells, line, width=width, height=240)
    return dressed(chart, look, "The line: how many steps back the norm has fallen to a tenth")


def _epochs(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _cells_of_epoch(record: Record, most: int) -> list[dict[str, Any]]:
    """Give a record's profile as cells: each of its lags reaches half way to its neighbours."""
    profile, longest = record["flow_profile"], record["flow_steps"]
    lags = np.linspace(0, longest - 1, len(profile))
    chosen = np.linspace(0, len(profile) - 1, min(len(profile), most)).round().astype(np.int64)
    edges = [0.0, *((lags[chosen][:-1] + lags[chosen][1:] + 1) / 2).tolist(), float(longest)]
    return [
        {"y": as_number(low), "y2": as_number(high), "v": value}
        for low, high, j in zip(edges[:-1], edges[1:], chosen.tolist())
        if (value := as_number(profile[j])) is not None
    ]
