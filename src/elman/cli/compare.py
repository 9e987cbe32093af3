"""`elman compare`: models side by side on the same labelled data, and whether chance explains what sets them apart."""

from __future__ import annotations

import filecmp
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.columns import Id, IgnoredGroup, Label, MissingText, Text, Time
from elman.cli.console import note, say, say_json, tell, warn
from elman.errors import DataError, FileError, ParameterError

if TYPE_CHECKING:
    from elman.cli.dataset import Columns
    from elman.data import Dataset
    from elman.insight.comparison import Comparison, Judged


def compare(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL",
            help="Models that 'elman train' wrote, the first to compare the others with.",
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data that no model was trained on.")],
    baselines: Annotated[
        bool,
        typer.Option("--baselines", metavar="", help="Compare the baselines of the first model with it, too."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PAGE", help="Write a page, .html, with charts as well.")
    ] = None,
    id: Id = None,
    time: Time = None,
    label: Label = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of text.")] = False,
) -> None:
    """Compare models on the same labelled data, sequence by sequence, and tell differences from chance.

    [bold]elman compare[/] lstm.safetensors gru.safetensors vowels_TEST.ts

    Each model is compared with the first. All must have the same classes; they may differ in all else. Columns of a
    table that are not named are those that each model was trained with, where the table has them.
    """
    from elman.cli.places import check_page
    from elman.insight.comparison import side_by_side
    from elman.output_file import write_whole
    from elman.report.page import check_libraries

    if len(models) < 2 - baselines:
        raise ParameterError(
            "compare wants two models at least, then a labelled file, or one model with --baselines. "
            f"Got {len(models)} before {file}."
        )
    if output is not None:
        check_page(output, file, *models)
        check_libraries()
    _say_same(models)
    names = distinct(models)
    columns: Columns = {"id": id, "time": time, "label": label, "group": group}
    judged, dataset = _judge_all(models, names, file, columns, text, missing_text)
    comparison = side_by_side(judged, dataset.ids, baselines=baselines)
    if json:
        say_json(comparison.to_dict())
    else:
        _print(comparison, file)
    if output is not None:
        from elman.report.comparison import comparison_page

        write_whole(output, comparison_page(comparison, file.name).encode("utf-8", "backslashreplace"))
        note(f"Wrote {output}. Open it in a browser.")


def _print(comparison: Comparison, file: Path) -> None:
    from elman.cli.comparison_tables import figures, letters, most_different
    from elman.cli.tables import count
    from elman.insight.comparison_in_words import cautions, differences_in_words

    called = letters(len(comparison.names))
    on = count(comparison.n_sequences, "sequence")
    if comparison.every_step:
        on = f"{count(comparison.evaluations[0].n, 'step')} of {on}"
    beside = " and the baselines of A" * (comparison.n_models < len(called))
    say(f"{count(comparison.n_models, 'model')}{beside} on {on} of {file.name}", "", figures(comparison), "")
    for paragraph in [*differences_in_words(comparison, called), " ".join(cautions(comparison))]:
        tell(paragraph, "")
    table = most_different(comparison)
    if table is not None:
        mark = "" if comparison.every_step else " (* says another)"
        tell(f"Where they differ most: how probable each calls the true class{mark}")
        say(table)


def _judge_all(
    models: list[Path],
    names: list[str],
    file: Path,
    columns: Columns,
    text: str | None,
    missing_text: list[str],
) -> tuple[list[Judged], Dataset]:
    """Let every model predict the file, read as each was trained to read; those that read alike share what is read."""
    from elman.cli.dataset import load_model, read_as, say_unknown, settings_for, warn_of_training_data
    from elman.insight.comparison import judge, require_alike

    judged: list[Judged] = []
    readings: list[tuple[dict[str, Any], Dataset]] = []
    for path, name in zip(models, names):
        classifier = load_model(path)
        settings = settings_for(classifier, columns, labelled=True, text=text, missing_text=missing_text)
        dataset = next((known for like, known in readings if like == settings), None)
        try:
            if dataset is None:
                dataset = read_as(settings, file)
                readings.append((settings, dataset))
            say_unknown(classifier, dataset, f"{name}: ")
            warn_of_training_data(classifier, dataset, f"{name}: ")
            judged.append(judge(name, classifier, dataset.sequences, dataset.labels, place_of=dataset.place))
        except DataError as error:
            raise FileError(f"{file}, read for {name}: {error}") from error
        require_alike(judged[0], judged[-1])
    return judged, readings[0][1]


def distinct(paths: list[Path]) -> list[str]:
    """Give each file the shortest name that tells it from the others: its own, or with as many folders as it takes.

    >>> distinct([Path("a/gru.model"), Path("b/gru.model"), Path("lstm.model"), Path("lstm.model")])
    ['a/gru.model', 'b/gru.model', 'lstm.model', 'lstm.model (2)']
    """
    names = []
    for path in paths:
        others = [other for other in paths if other != path]
        parts = next(
            (n for n in range(1, len(path.parts)) if all(path.parts[-n:] != other.parts[-n:] for other in others)),
            len(path.parts),
        )
        names.append(str(Path(*path.parts[-parts:])))
    return [f"{name} ({names[:n].count(name) + 1})" if name in names[:n] else name for n, name in enumerate(names)]


def _say_same(models: list[Path]) -> None:
    for n, path in enumerate(models):
        for other in models[:n]:
            if path.is_file() and other.is_file() and filecmp.cmp(path, other, shallow=False):
                again = f"{path} is named twice" if path == other else f"{path} and {other} are the same model"
                warn(f"{again}: it is compared with itself.")
                break
