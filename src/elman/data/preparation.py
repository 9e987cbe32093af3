"""From raw sequences to what the network sees; all that is learned for it is learned on training data, and saved."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as ListOf
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from elman.data.missing import carried_forward, last_seen, time_since
from elman.data.numeric import LARGEST, FloatArray, IntArray
from elman.data.patches import by_step, chosen_size, in_patches, patched_offsets
from elman.data.sequences import Sequences, require_finite
from elman.data.standardiser import Standardiser, blocks_of, measure, too_far
from elman.data.vocabulary import Vocabulary
from elman.errors import DataError, ParameterError

_RUN = 1 << 20  # numbers that are prepared at a time
_MOST_SUMMARISED = 64  # names of an embedded feature that the baselines look at
_IS_NAME = ("any other", "this name")

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Preparation:
    """How raw features become columns for the network.

    In order: for each feature its value; or, where it is categorical, a column for each known name, or one column of
    ids that the network embeds. Then, with ``missing='indicator'``, for each feature that is missing somewhere in the
    training part a column that is 1 where it is missing, and then for each of them the logarithm of 1 + the time since
    it was last seen. A missing value is the last one seen in its sequence, at the start the mean of the training part.

    A feature that was whole in training has no such columns, for their weights would never be learned; where it is
    missing later it is filled in alone. A missing category is id 0, unknown, and needs no column. Every column but
    those of 0 and 1 and of ids is standardised. Each sequence is prepared by itself, and each step from those before.
    Last, the columns of ``patch_size`` steps in a row stand side by side, as one step: see `elman.data.patches`.

    Parameters
    ----------
    n_features : int
        D, of the raw data.
    vocabularies : tuple of Vocabulary
        Of the categorical features, in order.
    gaps : tuple of int
        The features with a column that says where they are missing.
    step_feature : int or None
        The feature that a reader made of the time column, in whose unit the time since a value was last seen is told;
        None: in steps.
    start : float64 array (D,), or None
        What stands in before a feature is first seen, and 0 for a categorical one; None: missing values are an error.
    standardiser : Standardiser or None
        Of the columns; mean 0 and scale 1 for those that stay as they are.
    patch_size : int
        1: each step by itself, which alone goes with ids.

    Examples
    --------
    >>> training = Sequences(np.array([[1.0, np.nan], [3.0, 6.0]]), np.array([0, 2]))
    >>> preparation = Preparation.fit(training, missing="indicator", standardise=False)
    >>> preparation.apply(training, np.float64).values.round(3).tolist()
    [[1.0, 6.0, 1.0, 0.693], [3.0, 6.0, 0.0, 0.0]]
    """

    n_features: int
    vocabularies: tuple[Vocabulary, ...] = ()
    gaps: tuple[int, ...] = ()
    step_feature: int | None = None
    start: Array | None = None
    standardiser: Standardiser | None = None
    patch_size: int = 1

    @classmethod
    def fit(
        cls,
        training: Sequences,
        *,
        standardise: bool = True,
        missing: str = "error",
        categorical_features: ListOf[int | str] = (),
        embedding_size: int | None = None,
        weights: Array | None = None,
        patch_size: int | str = 1,
    ) -> Preparation:
        """Learn from the training part.

        Parameters
        ----------
        training : Sequences
            N sequences, S steps; features with categories are categorical.
        standardise : bool
        missing : {'error', 'indicator'}
        categorical_features : sequence of int or str
            Indices or names of features that are numbers but stand for kinds.
        embedding_size : int, optional
            Of every embedded feature; else `elman.data.vocabulary.default_size`.
        weights : float64 array (N,) or (S,), optional
            A weight of k counts as k copies, 0 as absence.
        patch_size : int or 'auto'
            'auto': as `elman.data.patches.chosen_size` has it; 1 where the network embeds ids.

        Raises
        ------
        ParameterError
            If ``categorical_features`` names a feature that is not there, or ids would stand side by side.
        DataError
            If there is nothing to learn from.
        """
        require_finite(training, "The training data", missing=missing)
        if weights is not None and len(weights) == len(training):
            weights = np.repeat(weights, training.lengths)
        chosen = _chosen(training, categorical_features)
        vocabularies = tuple(
            Vocabulary.fit(training, feature, embedding_size=embedding_size, weights=weights) for feature in chosen
        )
        values = Standardiser.fit(training, weights)
        values.mean[list(chosen)], values.scale[list(chosen)] = 0.0, 1.0
        if missing == "error":
            plain = cls(training.n_features, vocabularies)
        else:
            gaps = tuple(feature for feature in _with_gaps(training, weights) if feature not in chosen)
            step_feature = None if training.step_feature in chosen else training.step_feature
            plain = cls(training.n_features, vocabularies, gaps, step_feature, values.mean)
        if plain.n_columns == 0:
            raise DataError("The training data must hold a value somewhere. Every cell of it is missing.")
        scaled = plain._standardised(training, values, weights) if standardise else plain
        return scaled._with_patches(training, patch_size, weights)

    @property
    def n_columns(self) -> int:
        """How many columns a step has."""
        columns = sum(vocabulary.n_columns - 1 for vocabulary in self.vocabularies)
        return self.n_features + columns + 2 * len(self.gaps)

    @property
    def input_size(self) -> int:
        """How many columns a prepared step has: those of a patch."""
        return self.n_columns * self.patch_size

    @property
    def embeddings(self) -> tuple[tuple[int, int, int], ...]:
        """The columns that the network embeds, as Architecture has them: (column, ids, size of the vectors)."""
        return tuple(
            (first, len(vocabulary.names) + 1, vocabulary.embedding_size)
            for vocabulary, first in self._places()
            if vocabulary.embedding_size is not None
        )

    @property
    def quantities(self) -> NDArray[np.int64] | None:
        """The columns of numbers that were measured, int64 (Q,), or (k, Q) of the k steps of a patch; None: all.

        The others are of kinds, or say where a value is missing and for how long.
        """
        if not self.vocabularies and not self.gaps and self.patch_size == 1:
            return None
        is_quantity = np.ones(self.n_columns, dtype=np.bool_)
        is_quantity[self.n_columns - 2 * len(self.gaps) :] = False
        for vocabulary, first in self._places():
            is_quantity[first : first + vocabulary.n_columns] = False
        columns = np.flatnonzero(is_quantity)
        steps = np.arange(self.patch_size)[:, None]
        return columns if self.patch_size == 1 else self.n_columns * steps + columns

    def apply(self, sequences: Sequences, dtype: DTypeLike = np.float32, *, first: int = 0) -> Sequences:
        """Give the columns of raw sequences in ``dtype``, float32 or float64; ``first`` is what errors call the first.

        Raises
        ------
        DataError
            If the features are not those of training, or a value lies so far from the training data that float32
            overflows.
        """
        self._check(sequences)
        result: FloatArray = np.empty((len(sequences.values), self.n_columns), dtype=dtype)
        for begin, block in self._blocks(sequences):
            if self.standardiser is not None:
                block = (block - self.standardiser.mean) / self.standardiser.scale
            is_sound = np.abs(block) <= LARGEST
            if not is_sound.all():
                row, column = np.argwhere(~is_sound)[0]
                raise too_far(sequences, begin + int(row), int(self.sources[column]), first)
            result[begin : begin + len(block)] = block
        return in_patches(Sequences(result, sequences.offsets), self.patch_size)

    def offsets(self, sequences: Sequences) -> IntArray:
        """Give the offsets, int64 (N + 1,), that raw sequences have once they are prepared."""
        return patched_offsets(sequences.offsets, self.patch_size)

    def summarised(self, sequences: Sequences) -> Sequences:
        """Give raw sequences as simple statistics can be taken of them: numbers, filled in, then columns of 0 and 1.

        The latter, one for each name of a kind, but the 64 most frequent ones at most, have categories. Plain numbers
        stay as they are.
        """
        if not self.vocabularies and self.start is None:
            return sequences
        self._check(sequences)
        n_numbers, n_names = self.n_summarised
        values = np.empty((len(sequences.values), n_numbers + n_names))
        places = self._places()
        for begin, block in self._blocks(sequences):
            rows = slice(begin, begin + len(block))
            taken = [np.arange(first, first + vocabulary.n_columns) for vocabulary, first in places]
            values[rows, :n_numbers] = np.delete(block, np.concatenate(taken) if taken else [], axis=1)
            column = n_numbers
            for vocabulary, first in places:
                n = min(len(vocabulary.names), _MOST_SUMMARISED)
                found = block[:, first : first + vocabulary.n_columns]
                is_name = found if vocabulary.embedding_size is None else found == np.arange(1, n + 1)
                values[rows, column : column + n] = is_name
                column += n
        return Sequences(values, sequences.offsets, None, (None,) * n_numbers + (_IS_NAME,) * n_names)

    def by_feature(self, columns: FloatArray, offsets: IntArray) -> FloatArray:
        """Give what is known of each prepared column, summed up by the raw step and the feature that it comes from.

        Parameters
        ----------
        columns : float array (S', input_size)
            Of prepared sequences.
        offsets : int64 array (N + 1,)
            Of the raw ones.

        Returns
        -------
        float array (S, D)
        """
        steps, sources = by_step(columns, offsets, self.patch_size), self.sources
        result: FloatArray = np.zeros((len(steps), self.n_features), dtype=columns.dtype)
        for column, feature in enumerate(sources.tolist()):
            result[:, feature] += steps[:, column]
        return result

    @property
    def n_summarised(self) -> tuple[int, int]:
        """How many columns of numbers, and of 0 and 1, `summarised` gives."""
        n_names = sum(min(len(vocabulary.names), _MOST_SUMMARISED) for vocabulary in self.vocabularies)
        return self.n_features - len(self.vocabularies) + 2 * len(self.gaps), n_names

    def _check(self, sequences: Sequences) -> None:
        if sequences.n_features != self.n_features:
            raise DataError(
                f"The data must have {self.n_features} features a step, as in training. "
                f"Got {sequences.n_features} instead."
            )
        for feature, names in enumerate(sequences.categories or ()):
            if names is not None and feature not in self._vocabulary_of():
                raise DataError(
                    f"Feature {feature} must hold numbers, as in training. Got text, such as {names[0][:40]!r}."
                )

    def _places(self) -> list[tuple[Vocabulary, int]]:
        """Give each vocabulary with the first column of its feature."""
        places = []
        more = 0  # columns than features so far
        for vocabulary in self.vocabularies:
            places.append((vocabulary, vocabulary.feature + more))
            more += vocabulary.n_columns - 1
        return places

    def _vocabulary_of(self) -> dict[int, Vocabulary]:
        return {vocabulary.feature: vocabulary for vocabulary in self.vocabularies}

    def _blocks(self, sequences: Sequences) -> Iterator[tuple[int, Array]]:
        """Give the columns before they are standardised, some steps at a time, with the number of the first step."""
        if not self.vocabularies and self.start is None:
            yield from blocks_of(sequences.values)
            return
        begin = 0
        for run in sequences.in_runs(_RUN):
            yield begin, self._columns(run)
            begin += len(run.values)

    def _columns(self, run: Sequences) -> Array:
        values: NDArray[Any] = run.values
        if self.start is not None:
            last = last_seen(values, run.offsets)
            values = carried_forward(values, last, self.start)
        columns = values.astype(np.float64)
        if self.vocabularies:
            columns = self._with_categories(run, columns)
        if not self.gaps:
            return columns
        gaps = list(self.gaps)
        step_lengths = None if self.step_feature is None else run.values[:, self.step_feature]
        return np.hstack([columns, np.isnan(run.values[:, gaps]), time_since(last[:, gaps], run.offsets, step_lengths)])

    def _with_categories(self, run: Sequences, values: Array) -> Array:
        vocabulary_of = self._vocabulary_of()
        return np.hstack(
            [
                vocabulary_of[feature].columns(run) if feature in vocabulary_of else values[:, feature, None]
                for feature in range(self.n_features)
            ]
        )

    @property
    def sources(self) -> IntArray:
        """The feature that each column of a step comes from, int64 (n_columns,)."""
        vocabulary_of = self._vocabulary_of()
        counts = [vocabulary_of[n].n_columns if n in vocabulary_of else 1 for n in range(self.n_features)]
        features = np.repeat(np.arange(self.n_features), counts)
        return np.concatenate([features, self.gaps, self.gaps]).astype(np.int64)

    def _standardised(self, training: Sequences, values: Standardiser, weights: Array | None) -> Preparation:
        """Give this preparation with the scale of every column, the raw values' being known."""
        n_gaps = len(self.gaps)
        mean, scale = np.zeros(self.n_columns), np.ones(self.n_columns)
        source = self.sources[: self.n_columns - 2 * n_gaps]
        mean[: len(source)], scale[: len(source)] = values.mean[source], values.scale[source]
        if n_gaps:

            def blocks() -> Iterator[tuple[Array, Array | None]]:
                for begin, block in self._blocks(training):
                    yield block[:, -n_gaps:], None if weights is None else weights[begin : begin + len(block)]

            mean[-n_gaps:], scale[-n_gaps:] = measure(blocks, n_gaps)
        return replace(self, standardiser=Standardiser(mean, scale))

    def _with_patches(self, training: Sequences, patch_size: int | str, weights: Array | None) -> Preparation:
        """Give this preparation with patches; ``weights`` (S,)."""
        if self.embeddings and patch_size not in (1, "auto"):
            raise ParameterError(
                "The 'patch_size' parameter must be 1 or 'auto' where tokens or kinds are embedded, one id a step. "
                f"Got {patch_size!r} instead. Pass patch_size=1."
            )
        if self.embeddings:
            return self
        if patch_size == "auto":
            by_sequence = None if weights is None else weights[training.offsets[:-1]]
            patch_size = chosen_size(training.lengths, self.n_columns, by_sequence)
        return replace(self, patch_size=int(patch_size))


def _chosen(training: Sequences, categorical_features: ListOf[int | str]) -> tuple[int, ...]:
    """Give the indices of the categorical features, in order."""
    chosen = {feature for feature, names in enumerate(training.categories or ()) if names is not None}
    names = training.feature_names or ()
    for feature in categorical_features:
        index = names.index(feature) if isinstance(feature, str) and feature in names else feature
        if isinstance(index, str) or not 0 <= index < training.n_features:
            known = f"of {', '.join(map(repr, names[:12]))}" if names else f"from 0 to {training.n_features - 1}"
            raise ParameterError(
                f"The 'categorical_features' parameter must hold indices or names of features, {known}. "
                f"Got {feature!r} instead."
            )
        chosen.add(int(index))
    return tuple(sorted(chosen))


def _with_gaps(training: Sequences, weights: Array | None) -> list[int]:
    """Give the features that are missing at some step that counts."""
    missing = np.zeros(training.n_features, dtype=np.bool_)
    begin = 0
    for run in training.in_runs(_RUN):
        absent = np.isnan(run.values)
        if weights is not None:
            absent = absent & (weights[begin : begin + len(absent), None] > 0)
        missing |= absent.any(axis=0)
        begin += len(absent)
    return np.flatnonzero(missing).tolist()
