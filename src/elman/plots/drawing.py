"""What the charts share: Altair itself, their size and title, short names for what the user named, numbers in short.

Fields of a chart's data have names of ours (x, y, series, ...). What the user named stands in values, titles and
orders only: in a field's name, a dot, bracket or quote would be taken for a path.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from elman.errors import ParameterError
from elman.plots.theme import Theme, config

if TYPE_CHECKING:
    import altair as alt
else:
    from elman.extras import LateLibrary

    alt = LateLibrary("altair", extra="report")

__all__ = [
    "Look",
    "Theme",
    "alt",
    "as_data",
    "as_number",
    "check_type",
    "dressed",
    "layered",
    "percent",
    "short_names",
    "whole_numbers",
]

AnyChart = TypeVar("AnyChart", "alt.Chart", "alt.LayerChart", "alt.VConcatChart")

_LONGEST_NAME = 24  # characters of a name that are shown
_FEW = 12  # numbers of an axis
_DIGITS = 5  # that are significant in a chart's data: a tooltip shows four


@dataclass(frozen=True)
class Look:
    """How a chart is to look: what every function of `elman.plots` takes beside its data.

    Parameters
    ----------
    title : str or None
    width : int >= 100
        Of the plotting area, in pixels. Of several areas, which stand one above another, all have it.
    theme : 'light', 'dark' or None
        None: without configuration, to be joined with other charts, or to take that of the page.
    """

    title: str | None = None
    width: int = 560
    theme: Theme | None = "light"

    def checked(self, caller: str) -> Look:
        """Give this look, if it is one.

        Raises
        ------
        ParameterError
        """
        check_type(self.title, str | None, "title", caller, "a str or None")
        is_width = isinstance(self.width, int) and not isinstance(self.width, bool) and self.width >= 100
        if not is_width:
            raise ParameterError(
                f"The 'width' parameter of {caller} must be an int in the range [100, inf). Got {self.width!r} instead."
            )
        if self.theme not in ("light", "dark", None):
            raise ParameterError(
                f"The 'theme' parameter of {caller} must be 'light', 'dark' or None. Got {self.theme!r} instead."
            )
        return self


def check_type(value: object, expected: Any, name: str, caller: str, described: str) -> None:
    """Raise a ParameterError that says what is expected, unless the value is of that type."""
    if not isinstance(value, expected):
        raise ParameterError(
            f"The '{name}' parameter of {caller} must be {described}. Got {type(value).__name__} instead."
        )


def dressed(chart: AnyChart, look: Look, note: str = "") -> AnyChart:
    """Give a chart its title, with a note below it, and its theme."""
    title, subtitle = (look.title, note) if look.title else (note, "")
    if title:
        params = alt.TitleParams(title, subtitle=subtitle) if subtitle else alt.TitleParams(title)
        if not look.title:
            params.style = "note"
        chart = chart.properties(title=params, description=". ".join(filter(None, [title, subtitle])))
    return chart if look.theme is None else chart.configure(**config(look.theme == "dark"))


def layered(*layers: alt.Chart, width: int, height: int) -> alt.LayerChart:
    """Lay charts one upon another, the first at the bottom."""
    return alt.LayerChart(layer=list(layers), width=width, height=height)


def whole_numbers(first: int, last: int, **options: Any) -> alt.Axis:
    """Give an axis of steps or epochs: where there are few a tick at each, for one between would read as another."""
    if last - first <= _FEW:
        options["values"] = list(range(first, last + 1))
    return alt.Axis(format="d", tickMinStep=1, **options)


def as_data(records: Iterable[dict[str, Any]]) -> alt.InlineData:
    """Give records as a chart's own data; inline, so that no limit or transformer of Altair's comes in."""
    return alt.InlineData(values=list(records))


def as_number(value: Any) -> float | None:
    """Give a number in five digits; None for None and what is not finite.

    >>> as_number(0.123456789), as_number(float("nan")), as_number(None), as_number(3)
    (0.12346, None, None, 3.0)
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.{_DIGITS}g}")


def percent(share: float) -> str:
    """Give a share as axes and tooltips write it, with a space that no line is broken at.

    >>> percent(0.875)
    '87.5\xa0%'
    """
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _seen(name: str) -> str:
    """Give a name with what has no shape, such as a sign that turns the direction of writing, as escapes."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode() for sign in name)


def short_names(names: Sequence[object], longest: int = _LONGEST_NAME) -> list[str]:
    """Give names that a chart can show: on one line, cut to a length, and told apart where they are then alike.

    >>> short_names(["walk", "a long\\nname", "", "walk"], longest=6)
    ['walk', 'a lon…', "''", 'walk (2)']
    """
    taken: set[str] = set()
    short: list[str] = []
    for name in names:
        plain = " ".join(str(name).split()) or "''"
        cut = _seen(plain if len(plain) <= longest else f"{plain[: longest - 1]}…")
        again = 2
        label = cut
        while label in taken:
            label = f"{cut} ({again})"
            again += 1
        taken.add(label)
        short.append(label)
    return short
