"""Terminals of any width, and names of files, classes, features and sequences that hold anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from elman import read
from elman.cli import run

CLASSES = ["\x1b[31mred and a long name", "a class of 20 letters"]
TURNS = "\u202e"  # what follows it runs from right to left


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table and its model, each twice: under a plain name, and under one that is no UTF-8 and steers a terminal."""
    made = tmp_path_factory.mktemp("names")
    rows = ["id,time,a feature of twenty..,another of twenty...,class"]
    for n in range(24):
        rows += [f"\x1b[2Js{n},{t},{(n % 2) * t},{(n * t) % 5},{CLASSES[n % 2]}" for t in range(5)]
    (made / "d.csv").write_text("\n".join(rows) + "\n")
    small = ["--hidden-size", "2", "--num-layers", "1", "--max-epochs", "1", "--threads", "1", "--no-refit"]
    assert run(["train", f"{made}/d.csv", "--model", f"{made}/m.st", "--label", "class", *small]) == 0
    for plain, strange in (("d.csv", b"\xff\x1b[31m.csv"), ("m.st", b"\xff\x1b[31m.st")):
        shutil.copy(made / plain, os.fsencode(made) + b"/" + strange)
    shutil.copy(made / "d.csv", made / f"a{TURNS}vsc.csv")
    return made


def strange(folder, kind):
    return Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x1b[31m." + kind.encode()))


@pytest.mark.parametrize("width", ["1", "20", "40"])
@pytest.mark.parametrize("command", ["explain", "unroll", "compare"])
def test_no_terminal_is_too_narrow(elman, folder, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", width)
    models = [folder / "m.st"] * (2 if command == "compare" else 1)
    done = elman(command, *models, folder / "d.csv")
    assert done.code == 0
    assert done.out


@pytest.mark.parametrize("command", ["explain", "unroll", "compare"])
def test_no_name_steers_the_terminal(elman, folder, command):
    models = [strange(folder, "st")] * (2 if command == "compare" else 1)
    done = elman(command, *models, strange(folder, "csv"))
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "x1b[31m" in done.out
    refused = elman(command, *models, folder / "none\x1b[31m.csv")
    assert refused.code == 2
    assert "\x1b" not in refused.err


@pytest.mark.parametrize("command", ["report", "unroll", "compare"])
def test_pages_tell_of_files_whose_names_are_no_utf_8_or_turn_around(elman, folder, tmp_path, command):
    for model, file, named in (
        (strange(folder, "st"), strange(folder, "csv"), "\\udcff\\x1b[31m.csv"),
        (folder / "m.st", folder / f"a{TURNS}vsc.csv", "a\\u202evsc.csv"),
    ):
        models = [model] * (2 if command == "compare" else 1)
        done = elman(command, *models, file, "-o", tmp_path / "p.html")
        assert done.code == 0, done.err
        page = (tmp_path / "p.html").read_text(encoding="utf-8")
        assert named in page
        assert not {TURNS, "\x1b"} & set(page)


@pytest.mark.parametrize("command", ["report", "unroll"])
def test_a_page_never_overwrites_its_model(elman, folder, tmp_path, command):
    model, link = tmp_path / "m.html", tmp_path / "link.html"
    shutil.copy(folder / "m.st", model)
    link.symlink_to(model)
    for page in (model, link):
        done = elman(command, model, folder / "d.csv", "-o", page)
        assert done.code == 2
        assert "the output would overwrite the input" in done.err
    assert model.read_bytes() == (folder / "m.st").read_bytes()


def test_models_to_compare_with_are_told_by_name_before_any_work(elman, folder, files, tmp_path):
    against = ["--against", files / "walks.model"]
    done = elman("report", folder / "m.st", folder / "none.csv", "-o", tmp_path / "r.html", *against)
    assert done.code == 2
    assert "m.st and walks.model do not both know" in done.err
    twice = elman(
        "report", folder / "m.st", folder / "d.csv", "-o", tmp_path / "r.html", *["--against", folder / "m.st"] * 2
    )
    assert twice.code == 0
    assert twice.err.count("m.st is named twice: it is compared with itself.") == 2
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert {"m.st", "m.st (2)", "m.st (3)"} <= set(
        page.replace("</bdi>", '<bdi class="name">').split('<bdi class="name">')
    )


def test_an_error_repeats_no_more_than_the_start_of_a_name(elman, folder):
    for option in ("--id", "--class"):
        done = elman("explain", folder / "m.st", folder / "d.csv", option, "x" * 5000)
        assert done.code == 2
        assert "x" * 50 in done.err
        assert "x" * 70 not in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_under_stdout_is_told(folder):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "elman", "info", f"{folder}/m.st", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("error: the output cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr


def test_the_table_is_what_it_is_taken_for(folder):
    found = read(folder / "d.csv", label="class")
    assert sorted(set(found.labels)) == sorted(CLASSES)
