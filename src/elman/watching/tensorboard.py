"""A training run as event files for TensorBoard."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from elman.errors import OutputError
from elman.extras import library
from elman.output_file import check_writable
from elman.training.callbacks import Callback, Run, StepRecord
from elman.training.history import Record
from elman.watching.growing_file import GrowingFile
from elman.watching.runs import check_every, is_due

LEARNING = ("gradient_norm", "clipped_share", "update_ratio", "learning_rate", "sequences_per_second")  # of an epoch
FLOW = ("flow_ratio", "flow_vanished", "flow_memory")  # likewise, where it was noted
STEP = ("loss", "gradient_norm", "is_clipped", "update_ratio", "learning_rate")


class TensorBoardWriter(Callback):
    """Writes event files that TensorBoard shows while training runs: ``tensorboard --logdir DIRECTORY``.

    They lie in the folders ``training`` and ``validation``, so that TensorBoard draws the curves of both into one
    diagram, and ``steps``. Tags are ``epoch/loss``, ``epoch/accuracy``, ``epoch/gradient_norm`` and so on, and
    ``step/loss`` and so on of single steps; the horizontal axis counts the steps of the optimizer. The page "Text" has
    the settings.

    A directory holds one run. A resumed run goes on in it, a new one takes the place of what was there: TensorBoard
    drops what earlier files have of the same steps. If nothing more can be written (a full disk), training goes on.

    Parameters
    ----------
    directory : str or path
        Created if it does not exist.
    every : int >= 1 or None
        Write each so many-th step of the optimizer too; None: none.

    Raises
    ------
    MissingExtraError
        If tensorboardX, of the extra ``elman[tensorboard]``, is not installed.
    ParameterError, OutputError
        If ``every`` is no such number; if the directory cannot be written.

    >>> from elman import SequenceClassifier
    >>> classifier = SequenceClassifier(hidden_size=8)
    >>> classifier.fit(X, y, callbacks=[TensorBoardWriter("runs/first")])  # doctest: +SKIP
    """

    def __init__(self, directory: str | os.PathLike[str], *, every: int | None = None) -> None:
        check_every(every)
        library("tensorboardX", extra="tensorboard")
        self.directory, self.every = Path(directory), every
        _make(self.directory)
        self._files: dict[str, _EventFile] = {}

    def on_train_begin(self, run: Run) -> None:
        """Open the files; those of a new run begin with its settings."""
        parts = ["training", *(["validation"] if run.n_validation else []), *(["steps"] if self.every else [])]
        self._files = {part: _EventFile(self.directory / part) for part in parts}
        if not run.is_resumed:
            for file in self._files.values():
                file.go_back(0)
            self._files["training"].write_text("settings", _table(asdict(run)), 0)

    def on_step_end(self, step: StepRecord) -> None:
        """Write the step, if it is its turn."""
        if is_due(step, self.every):
            values: Mapping[str, Any] = step
            self._files["steps"].write({f"step/{name}": values[name] for name in STEP}, step["step"])

    def on_epoch_end(self, record: Record) -> None:
        """Write the record."""
        values: Mapping[str, Any] = record
        for part in ("training", "validation"):
            if part in self._files:
                figures = {f"epoch/{name}": values[f"{part}_{name}"] for name in ("loss", "accuracy")}
                if part == "training":
                    figures |= {f"epoch/{name}": values[name] for name in LEARNING}
                    figures |= {f"epoch/{name}": values[name] for name in FLOW if name in values}
                self._files[part].write(figures, record["steps"])

    def on_train_end(self, history: object) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class _EventFile:
    """Events one after the other, in TensorFlow's format of records.

    tensorboardX's own SummaryWriter writes in a thread of its own, which ends where the disk is full; training would
    then wait for it for ever.
    """

    def __init__(self, directory: Path) -> None:
        self._event = library("tensorboardX.proto.event_pb2", extra="tensorboard")
        self._summary = library("tensorboardX.summary", extra="tensorboard")
        self._checksum = library("tensorboardX.record_writer", extra="tensorboard").masked_crc32c
        self._last_step: int | None = None
        _make(directory)
        # TensorBoard looks for "tfevents" in the names of files, and reads them by the order of these.
        self._file = GrowingFile(directory / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}")
        self._add(file_version="brain.Event:2")

    def write(self, figures: Mapping[str, float], step: int) -> None:
        """Add numbers at a step; what was written of this step or later ones before counts no longer."""
        if self._last_step is None or step < self._last_step:
            self.go_back(step)
        self._last_step = step
        values = [self._summary.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        self._add(summary=self._summary.Summary(value=values), step=step)

    def write_text(self, tag: str, text: str, step: int) -> None:
        """Add a text in Markdown."""
        self._add(summary=self._summary.text(tag, text), step=step)

    def go_back(self, step: int) -> None:
        """Have TensorBoard drop all that it has read of this step and later ones."""
        start = self._event.SessionLog(status=self._event.SessionLog.START)
        self._add(session_log=start, step=step)

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def _add(self, **content: Any) -> None:
        event = self._event.Event(wall_time=time.time(), **content).SerializeToString()
        size = struct.pack("<Q", len(event))
        checksums = [struct.pack("<I", self._checksum(part)) for part in (size, event)]
        self._file.append(size + checksums[0] + event + checksums[1])


def _make(directory: Path) -> None:
    """Make the directory, or raise OutputError if it cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{directory}: event files cannot be written: {error.strerror}. Choose another folder."
        ) from error
    check_writable(directory / "events")


def _table(content: Mapping[str, Any]) -> str:
    """Give names and values as a table in Markdown; what is in mappings comes as rows of its own.

    >>> print(_table({"n_sequences": 30, "settings": {"optimizer": "adam"}}))
    | setting | value |
    | --- | --- |
    | n_sequences | 30 |
    | optimizer | adam |
    """
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        rows += value.items() if isinstance(value, Mapping) else [(name, value)]
    return "\n".join(f"| {name} | {value} |" for name, value in [("setting", "value"), ("---", "---"), *rows])
