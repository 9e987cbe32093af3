"""Small files and a way to run a command as a user does."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from elman.cli import run

SMALL = ["--num-layers", "1", "--hidden-size", "4", "--max-epochs", "6", "--no-refit", "--threads", "1"]


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)

    @property
    def prose(self):
        """The output on one line, wherever the terminal broke it."""
        return " ".join(self.out.split())


@pytest.fixture
def elman(capfd):
    """Run `elman` with these arguments, in this process."""

    def run_it(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Done(code, *capfd.readouterr())

    return run_it


def walks(n_sequences, seed, *, label="direction"):
    """A long table of walks (id, time, x, level, label, subject) that fall, stay or rise, as many of each subject."""
    rng = np.random.default_rng(seed)
    rows = [f"id,time,x,level,{label},subject"]
    for n in range(n_sequences):
        kind, subject = n % 3, f"p{n // 3 % 6}"
        trend = np.cumsum(rng.normal(kind - 1, 0.5, rng.integers(4, 12)))
        for step, value in enumerate(trend):
            rows.append(f"walk {n},{step},{value:.3f},{value + 100:.2f},{['falls', 'stays', 'rises'][kind]},{subject}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder with walks_TRAIN.csv, walks_TEST.csv, and a model trained on the first."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "walks_TRAIN.csv").write_text(walks(36, seed=1))
    (folder / "walks_TEST.csv").write_text(walks(18, seed=2))
    columns = ["--label", "direction", "--group", "subject"]
    assert run(["train", f"{folder}/walks_TRAIN.csv", "--model", f"{folder}/walks.model", *columns, *SMALL]) == 0
    return folder


@pytest.fixture
def small():
    return SMALL
