"""The names that a categorical feature takes in training, and the number of each."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.sequences import Sequences
from elman.errors import DataError

MOST_ONE_HOT = 8
"""Up to so many names a feature becomes a column a name; with more, it is embedded."""

MOST_NAMES = 2**20
LONGEST_NAME = 10_000  # characters; a model file holds no longer ones

_RUN = 1 << 20  # numbers looked at together
_WIDEST = 32  # up to here the engine takes the product with the input along with the recurrent one


@dataclass(frozen=True)
class Vocabulary:
    """The known names of a categorical feature, the most frequent first, then by name.

    The id of a name is its place in ``names``, counted from 1. Id 0 stands for what is unknown: names that did not
    occur in training, and missing values.

    Parameters
    ----------
    feature : int
        Which feature of the raw data it is of.
    names : tuple of str
    embedding_size : int or None
        Of the vector that each id has; None: the feature becomes one column a name, 1 where it is that name.
    is_coded : bool
        Whether the feature was given as numbers, to be taken for names.

    Examples
    --------
    >>> from elman.data import as_sequences
    >>> vocabulary = Vocabulary.fit(as_sequences(["abba", "ca"]), 0)
    >>> vocabulary.names
    ('a', 'b', 'c')
    >>> vocabulary.ids(as_sequences(["a?c"])).tolist()
    [1, 0, 3]
    """

    feature: int
    names: tuple[str, ...]
    embedding_size: int | None = None
    is_coded: bool = False

    @classmethod
    def fit(
        cls,
        sequences: Sequences,
        feature: int,
        *,
        embedding_size: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> Vocabulary:
        """Learn the names of one feature of the training part.

        Up to 8 names become a column each. With more, or where it is the only feature, as tokens are, the feature is
        embedded in vectors of ``embedding_size``, or of `default_size`.

        Parameters
        ----------
        weights : float64 array (S,), optional
            Of the steps; a name that occurs with weight 0 only is not known.

        Raises
        ------
        DataError
            If there are more than 1,048,576 names, or one is too long for a model file.
        """
        codes, names = named(sequences, feature)
        seen = codes >= 0
        chosen = None if weights is None else weights[seen]
        totals: Counter[str] = Counter()
        for name, total in zip(names, np.bincount(codes[seen], chosen, minlength=len(names)).tolist()):
            if total > 0:
                totals[name] += total
        known = tuple(sorted(totals, key=lambda name: (-totals[name], name)))
        _check(known, feature)
        is_embedded = len(known) > MOST_ONE_HOT or sequences.n_features == 1
        size = (embedding_size or default_size(len(known))) if is_embedded else None
        return cls(feature, known, size, is_coded=sequences.categories_of(feature) is None)

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names, 1)}

    @property
    def n_columns(self) -> int:
        """How many columns the feature becomes."""
        return len(self.names) if self.embedding_size is None else 1

    def ids(self, sequences: Sequences) -> NDArray[np.int64]:
        """Give the id of the feature at each step, int64 (S,).

        Raises
        ------
        DataError
            If the feature holds plain numbers where the model knows names.
        """
        if sequences.categories_of(self.feature) is None and not self.is_coded:
            raise DataError(
                f"Feature {self.feature} must hold text, as in training, where it held {_examples(self.names)}. "
                "Got numbers instead."
            )
        codes, names = named(sequences, self.feature)
        ids = np.array([self._id_of.get(name, 0) for name in names] + [0], dtype=np.int64)
        return ids[codes]  # -1, missing, is the last

    def n_unknown(self, sequences: Sequences) -> int:
        """Give how many values are of no known name, those that are missing apart."""
        return sum(
            int(np.count_nonzero((self.ids(run) == 0) & ~np.isnan(run.values[:, self.feature])))
            for run in sequences.in_runs(_RUN)
        )

    def columns(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give what the network sees of the feature, (S, n_columns): the id, or a 1 in the column of the name."""
        ids = self.ids(sequences)
        if self.embedding_size is not None:
            return ids[:, None].astype(np.float64)
        return np.asarray(ids[:, None] == np.arange(1, len(self.names) + 1), dtype=np.float64)


def default_size(n_names: int) -> int:
    """Give the size of the vectors that embed so many names: round(1.6 (n + 1) ** 0.56), at most 32.

    Source: Howard & Gugger, "fastai: A Layered API for Deep Learning" (2020), `emb_sz_rule`; the bound is ours.

    >>> [default_size(n) for n in (2, 26, 100, 10_000)]
    [3, 10, 21, 32]
    """
    return min(_WIDEST, round(1.6 * math.pow(n_names + 1, 0.56)))


def named(sequences: Sequences, feature: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Give a feature as codes (S,), -1 where missing, and the names that they are codes of."""
    values = sequences.values[:, feature]
    names = sequences.categories_of(feature)
    missing = np.isnan(values)
    if names is not None:
        return np.where(missing, -1, values).astype(np.int64), names
    distinct, codes = np.unique(values, return_inverse=True)
    return np.where(missing, -1, codes), tuple(_number_name(value) for value in distinct)


def _number_name(value: np.floating[Any]) -> str:
    """Write a number so that 1, 1.0 and the text '1' are one name, and 0.1 is, in float32 as in float64."""
    is_whole = np.isfinite(value) and value == np.floor(value)
    return str(int(value)) if is_whole else str(np.float32(value))


def _check(names: tuple[str, ...], feature: int) -> None:
    if len(names) > MOST_NAMES:
        raise DataError(
            f"Feature {feature}: expected at most {MOST_NAMES:,} categories, got {len(names):,}. "
            "Leave the feature out, or take it for a quantity."
        )
    for name in names:
        if len(name) > LONGEST_NAME:
            raise DataError(
                f"Feature {feature}: expected names of categories of at most {LONGEST_NAME} characters, "
                f"got {len(name)}: {name[:20]!r}... Shorten it."
            )


def _examples(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name[:20]) for name in names[:3]) + ", ..." * (len(names) > 3)
