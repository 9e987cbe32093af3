"""The commands as processes of their own: entry points, Ctrl-C, pipes, a terminal, and time."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import elman as library

COMMAND = [sys.executable, "-m", "elman"]


@pytest.fixture
def interruptible():
    """Let Ctrl-C reach a process, though one that was started in the background, as tests may be, ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(*arguments, **options):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_the_module_runs_as_the_command():
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"elman {library.__version__}\n"
    assert subprocess.run([*COMMAND, "info", "none"], capture_output=True, check=False).returncode == 2


def test_help_answers_at_once():
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.8  # 0.3 s on an idle machine


def test_ctrl_c_during_training_saves_the_best_epoch_so_far(files, tmp_path, interruptible):
    options = ["--label", "direction", "--max-epochs", "1000000", "--patience", "1000000", "--hidden-size", "4"]
    process = start("train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", *options)
    while not process.stderr.readline().startswith("epoch"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert re.search(r"Stopped by Ctrl-C after epoch \d+; the best epoch so far is kept\.", out)
    assert "Traceback" not in err
    assert library.load(tmp_path / "m").training_["interrupted"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_ctrl_c_before_training_ends_at_once_with_130(tmp_path, interruptible):
    code = "import elman.cli, elman.cli.dataset as d, time; "
    code += "d.read_training = lambda *a, **k: (print('reading', flush=True), time.sleep(60)); "
    code += f"import sys; sys.argv = ['elman', 'train', 'x.csv', '-m', {str(tmp_path / 'm')!r}]; "
    code += "elman.cli.main()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "reading\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "interrupted: nothing was written."
    assert not (tmp_path / "m").exists()


def test_a_closed_pipe_is_no_traceback(files):
    process = start("info", files / "walks.model", "--json")
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert "Traceback" not in err


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="needs a terminal")
def test_in_a_terminal_training_is_shown_live(files, tmp_path):
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"}
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction"]
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--max-epochs", "400", "--hidden-size", "8", "--no-refit"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"epoch \d+/400 .* left", text)
    assert "Ctrl-C ends training and keeps the best epoch" in text
    assert re.search(r"training +\d\.[\de.-]+ +\d\.\d{3}", text)
    assert re.search(r"validation +\d\.[\de.-]+ +\d\.\d{3} .*best", text)
    assert "sequences/s" in text
    os.close(ours)


def train_command(files, model):
    options = ["--label", "direction", "--hidden-size", "4", "--max-epochs", "3", "--threads", "1"]
    return [*COMMAND, "train", str(files / "walks_TRAIN.csv"), "--model", str(model), *options]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_under_stderr_loses_no_model(files, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(train_command(files, tmp_path / "m"), stdout=subprocess.PIPE, stderr=full, check=False)
    assert done.returncode == 0
    assert b"Saved" in done.stdout
    assert library.load(tmp_path / "m").training_["epochs"] == 3


@pytest.mark.parametrize("both", [False, True])
def test_a_closed_pipe_under_stderr_loses_no_model(files, tmp_path, both):
    ours, theirs = os.pipe()
    os.close(ours)
    stdout = theirs if both else subprocess.DEVNULL
    done = subprocess.run(train_command(files, tmp_path / "m"), stdout=stdout, stderr=theirs, check=False)
    os.close(theirs)
    assert done.returncode == int(both)  # what is printed at the end goes to nobody
    assert library.load(tmp_path / "m").training_["epochs"] == 3


def test_a_closed_stderr_loses_no_model(files, tmp_path):
    shell = ["sh", "-c", '"$@" 2>&-', "sh", *train_command(files, tmp_path / "m")]
    done = subprocess.run(shell, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, b"note" in done.stdout) == (0, False)
    assert library.load(tmp_path / "m").training_["epochs"] == 3


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="needs a terminal")
def test_a_terminal_that_is_closed_loses_no_model(files, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(train_command(files, tmp_path / "m"), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert library.load(tmp_path / "m").training_["epochs"] == 3


def test_an_output_of_ascii_shows_every_class_name(files, tmp_path):
    for part in ("TRAIN", "TEST"):
        text = (files / f"walks_{part}.csv").read_text().replace("falls", "tomb\u00e9")
        (tmp_path / f"{part}.csv").write_text(text, encoding="utf-8")
    table = [str(tmp_path / "TRAIN.csv"), "--label", "direction"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}

    def ascii_only(*arguments):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("ascii")

    model = str(tmp_path / "m")
    ascii_only("train", *table, "--model", model, "--max-epochs", "2", "--hidden-size", "4")
    assert r"tomb\xe9" in ascii_only("info", model)
    assert r"tomb\xe9" in ascii_only("evaluate", model, str(tmp_path / "TEST.csv"))
    assert "tomb\u00e9" in json.loads(ascii_only("info", model, "--json"))["classes"]
    ascii_only("predict", model, str(tmp_path / "TEST.csv"), "--output", str(tmp_path / "p.csv"))
