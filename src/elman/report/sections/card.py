"""The model card: what the model is, what it is for as far as figures tell, and all that is needed to make it again."""

from __future__ import annotations

import inspect
import json
import platform
from importlib.metadata import version
from typing import Any

from elman import __version__
from elman.network.threads import available_threads
from elman.report.blocks import Block, Code, Name, Prose, Remarks, Section, Table, between, count, shown
from elman.report.facts import Facts, Source
from elman.report.sections.data import training_scales
from elman.report.sections.training import n_trained_on

_CELLS = {"elman": "Elman", "lstm": "LSTM", "gru": "GRU"}
_PACKAGES = ("numpy", "numba", "scikit-learn", "polars")
_LONGEST = 200  # characters of a value
_MANY = 12  # classes or features that are named


def card(facts: Facts) -> Section:
    """Describe the model, its use and limits, and how to repeat training and report."""
    blocks: list[Block] = [
        Table(("", ""), what_it_is(facts), title="What it is"),
        Remarks(limits(facts), "Intended use and limits"),
        Code(as_python(facts), "How to train it again"),
        Prose(repeatable(facts)),
        Table(
            ("parameter", "value", "chosen by 'auto'"),
            parameters(facts),
            folded="All parameters, and what 'auto' chose",
        ),
        Table(("", ""), made_from(facts), title="This report"),
        *([Code(facts.command)] if facts.command else []),
    ]
    return Section("card", "Model card", blocks)


def what_it_is(facts: Facts) -> list[tuple[str, str | Name]]:
    """Give rows of what the network is, and what goes in and comes out."""
    estimator = facts.estimator
    architecture = estimator.network_.architecture
    n_parameters = sum(array.size for network in estimator.networks_ for _, array in network.parameters.items())
    n_members = len(estimator.networks_)
    preparation = estimator.preparation_
    rows: list[tuple[str, str | Name]] = [
        ("kind", type(estimator).__name__),
        (
            "network",
            f"{_CELLS[architecture.cell]}, {_layers(architecture)}"
            + f"; {n_members} such networks, averaged" * (n_members > 1),
        ),
        ("parameters", f"{n_parameters:,} in {estimator.network_.dtype.name}"),
        ("input", f"{count(preparation.n_features, 'feature')} per step: {_listed(facts.feature_names)}"),
        (
            "output",
            f"one of {len(estimator.classes_):,} classes per {facts.unit}: {_listed(estimator.classes_.tolist())}",
        ),
        ("trained on", count(n_trained_on(estimator.training_), "sequence")),
    ]
    if training_scales(facts):
        rows.append(("preparation", "features standardised by mean and standard deviation of the training data"))
    if preparation.patch_size > 1:
        rows.append(("patches", f"every {preparation.patch_size} consecutive steps are read as one"))
    if preparation.start is not None:
        rows.append(("missing values", "replaced by the last value seen, and marked for the network"))
    if estimator.temperature_ != 1:
        rows.append(("calibration", f"probabilities scaled with temperature {estimator.temperature_:.3g}"))
    return rows


def _layers(architecture: Any) -> str:
    sizes = architecture.hidden_size
    of = " and ".join(map(str, sizes)) if isinstance(sizes, tuple) else str(sizes)
    directions = "both directions" if architecture.bidirectional else "one direction"
    return f"{count(architecture.num_layers, 'layer')} of {of} units, {directions}, readout {architecture.readout}"


def _listed(names: list[Any]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(shown(name) for name in names[:_MANY]) + more


def limits(facts: Facts) -> list[str]:
    """Say what the model may be used for, by what the figures support, and what they do not tell."""
    expected = (
        "How many predictions are right on new data is not known: this file holds the training data."
        if facts.is_of_training
        else f"On data like this file, expect {between(*facts.accuracy_interval, 0)} of the predictions to be right."
    )
    lengths = facts.sequences.lengths
    sentences = [
        f"It tells {count(len(facts.estimator.classes_), 'class', 'classes')} apart, in {facts.unit}s like those that "
        f"it was trained on ({count(n_trained_on(facts.estimator.training_), 'sequence')}). {expected}",
        "It always predicts one of these classes, also for data that belongs to none of them. A high probability does "
        "not rule that out.",
        f"It was measured on sequences of {_range(int(lengths.min()), int(lengths.max()))}, not on shorter or longer "
        "ones.",
        "It was measured on this file alone. On other people, devices or times it may do worse, and the figures are "
        "too good where such a source is both in this file and in the training data.",
    ]
    few = [code for code, n in enumerate(facts.evaluation.confusion_matrix.sum(axis=1).tolist()) if 0 < n < 10]
    if few:
        sentences.append(
            f"{count(len(few), 'class has', 'classes have')} fewer than 10 {facts.unit}s in this file, "
            f"{'such as ' * (len(few) > 1)}{facts.class_name(few[0])}: too few to judge."
        )
    return sentences


def _range(least: int, most: int) -> str:
    return count(least, "step") if least == most else f"{least:,} to {most:,} steps"


def as_python(facts: Facts) -> str:
    """Give the Python that trains such a model: the parameters that are not defaults."""
    estimator = facts.estimator
    defaults = inspect.signature(type(estimator)).parameters
    changed = {
        name: value
        for name, value in estimator._fit_parameters.items()
        if name != "n_threads" and (name == "random_state" or value != defaults[name].default)
    }
    arguments = ", ".join(f"{name}={_literal(value)}" for name, value in changed.items())
    kind = type(estimator).__name__
    reading = "".join(f", {role}={_literal(column)}" for role, column in estimator.columns_.items() if role in _READ)
    reading += ", labels_per_step=True" * facts.every_step
    return (
        f"from elman import {kind}, read\n\n"
        f'training = read("TRAINING_FILE"{reading})\n'
        f"model = {kind}({arguments})\n"
        f"model.fit(training.sequences, training.labels{', groups=training.groups' * ('group' in estimator.columns_)})"
    )


_READ = ("id", "time", "label", "group", "text")


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else repr(value)


def repeatable(facts: Facts) -> str:
    """Say how near training can be repeated."""
    seed = facts.estimator._fit_parameters["random_state"]
    if seed is None:
        return (
            "It was trained without a seed (random_state), so training again gives other weights. The model file does "
            "not hold the name of the training file."
        )
    return (
        f"With elman {__version__}, the same training data, the seed {seed} and the same kind of machine, the weights "
        "are the same to the last bit, with any number of threads. The model file does not hold the name of the "
        "training file."
    )


def parameters(facts: Facts) -> list[tuple[str, str, str]]:
    """Give every parameter with what stands for 'auto'."""
    estimator = facts.estimator
    chosen = dict(estimator.chosen_)
    if estimator._fit_parameters.get("learning_rate") == "auto":
        chosen["learning_rate"] = estimator.learning_rate_
    return [
        (
            name,
            shown(repr(value), _LONGEST),
            shown(repr(chosen[name]), _LONGEST) if value == "auto" and name in chosen else "",
        )
        for name, value in sorted(estimator._fit_parameters.items())
    ]


def made_from(facts: Facts) -> list[tuple[str, str | Name]]:
    """Give files with their digests, versions and the machine."""
    versions = {"elman": __version__, "Python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    return [
        ("model", _described(facts.model)),
        ("data", _described(facts.file)),
        ("versions", ", ".join(f"{name} {number}" for name, number in versions.items())),
        ("machine", f"{platform.system()} on {platform.machine()}, {count(available_threads(), 'thread')}"),
    ]


def _described(source: Source) -> str:
    return f"{shown(source.name, 80)}, {source.size:,} bytes, SHA-256 {source.digest}"
