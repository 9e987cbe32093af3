"""Numbers, names and small bars in columns that a terminal of any width holds, without colour."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

NUMBER_WIDTH = 8
_EIGHTHS = " ▏▎▍▌▋▊▉█"
BETWEEN = 2  # cells between two columns


def number(value: float) -> str:
    """Give a number in at most 8 characters.

    >>> [number(value) for value in (0.12345, -12.5, -512.0, 0.0, 3.2e-7, float("nan"))]
    ['0.1235', '-12.5000', '-512.000', '0', '3.2e-07', '-']
    """
    if math.isnan(value):
        return "-"
    size = abs(value)
    if size == 0:
        return "0"
    if not 1e-3 <= size < 1000:
        return f"{value:.1e}"
    return f"{value:.4f}" if size < 100 else f"{value:.3f}"


def plain(name: str) -> str:
    """Give a name as a terminal may show it: on one line, without control characters.

    >>> plain("walk"), plain("a\\x1b[31mb")
    ('walk', "'a\\\\x1b[31mb'")
    """
    return name if name.isprintable() else repr(name)


def fitted(text: str, width: int) -> str:
    """Give text in exactly so many cells, with an ellipsis where it is cut.

    >>> fitted("walking", 5), fitted("go", 5)
    ('walk…', 'go   ')
    """
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def without_middle(text: str, width: int) -> str:
    """Give text in at most so many cells; of a longer one the middle is left out, so that names keep their ends.

    >>> without_middle("heart rate (beats per minute)", 14), without_middle("go", 14)
    ('heart r…inute)', 'go')
    """
    if cell_len(text) <= width:
        return text
    tail = text
    while cell_len(tail) > (width - 1) // 2:
        tail = tail[1:]
    return set_cell_size(text, width - 1 - cell_len(tail)).rstrip() + "…" + tail


def bar(share: float, width: int, *, is_unicode: bool) -> str:
    """Give a bar for a share from 0 to 1.

    >>> bar(0.5, 5, is_unicode=True), bar(0.5, 4, is_unicode=False)
    ('██▌  ', '##  ')
    """
    share = min(max(share, 0.0), 1.0)
    if not is_unicode:
        return ("#" * round(share * width)).ljust(width)
    whole, part = divmod(round(share * width * 8), 8)
    return ("█" * whole + (_EIGHTHS[part] if part else "")).ljust(width)


def below(values: Sequence[float]) -> float:
    """Give the power of ten below all values above 0, at most 16 decades below the largest: where log bars begin.

    >>> below([0.2, 0.5]), below([1.0, 2e-4, 0.0]), below([0.0])
    (0.1, 0.0001, 0.1)
    """
    logs = [math.log10(value) for value in values if value > 0] or [0.0]
    return float(10.0 ** max(math.ceil(min(logs) - 0.15) - 1, math.ceil(max(logs)) - 16))


def log_share(value: float, least: float, largest: float) -> float:
    """Give how long a bar is on a logarithmic scale, from ``least`` to ``largest``.

    >>> round(log_share(0.01, 1e-4, 1.0), 3), log_share(0.0, 1e-4, 1.0)
    (0.5, 0.0)
    """
    return 0.0 if value <= 0 or largest <= least else max(0.02, math.log(value / least) / math.log(largest / least))


def columns(rows: Sequence[Sequence[str]], is_left: Sequence[bool], width: int) -> list[str]:
    """Lay rows of cells out in columns, the first row being headings; lines are cut at the width.

    >>> columns([["t", "name"], ["10", "walk"]], [False, True], 80)
    [' t  name', '10  walk']
    """
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(is_left))]
    lines = []
    for row in rows:
        cells = [
            cell + " " * (wide - cell_len(cell)) if left else " " * (wide - cell_len(cell)) + cell
            for cell, wide, left in zip(row, widths, is_left)
        ]
        line = (" " * BETWEEN).join(cells).rstrip()
        lines.append(line if cell_len(line) <= width else fitted(line, width))
    return lines
