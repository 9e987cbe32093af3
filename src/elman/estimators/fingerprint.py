"""A short text that stands for all sequences of a data set, so that a model knows what it was trained on."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences

TRAINED_ON = (
    "These are the sequences that the model was trained on: the figures say how well it knows them, not how well it "
    "does on new ones."
)
_BYTES = 16
_BLOCK = 1 << 20  # numbers that are in memory at a time, so that mapped data need not be
_EXACT = (1 << 24) - 1  # whole numbers up to this are exact in float32


def fingerprint(sequences: Sequences) -> str:
    """Give 32 hexadecimal digits that are the same for the same sequences, in any order and of either float type.

    It is the sum of the digests of all sequences, modulo 2^128. Values count in float32; a name counts by itself, not
    by its code. Labels do not count.

    >>> sequences = Sequences(np.arange(8.0)[:, None], np.array([0, 3, 8]))
    >>> fingerprint(sequences) == fingerprint(sequences[np.array([1, 0])])
    True
    """
    values, stops = sequences.values, sequences.offsets[1:].tolist()
    names = [(feature, _as_numbers(known)) for feature, known in enumerate(sequences.categories or ()) if known]
    rows = max(1, _BLOCK // values.shape[1])
    total, n, digest = 0, 0, blake2b(digest_size=_BYTES)
    for start in range(0, len(values), rows):
        block = _plain(values[start : start + rows], names)
        at, end = start, start + len(block)
        while at < end:
            stop = min(stops[n], end)
            digest.update(block[at - start : stop - start].data)
            if stop == stops[n]:
                total += int.from_bytes(digest.digest(), "big")
                n, digest = n + 1, blake2b(digest_size=_BYTES)
            at = stop
    return f"{total % (1 << 8 * _BYTES):0{2 * _BYTES}x}"


def is_trained_on(estimator: Any, X: Any) -> bool:
    """Say whether these are all the sequences that a fitted estimator was given in training.

    False where that is not known: of a model that was trained part by part, or saved without it.
    """
    known = estimator.training_.get("fingerprint")
    return known is not None and known == fingerprint(estimator._sequences(X))


def _as_numbers(names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.array([crc32(name.encode("utf-8", "surrogatepass")) & _EXACT for name in names], dtype=np.float32)


def _plain(block: NDArray[Any], names: list[tuple[int, NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Give values in float32, with one kind of zero and of NaN, and for codes what their names are."""
    with np.errstate(over="ignore"):
        plain: NDArray[np.float32] = np.array(block, dtype=np.float32, order="C")
    plain += 0.0  # -0.0 becomes 0.0
    for feature, numbers in names:
        codes = block[:, feature]
        known = (codes >= 0) & (codes < len(numbers))
        plain[known, feature] = numbers[codes[known].astype(np.int64)]
    plain[np.isnan(plain)] = np.nan
    return plain
