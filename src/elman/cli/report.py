"""`elman report`: one page that shows what a model does on labelled data, and how it came about."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.columns import IgnoredGroup, Label, MissingText, Text, Time
from elman.cli.console import console, note, say
from elman.cli.one_sequence import IdColumn, place_of
from elman.errors import DataError, FileError

if TYPE_CHECKING:
    from elman.estimators.base import RecurrentEstimator

_BETWEEN_LINES = 5.0  # seconds, where output goes to a file or a pipe


def report(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data that the model was not trained on.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PAGE", help="The page to write, .html.")],
    id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The sequence to unroll; else the surest mistake.")
    ] = None,
    against: Annotated[
        list[Path], typer.Option(metavar="MODEL", help="Another model to compare with; may be given again.")
    ] = [],  # noqa: B006
    id_column: IdColumn = None,
    time: Time = None,
    label: Label = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
) -> None:
    """Write one page about a model on labelled data: how good, how sure, what it confuses and why, how it was trained.

    [bold]elman report[/] vowels.safetensors vowels_TEST.ts --output report.html

    The page holds all it shows, opens offline in any browser, in light and dark, and prints. Figures are of all data;
    what would take long is measured on a sample, and says so. Columns of a table that are not named are those that the
    model was trained with, where the table has them.
    """
    from elman.cli.dataset import load_model, read_for, say_unknown, warn_of_training_data
    from elman.cli.places import check_page
    from elman.output_file import write_whole
    from elman.report.facts import Facts, Source
    from elman.report.page import check_libraries
    from elman.report.report import report as make

    check_page(output, model, file, *against)
    check_libraries()
    classifier = load_model(model)
    others = _others(classifier, against)
    dataset = read_for(
        classifier,
        file,
        {"id": id_column, "time": time, "label": label, "group": group},
        labelled=True,
        text=text,
        missing_text=missing_text,
    )
    try:
        say_unknown(classifier, dataset)
        warn_of_training_data(classifier, dataset)
        chosen = None if id is None else place_of(dataset, id, file)
        with _progress() as on_part:
            on_part("predictions")
            facts = Facts.gather(
                classifier,
                dataset,
                model=Source.of(model),
                file=Source.of(file),
                command=_command(model, file, output),
                others=others,
                unrolled=chosen,
            )
            page = make(facts, on_part=on_part)
    except DataError as error:
        raise FileError(f"{file}: {error}") from error
    write_whole(output, page.encode("utf-8", "backslashreplace"))
    say(f"Wrote {output}, {len(page) / 1e6:.1f} MB. Open it in a browser.")


def _command(model: Path, file: Path, output: Path) -> str:
    """Give the command as it was typed; where it was called from Python, one that does the same."""
    if sys.argv[1:2] == ["report"]:
        return shlex.join(["elman", *sys.argv[1:]])
    return shlex.join(["elman", "report", str(model), str(file), "--output", str(output)])


def _others(classifier: RecurrentEstimator, paths: list[Path]) -> dict[str, RecurrentEstimator]:
    """Load the models to compare with, each under a name of its own."""
    from elman.cli.dataset import load_model

    loaded: dict[str, RecurrentEstimator] = {}
    for path in paths:
        name = path.stem if path.stem not in loaded else str(path)
        loaded[name] = load_model(path)
    return loaded


@contextmanager
def _progress() -> Iterator[Callable[[str], object]]:
    """Show which part is being worked on, on stderr: in a terminal as it changes, else in a line now and then."""
    to = console(stderr=True)
    if to.is_terminal and not to.is_dumb_terminal:
        with to.status("") as status:
            yield lambda name: status.update(f"Working on {name}")
        return
    told = time.monotonic()

    def tell(name: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _BETWEEN_LINES:
            told = time.monotonic()
            note(f"Working on {name}.", to)

    yield tell
