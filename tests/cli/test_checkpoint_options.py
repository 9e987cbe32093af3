"""`elman train --checkpoint`: the same command again goes on."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from elman.training.checkpoint import Checkpoint


@pytest.fixture
def command(elman, files, small, tmp_path):
    def run(*more, model="model"):
        columns = ["--label", "direction", "--batch-size", "10"]
        return elman("train", files / "walks_TRAIN.csv", "--model", tmp_path / model, *columns, *small, *more)

    return run


def test_the_same_command_goes_on_and_gives_the_same_model(command, tmp_path, monkeypatch):
    assert command(model="whole").code == 0
    path, save, saved = tmp_path / "checkpoint", Checkpoint.save, []

    def cut(self, moments):
        save(self, moments)
        saved.append(1)
        if len(saved) == 5:
            raise RuntimeError

    monkeypatch.setattr(Checkpoint, "save", cut)
    with pytest.raises(RuntimeError):
        command("--checkpoint", path, "--every", 0)
    monkeypatch.undo()
    done = command("--checkpoint", path)
    assert done.code == 0
    assert f"note: Going on from {path}: epoch 2 of 6.\n" in done.err
    whole, resumed = (load_file(tmp_path / name) for name in ("whole", "model"))
    assert all(np.array_equal(resumed[name], array) for name, array in whole.items())
    done = command("--checkpoint", path)
    assert done.code == 0
    assert f"note: Training ended in epoch 6, says {path}: nothing is left to do. Remove the file" in done.err


def test_another_command_is_refused(command, tmp_path):
    assert command("--checkpoint", tmp_path / "c").code == 0
    done = command("--checkpoint", tmp_path / "c", "--learning-rate", 0.1)
    assert (done.code, done.out) == (2, "")
    assert f"error: {tmp_path / 'c'}: the checkpoint is of another training: learning_rate was" in done.err


def test_what_cannot_be_saved_is_refused_before_any_work(command, tmp_path):
    for options, message in (
        (["--checkpoint", tmp_path / "no" / "c"], "there is no folder"),
        (
            ["--checkpoint", tmp_path / "model"],
            f"the model and a file of the checkpoint {tmp_path / 'model'} would overwrite each other. Choose another",
        ),
        (["--checkpoint", tmp_path / "c", "--every", -1], "--every must be a number of minutes of at least 0. Got -1"),
    ):
        done = command(*options)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("beside", [".all", ".2", ".all.3"])
@pytest.mark.parametrize("option", ["--model", "--log", "--tensorboard"])
def test_nothing_else_is_written_where_other_runs_of_the_training_are_saved(command, tmp_path, option, beside):
    done = command("--checkpoint", tmp_path / "c", option, tmp_path / f"c{beside}")
    assert (done.code, done.out) == (2, "")
    assert f"c{beside}: the {option[2:]} and a file of the checkpoint {tmp_path / 'c'} would overwrite" in done.err
    assert list(tmp_path.iterdir()) == []


def test_minutes_without_a_checkpoint_have_no_effect(command):
    done = command("--every", 3)
    assert done.code == 0
    assert "note: --every has no effect without --checkpoint." in done.err
