"""A classifier as a file, and back."""

from __future__ import annotations

import os
from dataclasses import asdict

import numpy as np

from elman.data import Standardiser
from elman.errors import ModelFileError, ParameterError
from elman.estimators.baselines import Baselines
from elman.estimators.classifier import SequenceClassifier
from elman.estimators.parameters import check_parameters
from elman.metadata import Metadata, as_json, classes_as_json
from elman.model_file import Model, read_model, save_model
from elman.network.network import Network


def save(classifier: SequenceClassifier, path: str | os.PathLike[str]) -> None:
    """Write a fitted classifier to a file, whole or not at all."""
    parameters = dict(classifier._fit_parameters)  # as they were in fit, whatever has been set since
    if not isinstance(parameters["random_state"], int | np.integer):
        parameters["random_state"] = None
    parameters["n_threads"] = None  # of the machine, not of the model
    metadata = Metadata(
        architecture=as_json(asdict(classifier.network_.architecture)),
        dtype=classifier.network_.dtype.name,
        parameters=as_json(parameters),
        classes=classes_as_json(classifier.classes_),
        feature_names=None if classifier.feature_names_ is None else list(classifier.feature_names_),
        standardised=classifier.standardiser_ is not None,
        columns=classifier.columns_,
        training=as_json(classifier.training_ | {"history": classifier.history_}),
    )
    scaling = classifier.standardiser_
    save_model(
        path,
        Model(
            metadata,
            dict(classifier.network_.parameters),
            {} if scaling is None else {"mean": scaling.mean, "scale": scaling.scale},
            classifier.baselines_.arrays(),
        ),
    )


def load(path: str | os.PathLike[str]) -> SequenceClassifier:
    """Read a model that `SequenceClassifier.save` or `elman train` wrote; nothing in the file is executed.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is damaged, edited, of a newer format or no model at all.
    """
    model = read_model(path)
    metadata = model.metadata
    known = set(SequenceClassifier().get_params(deep=False))
    if not metadata.parameters.keys() <= known:
        name = sorted(metadata.parameters.keys() - known)[0]
        raise ModelFileError(f"{path}: the model file is damaged: there is no parameter {name[:60]!r}.")
    classifier = SequenceClassifier(**metadata.parameters | {"n_threads": None})
    try:
        check_parameters(classifier.get_params(deep=False))
    except ParameterError as error:
        raise ModelFileError(f"{path}: the model file is damaged: {error}") from error
    classifier._fit_parameters = classifier.get_params(deep=False)
    classifier.classes_ = metadata.class_array()
    classifier.n_features_in_ = metadata.architecture["input_size"]
    if asdict(classifier._architecture()) != metadata.architecture or classifier.dtype != metadata.dtype:
        raise ModelFileError(f"{path}: the model file is damaged: its parameters are not those of its architecture.")
    classifier.feature_names_ = None if metadata.feature_names is None else tuple(metadata.feature_names)
    classifier.columns_ = metadata.columns
    classifier.standardiser_ = Standardiser(**model.scaling) if metadata.standardised else None
    classifier.baselines_ = Baselines.from_arrays(model.baselines)
    classifier.network_ = Network(classifier._architecture(), dtype=metadata.dtype)
    for name, values in model.weights.items():
        classifier.network_.parameters[name][...] = values
    classifier.training_ = {name: value for name, value in metadata.training.items() if name != "history"}
    classifier.history_ = metadata.training["history"]
    classifier.n_iter_ = metadata.training["epochs"]
    return classifier
