"""Labels, ids and groups: text, whole numbers or booleans, never a mixture and never a float."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from elman.data.readers.source import shown
from elman.errors import FileError

Where: TypeAlias = Callable[[int], str]
"""Gives the place of the i-th value in the file, for errors."""

LONGEST = 256  # characters; NumPy gives every text the room of the longest, so one hostile field could fill the memory
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXACT = 2.0**53  # up to here float64 holds every whole number


def text_array(values: list[str], where: Where, what: str = "label") -> NDArray[np.str_]:
    """Give texts as an array, refusing what cannot be a name.

    Raises
    ------
    FileError
        If a text is empty, longer than 256 characters, or holds a line break (a quote left open) or a NUL character.
    """
    for i, value in enumerate(values):
        if not value:
            raise FileError(f"{where(i)}: expected a {what}, found nothing. Fill it in, or drop the row.")
        if len(value) > LONGEST:
            raise FileError(
                f"{where(i)}: expected a {what} of at most {LONGEST} characters, got {len(value)}: {shown(value)}."
            )
        if "\n" in value or "\r" in value or "\0" in value:
            raise FileError(
                f"{where(i)}: expected a {what} on one line, got {shown(value)}. "
                "Is a quote left open, or the file damaged?"
            )
    return np.array(values, dtype=np.str_)


def labels_from_text(values: list[str], where: Where) -> NDArray[Any]:
    """Give written labels as booleans, whole numbers or text, whichever fits all of them.

    '1' and '-2' are whole numbers, and so are '1.0' and '2.0'; '01' is text; 'true' and 'false' are booleans.
    """
    texts = text_array(values, where)
    for i, value in enumerate(values):
        if value in ("nan", "NaN", "NAN"):
            raise FileError(f"{where(i)}: expected a label, got the missing value {shown(value)}. Drop the row.")
    if all(value.lower() in ("true", "false") for value in values):
        return np.array([value.lower() == "true" for value in values], dtype=np.bool_)
    if all(_INTEGER.fullmatch(value) for value in values):
        numbers = [int(value) for value in values]
        fits = all(abs(number) < 2**63 for number in numbers)
        return np.array(numbers, dtype=np.int64) if fits else texts
    if all(_NUMBER.fullmatch(value) for value in values) and not all(value.isdigit() for value in values):
        return _whole(np.array([float(value) for value in values]), where)
    return texts


def labels_from_array(array: NDArray[Any], where: Where) -> NDArray[Any]:
    """Give an array (M,) of labels as an array of bool, int64 or str."""
    kind = array.dtype.kind
    if kind == "b":
        return array
    if kind in "iu":
        if array.size and int(array.max()) >= 2**63:
            i = int(np.argmax(array))
            raise FileError(f"{where(i)}: expected a label below 2**63, got {array[i]}.")
        return array.astype(np.int64)
    if kind == "f":
        return _whole(array.astype(np.float64), where)
    if kind in "SUT":
        return text_array(texts_of(array, where), where)
    raise FileError(f"{where(0)}: expected labels as text, whole numbers or booleans, got dtype {array.dtype}.")


def texts_of(array: NDArray[Any], where: Where) -> list[str]:
    """Give an array (M,) of text, bytes or numbers as a list of texts without spaces around them."""
    texts = []
    for i, value in enumerate(array.tolist()):
        try:
            text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
        except UnicodeDecodeError as error:
            raise FileError(f"{where(i)}: expected text in UTF-8, got {shown(value)}.") from error
        texts.append(text.strip())
    return texts


def _whole(values: NDArray[np.float64], where: Where) -> NDArray[np.int64]:
    wrong = ~((np.abs(values) <= _EXACT) & (values == np.floor(values)))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise FileError(
            f"{where(i)}: expected a label, text or a whole number, got {values[i]:g}. "
            "Give each class a name; predicting a quantity is not classification."
        )
    return values.astype(np.int64)
