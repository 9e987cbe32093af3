"""What a model file says about its arrays: plain data, each field checked against its type and range on reading."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman import __version__
from elman.data import Preparation
from elman.data.stored import rebuilt
from elman.data.vocabulary import LONGEST_NAME, MOST_NAMES, MOST_ONE_HOT
from elman.kernels.cells import CELLS
from elman.network.architecture import LOSS_PLACES, MOST_CODES, READOUTS, Architecture
from elman.tensor_file import Kind

MODEL = Kind("model", 1, "Train the model again.", ", or train a model with 'elman train'")
ESTIMATORS = ("SequenceClassifier", "SequenceTagger")
LARGEST_FLOAT = 1e300  # these five bound the parameters of the estimator too; a test compares the two
LARGEST_HIDDEN_SIZE = 65_536
LARGEST_PATCH = 65_536
MOST_LAYERS = 1024
MOST_MEMBERS = 1024
MOST_FINDINGS = 100
HOTTEST = 100.0  # temperature of probabilities: all but uniform
COLDEST = 1 / HOTTEST  # all but certain
_require, _whole = MODEL.require, MODEL.require_whole
_LARGEST_SIZE = 10**9
_MOST_LAGS = 48  # of the gradient's flow in a record
_FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")
_ROLES = ("id", "time", "label", "group", "text", "step_length")
_CLASS_TYPES = {"text": str, "int": int, "bool": bool}


@dataclass(frozen=True)
class Metadata:
    """All of a model but its arrays, as JSON holds it.

    Parameters
    ----------
    estimator : str
        'SequenceClassifier' or 'SequenceTagger'.
    architecture : dict
        The fields of `Architecture`.
    dtype : str
        'float32' or 'float64', of the network's parameters.
    parameters : dict
        The parameters of the estimator, by name.
    classes : dict
        'type' ('text', 'int' or 'bool') and the sorted 'values'.
    n_features : int
        How many features a step had in training; where X was a table (N, T) of univariate sequences, T.
    feature_names : list of n_features str, or None
    steps_are_columns : bool
        Whether X was such a table.
    preparation : dict
        What becomes of the features, but for its arrays: see `elman.data.stored.fields_of`.
    columns : dict
        From 'id', 'time', 'label', 'group', 'text', 'step_length' to the columns of the table that was trained on.
    training : dict
        'epochs', 'best_epoch', 'seconds', 'learning_rate', 'n_training', 'n_validation', 'stopped_early',
        'interrupted', 'validation' (figures of model and baselines, or None), 'members' ('epochs' and 'best_epoch' of
        each network), 'n_refit' (sequences of the run on all data, 0 without it), 'chosen' (the parameters that were
        'auto'), 'health' (the problems that were found, each the fields of `elman.training.health.Finding`),
        'fingerprint' (of all sequences that were given, see `elman.estimators.fingerprint`, or None) and 'histories' (a
        list of records for each network).
    temperature : float
        Of the probabilities, see `elman.estimators.calibration`; 1: as the networks have them.
    elman_version : str
        The version that saved the model.
    """

    estimator: str
    architecture: dict[str, Any]
    dtype: str
    parameters: dict[str, Any]
    classes: dict[str, Any]
    n_features: int
    feature_names: list[str] | None
    steps_are_columns: bool
    preparation: dict[str, Any]
    columns: dict[str, str]
    training: dict[str, Any]
    temperature: float
    elman_version: str = __version__

    def network(self) -> Architecture:
        """Give the architecture."""
        return Architecture(**self.architecture)

    @property
    def n_members(self) -> int:
        """How many networks the model has."""
        return len(self.training["members"])

    def class_array(self) -> NDArray[Any]:
        """Give the classes as an array of str, int64 or bool."""
        dtype = {"text": np.str_, "int": np.int64, "bool": np.bool_}[self.classes["type"]]
        return np.array(self.classes["values"], dtype=dtype)


def classes_as_json(classes: NDArray[Any]) -> dict[str, Any]:
    """Give sorted classes, a str, int64 or bool array (C,), with their type."""
    names = {"U": "text", "i": "int", "b": "bool"}
    return {"type": names[classes.dtype.kind], "values": classes.tolist()}


def as_json(value: Any) -> Any:
    """Give plain data as JSON holds it: NumPy's scalars as Python's, numbers that are not finite as None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def read_metadata(data: dict[str, Any]) -> Metadata:
    """Check every field and give the metadata; raise BrokenFileError for the first that breaks its contract."""
    names = {field.name for field in fields(Metadata)}
    if data.keys() != names:
        raise MODEL.wrong("metadata", f"the fields {', '.join(sorted(names))}", ", ".join(sorted(data))[:100])
    _text("elman_version", data["elman_version"], 100)
    is_known = isinstance(data["estimator"], str) and data["estimator"] in ESTIMATORS
    _require("estimator", is_known, f"one of {', '.join(ESTIMATORS)}", data["estimator"])
    _require("dtype", data["dtype"] in ("float32", "float64"), "'float32' or 'float64'", data["dtype"])
    is_bool = isinstance(data["steps_are_columns"], bool)
    _require("steps_are_columns", is_bool, "true or false", data["steps_are_columns"])
    _check_architecture(data["architecture"])
    sizes, embeddings = data["architecture"]["hidden_size"], data["architecture"]["embeddings"]
    data["architecture"]["hidden_size"] = tuple(sizes) if isinstance(sizes, list) else sizes
    data["architecture"]["embeddings"] = tuple(map(tuple, embeddings))
    _check_classes(data["classes"], data["architecture"]["n_classes"])
    _check_parameters(data["parameters"])
    _whole("n_features", data["n_features"], 1, _LARGEST_SIZE)
    _check_names(data["feature_names"], data["n_features"])
    _check_preparation(data["preparation"], 1 if data["steps_are_columns"] else data["n_features"])
    _check_inputs(data["architecture"], rebuilt(data["preparation"], {}))
    _check_patches(data["preparation"]["patch_size"], data["architecture"], data["parameters"])
    _check_columns(data["columns"])
    _check_training(data["training"])
    is_warm = _is_number(data["temperature"]) and COLDEST <= data["temperature"] <= HOTTEST
    _require("temperature", is_warm, f"a number in [{COLDEST:g}, {HOTTEST:g}]", data["temperature"])
    return Metadata(**data)


def _check_architecture(data: Any) -> None:
    names = [field.name for field in fields(Architecture)]
    is_complete = isinstance(data, dict) and sorted(data) == sorted(names)
    _require("architecture", is_complete, f"the fields {', '.join(names)}", data)
    for name, largest in (("input_size", _LARGEST_SIZE), ("num_layers", MOST_LAYERS)):
        _whole(f"architecture.{name}", data[name], 1, largest)
    sizes = data["hidden_size"]
    is_one_each = isinstance(sizes, list) and len(sizes) == data["num_layers"]
    _require("architecture.hidden_size", is_one_each or not isinstance(sizes, list), "a size for each layer", sizes)
    for size in sizes if isinstance(sizes, list) else [sizes]:
        _whole("architecture.hidden_size", size, 1, LARGEST_HIDDEN_SIZE)
    _whole("architecture.n_classes", data["n_classes"], 2, _LARGEST_SIZE)
    for name, choices in (("cell", tuple(CELLS)), ("readout", READOUTS), ("loss_at", LOSS_PLACES)):
        is_known = isinstance(data[name], str) and data[name] in choices
        _require(f"architecture.{name}", is_known, f"one of {', '.join(choices)}", data[name])
    for name in ("bidirectional", "layer_norm", "learn_initial_state", "residual"):
        _require(f"architecture.{name}", isinstance(data[name], bool), "true or false", data[name])
    _check_embeddings(data["embeddings"], data["input_size"])
    for name in ("dropout", "recurrent_dropout", "zoneout"):
        share = data[name]
        _require(f"architecture.{name}", _is_number(share) and 0 <= share < 1, "a number in [0, 1)", share)


def _check_embeddings(data: Any, input_size: int) -> None:
    is_list = isinstance(data, list) and all(isinstance(each, list) and len(each) == 3 for each in data)
    _require("architecture.embeddings", is_list, "a list of [column, codes, size]", data)
    next_column = 0
    for column, n_codes, size in data:
        _whole("architecture.embeddings", column, next_column, input_size - 1)
        _whole("architecture.embeddings", n_codes, 1, MOST_CODES)
        _whole("architecture.embeddings", size, 1, LARGEST_HIDDEN_SIZE)
        next_column = column + 1


def _check_classes(data: Any, n_classes: int) -> None:
    is_complete = isinstance(data, dict) and sorted(data) == ["type", "values"]
    _require("classes", is_complete, "the fields type and values", data)
    kind = _CLASS_TYPES.get(data["type"]) if isinstance(data["type"], str) else None
    _require("classes.type", kind is not None, "text, int or bool", data["type"])
    values = data["values"]
    is_list = isinstance(values, list) and len(values) == n_classes
    _require("classes.values", is_list, f"a list of {n_classes}", values)
    for value in values:
        _require("classes.values", type(value) is kind, f"values of type {data['type']}", value)
        if kind is str:
            _text("classes.values", value, 10_000)
        elif kind is int:
            _whole("classes.values", value, -(2**63), 2**63 - 1)
    _require("classes.values", all(a < b for a, b in pairwise(values)), "distinct values in order", values)


def _check_parameters(data: Any) -> None:
    _require("parameters", isinstance(data, dict), "an object", data)
    features, weights = data.get("categorical_features"), data.get("class_weight")
    is_list = features is None or (isinstance(features, list) and len(features) <= _LARGEST_SIZE)
    _require("parameters.categorical_features", is_list, "a list of features, or null", features)
    for feature in features or ():
        if isinstance(feature, str):
            _text("parameters.categorical_features", feature, LONGEST_NAME)
        else:
            _whole("parameters.categorical_features", feature, 0, _LARGEST_SIZE)
    sizes = data.get("hidden_size")
    for size in sizes if isinstance(sizes, list) else ():
        _whole("parameters.hidden_size", size, 1, LARGEST_HIDDEN_SIZE)
    apart = {"categorical_features"} | ({"hidden_size"} if isinstance(sizes, list) else set())
    apart |= {"class_weight"} if isinstance(weights, dict) else set()
    _check_scalars("parameters", {name: value for name, value in data.items() if name not in apart})
    for label, weight in weights.items() if isinstance(weights, dict) else ():
        _text("parameters.class_weight", label, 10_000)
        _require("parameters.class_weight", _is_number(weight) and weight >= 0, "numbers of at least 0", weight)


def _check_names(names: Any, n_features: int) -> None:
    if names is None:
        return
    is_list = isinstance(names, list) and len(names) == n_features
    _require("feature_names", is_list, f"a list of {n_features} names", names)
    for name in names:
        _text("feature_names", name, LONGEST_NAME)
    _require("feature_names", len(set(names)) == len(names), "distinct names", names)


def _check_preparation(data: Any, n_features: int) -> None:
    names = ["gaps", "missing", "n_features", "patch_size", "standardised", "step_feature", "vocabularies"]
    if isinstance(data, dict):
        data.setdefault("patch_size", 1)  # files from before there were patches have none
    is_complete = isinstance(data, dict) and sorted(data) == names
    _require("preparation", is_complete, f"the fields {', '.join(names)}", data)
    _whole("preparation.n_features", data["n_features"], n_features, n_features)
    _require("preparation.standardised", isinstance(data["standardised"], bool), "true or false", data["standardised"])
    is_known = data["missing"] in ("error", "indicator")
    _require("preparation.missing", is_known, "'error' or 'indicator'", data["missing"])
    _require("preparation.vocabularies", isinstance(data["vocabularies"], list), "a list", data["vocabularies"])
    for vocabulary in data["vocabularies"]:
        _check_vocabulary(vocabulary)
    categorical = [vocabulary["feature"] for vocabulary in data["vocabularies"]]
    _check_features("preparation.vocabularies", categorical, n_features)
    _check_features("preparation.gaps", data["gaps"], n_features)
    is_apart = not set(data["gaps"]) & set(categorical) and (data["missing"] == "indicator" or not data["gaps"])
    _require("preparation.gaps", is_apart, "features of numbers that may be missing", data["gaps"])
    if data["step_feature"] is not None:
        _whole("preparation.step_feature", data["step_feature"], 0, n_features - 1)
        _require("preparation.step_feature", data["step_feature"] not in categorical, "a feature of numbers", data)
    _whole("preparation.patch_size", data["patch_size"], 1, LARGEST_PATCH)


def _check_features(name: str, features: Any, n_features: int) -> None:
    _require(name, isinstance(features, list), "a list of features", features)
    least = 0
    for feature in features:
        _whole(name, feature, least, n_features - 1)  # each once, in order
        least = feature + 1


def _check_vocabulary(data: Any) -> None:
    fields = ["embedding_size", "feature", "is_coded", "names"]
    is_complete = isinstance(data, dict) and sorted(data) == fields
    _require("preparation.vocabularies", is_complete, f"the fields {', '.join(fields)}", data)
    names = data["names"]
    is_list = isinstance(names, list) and len(names) <= MOST_NAMES
    _require("vocabularies.names", is_list, f"a list of at most {MOST_NAMES} names", type(names).__name__)
    for name in names:
        _text("vocabularies.names", name, LONGEST_NAME)
    _require("vocabularies.names", len(set(names)) == len(names), "distinct names", names[:5])
    _require("vocabularies.is_coded", isinstance(data["is_coded"], bool), "true or false", data["is_coded"])
    if data["embedding_size"] is not None:
        _whole("vocabularies.embedding_size", data["embedding_size"], 1, LARGEST_HIDDEN_SIZE)
    else:
        _require("vocabularies.names", len(names) <= MOST_ONE_HOT, f"at most {MOST_ONE_HOT} to be columns", len(names))


def _check_inputs(architecture: dict[str, Any], preparation: Preparation) -> None:
    """Hold the columns that the network reads against those that the preparation gives."""
    _whole("architecture.input_size", architecture["input_size"], preparation.input_size, preparation.input_size)
    is_same = architecture["embeddings"] == preparation.embeddings
    _require("architecture.embeddings", is_same, f"{preparation.embeddings}", architecture["embeddings"])


def _check_patches(size: int, architecture: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Hold the steps of a patch against the network, which may need each of them, and against what was asked for."""
    needs_each = bool(architecture["embeddings"]) or architecture["loss_at"] == "every_step"
    _require("preparation.patch_size", size == 1 or not needs_each, "1 with this network", size)
    is_as_asked = parameters.get("patch_size", "auto") in (size, "auto")
    _require("preparation.patch_size", is_as_asked, "the size that 'parameters' has", size)


def _check_columns(columns: Any) -> None:
    is_known = isinstance(columns, dict) and all(role in _ROLES for role in columns)
    _require("columns", is_known, f"some of {', '.join(_ROLES)}", columns)
    for role, column in columns.items():
        _text(f"columns.{role}", column, 10_000)


def _check_training(data: Any) -> None:
    if isinstance(data, dict):
        data.setdefault("health", [])  # files from before training was judged have none
        data.setdefault("fingerprint", None)
    expected = {
        "epochs",
        "best_epoch",
        "seconds",
        "learning_rate",
        "n_training",
        "n_validation",
        "stopped_early",
        "interrupted",
        "validation",
        "members",
        "histories",
        "n_refit",
        "chosen",
        "health",
        "fingerprint",
    }
    is_complete = isinstance(data, dict) and data.keys() == expected
    _require("training", is_complete, f"the fields {', '.join(sorted(expected))}", data)
    for name in ("epochs", "n_training", "n_validation", "n_refit"):
        _whole(f"training.{name}", data[name], 0, 2**53)
    if data["best_epoch"] is not None:
        _whole("training.best_epoch", data["best_epoch"], 0, 2**53)
    seconds = data["seconds"]
    _require("training.seconds", _is_number(seconds) and seconds >= 0, "a number of at least 0", seconds)
    rate = data["learning_rate"]
    _require("training.learning_rate", _is_number(rate) and rate > 0, "a number above 0", rate)
    for name in ("stopped_early", "interrupted"):
        _require(f"training.{name}", isinstance(data[name], bool), "true or false", data[name])
    _check_scalars("training.chosen", data["chosen"])
    _check_members(data["members"], data["histories"])
    if data["validation"] is not None:
        _check_validation(data["validation"])
    _check_health(data["health"])
    digits = data["fingerprint"]
    is_known = digits is None or (isinstance(digits, str) and re.fullmatch("[0-9a-f]{32}", digits, re.ASCII))
    _require("training.fingerprint", bool(is_known), "32 hexadecimal digits or null", digits)


def _check_health(findings: Any) -> None:
    is_list = isinstance(findings, list) and len(findings) <= MOST_FINDINGS
    _require("training.health", is_list, f"a list of at most {MOST_FINDINGS}", findings)
    for finding in findings:
        is_complete = isinstance(finding, dict) and sorted(finding) == ["number", "rule", "sentence"]
        _require("training.health", is_complete, "the fields number, rule and sentence", finding)
        for name, longest in (("rule", 60), ("sentence", 1000)):
            _text(f"training.health.{name}", finding[name], longest)
            _require(f"training.health.{name}", finding[name].isprintable(), "text on one line", finding[name])
        _require("training.health.number", _is_number(finding["number"]), "a number", finding["number"])


def _check_members(members: Any, histories: Any) -> None:
    is_list = isinstance(members, list) and 1 <= len(members) <= MOST_MEMBERS
    _require("training.members", is_list, f"a list of 1 to {MOST_MEMBERS}", members)
    for member in members:
        is_complete = isinstance(member, dict) and sorted(member) == ["best_epoch", "epochs"]
        _require("training.members", is_complete, "the fields best_epoch and epochs", member)
        for name, value in member.items():
            _whole(f"members.{name}", value, 0, 2**53)
    is_list = isinstance(histories, list) and len(histories) == len(members)
    _require("training.histories", is_list, f"a list of {len(members)} lists of records", histories)
    for history in histories:
        _require("training.histories", isinstance(history, list), "a list of records", history)
        for record in history:
            _require("training.histories", isinstance(record, dict), "an object", record)
            profile = record.get("flow_profile", [])
            is_list = isinstance(profile, list) and len(profile) <= _MOST_LAGS and all(map(_is_number, profile))
            _require("histories.flow_profile", is_list, f"at most {_MOST_LAGS} numbers", profile)
            _check_scalars("training.histories", {k: v for k, v in record.items() if k != "flow_profile"})


def _check_validation(data: Any) -> None:
    names = [*_FIGURES, "baselines"]
    is_complete = isinstance(data, dict) and sorted(data) == sorted(names) and isinstance(data["baselines"], dict)
    _require("training.validation", is_complete, f"the fields {', '.join(names)}", data)
    baselines = data["baselines"]
    is_known = sorted(baselines) == ["majority", "summary_statistics"]
    _require("training.validation.baselines", is_known, "majority and summary_statistics", baselines)
    for figures in (data, *baselines.values()):
        is_complete = isinstance(figures, dict) and all(_is_number(figures.get(name)) for name in _FIGURES)
        _require("training.validation", is_complete, f"numbers for {', '.join(_FIGURES)}", figures)


def _check_scalars(name: str, data: Any) -> None:
    _require(name, isinstance(data, dict), "an object", data)
    for key, value in data.items():
        is_plain = value is None or isinstance(value, bool) or _is_number(value)
        if not is_plain:
            _text(f"{name}.{key[:60]}", value, 1000)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST_FLOAT < value < LARGEST_FLOAT


def _text(name: str, value: Any, longest: int) -> None:
    is_text = isinstance(value, str) and len(value) <= longest
    is_text = is_text and not any("\ud800" <= character <= "\udfff" for character in value)  # no UTF-8 for these
    _require(name, is_text, f"text of at most {longest} characters", value)
