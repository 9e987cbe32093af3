"""The kernels and all tests of the classifier on every vector width that this CPU has beside the one in use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from elman.kernels.lanes import implementation, implementations

ROOT = Path(__file__).parents[1]
OTHERS = [name for name in implementations() if name != implementation()]
TESTS = [
    "tests/estimators/test_classifier.py",
    "tests/kernels/test_activations.py",
    "tests/kernels/test_products.py",
    "tests/kernels/test_sweep.py",
    "tests/network/test_bit_identity.py",
    "tests/network/test_live.py",
    "tests/oracle/test_torch_fixtures.py",
]


@pytest.mark.timeout(1200)
@pytest.mark.skipif("ELMAN_VECTORS" in os.environ, reason="an implementation is forced already")
@pytest.mark.parametrize("name", OTHERS)
def test_the_suite_passes_on_narrower_vectors(name):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    environment = {**os.environ, "ELMAN_VECTORS": name}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_this_cpu_has_an_implementation():
    assert implementation() in implementations() or "ELMAN_VECTORS" in os.environ
