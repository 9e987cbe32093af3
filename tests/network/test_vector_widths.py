"""Narrow vectors give the bits of wide ones: every sum has one order, every fused multiply-add is written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from elman.network.architecture import Architecture
from elman.network.network import Network


def fingerprint() -> str:
    """Return logits, gradient and flow of a small network with codes, attention and every option, as hex digits."""
    rng = np.random.default_rng(0)
    lengths = np.array([50, 30, 7, 7, 2, 1, 90, 12, 12, 12, 11, 4, 4, 4, 4, 4, 3, 8])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    options = {"layer_norm": True, "zoneout": 0.2, "recurrent_dropout": 0.2, "learn_initial_state": True}
    options |= {"residual": True, "dropout": 0.1, "readout": "attention", "embeddings": ((1, 6, 9),)}
    network = Network(Architecture(5, 3, "gru", (19, 19, 32), 3, **options))
    network.initialise(rng)
    values = rng.standard_normal((offsets[-1], 5)).astype(np.float32)
    values[:, 1] = rng.integers(0, 6, len(values))
    targets = rng.integers(0, 3, len(lengths))
    done = network.loss_and_gradient(values, offsets, targets, dropout_key=7, watched=True)
    return "".join(array.tobytes().hex() for array in (done.logits, done.gradient, done.flow.d_h))


@pytest.mark.parametrize("vectors", ["avx512", "avx2", "sse"])
def test_the_same_bits_on_every_vector_width(vectors):
    environment = {**os.environ, "ELMAN_VECTORS": vectors}
    here = Path(__file__)
    program = f"import sys; sys.path.insert(0, {str(here.parent)!r}); import {here.stem} as t; print(t.fingerprint())"
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint()
