"""A file that grows while training runs, and is sound at any moment."""

from __future__ import annotations

import errno
import io
import os
from contextlib import suppress
from pathlib import Path

from elman.caution import warn_user
from elman.errors import OutputError


class GrowingFile:
    """A file that takes pieces, each whole or not at all, so that a full disk costs pieces but never what was there.

    Parameters
    ----------
    path : path
    kept : int
        How many bytes stay of what is there.

    Raises
    ------
    OutputError
        If the file cannot be opened for writing.
    """

    def __init__(self, path: Path, kept: int = 0) -> None:
        self.path = path
        self._has_warned = False
        try:
            self._file = io.FileIO(path, "r+" if kept else "w")
            self._file.truncate(kept)
            self._file.seek(kept)
        except OSError as error:
            raise OutputError(f"{path}: the file cannot be written: {error.strerror}. Choose another.") from error

    def append(self, piece: bytes) -> None:
        """Add a piece, for others to read at once; where it does not fit, warn the first time."""
        start = self._file.tell()
        try:
            if self._file.write(piece) != len(piece):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with suppress(OSError):  # of a disk that is gone
                self._file.truncate(start)
                self._file.seek(start)
            if not self._has_warned:
                self._has_warned = True
                warn_user(f"{self.path}: not all of the run could be written: {error.strerror}.")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
