"""Sequences: ragged data in memory, the steps of all sequences end to end beside the offsets that part them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import EllipsisType
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import LARGEST, FloatArray, IntArray, as_numbers
from elman.errors import DataError

Several: TypeAlias = slice | list[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Sequences:
    """N sequences of any lengths, with D features a step.

    Parameters
    ----------
    values : float32 or float64 array (S, D), C-contiguous
        The steps of all sequences, one sequence after the other; S is the sum of the lengths.
    offsets : int64 array (N + 1,)
        Sequence n is ``values[offsets[n]:offsets[n + 1]]``, at least one step.
    feature_names : tuple of D str, or None
        Where the data had names.

    Raises
    ------
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> sequences = as_sequences([[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0]]])
    >>> sequences
    Sequences(2 sequences, 1 to 2 steps, 2 features, float64)
    >>> sequences.offsets.tolist()
    [0, 2, 3]
    >>> sequences[1].tolist()
    [[4.0, 5.0]]
    >>> sequences[[1, 0]].lengths.tolist()
    [1, 2]
    """

    values: FloatArray
    offsets: IntArray
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_values(self.values)
        _check_offsets(self.offsets, n_steps=len(self.values))
        names = self.feature_names
        if names is not None and (len(names) != self.n_features or len(set(names)) != len(names)):
            raise DataError(
                f"'feature_names' of Sequences must be {self.n_features} distinct names, one a feature. "
                f"Got {_listed(names)} instead."
            )

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
        moved = self.offsets[:-1][chosen] - offsets[:-1]  # (N',) how far a sequence lies from its new place
        rows = np.arange(offsets[-1]) + np.repeat(moved, lengths)
        return Sequences(self.values[rows], offsets, self.feature_names)

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
            offsets = self.offsets[first : stop + 1] - begin
            yield Sequences(self.values[begin : self.offsets[stop]], offsets, self.feature_names)
            first = stop

    def with_values(self, values: FloatArray) -> Sequences:
        """Give the same sequences with other values, float (S, D'); the names stay while D' = D."""
        names = self.feature_names if values.shape[1:] == self.values.shape[1:] else None
        return Sequences(np.ascontiguousarray(values), self.offsets, names)

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
        return Sequences(np.ascontiguousarray(self.values[:, columns]), self.offsets, wanted)


def as_sequences(X: Any, *, name: str = "X") -> Sequences:
    """Give data in any of the usual forms as Sequences.

    Parameters
    ----------
    X : one of
        - Sequences;
        - a list, tuple or object array of N arrays (T_i, D), or of N arrays (T_i,) with one feature;
        - an array (N, T, D), or (N, T) for N sequences of T steps with one feature. Steps at the end of a sequence
          that are NaN in every feature are padding, and are dropped.
    name : str
        What the errors call the data.

    Returns
    -------
    Sequences
        float32 where all the data is float32, else float64; it may share memory with ``X``.

    Raises
    ------
    DataError
        If there is no sequence, a sequence is empty, feature counts differ, or a value is not a finite number.

    Examples
    --------
    Ragged sequences, two features a step:

    >>> import numpy as np
    >>> as_sequences([np.zeros((3, 2)), np.zeros((5, 2))])
    Sequences(2 sequences, 3 to 5 steps, 2 features, float64)

    Padded with NaN:

    >>> padded = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])
    >>> [sequence.ravel().tolist() for sequence in as_sequences(padded)]
    [[1.0, 2.0, 3.0], [4.0]]
    """
    if isinstance(X, Sequences):
        sequences = X
    elif isinstance(X, list | tuple):
        sequences = _from_items(X, name)
    elif not hasattr(X, "__array__") and not hasattr(X, "toarray"):
        raise DataError(
            f"{name} must be a list of arrays (T, D), an array (N, T, D), or an array (N, T). "
            f"Got {type(X).__name__} instead."
        )
    elif isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        sequences = _from_items(list(X), name)
    else:
        sequences = _from_array(as_numbers(X, name), name)
    if len(sequences) == 0:
        raise DataError(f"{name} must hold at least one sequence. Got none.")
    require_finite(sequences, name)
    return sequences


def offsets_of(lengths: IntArray) -> IntArray:
    """Give the offsets, int64 (N + 1,), of sequences with these lengths (N,)."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def require_finite(sequences: Sequences, name: str = "X") -> None:
    """Raise DataError where a value is NaN, infinite or beyond the range of float32, naming its place."""
    values = sequences.values
    if values.size == 0 or (values.min() >= -LARGEST and values.max() <= LARGEST):
        return
    row, feature = np.argwhere(~(np.abs(values) <= LARGEST))[0]
    sequence = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
    step = int(row - sequences.offsets[sequence])
    value = float(values[row, feature])
    place = f"{name}[{sequence}], step {step}, feature {feature}"
    if np.isnan(value):
        raise DataError(
            f"{place}: expected a finite number, got NaN. Fill missing values first; NaN is padding only at the end "
            "of a sequence in an array (N, T, D) or (N, T), in every feature."
        )
    if np.isinf(value):
        raise DataError(f"{place}: expected a finite number, got {value}. Replace it first.")
    raise DataError(f"{place}: expected an absolute value of at most {LARGEST:g}, got {value:g}. Scale the data first.")


def _from_array(array: FloatArray, name: str) -> Sequences:
    """Cut an array (N, T, D) or (N, T) into sequences, dropping the NaN padding at their ends."""
    if array.ndim == 1:
        raise DataError(
            f"{name} must hold several sequences. Got a flat array {array.shape}. Reshape your data: "
            f"if it is one sequence, pass [{name}]."
        )
    if array.ndim not in (2, 3):
        raise DataError(f"{name} must have 2 or 3 dimensions: (N, T) or (N, T, D). Got shape {array.shape} instead.")
    for size, what in zip(array.shape, ("sample", "feature") if array.ndim == 2 else ("sample", "step", "feature")):
        if size == 0:
            raise DataError(f"{name} has 0 {what}(s) (shape={array.shape}) while a minimum of 1 is required.")
    cube = array[:, :, None] if array.ndim == 2 else array  # (N, T, D)
    n_steps = cube.shape[1]
    real = np.asarray(~np.isnan(cube).all(axis=2))  # (N, T) True = real
    lengths = n_steps - np.argmax(real[:, ::-1], axis=1)  # (N,)
    if not real.any(axis=1).all():
        n = int(np.argmin(real.any(axis=1)))
        raise DataError(f"{name}[{n}] must have at least one step. Got NaN in every step; drop the sequence.")
    values = cube[np.arange(n_steps) < lengths[:, None]]  # (S, D)
    return Sequences(np.ascontiguousarray(values), offsets_of(lengths))


def _from_items(items: list[Any] | tuple[Any, ...], name: str) -> Sequences:
    """Join arrays (T_i, D), or arrays (T_i,) of one feature."""
    arrays = [as_numbers(item, f"{name}[{n}]") for n, item in enumerate(items)]
    for n, array in enumerate(arrays):
        if array.ndim == 0:
            raise DataError(
                f"{name} must hold several sequences. Got the number {array} as {name}[{n}]: "
                f"if it is one sequence, pass [{name}]."
            )
        if array.ndim > 2:
            raise DataError(f"{name}[{n}] must be one sequence (T, D) or (T,). Got shape {array.shape} instead.")
        if array.size == 0:
            raise DataError(
                f"{name}[{n}] must have at least one step and one feature. Got shape {array.shape} instead."
            )
        if array.ndim != arrays[0].ndim or array.shape[1:] != arrays[0].shape[1:]:
            raise DataError(
                f"{name}[{n}] must have as many features as {name}[0], {_features(arrays[0])}. "
                f"Got {_features(array)} in shape {array.shape}; the layout is (steps, features)."
            )
    if not arrays:
        raise DataError(f"{name} must hold at least one sequence. Got none.")
    flat = [array.reshape(len(array), -1) for array in arrays]
    offsets = offsets_of(np.array([len(array) for array in flat], dtype=np.int64))
    return Sequences(np.ascontiguousarray(np.concatenate(flat)), offsets)


def _features(array: FloatArray) -> str:
    return "one, without an axis for it" if array.ndim == 1 else str(array.shape[1])


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


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _described(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _listed(names: tuple[str, ...]) -> str:
    text = ", ".join(repr(name) for name in names)
    return text if len(text) <= 200 else f"{text[:197]}..."
