"""Any file that can be read as an `.npz` that can be mapped into memory; a long table goes piece by piece."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.data.archive import Archive
from elman.data.numeric import FloatArray
from elman.data.readers import read, settings_for
from elman.data.readers.dataset import Dataset
from elman.data.readers.settings import TABLES
from elman.data.sequences import Categories
from elman.errors import ParameterError
from elman.output_file import whole_file

if TYPE_CHECKING:
    from elman.data.readers.pieces import TablePieces

_BLOCK = 1 << 16  # rows written at a time where an array is there already
_DTYPES = ("float32", "float64")
_ROLES = ("id", "time", "label", "group")


@dataclass(frozen=True)
class Converted:
    """What `convert` has written.

    Parameters
    ----------
    n_sequences, n_steps, n_features : int
    dtype : str
        Of the values.
    labels : str
        'sequence' or 'step', for one label each, or 'none'.
    has_groups : bool
    notes : tuple of str
        What was guessed, each in one sentence.
    """

    n_sequences: int
    n_steps: int
    n_features: int
    dtype: str
    labels: str
    has_groups: bool
    notes: tuple[str, ...]


def convert(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    id: str | None = None,
    time: str | None = None,
    label: str | None = None,
    group: str | None = None,
    labels_per_step: bool = False,
    categorical: Sequence[str] = (),
    missing: str = "error",
    missing_text: str | Sequence[str] | None = None,
    dtype: str | None = None,
    on_progress: Callable[[float, int], object] | None = None,
) -> Converted:
    """Write a file that `read` reads as an uncompressed `.npz`, whose values `read` can leave on disk.

    A table is read piece by piece. Memory holds some 200 MB for a piece, id, label and group of each sequence, and 4
    bytes for the label of each step. For that the rows of a sequence must stand together, in the order of time.

    Parameters
    ----------
    source : str or path
        A ``.csv``, ``.tsv``, ``.parquet``, ``.ts`` or ``.npz`` file.
    output : str or path
        An ``.npz`` file, written whole or not at all. It holds ``values`` (S, D), ``offsets`` (N + 1,), ``ids``,
        ``feature_names``, and where the source has them ``y`` and ``groups``.
    id, time, label, group, labels_per_step, categorical, missing, missing_text
        As `read` takes them. All labels may be missing, but not some. What a column holds is told from the first piece.
    dtype : {'float32', 'float64'}, optional
        Of the values; None: as they are read, float64 but where a Parquet file has float32 throughout.
    on_progress : callable(share, n_steps), optional
        Called after each piece with the share of the source that is read, and the steps written.

    Raises
    ------
    FileError
        If the source cannot be read, or its rows are out of order; the message gives the line and says how to sort.
    OutputError
        If the output cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table, archive = Path(folder, "gestures.csv"), Path(folder, "gestures.npz")
    ...     _ = table.write_text("id,time,x,label\\na,0,0.5,wave\\na,1,0.7,wave\\nb,0,0.1,rest\\n")
    ...     converted = convert(table, archive)
    ...     dataset = read(archive, memory_map=True)
    ...     values = dataset.sequences.values.tolist()
    >>> converted.n_sequences, converted.n_steps
    (2, 3)
    >>> values, dataset.labels.tolist(), dataset.sequences.feature_names
    ([[0.5], [0.7], [0.1]], ['wave', 'rest'], ('x',))
    """
    source, output = Path(source), Path(output)
    if output.suffix.lower() != ".npz":
        raise ParameterError(f"{output}: expected an output of type .npz, got {output.suffix or 'no suffix'!r}.")
    if dtype not in (None, *_DTYPES):
        raise ParameterError(f"The 'dtype' parameter of convert must be 'float32' or 'float64'. Got {dtype!r} instead.")
    if output.exists() and source.exists() and output.samefile(source):
        raise ParameterError(f"{output}: the output would overwrite the source. Choose another name.")
    labels_required = labels_per_step or label is not None
    columns = {"id": id, "time": time, "label": label, "group": group}
    if source.suffix.lower() in TABLES:
        from elman.data.readers.pieces import TablePieces

        settings = settings_for(
            source, "convert", columns, {}, None, (), labels_per_step, labels_required, categorical, None, "characters",
            missing, missing_text, False,
        )  # fmt: skip
        pieces = TablePieces(source, settings.asked())
        return _write_pieces(output, pieces, labels_per_step, dtype, on_progress)
    dataset = read(
        source,
        id=id,
        time=time,
        label=label,
        group=group,
        labels_per_step=labels_per_step,
        labels_required=labels_required,
        categorical=categorical,
        missing=missing,
        missing_text=missing_text,
    )
    return _write_dataset(output, dataset, dtype)


def _write_pieces(
    output: Path,
    pieces: TablePieces,
    per_step: bool,
    dtype: str | None,
    on_progress: Callable[[float, int], object] | None,
) -> Converted:
    kept: list[np.dtype[Any]] = []  # the dtype of the values

    def blocks() -> Iterator[FloatArray]:
        for block in pieces.blocks():
            kept[:] = [np.dtype(dtype or block.dtype)]
            yield block.astype(kept[0], copy=False)
            if on_progress is not None:
                on_progress(pieces.share, pieces.n_steps)

    with whole_file(output) as file, Archive(file) as archive:
        archive.write_rows("values", blocks())
        archive.write("offsets", pieces.offsets())
        found = pieces.labels()
        if found is not None:
            distinct, codes = found
            archive.write_rows("y", (distinct[piece] for piece in codes))
        ids, groups = np.array(pieces.ids, dtype=np.str_), pieces.groups()
        columns = {role: column for role in _ROLES if (column := getattr(pieces.roles, role)) is not None}
        _write_names(archive, ids, groups, pieces.roles.features, pieces.categories(), columns)
    labels = "none" if found is None else "step" if per_step else "sequence"
    n_features = len(pieces.roles.features)
    return Converted(len(ids), pieces.n_steps, n_features, kept[0].name, labels, groups is not None, pieces.notes)


def _write_dataset(output: Path, dataset: Dataset, dtype: str | None) -> Converted:
    values = dataset.sequences.values
    kept = np.dtype(dtype or values.dtype)
    with whole_file(output) as file, Archive(file) as archive:
        starts = range(0, len(values), _BLOCK)
        archive.write_rows("values", (values[start : start + _BLOCK].astype(kept, copy=False) for start in starts))
        archive.write("offsets", dataset.sequences.offsets)
        if dataset.labels is not None:
            archive.write("y", dataset.labels)
        sequences = dataset.sequences
        _write_names(
            archive, dataset.ids, dataset.groups, sequences.feature_names, sequences.categories, dataset.columns
        )
    labels = "none" if dataset.labels is None else "step" if dataset.per_step else "sequence"
    n_sequences, n_features = len(dataset.sequences), dataset.sequences.n_features
    return Converted(n_sequences, len(values), n_features, kept.name, labels, dataset.groups is not None, dataset.notes)


def _write_names(
    archive: Archive,
    ids: NDArray[np.str_],
    groups: NDArray[np.str_] | None,
    features: tuple[str, ...] | None,
    categories: Categories | None,
    columns: dict[str, str],
) -> None:
    archive.write("ids", ids)
    if groups is not None:
        archive.write("groups", groups)
    if features is not None:
        archive.write("feature_names", np.array(features, dtype=np.str_))
    kinds = [(str(n), name) for n, names in enumerate(categories or ()) for name in names or ()]
    if kinds:
        archive.write("categories", np.array(kinds, dtype=np.str_))
    if columns:
        archive.write("columns", np.array(list(columns.items()), dtype=np.str_))
