"""What the first layer reads: numbers as they are, and a vector for each code; and gradients by it, column by column."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from elman.errors import DataError
from elman.network.architecture import Architecture
from elman.network.parameters import Parameters
from elman.network.workplace import not_a_code

Array = np.ndarray[Any, Any]


def numbers_of(architecture: Architecture) -> list[int]:
    """Return the columns of the values that the first layer reads as they are: they come first in what it reads."""
    coded = {column for column, _, _ in architecture.embeddings}
    return [column for column in range(architecture.input_size) if column not in coded]


def vectors_of(architecture: Architecture) -> Iterator[tuple[int, slice]]:
    """Give each column of codes, and where its vector lies in what the first layer reads."""
    at = len(numbers_of(architecture))
    for column, _, size in architecture.embeddings:
        yield column, slice(at, at + size)
        at += size


def first_inputs(architecture: Architecture, parameters: Parameters, values: Array) -> Array:
    """Return what the first layer reads (S, E) of values (S, D): the numbers, then a vector for each code.

    Raises
    ------
    DataError
        If a value is not one of the codes of its column.
    """
    if not architecture.embeddings:
        return values
    numbers = numbers_of(architecture)
    inputs: Array = np.empty((len(values), architecture.layer_input_size(0)), values.dtype)
    inputs[:, : len(numbers)] = values[:, numbers]
    for k, (column, place) in enumerate(vectors_of(architecture)):
        table = parameters[f"weight_embedding_{k}"]
        codes = values[:, column]
        wrong = ~((codes >= 0) & (codes < len(table)) & (codes == np.floor(codes)))
        if wrong.any():
            raise DataError(not_a_code(column, len(table), codes[int(np.argmax(wrong))]))
        inputs[:, place] = table[codes.astype(np.int64)]
    return inputs


def by_column(architecture: Architecture, of_inputs: Array) -> Array:
    """Return a quantity of each input of the first layer (S, E) by columns of the values (S, D), vectors summed up."""
    if not architecture.embeddings:
        return of_inputs
    numbers = numbers_of(architecture)
    of_columns: Array = np.empty((len(of_inputs), architecture.input_size), of_inputs.dtype)
    of_columns[:, numbers] = of_inputs[:, : len(numbers)]
    for column, place in vectors_of(architecture):
        of_columns[:, column] = of_inputs[:, place].sum(axis=1)
    return of_columns


def without_codes(architecture: Architecture, parameters: Parameters) -> tuple[Architecture, Parameters]:
    """Return the same network from what its first layer reads on; it holds the same parameters, not copies."""
    inner = replace(architecture, input_size=architecture.layer_input_size(0), embeddings=())
    embedded = sum(n_codes * size for _, n_codes, size in architecture.embeddings)  # their parameters come first of all
    return inner, Parameters(inner.parameter_shapes(), parameters.vector.dtype, parameters.vector[embedded:])
