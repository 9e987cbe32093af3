"""Libraries that only an extra of elman brings: imported when they are used, with an error that names the extra."""

from __future__ import annotations

import importlib
from typing import Any

from elman.errors import MissingExtraError


def library(name: str, *, extra: str) -> Any:
    """Import a library, or a module of one, that the extra brings.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    >>> library("no_such_library", extra="tensorboard")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    elman.errors.MissingExtraError: This needs no_such_library, which is not installed. Run pip install 'elman[tens...
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        raise MissingExtraError(
            f"This needs {top}, which is not installed. Run pip install 'elman[{extra}]'."
        ) from error


class LateLibrary:
    """Stands for a library that an extra brings, and imports it when the first of its names is asked for.

    So modules that draw or write by it can be imported without it.

    >>> no_such = LateLibrary("no_such_library", extra="report")
    >>> no_such.Chart  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    elman.errors.MissingExtraError: This needs no_such_library, which is not installed. Run pip install 'elman[repo...
    """

    def __init__(self, name: str, *, extra: str) -> None:
        self._name = name
        self._extra = extra

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # what tools ask of any object, such as doctest for __wrapped__
            raise AttributeError(attribute)
        return getattr(library(self._name, extra=self._extra), attribute)
