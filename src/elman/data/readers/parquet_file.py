"""Parquet as a table, decoded in a process of its own.

A damaged Parquet file can make its decoder abort, which Python cannot catch, or print a backtrace. In a child process
that costs a third of a second and ends as one sentence.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from elman.data.readers.columns import Table, check_names
from elman.errors import FileError

_DECODE = """
import os, sys
import polars
path, largest = os.path.abspath(sys.argv[1]), int(sys.argv[2])
with open(path, "rb") as file:
    n_columns = len(polars.read_parquet_schema(file))
n_rows = polars.scan_parquet(path, glob=False, hive_partitioning=False).select(polars.len()).collect().item()
if n_rows * n_columns > largest:
    print(n_rows, n_columns)
    sys.exit(3)
with open(path, "rb") as file:
    frame = polars.read_parquet(file)
frame.write_ipc(sys.stdout.buffer)
"""
_TOO_LARGE = 3  # exit code of the above
_KILLED = -9  # by the system, when memory runs out
_CELL = 32  # bytes that a cell takes while it is decoded, sent, and read: four copies of 8 bytes
_MOST_CELLS = 2**31
_MAGIC = b"PAR1"
_SECONDS = 60  # to decode a small file; a large one gets a second more for each megabyte


def read_parquet(path: Path) -> Table:
    """Read a Parquet file.

    Raises
    ------
    FileError
        If it is cut short, damaged, has no rows, or would not fit into memory. A small file can hold billions of equal
        cells; so the rows and columns that it declares are counted before any is decoded.
    """
    _check_ends(path)
    frame = pl.read_ipc(io.BytesIO(_decode(path)))
    if frame.height == 0:
        raise FileError(f"{path}: expected at least one row, found none.")
    check_names(path, frame.columns)
    return Table(path, frame, lambda row: f"row {row + 1}", is_text=False)


def _check_ends(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(-4, os.SEEK_END)
            tail = file.read(4)
    except OSError as error:
        raise FileError(f"{path}: expected a Parquet file, but it cannot be read. Is it cut short?") from error
    if head != _MAGIC or tail != _MAGIC:
        end = "begin" if head != _MAGIC else "end"
        raise FileError(f"{path}: expected a Parquet file, but it does not {end} as one. Is it cut short?")


def _decode(path: Path) -> bytes:
    """Give the table as Arrow IPC."""
    largest = min(_MOST_CELLS, _free_memory() // _CELL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RUST_BACKTRACE": "0"}
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", _DECODE, str(path), str(largest)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS + path.stat().st_size / 1e6,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileError(f"{path}: decoding did not end in {error.timeout:.0f} s. Is the file damaged?") from error
    except OSError as error:
        raise FileError(f"{path}: no process could be started to decode Parquet ({error}). Use CSV instead.") from error
    if child.returncode == _TOO_LARGE:
        n_rows, n_columns = map(int, child.stdout.split())
        raise FileError(
            f"{path}: it declares {n_rows:,} rows of {n_columns:,} columns, but at most {largest:,} cells fit into "
            "memory. Write a part of the rows or columns."
        )
    if child.returncode == _KILLED or any(sign in child.stderr for sign in (b"memory allocation", b"MemoryError")):
        raise FileError(f"{path}: the memory does not suffice to decode it. Write a part of the rows or columns.")
    if child.returncode != 0:
        raise FileError(f"{path}: expected a Parquet file, but it cannot be decoded. Is it cut short or damaged?")
    return child.stdout


def _free_memory() -> int:
    """Give the bytes of memory that are free, all that there are where the system does not say, or no bound."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return _CELL * _MOST_CELLS
