"""Texts as sequences of tokens: characters, words, or tokens that came split already."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from collections.abc import Sequence as ListOf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import FloatArray, IntArray
from elman.data.sequences import Sequences, offsets_of
from elman.errors import DataError

TOKEN = "token"
"""The name of the one feature of a text."""

SPLITS = ("characters", "words")

LONGEST_WORD = 256  # characters: what is longer is no word, and would travel in every model

Place = Callable[[int], str]
"""Gives the place of the i-th text, for errors."""


def from_texts(texts: ListOf[str], split: str, place: Place) -> Sequences:
    """Give each text as a sequence of one feature, 'token', whose categories are the tokens that occur.

    Characters are Unicode code points, spaces included. Words are what stands between white space; each sign of
    punctuation and each symbol (the Unicode categories P and S) is a word of its own, so that 'no,' is 'no' and ','.
    Upper and lower case differ, and nothing is normalised.

    Parameters
    ----------
    texts : sequence of N str
    split : {'characters', 'words'}
    place : callable
        Names the n-th text in errors.

    Raises
    ------
    DataError
        If a text holds no token, is no valid Unicode, or has a word of more than 256 characters.

    Examples
    --------
    >>> sequences = from_texts(["aba", "c"], "characters", "texts[{}]".format)
    >>> sequences.values.ravel().tolist(), sequences.lengths.tolist(), sequences.categories
    ([0.0, 1.0, 0.0, 2.0], [3, 1], (('a', 'b', 'c'),))
    >>> from_texts(["no, no"], "words", "texts[{}]".format).categories
    (('no', ','),)
    """
    for n, text in enumerate(texts):
        if not text:
            raise DataError(f"{place(n)}: expected a text, got an empty one. Drop the sequence.")
    if split == "words":
        return from_tokens(_words(texts, place), place)
    try:
        points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    except UnicodeEncodeError as error:
        raise _not_unicode(texts, place) from error
    distinct, codes = np.unique(points, return_inverse=True)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return _numbered(codes, lengths, tuple(chr(point) for point in distinct.tolist()))


def from_tokens(lists: Iterable[ListOf[str]], place: Place) -> Sequences:
    """Give lists of tokens as sequences of one feature, 'token'.

    Raises
    ------
    DataError
        If a list is empty, or a token is empty, no str, no valid Unicode or longer than 256 characters.

    Examples
    --------
    >>> sequences = from_tokens([["open", "read", "read"], ["open"]], "logs[{}]".format)
    >>> sequences.values.ravel().tolist(), sequences.categories
    ([0.0, 1.0, 1.0, 0.0], (('open', 'read'),))
    """
    numbers: dict[str, int] = {}
    codes: list[int] = []
    lengths: list[int] = []
    for n, tokens in enumerate(lists):
        for position, token in enumerate(tokens):
            if not isinstance(token, str) or token not in numbers:
                _check_token(token, f"{place(n)}, token {position}")
            codes.append(numbers.setdefault(token, len(numbers)))
        if len(tokens) == 0:
            raise DataError(f"{place(n)}: expected at least one token, got none. Drop the sequence.")
        lengths.append(len(tokens))
    return _numbered(np.array(codes), np.array(lengths, dtype=np.int64), tuple(numbers))


def _numbered(codes: NDArray[Any], lengths: IntArray, names: tuple[str, ...]) -> Sequences:
    dtype = np.float32 if len(names) < 2**24 else np.float64  # float32 holds every whole number up to there
    values: FloatArray = codes.reshape(-1, 1).astype(dtype)
    return Sequences(values, offsets_of(lengths), (TOKEN,), (names,))


def _words(texts: ListOf[str], place: Place) -> Iterable[list[str]]:
    alone = {
        ord(sign): f" {sign} " for sign in set().union(*texts) if unicodedata.category(sign).startswith(("P", "S"))
    }
    for n, text in enumerate(texts):
        words = text.translate(alone).split()
        if not words:
            raise DataError(f"{place(n)}: expected a text with a word, got white space alone. Drop the sequence.")
        yield words


def _check_token(token: object, where: str) -> None:
    if not isinstance(token, str):
        raise DataError(f"{where}: expected text as a token, got a value of type {type(token).__name__}.")
    if not token:
        raise DataError(f"{where}: expected a token, got an empty text. Leave it out.")
    if len(token) > LONGEST_WORD:
        raise DataError(
            f"{where}: expected a word of at most {LONGEST_WORD} characters, got {len(token)}: {token[:20]!r}... "
            "Split texts without spaces with text='characters'."
        )
    if not is_unicode(token):
        raise DataError(f"{where}: expected valid Unicode, got {ascii(token)[:60]}. Decode the text again.")


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written in UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _not_unicode(texts: ListOf[str], place: Place) -> DataError:
    n = next(n for n, text in enumerate(texts) if not is_unicode(text))
    return DataError(f"{place(n)}: expected valid Unicode, got {ascii(texts[n])[:60]}. Decode the text again.")
