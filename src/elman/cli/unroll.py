"""`elman unroll`: one sequence through a network and back, every quantity of backpropagation through time in order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.columns import PANEL, IgnoredGroup, MissingText, Text, Time
from elman.cli.console import note, say, say_json
from elman.cli.one_sequence import place_of
from elman.errors import DataError, FileError, ParameterError

if TYPE_CHECKING:
    from elman.cli.dataset import Columns
    from elman.data import Dataset
    from elman.insight.unrolled import Unrolled

_ID_COLUMN = re.compile(r"(?<![\w'])id=('[^']*'|\.\.\.)")


def unroll(
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Data with the features that it was trained on.", show_default=False),
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The sequence; the first of FILE if not said.")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option("--steps", metavar="FROM:TO", help="The steps in tables, counted from 1; or one step."),
    ] = None,
    units: Annotated[int, typer.Option("--units", metavar="K", help="Units, features and classes in tables.")] = 5,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", metavar="RATE", help="Of the update, by plain gradient descent.")
    ] = 0.1,
    member: Annotated[int, typer.Option("--member", metavar="N", help="The network, of a model of several.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PAGE", help="Write an interactive page, .html, instead of tables."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print every number as JSON instead.")] = False,
    id_column: Annotated[
        str | None,
        typer.Option("--id-column", metavar="C", help="Tells which sequence a row is of.", rich_help_panel=PANEL),
    ] = None,
    time: Time = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="C", help="Holds the target class.", rich_help_panel=PANEL),
    ] = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
) -> None:
    """See a network work: one sequence forward, the gradient back through time, and the update.

    [bold]elman unroll[/]
    [bold]elman unroll[/] vowels.safetensors vowels_TEST.ts --id 17
    [bold]elman unroll[/] vowels.safetensors vowels_TEST.ts --output unrolled.html

    Without MODEL and FILE it shows a small network: three steps, four features, one answer, before any training. The
    target is the label in FILE; where it has none, the class that the network predicts.
    """
    from elman.cli.places import check_page
    from elman.insight.three_steps import three_steps

    if (model is None) != (file is None):
        raise ParameterError("Expected MODEL and FILE, or neither for the built-in network. Got MODEL alone; add FILE.")
    if json and output is not None:
        raise ParameterError("Expected --json or --output. Got both; run the command twice.")
    if units < 1:
        raise ParameterError(f"--units must be at least 1. Got {units} instead.")
    if output is not None:
        check_page(output, *filter(None, (model, file)))
    if model is None or file is None:
        if id is not None or member != 1:
            raise ParameterError("--id and --member are for a MODEL and a FILE. Got neither; add them.")
        unrolled = three_steps(learning_rate)
    else:
        columns: Columns = {"id": id_column, "time": time, "label": label, "group": group}
        unrolled = _of_model(model, file, columns, text, missing_text, id, member, learning_rate)
    _show(unrolled, steps, units, output, as_json=json)


def _show(unrolled: Unrolled, steps: str | None, units: int, output: Path | None, *, as_json: bool) -> None:
    from elman.cli.console import console
    from elman.cli.unrolled_layout import shown_steps
    from elman.cli.unrolled_tables import UnrolledTables

    chosen = shown_steps(steps, unrolled.n_steps, len(unrolled.passages))
    if as_json:
        say_json(unrolled.to_dict())
    elif output is not None:
        from elman.cli.places import write_page
        from elman.report.unrolled_view import unrolled_page

        write_page(output, unrolled_page(unrolled))
        say(f"Wrote {output}. Open it in a browser.")
    else:
        to = console()
        is_unicode = "utf" in (to.encoding or "").lower()
        for line in UnrolledTables(unrolled, chosen, units, to.width, is_unicode=is_unicode).lines():
            say(line)


def _of_model(
    model: Path,
    file: Path,
    columns: Columns,
    text: str | None,
    missing_text: list[str],
    id: str | None,
    member: int,
    learning_rate: float,
) -> Unrolled:
    from elman.cli.dataset import load_model, say_notes, settings_for
    from elman.data import read
    from elman.insight.unroll_model import unroll_model

    estimator = load_model(model)
    settings = settings_for(estimator, columns, labelled=True, text=text, missing_text=missing_text)
    try:
        dataset = read(file, **settings)
    except FileError as error:  # in which --id is the column, as in other commands
        raise FileError(_ID_COLUMN.sub("--id-column", str(error))) from error
    say_notes(dataset)
    n = place_of(dataset, id, file)
    labels = _labels(dataset, n)
    try:
        unrolled = unroll_model(
            estimator,
            dataset.sequences[[n]],
            labels,
            member=member,
            learning_rate=learning_rate,
            title=f"Sequence {dataset.ids[n]} of {file.name}",
        )
    except DataError as error:
        raise FileError(f"{file}, sequence {str(dataset.ids[n])!r}: {error}") from error
    if labels is None:
        note("It has no label: the target is the class that the network predicts.")
    if len(estimator.networks_) > 1:
        note(f"This is network {member} of {len(estimator.networks_)}; the model averages their probabilities.")
    if estimator.temperature_ != 1:
        note(f"The model's probabilities are calibrated at temperature {estimator.temperature_:.3g}; these are not.")
    return unrolled


def _labels(dataset: Dataset, n: int) -> list[Any] | None:
    """Give the label of a sequence, or of its steps; None where there is none."""
    if dataset.labels is None:
        return None
    if not dataset.per_step:
        labels = dataset.labels[n : n + 1].tolist()
    else:
        start, stop = dataset.sequences.offsets[n : n + 2]
        labels = dataset.labels[start:stop].tolist()
    return None if all(label is None for label in labels) else labels
