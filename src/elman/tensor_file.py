"""Arrays and JSON in one safetensors file, with a checksum. Reading it executes nothing and trusts nothing.

The header is held against the size of the file and every array against the shape that the reader expects before it is
read, and a SHA-256 over the whole file (with the digest itself blanked) tells whether a byte was changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from elman import __version__
from elman.output_file import write_whole

_LARGEST_HEADER = 100_000_000  # bytes; safetensors has the same bound
_BLANK = "0" * 64
_BEFORE_DIGEST = '\\"checksum\\":\\"'  # JSON inside a JSON string
NOUNS = {"model": "elman", "checkpoint": "elman_checkpoint"}
_CODES = {"float32": "F32", "float64": "F64"}

Array: TypeAlias = NDArray[Any]
Shapes: TypeAlias = Mapping[str, tuple[str, tuple[int, ...]]]  # name -> dtype and shape


class BrokenFileError(ValueError):
    """What is wrong with a file, without its name."""


class Kind(NamedTuple):
    """A kind of file that elman writes.

    noun : one of NOUNS; version : of its format; advice : the way out of damage; source : where there is one, if absent
    """

    noun: str
    version: int
    advice: str
    source: str = ""

    @property
    def key(self) -> str:
        """Under which the JSON lies in the header."""
        return NOUNS[self.noun]

    def wrong(self, name: str, contract: str, found: str) -> BrokenFileError:
        """Give the error of a field that breaks its contract."""
        return BrokenFileError(
            f"the {self.noun} file is damaged: expected {contract} in '{name}', got {found}. {self.advice}"
        )

    def require(self, name: str, condition: bool, contract: str, found: object) -> None:
        """Raise that error unless the condition holds."""
        if not condition:
            raise self.wrong(name, contract, repr(found)[:80])

    def require_whole(self, name: str, value: Any, low: int, high: int) -> None:
        """Raise it unless the value is a whole number from low to high."""
        is_whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        self.require(name, is_whole, f"a whole number in [{low}, {high}]", value)


def write_tensors(path: str | os.PathLike[str], kind: Kind, tensors: Mapping[str, Array], fields: Any) -> None:
    """Write arrays of float32 or float64, and fields as JSON, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    text = as_text({"format_version": kind.version, "checksum": _BLANK, **fields})
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {kind.key: text})
    digest = hashlib.sha256(content).hexdigest()
    write_whole(path, content.replace(_digest_field(_BLANK), _digest_field(digest), 1))


def as_text(fields: Any) -> str:
    """Give fields as the file holds them."""
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, eq=False)
class TensorFile:
    """An open file whose header has been read and is well formed.

    Parameters
    ----------
    kind : Kind
    fields : dict
        The JSON, without version and checksum: of the right kind, but unchecked.
    entries : dict
        What the header says of each array, unchecked.
    """

    kind: Kind
    fields: dict[str, Any]
    entries: dict[str, Any]
    _file: BinaryIO
    _start: bytes
    _digest: object
    _n_bytes: int

    def read(self, shapes: Shapes) -> dict[str, Array]:
        """Give the arrays, which must be these; raise BrokenFileError otherwise, or if a byte was changed."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        self._check_entries(shapes)
        content = self._start + self._file.read()
        self._check_digest(content)
        try:
            tensors: dict[str, Array] = load(content)
        except (SafetensorError, ValueError, KeyError) as error:
            raise BrokenFileError(
                f"the {self.kind.noun} file is damaged: its arrays cannot be decoded. {self.kind.advice}"
            ) from error
        return tensors

    def _check_entries(self, shapes: Shapes) -> None:
        noun, advice = self.kind.noun, self.kind.advice
        if self.entries.keys() != shapes.keys():
            name = sorted(self.entries.keys() ^ shapes.keys())[0]
            state = "missing" if name in shapes else "not expected"
            raise BrokenFileError(f"the {noun} file is damaged: the array {name[:60]!r} is {state}. {advice}")
        for name, (dtype, shape) in shapes.items():
            entry = self.entries[name]
            found = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else entry
            if found != (_CODES[dtype], list(shape)):
                raise BrokenFileError(
                    f"the {noun} file is damaged: expected the array {name!r} as {dtype} of shape {shape}, "
                    f"got {str(found)[:80]}. {advice}"
                )
        expected = sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in shapes.values())
        if expected != self._n_bytes:
            raise BrokenFileError(
                f"the {noun} file is cut short or damaged: expected {expected} bytes of arrays, got {self._n_bytes}."
            )

    def _check_digest(self, content: bytes) -> None:
        digest = self._digest
        is_digest = isinstance(digest, str) and len(digest) == 64 and digest.isascii()
        field = _digest_field(str(digest) if is_digest else _BLANK)
        at = content.find(field, 0, len(self._start))
        blanked = content[:at] + _digest_field(_BLANK) + content[at + len(field) :] if at >= 0 else b""
        if not is_digest or hashlib.sha256(blanked).hexdigest() != digest:
            raise BrokenFileError(
                f"the {self.kind.noun} file was damaged or edited since it was saved: its checksum differs. "
                f"{self.kind.advice}"
            )


@contextmanager
def opened(path: str | os.PathLike[str], kind: Kind, error: type[Exception]) -> Iterator[TensorFile]:
    """Open a file and read its header; whatever is wrong with it, there or inside the block, is raised as ``error``."""
    try:
        with _opened(Path(path), kind) as file:
            yield _read_header(file, kind)
    except BrokenFileError as broken:
        raise error(f"{path}: {broken}") from broken
    except OSError as refused:
        raise error(f"{path}: the file cannot be read: {refused.strerror or refused}. Check the path.") from refused
    except RecursionError as broken:
        raise error(f"{path}: the {kind.noun} file is damaged: its metadata is nested too deeply.") from broken
    except MemoryError as refused:
        raise error(f"{path}: the file is too large for this machine's memory.") from refused


def _opened(path: Path, kind: Kind) -> BinaryIO:
    try:
        if path.is_dir():
            raise BrokenFileError(f"expected a {kind.noun} file, got a folder. Name a file in it.")
        if not path.exists():
            raise BrokenFileError(f"there is no such file. Check the path{kind.source}.")
        if not path.is_file():
            raise BrokenFileError(f"expected a {kind.noun} file, got a device or pipe.")
        return path.open("rb")
    except ValueError as error:  # a NUL character in the path
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"there is no such file: {error}.") from error


def _read_header(file: BinaryIO, kind: Kind) -> TensorFile:
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    header_size = int.from_bytes(start, "little")
    if size < 10 or header_size > min(size - 8, _LARGEST_HEADER):
        raise BrokenFileError(f"this is not a {kind.noun} that elman wrote, or one cut short.")
    header_bytes = file.read(header_size)
    header = _json(header_bytes, "header", kind)
    outer = header.pop("__metadata__", None)
    if not isinstance(outer, dict) or not isinstance(outer.get(kind.key), str):
        others = [noun for noun, key in NOUNS.items() if isinstance(outer, dict) and key in outer]
        found = f"it is a {others[0]}" if others else "a safetensors file without elman's metadata"
        raise BrokenFileError(f"this is not a {kind.noun} that elman wrote: {found}.")
    fields = _json(outer[kind.key].encode("utf-8", "surrogatepass"), "metadata", kind)
    _check_version(fields.pop("format_version", None), fields.get("elman_version"), kind)
    digest = fields.pop("checksum", None)
    return TensorFile(kind, fields, header, file, start + header_bytes, digest, size - 8 - header_size)


def _json(content: bytes, what: str, kind: Kind) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(
            f"the {what} of the {kind.noun} file is damaged: it is not JSON. {kind.advice}"
        ) from error
    if not isinstance(value, dict):
        raise BrokenFileError(
            f"the {what} of the {kind.noun} file is damaged: expected an object, got {type(value).__name__}."
        )
    return value


def _check_version(version: object, written_by: object, kind: Kind) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BrokenFileError(
            f"the {kind.noun} file is damaged: expected a format version of at least 1, got {str(version)[:40]!r}."
        )
    if version > kind.version:
        needed = f"elman {written_by[:20]}" if isinstance(written_by, str) else "a newer elman"
        raise BrokenFileError(
            f"the {kind.noun} is of format {version}; this elman {__version__} reads formats up to {kind.version}. "
            f"Install {needed} or later."
        )


def _digest_field(digest: str) -> bytes:
    return (_BEFORE_DIGEST + digest).encode()
