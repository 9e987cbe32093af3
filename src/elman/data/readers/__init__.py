"""Labelled data: files, one module a format, chosen by the suffix of the name; and frames in memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from elman.data.readers.dataset import Dataset
from elman.data.readers.settings import TABLES, Settings
from elman.data.readers.source import check_file
from elman.errors import FileError, ParameterError

__all__ = ["TABLES", "Dataset", "from_frame", "read", "settings_for"]

_SUFFIXES = (".ts", *TABLES, ".npz")


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
    categorical: Sequence[str] = (),
    text: str | None = None,
    text_split: str = "characters",
    missing: str = "error",
    missing_text: str | Sequence[str] | None = None,
    step_length: bool = False,
    memory_map: bool | None = None,
) -> Dataset:
    """Read labelled sequences from a file.

    Parameters
    ----------
    path : str or path
        A ``.ts`` file of the UCR/UEA archive; a long table, one row a step, as ``.csv``, ``.tsv`` or ``.parquet``; or
        an ``.npz`` with ``X`` (N, T, D) or (N, T), or ``values`` (S, D) and ``offsets`` (N + 1,), and ``y``; optionally
        ``ids``, ``groups``, ``feature_names``.
    id, time, label, group : str, optional
        Columns of a table: which sequence a row belongs to, the order of its rows, its class, and what must stay
        together in a split. Those not named are guessed by convention ('id', 'time', 'label', 'group' and the like),
        and each guess is said in ``notes``. All other columns are features; one of text alone, without any number, is
        read as kinds, with ``categories``.
    labels_per_step : bool
        Whether each step has a label of its own. An empty cell of a table is then a step without a label, None in
        ``labels``. Without it, a label that changes within a sequence is an error.
    labels_required : bool
        Whether a file without labels is an error. Without it, ``labels`` is then None.
    likely : mapping, optional
        For a table like one read before, the ``columns`` of that: each is taken for its role where it is there.
    features : sequence of str, optional
        The columns of a table that are features, in order, as a model knows them. All others are ignored, and only
        those in ``categorical`` are kinds.
    unread : collection of str, optional
        Of 'label' and 'group', what is of no use: it is no feature, and may hold anything.
    categorical : sequence of str, optional
        Feature columns that hold kinds, such as numbered ones.
    text : str, optional
        For a table with one row a sequence: the column that holds a text each, which becomes a sequence of tokens.
    text_split : {'characters', 'words'}
        What its tokens are; see `as_sequences`.
    missing : {'error', 'indicator'}
        Whether a missing value of a feature (an empty cell, NaN, 'NA', the '?' of ``.ts``) is an error, or is read as
        NaN, for an estimator with ``missing='indicator'``.
    missing_text : str or sequence of str, optional
        How missing values are written in a table, instead of 'NA' and 'NaN'. It means ``missing='indicator'``.
    step_length : bool
        Whether the time column of a table becomes a feature too: 'step length', the time since the step before, in
        seconds for dates and times of day, else in the column's own unit; 0 at the first step.
    memory_map : bool, optional
        Whether the ``values`` of an ``.npz`` stay on disk, read-only, and come into memory as they are needed. None:
        from 256 MB on, where they lie as `elman.data.convert` writes them: uncompressed and aligned.
        The values, and all that is computed from them, are the same; their checksum is not looked at.

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
    if suffix == ".npz" and features is not None:
        categorical = ()  # the file says itself which of the features that a model knows are kinds
    settings = settings_for(
        path, "read", columns, likely or {}, features, unread, labels_per_step, labels_required, categorical, text,
        text_split, missing, missing_text, step_length,
    )  # fmt: skip
    if memory_map and suffix != ".npz":
        raise ParameterError(f"{path}: only an .npz can be mapped into memory. Convert it with 'elman convert' first.")
    # Imported here so that polars is loaded only for a table.
    if suffix == ".ts":
        from elman.data.readers.ts import read_ts

        return read_ts(
            path,
            labels_per_step=settings.labels_per_step,
            labels_required=settings.labels_required,
            missing=settings.missing,
        )
    if suffix == ".npz":
        from elman.data.readers.arrays import read_arrays

        return read_arrays(
            path,
            labels_per_step=settings.labels_per_step,
            labels_required=settings.labels_required,
            unread=unread,
            missing=settings.missing,
            memory_map=memory_map,
        )
    from elman.data.readers.table import open_table, read_rows
    from elman.data.readers.text_rows import read_text_rows

    table, asked = open_table(path), settings.asked()
    if settings.text is None:
        return read_rows(table, asked)
    return read_text_rows(table, asked, settings.text, text_split)


def settings_for(path: Path, *parameters: Any) -> Settings:
    """Give the checked settings of a reader of a file, in the order of `Settings`; the file is there, of a known type.

    Raises
    ------
    FileError, ParameterError
        If it is not, or a parameter breaks its contract.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise FileError(f"{path}: expected a file of type {', '.join(_SUFFIXES)}, got {suffix or 'no suffix'!r}.")
    settings = Settings(*parameters)
    settings.check()
    if suffix not in TABLES:
        settings.refuse_columns(path)
    check_file(path)
    return settings


def from_frame(
    frame: Any,
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
    categorical: Sequence[str] = (),
    text: str | None = None,
    text_split: str = "characters",
    missing: str = "error",
    missing_text: str | Sequence[str] | None = None,
    step_length: bool = False,
) -> Dataset:
    """Take labelled sequences from a long frame of pandas or polars, one row a step, as `read` does from a table.

    Parameters
    ----------
    frame : DataFrame
        The levels of a pandas index that have a name count as columns; other row numbers do not.
    id, time, label, group, labels_per_step, labels_required, likely, features, unread, categorical, text, text_split, \
    missing, missing_text, step_length
        As of `read`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the frame is none, or malformed; the message gives the row, counted from 0.
    ParameterError
        If a parameter is of the wrong type.

    Examples
    --------
    >>> import polars
    >>> frame = polars.DataFrame(
    ...     {"id": ["a", "a", "b"], "time": [0, 1, 0], "x": [0.5, 0.7, 0.1], "label": ["wave", "wave", "rest"]}
    ... )
    >>> dataset = from_frame(frame)
    >>> dataset.sequences, dataset.labels.tolist()
    (Sequences(2 sequences, 1 to 2 steps, 1 feature, float64), ['wave', 'rest'])
    """
    settings = Settings(
        "from_frame", {"id": id, "time": time, "label": label, "group": group}, likely or {}, features, unread,
        labels_per_step, labels_required, categorical, text, text_split, missing, missing_text, step_length,
    )  # fmt: skip
    settings.check()
    from elman.data.readers.frame import read_frame

    return read_frame(frame, settings.asked(), settings.text, text_split)
