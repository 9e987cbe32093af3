"""A validation part, set aside by class, by group, or plainly; the same generator gives the same split."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import IntArray
from elman.errors import DataError, ParameterError


def split_by_class(labels: NDArray[Any], fraction: float, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Set aside the fraction of every class.

    Parameters
    ----------
    labels : array (N,)
        The class of each sequence.
    fraction : float in (0, 1)
        Of a class with n >= 2 sequences, ``round(fraction * n)`` are set aside, at least 1 and at most n - 1.
        The only sequence of a class stays in training.
    rng : numpy.random.Generator

    Returns
    -------
    training, validation : int64 arrays
        Sorted indices of sequences, together 0 .. N - 1.

    Raises
    ------
    DataError
        If every class has one sequence only.

    Examples
    --------
    >>> training, validation = split_by_class(np.array([0, 0, 0, 0, 1, 1]), 0.25, np.random.default_rng(0))
    >>> len(training), len(validation)
    (4, 2)
    """
    _check_fraction(fraction)
    chosen = [
        rng.permutation(members)[: _share(fraction, len(members))] for members in _members(labels) if len(members) >= 2
    ]
    if not chosen:
        raise DataError(
            f"A validation part needs a class with at least two sequences. Got {len(labels)} sequences, "
            "each of a class of its own; pass validation data, or train without."
        )
    return _parts(np.concatenate(chosen), len(labels))


def split_by_group(
    groups: NDArray[Any], labels: NDArray[Any], fraction: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Set aside whole groups, near the fraction of every class.

    Groups are visited in random order, and one is taken if that brings the share of each class nearer to the fraction
    (least squares over classes) and leaves every class in training. So both sides hold different groups, such as
    different people, and validation tells how a model does on new ones.

    Parameters
    ----------
    groups : array (N,)
        The group of each sequence.
    labels : array (N,)
        The class of each sequence.
    fraction : float in (0, 1)
    rng : numpy.random.Generator

    Returns
    -------
    training, validation : int64 arrays
        Sorted indices of sequences, together 0 .. N - 1.

    Raises
    ------
    DataError
        If there are fewer than two groups, or if without any one of them a class would vanish from training.
    """
    _check_fraction(fraction)
    if len(groups) != len(labels):
        raise DataError(f"'groups' must hold one group a label, {len(labels)}. Got {len(groups)} instead.")
    group_of, counts = _counted(groups, labels)
    n_groups = len(counts)
    if n_groups < 2:
        raise DataError(
            f"A split by group needs at least two groups. Got {n_groups}; split by class instead, without groups=...."
        )
    totals = counts.sum(axis=0)  # (C,)
    possible = _spared(counts)
    if len(possible) == 0:
        raise DataError(
            f"A split by group must leave every class in training. Got {n_groups} groups, each the only one with "
            "some class; split by class instead, without groups=...."
        )
    taken = _nearest_groups(counts, totals, rng.permutation(possible), fraction)
    return _parts(np.flatnonzero(np.isin(group_of, taken)), len(groups))


def can_split_by_group(groups: NDArray[Any], labels: NDArray[Any]) -> bool:
    """Tell whether a group, (N,), can be set aside so that every class, (N,), stays in training.

    >>> can_split_by_group(np.array(["ann", "bob"]), np.array([0, 0]))
    True
    >>> can_split_by_group(np.array(["ann", "bob"]), np.array([0, 1]))
    False
    """
    _, counts = _counted(groups, labels)
    return len(_spared(counts)) > 0


def _counted(groups: NDArray[Any], labels: NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Give the code of each sequence's group, (N,), and the sequences by group and class, (G, C)."""
    _, group_of = np.unique(groups, return_inverse=True)  # (N,) codes
    _, class_of = np.unique(labels, return_inverse=True)  # (N,) codes
    counts = np.zeros((_count(group_of), _count(class_of)), dtype=np.int64)
    np.add.at(counts, (group_of, class_of), 1)
    return group_of, counts


def _spared(counts: IntArray) -> IntArray:
    """Give the groups without which every class stays; none if there is one group only."""
    return np.flatnonzero((counts < counts.sum(axis=0)).all(axis=1))


def split_plain(n: int, fraction: float, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Set aside the fraction of n sequences, at least 1 and at most n - 1; returns as `split_by_class`."""
    _check_fraction(fraction)
    if n < 2:
        raise DataError(f"A validation part needs at least two sequences. Got {n}; pass validation data.")
    return _parts(rng.permutation(n)[: _share(fraction, n)], n)


def _nearest_groups(counts: IntArray, totals: IntArray, order: IntArray, fraction: float) -> list[int]:
    """Choose groups one by one while the share of each class comes nearer to the fraction; at least one."""

    def distance(share: NDArray[Any]) -> Any:
        return np.square(share - fraction).sum(axis=-1)

    shares = counts / totals  # (groups, C) part of each class that a group holds
    taken: list[int] = []
    share = np.zeros(len(totals))
    count = np.zeros(len(totals), dtype=np.int64)
    for group in order.tolist():
        leaves_every_class = bool((count + counts[group] < totals).all())
        if leaves_every_class and distance(share + shares[group]) < distance(share):
            taken.append(group)
            share = share + shares[group]
            count = count + counts[group]
    return taken or [int(order[np.argmin(distance(shares[order]))])]


def _members(labels: NDArray[Any]) -> list[IntArray]:
    """Give the indices of each class, classes in sorted order."""
    _, class_of, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.split(np.argsort(class_of, kind="stable"), np.cumsum(sizes)[:-1])


def _share(fraction: float, n: int) -> int:
    return min(max(math.floor(fraction * n + 0.5), 1), n - 1)


def _count(codes: IntArray) -> int:
    return int(codes.max()) + 1 if codes.size else 0


def _parts(chosen: IntArray, n: int) -> tuple[IntArray, IntArray]:
    is_validation = np.zeros(n, dtype=bool)
    is_validation[chosen] = True
    return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ParameterError(
            f"The 'fraction' of a split must be a float in the range (0, 1). Got {fraction!r} instead."
        )
