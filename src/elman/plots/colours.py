"""The colours of charts and pages, on light and on dark paper.

The eight colours for kinds reach a contrast of 3:1 on their paper, and stay apart for readers with protanopia,
deuteranopia and tritanopia: as any of these readers sees them, two are at least 0.065 apart in OKLab, where black and
white are 1 apart. The scales run evenly in lightness, away from the paper, so that more is always further from nothing.

Sources: Ottosson, "A perceptual color space for image processing" (2020); Machado, Oliveira & Fernandes, "A
physiologically-based model for simulation of color vision deficiency" (2009); WCAG 2.2, 1.4.11 (contrast).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """Colours on one paper, as #rrggbb.

    Parameters
    ----------
    paper, surface : str
        The ground of charts and pages, and of what is set off from it.
    ink, ink_soft : str
        Text, and text of less weight; at least 4.5:1 on the paper.
    line, grid : str
        Axes; lines that the eye follows through a chart.
    interval : str
        Intervals, which stand behind the figure that they are of.
    on_strong : str
        Text on the strong end of `sequential`.
    categories : tuple of 8 str
        For kinds.
    sequential : tuple of str
        From nothing to most.
    diverging : tuple of str
        From least, below 0, to most, above; the middle is 0.
    """

    paper: str
    surface: str
    ink: str
    ink_soft: str
    line: str
    grid: str
    interval: str
    on_strong: str
    categories: tuple[str, ...]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]


LIGHT = Colours(
    paper="#fdfcfa",
    surface="#f5f3ee",
    ink="#1c1d20",
    ink_soft="#5d6068",
    line="#c9c5bb",
    grid="#ebe8e1",
    interval="#a9adb5",
    on_strong="#ffffff",
    categories=("#1965ad", "#c65e0b", "#6f987e", "#6f3055", "#5d530c", "#521c86", "#0188a2", "#9b4b5d"),
    sequential=(
        "#eff7f8", "#c4e5ec", "#96d3e2", "#63afcd", "#318bba", "#2a71a9", "#275897", "#234382", "#1e2f6d",
    ),
    diverging=(
        "#1d438c", "#3a71b0", "#609fd2", "#aac9e5", "#f4f3f1", "#edc1a7", "#e08e5a", "#bb6135", "#95330f",
    ),
)  # fmt: skip

DARK = Colours(
    paper="#15171b",
    surface="#1d2026",
    ink="#e8e6e1",
    ink_soft="#a5a7ae",
    line="#4a4f59",
    grid="#282c33",
    interval="#686d77",
    on_strong="#10131a",
    categories=("#70b2e5", "#eb9d5a", "#8fe3ac", "#b06f92", "#f2d45c", "#cfc8ff", "#2b93bf", "#d8663a"),
    sequential=(
        "#1a1e27", "#232f4a", "#2a416f", "#2c578e", "#2770ad", "#2f8ec3", "#3facd6", "#69c9de", "#98e4e8",
    ),
    diverging=(
        "#97ddf9", "#64aedc", "#3c7ebe", "#33506e", "#252527", "#6c412e", "#b85e31", "#dc935a", "#ffc98b",
    ),
)  # fmt: skip


def colours(dark: bool = False) -> Colours:
    """Give the colours on light or on dark paper."""
    return DARK if dark else LIGHT
