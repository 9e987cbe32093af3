"""`elman predict`: a class and its probabilities for each sequence, or each step, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.columns import Id, IgnoredGroup, IgnoredLabel, MissingText, Text, Time
from elman.cli.console import say
from elman.errors import DataError, FileError, OutputError

if TYPE_CHECKING:
    import polars

    from elman.data import Dataset
    from elman.estimators.base import RecurrentEstimator

_SUFFIXES = (".csv", ".parquet")


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Data with the features that the model was trained on.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The table to write, .csv or .parquet.")
    ],
    id: Id = None,
    time: Time = None,
    label: IgnoredLabel = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
) -> None:
    """Predict the class of every sequence in a file.

    [bold]elman predict[/] vowels.safetensors new.csv --output predictions.csv

    The table has the columns id, prediction, and proba_CLASS for each class; a model of labels per step gives a row a
    step, numbered from 0 in the column step; a model of texts has the text beside the id. Labels in FILE, where there
    are any, are not looked at. Columns of a table that are not named are those that the model was trained with, where
    the table has them.
    """
    from elman.cli.dataset import load_model, read_for, say_unknown
    from elman.cli.tables import count
    from elman.output_file import check_writable, write_whole

    if output.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"{output}: expected an output of type .csv or .parquet, got {output.suffix!r}. Rename it.")
    check_writable(output)
    for given in (model, file):
        if output.exists() and given.exists() and output.samefile(given):
            raise OutputError(f"{output}: the output would overwrite the input. Choose another name.")
    classifier = load_model(model)
    dataset = read_for(
        classifier,
        file,
        {"id": id, "time": time, "label": label, "group": group},
        labelled=False,
        text=text,
        missing_text=missing_text,
    )
    try:
        say_unknown(classifier, dataset)
        table = prediction_table(classifier, dataset)
    except DataError as error:
        raise FileError(f"{file}: {error}") from error
    write_whole(output, _encoded(table, output.suffix.lower()))
    say(f"Wrote {count(table.height, 'prediction')} to {output}.")


def prediction_table(classifier: RecurrentEstimator, dataset: Dataset) -> polars.DataFrame:
    """Give id, text where there is one, step where each is predicted, prediction, and a probability for each class."""
    import numpy as np
    import polars

    proba = classifier.predict_proba(dataset.sequences)
    columns: dict[str, object] = {"id": dataset.ids}
    if classifier.every_step:
        lengths = dataset.sequences.lengths
        columns = {
            "id": np.repeat(dataset.ids, lengths),
            "step": np.concatenate([np.arange(length) for length in lengths]),
        }
        proba = np.concatenate(proba)
    if dataset.texts is not None:
        columns["text"] = dataset.texts
    columns["prediction"] = classifier.classes_[proba.argmax(axis=1)]
    for column, name in enumerate(classifier.classes_.tolist()):
        columns[f"proba_{name}"] = proba[:, column]
    return polars.DataFrame(columns)


def _encoded(table: polars.DataFrame, suffix: str) -> bytes:
    import io

    buffer = io.BytesIO()
    if suffix == ".csv":
        table.write_csv(buffer)
    else:
        table.write_parquet(buffer)
    return buffer.getvalue()
