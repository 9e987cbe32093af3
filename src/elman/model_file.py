"""Saved models: a safetensors file whose metadata holds everything but the arrays as JSON. Loading executes nothing.

The file is read with distrust (see `elman.tensor_file`): every field is held against its range, and every array against
the architecture, before anything is built.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.stored import array_shapes, rebuilt
from elman.errors import DataError, ModelFileError
from elman.metadata import MODEL, Metadata, read_metadata
from elman.tensor_file import BrokenFileError, as_text, opened, write_tensors

_OF_NUMBERS, _OF_NAMES = 6, 3  # statistics of each column, for the baseline; one more is the length

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Model:
    """All that a file holds.

    Parameters
    ----------
    metadata : Metadata
    members : list of dict
        The parameters of each network by name, in the dtype of the model.
    preparation : dict
        The arrays of the preparation by name, float64.
    baselines : dict
        The arrays of the baselines by name, float64.
    """

    metadata: Metadata
    members: Sequence[Mapping[str, Array]]
    preparation: Mapping[str, Array]
    baselines: Mapping[str, Array]


def save_model(path: str | os.PathLike[str], model: Model) -> None:
    """Write a model, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    DataError
        If the model holds what could not be read again, such as a label of more than 10,000 characters.
    """
    tensors = {_of_member(n, name): array for n, each in enumerate(model.members) for name, array in each.items()}
    tensors |= {f"preparation.{name}": array for name, array in model.preparation.items()}
    tensors |= {f"baseline.{name}": array for name, array in model.baselines.items()}
    fields = asdict(model.metadata)
    try:
        read_metadata(json.loads(as_text(fields)))
    except BrokenFileError as broken:
        raise DataError(f"{path}: the model cannot be saved, since it could not be read again: {broken}") from broken
    write_tensors(path, MODEL, tensors, fields)


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model after checking everything about it.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is damaged, edited, of a newer format or no model at all.
    """
    with opened(path, MODEL, ModelFileError) as file:
        metadata = read_metadata(file.fields)
        for n, things in ((metadata.architecture["num_layers"], "layers"), (metadata.n_members, "networks")):
            if n > len(file.entries):  # before a list of names is made of it
                raise BrokenFileError(f"the model file is damaged: expected {n} {things}, got fewer.")
        return _build(file.read(tensor_shapes(metadata)), metadata)


def tensor_shapes(metadata: Metadata) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Give dtype and shape of every array that a file with this metadata must hold."""
    architecture = metadata.network()
    n_classes = architecture.n_classes
    n_numbers, n_names = rebuilt(metadata.preparation, {}).n_summarised
    n_statistics = _OF_NUMBERS * n_numbers + _OF_NAMES * n_names + 1
    shapes = {
        _of_member(n, name): (metadata.dtype, shape)
        for n in range(metadata.n_members)
        for name, shape in architecture.parameter_shapes().items()
    }
    others: dict[str, tuple[int, ...]] = {
        "baseline.prior": (n_classes,),
        "baseline.mean": (n_statistics,),
        "baseline.scale": (n_statistics,),
        "baseline.coefficients": (n_classes, n_statistics),
        "baseline.intercept": (n_classes,),
    }
    others |= {f"preparation.{name}": shape for name, shape in array_shapes(metadata.preparation).items()}
    return shapes | {name: ("float64", shape) for name, shape in others.items()}


def _of_member(n: int, name: str) -> str:
    """Give what a parameter of the n-th network is called in a file; those of the first are called as they are."""
    return f"member.{n}.{name}" if n else name


def _build(tensors: Mapping[str, Array], metadata: Metadata) -> Model:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise BrokenFileError(
                f"the model file is damaged: expected finite numbers in the array {name!r}, got NaN or inf."
            )
    preparation = {name: tensors[f"preparation.{name}"] for name in array_shapes(metadata.preparation)}
    baselines = {name: tensors[f"baseline.{name}"] for name in ("prior", "mean", "scale", "coefficients", "intercept")}
    for name, scale in (("preparation.scale", preparation.get("scale")), ("baseline.scale", baselines["scale"])):
        if scale is not None and not (scale > 0).all():
            raise BrokenFileError(f"the model file is damaged: expected numbers above 0 in the array {name!r}.")
    prior = baselines["prior"]
    if (prior < 0).any() or abs(float(prior.sum()) - 1) > 1e-6:
        raise BrokenFileError("the model file is damaged: expected shares that sum to 1 in the array 'baseline.prior'.")
    names = metadata.network().parameter_shapes()
    members = [{name: tensors[_of_member(n, name)] for name in names} for n in range(metadata.n_members)]
    return Model(metadata, members, preparation, baselines)
