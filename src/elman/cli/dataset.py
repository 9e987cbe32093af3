"""Models and data files as the commands read them: guesses said aloud, and a new table read as the one trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from elman.cli.console import note, warn
from elman.errors import FileError, ModelFileError

if TYPE_CHECKING:
    from elman.data import Dataset
    from elman.data.vocabulary import Vocabulary
    from elman.estimators.base import RecurrentEstimator

TABLES = (".csv", ".tsv", ".parquet")
DATA = (".ts", *TABLES, ".npz")


class Columns(TypedDict):
    """The columns that the user named."""

    id: str | None
    time: str | None
    label: str | None
    group: str | None


class Reading(TypedDict):
    """How the user wants the columns to be read."""

    text: str | None
    text_split: str
    missing: str
    missing_text: list[str] | None
    step_length: bool
    categorical: list[str]


def load_model(path: Path) -> RecurrentEstimator:
    """Load a model, minding that data may have been given in its place."""
    from elman.estimators.saved import load

    try:
        return load(path)
    except ModelFileError as error:
        if path.suffix.lower() in DATA:
            raise ModelFileError(f"{error} MODEL comes first, then FILE.") from error
        raise


def read_training(path: Path, columns: Columns, reading: Reading, *, per_step: bool) -> Dataset:
    """Read a labelled file, with the columns that the user named."""
    from elman.data import read

    return read(path, **columns, **reading, labels_per_step=per_step, labels_required=True)


def read_validation(path: Path, columns: Columns, reading: Reading, training: Dataset, *, per_step: bool) -> Dataset:
    """Read a labelled file like the one trained on, with groups where both have them."""
    from elman.data import read

    named: Columns = {**columns, "group": None}
    if path.suffix.lower() not in TABLES:
        named = {"id": None, "time": None, "label": None, "group": None}
    sequences = training.sequences
    names, categories = sequences.feature_names or (), sequences.categories or ()
    kinds = [
        name for name, known in zip(names, categories) if known is not None and training.columns.get("text") is None
    ]
    alike: Reading = {**reading, "categorical": kinds}
    return read(
        path,
        **named,
        **alike,
        likely=training.columns,
        features=sequences.feature_names,
        labels_per_step=per_step,
        labels_required=True,
        unread={"group"} if training.groups is None else (),
    )


def read_for(
    classifier: RecurrentEstimator,
    path: Path,
    columns: Columns,
    *,
    labelled: bool,
    text: str | None = None,
    missing_text: list[str] | None = None,
) -> Dataset:
    """Read a file for a model: by the columns that the user named, else by those that it was trained on.

    What becomes of text, of kinds, of missing values and of time is as it was in training.

    Raises
    ------
    FileError
        If the file cannot be read so, or has no labels and ``labelled`` asks for them.
    """
    return read_as(settings_for(classifier, columns, labelled=labelled, text=text, missing_text=missing_text), path)


def settings_for(
    classifier: RecurrentEstimator,
    columns: Columns,
    *,
    labelled: bool,
    text: str | None = None,
    missing_text: list[str] | None = None,
) -> dict[str, Any]:
    """Give how a file is read for a model; models of the same settings read the same."""
    from elman.estimators.features import feature_names

    names = feature_names(classifier)
    is_text = text is not None or "text" in classifier.columns_
    preparation = classifier.preparation_
    return {
        **columns,
        "text": text,
        "text_split": _split_of(classifier),
        "missing": "error" if preparation.start is None else "indicator",
        "missing_text": missing_text or None,
        "categorical": [] if is_text or names is None else _of_names(preparation.vocabularies, names),
        "likely": classifier.columns_,
        "features": names,
        "labels_per_step": classifier.every_step,
        "labels_required": labelled and columns["label"] is not None,
        "unread": {"group"} if labelled else {"group", "label"},
    }


def read_as(settings: dict[str, Any], path: Path) -> Dataset:
    """Read a file by settings of `settings_for`; errors as `read_for`'s."""
    from elman.data import read

    dataset = read(path, **settings)
    say_notes(dataset)
    if "label" not in settings["unread"] and dataset.labels is None:
        raise FileError(
            f"{path}: it has no labels to measure against. Name them with label=..., or use 'elman predict'."
        )
    return dataset


def _of_names(vocabularies: tuple[Vocabulary, ...], features: tuple[str, ...]) -> list[str]:
    """Give the features that came as names in training; those that came as numbers are read as numbers again."""
    return [features[vocabulary.feature] for vocabulary in vocabularies if not vocabulary.is_coded]


def _split_of(classifier: RecurrentEstimator) -> str:
    """Give what the model's texts were split into; one trained in Python may have been given tokens."""
    split = str(classifier._fit_parameters["text"])
    tokens = [name for vocabulary in classifier.preparation_.vocabularies for name in vocabulary.names]
    return split if all(len(token) == 1 for token in tokens) else "words"


def say_classes(dataset: Dataset) -> None:
    """Print the classes of a labelled file, and warn where it may have been misread."""
    from elman.cli.tables import describe_classes

    if dataset.labels is not None:
        note(f"{describe_classes(dataset.labels)}.")
    lengths = dataset.sequences.lengths
    if dataset.texts is None and "id" in dataset.columns and len(lengths) > 1 and (lengths == 1).all():
        warn(
            "Every sequence has one step: is this a wide table, a row a sequence? Then write it as a long one, a row "
            f"a step. Or does {dataset.columns['id']!r} number the rows? Then name another column with --id."
        )


def say_unknown(classifier: RecurrentEstimator, dataset: Dataset, of: str = "") -> None:
    """Print how many values of each feature of kinds the model has never seen, ``of`` in front of it.

    Raises
    ------
    DataError
        If the features are not those of training.
    """
    sequences = classifier._sequences(dataset.sequences)
    for vocabulary in classifier.preparation_.vocabularies:
        n = vocabulary.n_unknown(sequences)
        names = sequences.feature_names
        what = (
            "tokens" if dataset.texts is not None else f"values of {names[vocabulary.feature]!r}" if names else "values"
        )
        if n:
            note(f"{of}{n:,} {what} were never seen in training and count as unknown.")


def warn_of_training_data(classifier: RecurrentEstimator, dataset: Dataset, of: str = "") -> None:
    """Warn where a model is to be measured on the data that it was trained on, ``of`` in front of it.

    Raises
    ------
    DataError
        If the features are not those of training.
    """
    from elman.estimators.fingerprint import TRAINED_ON, is_trained_on

    if is_trained_on(classifier, dataset.sequences):
        warn(f"{of}{TRAINED_ON}")


def say_notes(dataset: Dataset, of: Path | None = None) -> None:
    """Print what was guessed in reading; ``of`` names the file where there are two."""
    for sentence in dataset.notes:
        note(sentence if of is None else f"{of}: {sentence}")
