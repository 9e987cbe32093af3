"""The pictures of the experiment, in the theme of `elman.plots`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np

from benchmarks.vanishing.contenders import CONTENDERS, FAST, HIDDEN, SPARSE
from benchmarks.vanishing.flow import Flow
from benchmarks.vanishing.learning import CHECK, STRETCH, Run
from benchmarks.vanishing.results import Results
from elman.plots.theme import Theme, config

WIDTH = 620
_LINE = 15  # pixels between two labels


def charts(results: Results, theme: Theme = "light") -> dict[str, Any]:
    """Give the charts by the end of their file's name; that of one run each only if there is such a pair of runs."""
    found: dict[str, Any] = {"flow": _flow(results["flows"]), "success": _success(results)}
    pair = _telling_pair(results["runs"])
    if pair is not None:
        found["spikes"] = _spikes(*pair)
    return {name: chart.configure(**config(theme == "dark")) for name, chart in found.items()}


def _flow(flows: Sequence[Flow], height: int = 360) -> Any:
    """Draw the norm of the gradient against the steps back, lines named at their ends; dashed what the radius gives."""
    names, T = [flow["name"] for flow in flows], flows[0]["T"]
    data, expected = [], []
    for flow in flows:
        norms = np.array(flow["norms"])
        kept = np.unique(np.linspace(0, T - 1, 100).round().astype(int)).tolist()
        data += [{"x": lag, "y": norms[lag], "of": flow["name"]} for lag in kept]
        if flow["radius"] is not None:
            expected += [{"x": lag, "y": norms[0] * flow["radius"] ** lag, "of": flow["name"]} for lag in kept]
    ends = np.array([flow["norms"][-1] for flow in flows])
    exponents = [np.log10(row["y"]) for row in data]
    low, high = np.floor(min(exponents) / 5) * 5, np.ceil(max(exponents))
    places = _apart(np.log10(ends), (high - low) * _LINE / height)
    labels = [{"x": T - 1, "y": 10**place, "of": name} for name, place in zip(names, places)]
    x = alt.X("x:Q").title("steps back from the last").scale(domain=[0, T - 1], nice=False)
    ticks = [10.0**exponent for exponent in range(int(low), int(high) + 1, 5)]
    y = alt.Y("y:Q").title("norm of the gradient").axis(format=".0e", values=ticks)
    y = y.scale(type="log", domain=[10.0**low, 10.0**high], clamp=True)
    colour = alt.Color("of:N").scale(domain=names).legend(None)
    encoded = {"x": x, "y": y, "color": colour}
    dashed = alt.Chart(_inline(expected)).mark_line(strokeDash=[3, 4], strokeWidth=1.2, opacity=0.8).encode(**encoded)
    lines = alt.Chart(_inline(data)).mark_line().encode(**encoded)
    named = alt.Chart(_inline(labels)).mark_text(align="left", dx=8, fontSize=12).encode(**encoded, text="of:N")
    title = alt.TitleParams(
        "Before the first update: the gradient on its way back",
        subtitle=[
            f"By h_t, or an LSTM's c_t; {T} steps of temporal order, networks of {HIDDEN} units.",
            "Dashed: what the spectral radius of the recurrent weights alone lets expect.",
        ],
    )
    return alt.layer(dashed, lines, named).properties(width=WIDTH - 130, height=height, title=title)


def _apart(places: np.ndarray, least: float) -> np.ndarray:
    """Move labels down where they would stand upon one another, the highest first."""
    moved, order = places.astype(float), np.argsort(-places, kind="stable")
    for above, below in pairwise(order):
        moved[below] = min(moved[below], moved[above] - least)
    return moved


def _success(results: Results) -> Any:
    """Draw how many of the starts solved the task, by contender and length."""
    data = []
    for number in range(len(CONTENDERS)):
        for T in results["lengths"]:
            runs = [run for run in results["runs"] if (run["contender"], run["T"]) == (number, T)]
            solved = [run["steps"] for run in runs if run["solved"]]
            share = len(solved) / len(runs)
            right = np.mean([(run["accuracies"] or [0.0])[-1] for run in runs])
            detail = f"after {np.median(solved):,.0f}" if solved else f"{right:.0%} right"
            row = {"row": number, "T": str(T), "share": share, "told": f"{len(solved)} of {len(runs)}"}
            data.append(row | {"detail": detail, "style": "strong" if share > 0.5 else "faint"})
    names = {number: f"{contender.name}  ·  {contender.trained}" for number, contender in enumerate(CONTENDERS)}
    label = " : ".join(f"datum.value == {number} ? '{name}'" for number, name in names.items()) + " : ''"
    x = alt.X("T:O").sort([str(T) for T in results["lengths"]]).title("steps of a sequence")
    x = x.axis(orient="top", labelAngle=0, domain=False, ticks=False, labelFontSize=12)
    y = alt.Y("row:O").title(None).axis(labelExpr=label, labelLimit=320, labelFontSize=12, domain=False, ticks=False)
    base = alt.Chart(_inline(data)).encode(x=x, y=y)
    colour = alt.Color("share:Q").scale(domain=[0, 1]).legend(None)
    layers = [base.mark_rect(style="cell").encode(color=colour)]
    for style in ("faint", "strong"):
        of_style = base.transform_filter(f"datum.style == '{style}'")
        layers.append(of_style.mark_text(style=f"on-{style}", dy=-6, fontSize=13).encode(text="told:N"))
        layers.append(of_style.mark_text(style=f"on-{style}", dy=9, fontSize=10).encode(text="detail:N"))
    title = alt.TitleParams(
        "Solved, and after how many updates",
        subtitle=[
            f"Of {results['seeds']} starts, within {results['steps']:,} updates: the median of those that did.",
            "Where none did: how much is right at the end. Chance is 25%.",
        ],
    )
    room = {"left": 24, "right": 40, "top": 6, "bottom": 6}  # for fonts that are wider than the one measured
    return alt.layer(*layers).properties(width=360, height=36 * len(CONTENDERS), title=title, padding=room)


def _telling_pair(runs: Sequence[Run]) -> tuple[Run, Run] | None:
    """Find a start that is solved with clipping alone: of the longest sequences where there is one, the first seed."""
    contender = next(c for c in CONTENDERS if (c.name, c.learning_rate, c.clip_norm) == (SPARSE, FAST, 1.0))
    free, clipped = CONTENDERS.index(contender._replace(clip_norm=None)), CONTENDERS.index(contender)
    by_key = {(run["contender"], run["T"], run["seed"]): run for run in runs}
    pairs = [(by_key.get((free, T, seed)), run) for (n, T, seed), run in by_key.items() if n == clipped]
    telling = [(one, other) for one, other in pairs if one and other["solved"] and not one["solved"]]
    return min(telling, key=lambda pair: (-pair[0]["T"], pair[0]["seed"]), default=None)


def _spikes(free: Run, clipped: Run) -> Any:
    """Draw gradient norms and accuracy of two runs from one start, of which one was clipped."""
    names = ("without clipping", "clipped to norm 1")
    norms, accuracies = [], []
    for run, name in zip((free, clipped), names):
        norms += [{"x": STRETCH * (i + 1), "y": norm, "of": name} for i, norm in enumerate(run["largest_norms"])]
        accuracies += [{"x": CHECK * (i + 1), "y": share, "of": name} for i, share in enumerate(run["accuracies"])]
    longest = max(free["steps"], clipped["steps"])
    x = alt.X("x:Q").scale(domain=[0, longest], nice=False).axis(format=",d", tickCount=6)
    colour = alt.Color("of:N").scale(domain=list(names)).title(None).legend(orient="top")
    top = alt.Chart(_inline(norms)).mark_line(strokeWidth=1.3)
    y = alt.Y("y:Q").title(f"gradient norm, largest of {STRETCH}").scale(type="log")
    y = y.axis(format="~g", values=[10.0**n for n in range(-6, 13)])
    top = top.encode(x=x.title(None), y=y, color=colour)
    bottom = alt.Chart(_inline(accuracies)).mark_line(point=True)
    y = alt.Y("y:Q").title("accuracy, new sequences").scale(domain=[0, 1]).axis(format="%", tickCount=5)
    bottom = bottom.encode(x=x.title("updates"), y=y, color=colour)
    title = alt.TitleParams(
        "One start, with and without clipping",
        subtitle=f"{SPARSE}, SGD {FAST:g}, {free['T']} steps, seed {free['seed']}: same weights, same sequences.",
    )
    panels = alt.vconcat(top.properties(width=WIDTH, height=170), bottom.properties(width=WIDTH, height=130))
    return panels.properties(title=title)


def _inline(rows: list[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=rows)
