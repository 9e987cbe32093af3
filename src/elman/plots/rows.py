"""A row a feature: names beside rows that hold lines and cells, each row on a scale of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.plots.drawing import alt, as_number, short_names
from elman.plots.thinning import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.floating]

_MARGIN = 0.14  # of a row, above and below its line


def row_axis(names: Sequence[object], field: str = "y") -> alt.Y:
    """Give the axis of rows, the first at the top: row i is from i to i + 1, its name at the middle.

    Rows are places on a scale of numbers, for cells and lines to lie on one another. Names come in by an expression, as
    strings of JSON, which no name can leave.
    """
    labels = json.dumps(short_names(names))
    axis = alt.Axis(
        values=[row + 0.5 for row in range(len(names))],
        labelExpr=f"{labels}[floor(datum.value)]",
        labelLimit=180,
        labelOverlap=False,
        grid=False,
    )
    return alt.Y(f"{field}:Q").title(None).axis(axis).scale(domain=[0, len(names)], nice=False, reverse=True)


def named_rows(chart: alt.Chart, names: Sequence[object]) -> alt.Chart:
    """Give a chart whose data have a ``row`` the name of the row as ``name``, for tooltips."""
    return chart.transform_calculate(name=f"{json.dumps(short_names(names))}[datum.row]")


def lines_in_rows(values: Array, most: int) -> list[dict[str, Any]]:
    """Give the points of a line a column of values (T, F), each between the least and the greatest of its own row.

    Steps count from 1. A missing value is a gap.
    """
    share = max(most // max(values.shape[1], 1), 8)
    return [
        {"x": int(t) + 1, "y": as_number(y[t]), "row": row, "value": as_number(column[t])}
        for row, column in enumerate(values.T)
        for y in [row + _height(column)]
        for t in kept(column, share)
    ]


def _height(column: Array) -> Array:
    """Give where in a row each value stands: from near 0, the top, for the greatest to near 1 for the least."""
    if np.isnan(column).all():
        return column
    low, high = np.nanmin(column), np.nanmax(column)
    if low == high:
        return np.where(np.isnan(column), np.nan, 0.5)
    rising = (column - low) / (high - low)
    height: Array = 1 - _MARGIN - (1 - 2 * _MARGIN) * rising
    return height
