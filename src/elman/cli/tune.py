"""`elman tune`: parameters chosen by search, and a model trained with the best of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.console import note, say_json, warnings_told
from elman.cli.options import option
from elman.cli.parameters import parameter_named, parameters_of, pinned, taking_options_of
from elman.cli.places import check_output
from elman.cli.train import train
from elman.cli.training_data import naming_files, read_training_data
from elman.errors import OutputError, ParameterError
from elman.estimators.parameters import check_parameters

if TYPE_CHECKING:
    from elman.cli.grouping import Grouping
    from elman.search.domains import Domain
    from elman.search.result import SearchResult

_SEARCH = "Search"
_LIMIT_OPTIONS = {"n_trials": "--trials", "folds": "--folds", "timeout": "--minutes"}


@dataclass(frozen=True)
class Limits:
    """How long to search, and how a trial is measured."""

    n_trials: int
    timeout: float | None
    folds: int
    study: Path | None


@taking_options_of(train)
def tune(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data: .ts, .csv, .tsv, .parquet or .npz.")],
    model: Annotated[Path, typer.Option("--model", "-m", metavar="OUT", help="Where to write the model.")],
    trials: Annotated[int, typer.Option(help="Candidates to try, in all.", rich_help_panel=_SEARCH)] = 50,
    minutes: Annotated[
        float | None, typer.Option(help="End the search after so many.", rich_help_panel=_SEARCH)
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            show_default="3; 1 with --validation",
            help="Parts that take turns to be measured on; 1 for a single validation part.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep finished trials in a SQLite file; run the same command again to go on.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    search: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUES",
            help="Search a parameter over a,b,c or low..high; may be given again.",
            rich_help_panel=_SEARCH,
        ),
    ] = [],  # noqa: B006
    **options: Any,
) -> None:
    """Search for the parameters of a network, and train and save it with the best.

    [bold]elman tune[/] vowels_TRAIN.ts --model vowels.safetensors --trials 30
    [bold]elman tune[/] moves.csv --model moves.safetensors --study moves.db --search hidden_size=32,64,128
    [bold]elman tune[/] moves.csv --model moves.safetensors --cell lstm --search learning_rate=1e-4..1e-2

    Candidates are measured by their loss on sequences that they were not trained on, and given up early where they fall
    behind. The first has the parameters of 'elman train'. An option that is named stays as it is. Ctrl-C ends the
    search and trains with the best so far. It needs the extra elman[tune].
    """
    parameters = parameters_of(options)
    check_parameters(parameters, option)
    kept = pinned(context)
    space = _space(search, kept)
    check_output(model, file, options["validation"])
    _check_study(study, model, file, options["validation"])
    folds = (3 if options["validation"] is None else 1) if folds is None else folds
    from elman.search.tuning import check_limits

    check_limits({"n_trials": trials, "folds": folds, "timeout": minutes}, _LIMIT_OPTIONS.__getitem__)
    limits = Limits(trials, None if minutes is None else 60 * minutes, folds, study)
    found, grouping = _search(parameters, file, space, kept, limits, options)
    found.estimator.save(model)
    from elman.cli.search_report import print_summary, summary

    if options["json"]:
        say_json(summary(found, grouping, model))
    else:
        print_summary(found, grouping, model, file)


def _check_study(study: Path | None, model: Path, *inputs: Path | None) -> None:
    """Refuse a study in the place of what is read or written besides."""
    if study is None:
        return
    for what, other in (("model", model), *(("data", given) for given in inputs)):
        if other is not None and study.resolve() == other.resolve():
            raise OutputError(
                f"{study}: the study and the {what} would overwrite each other. Choose another name for one."
            )


def _space(search: list[str], kept: set[str]) -> dict[str, Domain]:
    """Read what is to be searched."""
    from elman.search.domains import parse_domain

    space: dict[str, Domain] = {}
    for text in search:
        name, has_values, values = text.partition("=")
        name = parameter_named(name)
        if not has_values or not values:
            raise ParameterError(f"--search must be NAME=a,b,c or NAME=low..high. Got {text!r} instead.")
        if name in kept:
            raise ParameterError(f"{option(name)} sets what --search {text} is to vary. Leave one of them out.")
        if name in space:
            raise ParameterError(f"--search names {name} twice. Give all its values in one.")
        space[name] = parse_domain(name, values)
    return space


def _search(
    parameters: dict[str, Any],
    file: Path,
    space: dict[str, Domain],
    kept: set[str],
    limits: Limits,
    options: dict[str, Any],
) -> tuple[SearchResult, Grouping]:
    from elman.cli.progress import follow
    from elman.cli.search_progress import follow_search
    from elman.search.tuning import tune as run_search

    data = read_training_data(file, options, is_split=True)
    with naming_files(file, options["validation"]):
        with follow_search(limits.n_trials, limits.timeout) as progress:
            found = run_search(
                data.estimator(parameters),
                **data.arguments,
                space=space,
                pinned=kept,
                refit=False,
                **asdict(limits),
                **progress.hooks,
            )
        note("Training with the best parameters.")
        with follow(n_members=found.estimator.n_members) as display, warnings_told(display.console):
            found.estimator.fit(**data.arguments, callbacks=[display])
    found.estimator.columns_ = data.training.columns
    return found, data.grouping
