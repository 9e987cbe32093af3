"""What a model file says about the epochs of its training, checked on reading: readers of a history may rely on it."""

from __future__ import annotations

import re
from typing import Any

from elman.tensor_file import Kind

_FLOW = ("flow_of", "flow_ratio", "flow_vanished", "flow_memory", "flow_steps", "flow_profile")
_FIGURES = ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy")
_NUMBERS = ("gradient_norm", "clipped_share", "update_ratio", "learning_rate", "seconds", "sequences_per_second")
_COUNTS = ("steps", "rollbacks")
_LAYER = re.compile(r"l(\d{1,6})(_reverse)?")
_LARGEST_FLOAT = 1e300
_MOST_STEPS = 2**53
_MOST_LAGS = 48


def check_history(kind: Kind, records: Any, best_epoch: int, num_layers: int) -> None:
    """Raise BrokenFileError unless these are records of epochs, as `elman.training.history.Record` has them.

    Figures that were not taken or not finite stand as null; those in training always are numbers.
    Records of before the gradient's flow was noted have none of its fields.
    """
    kind.require("training.histories", isinstance(records, list), "a list of records", records)
    for record in records:
        kind.require("training.histories", isinstance(record, dict), "an object", record)
        _check_record(kind, record)
        if any(name in record for name in _FLOW):
            _check_flow(kind, record, num_layers)
    is_there = best_epoch <= len(records)
    kind.require("members.best_epoch", is_there, f"one of the {len(records)} epochs of its history", best_epoch)


def _check_record(kind: Kind, record: dict[str, Any]) -> None:
    needed = ("epoch", *_FIGURES)
    is_complete = all(name in record for name in needed)
    kind.require("training.histories", is_complete, f"the fields {', '.join(needed)}", sorted(record))
    kind.require_whole("histories.epoch", record["epoch"], 1, _MOST_STEPS)
    for name in _FIGURES[:2]:
        kind.require(f"histories.{name}", _is_number(record[name]), "a number", record[name])
    for name in (*_FIGURES[2:], *_NUMBERS):
        is_figure = record.get(name) is None or _is_number(record[name])
        kind.require(f"histories.{name}", is_figure, "a number or null", record.get(name))
    for name in _COUNTS:
        kind.require_whole(f"histories.{name}", record.get(name, 0), 0, _MOST_STEPS)


def _check_flow(kind: Kind, record: dict[str, Any], num_layers: int) -> None:
    is_complete = all(name in record for name in _FLOW)
    kind.require("training.histories", is_complete, f"all of {', '.join(_FLOW)}, or none", sorted(record))
    way = _LAYER.fullmatch(record["flow_of"]) if isinstance(record["flow_of"], str) else None
    is_there = way is not None and int(way[1]) < num_layers
    kind.require("histories.flow_of", is_there, f"one of l0 to l{num_layers - 1}, or its reverse", record["flow_of"])
    kind.require_whole("histories.flow_steps", record["flow_steps"], 1, _MOST_STEPS)
    kind.require_whole("histories.flow_memory", record["flow_memory"], 0, record["flow_steps"])
    for name in ("flow_ratio", "flow_vanished"):
        is_share = _is_number(record[name]) and record[name] >= 0
        kind.require(f"histories.{name}", record[name] is None or is_share, "a number of at least 0", record[name])
    profile = record["flow_profile"]
    is_list = isinstance(profile, list) and 1 <= len(profile) <= _MOST_LAGS
    is_list = is_list and all(_is_number(norm) and norm >= 0 for norm in profile)
    kind.require("histories.flow_profile", is_list, f"1 to {_MOST_LAGS} numbers of at least 0", profile)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST_FLOAT < value < _LARGEST_FLOAT
