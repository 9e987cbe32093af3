"""Whether a model is as sure as it is right: confidence against accuracy, in bins, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, ParameterError
from elman.insight.intervals import LEVEL, wilson

Array = NDArray[np.float64]

_FEWEST = 10  # cases a bin, for a share of fewer says nothing
_SIMULATIONS = 2_000
_DRAWN_APART = 1_000  # cases of which each is drawn by itself


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Cases sorted by the probability of the predicted class, and cut into B bins of about as many cases each.

    Parameters
    ----------
    confidence : float64 array (B,)
        The mean probability of the predicted class in each bin, rising.
    accuracy : float64 array (B,)
        The share predicted right.
    low, high : float64 arrays (B,)
        Wilson's 95 % interval of the accuracy. Of steps, which depend on each other, it is too narrow.
    counts : int64 array (B,)
        Cases in each bin.
    ece : float
        Expected calibration error: the mean of abs(accuracy - confidence) over all cases.
    ece_of_chance : float
        What the error of a model that is exactly as sure as it is right stays below in 95 % of such data; an ``ece``
        below it is no sign of bad calibration.
    """

    confidence: Array
    accuracy: Array
    low: Array
    high: Array
    counts: NDArray[np.int64]
    ece: float
    ece_of_chance: float

    @property
    def n(self) -> int:
        """How many cases there are."""
        return int(self.counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON can hold it."""
        arrays = {name: getattr(self, name).tolist() for name in ("confidence", "accuracy", "low", "high", "counts")}
        return {**arrays, "ece": self.ece, "ece_of_chance": self.ece_of_chance, "n": self.n}


def calibration_curve(proba: Array, codes: NDArray[np.int64], n_bins: int = 10) -> CalibrationCurve:
    """Compare how sure predictions are with how often they are right.

    Bins hold about as many cases each, since a good model is sure of nearly all: bins of equal width would leave most
    of them with a case or two, and all the rest in one. Cases of one confidence stay together, so that their order does
    not matter. The error is less biased so, too.

    Parameters
    ----------
    proba : float64 array (n, C)
    codes : int64 array (n,)
        True classes; what has the code -1, no label, is left out.
    n_bins : int >= 1
        At most so many, fewer where there are not ten cases for each.

    Raises
    ------
    ParameterError, DataError
        If ``n_bins`` is not positive, or nothing is labelled.

    Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks" (2017); for the bins Nixon et al.,
    "Measuring calibration in deep learning" (2019); for ``ece_of_chance`` the consistency bars of Broecker & Smith,
    "Increasing the reliability of reliability diagrams" (2007).

    Examples
    --------
    Always 90 % sure, right 7 times of 10:

    >>> curve = calibration_curve(np.array([[0.9, 0.1]] * 10), np.array([0] * 7 + [1] * 3))
    >>> curve.confidence.round(3).tolist(), curve.accuracy.tolist(), round(curve.ece, 3)
    ([0.9], [0.7], 0.2)
    """
    if n_bins < 1:
        raise ParameterError(
            f"The 'n_bins' parameter of calibration_curve must be an int in the range [1, inf). Got {n_bins} instead."
        )
    labelled = codes >= 0
    if not labelled.any():
        raise DataError(f"'codes' of calibration_curve must hold at least one label. Got {len(codes)} without.")
    proba, codes = proba[labelled], codes[labelled]
    sure = proba.max(axis=1)
    order = np.argsort(sure, kind="stable")
    sure, right = sure[order], (proba.argmax(axis=1) == codes)[order]
    starts = _starts(sure, min(n_bins, len(sure) // _FEWEST))
    counts = np.diff(np.append(starts, len(sure)))
    confidence = np.add.reduceat(sure, starts) / counts
    hits = np.add.reduceat(right.astype(np.int64), starts)
    low, high = wilson(hits, counts)
    return CalibrationCurve(
        confidence=confidence,
        accuracy=hits / counts,
        low=low,
        high=high,
        counts=counts,
        ece=float(_error(hits, counts, confidence)),
        ece_of_chance=_of_chance(sure, starts, counts),
    )


def _starts(sure: Array, n_bins: int) -> NDArray[np.int64]:
    """Give where bins begin among the sorted confidences; equal ones that would fill a bin have one of their own."""
    n_bins = max(n_bins, 1)
    wanted = sure[np.arange(1, n_bins) * len(sure) // n_bins]
    first, behind = np.searchsorted(sure, wanted), np.searchsorted(sure, wanted, side="right")
    ends = behind[(behind - first >= len(sure) // n_bins) & (behind < len(sure))]
    return np.unique(np.concatenate([[0], first, ends]))


def _error(hits: NDArray[np.int64], counts: NDArray[np.int64], confidence: Array) -> Array:
    """Give the calibration error of hits (..., B)."""
    return np.asarray(np.abs(hits - counts * confidence).sum(axis=-1) / counts.sum())


def _of_chance(sure: Array, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """Give what the error stays below in 95 % of draws in which each case is right as often as it is sure.

    Of more than a thousand, neighbours in the order of confidence are drawn together, as often right as their mean.
    """
    spaced = np.arange(0, len(sure), -(-len(sure) // _DRAWN_APART))
    groups = np.union1d(starts, spaced)
    sizes = np.diff(np.append(groups, len(sure)))
    drawn = np.random.default_rng(0).binomial(
        sizes, np.minimum(np.add.reduceat(sure, groups) / sizes, 1.0), size=(_SIMULATIONS, len(groups))
    )
    hits = np.add.reduceat(drawn, np.searchsorted(groups, starts), axis=1)
    return float(np.quantile(_error(hits, counts, np.add.reduceat(sure, starts) / counts), LEVEL))
