"""CSV and TSV as a table of text; errors give the line of the file, also where quotes span lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from elman.data.readers.columns import Table, check_names
from elman.data.readers.source import decode, listed, read_bytes, shown
from elman.errors import FileError

_NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}
_ADVICE = {",": "save it with commas", "\t": "save it with tabs"}
_SUFFIXES = {",": ".csv", "\t": ".tsv"}


def read_csv(path: Path, separator: str) -> Table:
    """Read a file with a header line; blank rows are skipped.

    Raises
    ------
    FileError
        If it is not UTF-8, has no header or no rows, or a row has too many fields or an open quote.
    """
    content = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    header_line, content = _from_header(path, content)
    names = _header(path, header_line, content, separator)
    try:
        frame = pl.read_csv(content, separator=separator, infer_schema=False, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _malformed(path, header_line, content, separator, len(names)) from error
    if frame.width != len(names):
        raise FileError(f"{path}, line {header_line}: expected a header of {frame.width} names, got {len(names)}.")
    frame.columns = names
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    rows = np.flatnonzero(~is_blank.to_numpy())  # (S,) record of each row that is not blank
    if len(rows) == 0:
        raise FileError(f"{path}: expected rows below the header, found none. Is the file cut short?")

    def place(row: int) -> str:
        starts = islice(_record_lines(content, header_line), int(rows[row]) + 1, None)
        line = next(starts, None)
        return f"row {row + 1}" if line is None else f"line {line}"

    return Table(path, frame.filter(~is_blank), place, is_text=True)


def _from_header(path: Path, content: bytes) -> tuple[int, bytes]:
    """Skip blank lines at the top; give the number of the header line and the content from there."""
    number, start = 1, 0
    while start < len(content):
        end = content.find(b"\n", start) + 1 or len(content)
        if content[start:end].strip():
            return number, content[start:]
        number, start = number + 1, end
    raise FileError(f"{path}: expected a header line with the names of the columns, found blank lines only.")


def _header(path: Path, number: int, content: bytes, separator: str) -> list[str]:
    where = f"{path}, line {number}"
    line = decode(path, content.split(b"\n", 1)[0])
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator, strict=True))]
    except (csv.Error, StopIteration) as error:
        raise FileError(f"{where}: expected the names of the columns, got {shown(line)}.") from error
    others = [other for other in _NAMES if other != separator and other in line]
    if len(names) == 1 and others:
        advice = _ADVICE[separator]
        if others[0] in _SUFFIXES:
            advice += f", or name it {_SUFFIXES[others[0]]}"
        raise FileError(
            f"{where}: expected names split by a {_NAMES[separator]}, got {shown(line)}. "
            f"This looks like columns separated by {others[0]!r}: {advice}."
        )
    check_names(path, names)
    if all(_is_number(name) for name in names):
        raise FileError(
            f"{where}: expected the names of the columns, got the numbers {listed(names)}. Add a header line."
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _malformed(path: Path, header_line: int, content: bytes, separator: str, width: int) -> FileError:
    """Find out what a file breaks, once it is known to be broken."""
    text = decode(path, content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = header_line
    try:
        for fields in reader:
            if len(fields) > width:
                return FileError(
                    f"{path}, line {line}: expected {width} fields, as in the header, got {len(fields)}. "
                    f"Put quotes around a field that holds a {_NAMES[separator]}."
                )
            line = header_line + reader.line_num
    except csv.Error:
        pass  # an open quote, or text after a closing one
    return FileError(
        f"{path}, near line {line}: the quotes do not pair up. Close each quoted field, or is the file cut short?"
    )


def _record_lines(content: bytes, header_line: int) -> Iterator[int]:
    """Give the line on which each record starts, the header first; a quoted field may span lines."""
    is_quoted = False
    for number, line in enumerate(content.split(b"\n"), header_line):
        if not is_quoted:
            yield number
        is_quoted ^= line.count(b'"') % 2 == 1
