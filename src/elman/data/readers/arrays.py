"""The `.npz` format: arrays by name, read without pickle."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from elman.data.forms import as_sequences
from elman.data.numeric import IntArray, as_numbers
from elman.data.readers.dataset import Dataset, numbered_ids
from elman.data.readers.labels import Where, labels_from_array, text_array, texts_of
from elman.data.readers.source import listed, shown
from elman.data.sequences import Sequences, require_finite
from elman.errors import DataError, FileError

_KNOWN = ("X", "values", "offsets", "y", "labels", "ids", "groups")
_DENSEST = 1100  # bytes that one byte of a zip file can hold, at the very most


def read_arrays(
    path: Path,
    *,
    labels_per_step: bool = False,
    labels_required: bool = True,
    unread: Collection[str] = (),
    missing: str = "error",
) -> Dataset:
    """Read an `.npz` file.

    It holds ``X``, (N, T, D) or (N, T), padded with NaN where ragged; or ``values`` (S, D) and ``offsets`` (N + 1,). It
    may hold ``y`` or ``labels``, (N,), or with labels for each step (S,) or (N, T); ``ids`` (N,); ``groups`` (N,).

    Raises
    ------
    FileError
        If the file is damaged, needs pickle, or its arrays do not fit together.
    """
    arrays, unknown = _load(path)
    names = [*arrays, *unknown]
    try:
        sequences = _sequences(path, arrays, names, missing)
    except DataError as error:
        raise FileError(str(error)) from error
    n = len(sequences)
    if labels_required and not {"y", "labels"} & arrays.keys():
        raise FileError(f"{path}: expected the labels as array 'y', found only {listed(names)}. Add them.")
    labels = None if "label" in unread else _labels(path, arrays, sequences, labels_per_step)
    return Dataset(
        sequences,
        labels,
        ids=_texts(path, arrays, "ids", n) if "ids" in arrays else numbered_ids(n),
        groups=_texts(path, arrays, "groups", n) if "groups" in arrays and "group" not in unread else None,
        per_step=labels_per_step and labels is not None,
        notes=(f"Left out the arrays {listed(unknown)}.",) if unknown else (),
    )


def _load(path: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Give the arrays that have a meaning here by name, and the names of the others."""
    # Damaged bytes make zipfile and NumPy raise a dozen kinds of error, and warn while they parse a damaged header.
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(path) as archive:
            warnings.simplefilter("ignore")
            names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
            for name in set(names):
                if names.count(name) > 1:
                    raise FileError(f"{path}: expected one array of each name, got several named {shown(name)}.")
            known = [name for name in names if name in _KNOWN]
            arrays = {name: _load_array(path, archive, name) for name in known}
    except FileError:
        raise
    except Exception as error:
        raise FileError(
            f"{path}: expected arrays as numpy.savez writes them, but the file cannot be decoded "
            f"({type(error).__name__}). Is it cut short or damaged?"
        ) from error
    return arrays, [name for name in names if name not in _KNOWN]


def _load_array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array after checking that the file holds as many bytes as its header declares."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        shape, dtype = _declared(file)
        size = info.file_size - file.tell()
    if dtype.hasobject:
        raise FileError(
            f"{path}: the array {name!r} holds Python objects, which only pickle can load, and pickle can run code. "
            "Save X padded with NaN, or values and offsets."
        )
    is_possible = info.file_size <= _DENSEST * path.stat().st_size
    if math.prod(shape) * dtype.itemsize != size or not is_possible:
        raise FileError(
            f"{path}: the array {name!r} declares shape {shown(shape)} of {dtype}, but holds {size} bytes. "
            "Is the file damaged?"
        )
    with archive.open(info) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array


def _declared(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(file)
    return shape, dtype


def _sequences(path: Path, arrays: dict[str, NDArray[Any]], names: list[str], missing: str) -> Sequences:
    if "X" in arrays and "values" in arrays:
        raise FileError(f"{path}: expected 'X', or 'values' and 'offsets', got both. Keep one.")
    if "X" in arrays:
        if arrays["X"].ndim not in (2, 3):
            raise FileError(f"{path}: 'X' must have shape (N, T) or (N, T, D). Got {arrays['X'].shape} instead.")
        return as_sequences(arrays["X"], name=f"{path}: X", missing=missing)
    if "values" not in arrays or "offsets" not in arrays:
        found = listed(names) or "no arrays"
        raise FileError(f"{path}: expected the array 'X', or 'values' and 'offsets', found {found}. Rename them.")
    return _from_offsets(path, arrays["values"], arrays["offsets"], missing)


def _from_offsets(path: Path, values: NDArray[Any], offsets: NDArray[Any], missing: str) -> Sequences:
    if offsets.dtype.kind not in "iu":
        raise FileError(f"{path}: 'offsets' must hold whole numbers. Got dtype {offsets.dtype} instead.")
    offsets_int: IntArray = offsets.astype(np.int64)
    try:
        sequences = Sequences(np.ascontiguousarray(as_numbers(values, "'values'")), offsets_int)
    except DataError as error:
        raise FileError(f"{path}: {error}") from error
    if len(sequences) == 0:
        raise FileError(f"{path}: 'offsets' must part at least one sequence. Got none.")
    require_finite(sequences, f"{path}: sequences", missing=missing)
    return sequences


def _labels(path: Path, arrays: dict[str, NDArray[Any]], sequences: Sequences, per_step: bool) -> NDArray[Any] | None:
    found = [name for name in ("y", "labels") if name in arrays]
    if len(found) == 2:
        raise FileError(f"{path}: expected the labels as 'y' or as 'labels', got both. Keep one.")
    if not found:
        return None
    name = found[0]
    labels = arrays[name]
    n_steps = len(sequences.values)
    if per_step and "X" in arrays and labels.shape == arrays["X"].shape[:2]:
        labels = labels[np.arange(labels.shape[1]) < sequences.lengths[:, None]]  # (S,) without padding
    expected = n_steps if per_step else len(sequences)
    if labels.shape != (expected,):
        unit = "step" if per_step else "sequence; for one a step, pass labels_per_step=True"
        raise FileError(
            f"{path}: {name!r} must have shape ({expected},), one label a {unit}. Got {labels.shape} instead."
        )
    return labels_from_array(labels, _place(path, name))


def _texts(path: Path, arrays: dict[str, NDArray[Any]], name: str, n: int) -> NDArray[np.str_]:
    array = arrays[name]
    if array.shape != (n,):
        raise FileError(f"{path}: {name!r} must have shape ({n},), one a sequence. Got {array.shape} instead.")
    if array.dtype.kind not in "biuSUT":
        raise FileError(f"{path}: {name!r} must hold text or whole numbers. Got dtype {array.dtype} instead.")
    where = _place(path, name)
    return text_array(texts_of(array, where), where, name.removesuffix("s"))


def _place(path: Path, name: str) -> Where:
    return lambda i: f"{path}: {name}[{i}]"
