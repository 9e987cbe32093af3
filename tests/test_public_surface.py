"""`import elman`: what it offers, that it is quick, and that there is one version."""

import doctest
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import elman
from elman import errors

ROOT = Path(__file__).parents[1]


def test_the_public_names_are_these():
    assert set(elman.__all__) == {
        "SequenceClassifier",
        "SequenceTagger",
        "Sequences",
        "as_sequences",
        "from_frame",
        "load",
        "range_test",
        "read",
        "ElmanError",
        "CheckpointError",
        "InputError",
        "ParameterError",
        "DataError",
        "FileError",
        "TrainingError",
        "ModelFileError",
        "MissingExtraError",
        "OutputError",
        "__version__",
    }
    assert sorted(elman.__all__) == list(elman.__all__)
    assert dir(elman) == sorted(elman.__all__)


def test_every_public_name_is_there_and_documented():
    for name in elman.__all__:
        value = getattr(elman, name)
        assert name == "__version__" or value.__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = elman.nothing


def test_every_error_is_public():
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined == {name for name in elman.__all__ if name.endswith("Error")}


def test_import_loads_nothing_heavy():
    code = (
        "import sys, elman, elman.cli; "
        "print(*{'numpy', 'numba', 'polars', 'sklearn', 'scipy', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project.get("version", elman.__version__) == elman.__version__


@pytest.mark.parametrize(
    "module",
    [
        "estimators.classifier",
        "estimators.tagger",
        "estimators.parameters",
        "estimators.progress",
        "cli.tables",
        "cli.options",
    ],
)
def test_examples_in_docstrings_run(module):
    found = doctest.testmod(importlib.import_module(f"elman.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
