"""Sequences: ragged data in memory, the steps of all sequences end to end beside the offsets that part them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import EllipsisType
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import LARGEST, FloatArray, IntArray
from elman.data.scratch import goes_to_disk, on_disk
from elman.errors import DataError

Categories: TypeAlias = tuple[tuple[str, ...] | None, ...]
Several: TypeAlias = slice | list[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]

_BLOCK = 65_536  # steps looked at together, so that a large set is never copied whole


@dataclass(frozen=True, eq=False, repr=False)
class Sequences:
    """N sequences of any lengths, with D features a step.

    Parameters
    ----------
    values : float32 or float64 array (S, D), C-contiguous
        The steps of all sequences, one sequence after the other; S is the sum of the lengths. NaN is a missing value.
    offsets : int64 array (N + 1,)
        Sequence n is ``values[offsets[n]:offsets[n + 1]]``, at least one step.
    feature_names : tuple of D str, or None
        Where the data had names.
    categories : tuple of D entries, or None
        For a feature of kinds and not of quantities, the names that its values are codes of (0 is the first name);
        None for a feature of numbers. Text columns of tables and the tokens of texts have names.
    step_feature : int, optional
        The feature that a reader made of the time column: how much time has passed since the step before.

    Raises
    ------
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> sequences = Sequences(np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), np.array([0, 2, 3]))
    >>> sequences
    Sequences(2 sequences, 1 to 2 steps, 2 features, float64)
    >>> sequences[1].tolist()
    [[4.0, 5.0]]
    >>> sequences[[1, 0]].lengths.tolist()
    [1, 2]
    """

    values: FloatArray
    offsets: IntArray
    feature_names: tuple[str, ...] | None = None
    categories: Categories | None = None
    step_feature: int | None = None

    def __post_init__(self) -> None:
        _check_values(self.values)
        _check_offsets(self.offsets, n_steps=len(self.values))
        names = self.feature_names
        if names is not None and (len(names) != self.n_features or len(set(names)) != len(names)):
            raise DataError(
                f"'feature_names' of Sequences must be {self.n_features} distinct names, one a feature. "
                f"Got {_listed(names)} instead."
            )
        if self.categories is not None:
            _check_categories(self.categories, self.n_features)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> FloatArray: ...
    @overload
    def __getitem__(self, index: Several) -> Sequences: ...
    @overload
    def __getitem__(self, index: tuple[Several, EllipsisType]) -> Sequences: ...
    def __getitem__(self, index: Any) -> FloatArray | Sequences:
        """Give one sequence as a (T, D) view, or several as Sequences."""
        if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:  # as scikit-learn takes rows
            index = index[0]
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"There is no sequence {index} among {len(self)}.")
            n = int(index) % len(self)
            return self.values[self.offsets[n] : self.offsets[n + 1]]
        chosen = np.arange(len(self))[index]
        if chosen.ndim != 1:
            raise IndexError("Sequences take one index: an int, a slice, or a flat array of ints or bools.")
        lengths = self.lengths[chosen]
        offsets = offsets_of(lengths)
        if goes_to_disk(self.values, int(offsets[-1]) * self.n_features * self.values.itemsize):
            values = on_disk(self._stretches(chosen), int(offsets[-1]), self.values.dtype, self.values)
            return self._of(values, offsets)
        moved = self.offsets[:-1][chosen] - offsets[:-1]  # (N',) how far a sequence lies from its new place
        rows = np.arange(offsets[-1]) + np.repeat(moved, lengths)
        return self._of(self.values[rows], offsets)

    def _stretches(self, chosen: IntArray) -> Iterator[FloatArray]:
        """Give views of the values of the chosen sequences, those that lie one after the other together."""
        starts, stops = self.offsets[:-1][chosen], self.offsets[1:][chosen]
        cuts = np.flatnonzero(starts[1:] != stops[:-1]) + 1
        for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(chosen)]):
            yield self.values[starts[first] : stops[last - 1]]

    def __iter__(self) -> Iterator[FloatArray]:
        for start, stop in pairwise(self.offsets.tolist()):
            yield self.values[start:stop]

    def __repr__(self) -> str:
        sizes = np.unique(self.lengths)
        steps = f"{sizes[0]} to {sizes[-1]} steps" if len(sizes) > 1 else _counted(int(sizes.sum()), "step")
        sequences, features = _counted(len(self), "sequence"), _counted(self.n_features, "feature")
        return f"Sequences({sequences}, {steps}, {features}, {self.values.dtype})"

    @property
    def shape(self) -> tuple[int]:
        """(N,), that of a flat array of sequences; by it scikit-learn splits Sequences into Sequences."""
        return (len(self),)

    @property
    def lengths(self) -> IntArray:
        """The number of steps of each sequence, int64 (N,)."""
        return np.diff(self.offsets)

    @property
    def n_features(self) -> int:
        """D, the number of features of a step."""
        return int(self.values.shape[1])

    def in_runs(self, most_values: int) -> Iterator[Sequences]:
        """Give views of runs of neighbours, each of at most so many numbers, but of one sequence at least."""
        most_steps = max(1, most_values // max(1, self.n_features))
        first = 0
        if len(self) == 0:
            yield self
        while first < len(self):
            begin = self.offsets[first]
            last = int(np.searchsorted(self.offsets, begin + most_steps, side="right")) - 1
            stop = min(max(last, first + 1), len(self))
            yield self.between(first, stop)
            first = stop

    def between(self, first: int, stop: int) -> Sequences:
        """Give a view of the sequences from ``first`` up to ``stop``."""
        begin, end = self.offsets[first], self.offsets[stop]
        offsets = self.offsets[first : stop + 1] - begin
        return self._of(self.values[begin:end], offsets)

    def with_values(self, values: FloatArray) -> Sequences:
        """Give the same sequences with other values, float (S, D'); names and categories stay while D' = D."""
        is_alike = values.shape[1:] == self.values.shape[1:]
        values = np.ascontiguousarray(values)
        return self._of(values, self.offsets) if is_alike else Sequences(values, self.offsets)

    def _of(self, values: FloatArray, offsets: IntArray) -> Sequences:
        """Give other steps of the same features."""
        return Sequences(values, offsets, self.feature_names, self.categories, self.step_feature)

    def categories_of(self, feature: int) -> tuple[str, ...] | None:
        """Give the names that the values of a feature are codes of, or None where they are numbers."""
        return None if self.categories is None else self.categories[feature]

    def place(self, row: int) -> tuple[int, int]:
        """Give the sequence that a row of ``values`` is of, and the step that it is in it."""
        sequence = int(np.searchsorted(self.offsets, row, side="right")) - 1
        return sequence, int(row - self.offsets[sequence])

    def select(self, names: tuple[str, ...] | list[str]) -> Sequences:
        """Give the same sequences with the features ``names``, in that order.

        Raises
        ------
        DataError
            If a feature is missing, or the features have no names.

        Examples
        --------
        >>> sequences = Sequences(np.array([[1.0, 2.0]]), np.array([0, 1]), ("x", "y"))
        >>> sequences.select(["y", "x"]).values.tolist()
        [[2.0, 1.0]]
        """
        wanted = tuple(names)
        if self.feature_names == wanted:
            return self
        if self.feature_names is None:
            raise DataError(f"The data must have the features {_listed(wanted)}, but its features have no names.")
        column_of = {name: column for column, name in enumerate(self.feature_names)}
        missing = tuple(name for name in wanted if name not in column_of)
        if missing:
            raise DataError(
                f"The data must have the features {_listed(wanted)}, but lacks {_listed(missing)}. "
                f"It has {_listed(self.feature_names)}."
            )
        columns = [column_of[name] for name in wanted]
        categories = None if self.categories is None else tuple(self.categories[column] for column in columns)
        if goes_to_disk(self.values, len(self.values) * len(columns) * self.values.itemsize):
            starts = range(0, len(self.values), _BLOCK)
            blocks = (self.values[start : start + _BLOCK, columns] for start in starts)
            values = on_disk(blocks, len(self.values), self.values.dtype, self.values)
        else:
            values = np.ascontiguousarray(self.values[:, columns])
        is_chosen = self.step_feature in columns
        step_feature = columns.index(self.step_feature) if self.step_feature is not None and is_chosen else None
        return Sequences(values, self.offsets, wanted, categories, step_feature)


def offsets_of(lengths: IntArray) -> IntArray:
    """Give the offsets, int64 (N + 1,), of sequences with these lengths (N,)."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def require_finite(sequences: Sequences, name: str = "X", *, missing: str = "error") -> None:
    """Raise DataError where a value is no number to compute with, naming its place.

    Infinite values and those beyond the range of float32 are refused; so are missing ones, NaN, but with
    ``missing='indicator'``; so are values of a feature with categories that are no code of a name.
    """
    values = sequences.values
    if values.size and not (values.min() >= -LARGEST and values.max() <= LARGEST):
        for start in range(0, len(values), _BLOCK):
            block = values[start : start + _BLOCK]
            wrong = ~(np.abs(block) <= LARGEST)
            if missing == "indicator":
                wrong &= ~np.isnan(block)
            if wrong.any():
                row, feature = np.argwhere(wrong)[0]
                raise _not_finite(sequences, start + int(row), int(feature), name)
    for feature, names in enumerate(sequences.categories or ()):
        if names is not None:
            _require_names(names, feature, name)
            _require_codes(sequences, feature, len(names), name)


def _not_finite(sequences: Sequences, row: int, feature: int, name: str) -> DataError:
    value = float(sequences.values[row, feature])
    place = _place(sequences, row, feature, name)
    if np.isnan(value):
        return DataError(
            f"{place}: expected a finite number, got NaN. Fill missing values first, or train with "
            "missing='indicator'; NaN is padding only at the end of a sequence in an array (N, T, D) or (N, T), in "
            "every feature."
        )
    if np.isinf(value):
        return DataError(f"{place}: expected a finite number, got {value}. Replace it first.")
    return DataError(
        f"{place}: expected an absolute value of at most {LARGEST:g}, got {value:g}. Scale the data first."
    )


def _require_names(names: tuple[str, ...], feature: int, name: str) -> None:
    for category in names:
        if not isinstance(category, str):
            raise DataError(
                f"{name}, feature {feature}: expected categories to be text, got {category!r}. Write them as text."
            )
    try:
        "".join(names).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{name}, feature {feature}: expected categories in valid Unicode. Decode them again."
        ) from error


def _require_codes(sequences: Sequences, feature: int, n_names: int, name: str) -> None:
    codes = sequences.values[:, feature]
    wrong = ~(np.isnan(codes) | ((codes >= 0) & (codes < n_names) & (codes == np.floor(codes))))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{_place(sequences, row, feature, name)}: expected the code of one of {n_names} categories, a whole "
            f"number from 0 to {n_names - 1}, got {codes[row]:g}. Correct the codes or the categories."
        )


def _place(sequences: Sequences, row: int, feature: int, name: str) -> str:
    sequence, step = sequences.place(row)
    return f"{name}[{sequence}], step {step}, feature {feature}"


def _check_values(values: FloatArray) -> None:
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype not in (np.float32, np.float64):
        raise DataError(
            f"'values' of Sequences must be a float32 or float64 array (S, D). Got {_described(values)} instead."
        )
    if not values.flags.c_contiguous:
        raise DataError("'values' of Sequences must be C-contiguous. Pass np.ascontiguousarray(values).")
    if values.shape[1] == 0:
        raise DataError(f"'values' of Sequences must have at least one feature. Got shape {values.shape} instead.")


def _check_offsets(offsets: IntArray, n_steps: int) -> None:
    if not isinstance(offsets, np.ndarray) or offsets.ndim != 1 or offsets.dtype != np.int64 or offsets.size == 0:
        raise DataError(f"'offsets' of Sequences must be an int64 array (N + 1,). Got {_described(offsets)} instead.")
    if offsets[0] != 0 or offsets[-1] != n_steps:
        raise DataError(
            f"'offsets' of Sequences must run from 0 to the number of steps, {n_steps}. "
            f"Got {offsets[0]} to {offsets[-1]} instead."
        )
    falls = offsets[1:] <= offsets[:-1]
    if falls.any():
        n = int(np.argmax(falls))
        raise DataError(
            "'offsets' of Sequences must rise, so that each sequence has at least one step. "
            f"Got {offsets[n]} and then {offsets[n + 1]} for sequence {n}."
        )


def _check_categories(categories: Categories, n_features: int) -> None:
    is_tuple = isinstance(categories, tuple) and len(categories) == n_features
    if not is_tuple or not all(names is None or isinstance(names, tuple) for names in categories):
        raise DataError(
            f"'categories' of Sequences must be a tuple of {n_features}, one a feature: a tuple of names, or None for "
            f"a feature of numbers. Got {str(categories)[:80]} instead."
        )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _described(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _listed(names: tuple[str, ...]) -> str:
    text = ", ".join(repr(name) for name in names)
    return text if len(text) <= 200 else f"{text[:197]}..."
