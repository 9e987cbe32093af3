"""Calibration: probabilities that are as sure as they are right, by one temperature learned on the validation part."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from elman.caution import warn_user
from elman.errors import ParameterError
from elman.metadata import COLDEST, HOTTEST

Array = NDArray[np.float64]


def at_temperature(probabilities: Array, temperature: float) -> Array:
    """Give probabilities (N, C) at a temperature T: p^(1/T), each row divided by its sum.

    This is softmax(z / T) for p = softmax(z). T above 1 makes them less sure, T below 1 surer; which class is the most
    probable stays as it is.

    >>> at_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]

    Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks" (2017).
    """
    if temperature == 1:
        return probabilities
    scores = _logarithms(probabilities) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    scaled = np.asarray(powers / powers.sum(axis=1, keepdims=True))
    winners = probabilities.argmax(axis=1)
    tied = np.flatnonzero(scaled.argmax(axis=1) != winners)  # rounding made another one as large
    scaled[tied, winners[tied]] = np.nextafter(scaled[tied].max(axis=1), 2.0)
    return scaled


def fit_temperature(probabilities: Array, codes: NDArray[np.int64], weights: Array | None = None) -> float | None:
    """Give the temperature in [1/100, 100] with the least log loss, sum(w l) / sum(w).

    Parameters
    ----------
    probabilities : float64 array (N, C), finite
    codes : int64 array (N,)
        True classes; -1 is left out.
    weights : float64 array (N,), optional

    Returns
    -------
    float or None
        None where no labelled row of any weight gives its true class less than the largest probability: then the loss
        falls for as long as the temperature does, and there is nothing to learn.
    """
    counted = codes >= 0 if weights is None else (codes >= 0) & (weights > 0)
    scores, codes = _logarithms(probabilities[counted]), codes[counted]
    shares = np.ones(len(codes)) if weights is None else weights[counted] / weights[counted].max()
    scores -= scores.max(axis=1, keepdims=True)
    of_truth = scores[np.arange(len(codes)), codes]
    if not (of_truth < 0).any():
        return None

    def slope(log_temperature: float) -> float:
        """Give the derivative of the loss by 1/T, which rises with 1/T: the loss is convex in it."""
        powers = np.exp(scores * np.exp(-log_temperature))
        means = (powers * scores).sum(axis=1) / powers.sum(axis=1)
        return float(shares @ (means - of_truth))

    ends = np.log(COLDEST), np.log(HOTTEST)
    if slope(ends[0]) <= 0:
        return COLDEST
    if slope(ends[1]) >= 0:
        return HOTTEST
    found: Any = brentq(slope, *ends, xtol=1e-12, rtol=1e-12)
    return min(max(float(np.exp(found)), COLDEST), HOTTEST)  # rounding may go beyond


def learned_temperature(probabilities: Array, codes: NDArray[np.int64], weights: Array | None) -> float:
    """Give the temperature of a model by its probabilities of the validation part; 1, with a warning, where none fits.

    Of probabilities that are not finite nothing can be said either.
    """
    if not np.isfinite(probabilities).all():
        return 1.0
    temperature = fit_temperature(probabilities, codes, weights)
    if temperature is None:
        warn_user(
            f"Probabilities stay as they are: with all {(codes >= 0).sum():,} labels of the validation part predicted "
            "right, it cannot tell how sure to be. Pass more validation data to calibrate."
        )
        return 1.0
    return temperature


def nothing_to_calibrate_on(called: str, way_out: str = "") -> ParameterError:
    """Give the error where nothing is set aside for validation; ``called`` is what the parameter is called."""
    return ParameterError(
        f"{called} must be False where nothing is set aside for validation, since the temperature is fitted on it. "
        f"Got True instead{way_out}."
    )


def _logarithms(probabilities: Array) -> Array:
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)))
