"""A training run as a text file of JSON objects, one a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from elman import __version__
from elman.errors import OutputError
from elman.output_file import check_writable
from elman.training.callbacks import Callback, Run, StepRecord
from elman.training.history import History, Record
from elman.watching.growing_file import GrowingFile
from elman.watching.runs import check_every, ending, is_due


class JsonLines(Callback):
    """Writes a line when training begins, one for each epoch, and one when it ends; each is complete at once.

    The key ``kind`` tells them apart: "begin" (version, sizes and settings), "epoch" (a `Record`), "step" (a
    `StepRecord`), "remark" (a problem that shows, in a ``sentence``), "end" (the best epoch, and why training ended).
    What is not a finite number is null.

    A new run starts the file anew. A resumed run goes on in it, in the place of what it makes again: the file then
    reads as that of one run, with a "begin" for each part. If a line cannot be written, as on a full disk,
    training goes on without it.

    Parameters
    ----------
    path : str or path
        Must not exist, or hold a log of this kind.
    every : int >= 1 or None
        Write a line for each so many-th step of the optimizer too; None: for none.

    Raises
    ------
    ParameterError, OutputError
        If ``every`` is no such number; if there is another file, or none can be written.

    >>> import json, tempfile
    >>> from elman import SequenceClassifier
    >>> X, y = [[[0.0], [1.0]], [[1.0], [0.0]]] * 8, ["up", "down"] * 8
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = JsonLines(f"{folder}/run.jsonl")
    ...     _ = SequenceClassifier(hidden_size=2, max_epochs=3).fit(X, y, callbacks=[log])
    ...     lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    >>> [line["kind"] for line in lines]
    ['begin', 'epoch', 'epoch', 'epoch', 'end']
    >>> lines[-1]["reason"]
    'max_epochs'
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int | None = None) -> None:
        check_every(every)
        self.path, self.every = Path(path), every
        check_writable(path)
        if self.path.exists():
            _require_log(self.path)
        self._file: GrowingFile | None = None

    def on_train_begin(self, run: Run) -> None:
        """Open the file, and write what the run is."""
        goes_on = run.is_resumed and self.path.exists()
        kept = _end_of_what_stays(run, self.path.read_bytes()) if goes_on else 0
        self._file = GrowingFile(self.path, kept)
        self._write("begin", {"version": __version__, **asdict(run)})

    def on_remark(self, sentence: str) -> None:
        """Write what shows while training goes on."""
        self._write("remark", {"sentence": sentence})

    def on_step_end(self, step: StepRecord) -> None:
        """Write the step, if it is its turn."""
        if is_due(step, self.every):
            self._write("step", step)

    def on_epoch_end(self, record: Record) -> None:
        """Write the record."""
        self._write("epoch", record)

    def on_train_end(self, history: History) -> None:
        """Write how training ended."""
        self._write("end", ending(history))
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, kind: str, content: Mapping[str, Any]) -> None:
        if self._file is not None:
            line = json.dumps({"kind": kind, **_finite(content)}, allow_nan=False)
            self._file.append(line.encode() + b"\n")


def _finite(value: Any) -> Any:
    """Give the same value with None for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _require_log(path: Path) -> None:
    with path.open("rb") as file:
        line = file.readline(1 << 16)
    if line and not line.startswith(b'{"kind": "begin"'):
        raise OutputError(f"{path}: expected a log of elman to replace, or no file, got another. Choose another name.")


def _end_of_what_stays(run: Run, log: bytes) -> int:
    """Give the position of the first line that is broken, or of a step or epoch that the run makes again."""
    position = 0
    for line in log.splitlines(keepends=True):
        try:
            told = json.loads(line)
        except ValueError:
            break
        is_made_again = told["kind"] == "epoch" and told["epoch"] >= run.first_epoch
        if is_made_again or told.get("step", 0) >= run.first_step or not line.endswith(b"\n"):
            break
        position += len(line)
    return position
