"""`elman evaluate`: figures on labelled data, beside the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elman.cli.console import console, say, say_json
from elman.errors import DataError, FileError


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data that the model was not trained on.")],
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure a model on labelled data, beside two simple baselines fitted with it.

    [bold]elman evaluate[/] vowels.safetensors vowels_TEST.ts

    The baselines are the majority class and a logistic regression on summary statistics of each feature: they tell
    whether recurrence paid. A table is read by the columns that the model was trained with.
    """
    from elman.cli.dataset import read_again
    from elman.cli.report import baselines_note, confusion_table, count, figures_table
    from elman.estimators.evaluation import evaluate as measure
    from elman.estimators.saved import load

    classifier = load(model)
    every_step = classifier.loss_at == "every_step"
    dataset = read_again(file, classifier.columns_, per_step=every_step, labelled=True)
    try:
        evaluation = measure(classifier, dataset.sequences, dataset.labels)
    except DataError as error:
        raise FileError(f"{file}: {error}") from error
    figures = evaluation.to_dict()
    if json:
        say_json(figures)
        return
    say(f"{model.name} on {count(evaluation.n, 'step' if every_step else 'sequence')} of {file.name}", "")
    say(figures_table(figures), "", baselines_note(), "")
    say(*confusion_table(evaluation.confusion_matrix, figures["classes"], console().width))
