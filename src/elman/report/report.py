"""The report of a model on labelled data: one page that holds all it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from elman import __version__
from elman.report.blocks import Section, shown
from elman.report.facts import Facts
from elman.report.page import render, render_page
from elman.report.sections.against import against
from elman.report.sections.baselines import baselines
from elman.report.sections.calibration import calibration
from elman.report.sections.card import card
from elman.report.sections.classes import classes
from elman.report.sections.confusion import confusion
from elman.report.sections.data import data
from elman.report.sections.evidence import evidence
from elman.report.sections.gradients import gradients
from elman.report.sections.headline import headline
from elman.report.sections.mistakes import most_confident_mistakes
from elman.report.sections.prefixes import prefixes
from elman.report.sections.training import training
from elman.report.sections.unrolled import unrolled

if TYPE_CHECKING:
    from markupsafe import Markup

Part = Callable[[Facts], Section | None]

PARTS: Sequence[tuple[str, Part]] = (
    ("the data", data),
    ("training", training),
    ("the gradient's way back", gradients),
    ("confusions", confusion),
    ("classes", classes),
    ("calibration", calibration),
    ("baselines", baselines),
    ("other models", against),
    ("mistakes", most_confident_mistakes),
    ("beginnings of sequences", prefixes),
    ("evidence", evidence),
    ("the unrolled network", unrolled),
    ("the model card", card),
)
"""What stands in a report, in order, each with what it is called while it is made. None: nothing to say here."""


def report(facts: Facts, *, on_part: Callable[[str], object] = lambda name: None) -> str:
    """Give the page.

    Parameters
    ----------
    facts : Facts
    on_part : callable(name), optional
        Called before each part with what is being worked on.

    Raises
    ------
    MissingExtraError
        If a library of the extra ``report`` is not installed.
    """
    sections = []
    for name, part in PARTS:
        on_part(name)
        section = part(facts)
        if section is not None:
            sections.append(section)
    charts = {figure.key: figure.spec for section in sections for figure in section.figures}
    body = render("report.html", headline=headline(facts), sections=sections, footer=_FOOTER)
    title = f"{shown(facts.model.name)} on {shown(facts.file.name)}"
    return render_page(title, body, charts=charts, navigation=_navigation(sections))


def _navigation(sections: Sequence[Section]) -> Markup:
    return render("navigation.html", sections=sections)


_FOOTER = f"Made by elman {__version__}. This file holds all that it shows: nothing is fetched, nothing is sent."
