"""`elman explain`: which steps and features of a sequence spoke for the class that a model predicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.columns import IgnoredGroup, IgnoredLabel, MissingText, Text, Time
from elman.cli.console import console, note, say, say_json
from elman.cli.one_sequence import IdColumn, SequenceId, place_of
from elman.errors import DataError, FileError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from elman.estimators.base import RecurrentEstimator


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that 'elman train' wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Data with the features that the model was trained on.")],
    id: SequenceId = None,
    method: Annotated[
        str, typer.Option("--method", help="integrated-gradients, gradient-x-input or occlusion.")
    ] = "integrated-gradients",
    class_name: Annotated[
        str | None,
        typer.Option("--class", metavar="CLASS", help="The class to explain; the predicted one if not said."),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step",
            metavar="N",
            help="Of a model of labels per step: whose label, counted from 1; -1 is the last. "
            "('elman predict' numbers them from 0.)",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print every number as JSON instead; its 'step' counts from 1.")
    ] = False,
    id_column: IdColumn = None,
    time: Time = None,
    label: IgnoredLabel = None,
    group: IgnoredGroup = None,
    text: Text = None,
    missing_text: MissingText = [],  # noqa: B006
) -> None:
    """Show which steps and features of a sequence spoke for a class, and which against it.

    [bold]elman explain[/] vowels.safetensors vowels_TEST.ts --id 17
    [bold]elman explain[/] vowels.safetensors vowels_TEST.ts --id 17 --class 3

    The logarithm of the probability is compared with that of a sequence at which every feature stands at its mean in
    training, and the difference is shared among all steps and features. It tells what moved the model, which need not
    be what makes the class.
    """
    from elman.cli.attribution_view import View, baseline_in_words
    from elman.cli.dataset import load_model, read_for, say_unknown
    from elman.insight.attribution import METHODS, attribute

    if method not in METHODS:
        raise ParameterError(
            f"--method must be one of {', '.join(METHODS)}. Got {method!r} instead.{did_you_mean(method, METHODS)}"
        )
    classifier = load_model(model)
    classes = None if class_name is None else _label(classifier, class_name)
    _check_step(classifier, step)
    dataset = read_for(
        classifier,
        file,
        {"id": id_column, "time": time, "label": label, "group": group},
        labelled=False,
        text=text,
        missing_text=missing_text,
    )
    n = place_of(dataset, id, file)
    chosen = dataset.sequences[[n]]
    place = None if step is None else _place(step, int(chosen.lengths[0]))
    try:
        say_unknown(classifier, dataset)
        attribution = attribute(classifier, chosen, method=method, classes=classes, step=place)
        proba = classifier._proba(classifier._sequences(chosen))
    except DataError as error:
        raise FileError(f"{file}, sequence {str(dataset.ids[n])!r}: {error}") from error
    steps = attribution.steps
    predicted = classifier.classes_[proba[0 if steps is None else int(steps[0])].argmax()]
    baseline = baseline_in_words(classifier.preparation_)
    view = View(attribution, classifier._sequences(chosen), predicted, str(dataset.ids[n]), file.name, baseline)
    if json:
        say_json(view.to_dict())
        return
    to = console()
    for item in view.lines(to.width, is_unicode="utf" in (to.encoding or "").lower()):
        say(item)
    if classifier.temperature_ != 1:
        note(
            f"The model's probabilities are calibrated at temperature {classifier.temperature_:.3g}; what is explained "
            "is the probability before that."
        )


def _label(classifier: RecurrentEstimator, name: str) -> Any:
    """Give the class that is written so, or raise DataError with those that there are."""
    from elman.estimators.labels import as_labels, encode

    code = encode(as_labels([name], "--class"), classifier.classes_, place_of=lambda _: "--class")
    return classifier.classes_[code[0]]


def _check_step(classifier: RecurrentEstimator, step: int | None) -> None:
    if classifier.every_step and step is None:
        raise ParameterError(
            "--step must say whose label is explained, since the model labels each step. Got none; --step -1 is the "
            "last of the sequence."
        )
    if not classifier.every_step and step is not None:
        raise ParameterError(
            f"--step must be left out, since the model gives a sequence one label. Got {step} instead."
        )


def _place(step: int, length: int) -> int:
    """Give the place, from 0, of a step that is counted from 1, or back from the last by -1, -2 and so on."""
    if not 1 <= abs(step) <= length:
        raise ParameterError(
            f"--step must be in 1..{length}, the steps of the sequence, or in -{length}..-1 from its end. Got {step} "
            "instead."
        )
    return step - 1 if step > 0 else step
