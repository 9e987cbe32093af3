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
import sys
import polars
with open(sys.argv[1], "rb") as file:
    frame = polars.read_parquet(file)
frame.write_ipc(sys.stdout.buffer)
"""
_MAGIC = b"PAR1"
_SECONDS = 60  # to decode a small file; a large one gets a second more for each megabyte


def read_parquet(path: Path) -> Table:
    """Read a Parquet file.

    Raises
    ------
    FileError
        If it is cut short, damaged, or has no rows.
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
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RUST_BACKTRACE": "0"}
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", _DECODE, str(path)],
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
    if child.returncode != 0:
        raise FileError(f"{path}: expected a Parquet file, but it cannot be decoded. Is it cut short or damaged?")
    return child.stdout
