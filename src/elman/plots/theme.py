"""The colours and type of charts, light and dark, and the library that draws them in a page."""

from __future__ import annotations

from functools import cache
from typing import Any

from elman.extras import library

_FONT = '-apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif'


def config(dark: bool) -> dict[str, Any]:
    """Give the Vega-Lite config of a theme."""
    ink, soft, line = ("#e8e6e1", "#a5a7ae", "#343840") if dark else ("#1c1d20", "#5d6068", "#dfdcd4")
    light_colours = ["#2a6fa8", "#c9671c", "#2f8560", "#8a55a8", "#b23a48", "#7a6a2f", "#1f8a99", "#6b6f78"]
    dark_colours = ["#6fb1e4", "#eda05c", "#72c39c", "#c39ade", "#ee8b96", "#cdbb6c", "#63c5d3", "#a5a7ae"]
    return {
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {"labelColor": soft, "titleColor": soft, "gridColor": line, "domainColor": line, "tickColor": line},
        "legend": {"labelColor": soft, "titleColor": soft},
        "title": {"color": ink},
        "range": {"category": dark_colours if dark else light_colours},
    }


@cache
def script() -> str:
    """Give the JavaScript that draws charts: Vega, Vega-Lite and Vega-Embed in one."""
    bundle: str = library("vl_convert", extra="report").javascript_bundle()
    return bundle
