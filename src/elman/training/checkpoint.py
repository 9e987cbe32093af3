"""A training run on disk, to go on from: written whole or not at all, read with distrust."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from elman import __version__
from elman.caution import warn_user
from elman.errors import CheckpointError, OutputError
from elman.output_file import check_writable, remove_leftovers
from elman.tensor_file import BrokenFileError, TensorFile, opened, write_tensors
from elman.training.identity import differences
from elman.training.moments import CHECKPOINT, Moments, Reader, as_arrays, as_fields
from elman.training.settings import TrainingSettings
from elman.training.state import State

_BESIDE = re.compile(r"(\.all)?(\.[0-9]+)?")  # behind the name: of the run on all data, of another member


class Checkpoint:
    """A file that a training run is saved in, and gone on with: it ends with the bits of one never interrupted.

    The file is replaced as a whole, so the last good one is there until the next one is. That a run was finished is
    saved too; the same training then gives the same result at once.

    Parameters
    ----------
    path : str or PathLike
    every : float
        Minutes between two savings; 0: after every step. The end of training and Ctrl-C are saved in any case.
    """

    def __init__(self, path: str | os.PathLike[str], every: float = 10.0) -> None:
        self.path, self.every = path, every
        self.saved_epoch: int | None = None  # the epoch that the file is in
        self._identity: dict[str, str] = {}
        self._last = time.monotonic()
        self._has_warned = False

    def beside(self, which: int | str) -> Checkpoint:
        """Give the checkpoint of another run of the same training: its file is called likewise, with this behind."""
        return Checkpoint(f"{os.fspath(self.path)}.{which}", self.every)

    def owns(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is this one, or one that `beside` may name.

        >>> [Checkpoint("run").owns(name) for name in ("run", "run.2", "run.all.2", "run.log")]
        [True, True, True, False]
        """
        own, other = Path(self.path).resolve(), Path(path).resolve()
        return own.parent == other.parent and _is_beside(own.name, other.name)

    def begin(
        self, identity: dict[str, str], like: State, settings: TrainingSettings, steps_per_epoch: int
    ) -> Moments | None:
        """Give what the file holds of the run with this identity, None where there is no file yet.

        Raises
        ------
        CheckpointError
            If the file is damaged, of a newer format, no checkpoint, or of another training; or if it is not there,
            but that of the run on all data is, left from a training before.
        OutputError
            If it could not be written.
        """
        self._identity, self._last = identity, time.monotonic()
        check_writable(self.path)
        remove_leftovers(self.path)
        if not Path(self.path).exists():
            self._require_none_of_all()
            return None
        reader = Reader(like, settings, steps_per_epoch)
        advice = f"Remove {_listed(['it', *self._others()])} to train from the start."
        with opened(self.path, CHECKPOINT._replace(advice=advice), CheckpointError) as file:
            self._check_identity(file)
            moments = _moments(file, reader)
        self.saved_epoch = moments.now.progress.epoch
        return moments

    @property
    def is_due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._last >= 60 * self.every

    def save(self, moments: Moments) -> None:
        """Write the file anew; where that fails, warn once and leave the last one there."""
        self._last = time.monotonic()
        states = moments.distinct()
        fields: dict[str, Any] = {"elman_version": __version__, "identity": self._identity}
        fields["states"] = {name: as_fields(state) for name, state in states.items()}
        fields["good"] = "good" if "good" in states else "epoch_start" if moments.good is not None else None
        arrays = {f"{of}.{name}": array for of, state in states.items() for name, array in as_arrays(state).items()}
        try:
            write_tensors(self.path, CHECKPOINT, arrays, fields)
            self.saved_epoch = moments.now.progress.epoch
        except OutputError as error:
            if not self._has_warned:
                self._has_warned = True
                is_first = self.saved_epoch is None
                last = "There is none yet" if is_first else f"The last one is of epoch {self.saved_epoch}"
                warn_user(f"{error} Training goes on without a new checkpoint. {last}.")

    def _others(self) -> list[str]:
        """Give the files of other runs of the training that are there."""
        path = Path(self.path)
        files = (file for file in path.parent.iterdir() if file.name != path.name)
        return sorted(str(file) for file in files if _is_beside(path.name, file.name))

    def _require_none_of_all(self) -> None:
        """Refuse to begin where a later run is saved; members begin together, so that another's file may be first."""
        of_all = self.beside("all")
        others = self._others()
        left = [other for other in others if of_all.owns(other)]
        if left:
            raise CheckpointError(
                f"{os.fspath(self.path)}: there is no checkpoint yet, and what would follow it is left from a "
                f"training before: {_listed(left)}. Remove {_listed(others)} too, or name another file."
            )

    def _check_identity(self, file: TensorFile) -> None:
        was = file.fields.get("identity")
        if not isinstance(was, dict) or not all(isinstance(value, str) for value in was.values()):
            raise BrokenFileError(
                f"the checkpoint file is damaged: it does not say of which training it is. {file.kind.advice}"
            )
        found = differences(was, self._identity)
        if found:
            raise BrokenFileError(
                f"the checkpoint is of another training: {'; '.join(found)[:2000]}. "
                f"Train as it was begun, or name another file, or remove {_listed(['this one', *self._others()])} "
                "to train from the start."
            )


def _is_beside(own: str, other: str) -> bool:
    """Whether a name is a checkpoint's own, or that of another run of its training."""
    return other.startswith(own) and _BESIDE.fullmatch(other[len(own) :]) is not None


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _moments(file: TensorFile, reader: Reader) -> Moments:
    states, good = file.fields.get("states"), file.fields.get("good")
    names = {"now", "epoch_start"} | ({"good"} if good == "good" else set())
    is_known = good in (None, "good", "epoch_start") and isinstance(states, dict) and states.keys() == names
    if not is_known or not isinstance(states, dict):
        raise BrokenFileError(f"the checkpoint file is damaged: it lacks a state. {file.kind.advice}")
    shapes = {f"{of}.{name}": shape for of in names for name, shape in reader.shapes(states[of]).items()}
    arrays = file.read(shapes)
    found = {}
    for of in names:
        own = {name.partition(".")[2]: array for name, array in arrays.items() if name.partition(".")[0] == of}
        found[of] = reader.state(states[of], own)
    return Moments(found["now"], found["epoch_start"], None if good is None else found[good])
