"""Vanishing gradients: task and starts are those of the paper, and the page holds what the experiment found."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.vanishing import __main__ as experiment
from benchmarks.vanishing import learning
from benchmarks.vanishing.contenders import CONTENDERS, GAUSSIAN, SPARSE, spectral_radius
from benchmarks.vanishing.flow import flow
from benchmarks.vanishing.learning import Job, learn
from benchmarks.vanishing.results import put_into, tables
from benchmarks.vanishing.task import draw

PAGE = Path(__file__).parents[2] / "docs" / "vanishing_gradients.md"
NAMED = {contender.name: contender for contender in CONTENDERS}


def number_of(name):
    return next(n for n, contender in enumerate(CONTENDERS) if contender.name == name)


def test_the_label_says_which_two_symbols_stood_there_in_which_order():
    values, offsets, labels, _ = draw(np.random.default_rng(0), 200, 50)
    symbols = values.reshape(200, 50, 6).argmax(axis=2)
    assert np.array_equal(offsets, np.arange(201) * 50)
    for row, label in zip(symbols, labels):
        (first, second) = np.flatnonzero(row < 2)
        assert 5 <= first < 10
        assert 25 <= second < 30
        assert 2 * row[first] + row[second] == label
    assert set(labels) == {0, 1, 2, 3}


def test_starts_are_those_of_the_paper():
    gaussian = NAMED[GAUSSIAN].network(50, 0).parameters
    assert gaussian["weight_hh_l0"].std() == pytest.approx(0.1, rel=0.05)
    assert not gaussian["bias_ih_l0"].any()
    sparse = NAMED[SPARSE].network(50, 0).parameters
    assert ((sparse["weight_hh_l0"] != 0).sum(axis=1) == 15).all()
    assert spectral_radius(sparse["weight_hh_l0"]) == pytest.approx(0.95, rel=1e-5)
    assert sparse["weight_ih_l0"].std() == pytest.approx(0.01, rel=0.15)


@pytest.fixture(scope="module")
def flows():
    return {name: flow(contender, 50, 1) for name, contender in NAMED.items()}


def test_without_gates_the_gradient_vanishes_and_chrono_and_identity_starts_keep_it(flows):
    share = {name: found["norms"][-1] / found["norms"][0] for name, found in flows.items()}
    assert share[GAUSSIAN] < 1e-4
    assert share["GRU, orthogonal"] < 1e-4
    assert share["Elman, orthogonal"] < 0.05
    for name in ("Elman ReLU, identity", "GRU, chrono", "LSTM, chrono"):
        assert share[name] > 0.05


def test_the_gradient_stays_below_the_power_of_the_largest_singular_value(flows):
    for name in (GAUSSIAN, SPARSE, "Elman, orthogonal", "Elman ReLU, identity"):
        norms, largest = np.array(flows[name]["norms"]), flows[name]["largest_singular_value"]
        assert (norms[1:] <= norms[:-1] * largest * 1.001).all()
    assert flows[SPARSE]["rate"] == pytest.approx(0.95, abs=0.03)
    assert flows["LSTM, chrono"]["radius"] is None


def test_a_run_ends_when_the_task_is_solved_and_is_the_same_each_time():
    job = Job(contender=number_of("LSTM, chrono"), T=20, seed=0, steps=750)
    first, second = learn(job), learn(job)
    assert first["solved"]
    assert first["accuracies"][-1] > 0.99
    assert first["steps"] == 250 * len(first["accuracies"])
    assert len(first["largest_norms"]) == first["steps"] / 25
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_a_run_that_breaks_down_is_told_and_counts_as_not_solved(monkeypatch):
    monkeypatch.setattr(learning, "CONTENDERS", [CONTENDERS[0]._replace(learning_rate=1e38)])
    run = learn(Job(contender=0, T=10, seed=0, steps=250))
    assert not run["solved"]
    assert run["breakdown"].startswith("Training broke down")
    assert run["steps"] < 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What one command writes."""
    folder = tmp_path_factory.mktemp("vanishing")
    small = ["--lengths", "10", "20", "--seeds", "1", "--steps", "25", "--jobs", "1"]
    assert experiment.main([*small, "--output", str(folder)]) == 0
    return folder


def test_one_command_writes_figures_tables_and_pictures(folder):
    results = json.loads((folder / "vanishing.json").read_text())
    assert len(results["runs"]) == 2 * len(CONTENDERS)
    assert [len(found["norms"]) for found in results["flows"]] == [20] * len(NAMED)
    text = (folder / "vanishing.md").read_text()
    for contender in CONTENDERS:
        assert f"| {contender.name} | {contender.trained} |" in text
    pictures = {path.name for path in folder.glob("*.svg")}
    assert {"vanishing_flow.svg", "vanishing_flow_dark.svg", "vanishing_success.svg"} <= pictures
    assert "0 of 1" in (folder / "vanishing_success.svg").read_text()


def test_the_table_counts_what_was_solved(folder):
    results = json.loads((folder / "vanishing.json").read_text())
    for run in results["runs"]:
        run.update(solved=run["T"] == 10, steps=1250, accuracies=[0.375])
    rows = tables(results)["success"].splitlines()[2:]
    assert all("| **1/1**, 1,250 | 0/1, 38% right |" in row for row in rows)


def test_the_page_is_renewed_between_its_marks_alone(folder, tmp_path, monkeypatch, capsys):
    page = tmp_path / "vanishing_gradients.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(experiment, "PAGE", page)
    assert experiment.main(["--results", str(folder / "vanishing.json"), "--docs"]) == 0
    own, renewed = (re.sub(r"(?s)(<!-- begin: \w+ -->).*?(<!-- end)", r"\1\2", p.read_text()) for p in (PAGE, page))
    assert own == renewed
    for table in tables(json.loads((folder / "vanishing.json").read_text())).values():
        assert table in page.read_text()
    assert (tmp_path / "images" / "vanishing_flow.svg").exists()
    page.write_text("no marks")
    with pytest.raises(ValueError, match="must hold <!-- begin: flow -->"):
        put_into(page, json.loads((folder / "vanishing.json").read_text()))


def test_pictures_that_the_page_shows_exist():
    shown = re.findall(r'(?:\]\(|src(?:set)?=")(images/[\w.]+)', PAGE.read_text(encoding="utf-8"))
    assert {name.split("_")[1].removesuffix(".svg") for name in shown} == {"flow", "success", "spikes"}
    for name in shown:
        assert (PAGE.parent / name).exists(), name


def test_python_on_the_page_gives_what_it_shows(capsys):
    page = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"(?s)^```python\n(.*?)^```", page, re.MULTILINE)
    exec(compile(block, PAGE.name, "exec"), {})
    shown = re.findall(r"^    (\w+: reaches back \d+ of 100 steps)", page, re.MULTILINE)
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--quick", "--docs"], "its figures must not go into the page; leave out --docs"),
        (["--lengths", "9"], "must be a whole number of at least 10, got '9'"),
        (["--seeds", "0"], "must be a whole number of at least 1, got '0'"),
        (["--results", "nowhere.json"], "must be a file that this benchmark wrote, got 'nowhere.json'"),
    ],
)
def test_what_cannot_be_run_is_refused(capsys, arguments, complaint):
    with pytest.raises(SystemExit) as stop:
        experiment.main(arguments)
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err
