"""Saved models: a safetensors file whose metadata holds everything but the arrays as JSON. Loading executes nothing.

The file is read with distrust: its header is held against its size, every field against its range and every array
against the architecture before anything is built, and a SHA-256 over the whole file (with the digest itself blanked)
tells whether a byte was changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from elman import __version__
from elman.data.stored import array_shapes, rebuilt
from elman.errors import DataError, ModelFileError
from elman.metadata import FORMAT_VERSION, BrokenModelError, Metadata, read_metadata
from elman.output_file import write_whole

_LARGEST_HEADER = 100_000_000  # bytes; safetensors has the same bound
_BLANK = "0" * 64
_BEFORE_DIGEST = '\\"checksum\\":\\"'  # JSON inside a JSON string
_CODES = {"float32": "F32", "float64": "F64"}
_OF_NUMBERS, _OF_NAMES = 6, 3  # statistics of each column, for the baseline; one more is the length

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Model:
    """All that a file holds.

    Parameters
    ----------
    metadata : Metadata
    members : list of dict
        The parameters of each network by name, in the dtype of the model.
    preparation : dict
        The arrays of the preparation by name, float64.
    baselines : dict
        The arrays of the baselines by name, float64.
    """

    metadata: Metadata
    members: Sequence[Mapping[str, Array]]
    preparation: Mapping[str, Array]
    baselines: Mapping[str, Array]


def save_model(path: str | os.PathLike[str], model: Model) -> None:
    """Write a model, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    DataError
        If the model holds what could not be read again, such as a label of more than 10,000 characters.
    """
    from safetensors.numpy import save

    tensors = {_of_member(n, name): array for n, each in enumerate(model.members) for name, array in each.items()}
    tensors |= {f"preparation.{name}": array for name, array in model.preparation.items()}
    tensors |= {f"baseline.{name}": array for name, array in model.baselines.items()}
    metadata = {"format_version": FORMAT_VERSION, "checksum": _BLANK, **asdict(model.metadata)}
    text = json.dumps(metadata, separators=(",", ":"), allow_nan=False)
    try:
        read_metadata({name: value for name, value in json.loads(text).items() if name in asdict(model.metadata)})
    except BrokenModelError as broken:
        raise DataError(f"{path}: the model cannot be saved, since it could not be read again: {broken}") from broken
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {"elman": text})
    digest = hashlib.sha256(content).hexdigest()
    write_whole(path, content.replace(_digest_field(_BLANK), _digest_field(digest), 1))


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model after checking everything about it.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is damaged, edited, of a newer format or no model at all.
    """
    try:
        with _opened(Path(path)) as file:
            return _read(file)
    except BrokenModelError as broken:
        raise ModelFileError(f"{path}: {broken}") from broken
    except OSError as error:
        raise ModelFileError(f"{path}: the file cannot be read: {error.strerror or error}. Check the path.") from error
    except RecursionError as error:
        raise ModelFileError(f"{path}: the model file is damaged: its metadata is nested too deeply.") from error
    except MemoryError as error:
        raise ModelFileError(f"{path}: the file is too large for this machine's memory.") from error


def tensor_shapes(metadata: Metadata) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Give dtype and shape of every array that a file with this metadata must hold."""
    architecture = metadata.network()
    n_classes = architecture.n_classes
    n_numbers, n_names = rebuilt(metadata.preparation, {}).n_summarised
    n_statistics = _OF_NUMBERS * n_numbers + _OF_NAMES * n_names + 1
    shapes = {
        _of_member(n, name): (metadata.dtype, shape)
        for n in range(metadata.n_members)
        for name, shape in architecture.parameter_shapes().items()
    }
    others: dict[str, tuple[int, ...]] = {
        "baseline.prior": (n_classes,),
        "baseline.mean": (n_statistics,),
        "baseline.scale": (n_statistics,),
        "baseline.coefficients": (n_classes, n_statistics),
        "baseline.intercept": (n_classes,),
    }
    others |= {f"preparation.{name}": shape for name, shape in array_shapes(metadata.preparation).items()}
    return shapes | {name: ("float64", shape) for name, shape in others.items()}


def _of_member(n: int, name: str) -> str:
    """Give what a parameter of the n-th network is called in a file; those of the first are called as they are."""
    return f"member.{n}.{name}" if n else name


def _opened(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise BrokenModelError("expected a model file, got a folder. Name a file in it.")
        if not path.exists():
            raise BrokenModelError("there is no such file. Check the path, or train a model with 'elman train'.")
        if not path.is_file():
            raise BrokenModelError("expected a model file, got a device or pipe.")
        return path.open("rb")
    except ValueError as error:  # a NUL character in the path
        if isinstance(error, BrokenModelError):
            raise
        raise BrokenModelError(f"there is no such file: {error}.") from error


def _read(file: BinaryIO) -> Model:
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    header_size = int.from_bytes(start, "little")
    if size < 10 or header_size > min(size - 8, _LARGEST_HEADER):
        raise BrokenModelError("this is not a model that elman wrote, or one cut short.")
    header_bytes = file.read(header_size)
    header = _json(header_bytes, "header")
    outer = header.pop("__metadata__", None)
    if not isinstance(outer, dict) or not isinstance(outer.get("elman"), str):
        raise BrokenModelError("this is not a model that elman wrote: a safetensors file without elman's metadata.")
    fields = _json(outer["elman"].encode("utf-8", "surrogatepass"), "metadata")
    _check_version(fields.pop("format_version", None), fields.get("elman_version"))
    digest = fields.pop("checksum", None)
    metadata = read_metadata(fields)
    shapes = _check_tensors(header, metadata, size - 8 - header_size)
    content = start + header_bytes + file.read()
    _check_digest(content, digest, 8 + header_size)
    return _build(content, metadata, shapes)


def _json(content: bytes, what: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenModelError(
            f"the {what} of the model file is damaged: it is not JSON. Train the model again."
        ) from error
    if not isinstance(value, dict):
        raise BrokenModelError(
            f"the {what} of the model file is damaged: expected an object, got {type(value).__name__}."
        )
    return value


def _check_version(version: object, written_by: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BrokenModelError(
            f"the model file is damaged: expected a format version of at least 1, got {str(version)[:40]!r}."
        )
    if version > FORMAT_VERSION:
        needed = f"elman {written_by[:20]}" if isinstance(written_by, str) else "a newer elman"
        raise BrokenModelError(
            f"the model is of format {version}; this elman {__version__} reads formats up to {FORMAT_VERSION}. "
            f"Install {needed} or later."
        )


def _check_tensors(header: dict[str, Any], metadata: Metadata, n_bytes: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Hold the arrays that the header lists, and the bytes that are there, against the architecture."""
    for n, things in ((metadata.architecture["num_layers"], "layers"), (metadata.n_members, "networks")):
        if n > len(header):  # before a list of names is made of it
            raise BrokenModelError(f"the model file is damaged: expected {n} {things}, got fewer.")
    shapes = tensor_shapes(metadata)
    if header.keys() != shapes.keys():
        name = sorted(header.keys() ^ shapes.keys())[0]
        state = "missing" if name in shapes else "not expected"
        raise BrokenModelError(f"the model file is damaged: the array {name[:60]!r} is {state}. Train the model again.")
    for name, (dtype, shape) in shapes.items():
        entry = header[name]
        found = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else entry
        if found != (_CODES[dtype], list(shape)):
            raise BrokenModelError(
                f"the model file is damaged: expected the array {name!r} as {dtype} of shape {shape}, "
                f"got {str(found)[:80]}. Train the model again."
            )
    expected = sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in shapes.values())
    if expected != n_bytes:
        raise BrokenModelError(
            f"the model file is cut short or damaged: expected {expected} bytes of arrays, got {n_bytes}."
        )
    return shapes


def _digest_field(digest: str) -> bytes:
    return (_BEFORE_DIGEST + digest).encode()


def _check_digest(content: bytes, digest: object, header_end: int) -> None:
    is_digest = isinstance(digest, str) and len(digest) == 64 and digest.isascii()
    field = _digest_field(str(digest) if is_digest else _BLANK)
    at = content.find(field, 0, header_end)
    blanked = content[:at] + _digest_field(_BLANK) + content[at + len(field) :] if at >= 0 else b""
    if not is_digest or hashlib.sha256(blanked).hexdigest() != digest:
        raise BrokenModelError(
            "the model file was damaged or edited since it was saved: its checksum differs. Train it again."
        )


def _build(content: bytes, metadata: Metadata, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> Model:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BrokenModelError(
            "the model file is damaged: its arrays cannot be decoded. Train the model again."
        ) from error
    for name in shapes:
        if not np.isfinite(tensors[name]).all():
            raise BrokenModelError(
                f"the model file is damaged: expected finite numbers in the array {name!r}, got NaN or inf."
            )
    preparation = {name: tensors[f"preparation.{name}"] for name in array_shapes(metadata.preparation)}
    baselines = {name: tensors[f"baseline.{name}"] for name in ("prior", "mean", "scale", "coefficients", "intercept")}
    for name, scale in (("preparation.scale", preparation.get("scale")), ("baseline.scale", baselines["scale"])):
        if scale is not None and not (scale > 0).all():
            raise BrokenModelError(f"the model file is damaged: expected numbers above 0 in the array {name!r}.")
    prior = baselines["prior"]
    if (prior < 0).any() or abs(float(prior.sum()) - 1) > 1e-6:
        raise BrokenModelError(
            "the model file is damaged: expected shares that sum to 1 in the array 'baseline.prior'."
        )
    names = metadata.network().parameter_shapes()
    members = [{name: tensors[_of_member(n, name)] for name in names} for n in range(metadata.n_members)]
    return Model(metadata, members, preparation, baselines)
