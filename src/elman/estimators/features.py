"""What the columns of X are: the features of a step, or the steps of univariate sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from elman.data import Sequences, as_sequences
from elman.errors import DataError
from elman.estimators.parameters import check_names


def read_training(estimator: Any, X: Any) -> Sequences:
    """Read training data, and note its columns in the estimator.

    Sets
    ----
    n_features_in_ : int
        D, or T where X is a table (N, T) of univariate sequences.
    feature_names_in_ : array (n_features_in_,) of str objects
        Where the columns have names; else it is taken away.
    steps_are_columns_ : bool
        Whether X was such a table.
    """
    sequences = _read(estimator, X, "X")
    check_names(sequences.feature_names)
    table = _as_table(X, sequences)
    estimator.steps_are_columns_ = table is not None
    if table is not None:
        validate_data(estimator, table, reset=True, skip_check_array=True)
        return sequences
    estimator.n_features_in_ = sequences.n_features
    estimator.__dict__.pop("feature_names_in_", None)
    if sequences.feature_names is not None:
        estimator.feature_names_in_ = np.array(sequences.feature_names, dtype=object)
    return sequences


def read_like_training(estimator: Any, X: Any, *, name: str = "X") -> Sequences:
    """Read data with the features that the estimator was trained on, by name where both have names, else by number.

    Raises
    ------
    DataError
        If a feature is missing, or their number differs; or if training and this are tables (N, T) and the columns
        differ.
    """
    sequences = _read(estimator, X, name)
    names = feature_names(estimator)
    if names is not None and sequences.feature_names is not None:
        return sequences.select(names)
    n_features = n_step_features(estimator)
    dimensions = len(getattr(X, "shape", ()))
    if sequences.n_features != n_features:
        message = (
            f"{name} has {sequences.n_features} features, but {type(estimator).__name__} is expecting "
            f"{n_features} features as input, as in training."
        )
        if dimensions == 2:
            message += (
                f" {name} has 2 dimensions, which means {len(sequences)} univariate sequences. "
                f"For one sequence pass [{name}]."
            )
        raise DataError(message)
    if estimator.steps_are_columns_ and dimensions == 2:
        _check_table(estimator, X, name)
    return sequences


def _read(estimator: Any, X: Any, name: str) -> Sequences:
    """Read data in the forms that the estimator's parameters say, as they were in fit."""
    parameters = estimator._fit_parameters
    text, layout, missing = (parameters[key] for key in ("text", "layout", "missing"))
    return as_sequences(X, name=name, text=text, layout=layout, missing=missing)


def feature_names(estimator: Any) -> tuple[str, ...] | None:
    """Give the names of the D features of a step that a fitted estimator knows, or None."""
    if estimator.steps_are_columns_ or not hasattr(estimator, "feature_names_in_"):
        return None
    return tuple(estimator.feature_names_in_)


def n_step_features(estimator: Any) -> int:
    """Give D, the number of features of a step, that an estimator was given in training."""
    return 1 if estimator.steps_are_columns_ else int(estimator.n_features_in_)


def _check_table(estimator: Any, X: Any, name: str) -> None:
    try:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    except ValueError as error:
        raise DataError(
            f"{str(error).rstrip()} {name} must be such a table as in training, with a column for each time step; "
            "for sequences of other lengths pass a list of arrays, or an array (N, T, 1)."
        ) from error


def _as_table(X: Any, sequences: Sequences) -> Any:
    """Give X as a table (N, T) of univariate sequences, None where it is none.

    Lists of lists of one length are one, as they are to NumPy and scikit-learn.
    """
    if sequences.feature_names is not None:
        return None
    if len(getattr(X, "shape", ())) == 2:
        return X if sequences.n_features == 1 and len(sequences) == X.shape[0] else None
    is_nested = isinstance(X, list | tuple) and all(isinstance(row, list | tuple) for row in X)
    if not is_nested or len({len(row) for row in X}) != 1 or any(np.ndim(row[0]) > 0 for row in X):
        return None
    return sequences.values.reshape(len(X), -1)
