"""`elman train`: from a labelled file to a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.augmentation_options import BucketByLength, Jitter, Scaling, TimeWarp, WindowSlice
from elman.cli.checkpoint_options import EVERY, CheckpointFile, Every, check_checkpoint, telling
from elman.cli.columns import (
    PANEL,
    Categorical,
    EmbeddingSize,
    Group,
    GroupFromId,
    Id,
    Label,
    Missing,
    MissingText,
    NoGroup,
    PatchSize,
    StepLength,
    Text,
    TextSplit,
    Time,
)
from elman.cli.console import note, say, say_command, say_json, tell, warnings_told
from elman.cli.ensemble_options import Calibrate, Members
from elman.cli.learning_options import (
    Accumulate,
    BatchSize,
    Centred,
    ClassWeight,
    ClipNorm,
    ClipValue,
    FinalRate,
    GradientNoise,
    LabelSmoothing,
    LearningRate,
    MaxEpochs,
    Momentum,
    Nesterov,
    Optimizer,
    Schedule,
    ScheduleEpochs,
    ScheduleFactor,
    WarmUp,
    WeightAverage,
    WeightDecay,
)
from elman.cli.network_options import (
    Bidirectional,
    Cell,
    Dropout,
    Dtype,
    ForgetBias,
    HiddenSize,
    Initialisation,
    LayerNorm,
    LearnInitialState,
    NoStandardise,
    NumLayers,
    Readout,
    RecurrentDropout,
    Residual,
    Zoneout,
)
from elman.cli.options import option, with_options
from elman.cli.parameters import parameters_of
from elman.cli.places import check_output, quoted, test_file
from elman.cli.training_data import TrainingData, naming_files, read_training_data
from elman.cli.validation_options import NoValidation, Patience, Refit, Tol, Validation, ValidationFraction
from elman.cli.watching_options import Log, LogEvery, Mlflow, TensorBoard, hand_over, watchers
from elman.errors import ParameterError
from elman.estimators.idle import idle_settings
from elman.estimators.parameters import (
    Defaults,
    check_parameters,
)

if TYPE_CHECKING:
    from elman.cli.grouping import Grouping
    from elman.estimators.base import RecurrentEstimator
    from elman.training.callbacks import Callback

_LEARNING = "Learning"


def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled data: .ts, .csv, .tsv, .parquet or .npz.")],
    model: Annotated[Path, typer.Option("--model", "-m", metavar="OUT", help="Where to write the model.")],
    id: Id = None,
    time: Time = None,
    label: Label = None,
    group: Group = None,
    group_from_id: GroupFromId = False,
    no_group: NoGroup = False,
    per_step_labels: Annotated[
        bool,
        typer.Option("--per-step-labels", metavar="", help="Each row has a label of its own.", rich_help_panel=PANEL),
    ] = False,
    text: Text = None,
    text_split: TextSplit = Defaults.text,
    categorical: Categorical = [],  # noqa: B006
    embedding_size: EmbeddingSize = Defaults.embedding_size,
    step_length: StepLength = False,
    missing: Missing = None,
    missing_text: MissingText = [],  # noqa: B006
    patch_size: PatchSize = str(Defaults.patch_size),
    validation: Validation = None,
    validation_fraction: ValidationFraction = Defaults.validation_fraction,
    patience: Patience = str(Defaults.n_iter_no_change),
    refit: Refit = None,
    tol: Tol = Defaults.tol,
    no_validation: NoValidation = False,
    cell: Cell = Defaults.cell,
    hidden_size: HiddenSize = str(Defaults.hidden_size),
    num_layers: NumLayers = Defaults.num_layers,
    bidirectional: Bidirectional = Defaults.bidirectional,
    dropout: Dropout = Defaults.dropout,
    recurrent_dropout: RecurrentDropout = Defaults.recurrent_dropout,
    zoneout: Zoneout = Defaults.zoneout,
    layer_norm: LayerNorm = Defaults.layer_norm,
    learn_initial_state: LearnInitialState = Defaults.learn_initial_state,
    residual: Residual = Defaults.residual,
    readout: Readout = Defaults.readout,
    initialisation: Initialisation = Defaults.initialisation,
    forget_bias: ForgetBias = Defaults.forget_bias,
    no_standardise: NoStandardise = not Defaults.standardise,
    dtype: Dtype = Defaults.dtype,
    optimizer: Optimizer = Defaults.optimizer,
    learning_rate: LearningRate = str(Defaults.learning_rate),
    momentum: Momentum = Defaults.momentum,
    nesterov: Nesterov = Defaults.nesterov,
    weight_decay: WeightDecay = Defaults.weight_decay,
    batch_size: BatchSize = str(Defaults.batch_size),
    max_epochs: MaxEpochs = str(Defaults.max_epochs),
    clip_norm: ClipNorm = Defaults.clip_norm,
    clip_value: ClipValue = Defaults.clip_value,
    class_weight: ClassWeight = Defaults.class_weight,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.", rich_help_panel=_LEARNING)] = 0,
    threads: Annotated[
        int | None,
        typer.Option(help="All cores if not said; the model does not depend on it.", rich_help_panel=_LEARNING),
    ] = None,
    centred: Centred = Defaults.centred,
    schedule: Schedule = Defaults.schedule,
    warm_up: WarmUp = Defaults.warm_up,
    schedule_epochs: ScheduleEpochs = Defaults.schedule_epochs,
    schedule_factor: ScheduleFactor = Defaults.schedule_factor,
    final_rate: FinalRate = Defaults.final_rate,
    members: Members = Defaults.n_members,
    calibrate: Calibrate = Defaults.calibrate,
    label_smoothing: LabelSmoothing = Defaults.label_smoothing,
    gradient_noise: GradientNoise = Defaults.gradient_noise,
    weight_average: WeightAverage = Defaults.weight_average,
    bucket_by_length: BucketByLength = Defaults.bucket_by_length,
    jitter: Jitter = Defaults.jitter,
    scaling: Scaling = Defaults.scaling,
    time_warp: TimeWarp = Defaults.time_warp,
    window_slice: WindowSlice = Defaults.window_slice,
    accumulate: Accumulate = Defaults.accumulate,
    checkpoint: CheckpointFile = None,
    every: Every = EVERY,
    log: Log = None,
    tensorboard: TensorBoard = None,
    log_every: LogEvery = None,
    mlflow: Mlflow = None,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print the summary as JSON.")] = False,
) -> None:
    """Train a recurrent network on a labelled file and save it.

    [bold]elman train[/] vowels_TRAIN.ts --model vowels.safetensors
    [bold]elman train[/] moves.csv --model moves.safetensors --label move --group person
    [bold]elman train[/] words.csv --model words.safetensors --text word --label language

    Part of the data is set aside to choose the best epoch by. Features are standardised. Two simple baselines are
    fitted on the same data. Ctrl-C ends training and saves the best epoch so far.

    The options to touch first: --group where the data is of several persons, --members 5 for a better model in more
    time, --calibrate for probabilities to rely on, --cell, --hidden-size and --max-epochs. The others have defaults
    that suit most data.
    """
    options = dict(locals())
    parameters = parameters_of(options) | {"early_stopping": not no_validation}
    if class_weight not in (None, "balanced"):
        raise ParameterError(f"--class-weight must be balanced. Got {class_weight!r} instead.")
    check_parameters(parameters, option)
    if no_validation and validation is not None:
        raise ParameterError("--no-validation leaves no use for a validation file. Pass '--validation' or neither.")
    if no_validation and calibrate:
        raise ParameterError("--no-validation leaves nothing to calibrate on. Pass '--calibrate' or neither.")
    if no_validation and schedule == "plateau":
        raise ParameterError(
            "--schedule plateau goes by the loss on a validation part, which --no-validation leaves out. "
            "Choose another schedule, such as '--schedule cosine'."
        )
    if group_from_id and group is not None:
        raise ParameterError("--group-from-id leaves no use for a group column. Pass '--group' or neither.")
    if no_group and group is not None:
        raise ParameterError("--no-group leaves no use for a group column. Pass '--group' or neither.")
    check_output(model, file, validation)
    check_checkpoint(checkpoint, every, model, data=file, validation=validation, log=log, tensorboard=tensorboard)
    watching = watchers(log, tensorboard, log_every, mlflow, model=model)
    idle = idle_settings(parameters, option) + _idle_options(parameters, validation)
    if per_step_labels and readout != Defaults.readout:
        idle.append("--readout has no effect with --per-step-labels: each step is classified by its own state.")
    if per_step_labels and parameters["patch_size"] not in (1, "auto"):
        raise ParameterError(
            f"--patch-size must be 1 or auto with --per-step-labels: each step is read by itself, for its own label. "
            f"Got {patch_size} instead."
        )
    for named, is_given in (("--group-from-id", group_from_id), ("--no-group", no_group)):
        if is_given and (no_validation or validation is not None):
            idle.append(f"{named} has no effect with {'--no-validation' if no_validation else '--validation'}.")
    for sentence in idle:
        note(sentence)
    if text is None and text_split != Defaults.text:
        note("--text-split has no effect without --text.")
    data = read_training_data(file, options, is_split=not no_validation)
    saving = {"checkpoint": checkpoint, "every": every}
    with naming_files(file, validation):
        classifier = _fit(data, parameters, [*watching, *telling(checkpoint)], saving)
    classifier.save(model)
    hand_over(model, watching)
    if json:
        say_json(_summary(classifier, data.grouping, model))
    else:
        _print_summary(classifier, data.grouping, model, file)


def _idle_options(parameters: dict[str, Any], validation: Path | None) -> list[str]:
    """Give a sentence for each option about the validation part that has nothing to act on."""
    idle, reason = [], ""
    if not parameters["early_stopping"]:
        idle, reason = ["validation_fraction", "n_iter_no_change", "tol"], "--no-validation"
    elif validation is not None:
        idle, reason = ["validation_fraction"], "--validation"
    changed = [name for name in idle if parameters[name] != getattr(Defaults, name)]
    return [f"{option(name)} has no effect with {reason}." for name in changed]


def _fit(
    data: TrainingData, parameters: dict[str, Any], watching: list[Callback], saving: dict[str, Any]
) -> RecurrentEstimator:
    from elman.cli.progress import follow

    classifier = data.estimator(parameters)
    said = idle_settings(parameters)  # before training, as options
    with follow(n_members=parameters["n_members"]) as progress, warnings_told(progress.console, said):
        classifier.fit(**data.arguments, callbacks=[progress, *watching], **saving)
    classifier.columns_ = data.training.columns
    return classifier


def _summary(classifier: RecurrentEstimator, grouping: Grouping, model: Path) -> dict[str, Any]:
    return {
        "model": str(model),
        "n_parameters": sum(int(network.parameters.vector.size) for network in classifier.networks_),
        "temperature": classifier.temperature_,
        "classes": classifier.classes_.tolist(),
        "patch_size": classifier.preparation_.patch_size,
        **classifier.training_,
        "split_by": grouping.split_by,
        "shared_subjects": grouping.n_shared,
    }


def _print_summary(classifier: RecurrentEstimator, grouping: Grouping, model: Path, file: Path) -> None:
    from dataclasses import asdict

    from elman.cli.tables import (
        describe_calibration,
        describe_network,
        describe_training,
        figures_table,
        is_cut_short,
        validation_heading,
        verdict,
    )
    from elman.estimators.progress import rate_line

    training = classifier.training_
    if training["interrupted"]:
        tell(f"Stopped by Ctrl-C after epoch {training['epochs']}; the best epoch so far is kept.")
    network = describe_network(asdict(classifier.network_.architecture), len(classifier.networks_))
    schedule, max_epochs = classifier.schedule, classifier._value("max_epochs")
    tell(f"{network}.", f"Trained on {describe_training(training, max_epochs, schedule)}")
    if classifier.learning_rate == "auto":
        line = rate_line(classifier.learning_rate_, stands_out=classifier.range_test_.stands_out)
        tell(f"{line[0].upper()}{line[1:]}.")
    figures = training["validation"]
    if figures:
        is_refit = bool(training["n_refit"])
        tell("", validation_heading(is_calibrated=classifier.calibrate, is_refit=is_refit, apart_by=grouping.apart_by))
        say(figures_table(figures))
        for sentences in (
            verdict(
                figures,
                training["n_validation"],
                every_step=classifier.every_step,
                is_cut_short=is_cut_short(training),
            ),
            describe_calibration(classifier.temperature_) if classifier.calibrate else "",
            grouping.caution,
        ):
            if sentences:
                tell("", sentences)
    for finding in training["health"]:
        tell("", with_options(finding["sentence"]))
    say("", f"Saved {model}. Next, on data that it has not seen:")
    say_command(f"elman evaluate {quoted(model)} {quoted(test_file(file))}")
