"""Figures as tables that a terminal of 80 columns holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from elman.estimators.recipe import refit_epochs
from elman.training.findings import is_clearly_above
from elman.training.settings import TrainingSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.table import Table

FIGURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced\naccuracy",
    "macro_f1": "macro\nF1",
    "log_loss": "log\nloss",
}
_BASELINES = {"summary_statistics": "logistic regression", "majority": "most frequent class"}
_RIVALS = {
    "summary_statistics": "Logistic regression {how} here: {why}. It sees mean, deviation, minimum, maximum, first and "
    "last value of each feature, and the length{scope}.",
    "majority": "The most frequent class, predicted each time, {how} here: {why}.",
}
_REASONS = {
    "summary_statistics": "the order of the steps may not matter, or there is too little data",
    "majority": "there may be too little data, or little in it that tells the classes apart",
}
_FAR = 0.1  # behind a baseline in accuracy
_MOST_MEMBERS = 10  # whose best epochs are named
_FEW = 50  # sequences
_CHANCE = 0.05  # what chance does as often is no difference
_MOST_CLASSES = 8  # that are named with their counts
_LONGEST_NAME = 20  # characters of a class's name that are shown


def describe_network(architecture: Mapping[str, Any], n_members: int = 1) -> str:
    """Give an architecture in a few words.

    >>> describe_network({"cell": "gru", "num_layers": 2, "hidden_size": 64, "bidirectional": True})
    'GRU, 2 layers of 64, both directions'
    >>> describe_network({"cell": "lstm", "num_layers": 2, "hidden_size": [128, 64], "bidirectional": False})
    'LSTM, 2 layers of 128 and 64, one direction'
    >>> describe_network({"cell": "gru", "num_layers": 1, "hidden_size": 64, "bidirectional": True}, 5)
    '5 networks, each GRU, 1 layer of 64, both directions'
    """
    names = {"elman": "Elman", "elman_relu": "Elman (relu)", "lstm": "LSTM", "gru": "GRU"}
    n_layers = architecture["num_layers"]
    size = architecture["hidden_size"]
    sizes = " and ".join(map(str, size)) if isinstance(size, list | tuple) else size
    layers = f"{n_layers} layer{'s' * (n_layers > 1)} of {sizes}"
    directions = "both directions" if architecture["bidirectional"] else "one direction"
    several = f"{n_members} networks, each " if n_members > 1 else ""
    return f"{several}{names[architecture['cell']]}, {layers}, {directions}"


def describe_training(training: Mapping[str, Any], max_epochs: int, schedule: str) -> str:
    """Give what training came to, in a sentence or two; epochs are those of all members together."""
    bests = [str(member["best_epoch"]) for member in training["members"]]
    named = f"{'epochs' if len(bests) > 1 else 'epoch'} {', '.join(bests[:_MOST_MEMBERS])}"
    best = f", best in {named}{', ...' * (len(bests) > _MOST_MEMBERS)}" if training["n_validation"] else ""
    epochs = sum(member["epochs"] for member in training["members"])
    seconds = f"{training['seconds']:.1f} s"
    parts = f"{count(training['n_training'], 'sequence')}"
    if training["n_validation"]:
        parts += f", validated on {training['n_validation']:,}"
    if not training["n_refit"]:
        return f"{parts}: {count(epochs, 'epoch')} in {seconds}{best}."
    settings = TrainingSettings(max_epochs=max_epochs, schedule=schedule)
    again = sum(refit_epochs(member["best_epoch"] or 1, settings) for member in training["members"])
    then = f"then {count(again, 'epoch')} on all {training['n_refit']:,}. {seconds} in all"
    return f"{parts}: {count(epochs, 'epoch')}{best}; {then}."


def validation_heading(*, is_calibrated: bool, is_refit: bool, apart_by: str = "") -> str:
    """Give what stands above the figures on the validation part.

    >>> validation_heading(is_calibrated=False, is_refit=False, apart_by="'person'")
    "On the validation part, which chose the best epoch; it shares no 'person' with the training part:"
    """
    temperature = " and the temperature" * is_calibrated
    apart = f"; it shares no {apart_by} with the training part" if apart_by else ""
    of = ". These figures are of the network that was trained without it" * is_refit
    return f"On the validation part, which chose the best epoch{temperature}{apart}{of}:"


def describe_calibration(temperature: float) -> str:
    """Say what calibration came to.

    >>> describe_calibration(1.62)
    'Probabilities are calibrated at temperature 1.62, less sure than the network.'
    """
    change = "less sure than" if temperature > 1 else "surer than" if temperature < 1 else "as sure as"
    return f"Probabilities are calibrated at temperature {temperature:.3g}, {change} the network."


def describe_classes(labels: NDArray[Any]) -> str:
    """Give the classes with how often each occurs, the most frequent first, and how many have none.

    >>> import numpy as np
    >>> describe_classes(np.array(["rest", "walk", "run", "walk"]))
    '3 classes: walk 2, rest 1, run 1'
    >>> describe_classes(np.array([True, None, False, False], dtype=object))
    '2 classes: False 2, True 1; 1 without a label'
    """
    from collections import Counter

    counts = Counter(label for label in labels.tolist() if label is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    named = [f"{_plain(str(name)[:_LONGEST_NAME])} {n:,}" for name, n in ordered[:_MOST_CLASSES]]
    more = f" and {len(ordered) - _MOST_CLASSES} more" if len(ordered) > _MOST_CLASSES else ""
    n_without = len(labels) - sum(counts.values())
    without = f"; {n_without:,} without a label" if n_without else ""
    return f"{len(ordered)} class{'es' * (len(ordered) != 1)}: {', '.join(named)}{more}{without}"


def _plain(name: str) -> str:
    """Give a name as a terminal may show it."""
    return name if name.isprintable() else repr(name)


def count(n: int, thing: str) -> str:
    """Give a number of things: '1 epoch', '1,200 epochs'."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def figures_table(figures: Mapping[str, Any]) -> Table:
    """Lay the figures of the model above those of the baselines."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    for heading in FIGURES.values():
        table.add_column(Text(heading), justify="right", vertical="bottom")
    rows: list[tuple[str, Mapping[str, float], str]] = [("this model", figures, "bold")]
    rows += [(label, figures["baselines"][name], "") for name, label in _BASELINES.items()]
    for label, row, style in rows:
        table.add_row(Text(label), *(Text(f"{row[name]:.4f}") for name in FIGURES), style=style)
    return table


def is_cut_short(training: Mapping[str, Any]) -> bool:
    """Whether training ended while the network was still improving, or by Ctrl-C."""
    return bool(training["interrupted"]) or any(finding["rule"] == "unfinished" for finding in training["health"])


def verdict(
    figures: Mapping[str, Any],
    n_sequences: int,
    *,
    every_step: bool,
    is_cut_short: bool = False,
    p_values: Mapping[str, float] | None = None,
) -> str:
    """Say what it means where a baseline does as well as the model, and how far figures on so few sequences go; or ''.

    That the data may be to blame is said only of a network that was trained to the end and is not far behind. With
    ``p_values``, how often chance sets the accuracies of the model and of each baseline as far apart, it is said that a
    baseline does better only where chance does not explain it.

    >>> baselines = {"summary_statistics": {"accuracy": 0.7}, "majority": {"accuracy": 0.5}}
    >>> verdict({"accuracy": 0.9, "baselines": baselines}, 60, every_step=False)
    ''
    """
    rivals = {name: rival["accuracy"] for name, rival in figures["baselines"].items()}
    best = max(rivals, key=rivals.__getitem__)  # of two alike the first
    sentences: list[str] = []
    if rivals[best] >= figures["accuracy"]:
        how = "does better" if rivals[best] > figures["accuracy"] else "does as well"
        p = 0.0 if p_values is None else p_values[best]
        is_far = rivals[best] - figures["accuracy"] >= _FAR
        why = _REASONS[best]
        if is_cut_short:
            why = "training of the network was cut short"
        elif best != "majority" and is_far and is_clearly_above(rivals[best], figures["accuracy"], n_sequences):
            why = "the network has not learned what is there"
        if how == "does better" and p >= _CHANCE:
            how = f"cannot be told apart from this model (p = {p:.2g})"
        scope = ", of the sequence up to each step" * every_step
        sentences.append(_RIVALS[best].format(how=how, why=why, scope=scope))
    if n_sequences < _FEW:
        sentences.append("With so few sequences, small differences mean little.")
    return " ".join(sentences)


def confusion_table(matrix: NDArray[np.int64], classes: list[Any], width: int) -> tuple[str, Table]:
    """Lay out the confusion matrix where it fits in ``width`` columns, else a row a class with its confusions.

    Returns
    -------
    title : str
    table : rich.table.Table
    """
    names = [_short(str(name)) for name in classes]
    by_name = max(map(len, names)) <= 6
    headings = names if by_name else [str(number) for number in range(1, len(names) + 1)]
    labels = names if by_name else [f"{number} {name}" for number, name in zip(headings, names)]
    cell = max(*(len(heading) for heading in headings), len(str(int(matrix.max()))))
    if max(map(len, labels)) + len(names) * (cell + 1) + 1 <= width:
        return "Confusion matrix: rows are true classes, columns predictions", _matrix(matrix, labels, headings)
    return "Each true class, how many of it were predicted right, and its confusions", _confusions(matrix, names)


def _matrix(matrix: NDArray[np.int64], labels: list[str], headings: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("")
    for heading in headings:
        table.add_column(Text(heading), justify="right", header_style="dim", no_wrap=True)
    for row, label in enumerate(labels):
        cells = []
        for column, n in enumerate(matrix[row].tolist()):
            style = "bold green" if row == column else "red" if n else "dim"
            cells.append(Text(str(n) if n else "·", style=style))
        table.add_row(Text(label, style="dim"), *cells)
    return table


def _confusions(matrix: NDArray[np.int64], names: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading, justify in (("class", "left"), ("n", "right"), ("right", "right"), ("taken for", "left")):
        table.add_column(heading, justify=justify, header_style="dim")  # type: ignore[arg-type]
    for row, name in enumerate(names):
        wrong = sorted(((n, c) for c, n in enumerate(matrix[row].tolist()) if n and c != row), key=lambda p: -p[0])
        taken = ", ".join(f"{names[column]} ({n})" for n, column in wrong[:4])
        more = sum(n for n, _ in wrong[4:])
        n_right = int(matrix[row, row])
        table.add_row(
            Text(name), str(int(matrix[row].sum())), str(n_right), Text(taken + (f", others ({more})" if more else ""))
        )
    return table


def _short(name: str) -> str:
    name = " ".join(name.split()) or "''"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
