"""What is gathered of a column over all pieces of a long table: names by their codes, and the kinds of a feature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import IntArray
from elman.data.readers.columns import Table, codes, first_rows
from elman.data.readers.kinds import MOST_NAMES, categories, refuse_names
from elman.data.readers.source import listed, shown
from elman.errors import FileError


class Names:
    """The texts of a column, numbered in order of first appearance over all pieces."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.code_of: dict[str, int] = {}
        self.places: list[str] = []  # where each stood first

    def codes(self, table: Table, column: str) -> IntArray:
        """Give the codes (R,) of a piece's rows."""
        code_of, texts = codes(table, column, self.what)
        for text, row in zip(texts, first_rows(code_of, len(texts)).tolist()):
            if text not in self.code_of:
                self.code_of[text] = len(self.code_of)
                self.places.append(table.where(row, column))
        return np.array([self.code_of[text] for text in texts], dtype=np.int64)[code_of]

    def texts(self) -> list[str]:
        """Give all texts by their codes."""
        return list(self.code_of)


class Kinds:
    """The kinds of a feature, numbered in order of first appearance over all pieces."""

    def __init__(self, column: str, *, is_guessed: bool) -> None:
        self.column = column
        self.is_guessed = is_guessed
        self.code_of: dict[str, int] = {}
        self.n_rows = 0  # with a name
        self.is_constant = True  # in each sequence

    def codes(self, table: Table, first_of: IntArray, n_before: int) -> NDArray[np.float64]:
        """Give the codes of a piece's new rows, NaN where missing.

        Parameters
        ----------
        first_of : int64 array (R,)
            The first row here of the sequence of each row.
        n_before : int
            Rows that came with the piece before.
        """
        code_of, texts = categories(table, self.column)
        own = np.array([self.code_of.setdefault(text, len(self.code_of)) for text in texts], dtype=np.float64)
        if len(self.code_of) > MOST_NAMES:
            raise FileError(
                f"{table.source}, column {shown(self.column)}: expected the names of some kinds, got more than "
                f"{MOST_NAMES:,}. Drop the column, or name it as id, time, label or group."
            )
        is_known = ~np.isnan(code_of)
        codes = np.full(len(code_of), np.nan)
        codes[is_known] = own[code_of[is_known].astype(np.int64)]
        self.n_rows += int(np.count_nonzero(is_known[n_before:]))
        self.is_constant &= bool((codes == codes[first_of]).all())
        return codes[n_before:]

    def check(self, source: Path, n_sequences: int) -> None:
        """Raise FileError, once all is read, for what was taken for kinds and is none."""
        if self.is_guessed:
            refuse_names(source, self.column, self.names(), self.n_rows, n_sequences if self.is_constant else None)

    def names(self) -> tuple[str, ...]:
        """Give the names by their codes."""
        return tuple(self.code_of)

    @property
    def note(self) -> str:
        """What was guessed of the column."""
        n = len(self.code_of)
        return f"Read column {shown(self.column)} as text of {n} kind{'s' * (n != 1)}: {listed(self.names())}."
