"""A Preparation as plain data and arrays, as a model file keeps it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.preparation import Preparation
from elman.data.standardiser import Standardiser
from elman.data.vocabulary import Vocabulary

Array = NDArray[np.float64]


def fields_of(preparation: Preparation) -> dict[str, Any]:
    """Give all of a preparation but its arrays, as JSON holds it."""
    return {
        "n_features": preparation.n_features,
        "standardised": preparation.standardiser is not None,
        "missing": "error" if preparation.start is None else "indicator",
        "gaps": list(preparation.gaps),
        "step_feature": preparation.step_feature,
        "patch_size": preparation.patch_size,
        "vocabularies": [
            {
                "feature": vocabulary.feature,
                "names": list(vocabulary.names),
                "embedding_size": vocabulary.embedding_size,
                "is_coded": vocabulary.is_coded,
            }
            for vocabulary in preparation.vocabularies
        ],
    }


def arrays_of(preparation: Preparation) -> dict[str, Array]:
    """Give the arrays of a preparation: 'mean' and 'scale' where it standardises, 'start' where it fills gaps in."""
    arrays = {} if preparation.start is None else {"start": preparation.start}
    if preparation.standardiser is not None:
        arrays |= {"mean": preparation.standardiser.mean, "scale": preparation.standardiser.scale}
    return arrays


def rebuilt(fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> Preparation:
    """Give the preparation that `fields_of` and `arrays_of` describe; without arrays, its shape alone."""
    vocabularies = tuple(
        Vocabulary(each["feature"], tuple(each["names"]), each["embedding_size"], each["is_coded"])
        for each in fields["vocabularies"]
    )
    return Preparation(
        fields["n_features"],
        vocabularies,
        tuple(fields["gaps"]),
        fields["step_feature"],
        arrays.get("start"),
        Standardiser(arrays["mean"], arrays["scale"]) if "mean" in arrays else None,
        fields["patch_size"],
    )


def array_shapes(fields: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Give the shape of each array that a preparation with these fields has."""
    shape = rebuilt(fields, {})
    shapes: dict[str, tuple[int, ...]] = {}
    if fields["standardised"]:
        shapes |= {"mean": (shape.n_columns,), "scale": (shape.n_columns,)}
    if fields["missing"] == "indicator":
        shapes["start"] = (shape.n_features,)
    return shapes
