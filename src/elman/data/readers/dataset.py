"""What a reader returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.readers.source import shown
from elman.data.sequences import Sequences


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Sequences with what a file says about them.

    Parameters
    ----------
    sequences : Sequences
        N sequences, S steps in all.
    labels : str, int or bool array (N,), or (S,) where ``per_step``; or None
        Where some steps have no label, an array of objects, None for those.
    ids : str array (N,)
        As the file names the sequences, else '0', '1', ... in the order of the file.
    groups : str array (N,), or None
    per_step : bool
        Whether ``labels`` holds one label a step.
    notes : tuple of str
        What was guessed, each in one sentence.
    columns : dict
        From 'id', 'time', 'label' and 'group' to the columns that were read as such, named or guessed.
    texts : tuple of N str, or None
        What was split into tokens, where a column of texts was read.
    """

    sequences: Sequences
    labels: NDArray[Any] | None
    ids: NDArray[np.str_]
    groups: NDArray[np.str_] | None = None
    per_step: bool = False
    notes: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] | None = None

    def place(self, n: int) -> str:
        """Name the n-th label by the sequence, and the step, that it is of."""
        if not self.per_step:
            return f"sequence {shown(str(self.ids[n]))}"
        offsets = self.sequences.offsets
        sequence = int(np.searchsorted(offsets, n, side="right")) - 1
        return f"sequence {shown(str(self.ids[sequence]))}, step {n - offsets[sequence]}"

    def __repr__(self) -> str:
        unit = "step" if self.per_step else "sequence"
        classes = set() if self.labels is None else set(self.labels.tolist()) - {None}
        labels = "no labels" if self.labels is None else f"{len(classes)} classes, one label a {unit}"
        return f"Dataset({self.sequences}, {labels}{', groups' * (self.groups is not None)})"


def numbered_ids(n: int) -> NDArray[np.str_]:
    """Give the ids '0' to 'n - 1', for formats that have none."""
    return np.arange(n).astype(np.str_)
