"""States of a training run as arrays and JSON, and back: each field and array is checked against what it can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from elman.tensor_file import Kind, Shapes
from elman.training.flow import is_sound
from elman.training.history import Flow, History, Record
from elman.training.progress import Progress, StepResult
from elman.training.settings import TrainingSettings
from elman.training.state import State

Array = np.ndarray[Any, Any]
CHECKPOINT = Kind("checkpoint", 1, "Remove it to train from the start.")
_require, _whole = CHECKPOINT.require, CHECKPOINT.require_whole
_LARGEST = 2**63
_COUNTS = ("epoch", "mark_epoch", "n_too_large", "rollbacks")
_FLAGS = ("is_finished", "stopped_early", "told_to_stop")
_NUMBERS = ("seconds", "lowest", "mark", "first_loss")
_PARTS = ("parameters", "best")


@dataclass(frozen=True, eq=False)
class Moments:
    """What a run goes on from: where it is, where its epoch began, and what it goes back to if it breaks down."""

    now: State
    epoch_start: State
    good: State | None

    def distinct(self) -> dict[str, State]:
        """Give the states by name, one that stands for two only once."""
        states = {"now": self.now, "epoch_start": self.epoch_start}
        is_apart = self.good is not None and self.good is not self.epoch_start
        return states | ({"good": self.good} if is_apart and self.good is not None else {})


def as_fields(state: State) -> dict[str, Any]:
    """Give all of a state but its arrays, as JSON holds it."""
    progress = state.progress
    fields: dict[str, Any] = {name: getattr(progress, name) for name in _COUNTS}
    fields |= {name: _as_json(getattr(progress, name)) for name in _NUMBERS}
    fields |= {"is_finished": progress.is_finished, "stopped_early": progress.history.stopped_early}
    fields |= {"told_to_stop": progress.history.told_to_stop}
    fields |= {"best_epoch": progress.history.best_epoch, "records": progress.history.records}
    fields |= {"n_results": len(progress.results)} | ({} if progress.flow is None else {"flow": progress.flow})
    numbers = {name: _as_json(value) for name, value in state.updater.items() if not isinstance(value, np.ndarray)}
    return {"progress": fields, "updater": numbers, "rng": state.rng, "rng_at_epoch": state.rng_at_epoch}


def as_arrays(state: State) -> dict[str, Array]:
    """Give the arrays of a state by name."""
    vectors = {f"updater.{name}": value for name, value in state.updater.items() if isinstance(value, np.ndarray)}
    results = np.array(state.progress.results, dtype=np.float64).reshape(-1, len(StepResult._fields))
    return {"parameters": state.parameters, "best": state.best, "results": results, **vectors}


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads states of a run back.

    Parameters
    ----------
    like : State
        One of the same run, at its start.
    settings : TrainingSettings
    steps_per_epoch : int
    """

    like: State
    settings: TrainingSettings
    steps_per_epoch: int

    def shapes(self, fields: Any) -> Shapes:
        """Give dtype and shape of each array of a state with these fields."""
        _require("state", _has(fields, "progress", "updater", "rng", "rng_at_epoch"), "the fields of a state", fields)
        _require("progress", isinstance(fields["progress"], dict), "an object", fields["progress"])
        n_results = fields["progress"].get("n_results")
        _whole("n_results", n_results, 0, self.steps_per_epoch)
        arrays = {name: array for name, array in as_arrays(self.like).items() if name != "results"}
        shapes = {name: (array.dtype.name, array.shape) for name, array in arrays.items()}
        return shapes | {"results": ("float64", (n_results, len(StepResult._fields)))}

    def state(self, fields: Any, arrays: Mapping[str, Array]) -> State:
        """Build a state from fields, whose shapes were asked for before, and these arrays."""
        for name in _PARTS:
            is_finite = bool(np.isfinite(arrays[name]).all())
            _require(name, is_finite, "finite numbers", "NaN or inf")
        return State(
            arrays["parameters"],
            arrays["best"],
            self._updater(fields["updater"], arrays),
            self._rng(fields["rng"]),
            self._rng(fields["rng_at_epoch"]),
            self._progress(fields["progress"], arrays["results"]),
        )

    def _updater(self, numbers: Any, arrays: Mapping[str, Array]) -> dict[str, Array | int | float]:
        state: dict[str, Array | int | float] = {}
        expected = {name for name, value in self.like.updater.items() if not isinstance(value, np.ndarray)}
        _require("updater", _has(numbers, *expected), f"the fields {', '.join(sorted(expected))}", numbers)
        for name, value in self.like.updater.items():
            if isinstance(value, np.ndarray):
                state[name] = arrays[f"updater.{name}"]
            elif isinstance(value, int):
                _whole(f"updater.{name}", numbers[name], 0, _LARGEST)
                state[name] = numbers[name]
            else:
                state[name] = _number(f"updater.{name}", numbers[name])
        return state

    def _rng(self, state: Any) -> Mapping[str, Any]:
        kind = self.like.rng["bit_generator"]
        generator = getattr(np.random, str(kind))(0)
        try:
            generator.state = state
        except (TypeError, ValueError, KeyError, OverflowError, AttributeError, IndexError) as error:
            raise CHECKPOINT.wrong("rng", f"the state of a {kind} generator", repr(state)[:80]) from error
        found: Mapping[str, Any] = generator.state
        return found

    def _progress(self, fields: dict[str, Any], results: Array) -> Progress:
        names = (*_COUNTS, *_FLAGS, *_NUMBERS, "best_epoch", "records", "n_results")
        flow = fields.pop("flow", None)
        _require("progress", _has(fields, *names), f"the fields {', '.join(names)}", fields)
        _require("flow", flow is None or is_sound(flow), "how far back the gradient reaches", flow)
        _whole("epoch", fields["epoch"], 1, self.settings.max_epochs + 1)
        done = fields["epoch"] - 1
        for name in _FLAGS:
            _require(name, isinstance(fields[name], bool), "true or false", fields[name])
        _require("epoch", done < self.settings.max_epochs or fields["is_finished"], "an epoch to come", fields["epoch"])
        _whole("mark_epoch", fields["mark_epoch"], 0, done)
        _whole("n_too_large", fields["n_too_large"], 0, _LARGEST)
        _whole("rollbacks", fields["rollbacks"], 0, 1)
        if done or fields["best_epoch"] is not None:
            _whole("best_epoch", fields["best_epoch"], 1, done)
        numbers = {name: None if fields[name] is None else _number(name, fields[name]) for name in _NUMBERS}
        for name in ("seconds", "lowest", "mark"):
            _require(name, numbers[name] is not None, "a number", None)
        is_list = isinstance(fields["records"], list) and len(fields["records"]) == done
        _require("records", is_list, f"a list of {done} records", fields["records"])
        for n, record in enumerate(fields["records"], start=1):
            _check_record(record, n)
        _require("results", bool(np.isfinite(results).all()), "finite numbers", "NaN or inf")
        history = History(fields["records"], fields["best_epoch"], fields["stopped_early"], fields["told_to_stop"])
        found = [_result(row) for row in results.tolist()]
        same: dict[str, Any] = {name: fields[name] for name in (*_COUNTS, "is_finished")}
        return Progress(results=found, history=history, flow=flow, **same | numbers)


def _result(row: list[float]) -> StepResult:
    named = dict(zip(StepResult._fields, row))
    return StepResult(**named | {"is_clipped": bool(named["is_clipped"])})  # type: ignore[arg-type]


def _check_record(record: Any, epoch: int) -> None:
    names = [name for name in Record.__annotations__ if name in Record.__required_keys__]
    flow = {name: record[name] for name in Flow.__annotations__ if name in record} if isinstance(record, dict) else {}
    _require("records", _has(record, *names, *flow), f"the fields {', '.join(names)}", record)
    _require("records", not flow or is_sound(flow), "how far back the gradient reaches", flow)
    _whole("records.epoch", record["epoch"], epoch, epoch)
    for name in ("steps", "rollbacks"):
        _whole(f"records.{name}", record[name], 0, _LARGEST)
    for name in names:
        is_absent = record[name] is None and name.startswith("validation")
        _require(f"records.{name}", is_absent or _is_finite(record[name]), "a number", record[name])


def _as_json(value: Any) -> Any:
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(name: str, value: Any) -> float:
    _require(name, value in ("inf", "-inf", "nan") or _is_finite(value), "a number", value)
    return float(value)


def _is_finite(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -_LARGEST <= value <= _LARGEST
    return isinstance(value, float) and math.isfinite(value)


def _has(fields: Any, *names: str) -> bool:
    return isinstance(fields, dict) and fields.keys() == set(names)
