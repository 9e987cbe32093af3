"""The commands as processes of their own: entry points, Ctrl-C, pipes, a terminal, and time."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

import elman as library

COMMAND = [sys.executable, "-m", "elman"]


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


def test_ctrl_c_during_training_saves_the_best_epoch_so_far(files, tmp_path):
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


def test_ctrl_c_before_training_ends_at_once_with_130(tmp_path):
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
        [*COMMAND, *map(str, arguments), "--max-epochs", "400", "--patience", "400", "--hidden-size", "8"],
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
    assert re.search(r"epoch \d+/400 .*Ctrl-C keeps the best", text)
    assert re.search(r"training +\d\.\d{4} +\d\.\d{3}", text)
    assert re.search(r"validation +\d\.\d{4} +\d\.\d{3} +best", text)
    assert "sequences/s" in text
    os.close(ours)
