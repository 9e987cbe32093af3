"""How far shares on n cases can be trusted: Wilson's interval, and intervals for precision, recall and F1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from elman.errors import ParameterError
from elman.estimators.evaluation import Evaluation

Array = NDArray[np.float64]

LEVEL = 0.95


def wilson(k: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Array, Array]:
    """Give the interval of a share that was k of n: the shares p for which k is no surprise by the normal test.

    (p - k/n)^2 <= z^2 p (1 - p) / n, solved for p. It stays within [0, 1], has a width where k is 0 or n, and is all of
    [0, 1] where n is 0. The n cases must be independent of each other, which the steps of one sequence are not.

    Parameters
    ----------
    k, n : counts, numbers or arrays that broadcast
    level : float in (0, 1)

    Returns
    -------
    low, high : float64 arrays of their shape

    Raises
    ------
    ParameterError
        If k is not between 0 and n.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927); recommended by Brown,
    Cai & DasGupta, "Interval estimation for a binomial proportion" (2001).

    >>> low, high = wilson(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    hits, cases = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    wrong = ~((hits >= 0) & (hits <= cases))
    if wrong.any():
        raise ParameterError(
            f"The 'k' parameter of wilson must be a count from 0 to n, {cases[wrong][0]:g}. "
            f"Got {hits[wrong][0]:g} instead."
        )
    z = float(ndtri(0.5 + level / 2))
    centre = (hits + z**2 / 2) / (cases + z**2)
    spread = hits * (cases - hits) / np.maximum(cases, 1.0)
    half = z * np.sqrt(spread + z**2 / 4) / (cases + z**2)
    low = np.where(hits == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(hits == cases, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def f1_interval(hits: ArrayLike, misses: ArrayLike, level: float = LEVEL) -> tuple[Array, Array]:
    """Give the interval of F1 = 2 J / (1 + J), with J the share of ``hits`` in hits and ``misses``.

    Of all cases that are of a class or were said to be, J are both: a share, whose interval F1, which rises with J,
    takes over. Misses are those of the class that were not found, and those said that are of another.

    Source: the "Wilson indirect" method of Lam, Gopal & Qian, "Confidence intervals for the F1 score" (2023).

    >>> [round(float(bound), 3) for bound in f1_interval(8, 4)]
    [0.562, 0.926]
    """
    low, high = wilson(hits, np.add(hits, misses), level)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def paired_interval(only_this: float, only_other: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Give the interval of the difference of two accuracies on the same n independent cases.

    Cases that both have right, or wrong, cancel; the others are counted with one more on each side, so that the
    interval has a width even where no case tells the two apart.

    Parameters
    ----------
    only_this, only_other : float
        How many cases the one alone has right, and the other alone; where a case is a whole sequence, its shares.

    Source: Bonett & Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data" (2012).

    >>> [round(bound, 3) for bound in paired_interval(12, 3, 100)]
    [0.011, 0.166]
    """
    gain, loss, cases = only_this + 1, only_other + 1, n + 2
    difference = (gain - loss) / cases
    half = float(ndtri(0.5 + level / 2)) * float(np.sqrt(((gain + loss) / cases - difference**2) / cases))
    return max(difference - half, -1.0), min(difference + half, 1.0)


def per_class(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Give precision, recall and F1 of each class with their 95 % intervals, by the confusion matrix.

    The intervals take the cases as independent. Where each step of a sequence is a case, they are too narrow.

    Returns
    -------
    list of C dicts
        ``class``; ``n``, how many are of it, and ``n_predicted``, how many were said to be; ``precision``, ``recall``,
        ``f1``, each a float, or None where there is nothing to divide by; ``precision_interval``, ``recall_interval``,
        ``f1_interval``, each a list of two floats, [0, 1] where nothing is known. All of it as JSON can hold it.

    >>> evaluation = Evaluation(0.8, 0.8, 0.8, 0.5, np.array([[9, 1], [3, 7]]), np.array(["a", "b"]), {}, 20)
    >>> a, b = per_class(evaluation)
    >>> a["class"], a["n"], a["n_predicted"], a["precision"], [round(bound, 2) for bound in a["precision_interval"]]
    ('a', 10, 12, 0.75, [0.47, 0.91])
    """
    matrix = evaluation.confusion_matrix
    hits, n, n_predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    either = n + n_predicted - hits  # are of the class, or were said to be
    figures = {
        "precision": (_share(hits, n_predicted), wilson(hits, n_predicted)),
        "recall": (_share(hits, n), wilson(hits, n)),
        "f1": (_share(2 * hits, n + n_predicted), f1_interval(hits, either - hits)),
    }
    rows: list[dict[str, Any]] = []
    for code, name in enumerate(evaluation.classes.tolist()):
        row: dict[str, Any] = {"class": name, "n": int(n[code]), "n_predicted": int(n_predicted[code])}
        for figure, (shares, (low, high)) in figures.items():
            row[figure] = shares[code]
            row[f"{figure}_interval"] = [float(low[code]), float(high[code])]
        rows.append(row)
    return rows


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> list[float | None]:
    return [k / n if n else None for k, n in zip(part.tolist(), whole.tolist())]
