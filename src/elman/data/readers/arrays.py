"""The `.npz` format: arrays by name, read without pickle."""

from __future__ import annotations

import math
import os
import struct
import warnings
import zipfile
from collections.abc import Collection
from dataclasses import replace
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

_KNOWN = ("X", "values", "offsets", "y", "labels", "ids", "groups", "feature_names", "columns", "categories")
_ROLES = {"id", "time", "label", "group"}
_DENSEST = 1100  # bytes that one byte of a zip file can hold, at the very most
_LARGE = 1 << 28  # bytes of values from which they are mapped into memory without being asked
_LOCAL_HEADER = 30  # bytes of a zip member's own header, before its name and extra field


def read_arrays(
    path: Path,
    *,
    labels_per_step: bool = False,
    labels_required: bool = True,
    unread: Collection[str] = (),
    memory_map: bool | None = None,
    missing: str = "error",
) -> Dataset:
    """Read an `.npz` file.

    It holds ``X``, (N, T, D) or (N, T), padded with NaN where ragged; or ``values`` (S, D) and ``offsets`` (N + 1,). It
    may hold ``y`` or ``labels``, (N,), or with labels for each step (S,) or (N, T); ``ids`` (N,); ``groups`` (N,);
    ``feature_names`` (D,); ``categories`` (K, 2), text, of each kind in the order of its code the number of the feature
    and the name; ``columns`` (R, 2), from roles to the columns of the table that it was converted from.

    Raises
    ------
    FileError
        If the file is damaged, needs pickle, its arrays do not fit together, or ``memory_map`` is True and the values
        are compressed or lie where they cannot be mapped.
    """
    arrays, unknown = _load(path, memory_map)
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
        columns=_columns(path, arrays),
    )


def _load(path: Path, memory_map: bool | None) -> tuple[dict[str, NDArray[Any]], list[str]]:
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
            arrays = {name: _load_array(path, archive, name, memory_map) for name in known}
    except FileError:
        raise
    except MemoryError as error:
        raise FileError(
            f"{path}: the memory does not suffice to load it. Write it with 'elman convert': its values stay on disk."
        ) from error
    except Exception as error:
        raise FileError(
            f"{path}: expected arrays as numpy.savez writes them, but the file cannot be decoded "
            f"({type(error).__name__}). Is it cut short or damaged?"
        ) from error
    return arrays, [name for name in names if name not in _KNOWN]


def _load_array(path: Path, archive: zipfile.ZipFile, name: str, memory_map: bool | None) -> NDArray[Any]:
    """Read one array, or map it, after checking that the file holds as many bytes as its header declares."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        shape, is_by_column, dtype = _declared(file)
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
    if name == "values" and (memory_map or (memory_map is None and size >= _LARGE)):
        mapped = None if is_by_column else _mapped(path, info, shape, dtype)
        if mapped is not None:
            return mapped
        if memory_map:
            raise FileError(
                f"{path}: the array 'values' is compressed, empty or out of line, and cannot be mapped into memory. "
                "Write the file with 'elman convert'."
            )
    with archive.open(info) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array


def _mapped(path: Path, info: zipfile.ZipInfo, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Map an array, None where it is compressed, empty or not aligned to its type."""
    if info.compress_type != zipfile.ZIP_STORED or not math.prod(shape):
        return None
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name_size, extra_size = struct.unpack("<HH", file.read(_LOCAL_HEADER)[-4:])
        file.seek(name_size + extra_size, os.SEEK_CUR)
        _declared(file)  # raises where the sizes are damaged
        start = file.tell()
    if start % dtype.itemsize:
        return None
    return np.asarray(np.memmap(path, dtype, mode="r", offset=start, shape=shape))


def _declared(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_by_column, dtype = header(file)
    return shape, is_by_column, dtype


def _sequences(path: Path, arrays: dict[str, NDArray[Any]], names: list[str], missing: str) -> Sequences:
    if "X" in arrays and "values" in arrays:
        raise FileError(f"{path}: expected 'X', or 'values' and 'offsets', got both. Keep one.")
    if "X" in arrays:
        if arrays["X"].ndim not in (2, 3):
            raise FileError(f"{path}: 'X' must have shape (N, T) or (N, T, D). Got {arrays['X'].shape} instead.")
        sequences = as_sequences(arrays["X"], name=f"{path}: X", missing=missing)
        return _described(path, arrays, sequences, missing)
    if "values" not in arrays or "offsets" not in arrays:
        found = listed(names) or "no arrays"
        raise FileError(f"{path}: expected the array 'X', or 'values' and 'offsets', found {found}. Rename them.")
    return _from_offsets(path, arrays, missing)


def _from_offsets(path: Path, arrays: dict[str, NDArray[Any]], missing: str) -> Sequences:
    values, offsets = arrays["values"], arrays["offsets"]
    if offsets.dtype.kind not in "iu":
        raise FileError(f"{path}: 'offsets' must hold whole numbers. Got dtype {offsets.dtype} instead.")
    offsets_int: IntArray = offsets.astype(np.int64)
    try:
        sequences = Sequences(np.ascontiguousarray(as_numbers(values, "'values'")), offsets_int)
    except DataError as error:
        raise FileError(f"{path}: {error}") from error
    if len(sequences) == 0:
        raise FileError(f"{path}: 'offsets' must part at least one sequence. Got none.")
    return _described(path, arrays, sequences, missing)


def _described(path: Path, arrays: dict[str, NDArray[Any]], sequences: Sequences, missing: str) -> Sequences:
    """Give the sequences with the names of features and kinds, and their values checked."""
    names = _feature_names(path, arrays, sequences.n_features)
    try:
        sequences = replace(sequences, feature_names=names, categories=_categories(path, arrays, sequences.n_features))
    except DataError as error:
        raise FileError(f"{path}: {error}") from error
    require_finite(sequences, f"{path}: sequences", missing=missing)
    return sequences


def _categories(
    path: Path, arrays: dict[str, NDArray[Any]], n_features: int
) -> tuple[tuple[str, ...] | None, ...] | None:
    if "categories" not in arrays:
        return None
    array = arrays["categories"]
    known = {str(feature) for feature in range(n_features)}
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind != "U" or not set(array[:, 0].tolist()) <= known:
        raise FileError(
            f"{path}: 'categories' must hold rows of the number of a feature, 0 to {n_features - 1}, and a name, as "
            f"text. Got {array.dtype} of shape {array.shape} instead; leave it out."
        )
    names_of: dict[str, list[str]] = {}
    for feature, name in array.tolist():
        names_of.setdefault(feature, []).append(name)
    return tuple(tuple(names_of[n]) if n in names_of else None for n in map(str, range(n_features)))


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


def _feature_names(path: Path, arrays: dict[str, NDArray[Any]], n_features: int) -> tuple[str, ...] | None:
    if "feature_names" not in arrays:
        return None
    return tuple(_texts(path, arrays, "feature_names", n_features, "feature").tolist())


def _columns(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, str]:
    """Give the columns of the table that the file was converted from, by role."""
    if "columns" not in arrays:
        return {}
    array = arrays["columns"]
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind != "U" or not set(array[:, 0].tolist()) <= _ROLES:
        raise FileError(
            f"{path}: 'columns' must hold rows of a role ({listed(sorted(_ROLES))}) and a column, as text. "
            f"Got {array.dtype} of shape {array.shape} instead; leave it out."
        )
    return dict(array.tolist())


def _texts(path: Path, arrays: dict[str, NDArray[Any]], name: str, n: int, unit: str = "sequence") -> NDArray[np.str_]:
    array = arrays[name]
    if array.shape != (n,):
        raise FileError(f"{path}: {name!r} must have shape ({n},), one a {unit}. Got {array.shape} instead.")
    if array.dtype.kind not in "biuSUT":
        raise FileError(f"{path}: {name!r} must hold text or whole numbers. Got dtype {array.dtype} instead.")
    where = _place(path, name)
    return text_array(texts_of(array, where), where, name.removesuffix("s"))


def _place(path: Path, name: str) -> Where:
    return lambda i: f"{path}: {name}[{i}]"
