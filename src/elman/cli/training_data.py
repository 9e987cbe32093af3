"""A labelled file as the commands that train take it: its validation part, its groups, and an estimator for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elman.cli.options import missing_choice
from elman.errors import DataError, FileError

if TYPE_CHECKING:
    from elman.cli.dataset import Columns, Reading
    from elman.cli.grouping import Grouping
    from elman.data import Dataset
    from elman.estimators.base import RecurrentEstimator


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What is trained on.

    Parameters
    ----------
    training : Dataset
    held_out : Dataset or None
        What is validated on, where it is a file of its own.
    grouping : Grouping
    """

    training: Dataset
    held_out: Dataset | None
    grouping: Grouping

    @property
    def arguments(self) -> dict[str, Any]:
        """What `fit` takes, but for what watches it."""
        other = self.held_out
        return {
            "X": self.training.sequences,
            "y": self.training.labels,
            "groups": self.grouping.groups,
            "validation": None if other is None else (other.sequences, other.labels),
        }

    def estimator(self, parameters: Mapping[str, Any]) -> RecurrentEstimator:
        """Give an estimator for its labels, with those of the parameters that it has."""
        from elman.estimators.saved import make

        kind = "SequenceTagger" if self.training.per_step else "SequenceClassifier"
        known = make(kind).get_params(deep=False)
        return make(kind, {name: value for name, value in parameters.items() if name in known})


def read_training_data(file: Path, options: Mapping[str, Any], *, is_split: bool) -> TrainingData:
    """Read a labelled file, and the validation file where there is one, as the options of the command say.

    ``is_split`` says whether a part of it is to be set aside.
    """
    from elman.cli.dataset import read_training, read_validation, say_classes, say_notes
    from elman.cli.grouping import find_grouping

    columns: Columns = {name: options[name] for name in ("id", "time", "label", "group")}  # type: ignore[assignment]
    reading: Reading = {
        "text": options["text"],
        "text_split": options["text_split"],
        "missing": missing_choice(options["missing"], options["missing_text"]),
        "missing_text": options["missing_text"] or None,
        "step_length": options["step_length"],
        "categorical": options["categorical"],
    }
    validation, per_step = options["validation"], options["per_step_labels"]
    training = read_training(file, columns, reading, per_step=per_step)
    say_notes(training, of=None if validation is None else file)
    say_classes(training)
    held_out = None
    if validation is not None:
        held_out = read_validation(validation, columns, reading, training, per_step=per_step)
        say_notes(held_out, of=validation)
    by_group = False if options["no_group"] else True if options["group"] is not None else None
    grouping = find_grouping(
        file, training, held_out, from_id=options["group_from_id"], is_split=is_split, by_group=by_group
    )
    return TrainingData(training, held_out, grouping)


@contextmanager
def naming_files(file: Path, validation: Path | None) -> Iterator[None]:
    """Have errors of the data name the files that it came from."""
    try:
        yield
    except DataError as error:
        files = f"{file}" if validation is None else f"{file} and {validation}"
        raise FileError(f"{files}: {error}") from error
