"""The shell of every page: one file that holds all it needs, fetches nothing, and is light or dark as the reader is."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from elman.extras import library
from elman.plots.colours import DARK, LIGHT, Colours

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_ACCENTS = {
    "light": {"accent": "#1d5f94", "good": "#1f7a4d", "bad": "#b3382c"},
    "dark": {"accent": "#82bbe6", "good": "#74c79b", "bad": "#f08f80"},
}
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@cache
def environment() -> Environment:
    """Give the templates of this package, every value of which is escaped.

    Raises
    ------
    MissingExtraError
        If Jinja2 is not installed.
    """
    jinja2 = library("jinja2", extra="report")
    made: Environment = jinja2.Environment(
        loader=jinja2.PackageLoader("elman.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["json"] = inline_json
    return made


def check_libraries() -> None:
    """Import what pages and charts need.

    Raises
    ------
    MissingExtraError
        If one of them is not installed.
    """
    for name in ("jinja2", "altair", "vl_convert"):
        library(name, extra="report")


def render(template: str, **values: Any) -> Markup:
    """Fill in a template of this package; give what it comes to as Markup, which other templates take as it is."""
    from markupsafe import Markup

    return Markup(environment().get_template(template).render(**values))


def inline_json(value: Any) -> Markup:
    """Give plain data as JSON that may stand inside a script element: no sign in it ends or opens one.

    >>> print(inline_json({"name": "</script>"}))
    {"name":"\\u003c/script\\u003e"}
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.encode("utf-8", "replace").decode().translate(_UNSAFE))


def render_page(
    title: str,
    body: Markup,
    *,
    scripts: Sequence[str] = (),
    charts: Mapping[str, Mapping[str, Any]] | None = None,
    navigation: Markup | str = "",
) -> str:
    """Give one self-contained HTML page.

    Parameters
    ----------
    title : str
        Of the window; ``body`` holds its own h1.
    body : Markup
        What stands in ``<main>``. An element ``<div class="chart" data-chart="KEY"></div>`` is where a chart is drawn.
    scripts : sequence of str
        JavaScript that runs once the page is there, after the charts' library. A script element without attributes in
        ``body`` runs likewise; handlers in attributes do not.
    charts : mapping from KEY to Vega-Lite specifications, optional
        Without ``config``: each is drawn with that of the light theme or the dark one. Only with charts does the page
        hold the library that draws them.
    navigation : Markup, optional
        Links to the parts of the page, which stand beside it where there is room.

    Returns
    -------
    str
        The same arguments give the same bytes. Colours are CSS variables, ``--ink``, ``--ink-soft``, ``--paper``,
        ``--surface``, ``--line``, ``--accent``, ``--good``, ``--bad`` and the categories ``--c0`` to ``--c7``; they
        follow ``data-theme`` of the root element, "light" or "dark", else the reader's system.

    Raises
    ------
    MissingExtraError
        If a library of the extra ``report`` is not installed.
    """
    drawn = {key: _without_dress(spec) for key, spec in (charts or {}).items()}
    library_of_charts, configs = _charts_library() if drawn else ("", {})
    ours = [text for text in (library_of_charts, _asset("page.js"), _asset("charts.js") * bool(drawn)) if text]
    running = [*ours, *scripts]
    allowed = [*running, *_SCRIPT.findall(str(body))]
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            body=body,
            navigation=navigation,
            style=_style(),
            policy=_policy(allowed),
            charts=drawn,
            configs=configs,
            scripts=[_as_script(text) for text in running],
        )
    )


def _charts_library() -> tuple[str, dict[str, Any]]:
    from elman.plots import theme

    return theme.script(), {"light": theme.config(dark=False), "dark": theme.config(dark=True)}


def _without_dress(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Give a specification without the colours of one theme and the address of a schema."""
    return {name: value for name, value in spec.items() if name not in ("$schema", "config", "usermeta")}


def _policy(scripts: Sequence[str]) -> str:
    """Give the Content-Security-Policy: the scripts that we know may run, and nothing may be fetched."""
    digests = (b64encode(sha256(_as_script(text).encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; connect-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


def _as_script(text: str) -> Markup:
    from markupsafe import Markup

    if "</script" in text.lower():
        raise ValueError("a script must not hold '</script'.")
    return Markup(text)


@cache
def _asset(name: str) -> str:
    return files("elman.report").joinpath("assets", name).read_text(encoding="utf-8")


def _style() -> Markup:
    from markupsafe import Markup

    light, dark = _variables(LIGHT, **_ACCENTS["light"]), _variables(DARK, **_ACCENTS["dark"])
    return Markup(
        f":root {{ color-scheme: light; {light} }}\n"
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ color-scheme: dark; {dark} }} }}\n'
        f"{_asset('page.css')}"
    )


def _variables(colours: Colours, **others: str) -> str:
    """Give the colours of a theme as declarations of CSS variables."""
    named = {
        "ink": colours.ink,
        "ink-soft": colours.ink_soft,
        "paper": colours.paper,
        "surface": colours.surface,
        "line": colours.line,
        **others,
        **{f"c{n}": colour for n, colour in enumerate(colours.categories)},
    }
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())
