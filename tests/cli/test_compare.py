"""`elman compare`: text, JSON, pages, and what cannot be compared."""

import json
import shutil

import numpy as np
import pytest

import elman as library
from elman.cli import run
from elman.insight.comparison import compare

HOSTILE = ["[bold red]x[/]", "<script>alert(1)</script>", "stays"]


@pytest.fixture(scope="module")
def models(files, tmp_path_factory):
    """A folder with walks.model, a weaker lstm.model, and TEST.csv."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copy(files / "walks.model", folder / "walks.model")
    shutil.copy(files / "walks_TEST.csv", folder / "TEST.csv")
    small = ["--num-layers", "1", "--hidden-size", "2", "--max-epochs", "1", "--no-refit", "--threads", "1"]
    given = ["--label", "direction", "--cell", "lstm", "--patch-size", "2", *small]
    assert run(["train", f"{files}/walks_TRAIN.csv", "--model", f"{folder}/lstm.model", *given]) == 0
    return folder


def hostile_table(n):
    rows = ["id,time,x,level,direction"]
    for k in range(n):
        name = HOSTILE[k % 3]
        rows += [f'w{k},{t},{(k % 3 - 1) * t},{t + k % 5},"{name}"' for t in range(4)]
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder with a table whose classes are named like markup, and two models of it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "h.csv").write_text(hostile_table(30))
    for seed, name in enumerate(("[red]a.model", "b.model")):
        small = ["--hidden-size", "2", "--num-layers", "1", "--max-epochs", "2", "--threads", "1", "--seed", str(seed)]
        arguments = ["train", f"{folder}/h.csv", "--model", f"{folder}/{name}", "--label", "direction", "--no-refit"]
        assert run([*arguments, *small]) == 0
    return folder


def test_compare_prints_figures_differences_in_words_and_where_models_differ(elman, models):
    done = elman("compare", models / "walks.model", models / "lstm.model", models / "TEST.csv")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "2 models on 18 sequences of TEST.csv"
    assert [line.split()[:2] for line in lines if line[:3] in ("A  ", "B  ")] == [
        ["A", "walks.model"],
        ["B", "lstm.model"],
    ]
    assert "B is right on " in done.prose
    assert "(McNemar's exact test)" in done.prose
    assert "18 sequences can tell little: only a great difference would show." in done.prose
    assert "Where they differ most: how probable each calls the true class (* says another)" in done.prose
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.out


def test_json_is_the_comparison_of_the_library(elman, models):
    data = elman("compare", models / "walks.model", models / "lstm.model", models / "TEST.csv", "--json").data
    dataset = library.read(models / "TEST.csv", label="direction", group="subject")
    both = {name: library.load(models / name) for name in ("walks.model", "lstm.model")}
    expected = compare(both, dataset.sequences, dataset.labels, ids=dataset.ids)
    assert data == json.loads(json.dumps(expected.to_dict()))
    assert list(data) == ["n_sequences", "classes", "test", "models", "differences", "most_different"]
    assert [model["name"] for model in data["models"]] == ["walks.model", "lstm.model"]


def test_a_file_is_read_once_for_models_that_read_alike(elman, models):
    done = elman("compare", models / "walks.model", models / "lstm.model", models / "TEST.csv", "--json")
    assert sum("as the sequence id" in line for line in done.err.splitlines()) <= 1


def test_the_baselines_of_one_model_are_rivals_enough(elman, models):
    done = elman("compare", models / "walks.model", models / "TEST.csv", "--baselines")
    assert done.out.startswith("1 model and the baselines of A on 18 sequences of TEST.csv")
    assert [line[:22] for line in done.out.splitlines() if line[:3] in ("B  ", "C  ")] == [
        "B  logistic regression",
        "C  most frequent class",
    ]
    assert "B is right on " in done.prose
    assert "C is right on " in done.prose


def test_files_of_one_name_are_told_apart_and_the_same_model_is_noticed(elman, models, tmp_path):
    (tmp_path / "other").mkdir()
    copy = shutil.copy(models / "walks.model", tmp_path / "other" / "walks.model")
    done = elman("compare", models / "walks.model", copy, models / "TEST.csv", "--json")
    assert [model["name"] for model in done.data["models"]] == [f"{models.name}/walks.model", "other/walks.model"]
    assert done.data["differences"][0]["p_value"] == 1.0
    assert f"warning: {copy} and {models / 'walks.model'} are the same model: it is compared with itself." in done.err
    twice = elman("compare", copy, copy, models / "TEST.csv", "--json")
    assert [model["name"] for model in twice.data["models"]] == ["walks.model", "walks.model (2)"]
    assert f"warning: {copy} is named twice: it is compared with itself." in twice.err


def test_a_page_is_written_beside_the_text(elman, models, tmp_path):
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    done = elman("compare", models / "walks.model", models / "lstm.model", models / "TEST.csv", "-o", page)
    assert done.code == 0
    assert f"note: Wrote {page}. Open it in a browser." in done.err
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "walks.model and lstm.model on TEST.csv" in text
    assert "lstm.model is right on " in text
    assert 'data-chart="comparison"' in text


def test_names_like_markup_stay_text(elman, hostile, tmp_path):
    page = tmp_path / "page.html"
    done = elman("compare", hostile / "[red]a.model", hostile / "b.model", hostile / "h.csv", "-o", page)
    assert done.code == 0
    assert "[red]a.model" in done.out
    assert any(name in done.out for name in HOSTILE[:2])
    text = page.read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text


def test_taggers_are_compared_by_sequence(elman, tmp_path):
    rng = np.random.default_rng(0)
    rows = ["id,time,x,state"]
    for n in range(12):
        x = rng.normal(size=5)
        rows += [f"s{n},{t},{v:.3f},{'up' if v > 0 else 'down'}" for t, v in enumerate(x)]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    small = ["--hidden-size", "2", "--num-layers", "1", "--threads", "1", "--per-step-labels", "--label", "state"]
    for name, epochs in (("a", 1), ("b", 8)):
        arguments = ["train", tmp_path / "t.csv", "--model", tmp_path / name, "--max-epochs", epochs, "--no-refit"]
        assert elman(*arguments, *small).code == 0
    done = elman("compare", tmp_path / "a", tmp_path / "b", tmp_path / "t.csv")
    assert done.out.startswith("2 models on 60 steps of 12 sequences of t.csv")
    assert "(swapping whole sequences)" in done.prose
    assert "The steps of a sequence are not independent" in done.prose


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["walks.model", "TEST.csv"],
            "compare wants two models at least, then a labelled file, or one model with --base",
        ),
        (["TEST.csv", "walks.model", "lstm.model"], "MODEL comes first, then FILE."),
        (["walks.model", "nothing.model", "TEST.csv"], "nothing.model"),
        (["walks.model", "lstm.model", "nothing.csv"], "nothing.csv"),
        (
            ["walks.model", "lstm.model", "TEST.csv", "-o", "page.txt"],
            "expected the name of a page, such as report.html",
        ),
        (["walks.model", "lstm.model", "TEST.csv", "--label", "nothing"], "nothing"),
        (["walks.model"], "Missing argument"),
    ],
)
def test_what_cannot_be_compared_is_one_line(elman, models, monkeypatch, arguments, message):
    monkeypatch.chdir(models)
    done = elman("compare", *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = [line for line in done.err.splitlines() if not line.startswith(("note:", "warning:"))]
    assert line.startswith("error: ")
    assert message in line


def test_models_of_other_classes_or_features_are_named(elman, models, hostile, tmp_path):
    done = elman("compare", models / "walks.model", hostile / "b.model", models / "TEST.csv")
    assert done.code == 2
    assert "b.model" in done.err.splitlines()[-1]
    (tmp_path / "narrow.csv").write_text((models / "TEST.csv").read_text().replace("level", "height"))
    done = elman("compare", models / "walks.model", models / "lstm.model", tmp_path / "narrow.csv")
    assert done.code == 2
    assert "level" in done.err.splitlines()[-1]
