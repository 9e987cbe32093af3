"""What the first layer reads: numbers as they are, and a vector for each code."""

from dataclasses import replace
from typing import Any

import numpy as np

from elman.errors import DataError
from elman.network.architecture import Architecture
from elman.network.parameters import Parameters
from elman.network.workplace import not_a_code

Array = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def columns_of(architecture: Architecture) -> Ints:
    """Return which column of the values each input of the first layer comes from (E,)."""
    coded = {column: size for column, _, size in architecture.embeddings}
    numbers = [column for column in range(architecture.input_size) if column not in coded]
    return np.array(numbers + [column for column, size in coded.items() for _ in range(size)], np.int64)


def first_inputs(architecture: Architecture, parameters: Parameters, values: Array) -> Array:
    """Return what the first layer reads (S, E) of values (S, D): the numbers, then a vector for each code.

    Raises
    ------
    DataError
        If a value is not one of the codes of its column.
    """
    if not architecture.embeddings:
        return values
    columns = columns_of(architecture)
    inputs: Array = np.take(values, columns, axis=1)
    for k, (column, n_codes, _) in enumerate(architecture.embeddings):
        codes = values[:, column]
        wrong = ~((codes >= 0) & (codes < n_codes) & (codes == np.floor(codes)))
        if wrong.any():
            raise DataError(not_a_code(column, n_codes, codes[int(np.argmax(wrong))]))
        inputs[:, columns == column] = parameters[f"weight_embedding_{k}"][codes.astype(np.int64)]
    return inputs


def by_column(architecture: Architecture, of_inputs: Array) -> Array:
    """Return what is known of each input of the first layer (S, E) by columns of the values (S, D), summed up."""
    if not architecture.embeddings:
        return of_inputs
    columns = columns_of(architecture)
    found = [of_inputs[:, columns == column].sum(axis=1) for column in range(architecture.input_size)]
    return np.stack(found, axis=1)


def without_codes(architecture: Architecture, parameters: Parameters) -> tuple[Architecture, Parameters]:
    """Return the same network from what its first layer reads on; it holds the same parameters, not copies."""
    inner = replace(architecture, input_size=architecture.layer_input_size(0), embeddings=())
    embedded = sum(n_codes * size for _, n_codes, size in architecture.embeddings)  # their parameters come first of all
    return inner, Parameters(inner.parameter_shapes(), parameters.vector.dtype, parameters.vector[embedded:])
