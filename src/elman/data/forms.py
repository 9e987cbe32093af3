"""The usual forms that data comes in, turned into Sequences: lists, arrays, texts, frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data.frames import first_text, is_frame, is_indexed_twice, is_lazy, wide_array
from elman.data.numeric import FloatArray, as_numbers
from elman.data.sequences import Sequences, offsets_of, require_finite
from elman.data.text import SPLITS, from_texts, from_tokens
from elman.errors import DataError, ParameterError

LAYOUTS = ("steps-first", "channels-first")
MISSING = ("error", "indicator")


def as_sequences(
    X: Any, *, name: str = "X", text: str = "characters", layout: str = "steps-first", missing: str = "error"
) -> Sequences:
    """Give data in any of the usual forms as Sequences.

    Parameters
    ----------
    X : one of
        - Sequences;
        - a list, tuple or object array of N arrays (T_i, D), or of N arrays (T_i,) with one feature;
        - an array (N, T, D), or (N, T) for N sequences of T steps with one feature. Steps at the end of a sequence
          that are NaN in every feature are padding, and are dropped;
        - a list, array or Series of N texts, or a list of N lists of texts, each text a token: sequences of one
          feature, 'token', with categories;
        - a pandas or polars frame (N, T), one row a sequence of one feature; or a pandas frame with a MultiIndex of
          two levels (sequence, time), one row a step, as aeon and sktime have it, with the rows of a sequence together
          and in the order of time.
    name : str
        What the errors call the data.
    text : {'characters', 'words'}
        What a text is split into: its characters; or its words, at white space and around each sign of punctuation.
    layout : {'steps-first', 'channels-first'}
        Whether arrays are (N, T, D) and (T_i, D), or aeon's (N, D, T) and (D, T_i).
    missing : {'error', 'indicator'}
        Whether a missing value, NaN, is an error, or stays in the values for a `Preparation` to fill in.

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

    Texts:

    >>> as_sequences(["to be", "or not"], text="words").categories
    (('to', 'be', 'or', 'not'),)
    """
    for parameter, value, choices in (
        ("text", text, SPLITS),
        ("layout", layout, LAYOUTS),
        ("missing", missing, MISSING),
    ):
        if value not in choices:
            raise ParameterError(
                f"The {parameter!r} parameter of as_sequences must be one of {', '.join(map(repr, choices))}. "
                f"Got {value!r} instead."
            )
    sequences = _converted(X, name, text, layout == "channels-first", missing)
    if len(sequences) == 0:
        raise DataError(f"{name} must hold at least one sequence. Got none.")
    require_finite(sequences, name, missing=missing)
    return sequences


def _converted(X: Any, name: str, text: str, channels_first: bool, missing: str) -> Sequences:
    if isinstance(X, Sequences):
        return X
    if is_indexed_twice(X):
        from elman.data.readers.frame import from_indexed_twice  # polars is loaded only for a table

        return from_indexed_twice(X, name, missing=missing)
    if is_frame(X):
        return _from_wide(X, name)
    items = _items(X)
    if items is not None:
        return _from_items(items, name, text, channels_first)
    if not hasattr(X, "__array__") and not hasattr(X, "toarray"):
        advice = f"; for one text pass [{name}]" if isinstance(X, str) else "; call .collect() first" * is_lazy(X)
        raise DataError(
            f"{name} must be a list of arrays (T, D), an array (N, T, D), or an array (N, T). "
            f"Got {type(X).__name__} instead{advice}."
        )
    array = as_numbers(X, name)
    return _from_array(array.swapaxes(1, 2) if channels_first and array.ndim == 3 else array, name)


def _from_wide(frame: Any, name: str) -> Sequences:
    array = wide_array(frame)
    column = first_text(frame, array)
    if column is not None:
        raise DataError(
            f"{name} must be a frame of numbers, one row a sequence. Got text in column {column!r}. If each row is a "
            f"text, pass {name}[{column!r}]; if each row is a step, read the frame with from_frame(..., id=...)."
        )
    return _from_array(as_numbers(array, name), name)


def _items(X: Any) -> list[Any] | tuple[Any, ...] | None:
    """Give the sequences of a list, or of a flat array or Series of objects or texts; None for other arrays."""
    if isinstance(X, list | tuple):
        return X
    is_series = not isinstance(X, np.ndarray) and hasattr(X, "__array__") and _is_column(X)
    array = np.asarray(X) if is_series else X
    is_flat = isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "OUT"
    return array.tolist() if is_flat and array.dtype.kind in "UT" else list(array) if is_flat else None


def _is_column(data: Any) -> bool:
    """Tell whether data is a Series, or what pandas keeps one in."""
    return hasattr(data, "to_list") or (hasattr(data, "isna") and getattr(data, "ndim", 0) == 1)


def _from_items(items: list[Any] | tuple[Any, ...], name: str, text: str, channels_first: bool) -> Sequences:
    def place(n: int) -> str:
        return f"{name}[{n}]"

    if not items:
        raise DataError(f"{name} must hold at least one sequence. Got none.")
    if isinstance(items[0], str):
        for n, item in enumerate(items):
            if not isinstance(item, str):
                raise DataError(f"{place(n)}: expected a text, as {name}[0] is, got {_kind_of(item)}.")
        return from_texts(items, text, place)
    if _holds_text(items[0]):
        for n, item in enumerate(items):
            if not hasattr(item, "__len__") or isinstance(item, str):
                raise DataError(f"{place(n)}: expected a list of tokens, as {name}[0] is, got {_kind_of(item)}.")
        return from_tokens(([*item] for item in items), place)
    return _from_arrays(items, name, channels_first)


def _holds_text(item: Any) -> bool:
    """Tell whether a sequence is a flat list, or flat array, of tokens."""
    is_flat = isinstance(item, list | tuple) or getattr(item, "ndim", 1 if hasattr(item, "to_list") else 0) == 1
    return is_flat and len(item) > 0 and isinstance(next(iter(item)), str)


def _kind_of(value: object) -> str:
    is_missing = value is None or (isinstance(value, float) and value != value)
    return "a missing value" if is_missing else f"a value of type {type(value).__name__}"


def _from_array(array: FloatArray, name: str) -> Sequences:
    """Cut an array (N, T, D) or (N, T) into sequences, dropping the NaN padding at their ends."""
    if array.ndim == 1:
        raise DataError(
            f"{name} must hold several sequences. Got a flat array {array.shape}. Reshape your data: if it is one "
            f"sequence, pass [{name}]."
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


def _from_arrays(items: list[Any] | tuple[Any, ...], name: str, channels_first: bool) -> Sequences:
    """Join arrays (T_i, D), or arrays (T_i,) of one feature."""
    arrays = [as_numbers(item, f"{name}[{n}]") for n, item in enumerate(items)]
    if channels_first:
        arrays = [array.T if array.ndim == 2 else array for array in arrays]
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
                f"Got {_features(array)} in shape {array.shape}; the layout is (steps, features)"
                f"{', and channels-first arrays came transposed' * channels_first}."
            )
    flat = [array.reshape(len(array), -1) for array in arrays]
    offsets = offsets_of(np.array([len(array) for array in flat], dtype=np.int64))
    return Sequences(np.ascontiguousarray(np.concatenate(flat)), offsets)


def _features(array: FloatArray) -> str:
    return "one, without an axis for it" if array.ndim == 1 else str(array.shape[1])
