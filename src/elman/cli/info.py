"""`elman info`: what a saved model is, and what elman has found on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.console import say, say_json, tell
from elman.cli.options import with_options

if TYPE_CHECKING:
    from elman.model_file import Model

_SETTINGS = ("optimizer", "learning_rate", "batch_size", "dropout", "random_state")


def info(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="A model that 'elman train' wrote.", show_default=False)
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", metavar="", help="Show the machine: cores, vector instructions, versions.")
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", metavar="", help="Print JSON instead, with every setting and the history of training."),
    ] = False,
) -> None:
    """Show what a model is: its network, classes and features, and how training went. Or show the machine.

    [bold]elman info[/] vowels.safetensors
    [bold]elman info --system[/]
    """
    if (model is None) != system:
        raise typer.BadParameter("give a model, or --system" + ", not both" * system)
    if model is None:
        from elman.cli.system import print_system, system_facts

        facts = system_facts()
        if json:
            say_json(facts)
        else:
            print_system(facts)
        return
    from elman.model_file import read_model

    found = read_model(model)
    if json:
        say_json(_as_json(model, found))
    else:
        _print(model, found)


def _as_json(path: Path, model: Model) -> dict[str, Any]:
    from dataclasses import asdict

    from elman.metadata import MODEL

    data = asdict(model.metadata)
    data["classes"] = data["classes"]["values"]
    return {
        "path": str(path),
        "file_size": path.stat().st_size,
        "format_version": MODEL.version,
        "n_parameters": _n_parameters(model),
        **data,
    }


def _print(path: Path, model: Model) -> None:
    from rich.table import Table
    from rich.text import Text

    from elman.cli.tables import (
        count,
        describe_calibration,
        describe_network,
        describe_training,
        figures_table,
        validation_heading,
    )

    metadata = model.metadata
    architecture, training, settings = metadata.architecture, metadata.training, metadata.parameters
    in_effect = settings | training["chosen"]
    max_epochs, schedule = in_effect.get("max_epochs"), str(in_effect.get("schedule"))
    max_epochs = max_epochs if isinstance(max_epochs, int) else 0  # of a file that was edited
    scored = "every step" if architecture["loss_at"] == "every_step" else f"each sequence ({architecture['readout']})"
    ending = {(True, False): " Stopped early.", (False, True): " Interrupted."}.get(
        (training["stopped_early"], training["interrupted"]), ""
    )
    preparation = metadata.preparation
    is_scaled = preparation["standardised"] and len(preparation["vocabularies"]) < preparation["n_features"]
    names = f": {_listed(metadata.feature_names)}" if metadata.feature_names else ""
    rows = {
        "network": f"{describe_network(architecture, metadata.n_members)}; classifies {scored}",
        "size": f"{count(_n_parameters(model), 'parameter')} in {metadata.dtype}, {path.stat().st_size:,} bytes",
        "features": f"{preparation['n_features']} a step{', standardised' * is_scaled}{names}",
        "kinds": "; ".join(_described(each, metadata.feature_names) for each in preparation["vocabularies"]),
        "missing": _missing(preparation, metadata.feature_names),
        "steps": _patches(preparation["patch_size"]),
        "classes": f"{architecture['n_classes']}: {_listed(metadata.classes['values'])}",
        "training": describe_training(training, max_epochs, schedule) + ending,
        "calibration": describe_calibration(metadata.temperature) if settings.get("calibrate") else "",
        "settings": _settings(settings, {"learning_rate": training["learning_rate"]} | training["chosen"]),
        "columns": ", ".join(f"{role} {column!r}" for role, column in metadata.columns.items()),
        "saved by": f"elman {metadata.elman_version}",
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(value))
    say(Text(str(path), style="bold"), table)
    for finding in training["health"]:
        tell("", with_options(finding["sentence"]))
    if training["validation"]:
        is_calibrated, is_refit = bool(settings.get("calibrate")), bool(training["n_refit"])
        tell("", validation_heading(is_calibrated=is_calibrated, is_refit=is_refit))
        say(figures_table(training["validation"]))


def _settings(settings: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Give the settings that matter most, and those that are 'auto' with what was chosen."""
    names = [name for name in dict.fromkeys((*_SETTINGS, *chosen)) if name in settings]
    chose = {name: f" ({_shown(value)})" for name, value in chosen.items() if settings.get(name) == "auto"}
    return ", ".join(f"{name} {settings[name]}{chose.get(name, '')}" for name in names)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else "none" if value is None else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _described(vocabulary: dict[str, Any], feature_names: list[str] | None) -> str:
    """Say how many names a feature of kinds has, and what becomes of them."""
    from elman.cli.tables import count

    size = vocabulary["embedding_size"]
    names = vocabulary["names"]
    fate = "a column each" if size is None else f"embedded in {size} numbers"
    return f"{_name(vocabulary['feature'], feature_names)} {count(len(names), 'name')}, {fate}: {_quoted(names)}"


def _missing(preparation: dict[str, Any], feature_names: list[str] | None) -> str:
    if preparation["missing"] == "error":
        return ""
    gaps = ", ".join(_name(feature, feature_names) for feature in preparation["gaps"][:30])
    fate = "numbers are filled in with the last value seen, kinds count as unknown"
    if not preparation["vocabularies"]:
        fate = "filled in with the last value seen"
    elif len(preparation["vocabularies"]) == preparation["n_features"]:
        fate = "counts as unknown"
    return fate + (f"; was missing in training: {gaps}" if gaps else "")


def _patches(size: int) -> str:
    return f"every {size} in a row are read as one" if size > 1 else ""


def _name(feature: int, feature_names: list[str] | None) -> str:
    return f"feature {feature}" if feature_names is None else feature_names[feature]


def _quoted(names: list[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(repr(name) for name in names[:12]) + more


def _n_parameters(model: Model) -> int:
    return sum(array.size for weights in model.members for array in weights.values())


def _listed(values: list[Any]) -> str:
    more = f" and {len(values) - 30} more" if len(values) > 30 else ""
    return ", ".join(str(value) for value in values[:30]) + more
