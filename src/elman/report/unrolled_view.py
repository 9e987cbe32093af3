"""The unrolled view: a network drawn step by step, left to right, to be pointed at; a part of any page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from elman.insight.unrolled import Unrolled
from elman.report.blocks import shown
from elman.report.page import inline_json, render
from elman.report.unrolled_data import page_data

if TYPE_CHECKING:
    from markupsafe import Markup

_LONGEST_TITLE = 200  # characters
MOST_BYTES = 400_000  # of numbers in the page
_SIZES = (
    (48, 24),
    (40, 16),
    (32, 12),
    (24, 8),
    (16, 6),
    (12, 4),
    (6, 2),
)  # steps, and units and inputs, that are drawn


def unrolled_view(unrolled: Unrolled, *, is_alone: bool = False) -> Markup:
    """Give the unrolled network as a fragment of HTML, with its own data, style and script.

    Long sequences are drawn without their middle and wide layers by their most active units, as far as it takes to stay
    under 600 KB, and the fragment says so.

    Parameters
    ----------
    unrolled : Unrolled
    is_alone : bool
        Whether nothing but the page's h1 stands above it; else it is part of a section.

    Returns
    -------
    Markup
        For ``body`` of `elman.report.page.render_page`.

    Raises
    ------
    MissingExtraError
        If Jinja2 is not installed.
    """
    data = _fitting(unrolled)
    return render(
        "unrolled.html",
        data=data,
        notes=_notes(data),
        suffix=_suffix,
        is_alone=is_alone,
        style=_asset("unrolled.css"),
        script=_script(),
    )


def unrolled_page(unrolled: Unrolled) -> str:
    """Give the unrolled network as a page of its own."""
    from elman.report.page import render_page

    title = shown(f"Unrolled: {unrolled.title}", _LONGEST_TITLE)
    return render_page(title, render("unrolled_page.html", view=unrolled_view(unrolled, is_alone=True)))


def _fitting(unrolled: Unrolled) -> dict[str, Any]:
    """Give the data of the page with as many steps and units as it has room for."""
    for n_steps, n_units in _SIZES:
        data = page_data(unrolled, n_steps, n_units)
        if len(inline_json(data).encode()) <= MOST_BYTES:
            break
    return data


def _notes(data: dict[str, Any]) -> list[str]:
    """Say what is left out, a sentence each."""
    notes = [data["remark"]] if data["remark"] else []
    if len(data["steps"]) < data["n_steps"]:
        notes.append(f"{len(data['steps'])} of {data['n_steps']:,} steps are drawn: the first ones, and the last.")
    n_units, n_drawn = max((passage["n_units"], len(passage["units"])) for passage in data["passages"])
    if n_drawn < n_units:
        notes.append(f"Of {n_units:,} units the {n_drawn} most active ones are drawn; norms are over all of them.")
    if len(data["inputs"]["names"]) < data["inputs"]["n"]:
        notes.append(f"Of {data['inputs']['n']:,} features the {len(data['inputs']['names'])} largest ones are drawn.")
    if len(data["passages"]) < data["n_passages"]:
        notes.append(f"Of {data['n_passages']} layers and directions the last {len(data['passages'])} are drawn.")
    return notes


def _suffix(passage: dict[str, Any]) -> str:
    """Tell which layer and direction a column of the table is of."""
    return f", layer {passage['layer'] + 1}{', reverse' if passage['is_reverse'] else ''}"


def _script() -> Markup:
    from markupsafe import Markup

    parts = [_asset(name) for name in ("unrolled_drawing.js", "unrolled_panel.js", "unrolled.js")]
    return Markup('(() => {{\n"use strict";\n{}}})();').format(Markup("\n").join(parts))


@cache
def _asset(name: str) -> Markup:
    from markupsafe import Markup

    return Markup(files("elman.report").joinpath("assets", name).read_text(encoding="utf-8"))
