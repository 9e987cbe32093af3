"""Labelled files: one module a format, chosen by the suffix of the file's name."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from elman.data.readers.dataset import Dataset
from elman.data.readers.source import check_file
from elman.errors import FileError, ParameterError

__all__ = ["Dataset", "read"]

_TABLES = (".csv", ".tsv", ".parquet")
_SUFFIXES = (".ts", *_TABLES, ".npz")


def read(
    path: str | os.PathLike[str],
    *,
    id: str | None = None,
    time: str | None = None,
    label: str | None = None,
    group: str | None = None,
    labels_per_step: bool = False,
    labels_required: bool = True,
    likely: Mapping[str, str] | None = None,
    features: Sequence[str] | None = None,
    unread: Collection[str] = (),
) -> Dataset:
    """Read labelled sequences from a file.

    Parameters
    ----------
    path : str or path
        A ``.ts`` file of the UCR/UEA archive; a long table, one row a step, as ``.csv``, ``.tsv`` or ``.parquet``; or
        an ``.npz`` with ``X`` (N, T, D) or (N, T), or ``values`` (S, D) and ``offsets`` (N + 1,), and ``y``.
    id, time, label, group : str, optional
        Columns of a table: which sequence a row belongs to, the order of its rows, its class, and what must stay
        together in a split. Those not named are guessed by convention ('id', 'time', 'label', 'group' and the like),
        and each guess is said in ``notes``. All other columns are features.
    labels_per_step : bool
        Whether each step has a label of its own. Without it, a label that changes within a sequence is an error.
    labels_required : bool
        Whether a file without labels is an error. Without it, ``labels`` is then None.
    likely : mapping, optional
        For a table like one read before, the ``columns`` of that: each is taken for its role where it is there.
    features : sequence of str, optional
        The columns of a table that are features, in order, as a model knows them. All others are ignored.
    unread : collection of str, optional
        Of 'label' and 'group', what is of no use: it is no feature, and may hold anything.

    Returns
    -------
    Dataset

    Raises
    ------
    FileError
        If the file is missing, unreadable, cut short or malformed; the message says where.
    ParameterError
        If a parameter is of the wrong type, or names a column of a file that has none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder, "gestures.csv")
    ...     _ = table.write_text("id,time,x,label\\na,0,0.5,wave\\na,1,0.7,wave\\nb,0,0.1,rest\\n")
    ...     dataset = read(table)
    >>> dataset.sequences
    Sequences(2 sequences, 1 to 2 steps, 1 feature, float64)
    >>> dataset.labels.tolist(), dataset.ids.tolist()
    (['wave', 'rest'], ['a', 'b'])
    >>> dataset.notes[0]
    "Read column 'id' as the sequence id."
    """
    if not isinstance(path, str | os.PathLike):
        raise ParameterError(f"The 'path' parameter of read must be a str or a path. Got {path!r} instead.")
    path = Path(path)
    columns = {"id": id, "time": time, "label": label, "group": group}
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise FileError(f"{path}: expected a file of type {', '.join(_SUFFIXES)}, got {suffix or 'no suffix'!r}.")
    _check_columns(path, suffix, columns)
    if not {"label", "group"}.issuperset(unread):
        raise ParameterError(f"The 'unread' parameter of read must hold 'label' and 'group' at most. Got {unread!r}.")
    check_file(path)
    if "label" in unread:
        labels_required = labels_per_step = False
    # Imported here so that polars is loaded only for a table.
    if suffix == ".ts":
        from elman.data.readers.ts import read_ts

        return read_ts(path, labels_per_step=labels_per_step, labels_required=labels_required)
    if suffix == ".npz":
        from elman.data.readers.arrays import read_arrays

        return read_arrays(path, labels_per_step=labels_per_step, labels_required=labels_required, unread=unread)
    from elman.data.readers.roles import Asked
    from elman.data.readers.table import read_table

    asked = Asked(columns, likely or {}, None if features is None else tuple(features), unread)
    return read_table(path, asked, labels_per_step=labels_per_step, labels_required=labels_required)


def _check_columns(path: Path, suffix: str, columns: dict[str, str | None]) -> None:
    for role, column in columns.items():
        if column is None:
            continue
        if not isinstance(column, str):
            raise ParameterError(f"The {role!r} parameter of read must name a column. Got {column!r} instead.")
        if suffix not in _TABLES:
            raise ParameterError(
                f"{path}: only a table ({', '.join(_TABLES)}) has columns to name. "
                f"Got {role} column {column!r}; leave it out."
            )
