"""Models side by side, as a section of a report and as a page of its own."""

from __future__ import annotations

from elman import __version__
from elman.insight.comparison import Comparison, Difference
from elman.insight.comparison_in_words import cautions, clearest, differences_in_words
from elman.plots import comparison as draw
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Name, Remarks, Section, Table, between, count, distinct, percent, shown
from elman.report.page import render, render_page
from elman.report.sections.headline import Figure as Number
from elman.report.sections.headline import Headline

_MOST_IN_HEADLINE = 4
_MOST_COLUMNS = 6  # models beside each other


def comparison_section(comparison: Comparison, title: str = "Beside other models") -> Section:
    """Show the figures of each model, what sets each apart from the first, and where they differ most."""
    called = distinct(comparison.names)
    figure = Figure(
        "comparison",
        specification(draw(comparison, width=charts.WIDTH, theme=None)),
        "Models side by side",
        reads="Above, the accuracy of each model with its 95\xa0% interval; below, its difference from the first. A "
        "paired difference counts only the cases where the two disagree, so it can be clear although the intervals "
        "above overlap.",
        shows=clearest(comparison, called),
        label="Accuracy of each model with its interval, and paired differences to the first",
        table=_figures(comparison),
    )
    blocks: list[Block] = [
        figure,
        _paired(comparison),
        Remarks(_unbroken(differences_in_words(comparison, called)), "In words"),
    ]
    if len(comparison.most_different()):
        blocks.append(_most_different(comparison, called))
    blocks.append(Remarks(cautions(comparison), "Worth knowing"))
    lead = f"Each is compared with {called[0]} on the same {'steps' if comparison.every_step else 'sequences'}."
    return Section("against", title, blocks, lead)


def comparison_page(comparison: Comparison, file: str) -> str:
    """Give one self-contained page about models on a file of this name.

    Raises
    ------
    MissingExtraError
        If a library of the extra ``report`` is not installed.
    """
    section = comparison_section(comparison, "Differences")
    n, names = comparison.n_models, distinct(comparison.names)
    figures = [
        Number(name, percent(evaluation.accuracy), f"95\xa0% interval {between(low, high)}")
        for name, evaluation, (low, high) in zip(names, comparison.evaluations, comparison.accuracy_intervals.tolist())
    ]
    on = count(comparison.n_sequences, "sequence")
    if comparison.every_step:
        on = f"{count(comparison.evaluations[0].n, 'step')} of {on}"
    headline = Headline(
        kicker="Comparison of models",
        model=Name(" and ".join(names[:n]) if n <= 2 else f"{n} models"),
        file=Name(file),
        lead=f"The accuracy of each on {on}, and whether the differences are more than chance.",
        figures=figures[:_MOST_IN_HEADLINE],
        blocks=(),
    )
    footer = f"Made by elman {__version__}. This file holds all that it shows: nothing is fetched, nothing is sent."
    body = render("report.html", headline=headline, sections=[section], footer=footer)
    drawn = {figure.key: figure.spec for figure in section.figures}
    return render_page(f"{headline.model.shown} on {shown(file)}", body, charts=drawn)


def _figures(comparison: Comparison) -> Table:
    rows = [
        (
            Name(name),
            percent(found.accuracy),
            between(low, high),
            percent(found.balanced_accuracy),
            percent(found.macro_f1),
            f"{found.log_loss:.4f}",
        )
        for name, found, (low, high) in zip(
            comparison.names, comparison.evaluations, comparison.accuracy_intervals.tolist()
        )
    ]
    headings = ("model", "accuracy", "95\xa0% interval", "balanced accuracy", "macro F1", "log loss")
    return Table(headings, rows, numbers=frozenset(range(1, 6)), strong=frozenset({0}))


def _paired(comparison: Comparison) -> Table:
    corrected = ", by Holm's correction" if len(comparison.differences) > 1 else ""
    return Table(
        ("model", "points", "95\xa0% interval", "only this right", "only the first right", "p"),
        [_row(difference) for difference in comparison.differences],
        caption=f"Accuracy minus that of {shown(comparison.names[0])}, in points. p, by {comparison.test}{corrected}: "
        "in how many of such files two equally good models would differ this much.",
        numbers=frozenset(range(1, 6)),
        title="Paired differences",
    )


def _row(difference: Difference) -> tuple[str | Name, ...]:
    low, high = difference.accuracy_interval
    return (
        Name(difference.name),
        f"{100 * difference.accuracy:+.1f}",
        f"{100 * low:+.1f} to {100 * high:+.1f}",
        f"{difference.only_this:,}",
        f"{difference.only_reference:,}",
        f"{difference.p_corrected:.2g}" if difference.p_corrected >= 0.0001 else "< 0.0001",
    )


def _most_different(comparison: Comparison, called: list[str]) -> Table:
    classes = comparison.evaluations[0].classes
    names = called[:_MOST_COLUMNS]
    rows: list[tuple[str | Name, ...]] = []
    for n in comparison.most_different().tolist():
        cells = [f"{share:.3f}" for share in comparison.truth[: len(names), n].tolist()]
        first: list[str | Name] = [Name(str(comparison.ids[n]))]
        if not comparison.every_step:
            first.append(Name(str(classes[comparison.codes[n]])))
            wrong = comparison.predicted[: len(names), n] != comparison.codes[n]
            cells = [f"{cell} *" if is_wrong else cell for cell, is_wrong in zip(cells, wrong)]
        rows.append((*first, *cells))
    headings = ("sequence", *(() if comparison.every_step else ("class",)), *names)
    return Table(
        headings,
        rows,
        caption="p(true class) of each model"
        + ("." if comparison.every_step else "; * where it predicts another class."),
        numbers=frozenset(range(len(headings) - len(names), len(headings))),
        title="Where they differ most",
    )


def _unbroken(sentences: list[str]) -> list[str]:
    """Give sentences in which no line break tears a number from its sign."""
    return [sentence.replace(" %", "\xa0%") for sentence in sentences]
