"""Charts that only the report draws, as Vega-Lite. Names of the user's are values and titles, never names of fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Spec = dict[str, Any]
WIDTH = 620  # pixels of a plotting area; a page with less room draws it narrower
_ROW = 26  # pixels of a bar or dot with a name beside it


def shares(names: Sequence[str], here: Sequence[float], training: Sequence[float]) -> Spec:
    """Draw the share of each class here as a thin bar, before a broad one for training."""
    rows = [{"name": name, "here": a, "training": b} for name, a, b in zip(names, here, training)]
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 220}}
    tip = [
        {"field": "name", "type": "nominal", "title": "class"},
        {"field": "here", "type": "quantitative", "format": ".1%", "title": "here"},
        {"field": "training", "type": "quantitative", "format": ".1%", "title": "in training"},
    ]
    return {
        "width": WIDTH,
        "height": {"step": _ROW},
        "data": {"values": rows},
        "encoding": {"y": y, "tooltip": tip},
        "layer": [
            {
                "mark": {"type": "bar", "opacity": 0.25, "height": 19},
                "encoding": {"x": _share("training", "share of the class")},
            },
            {"mark": {"type": "bar", "height": 7}, "encoding": {"x": _share("here", "share of the class")}},
        ],
    }


def dots(rows: Sequence[tuple[str, float, float, float]], title: str) -> Spec:
    """Draw shares with their intervals: (name, share, low, high) each."""
    data = [{"name": name, "x": x, "low": low, "high": high} for name, x, low, high in rows]
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 220}}
    tip = [
        {"field": "name", "type": "nominal", "title": " "},
        {"field": "x", "type": "quantitative", "format": ".1%", "title": title},
        {"field": "low", "type": "quantitative", "format": ".1%", "title": "from"},
        {"field": "high", "type": "quantitative", "format": ".1%", "title": "to"},
    ]
    return {
        "width": WIDTH,
        "height": {"step": 34},
        "data": {"values": data},
        "encoding": {"y": y, "tooltip": tip},
        "layer": [
            {
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {"x": _share("low", title), "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"x": _share("x", title)},
            },
        ],
    }


def _share(field: str, title: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "axis": {"format": "~%", "tickCount": 6}}
