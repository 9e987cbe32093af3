"""What a parameter may be in a search: a range or a few values, and how the command line writes either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from elman.errors import ParameterError

_DECADE = 10  # a range that spans this factor is searched by its logarithm
_N_POINTS = 5  # of a range, where a value that is no number has to stand beside it


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, both included; whole ones where both are.

    >>> Range(8, 128).is_log, Range(0.0, 0.5).is_log
    (True, False)
    >>> Range(8, 128).nearest(300)
    128
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ParameterError(f"A range must go from low to high. Got {self} instead.")

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def is_log(self) -> bool:
        """Whether it is searched by its logarithm."""
        return self.low > 0 and self.high >= _DECADE * self.low

    @property
    def ends(self) -> tuple[Any, ...]:
        """What a contract must accept for all of it to be sound."""
        return self.low, self.high

    def holds(self, value: object) -> bool:
        """Tell whether a value is of it."""
        kinds = int if self.is_whole else (int, float)
        return not isinstance(value, bool) and isinstance(value, kinds) and self.low <= value <= self.high

    def nearest(self, value: Any) -> Any:
        """Give the value itself, or what of the range is nearest to it; the middle for what is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.points(3)[1]
        inside = min(max(value, self.low), self.high)
        return round(inside) if self.is_whole else float(inside)

    def including(self, value: Any) -> Domain:
        """Give a domain that has this value too."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Choices((value, *self.points(_N_POINTS)))
        if value <= 0 < self.low:  # no logarithm reaches it
            return Choices((value, *self.points(_N_POINTS)))
        return Range(min(self.low, value), max(self.high, value))

    def points(self, n: int) -> tuple[Any, ...]:
        """Give n values from end to end, evenly apart as the range is searched."""
        shares = [place / (n - 1) for place in range(n)]
        if self.is_log:
            found = [self.low * (self.high / self.low) ** share for share in shares]
        else:
            found = [self.low + (self.high - self.low) * share for share in shares]
        return tuple(sorted({round(point) if self.is_whole else float(f"{point:.2g}") for point in found}))

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}" if not self.is_whole else f"{self.low}..{self.high}"


@dataclass(frozen=True)
class Choices:
    """A few values.

    >>> Choices(("gru", "lstm")).nearest("elman")
    'gru'
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values or len(set(map(repr, self.values))) != len(self.values):
            raise ParameterError(f"Choices must be one value or more, each once. Got {list(self.values)} instead.")

    @property
    def ends(self) -> tuple[Any, ...]:
        """What a contract must accept for all of them to be sound."""
        return self.values

    def holds(self, value: object) -> bool:
        """Tell whether a value is one of them."""
        return any(type(value) is type(known) and value == known for known in self.values)

    def nearest(self, value: Any) -> Any:
        """Give the value itself where it is one of them; else of numbers the nearest, or the first."""
        if self.holds(value):
            return value
        numbers = [known for known in self.values if isinstance(known, int | float) and not isinstance(known, bool)]
        if len(numbers) == len(self.values) and isinstance(value, int | float):
            return min(numbers, key=lambda known: abs(known - value))
        return self.values[0]

    def including(self, value: Any) -> Domain:
        """Give choices that have this value too."""
        return self if self.holds(value) else Choices((value, *self.values))

    def __str__(self) -> str:
        return ",".join(map(str, self.values))


Domain: TypeAlias = Range | Choices


def parse_domain(name: str, text: str) -> Domain:
    """Read a domain as the command line writes it.

    >>> parse_domain("learning_rate", "1e-4..1e-2")
    Range(low=0.0001, high=0.01)
    >>> parse_domain("hidden_size", "32, 64"), parse_domain("layer_norm", "yes,no")
    (Choices(values=(32, 64)), Choices(values=(True, False)))
    """
    if ".." in text:
        low, _, high = text.partition("..")
        ends = [_value(part) for part in (low, high)]
        if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            raise ParameterError(f"A range to search must be written low..high. Got '{name}={text}' instead.")
        return Range(*_alike(ends))
    return Choices(_alike([_value(part) for part in text.split(",")]))


def _value(text: str) -> Any:
    text = text.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"yes": True, "true": True, "no": False, "false": False, "none": None}.get(text.lower(), text)


def _alike(values: list[Any]) -> Any:
    """Give whole numbers beside fractions as floats."""
    has_fractions = any(isinstance(value, float) for value in values)
    return tuple(float(value) if has_fractions and type(value) is int else value for value in values)
