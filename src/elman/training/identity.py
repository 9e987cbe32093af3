"""What makes two training runs the same: elman's version, settings, network, start, and every number of the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from elman import __version__
from elman.network.network import Network
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings

Array = np.ndarray[Any, Any]
_DIGEST = "sha256:"
_START = "start of the parameters or of the random numbers"
_CALLED = {"values": "values", "offsets": "lengths", "targets": "labels", "weights": "weights"}
_LONGEST = 60
_BLOCK = 1 << 24  # bytes that are hashed at a time, so that mapped data need not be in memory


def identity(
    network: Network,
    settings: TrainingSettings,
    rng_state: Mapping[str, Any],
    training: Samples,
    validation: Samples | None,
) -> dict[str, str]:
    """Give texts by name, equal for runs that end with the same bits; long ones as digests."""
    plain = {"elman's version": __version__, "dtype": network.dtype.name}
    plain |= {name: repr(value) for name, value in asdict(network.architecture).items()}
    plain |= {name: repr(value) for name, value in asdict(settings).items() if name != "n_threads"}
    for part, samples in (("training", training), ("validation", validation)):
        arrays = {} if samples is None else samples._asdict()
        for name, called in _CALLED.items():
            plain[f"{part} {called}"] = _digest(arrays.get(name))
    generator = json.dumps(rng_state, sort_keys=True, default=lambda array: array.tolist())
    plain[_START] = _digest(network.parameters.vector, generator.encode())
    return plain


def differences(was: Mapping[str, str], is_now: Mapping[str, str]) -> list[str]:
    """Give a phrase for each difference; that of the start only where nothing else differs, which would explain it.

    >>> differences({"cell": "'gru'", "training labels": "sha256:1"}, {"cell": "'lstm'", "training labels": "sha256:2"})
    ["cell was 'gru', is 'lstm'", 'other training labels']
    """
    names = [name for name in {**is_now, **was} if was.get(name) != is_now.get(name)]
    if names == [_START]:
        return [f"another {_START}"]
    texts = [(name, was.get(name, "not there"), is_now.get(name, "not there")) for name in names if name != _START]
    return [
        f"other {name}"
        if before.startswith(_DIGEST) or now.startswith(_DIGEST)
        else f"{name} was {before[:_LONGEST]}, is {now[:_LONGEST]}"
        for name, before, now in texts
    ]


def _digest(array: Array | None, more: bytes = b"") -> str:
    """Give the digest of an array's type, shape and every byte."""
    digest = hashlib.sha256(more)
    if array is not None:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        rows = max(1, _BLOCK * len(array) // max(1, array.nbytes))
        for at in range(0, len(array), rows):
            digest.update(array[at : at + rows].tobytes())
    return _DIGEST + digest.hexdigest()
