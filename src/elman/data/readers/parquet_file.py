"""Parquet as a table, decoded in a process of its own.

A damaged Parquet file can make its decoder abort, which Python cannot catch, or print a backtrace. In a child process
that costs a third of a second and ends as one sentence.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
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
_DECODE_PIECES = """
import io, json, os, sys
import polars
path, most = os.path.abspath(sys.argv[1]), int(sys.argv[2])
with open(path, "rb") as file:
    names = list(polars.read_parquet_schema(file))
table = polars.scan_parquet(path, glob=False, hive_partitioning=False)
n_rows = table.select(polars.len()).collect().item()
def send(content):
    sys.stdout.buffer.write(len(content).to_bytes(8, "little") + content)
    sys.stdout.buffer.flush()
send(json.dumps([n_rows, names]).encode())
size = max(1, most // max(1, len(names)))
for start in range(0, n_rows, size):
    buffer = io.BytesIO()
    table.slice(start, size).collect().write_ipc(buffer)
    send(buffer.getbuffer())
"""
_TOO_LARGE = 3  # exit code of the above
_KILLED = -9  # by the system, when memory runs out
_CELL = 32  # bytes that a cell takes while it is decoded, sent, and read: four copies of 8 bytes
_MOST_CELLS = 2**31
_PIECE = 1 << 21  # cells that are decoded at a time
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
        raise _no_rows(path)
    check_names(path, frame.columns)
    return Table(path, frame, lambda row: f"row {row + 1}", is_text=False)


def read_parquet_in_pieces(path: Path) -> tuple[list[str], Iterator[tuple[float, Table]]]:
    """Give the names of the columns; and the rows in tables of some megabytes, each with the share of the rows read.

    Raises
    ------
    FileError
        If it is cut short, damaged or has no rows.
    """
    _check_ends(path)
    frames = _frames(path)
    n_rows, names = json.loads(next(frames))
    check_names(path, names)
    if n_rows == 0:
        raise _no_rows(path)

    def tables() -> Iterator[tuple[float, Table]]:
        done = 0
        for content in frames:
            frame = pl.read_ipc(io.BytesIO(content))
            yield (done + frame.height) / n_rows, Table(path, frame, _numbered(done), is_text=False)
            done += frame.height
        if done != n_rows:
            raise _damaged(path)

    return names, tables()


def _numbered(done: int) -> Callable[[int], str]:
    return lambda row: f"row {done + row + 1}"


def _no_rows(path: Path) -> FileError:
    return FileError(f"{path}: expected at least one row, found none.")


def _damaged(path: Path) -> FileError:
    return FileError(f"{path}: expected a Parquet file, but it cannot be decoded. Is it cut short or damaged?")


def _frames(path: Path) -> Iterator[bytes]:
    """Give what the child process sends: the number of rows and the names as JSON, then piece after piece as IPC."""
    with tempfile.TemporaryFile() as complaints:
        try:
            child = subprocess.Popen(
                [sys.executable, "-P", "-c", _DECODE_PIECES, str(path), str(_PIECE)],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
            )
        except OSError as error:
            raise _no_process(path, error) from error
        assert child.stdout is not None
        try:
            while len(size := child.stdout.read(8)) == 8:
                content = child.stdout.read(int.from_bytes(size, "little"))
                yield content
            code = child.wait()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        complaints.seek(0)
        _check_end(path, code, complaints.read())


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
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", _DECODE, str(path), str(largest)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS + path.stat().st_size / 1e6,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileError(f"{path}: decoding did not end in {error.timeout:.0f} s. Is the file damaged?") from error
    except OSError as error:
        raise _no_process(path, error) from error
    if child.returncode == _TOO_LARGE:
        n_rows, n_columns = map(int, child.stdout.split())
        raise FileError(
            f"{path}: it declares {n_rows:,} rows of {n_columns:,} columns, but at most {largest:,} cells fit into "
            "memory. Write a part of the rows or columns."
        )
    _check_end(path, child.returncode, child.stderr)
    return child.stdout


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RUST_BACKTRACE": "0"}


def _no_process(path: Path, error: OSError) -> FileError:
    return FileError(f"{path}: no process could be started to decode Parquet ({error}). Use CSV instead.")


def _check_end(path: Path, code: int, complaints: bytes) -> None:
    """Raise FileError unless the child process ended well."""
    if code == _KILLED or any(sign in complaints for sign in (b"memory allocation", b"MemoryError")):
        raise FileError(f"{path}: the memory does not suffice to decode it. Write a part of the rows or columns.")
    if code != 0:
        raise _damaged(path)


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
