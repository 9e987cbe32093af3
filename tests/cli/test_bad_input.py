"""Bad input on the command line: one sentence, exit code 2, and nothing written."""

import re
from pathlib import Path

import pytest

T, M = "walks_TRAIN.csv", "walks.model"
GOOD = ["--label", "direction"]

# arguments, with files relative to the folder; the sentence after 'error: '
CASES = {
    "no such file": (["train", "none.csv", "-m", "out.model"], r"none\.csv: there is no such file\. Check the path\."),
    "folder": (["train", ".", "-m", "out.model"], r"\.: expected a file of type .*"),
    "suffix": (["train", "a.xlsx", "-m", "out.model"], r"a\.xlsx: expected a file of type \.ts, .*"),
    "no label": (
        ["train", T, "-m", "out.model"],
        r"walks_TRAIN\.csv: expected a column with labels.*Name it with --label; .*",
    ),
    "column": (["train", T, "-m", "out.model", "--label", "dir"], r".*there is no label column 'dir'\. The columns .*"),
    "no text": (
        ["train", T, "-m", "out.model", *GOOD, "--text", "word"],
        r"walks_TRAIN\.csv: there is no text column 'word'\. The columns are 'id', .*",
    ),
    "text of numbers": (
        ["train", T, "-m", "out.model", *GOOD, "--text", "x", "--time", "time"],
        r"--time has no use beside --text: each row is a sequence\. Leave one of them out\.",
    ),
    "cut short": (["train", "cut.ts", "-m", "out.model"], r"cut\.ts, line 9.*Is the line cut short\?"),
    "one class": (["train", "one.csv", "-m", "out.model"], r"one\.csv: y must hold at least two classes\. .* 'a'; .*"),
    "hidden": (
        ["train", T, "-m", "out.model", *GOOD, "--hidden-size", "0"],
        r"--hidden-size must be an int in the range \[1, .*Got 0 instead\.",
    ),
    "cell": (
        ["train", T, "-m", "out.model", *GOOD, "--cell", "x"],
        r"--cell must be .*'gru'}\. Got 'x' instead\.",
    ),
    "no number": (
        ["train", T, "-m", "out.model", *GOOD, "--hidden-size", "many"],
        r"--hidden-size must be an int .* or a tuple of them\. Got 'many' instead\.",
    ),
    "identity": (
        ["train", T, "-m", "out.model", *GOOD, "--cell", "gru", "--initialisation", "identity"],
        r".*'identity' is for cells of one gate.*",
    ),
    "no model": (["train", T], r"Missing option '--model'.*\. See 'elman train --help'\."),
    "no folder": (
        ["train", T, "-m", "none/out.model", *GOOD],
        r"none/out\.model: there is no folder 'none'\. Create it first\.",
    ),
    "model is folder": (["train", T, "-m", ".", *GOOD], r"\.: expected the name of a file to write, got a folder\. .*"),
    "model is data": (["train", T, "-m", "out.csv", *GOOD], r"out\.csv: expected the name of a model, .*"),
    "name too long": (["train", T, "-m", "x" * 300, *GOOD], r"x+: the file cannot be written: File name too long\. .*"),
    "not writable": (["train", T, "-m", "/proc/out.model", *GOOD], r"/proc/out\.model: the file cannot be written: .*"),
    "validation twice": (
        ["train", T, "-m", "out.model", *GOOD, "--validation", "walks_TEST.csv", "--no-validation"],
        r"--no-validation leaves no use for a validation file\. .*",
    ),
    "validation unlike": (
        ["train", T, "-m", "out.model", *GOOD, "--validation", "one.csv"],
        r"one\.csv: there is no label column 'direction'\..*",
    ),
    "groups": (
        ["train", T, "-m", "out.model", *GOOD, "--group", "direction"],
        r".*expected a column of its own for each role, got 'direction' for two\.",
    ),
    "unknown option": (["train", T, "--fast"], r"No such option:? '?--fast'?.* See 'elman train --help'\."),
    "unknown command": (["trian", T], r"No such command 'trian'\. Did you mean 'train'\? See 'elman --help'\."),
    "evaluate no model": (["evaluate", "none", T], r"none: there is no such file\. .*"),
    "evaluate data as model": (["evaluate", T, T], r"walks_TRAIN\.csv: this is not a model .* MODEL comes first.*"),
    "evaluate folder": (["evaluate", ".", T], r"\.: expected a model file, got a folder\. .*"),
    "evaluate cut model": (["evaluate", "cut.model", T], r"cut\.model: the model file is cut short or damaged: .*"),
    "evaluate other features": (["evaluate", M, "one.csv"], r"one\.csv: .*"),
    "evaluate unseen": (
        ["evaluate", M, "jumps.csv"],
        r"jumps\.csv: The label 'jumps' \(sequence '1'\) was never seen in training\. The model knows 'falls', .*",
    ),
    "evaluate unlabelled": (
        ["evaluate", M, "plain.csv"],
        r"plain\.csv: it has no labels .*--label, or use 'elman predict'\.",
    ),
    "evaluate swapped": (
        ["evaluate", "one.csv", M],
        r"one\.csv: this is not a model that elman wrote, .* MODEL comes first, then FILE\.",
    ),
    "validation fraction": (
        ["train", T, "-m", "out.model", *GOOD, "--validation-fraction", "2"],
        r"--validation-fraction must be a float in the range \(0\.0, 1\.0\)\. Got 2\.0 instead\.",
    ),
    "patience": (["train", T, "-m", "out.model", *GOOD, "--patience", "0"], r"--patience must be an int .*"),
    "label changes": (
        ["train", "changes.csv", "-m", "out.model"],
        r"changes\.csv, line 3, .*Fix the file, or pass --per-step-labels\.",
    ),
    "predict features": (
        ["predict", M, "cut_feature.csv", "-o", "out.csv"],
        r"cut_feature\.csv: expected the features 'x', 'level', found no 'level'\. .*",
    ),
    "predict suffix": (
        ["predict", M, T, "-o", "out.txt"],
        r"out\.txt: expected an output of type \.csv or \.parquet.*",
    ),
    "predict folder": (["predict", M, T, "-o", "none/out.csv"], r"none/out\.csv: there is no folder 'none'\. .*"),
    "predict over data": (["predict", M, T, "-o", T], r"walks_TRAIN\.csv: the output would overwrite the input\. .*"),
    "info of nothing": (["info", "none"], r"none: there is no such file\. .*"),
    "info of data": (["info", "one.csv"], r"one\.csv: this is not a model that elman wrote, or one cut short\."),
}


def listing(folder):
    """Give every file under a folder with its bytes: what must not change where a command fails."""
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.fixture
def folder(files, tmp_path, monkeypatch):
    for path in files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "one.csv").write_text("id,time,x,label\n1,0,1,a\n1,1,2,a\n2,0,1,a\n")
    (tmp_path / "changes.csv").write_text("id,time,x,label\n1,0,1,a\n1,1,2,b\n")
    (tmp_path / "plain.csv").write_text("id,time,x,level\n1,0,1,5\n")
    (tmp_path / "cut_feature.csv").write_text("id,time,x,lev\n1,0,1,5\n")
    (tmp_path / "jumps.csv").write_text("id,time,x,level,direction,subject\n1,0,1,5,jumps,p0\n2,0,1,5,falls,p0\n")
    header = "@problemName a\n@univariate false\n@dimensions 2\n@equalLength false\n@classLabel true a b\n@data\n"
    (tmp_path / "cut.ts").write_text(header + "1,2:3,4:a\n5,6:7,8:b\n1,2:3")
    (tmp_path / "cut.model").write_bytes((files / M).read_bytes()[:-50])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_sentence_and_exit_code_2_and_writes_nothing(elman, folder, name):
    arguments, sentence = CASES[name]
    before = listing(folder)
    done = elman(*arguments)
    errors = [line for line in done.err.splitlines() if not line.startswith("note: ")]
    assert done.code == 2
    assert done.out == ""
    assert len(errors) == 1, done.err
    assert re.fullmatch(f"error: {sentence}", errors[0]), errors[0]
    assert listing(folder) == before


def test_an_output_that_cannot_be_written_is_refused_before_training(elman, folder, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("training began")

    monkeypatch.setattr("elman.estimators.classifier.SequenceClassifier.fit", never)
    monkeypatch.setattr("elman.cli.dataset.read_training", never)
    assert elman("train", T, "-m", "none/out.model", *GOOD).code == 2
    assert elman("train", T, "-m", "out.parquet", *GOOD).code == 2


def test_training_that_breaks_down_says_what_to_try_and_writes_nothing(elman, folder, small):
    before = listing(folder)
    options = ["--optimizer", "sgd", "--learning-rate", "1e30", "--clip-norm", "0", "--cell", "elman_relu"]
    done = elman("train", T, "-m", "out.model", *GOOD, *options, *small)
    assert done.code == 2
    assert re.fullmatch(
        r"error: Training broke down again, at half the rate, in epoch 1, .* "
        r"Try --learning-rate 1e\+29, or --clip-norm 1\.",
        done.err.splitlines()[-1],
    )
    assert listing(folder) == before


def test_plateau_without_a_validation_part_is_refused_before_training(elman, folder):
    done = elman("train", T, "-m", "out.model", *GOOD, "--schedule", "plateau", "--no-validation")
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "error: --schedule plateau goes by the loss on a validation part, which --no-validation leaves out. "
        "Choose another schedule, such as '--schedule cosine'."
    )
