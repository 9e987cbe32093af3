"""Arrays made from data that is mapped into memory: small ones stay in memory, large ones go to disk as it does.

A large one is written, block by block, to a file without a name, which vanishes with the array, and is mapped in turn.
So memory holds what is in use, and the system takes back the rest when it is short.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from elman.data.numeric import FloatArray
from elman.errors import OutputError

MOST_IN_MEMORY = 1 << 28  # bytes of an array that is made from mapped data


def goes_to_disk(source: NDArray[Any], n_bytes: int) -> bool:
    """Say whether an array of so many bytes, made from ``source``, is too large for memory: only mapped data can be."""
    return n_bytes > MOST_IN_MEMORY and _mapping_of(source) is not None


def on_disk(blocks: Iterable[FloatArray], n_rows: int, dtype: DTypeLike, source: NDArray[Any]) -> FloatArray:
    """Give the rows of ``blocks``, together ``n_rows``, as one read-only array on disk.

    The file lies in the folder that TMPDIR names, else beside the file that ``source`` is mapped from, else where the
    system keeps temporary files.

    Raises
    ------
    OutputError
        If the disk does not suffice.
    """
    folder = _folder(source)
    n_columns = 0
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for block in blocks:
                n_columns = block.shape[1]
                file.write(np.ascontiguousarray(block, dtype).reshape(-1).view(np.uint8).data)
            file.flush()
            return np.asarray(np.memmap(file, dtype, mode="r", shape=(n_rows, n_columns)))
    except OSError as error:
        gigabytes = np.dtype(dtype).itemsize * n_rows * n_columns / 1e9
        raise OutputError(
            f"{folder or tempfile.gettempdir()}: {gigabytes:.1f} GB of prepared data cannot be written: "
            f"{error.strerror or error}. Set TMPDIR to a folder with room."
        ) from error


def _mapping_of(array: NDArray[Any]) -> np.memmap[Any, Any] | mmap.mmap | None:
    """Give what maps an array into memory, where it is mapped."""
    base: Any = array
    while base is not None and not isinstance(base, np.memmap | mmap.mmap):
        base = getattr(base, "base", None)
    return base


def _folder(source: NDArray[Any]) -> Path | None:
    """Give the folder of the file that an array is mapped from, where it is known and can be written."""
    name = getattr(_mapping_of(source), "filename", None)
    if os.environ.get("TMPDIR") or not isinstance(name, str | os.PathLike):
        return None
    folder = Path(name).parent
    return folder if os.access(folder, os.W_OK) else None
