"""Long sequences on the command line: that steps are read together is said, kept, and can be turned off."""

import numpy as np
import pytest

import elman as library


@pytest.fixture
def long(tmp_path):
    path = tmp_path / "long_TRAIN.npz"
    rng = np.random.default_rng(0)
    np.savez(path, X=rng.normal(size=(16, 1030, 1)), y=np.arange(16) % 2)
    return path


def test_patches_are_told_with_the_option_that_turns_them_off(elman, long, tmp_path, small):
    model = tmp_path / "m"
    done = elman("train", long, "-m", model, "--json", *small)
    assert (
        "note: Sequences of a median of 1,030 steps: every 5 steps are read as one (--patch-size 1 turns it off)."
        in done.err.splitlines()
    )
    assert done.err.index("note: Sequences") < done.err.index("epoch 1/6")
    assert done.err.count("read as one") == 1
    assert done.data["patch_size"] == 5
    assert "every 5 in a row are read as one" in elman("info", model).out
    assert elman("info", model, "--json").data["preparation"]["patch_size"] == 5
    loaded = library.load(model)
    with np.load(long) as data:
        accuracy = loaded.score(data["X"], data["y"])
    assert elman("evaluate", model, long, "--json").data["accuracy"] == accuracy
    assert elman("predict", model, long, "-o", tmp_path / "out.csv").code == 0


@pytest.mark.parametrize(("value", "size"), [("1", 1), ("100", 100)])
def test_a_patch_size_that_was_asked_for_is_taken_and_not_remarked_on(elman, long, tmp_path, small, value, size):
    done = elman("train", long, "-m", tmp_path / "m", "--json", "--patch-size", value, *small)
    assert done.data["patch_size"] == size
    assert "read as one" not in done.err


def test_a_patch_size_that_is_none_is_refused(elman, files, long, tmp_path, small):
    done = elman("train", long, "-m", tmp_path / "m", "--patch-size", "some", *small)
    assert (done.code, done.err) == (
        2,
        "error: --patch-size must be an int in the range [1, 65536] or 'auto'. Got 'some' instead.\n",
    )
    done = elman("train", long, "-m", tmp_path / "m", "--patch-size", "4", "--per-step-labels", *small)
    assert (done.code, done.err) == (
        2,
        "error: --patch-size must be 1 or auto with --per-step-labels: each step is read by itself, for its own "
        "label. Got 4 instead.\n",
    )
    words = tmp_path / "words.csv"
    words.write_text("word,language\n" + "haus,de\nrosa,it\n" * 8)
    done = elman("train", words, "-m", tmp_path / "m", "--patch-size", "4", "--text", "word", "--label", "language")
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("one id a step. Got 4 instead. Pass --patch-size 1.")
