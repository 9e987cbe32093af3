"""What elman.data shows and loads; the examples themselves run with those of all modules."""

import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "name",
    ["Sequences", "as_sequences", "Standardiser", "Preparation", "convert", "read", "from_frame", "split_by_class"],
)
def test_the_main_names_have_an_example(name):
    assert ">>>" in getattr(importlib.import_module("elman.data"), name).__doc__


def test_public_surface_is_what_all_says():
    import elman.data

    assert set(elman.data.__all__) == {
        "Converted",
        "Dataset",
        "Preparation",
        "Sequences",
        "Standardiser",
        "Subjects",
        "as_sequences",
        "convert",
        "find_subjects",
        "from_frame",
        "read",
        "split_by_class",
        "split_by_group",
        "split_plain",
    }
    assert all(hasattr(elman.data, name) for name in elman.data.__all__)


def test_polars_is_loaded_only_for_a_table():
    code = "import sys, elman.data; sys.exit('polars' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
