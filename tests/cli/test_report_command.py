"""`elman report`: a page, whole or not at all, and what it refuses."""

import re
import sys
from importlib import import_module

import pytest


def test_a_page_is_written_with_what_made_it(elman, files, tmp_path):
    page = tmp_path / "report.html"
    done = elman("report", files / "walks.model", files / "walks_TEST.csv", "-o", page, "--id", "walk 3")
    assert done.code == 0, done.err
    assert re.fullmatch(r"Wrote .*report\.html, \d\.\d MB\. Open it in a browser\.", done.prose)
    text = page.read_text(encoding="utf-8")
    assert "Sequence walk 3, step by step" in text
    assert "walks_TEST.csv" in text
    assert f"elman report {files / 'walks.model'}" in text
    assert len(re.findall(r"SHA-256 [0-9a-f]{64}", text)) == 2
    measured = elman("evaluate", files / "walks.model", files / "walks_TEST.csv", "--json").data
    assert f"{100 * measured['accuracy']:.1f}\xa0%" in text


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("walks.model", "expected the name of a page, such as report.html"),
        ("report.txt", "expected the name of a page, such as report.html"),
        ("none/report.html", "there is no folder"),
    ],
)
def test_a_place_that_cannot_be_is_refused_at_once(elman, files, tmp_path, output, said):
    done = elman("report", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / output)
    assert done.code == 2
    assert said in done.err


def test_neither_model_nor_data_is_overwritten(elman, files, tmp_path):
    model = tmp_path / "model.html"
    model.write_bytes((files / "walks.model").read_bytes())
    done = elman("report", model, files / "walks_TEST.csv", "-o", model)
    assert done.code == 2
    assert "would overwrite the input" in done.err
    assert model.read_bytes() == (files / "walks.model").read_bytes()


def test_data_without_labels_is_refused_with_a_way_out(elman, files, tmp_path):
    bare = tmp_path / "bare.csv"
    rows = [line.split(",") for line in (files / "walks_TEST.csv").read_text().splitlines()]
    bare.write_text("\n".join(",".join(row[:4]) for row in rows) + "\n")
    done = elman("report", files / "walks.model", bare, "-o", tmp_path / "report.html")
    assert done.code == 2
    assert "it has no labels to measure against" in done.err
    assert not (tmp_path / "report.html").exists()


def test_a_sequence_that_is_not_there_is_told_with_some_that_are(elman, files, tmp_path):
    done = elman("report", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / "r.html", "--id", "wlak 3")
    assert done.code == 2
    assert "'walk 3'" in done.err
    assert not (tmp_path / "r.html").exists()


def test_where_output_is_piped_a_line_tells_what_is_worked_on(elman, files, tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("elman.cli.report"), "_BETWEEN_LINES", 0.0)
    done = elman("report", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / "report.html")
    assert "note: Working on predictions." in done.err
    assert "note: Working on the model card." in done.err


def test_a_missing_extra_is_named_before_any_work(elman, files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = elman("report", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / "report.html")
    assert done.code == 2
    assert "pip install 'elman[report]'" in done.err


def test_training_data_is_noticed_by_all_that_measure(elman, files, tmp_path):
    said = "These are the sequences that the model was trained on"
    page = tmp_path / "report.html"
    model, training, other = files / "walks.model", files / "walks_TRAIN.csv", files / "walks_TEST.csv"
    assert f"warning: {said}" in elman("evaluate", model, training).err
    assert said not in elman("evaluate", model, other).err
    assert f"warning: walks.model: {said}" in elman("compare", model, training, "--baselines").err
    assert f"warning: {said}" in elman("report", model, training, "-o", page).err
    text = page.read_text(encoding="utf-8")
    assert said in text
    assert "On more data like this" not in text
