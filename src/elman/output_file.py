"""Files written whole or not at all: a temporary file in the same folder takes the name once it is on disk."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from elman.errors import OutputError


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OutputError unless a file can be written at ``path``; leaves nothing behind.

    Called before long work, so that an hour of training does not end at a mistyped folder.
    """
    target = _target(path)
    try:
        temporary = _temporary(target)
        os.close(_create(temporary, target))
        temporary.unlink()
    except OSError as error:
        raise _refused(path, error) from error


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader finds the old file or the new one, never a part.

    Raises
    ------
    OutputError
        If the folder does not exist, cannot be written, or the disk is full; the old file then stays as it was.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the name ``path`` once the block has ended, and vanishes where the block raises.

    Raises
    ------
    OutputError
        As `write_whole`; so errors of other files must not leave the block as OSError.
    """
    target = _target(path)
    temporary = _temporary(target)
    try:
        descriptor = _create(temporary, target)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refused(path, error) from error


def _target(path: str | os.PathLike[str]) -> Path:
    """Give the file to be written, links followed, or raise OutputError if it cannot be one."""
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise OutputError(f"{path}: expected the name of a file to write, got a folder. Add a file name to it.")
        if target.exists() and not target.is_file():
            raise OutputError(f"{path}: expected the name of a regular file to write, got a device or pipe.")
        if not target.parent.is_dir():
            raise OutputError(f"{path}: there is no folder {str(Path(path).parent)!r}. Create it first.")
    except (OSError, ValueError) as error:
        if isinstance(error, OutputError):
            raise
        raise _refused(path, error) from error
    return target


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what writing ``path`` left behind where the process was killed meanwhile."""
    target = _target(path)
    for left in target.parent.glob(f".{_mark(target)}-*.part"):
        with suppress(OSError):
            left.unlink()


def _temporary(target: Path) -> Path:
    return target.with_name(f".{_mark(target)}-{secrets.token_hex(8)}.part")


def _mark(target: Path) -> str:
    """Give what tells the temporary files of a target from those of others; its name may be of any length."""
    return hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]


def _create(temporary: Path, target: Path) -> int:
    """Create the temporary file with the rights that the old file has, else with the user's usual ones."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o777)
        if not os.access(target, os.W_OK):
            os.close(descriptor)
            temporary.unlink()
            raise PermissionError(13, "the file there is write-protected")
    return descriptor


def _refused(path: str | os.PathLike[str], error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"{path}: the file cannot be written: {reason}. Choose another folder.")
