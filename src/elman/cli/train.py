"""`elman train`: from a labelled file to a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.console import say, say_command, say_json
from elman.errors import DataError, FileError, OutputError, ParameterError
from elman.estimators.parameters import CELLS, INITIALISATIONS, OPTIMIZERS, READOUTS, Defaults, check_parameters

if TYPE_CHECKING:
    from elman.data import Dataset
    from elman.estimators.classifier import SequenceClassifier

_DATA = (".ts", ".csv", ".tsv", ".parquet", ".npz")
_COLUMNS = "Columns of a table (those not named are guessed, and the guess is said)"
_VALIDATION = "Validation part"
_NETWORK = "Network"
_LEARNING = "Learning"


def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data: .ts, .csv, .tsv, .parquet or .npz.")],
    model: Annotated[Path, typer.Option("--model", "-m", metavar="OUT", help="Where to write the model.")],
    id: Annotated[
        str | None, typer.Option("--id", metavar="C", help="Which sequence a row is of.", rich_help_panel=_COLUMNS)
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="C", help="The order of its rows.", rich_help_panel=_COLUMNS)
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="C", help="Its class.", rich_help_panel=_COLUMNS)
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="C",
            help="What must not stand in both parts, such as a person.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    per_step_labels: Annotated[
        bool,
        typer.Option(
            "--per-step-labels", metavar="", help="Each row has a label of its own.", rich_help_panel=_COLUMNS
        ),
    ] = False,
    validation: Annotated[
        Path | None,
        typer.Option("--validation", metavar="FILE", help="Labelled data to stop by.", rich_help_panel=_VALIDATION),
    ] = None,
    validation_fraction: Annotated[
        float, typer.Option(help="Else the part of FILE that is set aside for it.", rich_help_panel=_VALIDATION)
    ] = Defaults.validation_fraction,
    patience: Annotated[
        int, typer.Option(help="Epochs without a lower validation loss to stop after.", rich_help_panel=_VALIDATION)
    ] = Defaults.n_iter_no_change,
    no_validation: Annotated[
        bool,
        typer.Option(
            "--no-validation", metavar="", help="None: train on all of FILE, all epochs.", rich_help_panel=_VALIDATION
        ),
    ] = False,
    cell: Annotated[str, typer.Option(help=f"{', '.join(CELLS)}.", rich_help_panel=_NETWORK)] = Defaults.cell,
    hidden_size: Annotated[
        int, typer.Option(help="Size of the state of a layer.", rich_help_panel=_NETWORK)
    ] = Defaults.hidden_size,
    num_layers: Annotated[int, typer.Option(help="Layers.", rich_help_panel=_NETWORK)] = Defaults.num_layers,
    bidirectional: Annotated[
        bool,
        typer.Option(
            "--bidirectional/--one-direction",
            metavar="",
            help="Read from both ends, or forward only.",
            rich_help_panel=_NETWORK,
        ),
    ] = Defaults.bidirectional,
    dropout: Annotated[
        float, typer.Option(help="Share of values dropped between layers.", rich_help_panel=_NETWORK)
    ] = Defaults.dropout,
    readout: Annotated[
        str, typer.Option(help=f"What is classified: {', '.join(READOUTS)} state.", rich_help_panel=_NETWORK)
    ] = Defaults.readout,
    initialisation: Annotated[
        str, typer.Option(help=f"{', '.join(INITIALISATIONS)}.", rich_help_panel=_NETWORK)
    ] = Defaults.initialisation,
    forget_bias: Annotated[
        float | None, typer.Option(help="Start of an LSTM's forget gate.", rich_help_panel=_NETWORK)
    ] = Defaults.forget_bias,
    optimizer: Annotated[
        str, typer.Option(help=f"{', '.join(OPTIMIZERS)}.", rich_help_panel=_LEARNING)
    ] = Defaults.optimizer,
    learning_rate: Annotated[
        float, typer.Option(help="Size of a step.", rich_help_panel=_LEARNING)
    ] = Defaults.learning_rate,
    momentum: Annotated[float, typer.Option(help="For sgd, rmsprop.", rich_help_panel=_LEARNING)] = Defaults.momentum,
    nesterov: Annotated[
        bool, typer.Option("--nesterov", metavar="", help="Nesterov's momentum, for sgd.", rich_help_panel=_LEARNING)
    ] = Defaults.nesterov,
    weight_decay: Annotated[
        float, typer.Option(help="Pull of the weights to 0.", rich_help_panel=_LEARNING)
    ] = Defaults.weight_decay,
    batch_size: Annotated[int, typer.Option(help="Sequences a step.", rich_help_panel=_LEARNING)] = Defaults.batch_size,
    max_epochs: Annotated[
        int, typer.Option(help="Passes over the data, at most.", rich_help_panel=_LEARNING)
    ] = Defaults.max_epochs,
    clip_norm: Annotated[
        float | None, typer.Option(help="Largest norm of the gradient; 0 for none.", rich_help_panel=_LEARNING)
    ] = Defaults.clip_norm,
    clip_value: Annotated[
        float | None, typer.Option(help="Largest part of the gradient; none if not said.", rich_help_panel=_LEARNING)
    ] = Defaults.clip_value,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.", rich_help_panel=_LEARNING)] = 0,
    threads: Annotated[
        int | None,
        typer.Option(help="All cores if not said; the model does not depend on it.", rich_help_panel=_LEARNING),
    ] = None,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print the summary as JSON.")] = False,
) -> None:
    """Train a recurrent network on a labelled file and save it.

    [bold]elman train[/] vowels_TRAIN.ts --model vowels.safetensors
    [bold]elman train[/] gestures.csv --model gestures.safetensors --label gesture --group person

    Part of the data is set aside to choose the best epoch by. Features are standardised. Two simple baselines are
    fitted on the same data. Ctrl-C ends training and saves the best epoch so far.
    """
    parameters: dict[str, Any] = {
        "cell": cell,
        "hidden_size": hidden_size,
        "num_layers": num_layers,
        "bidirectional": bidirectional,
        "dropout": dropout,
        "readout": readout,
        "loss_at": "every_step" if per_step_labels else "last",
        "initialisation": initialisation,
        "forget_bias": forget_bias,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "momentum": momentum,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
        "batch_size": batch_size,
        "max_epochs": max_epochs,
        "clip_norm": clip_norm or None,
        "clip_value": clip_value,
        "early_stopping": not no_validation,
        "validation_fraction": validation_fraction,
        "n_iter_no_change": patience,
        "n_threads": threads,
        "random_state": seed,
    }
    check_parameters(parameters, "SequenceClassifier")
    if no_validation and validation is not None:
        raise ParameterError("--no-validation leaves no use for a validation file. Pass '--validation' or neither.")
    _check_output(model, file, validation)
    columns = {"id": id, "time": time, "label": label, "group": group}
    classifier = _fit(parameters, file, validation, columns, per_step=per_step_labels)
    classifier.save(model)
    if json:
        say_json(_summary(classifier, model))
    else:
        _print_summary(classifier, model, file)


def _check_output(model: Path, *inputs: Path | None) -> None:
    """Refuse a place that cannot be written, or that would overwrite data, before hours of training."""
    from elman.output_file import check_writable

    if model.suffix.lower() in _DATA:
        raise OutputError(f"{model}: expected the name of a model, such as model.safetensors, got that of a data file.")
    check_writable(model)
    for given in inputs:
        if given is not None and model.exists() and given.exists() and model.samefile(given):
            raise OutputError(f"{model}: the model would overwrite its data. Choose another name.")


def _fit(
    parameters: dict[str, Any],
    file: Path,
    validation: Path | None,
    columns: dict[str, str | None],
    *,
    per_step: bool,
) -> SequenceClassifier:
    from elman.cli.dataset import read_training
    from elman.cli.progress import follow
    from elman.estimators.classifier import SequenceClassifier

    dataset = read_training(file, columns, per_step=per_step)
    held_out = None
    if validation is not None:
        other = _read_validation(validation, columns, per_step=per_step)
        held_out = (other.sequences, other.labels)
    classifier = SequenceClassifier(**parameters)
    try:
        with follow(parameters["max_epochs"]) as progress:
            classifier.fit(
                dataset.sequences,
                dataset.labels,
                groups=dataset.groups,
                validation=held_out,
                on_epoch=progress.on_epoch,
                on_step=progress.on_step,
            )
    except DataError as error:
        raise FileError(f"{file}: {error}") from error
    classifier.columns_ = dataset.columns
    return classifier


def _read_validation(path: Path, columns: dict[str, str | None], *, per_step: bool) -> Dataset:
    from elman.cli.dataset import read_again

    named = {role: column for role, column in columns.items() if column is not None and role != "group"}
    return read_again(path, named, per_step=per_step, labelled=True)


def _summary(classifier: SequenceClassifier, model: Path) -> dict[str, Any]:
    return {
        "model": str(model),
        "n_parameters": int(classifier.network_.parameters.vector.size),
        "classes": classifier.classes_.tolist(),
        **classifier.training_,
    }


def _print_summary(classifier: SequenceClassifier, model: Path, file: Path) -> None:
    from dataclasses import asdict

    from elman.cli.report import baselines_note, describe_network, describe_training, figures_table

    training = classifier.training_
    if training["interrupted"]:
        say(f"Stopped by Ctrl-C after epoch {training['epochs']}; the best epoch so far is kept.")
    say(f"{describe_network(asdict(classifier.network_.architecture))}.", f"Trained on {describe_training(training)}")
    if training["validation"]:
        say("", "On the validation part, which chose the best epoch:")
        say(figures_table(training["validation"]), "", baselines_note())
    say("", f"Saved {model}. Next, on data that it has not seen:")
    say_command(f"elman evaluate {_quoted(model)} {_quoted(_test_file(file))}")


def _test_file(file: Path) -> Path:
    """Give the test file beside a training file, where the names tell."""
    for training, test in (("TRAIN", "TEST"), ("train", "test")):
        candidate = file.with_name(file.name.replace(training, test))
        if candidate != file and candidate.exists():
            return candidate
    return Path("FILE")


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
