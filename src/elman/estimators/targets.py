"""Targets: what is labelled, one label a sequence or one a step, and which steps are left without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.errors import DataError
from elman.estimators.labels import Codes, Labels, as_column, as_labels, encode, family, mixed, typed

UNLABELLED = -1  # the code of a step without a label


@dataclass(frozen=True, eq=False)
class Targets:
    """The labels of N sequences, or of S steps.

    Parameters
    ----------
    labels : str, int64 or bool array (L,)
        The labels that there are, in order.
    labelled : bool array (N,) or (S,)
        Where they are; L of them are True.
    """

    labels: Labels
    labelled: NDArray[np.bool_]

    @classmethod
    def of_sequences(cls, y: Any, sequences: Sequences, *, name: str = "y") -> Targets:
        """Read one label for each sequence; every one must have its own.

        Raises
        ------
        DataError
            If a label is missing, labels are of mixed types or numbers with a fraction, or their count is wrong.
        """
        labels = as_labels(_given(y, name), name)
        if len(labels) != len(sequences):
            raise DataError(
                f"{name} must hold one label for each sequence, {len(sequences)}. Got {len(labels)} instead; "
                "for one label a step use SequenceTagger."
            )
        return cls(labels, np.ones(len(labels), dtype=bool))

    @classmethod
    def of_steps(cls, y: Any, sequences: Sequences, *, unlabelled: Any = None, name: str = "y") -> Targets:
        """Read one label for each step: a list of N arrays (T_n,), an array (N, T), or a flat array (S,).

        None, NaN, what a masked array hides, and the label ``unlabelled`` stand for no label.

        Raises
        ------
        DataError
            As for `of_sequences`, or if no step has a label.
        """
        rows = _rows(_given(y, name), sequences, name)
        columns = [(y, name)] if rows is None else [(row, f"{name}[{n}]") for n, row in enumerate(rows)]
        parts: list[Labels] = []
        masks: list[NDArray[np.bool_]] = []
        for row, place in columns:
            labels, marked = _of_column(row, unlabelled, place)
            if labels is not None and parts and labels.dtype.kind != parts[0].dtype.kind:
                raise mixed(place, labels[0].item(), parts[0][0].item())
            if labels is not None:
                parts.append(labels)
            masks.append(~marked)
        labelled = np.concatenate(masks)
        if len(labelled) != len(sequences.values):
            raise DataError(
                f"{name} must hold one label for each step, {len(sequences.values)}. Got {len(labelled)} instead."
            )
        if not parts:
            raise DataError(f"{name} must hold at least one label. Got {len(labelled)} steps without.")
        return cls(np.concatenate(parts), labelled)

    def where(self, chosen: NDArray[np.bool_]) -> Targets:
        """Give the same targets without the labels outside of ``chosen``, bool (N,) or (S,)."""
        return Targets(self.labels[chosen[self.labelled]], self.labelled & chosen)

    def codes(self, classes: Labels, *, place_of: Callable[[int], str] = "y[{}]".format) -> Codes:
        """Give the code of every label among the sorted ``classes``, (N,) or (S,), -1 where there is none."""
        places = np.flatnonzero(self.labelled)
        codes = np.full(len(self.labelled), UNLABELLED, dtype=np.int64)
        codes[places] = encode(self.labels, classes, place_of=lambda n: place_of(int(places[n])))
        return codes


def _given(y: Any, name: str) -> Any:
    if y is None:
        raise DataError(f"{name} must hold the labels: requires y to be passed, but the target y is None.")
    return y


def _rows(y: Any, sequences: Sequences, name: str) -> list[Any] | None:
    """Give the labels of each sequence where they come so, without what pads an array; None where they come flat."""
    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    is_padded = isinstance(y, np.ndarray) and y.ndim == 2
    rows = list(y)
    if not is_padded and (not rows or isinstance(rows[0], str | bytes) or np.ndim(rows[0]) == 0):
        return None
    if len(rows) != len(sequences):
        raise DataError(f"{name} must hold the labels of {len(sequences)} sequences. Got those of {len(rows)} instead.")
    for n, length in enumerate(sequences.lengths.tolist()):
        if is_padded:
            rows[n] = rows[n][:length]
        found = len(rows[n]) if hasattr(rows[n], "__len__") else 1
        if found != length:
            raise DataError(
                f"{name}[{n}] must hold one label for each step of its sequence, {length}. Got {found} instead."
            )
    return rows


def _of_column(y: Any, unlabelled: Any, name: str) -> tuple[Labels | None, NDArray[np.bool_]]:
    """Give the labels of one flat array, None where there are none, and which of its steps have none."""
    column = as_column(y, name)
    marked = _marked(column, unlabelled)
    if isinstance(y, np.ma.MaskedArray):
        marked |= np.ma.getmaskarray(y).reshape(-1)
    if marked.all():
        return None, marked
    if marked.any():  # filled rather than cut, so that an error gives the place in what was passed
        column = np.where(marked, column[int(np.argmin(marked))], column)
    return typed(column, name)[~marked], marked


def _marked(column: Labels, unlabelled: Any) -> NDArray[np.bool_]:
    if column.dtype == object:
        values = [value.item() if isinstance(value, np.generic) else value for value in column.tolist()]
        return np.array([_is_missing(value) or _same(value, unlabelled) for value in values], dtype=bool)
    marked = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
    if unlabelled is not None and len(column) and family(column[0].item()) == family(unlabelled):
        marked |= column == unlabelled
    return marked


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType"


def _same(value: Any, unlabelled: Any) -> bool:
    return unlabelled is not None and family(value) == family(unlabelled) and bool(value == unlabelled)
