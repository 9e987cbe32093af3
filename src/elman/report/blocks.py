"""What a report is made of: sections of prose, figures, tables and lists, which one template turns into HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST_NAME = 40  # characters of a name that are shown


@dataclass(frozen=True)
class Name:
    """A name of the user's: of a class, a feature, a sequence, a file. It may hold anything, in any script."""

    text: str

    @property
    def shown(self) -> str:
        """The name as a page may show it."""
        return shown(self.text)

    @property
    def parts(self) -> list[str]:
        """The same in parts between which a line may break: after dots, hyphens and underscores.

        >>> Name("JapaneseVowels_TEST.ts").parts
        ['JapaneseVowels_', 'TEST.', 'ts']
        """
        return re.findall(r"[^._-]*[._-]|[^._-]+", self.shown)


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str
    is_soft: bool = False
    is_printed: bool = True


@dataclass(frozen=True)
class Remarks:
    """Sentences, one an item."""

    kind: ClassVar[str] = "remarks"
    sentences: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text, `Name` or formatted numbers below headings.

    Parameters
    ----------
    headings : sequence of str
        The first column heads its row.
    rows : sequence of sequences
    numbers : collection of int
        Columns that stand to the right, digit below digit.
    strong : collection of int
        Rows that stand out.
    """

    kind: ClassVar[str] = "table"
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Name]]
    caption: str = ""
    numbers: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()
    title: str = ""
    folded: str = ""  # where given, the table is folded behind these words


@dataclass(frozen=True)
class Figure:
    """A chart, how it is read, and what it shows here.

    Parameters
    ----------
    key : str
        Of the place in the page; letters, digits and hyphens.
    spec : dict
        Vega-Lite.
    title : str
    reads, shows : str
        A sentence or two each.
    label : str
        What the chart is called where it cannot be seen.
    table : Table, optional
        The same numbers.
    """

    kind: ClassVar[str] = "figure"
    key: str
    spec: Mapping[str, Any]
    title: str
    reads: str
    shows: str
    label: str
    table: Table | None = None


@dataclass(frozen=True)
class Code:
    """Text to copy."""

    kind: ClassVar[str] = "code"
    text: str
    title: str = ""


@dataclass(frozen=True)
class Fragment:
    """HTML that brings itself along."""

    kind: ClassVar[str] = "fragment"
    html: Markup


Block: TypeAlias = Prose | Remarks | Table | Figure | Code | Fragment


@dataclass(frozen=True)
class Section:
    """A part of the page under one heading."""

    key: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    lead: str = ""

    @property
    def figures(self) -> list[Figure]:
        """The charts in it."""
        return [block for block in self.blocks if isinstance(block, Figure)]


def shown(name: object, longest: int = LONGEST_NAME) -> str:
    r"""Give a name as a page may show it: not too long, signs that cannot be seen as escapes.

    >>> shown("left\u202eright"), shown("x" * 50, 8), shown("")
    ('left\\u202eright', 'xxxxxxx…', "''")
    """
    text = str(name)
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    seen = "".join(sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode() for sign in cut)
    return seen if seen.strip() else repr(seen)


def distinct(names: Sequence[object], longest: int = LONGEST_NAME) -> list[str]:
    """Give names as charts may show them, each another: those that cutting made alike are numbered.

    >>> distinct(["walk", "xxxxxx1", "xxxxxx2"], 5)
    ['walk', 'xxxx… (2)', 'xxxx… (3)']
    """
    cut = [shown(name, longest) for name in names]
    return [f"{text} ({n})" if cut.count(text) > 1 else text for n, text in enumerate(cut, 1)]


def percent(share: float, digits: int = 1) -> str:
    r"""Give a share in per cent, which no line break tears apart.

    >>> percent(0.98108)
    '98.1\xa0%'
    """
    return f"{100 * share:.{digits}f}\xa0%"


def between(low: float, high: float, digits: int = 1) -> str:
    r"""Give a range of shares in per cent.

    >>> between(0.9, 0.957)
    '90.0 to 95.7\xa0%'
    """
    return f"{100 * low:.{digits}f} to {percent(high, digits)}"


def capital(sentence: str) -> str:
    """Give a sentence its capital, and leave the names in it as they are.

    >>> capital("sequence aB")
    'Sequence aB'
    """
    return sentence[:1].upper() + sentence[1:]


def count(n: int, thing: str, things: str = "") -> str:
    """Give a number of things.

    >>> count(1, "sequence"), count(1200, "class", "classes")
    ('1 sequence', '1,200 classes')
    """
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def number(value: float) -> str:
    """Give a number to three digits.

    >>> number(0.0123456), number(1234567.0), number(-2.0)
    ('0.0123', '1.23e+06', '-2')
    """
    return f"{value:.3g}"
