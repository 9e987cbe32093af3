"""What is searched: the parameters that vary, each with its domain, and the values of a trial."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from elman.errors import ParameterError, did_you_mean
from elman.estimators.constraints import Choice, Number, OrAuto, OrNone, Sizes, Truth
from elman.estimators.parameters import CONSTRAINTS, READOUTS, plain
from elman.search.domains import Choices, Domain, Range

Space: TypeAlias = dict[str, Domain]

# What is searched where the user says nothing; the value that the estimator has is added to each.
_USUAL: Mapping[str, Domain] = {
    "cell": Choices(("gru", "lstm")),
    "hidden_size": Range(16, 256),
    "num_layers": Range(1, 3),
    "dropout": Range(0.0, 0.5),
    "recurrent_dropout": Range(0.0, 0.5),
    "readout": Choices(READOUTS),
    "learning_rate": Range(3e-4, 3e-2),
    "weight_decay": Choices((0.0, 1e-3, 1e-2, 1e-1, 1.0)),
    "batch_size": Range(8, 128),
}
# What says how losses are measured, data is read or a run is done: it must be one and the same for all trials.
_FIXED = frozenset(
    {"random_state", "n_threads", "verbose", "warm_start", "early_stopping", "validation_fraction", "n_iter_no_change"}
    | {"tol", "class_weight", "unlabelled", "missing", "categorical_features", "text", "layout"}
    | {"refit", "n_members", "calibrate"}
)


def make_space(
    parameters: Mapping[str, Any],
    defaults: Mapping[str, Any],
    chosen: Mapping[str, Any] | None = None,
    pinned: Collection[str] = (),
) -> Space:
    """Give what is searched.

    Parameters
    ----------
    parameters : dict
        Those of the estimator; one that is not as in ``defaults`` is pinned, and so is one named in ``pinned``.
    defaults : dict
    chosen : dict from parameter to Range or to a list of values, optional
        What the user wants searched; it replaces the usual domain and adds parameters that are not usually searched.

    Raises
    ------
    ParameterError
        If there is no such parameter, it cannot be searched, or a value breaks its contract.
    """
    chosen = {name: _as_domain(name, domain, parameters) for name, domain in (chosen or {}).items()}
    space: Space = {}
    for name, domain in _USUAL.items():
        is_free = name in parameters and name not in pinned and _is_default(parameters[name], defaults.get(name))
        if is_free and name not in chosen:
            space[name] = domain.including(plain(parameters[name]))
    if isinstance(parameters["hidden_size"], tuple | list):  # a size for each layer
        space.pop("num_layers", None)
    space |= chosen
    if "num_layers" not in space and "dropout" not in chosen and not has_layers_to_drop_between(parameters):
        space.pop("dropout", None)
    return space


def start_of(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the first trial: those of the estimator, or as near to them as the space allows."""
    return {name: domain.nearest(plain(parameters[name])) for name, domain in space.items()}


def filled(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Give the values of a trial in the order of the space, dropout 0 where it had nothing to act on."""
    return {
        name: values.get(name, 0.0) if name == "dropout" else values[name]
        for name in space
        if name == "dropout" or name in values
    }


def _as_domain(name: str, domain: Any, parameters: Mapping[str, Any]) -> Domain:
    if name not in parameters:
        known = sorted(parameters.keys() - _FIXED)
        raise ParameterError(
            f"There is no parameter {name!r} to search. Choose among {', '.join(known)}.{did_you_mean(name, known)}"
        )
    if name in _FIXED:
        raise ParameterError(f"{name!r} cannot be searched, since it must be the same for all trials. Set it instead.")
    constraint = CONSTRAINTS[name]
    found: Domain
    if isinstance(domain, list | tuple):
        found = Choices(tuple(domain))
    elif isinstance(domain, Range | Choices):
        found = domain
    else:
        raise ParameterError(
            f"What is searched of {name!r} must be a Range or a list of values. Got {domain!r} instead."
        )
    if isinstance(found, Range):
        inner = _inmost(constraint)
        if not isinstance(inner, Number | Sizes):
            raise ParameterError(f"{name!r} has no range. List the values to search, such as {_examples(inner)}.")
        if isinstance(inner, Number) and inner.kind is float:
            found = Range(float(found.low), float(found.high))
    for value in found.ends:
        if not isinstance(value, str | int | float | None):
            raise ParameterError(
                f"What is searched of {name!r} must be numbers, text, bools or None. Got {value!r} instead."
            )
        if not constraint.accepts(value):
            raise ParameterError(f"What is searched of {name!r} must be {constraint}. Got {value!r} instead.")
    return found


def _inmost(constraint: Any) -> Any:
    """Give what a constraint accepts beside None and 'auto'."""
    return _inmost(constraint.inner) if isinstance(constraint, OrAuto | OrNone) else constraint


def _examples(constraint: Any) -> str:
    if isinstance(constraint, Choice):
        return ",".join(constraint.names[:2])
    return "yes,no" if isinstance(constraint, Truth) else "a,b"


def _is_default(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def has_layers_to_drop_between(parameters: Mapping[str, Any]) -> bool:
    """Tell whether dropout, which acts between layers, has an effect."""
    size = parameters["hidden_size"]
    return len(size) > 1 if isinstance(size, tuple | list) else bool(parameters["num_layers"] != 1)
