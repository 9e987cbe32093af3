"""CSV and TSV as a table of text; errors give the line of the file, also where quotes span lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from elman.data.readers.columns import Table, check_names
from elman.data.readers.source import decode, listed, read_bytes, shown, unreadable
from elman.errors import FileError

_NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}
_ADVICE = {",": "save it with commas", "\t": "save it with tabs"}
_SUFFIXES = {",": ".csv", "\t": ".tsv"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PIECE = 1 << 23  # bytes of a file that are parsed at a time
_LONGEST_RECORD = 8 * _PIECE


def read_csv(path: Path, separator: str) -> Table:
    """Read a file with a header line; blank rows are skipped.

    Raises
    ------
    FileError
        If it is not UTF-8, has no header or no rows, or a row has too many fields or an open quote.
    """
    content = read_bytes(path).removeprefix(_BYTE_ORDER_MARK)
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    header_line, content = _from_header(path, content)
    table = _parse(path, header_line, content, separator, _header(path, header_line, content, separator))
    if table.frame.height == 0:
        raise _no_rows(path)
    return table


def read_csv_in_pieces(path: Path, separator: str) -> tuple[list[str], Iterator[tuple[float, Table]]]:
    """Give the names of the columns; and the rows in tables of some megabytes, each with the share of the file read.

    Raises
    ------
    FileError
        As `read_csv` does; for the rows, when it comes to them.
    """
    pieces = _pieces(path)
    first_share, content = next(pieces, (1.0, b""))
    header_line, content = _from_header(path, content)
    names = _header(path, header_line, content, separator)
    header, _, first = content.partition(b"\n")

    def tables() -> Iterator[tuple[float, Table]]:
        line, n_rows = header_line, 0
        for share, piece in chain([(first_share, first)], pieces):
            table = _parse(path, line, header + b"\n" + piece, separator, names)
            line += piece.count(b"\n")
            n_rows += table.frame.height
            if table.frame.height:
                yield share, table
        if n_rows == 0:
            raise _no_rows(path)

    return names, tables()


def _parse(path: Path, header_line: int, content: bytes, separator: str, names: list[str]) -> Table:
    """Give the rows of content that begins with the header; ``header_line`` is the line before its first row."""
    try:
        frame = pl.read_csv(content, separator=separator, infer_schema=False, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _malformed(path, header_line, content, separator, len(names)) from error
    if frame.width != len(names):
        raise FileError(f"{path}, line {header_line}: expected a header of {frame.width} names, got {len(names)}.")
    frame.columns = names
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    rows = np.flatnonzero(~is_blank.to_numpy())  # (S,) record of each row that is not blank
    lines: list[int] = []  # of the records, the header first; filled when first asked for

    def place(row: int) -> str:
        record = int(rows[row]) + 1
        if b'"' not in content:
            return f"line {header_line + record}"
        if not lines:
            lines.extend(_record_lines(content, header_line))
        return f"line {lines[record]}" if record < len(lines) else f"row {row + 1}"

    return Table(path, frame.filter(~is_blank), place, is_text=True)


def _pieces(path: Path) -> Iterator[tuple[float, bytes]]:
    """Give a file in pieces that end where a record ends, each with the share of the file read."""
    size, done, line, rest = path.stat().st_size, 0, 1, b""
    is_first, returns_alone = True, False  # in old files lines end with a carriage return alone
    try:
        with path.open("rb") as file:
            while block := file.read(_PIECE):
                done += len(block)
                if is_first:
                    block = block.removeprefix(_BYTE_ORDER_MARK)
                    is_first, returns_alone = False, b"\n" not in block and b"\r" in block
                rest += block.replace(b"\r", b"\n") if returns_alone else block
                end = _end_of_records(rest)
                if end == 0 and len(rest) > _LONGEST_RECORD:
                    raise FileError(
                        f"{path}, line {line}: expected a row to end, but the quotes in it do not pair up within "
                        f"{_LONGEST_RECORD >> 20} MB. Close each quoted field, or write a quote inside it twice."
                    )
                if end:
                    line += rest.count(b"\n", 0, end)
                    yield min(done / max(size, 1), 1.0), rest[:end]
                    rest = rest[end:]
    except OSError as error:
        raise unreadable(path, error) from error
    if rest:
        yield 1.0, rest


def _end_of_records(content: bytes) -> int:
    """Give where the last whole record ends: behind a line break with as many opened as closed quotes before it."""
    end = content.rfind(b"\n") + 1
    n_quotes = content.count(b'"', 0, end)
    while end and n_quotes % 2:
        before = content.rfind(b"\n", 0, end - 1) + 1
        n_quotes -= content.count(b'"', before, end)
        end = before
    return end


def _no_rows(path: Path) -> FileError:
    return FileError(f"{path}: expected rows below the header, found none. Is the file cut short?")


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
    line = decode(path, content.split(b"\n", 1)[0], number)
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
    text = decode(path, content, header_line)
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
