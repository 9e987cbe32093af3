"""The file itself: it is there, it can be read, its text is UTF-8; and how an error quotes it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from elman.errors import FileError

Source: TypeAlias = Path | str
"""A file, or what errors call a table in memory."""


def check_file(path: Path) -> None:
    """Raise FileError unless ``path`` is a regular file with something in it."""
    try:
        if path.is_dir():
            raise FileError(f"{path}: expected a file, got a folder. Name a file in it.")
        if not path.exists():
            raise FileError(f"{path}: there is no such file. Check the path.")
        if not path.is_file():  # reading a pipe or a device might never end
            raise FileError(f"{path}: expected a regular file, got a pipe or device. Copy the data to a file first.")
        if path.stat().st_size == 0:
            raise FileError(f"{path}: the file is empty. Is it cut short?")
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> FileError:
    """Give the error for a file that the system will not read."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FileError(f"{path}: the file cannot be read: {reason}. Check the path and its permissions.")


def read_bytes(path: Path) -> bytes:
    """Give the content of a file."""
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise unreadable(path, error) from error


def decode(path: Path, content: bytes, first_line: int = 1) -> str:
    """Give UTF-8 content as text, without a byte-order mark, or say in which line it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + first_line
        raise FileError(
            f"{path}, line {line}: expected text in UTF-8, got the byte 0x{content[error.start]:02x}. "
            "Save the file as UTF-8."
        ) from error


def shown(value: object) -> str:
    """Give a value from a file as an error quotes it: on one line, and short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def listed(values: list[str] | tuple[str, ...]) -> str:
    """Give the first values of a list as an error quotes them."""
    more = f" and {len(values) - 12} more" if len(values) > 12 else ""
    return ", ".join(shown(value) for value in values[:12]) + more
