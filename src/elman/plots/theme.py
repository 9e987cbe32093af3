"""How charts look, on light and on dark paper, and the JavaScript that draws them in a page.

A calm, typographic theme: no frames, faint lines only where an eye has to follow them, few colours. Marks that are not
data (rules, notes, figures in a heat map) get their colour by the name of a style, so that one chart does on both
papers: a page puts another `config` into the same specification.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from elman.extras import library
from elman.plots.colours import Colours, colours

if TYPE_CHECKING:
    import altair as alt

Theme: TypeAlias = Literal["light", "dark"]

FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

_NUMBERS = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "percent": "\N{NO-BREAK SPACE}%"}


def config(dark: bool = False) -> dict[str, Any]:
    """Give the configuration of Vega-Lite for light or dark paper.

    The background is that of the paper; on a page that has its own, add ``{"background": "transparent"}``.

    >>> config()["background"], config(dark=True)["background"]
    ('#fdfcfa', '#15171b')
    """
    c = colours(dark)
    return {
        "background": c.paper,
        "font": FONT,
        "locale": {"number": _NUMBERS},
        "padding": 6,
        "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 240},
        "axis": _axis(c),
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "axisQuantitative": {"labelFlush": False},
        "legend": _legend(c),
        "title": _title(c),
        "header": {"labelColor": c.ink, "titleColor": c.ink, "labelFontSize": 12, "titleFontSize": 12},
        "range": {
            "category": list(c.categories),
            "ordinal": list(c.sequential),
            "ramp": list(c.sequential),
            "heatmap": list(c.sequential),
            "diverging": list(c.diverging),
        },
        "mark": {"color": c.categories[0], "tooltip": {"content": "encoding"}},
        "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
        "area": {"line": False},
        "bar": {"color": c.categories[0]},
        "text": {"color": c.ink, "fontSize": 11},
        "style": _styles(c),
    }


def _axis(c: Colours) -> dict[str, Any]:
    return {
        "domainColor": c.line,
        "tickColor": c.line,
        "gridColor": c.grid,
        "labelColor": c.ink_soft,
        "titleColor": c.ink,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 5,
        "tickSize": 4,
    }


def _legend(c: Colours) -> dict[str, Any]:
    return {
        "labelColor": c.ink,
        "titleColor": c.ink_soft,
        "labelFontSize": 12,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "symbolStrokeWidth": 2.5,
        "gradientThickness": 8,
        "gradientStrokeWidth": 0,
        "gradientLength": 140,
        "titleOrient": "left",
        "offset": 10,
        "symbolType": "stroke",
    }


def _title(c: Colours) -> dict[str, Any]:
    return {
        "anchor": "start",
        "frame": "group",
        "color": c.ink,
        "fontSize": 14,
        "fontWeight": 600,
        "subtitleColor": c.ink_soft,
        "subtitleFontSize": 12,
        "subtitlePadding": 5,
        "offset": 12,
    }


def _styles(c: Colours) -> dict[str, dict[str, Any]]:
    return {
        "note": {"color": c.ink_soft, "fill": c.ink_soft, "fontSize": 12, "fontWeight": "normal"},
        "guide": {"color": c.ink_soft, "strokeWidth": 1, "strokeDash": [3, 3]},
        "interval": {"color": c.interval, "strokeWidth": 2},
        "reach": {"color": c.categories[1], "strokeWidth": 2},
        "trace": {"color": c.ink, "strokeWidth": 1.2, "opacity": 0.7},
        "ring": {"size": 60, "strokeWidth": 2, "filled": False, "fill": c.paper, "opacity": 1},
        "dot": {"size": 70, "filled": True, "opacity": 1},
        "band": {"opacity": 0.18, "line": False},
        "cell": {"stroke": c.paper, "strokeWidth": 1},
        "on-faint": {"color": c.ink},
        "on-strong": {"color": c.on_strong},
    }


def specification(chart: alt.TopLevelMixin, theme: Theme | None = None) -> dict[str, Any]:
    """Give a chart as a specification of Vega-Lite, in a theme whatever it was made in; None: without, for a page's."""
    found: dict[str, Any] = chart.to_dict()
    found.pop("config", None)
    return found if theme is None else found | {"config": config(theme == "dark")}


@cache
def script() -> str:
    """Give the JavaScript that draws charts in a page: Vega, Vega-Lite and Vega-Embed, 0.9 MB, as one classic script.

    It defines ``vegaEmbed`` and nothing else, and asks for nothing on the web. A page whose security policy forbids
    ``eval`` passes ``{ast: true}``, with which Vega's expressions are interpreted.

    Raises
    ------
    MissingExtraError
        If vl-convert-python or Altair is not installed.
    """
    convert = library("vl_convert", extra="report")
    wanted = library("altair", extra="report").SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]  # '6.1' of 'v6.1.0'
    version = wanted if wanted in convert.get_vegalite_versions() else None
    bundle: str = convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)
    return f"(() => {{{bundle}}})();"
