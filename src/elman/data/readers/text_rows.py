"""Tables of texts, one row a sequence: a column holds a text each, which is split into tokens."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from elman.data.readers.columns import Table, as_text, first_rows, labels, names
from elman.data.readers.dataset import Dataset, numbered_ids
from elman.data.readers.roles import ROLES, Asked, find_text_roles
from elman.data.readers.source import shown
from elman.data.text import from_texts
from elman.errors import DataError, FileError


def read_text_rows(table: Table, asked: Asked, text: str, split: str) -> Dataset:
    """Turn a table of texts into sequences of tokens, in the order of the rows.

    Parameters
    ----------
    table : Table
    asked : Asked
        What the caller says about the columns; an id and a group are optional.
    text : str
        The column that holds the texts.
    split : {'characters', 'words'}

    Raises
    ------
    FileError
        If a text is missing or empty, an id comes twice, or a cell is not what its column needs.
    """
    roles, notes = find_text_roles(table.source, table.frame.columns, asked, text)
    unread = dict.fromkeys(asked.unread)
    wanted = {role: column for role, column in roles.items() if role not in unread}
    texts = _texts(table, text)
    try:
        sequences = from_texts(texts, split, lambda row: table.where(row, text))
    except DataError as error:
        raise FileError(str(error)) from error
    ids, id_notes = _ids(table, wanted.get("id"), is_named=asked.named["id"] is not None)
    notes += id_notes
    found = None
    if "label" in wanted:
        column = wanted["label"]
        if not asked.labels_required and as_text(table, column).null_count() == table.frame.height:
            notes.append(f"Column {shown(column)} is empty: read without labels.")
        else:
            label_of, classes = labels(table, column)
            found = classes[label_of]
    groups = None
    if "group" in wanted:
        group_of, distinct = names(table, wanted["group"], "group")
        groups = np.asarray(distinct[group_of])
    return Dataset(
        sequences,
        found,
        ids,
        groups=groups,
        notes=(f"Read column {shown(text)} as text, split by {split}.", *notes),
        columns={"text": text} | {role: roles[role] for role in ROLES if role in roles},
        texts=tuple(texts),
    )


def _texts(table: Table, column: str) -> list[str]:
    """Give the texts as they stand, spaces included."""
    series = table.frame[column]
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise FileError(
            f"{table.source}, column {shown(column)}: expected text, got {shown(str(series.dtype))}. "
            "Name another column with text=...."
        )
    missing = series.is_null() | (series.cast(pl.String) == "")
    if missing.any():
        row = int(np.argmax(missing.to_numpy()))
        raise FileError(f"{table.where(row, column)}: expected a text, found nothing. Fill it in, or drop the row.")
    return series.cast(pl.String).to_list()


def _ids(table: Table, column: str | None, *, is_named: bool) -> tuple[NDArray[np.str_], list[str]]:
    """Give the ids, and a note where a column that was guessed for them tells no rows apart."""
    if column is None:
        return numbered_ids(table.frame.height), []
    code_of, ids = names(table, column, "sequence id")
    if len(ids) == len(code_of):
        return np.asarray(ids[code_of]), []
    if not is_named:
        return numbered_ids(table.frame.height), [f"Column {shown(column)} repeats: numbered the rows instead."]
    again = int(np.argmax(np.arange(len(code_of)) != first_rows(code_of, len(ids))[code_of]))
    raise FileError(
        f"{table.where(again, column)}: expected each id once, since a row is a sequence, "
        f"got {shown(table.frame[column][again])} again. Name another id column."
    )
