"""Labels: checked, and turned into codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError
from elman.estimators.constraints import LONGEST_NAME, is_storable

Labels = NDArray[Any]
Codes = NDArray[np.int64]

_LONGEST_NAMED = 60  # characters of a label in an error


def as_labels(y: Any, name: str = "y") -> Labels:
    """Give labels as one flat array of text, int64 or bool, (n,).

    Raises
    ------
    DataError
        If a label is missing, or labels are of mixed types or numbers with a fraction.
    """
    return typed(as_column(y, name), name)


def encode(labels: Labels, classes: Labels, *, place_of: Callable[[int], str] = "y[{}]".format) -> Codes:
    """Give the code of each label: its index among the sorted ``classes``; ``place_of`` names a label in errors.

    Labels of another type than the classes are matched by how they are written: a `.ts` file holds the text '1' where a
    table holds the number 1. Between booleans and text, 'true' and 'TRUE' are True, unless two classes differ in case
    alone.

    Raises
    ------
    DataError
        If a label is not among the classes.
    """
    wanted, known = labels, classes
    kinds = {labels.dtype.kind, classes.dtype.kind}
    if len(kinds) == 2 and "U" in kinds:
        wanted, known = _written(labels), _written(classes)
        if "b" in kinds and len(np.unique(np.char.lower(known))) == len(known):  # True may be written true or TRUE
            wanted, known = np.char.lower(wanted), np.char.lower(known)
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    codes = order[place].astype(np.int64)
    unknown = known[codes] != wanted
    if unknown.any():
        first = int(np.argmax(unknown))
        raise DataError(
            f"The label {_named(labels[first].item())} ({place_of(first)}) was never seen in training. "
            f"The model knows {_listed(classes)}."
        )
    return codes


def _named(label: Any) -> str:
    """Give a label as an error repeats it."""
    named = repr(label)
    return named if len(named) <= _LONGEST_NAMED else f"{named[: _LONGEST_NAMED - 2]}…{named[-1]}"


def _written(labels: Labels) -> NDArray[np.str_]:
    return np.array([str(label) for label in labels.tolist()], dtype=np.str_)


def as_column(y: Any, name: str) -> Labels:
    """Give labels as one flat array of any dtype, as they are."""
    from sklearn.utils.validation import column_or_1d

    try:
        if isinstance(y, list | tuple) and all(np.ndim(label) == 0 for label in y):
            array = np.empty(len(y), dtype=object)  # NumPy alone would write numbers among text as text
            array[:] = y
        else:
            array = np.asarray(y)
        if array.ndim == 0:
            raise DataError(f"{name} must be an array of labels. Got {str(y)[:60]!r} instead.")
        array = column_or_1d(array, warn=True)
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} must be a flat array of labels, one each. Got a nested or ragged one.") from error
    return np.asarray(array)


def typed(labels: Labels, name: str) -> Labels:
    """Give labels as text, int64 or bool."""
    if labels.dtype == object:
        labels = _from_objects(labels, name)
    kind = labels.dtype.kind
    if kind == "b":
        return labels
    if kind in "UT":
        for n, label in enumerate(labels.tolist()):
            _check_text(f"{name}[{n}]", label)
        return labels.astype(np.str_, copy=False)
    if kind in "iu":
        _refuse(name, labels, labels > np.uint64(2**63 - 1) if kind == "u" else None, "a whole number below 2**63")
        return labels.astype(np.int64)
    if kind == "f":
        return _whole(labels, name)
    raise DataError(f"{name} must hold text, whole numbers or booleans. Got labels of dtype {labels.dtype} instead.")


def _from_objects(labels: Labels, name: str) -> Labels:
    values = [label.item() if isinstance(label, np.generic) else label for label in labels.tolist()]
    for n, value in enumerate(values):
        if value is None or value != value:
            raise DataError(f"{name}[{n}]: expected a label, got {value}. Drop the sequence, or label it.")
        if not isinstance(value, str | bool | int | float):
            raise DataError(
                f"{name}[{n}]: expected a label as text, whole number or boolean, got a {type(value).__name__}."
            )
        if isinstance(value, str):
            _check_text(f"{name}[{n}]", value)
        if family(value) != family(values[0]):
            raise mixed(f"{name}[{n}]", value, values[0])
    return np.array(values)


def _check_text(place: str, label: str) -> None:
    if "\0" in label:  # NumPy would drop it at the end of a text
        raise _outside(place, "text without NUL characters", label)
    if not is_storable(label):
        raise _outside(place, f"text of at most {LONGEST_NAME:,} characters that UTF-8 has", label)


def _refuse(name: str, labels: Labels, wrong: NDArray[np.bool_] | None, contract: str) -> None:
    if wrong is not None and wrong.any():
        n = int(np.argmax(wrong))
        raise _outside(f"{name}[{n}]", contract, labels[n])


def _outside(place: str, contract: str, value: object) -> DataError:
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    return DataError(f"{place}: expected {contract} as a label, got {shown[:60]}. Rename the classes.")


def family(value: object) -> str:
    """Give what kind of label a value is: text, boolean or number."""
    return "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"


def mixed(place: str, value: object, first: object) -> DataError:
    """Give the error for a label of another kind than the first."""
    return DataError(
        f"{place}: expected a {family(first)}, as the first label {first!r} is, got {value!r}. "
        "Give all labels one type."
    )


def _whole(labels: Labels, name: str) -> Codes:
    """Give whole numbers stored as floats as ints."""
    wrong = ~(np.abs(labels) <= 2.0**53) | (labels != np.floor(labels))
    if wrong.any():
        n = int(np.argmax(wrong))
        value = float(labels[n])
        if not np.isfinite(value):
            raise DataError(f"{name}[{n}]: expected a label, got {value} (NaN and inf are none). Drop the sequence.")
        raise DataError(
            f"Unknown label type: continuous. {name}[{n}] must be text, a whole number or a boolean. "
            f"Got {value:g} instead; predicting a quantity is not classification."
        )
    return labels.astype(np.int64)


def _listed(classes: Labels) -> str:
    names = [_named(label) for label in classes[:12].tolist()]
    more = f" and {len(classes) - 12} more" if len(classes) > 12 else ""
    return ", ".join(names) + more


def classes_of(labels: Labels) -> Labels:
    """Give the sorted classes of labels; raise DataError for a single one."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DataError(
            f"y must hold at least two classes. Got one class, {classes[0].item()!r}; "
            "a classifier needs examples of what it is to tell apart."
        )
    return classes


def declared_classes(classes: Any) -> Labels:
    """Give the sorted classes that `partial_fit` is told; raise DataError without any."""
    if classes is None:
        raise DataError(
            "classes must be passed on the first call to partial_fit, since no part need hold all. Got None."
        )
    return classes_of(as_labels(classes, "classes"))
