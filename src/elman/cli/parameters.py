"""The options of `elman train` that are parameters of the estimators, for every command that trains."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer

from elman.cli.options import missing_choice, option
from elman.estimators.constraints import Choice
from elman.estimators.parameters import CONSTRAINTS, Defaults

_OPTION_OF = {  # where the name in a signature is not that of the parameter
    "n_iter_no_change": "patience",
    "n_members": "members",
    "n_threads": "threads",
    "random_state": "seed",
    "standardise": "no_standardise",
    "text": "text_split",
}
_DATA = frozenset(
    {"id", "time", "label", "group", "group_from_id", "no_group", "per_step_labels", "text", "categorical"}
    | {"step_length", "missing", "missing_text", "validation", "json"}
)


def option_of(parameter: str) -> str:
    """Give the name that a parameter has in the signature of a command.

    >>> option_of("hidden_size"), option_of("n_threads")
    ('hidden_size', 'threads')
    """
    return _OPTION_OF.get(parameter, parameter)


def parameters_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters of an estimator that options, by their names in a signature, say."""
    names = [name for name in inspect.signature(Defaults).parameters if option_of(name) in options]
    parameters = {name: _value(name, options[option_of(name)]) for name in names}
    parameters["clip_norm"] = parameters["clip_norm"] or None
    parameters["standardise"] = not parameters["standardise"]
    parameters["refit"] = "auto" if parameters["refit"] is None else parameters["refit"]
    parameters["n_iter_no_change"] = (
        None if parameters["n_iter_no_change"] == "none" else parameters["n_iter_no_change"]
    )
    parameters["missing"] = missing_choice(options["missing"], options["missing_text"])
    return parameters


def _value(name: str, value: Any) -> Any:
    """Give an option as the library takes it: text of a number, or of several, as numbers; the rest as it is.

    >>> _value("hidden_size", "64"), _value("hidden_size", "128,64"), _value("learning_rate", "auto")
    (64, (128, 64), 'auto')
    """
    if not isinstance(value, str) or isinstance(CONSTRAINTS[name], Choice):
        return value
    for kind in (int, float, lambda text: tuple(int(part) for part in text.strip("()[] ").rstrip(",").split(","))):
        try:
            found = kind(value)
        except ValueError:
            continue
        return found[0] if isinstance(found, tuple) and len(found) == 1 else found
    return value


def taking_options_of(trainer: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes ``**options`` those options of another that are parameters, or say how data is read.

    So they are written down once.
    """

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind != p.VAR_KEYWORD]
        wanted = _DATA | {option_of(name) for name in inspect.signature(Defaults).parameters}
        taken = [p for p in inspect.signature(trainer, eval_str=True).parameters.values() if p.name in wanted]
        command.__signature__ = inspect.Signature([*own, *taken])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in (*own, *taken)}
        return command

    return with_options


def pinned(context: typer.Context) -> set[str]:
    """Give the parameters whose options stand on the command line."""
    return {
        name
        for name in inspect.signature(Defaults).parameters
        if getattr(context.get_parameter_source(option_of(name)), "name", "") == "COMMANDLINE"
    }


def parameter_named(text: str) -> str:
    """Give the parameter that a user names as in Python or as an option.

    >>> parameter_named("learning-rate"), parameter_named("hidden_size"), parameter_named("patience")
    ('learning_rate', 'hidden_size', 'n_iter_no_change')
    """
    name = text.strip().lstrip("-").replace("-", "_")
    by_option = {option(known).lstrip("-").replace("-", "_"): known for known in inspect.signature(Defaults).parameters}
    return by_option.get(name, name)
