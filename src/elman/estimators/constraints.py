"""What a parameter may be, as data: each constraint accepts values and says in words which.

A model file holds parameters, so none may be what `elman.metadata` cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real

# What a model file can hold, as `elman.metadata` has it, here without loading Numba; a test compares the two.
LARGEST_FLOAT = 1e300
LARGEST_SEED = 2**63 - 1
LARGEST_HIDDEN_SIZE = 65_536
LARGEST_PATCH = 65_536
MOST_LAYERS = 1024
MOST_MEMBERS = 1024
LONGEST_NAME = 10_000  # characters


@dataclass(frozen=True)
class Number:
    """An int or a float in a range; ``closed`` names the ends that belong to it."""

    kind: type
    low: float
    high: float
    closed: str = "left"

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is of the kind and in the range."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind is int else Real):
            return False
        try:
            number = int(value) if self.kind is int else float(value)  # type: ignore[call-overload]
        except OverflowError:  # an int that no float can hold
            return False
        above = number > self.low or (number == self.low and self.closed in ("left", "both"))
        below = number < self.high or (number == self.high and self.closed in ("right", "both"))
        return above and below

    def __str__(self) -> str:
        left = "[" if self.closed in ("left", "both") else "("
        right = "]" if self.closed in ("right", "both") else ")"
        article = "an" if self.kind is int else "a"
        return f"{article} {self.kind.__name__} in the range {left}{self._end(self.low)}, {self._end(self.high)}{right}"

    def _end(self, value: float) -> str:
        return str(value) if math.isinf(value) else str(self.kind(value))


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is one of the names."""
        return isinstance(value, str) and value in self.names

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, self.names))}}}"


@dataclass(frozen=True)
class Truth:
    """True or False."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is a bool, Python's or NumPy's."""
        return isinstance(value, bool) or (type(value).__name__ == "bool" and hasattr(value, "dtype"))

    def __str__(self) -> str:
        return "a bool"


@dataclass(frozen=True)
class Label:
    """A label that a model file can hold, or None."""

    longest: int = 1000  # characters of text

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is text, a whole number, a boolean or None."""
        if isinstance(value, str):
            return is_storable(value, self.longest)
        return value is None or Truth().accepts(value) or _LABEL.accepts(value)

    def __str__(self) -> str:
        text = f"text of at most {self.longest:,} characters that UTF-8 has"
        return f"a label ({text}, a whole number or a bool) or None"


@dataclass(frozen=True)
class ClassWeight:
    """Weights by class."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is 'balanced', None, or a dict of weights."""
        if not isinstance(value, dict):
            return value is None or value == "balanced"
        weight = Number(float, 0, LARGEST_FLOAT)
        labels_are_sound = all(label is not None and Label(LONGEST_NAME).accepts(label) for label in value)
        return labels_are_sound and all(weight.accepts(number) for number in value.values())

    def __str__(self) -> str:
        return "a dict from labels to floats of at least 0, 'balanced' or None"


@dataclass(frozen=True)
class OrNone:
    """What another constraint accepts, or None."""

    inner: Number

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is None or accepted by the inner constraint."""
        return value is None or self.inner.accepts(value)

    def __str__(self) -> str:
        return f"{self.inner} or None"


@dataclass(frozen=True)
class OrAuto:
    """What another constraint accepts, or 'auto': chosen from the data."""

    inner: Number | Choice | Truth | OrNone

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is 'auto' or accepted by the inner constraint."""
        return (isinstance(value, str) and value == "auto") or self.inner.accepts(value)

    def __str__(self) -> str:
        return f"{self.inner} or 'auto'"


@dataclass(frozen=True)
class RandomState:
    """A seed, a generator of NumPy's, old or new, or None."""

    def accepts(self, value: object) -> bool:
        """Tell whether random numbers can be drawn from ``value``."""
        from numpy.random import Generator, RandomState

        return value is None or isinstance(value, Generator | RandomState) or _SEED.accepts(value)

    def __str__(self) -> str:
        return f"{_SEED}, a numpy.random.Generator, a numpy.random.RandomState or None"


@dataclass(frozen=True)
class Features:
    """Indices or names of features, or None."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is None, or a list, tuple or array of counts or names."""
        if value is None:
            return True
        if not hasattr(value, "__len__") or not hasattr(value, "__iter__") or isinstance(value, str | bytes | dict):
            return False
        return all(isinstance(feature, str) or _INDEX.accepts(feature) for feature in value)

    def __str__(self) -> str:
        return "a list of indices or names of features, or None"


@dataclass(frozen=True)
class Sizes:
    """One size for all layers, or a tuple or list of one for each."""

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is a size, or a tuple or list of sizes."""
        if isinstance(value, tuple | list):
            return 1 <= len(value) <= MOST_LAYERS and all(_SIZE.accepts(size) for size in value)
        return _SIZE.accepts(value)

    def __str__(self) -> str:
        return f"{_SIZE} or a tuple of them"


Constraint = Sizes | Number | Choice | Truth | Label | ClassWeight | Features | OrNone | OrAuto | RandomState

_SIZE = Number(int, 1, LARGEST_HIDDEN_SIZE, "both")
_SEED = Number(int, 0, LARGEST_SEED, "both")
_INDEX = Number(int, 0, 10**9, "both")
_LABEL = Number(int, -(2**63), 2**63 - 1, "both")


def is_storable(text: str, longest: int = LONGEST_NAME) -> bool:
    """Tell whether a model file can hold a text: half a surrogate pair has no UTF-8.

    >>> is_storable("naïve"), is_storable("\\ud800")
    (True, False)
    """
    return len(text) <= longest and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))
