"""Long lines and large heat maps made small, so that a chart stays below 100 KB however much it shows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 900  # in all lines of a chart together
MOST_CELLS = 1000  # of a heat map


def kept(values: NDArray[np.floating], most: int) -> NDArray[np.int64]:
    """Give the positions of at most ``most`` values that look like all: least and greatest of each of equal stretches.

    Parameters
    ----------
    values : array (n,)
        NaN is a gap; a stretch of nothing else keeps one.
    most : int >= 4

    Returns
    -------
    int64 array (at most ``most``,)
        Ascending; the first and the last are among them.

    >>> kept(np.array([0.0, 5.0, 1.0, 1.0, 1.0, -3.0, 1.0, 0.0]), 6).tolist()
    [0, 1, 4, 5, 7]
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, (most - 2) // 2 + 1).astype(np.int64)
    positions = {0, n - 1}
    for start, stop in pairwise(edges.tolist()):
        stretch = values[start:stop]
        if np.isnan(stretch).all():
            positions.add(start)
        else:
            positions |= {int(start + np.nanargmin(stretch)), int(start + np.nanargmax(stretch))}
    return np.array(sorted(positions))


def stretches(n: int, most: int) -> NDArray[np.int64]:
    """Give the edges of at most ``most`` stretches of nearly equal length that n places are cut into.

    >>> stretches(3, 10).tolist(), stretches(10, 4).tolist()
    ([0, 1, 2, 3], [0, 2, 5, 7, 10])
    """
    return np.linspace(0, n, min(n, most) + 1).astype(np.int64)


def pooled(values: NDArray[np.floating], edges: NDArray[np.int64], by: Callable[..., Any]) -> NDArray[np.float64]:
    """Give what is left of each row (R, T) when each stretch between edges is put together, by `np.nanmean` or such.

    A stretch of nothing but NaN stays NaN.

    >>> pooled(np.array([[1.0, 3.0, np.nan, np.nan]]), np.array([0, 2, 4]), np.nanmean).tolist()
    [[2.0, nan]]
    """
    found = np.full((len(values), len(edges) - 1), np.nan)
    for column, (start, stop) in enumerate(pairwise(edges.tolist())):
        part = values[:, start:stop]
        known = ~np.isnan(part).all(axis=1)
        found[known, column] = by(part[known], axis=1)
    return found
