"""How predictions compare with the truth: which classes are confused, and how sure they are when they are right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import DataError
from elman.estimators.evaluation import Evaluation
from elman.estimators.labels import as_labels
from elman.insight.calibration_curve import CalibrationCurve
from elman.plots.drawing import Look, Theme, alt, as_data, as_number, check_type, dressed, layered, percent, short_names

_MOST_CLASSES = 24
_STRONG = 0.3  # share from which a cell is nearer to the strong end of its colours
_WITH_COUNTS = 16  # classes, up to which each cell has its count


def confusion(
    evaluation: Evaluation | ArrayLike,
    predicted: ArrayLike | None = None,
    *,
    title: str | None = None,
    width: int = 420,
    theme: Theme | None = "light",
) -> alt.LayerChart:
    """Draw the confusion matrix: a row a true class, a column a predicted one.

    ``confusion(evaluate(classifier, X, y))``, or as in scikit-learn ``confusion(y_true, y_pred)``.

    The colour is the share of the row, so that rare classes are seen as well as frequent ones; the figure is the count.
    Of more than 24 classes, those that take most part in confusions are shown.

    Parameters
    ----------
    evaluation : Evaluation, or labels (N,)
        As `elman.estimators.evaluation.evaluate(classifier, X, y)` gives it; or the true labels.
    predicted : labels (N,), optional
        With the true ones.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, DataError, MissingExtraError
    """
    look = Look(title, width, theme).checked("confusion")
    if predicted is None:
        described = "an Evaluation, such as evaluate(model, X, y) gives, or the true labels with the predicted ones"
        check_type(evaluation, Evaluation, "evaluation", "confusion", described)
        matrix, classes = evaluation.confusion_matrix, evaluation.classes  # type: ignore[union-attr]
    else:
        matrix, classes = _counted(evaluation, predicted)
    shown = _most_confused(matrix)
    names = short_names([classes[c] for c in shown.tolist()], longest=16)
    data = _cells(matrix, shown, names)
    size = max(width, 10 * len(shown))
    x = alt.X("column:N").sort(names).title("predicted").axis(labelAngle=0 if _fit(names, size) else -45)
    y = alt.Y("row:N").sort(names).title("true").axis(labelLimit=140)
    shade = alt.Color("share:Q").title("share of the true class").scale(type="sqrt", domain=[0, 1], interpolate="rgb")
    shade = shade.legend(orient="top", format=".0%", values=[0, 0.1, 0.5, 1])
    tooltip = [
        alt.Tooltip("row:N", title="true"),
        alt.Tooltip("column:N", title="predicted"),
        alt.Tooltip("count:Q", format=","),
        alt.Tooltip("share:Q", title="share of the true class", format=".1%"),
    ]
    base = alt.Chart(as_data(data)).encode(x=x, y=y, tooltip=tooltip)
    layers = [base.mark_rect(style="cell").encode(color=shade)]
    if len(shown) <= _WITH_COUNTS:
        counted = base.transform_filter("datum.count > 0").encode(text=alt.Text("count:Q", format=",d"))
        layers.append(counted.transform_filter(f"datum.share <= {_STRONG}").mark_text(style="on-faint"))
        layers.append(counted.transform_filter(f"datum.share > {_STRONG}").mark_text(style="on-strong"))
    n_cells = len(shown)
    height = min(size, max(n_cells * 34, 60)) if n_cells <= _WITH_COUNTS else size
    return dressed(layered(*layers, width=size, height=height), look, _left_out(matrix, shown))


def _counted(true: Any, predicted: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Give how often each class was predicted as each, (C, C), and the classes (C,)."""
    labels = [as_labels(true, "the true labels"), as_labels(predicted, "the predicted labels")]
    if len(labels[0]) != len(labels[1]) or not len(labels[0]):
        raise DataError(
            f"There must be a predicted label for each true one, and one at least. Got {len(labels[0]):,} true and "
            f"{len(labels[1]):,} predicted labels."
        )
    kinds = {each.dtype.kind for each in labels}
    if len(kinds) > 1:
        raise DataError(
            f"True and predicted labels must be of one type. Got {labels[0].dtype} and {labels[1].dtype} instead."
        )
    classes, codes = np.unique(np.concatenate(labels), return_inverse=True)
    matrix = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(matrix, tuple(codes.reshape(2, -1)), 1)
    return matrix, classes


def _fit(names: list[str], width: int) -> bool:
    return 7 * max(map(len, names)) <= width / len(names)


def _most_confused(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the classes, in their order, that are most often taken for others or others for them."""
    if len(matrix) <= _MOST_CLASSES:
        return np.arange(len(matrix))
    wrong = matrix - np.diag(matrix.diagonal())
    most = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
    return np.sort(most[:_MOST_CLASSES])


def _left_out(matrix: NDArray[np.int64], shown: NDArray[np.int64]) -> str:
    if len(shown) == len(matrix):
        return ""
    n_wrong = int(matrix.sum() - matrix.trace())
    part = matrix[np.ix_(shown, shown)]
    n_seen = int(part.sum() - part.trace())
    return f"The {len(shown)} of {len(matrix):,} classes most often confused: {n_seen:,} of {n_wrong:,} mistakes"


def _cells(matrix: NDArray[np.int64], shown: NDArray[np.int64], names: list[str]) -> list[dict[str, Any]]:
    totals = matrix.sum(axis=1)
    return [
        {
            "row": names[i],
            "column": names[j],
            "count": int(matrix[row, column]),
            "share": as_number(matrix[row, column] / max(totals[row], 1)),
        }
        for i, row in enumerate(shown.tolist())
        for j, column in enumerate(shown.tolist())
    ]


def calibration(
    curve: CalibrationCurve, *, title: str | None = None, width: int = 360, theme: Theme | None = "light"
) -> alt.LayerChart:
    """Draw how often predictions are right against how sure they are, with 95 % intervals.

    On the dashed diagonal a model is as sure as it is right; below it, surer. Bins hold about as many cases each, so
    the points stand close where the cases do; the area of a point tells its cases.

    Parameters
    ----------
    curve : CalibrationCurve
        As `elman.insight.calibration_curve.calibration_curve(proba, codes)` gives it.
    title, width, theme
        See `elman.plots`.

    Raises
    ------
    ParameterError, MissingExtraError
    """
    look = Look(title, width, theme).checked("calibration")
    described = "a CalibrationCurve, such as calibration_curve(proba, codes) gives"
    check_type(curve, CalibrationCurve, "curve", "calibration", described)
    fields = {"x": curve.confidence, "y": curve.accuracy, "low": curve.low, "high": curve.high}
    data: list[dict[str, Any]] = [
        {"count": n} | {name: as_number(values[b]) for name, values in fields.items()}
        for b, n in enumerate(curve.counts.tolist())
    ]
    least = min([*curve.confidence.tolist(), *curve.low.tolist()])
    start = min(float(np.floor(10 * least) / 10), 0.8)
    scale: dict[str, Any] = {"domain": [start, 1], "nice": False, "zero": False}
    x = alt.X("x:Q").title("confidence, the probability of the predicted class").scale(**scale)
    y = alt.Y("y:Q").title("accuracy, the share predicted right").scale(**scale).axis(format=".0%", tickCount=6)
    x = x.axis(format=".0%", tickCount=6)
    tooltip = [
        alt.Tooltip("x:Q", title="confidence", format=".1%"),
        alt.Tooltip("y:Q", title="accuracy", format=".1%"),
        alt.Tooltip("low:Q", title="from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
        alt.Tooltip("count:Q", title="cases", format=","),
    ]
    ends = [{"x": start, "y": start}, {"x": 1.0, "y": 1.0}]
    even = alt.Chart(as_data(ends)).mark_line(style="guide").encode(x=x, y=y)
    base = alt.Chart(as_data(data)).encode(x=x, tooltip=tooltip)
    spread = base.mark_rule(style="interval").encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line().encode(y=y)
    area = alt.Size("count:Q").scale(domain=[0, max(curve.counts.tolist())], range=[20, 110]).legend(None)
    points = base.mark_point(style="dot").encode(y=y, size=area)
    note = f"Off by {percent(curve.ece)} on average; by chance alone up to {percent(curve.ece_of_chance)}"
    return dressed(layered(even, spread, line, points, width=width, height=width), look, note)
