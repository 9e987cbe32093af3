"""A search on disk: a study of Optuna's in a SQLite file, which holds finished trials only."""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from elman.errors import FileError, OutputError
from elman.output_file import check_writable
from elman.search.plan import Plan

_HEADER = b"SQLite format 3\0"
_NAME = "elman"
_ATTRIBUTE = "elman"  # of the study: what was searched, of which data


class StudyFile:
    """The file while it is open; no other process can have it open.

    A trial is written in one transaction once it is finished, so that a process killed at any moment leaves the trials
    before, and none that seems to be running.
    """

    def __init__(self, path: Path, study: optuna.Study) -> None:
        self.path, self._study = path, study

    def going_on(self, plan: Plan) -> Plan:
        """Give the plan with its seed, after holding it against what the study was begun with, or beginning it.

        Raises
        ------
        FileError
            If the study is of other data or settings.
        """
        with _explained(self.path):
            before = self._study.user_attrs.get(_ATTRIBUTE)
            if before is None and (self._study.user_attrs or self._study.get_trials(deepcopy=False)):
                raise FileError(f"{self.path}: it holds a study that elman did not write. Name another file.")
            if before is None:
                plan = plan.seeded(None)
                self._study.set_user_attr(_ATTRIBUTE, plan.to_dict())
                return plan
        if not isinstance(before, dict):
            raise damaged(self.path)
        return plan.going_on_from(before, self.path)

    def trials(self) -> list[FrozenTrial]:
        """Give the finished trials in their order."""
        states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        with _explained(self.path):
            return self._study.get_trials(deepcopy=False, states=states)

    def add(self, trial: FrozenTrial) -> None:
        """Write a finished trial."""
        with _explained(self.path):
            self._study.add_trial(trial)


@contextmanager
def open_study(path: str | os.PathLike[str]) -> Iterator[StudyFile]:
    """Open a file, or create it.

    Raises
    ------
    FileError
        If it is no SQLite file, or one of something else, damaged, or open in another process.
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    _check(path)
    connections: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:  # through a function, since a name may hold what a URL cannot
        connection = sqlite3.connect(path, timeout=0.5, check_same_thread=False)
        connections.append(connection)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    try:
        with _explained(path):
            storage = optuna.storages.RDBStorage("sqlite://", {"creator": connect, "poolclass": StaticPool})
            study = optuna.create_study(storage=storage, study_name=_NAME, direction="minimize", load_if_exists=True)
        yield StudyFile(path, study)
        storage.remove_session()
        storage.engine.dispose()
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what Optuna would print to itself."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def damaged(path: str | os.PathLike[str], reason: str = "") -> FileError:
    """Give the error for a file that holds what no search writes."""
    return FileError(f"{path}: the study is damaged{f': {reason}' if reason else ''}. Name another file to begin anew.")


def _check(path: Path) -> None:
    """Refuse what Optuna would take for an empty study and write its tables into."""
    check_writable(path)
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise FileError(f"{path}: expected a study, which is a SQLite file, got another kind. Name another file.")
    with _explained(path):
        connection = sqlite3.connect(path, timeout=0.5)
        try:
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            connection.close()
    if state != "ok":
        raise damaged(path)
    if tables and "studies" not in tables:
        raise FileError(f"{path}: expected a study, got a SQLite file of something else. Name another file.")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite, SQLAlchemy and Optuna raise into one sentence."""
    try:
        yield
    except FileError:
        raise
    except (sqlite3.Error, SQLAlchemyError, OptunaError, RuntimeError, ValueError, KeyError, TypeError) as error:
        cause = _cause(error)
        text = str(cause)
        if "locked" in text:
            raise FileError(
                f"{path}: the study is open in another process. Wait for it, or name another file."
            ) from error
        if isinstance(cause, sqlite3.OperationalError) and any(
            word in text for word in ("full", "readonly", "unable to open", "disk I/O")
        ):
            raise OutputError(f"{path}: the study cannot be written: {text}. Name a file in another folder.") from error
        raise damaged(path, json.dumps(text.splitlines()[0][:100]) if text else "") from error


def _cause(error: BaseException) -> BaseException:
    """Give the error of SQLite's that is behind one of the layers above it."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, sqlite3.Error):
        found = getattr(found, "orig", None) or found.__cause__
    return error if found is None else found
