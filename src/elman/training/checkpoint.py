"""A training run on disk, to go on from: written whole or not at all, read with distrust."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elman import __version__
from elman.caution import warn_user
from elman.errors import CheckpointError, OutputError
from elman.output_file import check_writable, remove_leftovers
from elman.tensor_file import BrokenFileError, Kind, TensorFile, opened, write_tensors
from elman.training.identity import differences
from elman.training.moments import Moments, Reader, as_arrays, as_fields
from elman.training.settings import TrainingSettings
from elman.training.state import State

CHECKPOINT = Kind("checkpoint", 1, "Remove it to train from the start.")


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

    def begin(
        self, identity: dict[str, str], like: State, settings: TrainingSettings, steps_per_epoch: int
    ) -> Moments | None:
        """Give what the file holds of the run with this identity, None where there is no file yet.

        Raises
        ------
        CheckpointError
            If the file is damaged, of a newer format, no checkpoint, or of another training.
        OutputError
            If it could not be written.
        """
        self._identity, self._last = identity, time.monotonic()
        check_writable(self.path)
        remove_leftovers(self.path)
        if not Path(self.path).exists():
            return None
        reader = Reader(like, settings, steps_per_epoch)
        with opened(self.path, CHECKPOINT, CheckpointError) as file:
            self._check_identity(file.fields)
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

    def _check_identity(self, fields: Mapping[str, Any]) -> None:
        was = fields.get("identity")
        if not isinstance(was, dict) or not all(isinstance(value, str) for value in was.values()):
            raise BrokenFileError(
                f"the checkpoint file is damaged: it does not say of which training it is. {CHECKPOINT.advice}"
            )
        found = differences(was, self._identity)
        if found:
            raise BrokenFileError(
                f"the checkpoint is of another training: {'; '.join(found)[:2000]}. "
                "Train as it was begun, or name another file, or remove this one to train from the start."
            )


def _moments(file: TensorFile, reader: Reader) -> Moments:
    states, good = file.fields.get("states"), file.fields.get("good")
    names = {"now", "epoch_start"} | ({"good"} if good == "good" else set())
    is_known = good in (None, "good", "epoch_start") and isinstance(states, dict) and states.keys() == names
    if not is_known or not isinstance(states, dict):
        raise BrokenFileError(f"the checkpoint file is damaged: it lacks a state. {CHECKPOINT.advice}")
    shapes = {f"{of}.{name}": shape for of in names for name, shape in reader.shapes(states[of]).items()}
    arrays = file.read(shapes)
    found = {}
    for of in names:
        own = {name.partition(".")[2]: array for name, array in arrays.items() if name.partition(".")[0] == of}
        found[of] = reader.state(states[of], own)
    return Moments(found["now"], found["epoch_start"], None if good is None else found[good])
