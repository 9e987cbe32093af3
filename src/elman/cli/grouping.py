"""What a split must keep together: a group column, or the subjects that ids name; and a warning where none does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.cli.console import note, warn
from elman.errors import FileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elman.data import Dataset


@dataclass(frozen=True, eq=False)
class Grouping:
    """How the validation part is set apart.

    Parameters
    ----------
    groups : array (N,), or None
    split_by : str or None
        'group', 'class', 'file' where it is a file of its own, or None where there is no validation part.
    what : str
        What the groups are, as a sentence calls it: "'person'", or 'subject in the ids'.
    n_shared : int
        Subjects, as the ids show them, that both parts may hold.
    """

    groups: NDArray[Any] | None
    split_by: str | None
    what: str = ""
    n_shared: int = 0

    @property
    def apart_by(self) -> str:
        """What the validation part shares none of with the training part, or ''."""
        return self.what if self.split_by == "group" else ""

    @property
    def caution(self) -> str:
        """What the figures do not tell, or ''."""
        if not self.n_shared:
            return ""
        return "The validation part shares subjects with the training part: expect less on new ones."


def find_grouping(
    file: Path,
    training: Dataset,
    validation: Dataset | None,
    *,
    from_id: bool,
    is_split: bool,
    by_group: bool | None = None,
) -> Grouping:
    """Decide how a file is split, and say so where the user might not expect it.

    Parameters
    ----------
    by_group : bool or None
        Whether groups are to be kept together; None where that was not said: if they can be.

    Raises
    ------
    FileError
        If ``from_id`` asks for the subjects in the ids, and these name none.
    """
    if validation is not None:
        return _between_files(training, validation)
    if not is_split:
        return Grouping(training.groups, None)
    if by_group is not False and not from_id and _is_by_group(training, is_wanted=bool(by_group)):
        return Grouping(training.groups, "group", repr(training.columns.get("group", "group")))
    from elman.data import find_subjects

    subjects = find_subjects(training.ids, None if training.per_step else training.labels)
    if from_id and subjects is None:
        raise FileError(
            f"{file}: expected ids that name subjects, such as 's01_1', 's01_2', 's02_1', for --group-from-id, "
            f"got {', '.join(map(repr, training.ids[:3].tolist()))}. Name the column of the subject with --group."
        )
    if subjects is None:
        return Grouping(None, "class")
    if from_id:
        note(f"Read {len(subjects)} subjects from the ids: {subjects.shown()}.")
        return Grouping(subjects.of, "group", "subject of the ids")
    warn(
        f"The ids look like several recordings of each of {len(subjects)} subjects: {subjects.shown()}. The validation "
        "part then shares subjects with the training part, and its figures look better than they are on new subjects. "
        "Name the column of the subject with --group, or take it from the ids with --group-from-id."
    )
    return Grouping(None, "class", n_shared=len(subjects))


def _is_by_group(training: Dataset, *, is_wanted: bool) -> bool:
    """Tell whether to split by group, and say why not where there are groups that nobody named."""
    from elman.data.splits import can_split_by_group

    groups, labels = training.groups, training.labels
    if groups is None or is_wanted:
        return groups is not None
    if can_split_by_group(groups, np.zeros(len(groups)) if labels is None or training.per_step else labels):
        return True
    name = repr(training.columns.get("group", "group"))
    reason = f"Without any one group of {name} a class would be gone from training"
    if len(np.unique(groups)) < 2:
        reason = f"The column {name} holds one group only"
    note(f"{reason}: the validation part is set aside by class.")
    return False


def _between_files(training: Dataset, validation: Dataset) -> Grouping:
    """Warn where the ids of both files show the same subjects."""
    from elman.data import find_subjects

    if training.groups is not None and validation.groups is not None and _have_same_groups(training, validation):
        return _shared_groups(training.groups, validation.groups, repr(training.columns.get("group", "group")))
    labels = None
    if not training.per_step and training.labels is not None and validation.labels is not None:
        labels = np.concatenate([training.labels.astype(str), validation.labels.astype(str)])
    subjects = find_subjects(np.concatenate([training.ids, validation.ids]), labels)
    if subjects is None:
        return Grouping(training.groups, "file")
    shared = np.intersect1d(subjects.of[: len(training.ids)], subjects.of[len(training.ids) :])
    if len(shared):
        warn(
            f"The ids look like several recordings of each subject, and {len(shared)} of {len(subjects)} subjects are "
            f"in both files, such as {shared[0]!r}: the figures look better than they are on new subjects. "
            "Put all recordings of a subject into one of the files."
        )
    return Grouping(training.groups, "file", n_shared=len(shared))


def _have_same_groups(training: Dataset, validation: Dataset) -> bool:
    """Tell whether groups are of one column, as far as the files say; an `.npz` may not."""
    named = {dataset.columns["group"] for dataset in (training, validation) if "group" in dataset.columns}
    return len(named) <= 1


def _shared_groups(training: NDArray[Any], validation: NDArray[Any], what: str) -> Grouping:
    """Warn where the same group is in both files."""
    shared = np.intersect1d(training, validation)
    if len(shared):
        n = len(np.union1d(training, validation))
        warn(
            f"{len(shared)} of {n} groups of {what} are in both files, such as {str(shared[0])!r}: the figures look "
            "better than they are on new ones. Put all sequences of a group into one of the files."
        )
    return Grouping(training, "file", what, n_shared=len(shared))
