"""Whether ids look like several recordings of the same subjects, as 's01_1', 's01_2', 's02_1' do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")  # .wav, .csv
_SEPARATOR = re.compile(r"[\s_\-./\\:#]+")
_UNPARTED = re.compile(r"([^\W\d_]{2,})(\d+)")  # anna03
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DATE = re.compile(r"(19|20)\d\d([-_./]?)\d\d(\2\d\d)?([\sT_\-./:].*)?")  # 2026-01-31, 20260131_1200
_SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
_MOST = 0.8  # share of the ids that must be so
_FEWEST = 4  # ids that say anything


@dataclass(frozen=True, eq=False, repr=False)
class Subjects:
    """The subjects that ids seem to name.

    Parameters
    ----------
    of : str array (N,)
        The subject of each sequence: the part of the id that it shares with others; the whole id where it has no
        such part. As ``groups`` it keeps the recordings of a subject together.
    ids : str array (N,)
    """

    of: NDArray[np.str_]
    ids: NDArray[np.str_]

    def __len__(self) -> int:
        return len(np.unique(self.of))

    def __repr__(self) -> str:
        return f"Subjects({len(self)} in {len(self.ids)} ids)"

    def shown(self, most: int = 2) -> str:
        """Give the first subjects with two of their ids each: ``s01 ('s01_1', 's01_2'), s02 ('s02_1', 's02_2')``."""
        names, counts = np.unique(self.of, return_counts=True)
        several = names[counts > 1][:most]
        shown = []
        for name in several.tolist():
            ids = ", ".join(repr(text) for text in self.ids[self.of == name][:2].tolist())
            shown.append(f"{name} ({ids})")
        return ", ".join(shown)


def find_subjects(ids: NDArray[np.str_], labels: NDArray[Any] | None = None) -> Subjects | None:
    """Tell which sequences seem to be of one subject, or None where the ids do not say so.

    An id is cut at its separators ('_', '-', '.', '/', a space and the like), or before its number. What stands before
    the last cut names a subject if at least four in five ids share it with another id, there are two subjects or more,
    and twice as many ids; if what follows or what stands before has a digit; and if it is no date, no name of a split
    (train, test), and does not name the class. Where it names subject and class, as in 's01_walk_1', a part of it that
    names the subject alone is taken, if there is one.

    Parameters
    ----------
    ids : str array (N,)
    labels : array (N,), optional
        The class of each sequence: names of classes are not taken for subjects.

    Examples
    --------
    >>> ids = np.array(["s01_1", "s01_2", "s02_1", "s02_2"])
    >>> find_subjects(ids).of.tolist()
    ['s01', 's01', 's02', 's02']
    >>> find_subjects(np.array(["walk 1", "walk 2", "walk 3", "walk 4"])) is None
    True
    """
    texts = [str(text).strip() for text in ids.tolist()]
    if len(set(texts)) < _FEWEST or _are_most(bool(_NUMBER.fullmatch(t) or _DATE.fullmatch(t)) for t in texts):
        return None
    if _are_most(bool(_EXTENSION.search(text)) for text in texts):
        texts = [_EXTENSION.sub("", text) for text in texts]
    cuts = [_cuts(text) for text in texts]
    levels = []
    for level in range(1, max(map(len, cuts)) + 1):
        of = [text[: cut[-level]] if len(cut) >= level else text for text, cut in zip(texts, cuts)]
        if _are_subjects(of, texts, labels):
            levels.append(of)
    if not levels:
        return None
    chosen = levels[0]
    if labels is not None and _are_pure(chosen, labels):  # it names the class as well
        chosen = next((of for of in levels if not _are_pure(of, labels)), chosen)
    same = [of for of in levels if len(set(of)) == len(set(chosen))]  # 's01 trial' says no more than 's01'
    return Subjects(np.array(same[-1], dtype=np.str_), np.asarray(ids))


def _cuts(text: str) -> list[int]:
    """Give where the parts of an id end, but for the last."""
    cuts = [found.start() for found in _SEPARATOR.finditer(text) if found.start() > 0 and found.end() < len(text)]
    if not cuts and (unparted := _UNPARTED.fullmatch(text)):
        cuts = [unparted.end(1)]
    return cuts


def _are_subjects(of: list[str], texts: list[str], labels: NDArray[Any] | None) -> bool:
    names, counts = np.unique(np.array(of), return_counts=True)
    n_shared = int(counts[counts > 1].sum())
    if n_shared < _MOST * len(of) or (counts > 1).sum() < 2 or len(of) < 2 * len(names):
        return False
    if not _are_most(any(character.isdigit() for character in text) for text in texts):
        return False
    if len(set(texts)) < len(texts) or set(map(str.lower, names.tolist())) <= _SPLITS:
        return False
    if _are_most(bool(_DATE.fullmatch(name)) for name in names.tolist()):
        return False
    if labels is None:
        return True
    names_the_class = len(names) == len(np.unique(labels)) and _are_pure(of, labels)
    return not names_the_class


def _are_pure(of: list[str], labels: NDArray[Any]) -> bool:
    """Say whether all sequences of each subject are of one class."""
    pairs: set[tuple[str, Any]] = set(zip(of, labels.tolist()))
    return len(pairs) == len(set(of))


def _are_most(facts: Iterable[bool]) -> bool:
    found = list(facts)
    return bool(sum(found) >= _MOST * len(found))
