"""`elman evaluate`: figures on labelled data, beside the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elman.cli.columns import Id, IgnoredGroup, Label, MissingText, Text, Time
from elman.cli.console import console, say, say_json, tell
from elman.errors import DataError, FileError


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data that the model was not trained on.")],
    id: Id = None,
    time: Time = None,
    label: Label = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure a model on labelled data, beside two simple baselines fitted with it.

    [bold]elman evaluate[/] vowels.safetensors vowels_TEST.ts

    The baselines are the most frequent class and a logistic regression on summary statistics of each feature: they tell
    whether recurrence paid. Columns of a table that are not named are those that the model was trained with, where
    the table has them.
    """
    from elman.cli.dataset import load_model, read_for, say_unknown, warn_of_training_data
    from elman.cli.tables import confusion_table, count, figures_table, is_cut_short, verdict
    from elman.insight.comparison import judge
    from elman.insight.paired import PairedLabels

    classifier = load_model(model)
    every_step = classifier.every_step
    dataset = read_for(
        classifier,
        file,
        {"id": id, "time": time, "label": label, "group": group},
        labelled=True,
        text=text,
        missing_text=missing_text,
    )
    try:
        say_unknown(classifier, dataset)
        warn_of_training_data(classifier, dataset)
        judged = judge(model.name, classifier, dataset.sequences, dataset.labels, place_of=dataset.place)
    except DataError as error:
        raise FileError(f"{file}: {error}") from error
    evaluation = judged.evaluation
    figures = evaluation.to_dict()
    if json:
        say_json(figures)
        return
    say(f"{model.name} on {count(evaluation.n, 'step' if every_step else 'sequence')} of {file.name}", "")
    say(figures_table(figures), "")
    paired = PairedLabels.of(judged.codes, [judged.proba, *judged.baselines.values()], judged.offsets)
    p_values = {name: paired.p_value(m) for m, name in enumerate(judged.baselines, 1)}
    sentences = verdict(
        figures,
        len(dataset.sequences),
        every_step=every_step,
        is_cut_short=is_cut_short(classifier.training_),
        p_values=p_values,
    )
    if sentences:
        tell(sentences, "")
    title, table = confusion_table(evaluation.confusion_matrix, figures["classes"], console().width)
    tell(title)
    say(table)
