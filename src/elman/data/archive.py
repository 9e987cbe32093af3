"""Writing an `.npz` member by member, each aligned so that it can be mapped into memory, and none held whole."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_LOCAL_HEADER = 30 + 20  # bytes before a member's name and extra field, and behind it the field of 64-bit sizes
_PADDING = 0xD935  # the id that Android's zipalign gave to an extra field of padding


class Archive:
    """An `.npz` file as it grows.

    Parameters
    ----------
    file : binary file, empty, writable and seekable

    Examples
    --------
    >>> file = io.BytesIO()
    >>> with Archive(file) as archive:
    ...     archive.write_rows("values", iter([np.zeros((2, 3)), np.ones((4, 3))]))
    ...     archive.write("offsets", np.array([0, 6]))
    >>> _ = file.seek(0)
    >>> np.load(file)["values"].sum(axis=1).tolist()
    [0.0, 0.0, 3.0, 3.0, 3.0, 3.0]
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *failure: object) -> None:
        self._zip.close()

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write a whole array."""
        self.write_rows(name, iter([np.ascontiguousarray(array)]))

    def write_rows(self, name: str, blocks: Iterable[NDArray[Any]]) -> None:
        """Write an array whose number of rows is known only when the last of its blocks (at least one) has come."""
        rest: Iterator[NDArray[Any]] = iter(blocks)
        first = next(rest)
        info = self._member(name)
        empty = _header(first, 0)
        n_rows = n_bytes = 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            member.write(empty)
            for block in chain([first], rest):
                member.write(np.ascontiguousarray(block, first.dtype).reshape(-1).view(np.uint8).data)
                n_rows, n_bytes = n_rows + len(block), n_bytes + block.nbytes
        self._rewrite_header(info, empty, _header(first, n_rows), n_bytes)

    def _member(self, name: str) -> zipfile.ZipInfo:
        """Describe a member with an extra field that moves its array to an aligned place."""
        info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, so that equal data makes equal files
        end = self._zip.start_dir + _LOCAL_HEADER + len(info.filename.encode()) + 4
        info.extra = struct.pack("<HH", _PADDING, -end % ALIGNMENT) + bytes(-end % ALIGNMENT)
        return info

    def _rewrite_header(self, info: zipfile.ZipInfo, before: bytes, after: bytes, n_bytes: int) -> None:
        """Put the right shape in front of ``n_bytes`` of data, and mend the checksum of both."""
        changed = zlib.crc32(before) ^ zlib.crc32(after)
        info.CRC ^= _after_zeros(changed, n_bytes)
        end = self._file.tell()
        self._file.seek(info.header_offset)
        self._file.write(info.FileHeader(zip64=True))
        self._file.write(after)
        self._file.seek(end)


def _header(example: NDArray[Any], n_rows: int) -> bytes:
    """Give the `.npy` header of n_rows rows like those of ``example``; NumPy gives it one length for any n_rows."""
    buffer = io.BytesIO()
    descr = npy.dtype_to_descr(example.dtype)
    shape = (n_rows, *example.shape[1:])
    npy.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def _after_zeros(crc: int, n_bytes: int) -> int:
    """Give what a difference between two CRC-32 has become ``n_bytes`` further on.

    A checksum is linear in its data: each bit that follows multiplies the difference by the same matrix over GF(2),
    given here as its 32 columns; n bits by its n-th power. Source: Adler's crc32_combine in zlib.
    """
    matrix = [0xEDB88320, *(1 << bit for bit in range(31))]  # one further bit
    n_bits = 8 * n_bytes
    while n_bits:
        if n_bits % 2:
            crc = _times(matrix, crc)
        matrix = [_times(matrix, column) for column in matrix]
        n_bits //= 2
    return crc


def _times(matrix: list[int], vector: int) -> int:
    total = 0
    for column in matrix:
        if vector & 1:
            total ^= column
        vector >>= 1
    return total
