"""What the documents show runs: docstrings' examples, README's Python, README's commands."""

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import pytest

import elman
from elman.cli import run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted({module.name for module in pkgutil.walk_packages(elman.__path__, "elman.")} - {"elman.__main__"})


def test_examples_in_docstrings_give_what_they_show():
    attempted = 0
    for name in MODULES:
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted >= 20


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_python_in_the_readme_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (block,) = code_blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) >= 0.95
    assert (tmp_path / "vowels.safetensors").exists()


@pytest.mark.parametrize(("name", "printed"), [("tuning", "learning_rate"), ("comparing", "points in favour of gru")])
def test_python_in_a_page_runs_as_it_stands(name, printed, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(block, f"{name}.md", "exec"), {})
    assert printed in capsys.readouterr().out


def test_commands_in_the_readme_run_in_their_order(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    commands = [line.split()[1:] for line in code_blocks("")[0].splitlines() if line.startswith("elman ")]
    assert [command[0] for command in commands] == ["train", "evaluate", "predict"]
    for command in commands:
        assert run(command) == 0, capsys.readouterr().err
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 371


def test_make_has_the_targets_that_the_readme_names():
    makefile = (ROOT / "Makefile").read_text()
    named = {shlex.split(line, comments=True)[1] for line in README.splitlines() if line.startswith("make ")}
    assert named == {"demo", "test"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_that_documents_name_exist(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for path in re.findall(r"\b(?:src|tests|examples|benchmarks)/[\w/.]*\w", text):
        assert (ROOT / path).exists() or path.startswith("src/elman/.."), path
