"""What the columns that a network reads are called, and what stood there before preparation."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from elman.data.preparation import Preparation
from elman.data.sequences import Sequences
from elman.data.vocabulary import named

Raw: TypeAlias = float | str | None
"""A value as it was in the data, a number or a name; None where it was missing, or a column is of no single value."""


def column_names(preparation: Preparation, feature_names: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Give a name for each column of a prepared step.

    Parameters
    ----------
    preparation : Preparation
    feature_names : tuple of D str, optional
        Of the raw features; else they are called feature 0, feature 1 and so on.

    Examples
    --------
    >>> training = Sequences(np.array([[1.0, np.nan], [3.0, 6.0]]), np.array([0, 2]), ("speed", "pulse"))
    >>> column_names(Preparation.fit(training, missing="indicator"), training.feature_names)
    ('speed', 'pulse', 'pulse missing', 'pulse unseen for (log)')
    >>> column_names(Preparation.fit(training, missing="indicator", patch_size=2), ("a", "b"))[:5]
    ('a [1]', 'b [1]', 'b missing [1]', 'b unseen for (log) [1]', 'a [2]')
    """
    n = preparation.n_features
    names = feature_names or tuple(f"feature {feature}" for feature in range(n))
    vocabulary_of = {vocabulary.feature: vocabulary for vocabulary in preparation.vocabularies}
    columns: list[str] = []
    for feature, name in enumerate(names):
        vocabulary = vocabulary_of.get(feature)
        if vocabulary is None or vocabulary.embedding_size is not None:
            columns.append(name)
        else:
            columns += [f"{name} = {kind}" for kind in vocabulary.names]
    columns += [f"{names[feature]} missing" for feature in preparation.gaps]
    columns += [f"{names[feature]} unseen for (log)" for feature in preparation.gaps]
    size = preparation.patch_size
    return tuple(columns) if size == 1 else tuple(f"{name} [{k + 1}]" for k in range(size) for name in columns)


def raw_values(preparation: Preparation, sequences: Sequences, n: int) -> tuple[tuple[Raw, ...], ...]:
    """Give what stood at each column of each prepared step of sequence ``n`` before preparation, (T, D').

    Examples
    --------
    >>> training = Sequences(np.array([[1.0, 5.0], [3.0, 6.0]]), np.array([0, 2]))
    >>> raw_values(Preparation.fit(training), training, 0)
    ((1.0, 5.0), (3.0, 6.0))
    """
    one = sequences.between(n, n + 1)
    by_feature: list[list[Raw]] = [[_number(value) for value in column] for column in one.values.T.tolist()]
    vocabulary_of = {vocabulary.feature: vocabulary for vocabulary in preparation.vocabularies}
    columns: list[list[Raw]] = []
    for feature, values in enumerate(by_feature):
        vocabulary = vocabulary_of.get(feature)
        if vocabulary is None:
            columns.append(values)
            continue
        codes, names = named(one, feature)
        kinds: list[Raw] = [names[code] if code >= 0 else None for code in codes.tolist()]
        columns += [kinds] * vocabulary.n_columns
    nothing: list[Raw] = [None] * len(one.values)
    columns += [nothing] * (2 * len(preparation.gaps))
    steps = list(zip(*columns))
    size = preparation.patch_size
    steps += steps[-1:] * (-len(steps) % size)  # a last patch is filled up with the last step
    return tuple(tuple(value for step in steps[t : t + size] for value in step) for t in range(0, len(steps), size))


def _number(value: float) -> Raw:
    return None if np.isnan(value) else value
