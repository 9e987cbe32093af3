"""What can go wrong, as a tree. Every message says what, where, the contract, the value, and one way out.

ElmanError
├── InputError (ValueError)          something the user passed in breaks its contract
│   ├── ParameterError                 a parameter of a class, a function or the command line
│   ├── DataError                      sequences or labels in memory
│   └── FileError                      a data file: missing, unreadable, cut short, malformed
├── TrainingError (ArithmeticError)  training broke down: the loss is no longer a number
├── CheckpointError (ValueError)     a checkpoint that cannot be gone on from: damaged, or of another training
├── ModelFileError (ValueError)      a saved model that cannot be trusted: damaged, edited, of a newer format
├── OutputError (OSError)            a file or folder that cannot be written
└── MissingExtraError (ImportError)  a library that only an extra brings is not installed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ElmanError(Exception):
    """Root of every error that elman raises on purpose."""


class InputError(ElmanError, ValueError):
    """Something the user passed in breaks its contract."""


class ParameterError(InputError):
    """A parameter of a class, a function or the command line is out of its range."""


class DataError(InputError):
    """Sequences or labels in memory break their contract."""


class FileError(InputError):
    """A data file is missing, unreadable, cut short or malformed."""


class TrainingError(ElmanError, ArithmeticError):
    """Training broke down: the loss is no longer a number."""


class ModelFileError(ElmanError, ValueError):
    """A saved model cannot be trusted: damaged, edited, or of a newer format."""


class CheckpointError(ElmanError, ValueError):
    """A checkpoint cannot be gone on from: it is damaged, of a newer format, or of another training."""


class OutputError(ElmanError, OSError):
    """A file or folder cannot be written."""


class MissingExtraError(ElmanError, ImportError):
    """A library that only an extra of elman brings is not installed."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Give the end of a message about a name that is none of those known: the one that was likely meant, or ''.

    >>> did_you_mean("gruu", ["lstm", "gru"]), did_you_mean("transformer", ["lstm", "gru"])
    (" Did you mean 'gru'?", '')
    """
    from difflib import get_close_matches

    likely = get_close_matches(name, known, n=1) if isinstance(name, str) else []
    return f" Did you mean {likely[0]!r}?" if likely else ""
