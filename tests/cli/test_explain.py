"""`elman explain`: what it prints at 80 columns and without colour, its JSON, and what it refuses."""

import csv

import numpy as np
import pytest

from elman import load


@pytest.fixture
def explained(elman, files):
    """Explain walks of the test file."""

    def run_it(*arguments):
        return elman("explain", files / "walks.model", files / "walks_TEST.csv", *arguments)

    return run_it


def test_it_says_what_is_predicted_and_which_features_and_steps_counted(explained, files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done, found = explained("--id", "walk 4"), explained("--id", "walk 4", "--json").data
    assert done.code == 0
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.out
    assert f"Sequence walk 4 of walks_TEST.csv: predicted {found['predicted']} with probability" in done.prose
    change = found["log_proba"] - found["baseline_log_proba"]
    assert f"the difference of {change:+.3f}, by integrated gradients" in done.prose
    for name, total in zip(found["features"], found["by_feature"], strict=True):
        assert [line for line in lines if line.startswith(name) and line.split()[1:2] == [f"{total:+.3f}"]]
    assert "all is accounted for" in done.prose
    values = np.array(found["values"])
    step, feature = np.unravel_index(np.abs(values).argmax(), values.shape)
    assert f"{found['features'][feature]} {step + 1} " in done.prose
    (heading,) = [line.split() for line in lines if line.startswith(" ") and " nats " in line]
    assert heading == ["nats", "1", str(len(found["by_step"]))]


def test_json_holds_every_number(explained, files):
    found = explained("--id", "walk 4", "--json").data
    values = np.array(found["values"])
    assert found["id"] == "walk 4"
    assert found["explained"] == found["predicted"]
    assert found["features"] == ["x", "level"]
    assert values.sum(axis=0) == pytest.approx(found["by_feature"])
    assert values.sum(axis=1) == pytest.approx(found["by_step"])
    assert values.sum() == pytest.approx(found["log_proba"] - found["baseline_log_proba"] + found["gap"])
    classifier = load(files / "walks.model")
    with (files / "walks_TEST.csv").open() as rows:
        walk = [[float(row["x"]), float(row["level"])] for row in csv.DictReader(rows) if row["id"] == "walk 4"]
    proba = classifier.predict_proba([walk])[0]
    assert found["predicted"] == classifier.classes_[proba.argmax()]
    assert found["log_proba"] == pytest.approx(np.log(proba.max()), abs=1e-6)


def test_another_class_and_another_method_are_explained(explained):
    done = explained("--id", "walk 4", "--class", "falls", "--method", "occlusion")
    assert done.code == 0
    assert "by occlusion" in done.prose
    assert "speaks for falls" in done.prose
    found = explained("--id", "walk 4", "--class", "falls", "--method", "occlusion", "--json").data
    assert (found["explained"], found["method"]) == ("falls", "occlusion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--id", "walk 99"], r"--id must be the id of a sequence in .*walks_TEST.csv, such as 'walk 9'"),
        (["--class", "jumps"], "The label 'jumps' (--class) was never seen in training. The model knows 'falls'"),
        (["--method", "occlude"], "--method must be one of integrated-gradients, gradient-x-input, occlusion."),
        (["--step", "2"], "--step must be left out, since the model gives a sequence one label. Got 2 instead."),
    ],
)
def test_what_it_cannot_explain_is_one_line(explained, arguments, message):
    import re

    done = explained(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("error: ")
    pattern = message if ".*" in message else re.escape(message)
    assert re.search(pattern, done.err)


def test_hostile_names_neither_colour_nor_break_lines(elman, tmp_path, small, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rng = np.random.default_rng(0)
    rows = ["id,time,[red]x[/red]" + "y" * 90 + ",label"]
    for n in range(24):
        for step in range(5):
            label = "do\x1bwn" if n % 2 else "[bold]up"
            rows.append(f"\x1b[31m{n},{step},{rng.normal() + n % 2:.3f},{label}")
    table, model = tmp_path / "hostile.csv", tmp_path / "hostile.model"
    table.write_text("\n".join(rows) + "\n")
    assert elman("train", table, "-m", model, *small).code == 0
    for arguments in ([], ["--json"]):
        done = elman("explain", model, table, *arguments)
        assert done.code == 0, done.err
        assert "\x1b" not in done.out
        assert "[red]x[/red]" in done.out
        if not arguments:
            assert max(map(len, done.out.splitlines())) <= 80


def test_a_step_of_a_tagger_must_be_said(elman, tmp_path, small):
    rng = np.random.default_rng(0)
    rows = ["id,time,x,label"]
    for n in range(24):
        values = rng.normal(size=5)
        rows += [f"{n},{t},{x:.3f},{'low' if x < 0 else 'high'}" for t, x in enumerate(values)]
    table, model = tmp_path / "steps.csv", tmp_path / "steps.model"
    table.write_text("\n".join(rows) + "\n")
    assert elman("train", table, "-m", model, "--per-step-labels", *small).code == 0
    done = elman("explain", model, table)
    assert done.code == 2
    assert "--step must say whose label is explained" in done.err
    for step in (5, -1):
        done = elman("explain", model, table, "--id", 3, "--step", step)
        assert done.code == 0
        assert "Sequence 3 of steps.csv, step 5: predicted" in done.prose
        assert elman("explain", model, table, "--id", 3, "--step", step, "--json").data["step"] == 5
    for step in (0, 6, -6):
        done = elman("explain", model, table, "--id", 3, "--step", step)
        assert done.code == 2
        assert f"must be in 1..5, the steps of the sequence, or in -5..-1 from its end. Got {step} inst" in done.err


def test_features_are_in_the_order_of_the_number_beside_them():
    from io import StringIO

    from rich.console import Console

    from elman.cli.attribution_view import _table
    from elman.insight.attribution import Attribution

    values = np.array([[3.0, 1.0, -0.5], [-2.9, 1.0, -1.0]])
    none = np.zeros(1)
    found = Attribution(
        values,
        np.array([0, 2]),
        np.array([0]),
        np.array(["a"]),
        ("x", "y", "z"),
        "occlusion",
        none,
        none,
        none,
        none == 0,
    )
    for is_unicode, strip in ((True, "▇▇▇▇▓▓▓▓"), (False, "7777####")):
        console = Console(file=StringIO(), width=80)
        console.print(_table(found, 79, None, is_unicode=is_unicode))
        rows = [line.split() for line in console.file.getvalue().splitlines()]
        assert [row[:2] for row in rows[1:]] == [["all", "+0.600"], ["y", "+2.000"], ["z", "-1.500"], ["x", "+0.100"]]
        assert rows[4][2] == strip
