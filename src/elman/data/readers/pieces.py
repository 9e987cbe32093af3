"""A long table read piece by piece: what its sequences hold as blocks of values, what is known of them gathered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.numeric import FloatArray, IntArray
from elman.data.readers.columns import Table, as_text, codes, numbers
from elman.data.readers.csv_file import read_csv_in_pieces
from elman.data.readers.gathered import Kinds, Names
from elman.data.readers.kinds import holds_text
from elman.data.readers.labels import LONGEST, labels_from_text, text_array
from elman.data.readers.parquet_file import read_parquet_in_pieces
from elman.data.readers.roles import Asked, Roles, find_roles
from elman.data.readers.source import listed, shown
from elman.data.readers.table import SEPARATORS
from elman.data.readers.times import sort_keys
from elman.errors import FileError


@dataclass(frozen=True)
class _Last:
    """The last row of a piece, which the next one begins with: so times and labels are compared across the cut."""

    frame: pl.DataFrame
    place: str


class TablePieces:
    """Reads a long table whose sequences stand together, each in the order of time, in bounded memory.

    After `blocks` has come to its end, ``lengths``, ``ids``, `labels` and `groups` hold what it has gathered.

    Parameters
    ----------
    path : Path
    asked : Asked
        What the caller says about the columns.

    Raises
    ------
    FileError
        If the columns that are asked for are not there.
    """

    def __init__(self, path: Path, asked: Asked) -> None:
        suffix = path.suffix.lower()
        pieces = read_csv_in_pieces(path, SEPARATORS[suffix]) if suffix in SEPARATORS else read_parquet_in_pieces(path)
        columns, self._tables = pieces
        self.roles: Roles = find_roles(path, columns, asked)
        self._path, self._asked = path, asked
        self._per_step = asked.labels_per_step
        self._kinds: dict[str, Kinds] = {}  # of the features that hold kinds
        self.ids: list[str] = []
        self._seen: set[str] = set()
        self.starts: list[IntArray] = []  # (n,) of each piece: the row of the whole in which a sequence begins
        self.n_steps = 0
        self.share = 0.0  # of the file that is read
        self._labels, self._groups = Names("label"), Names("group")
        self._label_codes: list[NDArray[np.int32]] = []
        self._group_codes: list[NDArray[np.int32]] = []
        self._labels_are_text = False
        self._same_number: dict[tuple[int, int], str] = {}  # labels of one sequence that may be one, with their place
        self._empty: str | None = None  # the label column, where it holds nothing

    def blocks(self) -> Iterator[FloatArray]:
        """Give the values (R, D) of piece after piece."""
        last: _Last | None = None
        for share, piece in self._tables:
            self.share = share
            piece = replace(piece, missing=self._asked.missing)
            self._look_at(piece, is_first=last is None)
            table = piece if last is None else _after(last, piece)
            n_before = 0 if last is None else 1  # rows that came with the piece before
            starts = self._sequences(table, n_before)
            first_of = _first_rows_of(starts, table.frame.height, n_before)
            self._gather(table, starts, first_of, n_before)
            self.starts.append(starts + (self.n_steps - n_before))
            self.n_steps += table.frame.height - n_before
            last = _Last(piece.frame[-1:], piece.place(piece.frame.height - 1))
            yield np.column_stack(
                [self._feature(table, feature, first_of, n_before) for feature in self.roles.features]
            )
        for kinds in self._kinds.values():
            kinds.check(self._path, len(self.ids))

    def offsets(self) -> IntArray:
        """Give the offsets (N + 1,)."""
        return np.concatenate([*self.starts, [self.n_steps]]).astype(np.int64)

    def labels(self) -> tuple[NDArray[Any], list[NDArray[np.int32]]] | None:
        """Give the distinct labels (M,) and, piece by piece, the index among them of each sequence, or of each step."""
        if self.roles.label is None:
            return None
        typed = text_array if self._labels_are_text else labels_from_text
        distinct = typed(self._labels.texts(), self._labels.places.__getitem__)
        for (expected, found), place in self._same_number.items():
            if distinct[expected] != distinct[found]:
                raise _changed(place, "label", *(self._labels.texts()[code] for code in (expected, found)))
        return distinct, self._label_codes

    def categories(self) -> tuple[tuple[str, ...] | None, ...] | None:
        """Give the names of the kinds of each feature that holds kinds; None where none does."""
        if not self._kinds:
            return None
        features = self.roles.features
        return tuple(self._kinds[name].names() if name in self._kinds else None for name in features)

    def _find_kinds(self, table: Table) -> None:
        """Learn from the first piece which features hold kinds; what is a number there stays one."""
        asked = self._asked
        for feature in self.roles.features:
            if feature in asked.categorical or (asked.guess_categories and holds_text(table, feature)):
                self._kinds[feature] = Kinds(feature, is_guessed=feature not in asked.categorical)

    def _feature(self, table: Table, feature: str, first_of: IntArray, n_before: int) -> FloatArray:
        """Give a column of the new rows."""
        if feature in self._kinds:
            return self._kinds[feature].codes(table, first_of, n_before)
        return numbers(table, feature)[n_before:]

    def groups(self) -> NDArray[np.str_] | None:
        """Give the group of each sequence (N,)."""
        if self.roles.group is None:
            return None
        texts = text_array(self._groups.texts(), self._groups.places.__getitem__, "group")
        return np.asarray(texts[np.concatenate(self._group_codes)])

    def _look_at(self, table: Table, *, is_first: bool) -> None:
        """Learn from the first piece what a label is, and whether there are any; if not, none may come later."""
        if is_first:
            self._find_kinds(table)
        label = self._empty or self.roles.label
        if label is None or not (is_first or self._empty):
            return
        dtype = table.frame[label].dtype
        self._labels_are_text = not table.is_text and dtype in (pl.String, pl.Categorical, pl.Enum)
        texts = as_text(table, label)
        if texts.null_count() == table.frame.height and not self._per_step:
            self._empty = label
            self.roles = replace(self.roles, label=None)
        elif self._empty:
            row = int(np.argmax(texts.is_not_null().to_numpy()))
            raise FileError(
                f"{table.where(row, label)}: expected no label, since the rows before have none, "
                f"got {shown(texts[row])}. Fill in the labels, or drop the column."
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed, each in one sentence."""
        empty = () if self._empty is None else (f"Column {shown(self._empty)} is empty: read without labels.",)
        return (*self.roles.notes, *(kinds.note for kinds in self._kinds.values()), *empty)

    def _sequences(self, table: Table, n_before: int) -> IntArray:
        """Give the rows in which new sequences begin, after checking that none comes again and that times rise."""
        id_of, texts = codes(table, self.roles.id, "sequence id")  # (R,)
        is_start = np.append(n_before == 0, id_of[1:] != id_of[:-1])
        starts = np.flatnonzero(is_start)
        for row in starts.tolist():
            name = texts[int(id_of[row])]
            if name in self._seen:
                raise FileError(
                    f"{table.where(row, self.roles.id)}: expected the rows of a sequence to stand together, "
                    f"got sequence {shown(name)} again after {shown(self.ids[-1])}. {self._sort()}"
                )
            if len(name) > LONGEST or "\n" in name or "\r" in name or "\0" in name:
                text_array([name], lambda _: table.where(row, self.roles.id), "sequence id")  # noqa: B023
            self._seen.add(name)
            self.ids.append(name)
        self._check_times(table, is_start, texts, id_of)
        return starts

    def _check_times(self, table: Table, is_start: NDArray[np.bool_], texts: list[str], id_of: IntArray) -> None:
        column = self.roles.time
        if column is None:
            return
        times = sort_keys(table, column)
        falls = ~is_start[1:] & (times[1:] <= times[:-1])
        if not falls.any():
            return
        row = int(np.argmax(falls)) + 1
        before, now = (shown(table.frame[column][r]) for r in (row - 1, row))
        in_sequence = f"in sequence {shown(texts[int(id_of[row])])}"
        if times[row] == times[row - 1]:
            raise FileError(
                f"{table.where(row, column)}: expected each time once in a sequence, got {now} again {in_sequence}. "
                "Drop one of the rows, or name another time or id column."
            )
        raise FileError(
            f"{table.where(row, column)}: expected times that rise, got {now} after {before} {in_sequence}. "
            f"{self._sort()}"
        )

    def _gather(self, table: Table, starts: IntArray, first_of: IntArray, n_before: int) -> None:
        """Keep labels and groups of the new sequences, or the labels of the new steps."""
        if self.roles.label is not None:
            label_of = self._labels.codes(table, self.roles.label)
            if not self._per_step:
                self._require_constant(table, self.roles.label, self._labels, label_of, first_of)
            kept = label_of[n_before:] if self._per_step else label_of[starts]
            self._label_codes.append(kept.astype(np.int32))
        if self.roles.group is not None:
            group_of = self._groups.codes(table, self.roles.group)
            self._require_constant(table, self.roles.group, self._groups, group_of, first_of)
            self._group_codes.append(group_of[starts].astype(np.int32))

    def _require_constant(self, table: Table, column: str, names: Names, code_of: IntArray, first_of: IntArray) -> None:
        """Raise FileError where a value differs from the first of its sequence here.

        Whether the labels 1 and 1.0 do is known once all are.
        """
        differs = np.flatnonzero(code_of != code_of[first_of])
        texts = names.texts() if len(differs) else []
        for row in differs.tolist():
            expected, found = texts[int(code_of[first_of[row]])], texts[int(code_of[row])]
            if names.what == "label" and not self._labels_are_text and _are_equal_numbers(expected, found):
                pair = int(code_of[first_of[row]]), int(code_of[row])
                self._same_number.setdefault(pair, table.where(row, column))
                continue
            raise _changed(table.where(row, column), names.what, expected, found)

    def _sort(self) -> str:
        columns = [column for column in (self.roles.id, self.roles.time) if column is not None]
        return f"Sort the file by {listed(columns)} first."


def _changed(place: str, what: str, expected: str, found: str) -> FileError:
    advice = "pass labels_per_step=True" if what == "label" else "name another group column"
    return FileError(
        f"{place}: expected one {what} in a sequence, {shown(expected)} as above, got {shown(found)}. "
        f"Fix the file, or {advice}."
    )


def _first_rows_of(starts: IntArray, n_rows: int, n_before: int) -> IntArray:
    """Give for each row (R,) the first row here of its sequence."""
    is_start = np.zeros(n_rows, dtype=np.int64)
    is_start[starts] = 1
    first = np.append(0, starts) if n_before else starts  # of each sequence that has rows here
    return np.asarray(first[np.cumsum(is_start) - (0 if n_before else 1)])


def _after(last: _Last, piece: Table) -> Table:
    """Give a piece with the last row of the one before on top."""

    def place(row: int) -> str:
        return piece.place(row - 1) if row else last.place

    return Table(piece.source, pl.concat([last.frame, piece.frame]), place, piece.is_text, piece.missing)


def _are_equal_numbers(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
