"""An estimator as a file, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.stored import arrays_of, fields_of, rebuilt
from elman.errors import ModelFileError, ParameterError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.baselines import Baselines
from elman.estimators.classifier import SequenceClassifier
from elman.estimators.parameters import check_parameters, plain
from elman.estimators.recipe import CHOSEN
from elman.estimators.tagger import SequenceTagger
from elman.metadata import Metadata, as_json, classes_as_json
from elman.model_file import Model, read_model, save_model
from elman.network.network import Network

_ESTIMATORS: dict[str, type[RecurrentEstimator]] = {
    kind.__name__: kind for kind in (SequenceClassifier, SequenceTagger)
}


def make(name: str, parameters: Mapping[str, Any] | None = None) -> RecurrentEstimator:
    """Give a new estimator of the class of this name."""
    return _ESTIMATORS[name](**parameters or {})


def _by_label(class_weight: Mapping[str, float], classes: NDArray[Any]) -> dict[Any, float]:
    """Give weights under the labels themselves, which JSON holds as text."""
    written = {str(label): label for label in classes.tolist()}
    return {written.get(text, text): weight for text, weight in class_weight.items()}


def _of_classes(class_weight: Mapping[Any, float], classes: NDArray[Any]) -> dict[Any, float]:
    """Give weights under the labels as the classes have them: True, which Python takes for 1, as 1."""
    known = classes.tolist()
    return {known[known.index(label)]: weight for label, weight in class_weight.items()}


def _network(metadata: Metadata, weights: Mapping[str, NDArray[Any]]) -> Network:
    network = Network(metadata.network(), dtype=metadata.dtype)
    for name, values in weights.items():
        network.parameters[name][...] = values
    return network


def save(estimator: RecurrentEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a file, whole or not at all."""
    parameters = {name: plain(value) for name, value in estimator._fit_parameters.items()}  # as they were in fit
    if isinstance(parameters["class_weight"], dict):
        parameters["class_weight"] = _of_classes(parameters["class_weight"], estimator.classes_)
    if not isinstance(parameters["random_state"], int | np.integer):
        parameters["random_state"] = None
    parameters["n_threads"] = None  # of the machine, not of the model
    names = getattr(estimator, "feature_names_in_", None)
    metadata = Metadata(
        estimator=type(estimator).__name__,
        architecture=as_json(asdict(estimator.network_.architecture)),
        dtype=estimator.network_.dtype.name,
        parameters=as_json(parameters),
        classes=classes_as_json(estimator.classes_),
        n_features=int(estimator.n_features_in_),
        feature_names=None if names is None else list(names),
        steps_are_columns=estimator.steps_are_columns_,
        preparation=fields_of(estimator.preparation_),
        columns=estimator.columns_,
        training=as_json(estimator.training_ | {"histories": estimator.histories_}),
        temperature=float(estimator.temperature_),
    )
    save_model(
        path,
        Model(
            metadata,
            [dict(network.parameters) for network in estimator.networks_],
            arrays_of(estimator.preparation_),
            estimator.baselines_.arrays(),
        ),
    )


def load(path: str | os.PathLike[str]) -> RecurrentEstimator:
    """Read a model that `save` or `elman train` wrote; nothing in the file is executed.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is damaged, edited, of a newer format or no model at all.
    """
    model = read_model(path)
    metadata = model.metadata
    known = set(make(metadata.estimator).get_params(deep=False))
    if not metadata.parameters.keys() <= known:
        name = sorted(metadata.parameters.keys() - known)[0]
        raise ModelFileError(f"{path}: the model file is damaged: there is no parameter {name[:60]!r}.")
    classes = metadata.class_array()
    parameters = metadata.parameters | {"n_threads": None}
    if isinstance(parameters.get("class_weight"), dict):
        strange = sorted(parameters["class_weight"].keys() - set(map(str, classes.tolist())))
        if strange:
            raise ModelFileError(
                f"{path}: the model file is damaged: 'class_weight' names no class {strange[0][:60]!r}."
            )
        parameters["class_weight"] = _by_label(parameters["class_weight"], classes)
    estimator = make(metadata.estimator, parameters)
    try:
        check_parameters(estimator.get_params(deep=False))
    except ParameterError as error:
        raise ModelFileError(f"{path}: the model file is damaged: {error}") from error
    estimator._fit_parameters = estimator.get_params(deep=False)
    estimator.chosen_ = _chosen(estimator, metadata.training["chosen"], path)
    estimator.classes_ = classes
    estimator.n_features_in_, estimator.steps_are_columns_ = metadata.n_features, metadata.steps_are_columns
    estimator.preparation_ = rebuilt(metadata.preparation, model.preparation)
    if estimator._architecture() != metadata.network() or estimator.dtype != metadata.dtype:
        raise ModelFileError(f"{path}: the model file is damaged: its parameters are not those of its architecture.")
    if metadata.feature_names is not None:
        estimator.feature_names_in_ = np.array(metadata.feature_names, dtype=object)
    estimator.columns_ = metadata.columns
    estimator.baselines_ = Baselines.from_arrays(model.baselines)
    estimator.networks_ = [_network(metadata, weights) for weights in model.members]
    estimator.temperature_ = metadata.temperature
    estimator.training_ = {name: value for name, value in metadata.training.items() if name != "histories"}
    estimator.histories_ = metadata.training["histories"]
    estimator.learning_rate_ = metadata.training["learning_rate"]
    estimator.n_iter_ = metadata.training["epochs"]
    return estimator


def _chosen(estimator: RecurrentEstimator, chosen: Mapping[str, Any], path: str | os.PathLike[str]) -> dict[str, Any]:
    """Give what stands for the parameters that are 'auto', each within its contract, or raise ModelFileError."""
    needed = {name for name in CHOSEN if getattr(estimator, name, None) == "auto"}
    wrong = sorted(needed ^ chosen.keys()) or [name for name in chosen if chosen[name] == "auto"]
    if wrong:
        raise ModelFileError(
            f"{path}: the model file is damaged: it says wrongly what was chosen for {wrong[0][:60]!r}."
        )
    try:
        check_parameters(estimator.get_params(deep=False) | dict(chosen))
    except ParameterError as error:
        raise ModelFileError(f"{path}: the model file is damaged: {error}") from error
    return dict(chosen)
