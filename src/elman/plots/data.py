"""What a data set is like: how long its sequences are, and how often each class occurs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from elman.data import Sequences
from elman.errors import ParameterError
from elman.plots.drawing import Look, Theme, alt, as_data, dressed, layered, short_names

_MOST_BINS = 40
_MOST_CLASSES = 24
_ROW = 22  # pixels of a class


def lengths(
    X: Sequences | ArrayLike, *, title: str | None = None, width: int = 560, theme: Theme | None = "light"
) -> alt.LayerChart:
    """Draw how many sequences there are of each length; the dashed line is the median.

    Parameters
    ----------
    X : Sequences, or their lengths (N,)
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("lengths")
    found = X.lengths if isinstance(X, Sequences) else _as_lengths(X)
    low, high = int(found.min()), int(found.max())
    step = -(-(high - low + 1) // _MOST_BINS)  # whole steps a bin
    edges = np.arange(low, high + step + 1, step)
    counts = np.histogram(found, edges)[0].tolist()
    data = [
        {"x": start - 0.5, "x2": start + step - 0.5, "count": n, "of": _span(start, start + step - 1)}
        for start, n in zip(edges.tolist(), counts)
    ]
    margin = 0.5 if low < high else 2.5  # one bar alone does not fill the chart
    x = alt.X("x:Q").bin("binned").title("steps").axis(format="d", tickMinStep=1)
    x = x.scale(domain=[low - margin, float(edges[-1]) - 1 + margin], nice=False, zero=False)
    y = alt.Y("count:Q").title("sequences").axis(format=",d", tickMinStep=1, tickCount=5)
    tooltip = [alt.Tooltip("of:N", title="steps"), alt.Tooltip("count:Q", title="sequences", format=",")]
    bars = alt.Chart(as_data(data)).mark_bar(binSpacing=1).encode(x=x, x2="x2:Q", y=y, tooltip=tooltip)
    half = alt.Chart(as_data([{"x": float(np.median(found))}])).mark_rule(style="guide").encode(x=alt.X("x:Q"))
    note = f"{len(found):,} sequence{'s' * (len(found) != 1)} of {_span(low, high)} steps, median {np.median(found):g}"
    return dressed(layered(bars, half, width=width, height=160), look, note)


def _as_lengths(X: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    found = np.asarray(X)
    if found.ndim != 1 or not len(found) or not np.issubdtype(found.dtype, np.integer) or found.min() < 1:
        raise ParameterError(
            "The 'X' parameter of lengths must be Sequences, or lengths, each an int in the range [1, inf). "
            f"Got {type(X).__name__} of shape {found.shape} instead."
        )
    return found.astype(np.int64)


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def classes(
    y: ArrayLike, *, title: str | None = None, width: int = 560, theme: Theme | None = "light"
) -> alt.LayerChart:
    """Draw how often each class occurs, the most frequent first; of more than 24, the others are put together.

    Parameters
    ----------
    y : labels (N,)
        None is no label.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("classes")
    labels = np.asarray(y)
    known = [label for label in labels.tolist() if label is not None] if labels.ndim == 1 else []
    if not known:
        raise ParameterError(
            f"The 'y' parameter of classes must be labels (N,), at least one. Got {type(y).__name__} of shape "
            f"{labels.shape} instead."
        )
    counts = sorted(Counter(known).items(), key=lambda item: (-item[1], str(item[0])))
    n_others = max(len(counts) - _MOST_CLASSES, 0)
    shown = counts[: len(counts) - n_others]
    names = short_names([label for label, _ in shown])
    data = [{"name": name, "count": n, "share": n / len(known)} for name, (_, n) in zip(names, shown)]
    if n_others:
        rest = sum(n for _, n in counts[-n_others:])
        names.append(short_names([*names, f"{n_others:,} others"])[-1])
        data.append({"name": names[-1], "count": rest, "share": rest / len(known)})
    axis = alt.Y("name:N").sort(names).title(None).axis(labelLimit=180)
    x = alt.X("count:Q").title(None).axis(None)
    tooltip = [
        alt.Tooltip("name:N", title="class"),
        alt.Tooltip("count:Q", format=","),
        alt.Tooltip("share:Q", format=".1%"),
    ]
    base = alt.Chart(as_data(data)).encode(y=axis, x=x, tooltip=tooltip)
    counted = base.mark_text(style="note", align="left", dx=5).encode(text=alt.Text("count:Q", format=","))
    return dressed(layered(base.mark_bar(height=14), counted, width=width, height=_ROW * len(names)), look)
