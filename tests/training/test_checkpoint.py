"""A run that is saved can be gone on with: to the bit, from any moment, and from nothing but its own file."""

import json
import resource
import struct

import numpy as np
import pytest
from benchmarks.kill_and_resume import CONFIGURATIONS, kill, same, samples, train
from safetensors.numpy import load_file

from elman import output_file
from elman.errors import CheckpointError, OutputError
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.callbacks import Callback
from elman.training.checkpoint import Checkpoint
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

NAME = "adam, dropout, early stopping"


class At(Callback):
    """Does something at a step, or at the end of an epoch."""

    def __init__(self, do, *, step=None, epoch=None):
        self._do, self._step, self._epoch, self.runs = do, step, epoch, []

    def on_train_begin(self, run):
        self.runs.append(run)

    def on_step_end(self, step):
        return self._do() if step["step"] == self._step else None

    def on_epoch_end(self, record):
        return self._do() if record["epoch"] == self._epoch else None


def interrupt():
    raise KeyboardInterrupt


def fail():
    raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def expected():
    found = {}

    def train_once(name=NAME):
        if name not in found:
            found[name] = train(name, None)
        return found[name]

    return train_once


@pytest.mark.parametrize(("name", "at"), list(zip(CONFIGURATIONS, (11, 2, 7, 4, 9))))
def test_a_training_killed_at_any_moment_ends_with_the_same_bits(tmp_path, expected, name, at):
    told = kill(name, tmp_path / "checkpoint", at, seconds=0.0005 * at)
    assert told >= at
    assert same(name, tmp_path / "checkpoint", expected(name))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_step_that_ends_an_epoch_and_the_one_that_begins_it_are_moments_too(tmp_path, expected, name):
    per_epoch = expected(name)[1].records[0]["steps"]
    for at in (1, per_epoch, per_epoch + 1):
        with pytest.raises(RuntimeError):
            train(name, tmp_path / f"{at}", At(fail, step=at))
        assert same(name, tmp_path / f"{at}", expected(name))


@pytest.mark.parametrize("where", [{"step": 8}, {"epoch": 2}])
def test_ctrl_c_saves_the_moment_and_training_goes_on_from_it(tmp_path, expected, where):
    path = tmp_path / "checkpoint"
    weights, history = train(NAME, path, At(interrupt, **where))
    assert history.interrupted
    watching = At(lambda: None)
    weights, history = train(NAME, path, watching)
    (run,) = watching.runs
    assert (run.is_resumed, run.is_finished, run.first_epoch) == (True, False, 2 if "step" in where else 3)
    assert not history.interrupted
    assert weights.tobytes() == expected()[0].tobytes()


def test_ctrl_c_between_two_savings_saves_what_was_done(tmp_path):
    path, trainer = tmp_path / "checkpoint", new_trainer()
    trainer.fit(samples(1), None, [At(interrupt, step=4)], checkpoint=Checkpoint(path, every=1000))
    assert len(load_file(path)["now.results"]) == 4


def test_a_step_cut_in_two_by_ctrl_c_is_not_saved_half_done(tmp_path):
    path, trainer = tmp_path / "checkpoint", new_trainer()
    update = trainer.updater(6).update

    def cut(gradient, norm):
        found = update(gradient, norm)
        if trainer._updater.state()["steps"] == 8:
            raise KeyboardInterrupt
        return found

    trainer.updater().update = cut
    start = trainer.fit(samples(1), None, checkpoint=Checkpoint(path, every=1000))
    assert start.interrupted
    assert len(load_file(path)["now.results"]) == 0, "the beginning of the epoch instead"
    resumed, whole = new_trainer(), new_trainer()
    resumed.fit(samples(1), None, checkpoint=Checkpoint(path))
    whole.fit(samples(1))
    assert np.array_equal(resumed.network.parameters.vector, whole.network.parameters.vector)


def test_a_finished_training_gives_its_result_at_once(tmp_path, expected):
    path = tmp_path / "checkpoint"
    train(NAME, path)
    content, watching = path.read_bytes(), At(fail, step=1)
    weights, history = train(NAME, path, watching)
    assert weights.tobytes() == expected()[0].tobytes()
    assert [record["epoch"] for record in history.records] == list(range(1, len(history.records) + 1))
    assert watching.runs[0].is_finished
    assert path.read_bytes() == content


def test_every_so_many_minutes_counts_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("elman.training.checkpoint.time.monotonic", lambda: now[0])
    saved = Checkpoint(tmp_path / "checkpoint", every=0.5)
    moments = []
    monkeypatch.setattr(saved, "save", lambda found: (moments.append(found), setattr(saved, "_last", now[0])))
    clock = Callback()
    clock.on_step_end = lambda step: now.__setitem__(0, 11.0 * step["step"])
    new_trainer(max_epochs=2).fit(samples(1), None, [clock], checkpoint=saved)
    assert [(len(found.now.progress.results), found.now.progress.epoch) for found in moments] == [
        (4, 1),  # before its step is told, so that 33 seconds have passed
        (0, 2),
        (4, 2),
        (0, 3),  # the end
    ]


def new_trainer(cell="gru", hidden_size=4, **settings):
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, cell, hidden_size))
    network.initialise(rng)
    return Trainer(network, TrainingSettings(**{"batch_size": 5, "max_epochs": 3} | settings), rng)


def shifted(found):
    values = found.values.copy()
    values[7, 1] += 1e-6
    return found._replace(values=values)


@pytest.mark.parametrize(
    ("other", "data", "difference"),
    [
        ({"learning_rate": 0.01}, (), "learning_rate was 0.005, is 0.01"),
        ({"hidden_size": 5}, (), "hidden_size was 4, is 5"),
        ({"optimizer": "sgd", "momentum": 0.5}, (), "optimizer was 'adam', is 'sgd'; momentum was 0.0, is 0.5"),
        ({}, (shifted(samples(1)), samples(2)), "other training values"),
        ({}, (samples(1), shifted(samples(2))), "other validation values"),
        ({}, (samples(1)._replace(targets=samples(2).targets), samples(2)), "other training labels"),
        ({}, (samples(1)._replace(weights=np.ones(30)), samples(2)), "other training weights"),
        ({}, (samples(1), None), "other validation values; other validation lengths; other validation labels"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path, other, data, difference):
    path = tmp_path / "checkpoint"
    new_trainer(max_epochs=1).fit(samples(1), samples(2), checkpoint=Checkpoint(path))
    content = path.read_bytes()
    with pytest.raises(CheckpointError) as caught:
        new_trainer(**{"max_epochs": 1} | other).fit(*(data or (samples(1), samples(2))), checkpoint=Checkpoint(path))
    assert str(caught.value) == (
        f"{path}: the checkpoint is of another training: {difference}. "
        "Train as it was begun, or name another file, or remove this one to train from the start."
    )
    assert path.read_bytes() == content


def test_another_start_is_another_training(tmp_path):
    path, other = tmp_path / "checkpoint", new_trainer(max_epochs=1)
    other.fit(samples(1), checkpoint=Checkpoint(path))
    other.rng.random()
    with pytest.raises(CheckpointError, match=r": another start of the parameters or of the random numbers\. Train"):
        other.fit(samples(1), checkpoint=Checkpoint(path))


@pytest.mark.parametrize("left", [["c.all"], ["c.2", "c.all", "c.all.2"]])
def test_what_another_training_left_for_the_run_on_all_data_is_refused_at_once(tmp_path, left):
    for name in (*left, "c.log", "c.all.txt"):
        (tmp_path / name).write_bytes(b"of another training")
    with pytest.raises(CheckpointError) as caught:
        new_trainer().fit(samples(1), callbacks=[At(fail, step=1)], checkpoint=Checkpoint(tmp_path / "c"))
    files = [str(tmp_path / name) for name in left]
    assert str(caught.value).startswith(f"{tmp_path / 'c'}: there is no checkpoint yet, and what would follow it is")
    for file in files:
        assert file in str(caught.value)
    assert "c.log" not in str(caught.value)
    assert "c.all.txt" not in str(caught.value)


def test_another_member_may_be_saved_first(tmp_path):
    (tmp_path / "c.2").write_bytes(b"of this training")
    assert len(new_trainer(max_epochs=1).fit(samples(1), checkpoint=Checkpoint(tmp_path / "c")).records) == 1


def test_advice_to_remove_a_checkpoint_names_what_belongs_to_it(tmp_path, content):
    for name in ("c.all", "c.2"):
        (tmp_path / name).write_bytes(content)
    others = f", {tmp_path / 'c.2'} and {tmp_path / 'c.all'} to train from the start."
    damaged = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    for found, rate, advice in ((damaged, 0.005, "Remove it"), (content, 0.1, "or remove this one")):
        (tmp_path / "c").write_bytes(found)
        with pytest.raises(CheckpointError) as caught:
            new_trainer(learning_rate=rate).fit(samples(1), samples(2), checkpoint=Checkpoint(tmp_path / "c"))
        assert str(caught.value).endswith(advice + others)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "checkpoint"
    new_trainer().fit(samples(1), samples(2), [At(interrupt, step=8)], checkpoint=Checkpoint(path))
    return path.read_bytes()


def go_on(path):
    return new_trainer().fit(samples(1), samples(2), checkpoint=Checkpoint(path))


def edited(content, change, monkeypatch, path):
    """Write a checkpoint with other fields, and a checksum that is right."""
    from elman.tensor_file import write_tensors
    from elman.training.checkpoint import CHECKPOINT

    path.write_bytes(content)
    size = struct.unpack("<Q", content[:8])[0]
    fields = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["elman_checkpoint"])
    arrays = load_file(path)
    kind = change(fields, arrays)
    fields = {name: value for name, value in fields.items() if name not in ("format_version", "checksum")}
    write_tensors(path, kind or CHECKPOINT, arrays, fields)


def setting(*place, to):
    def change(fields, arrays):
        at = fields
        for name in place[:-1]:
            at = at[name]
        at[place[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting("states", "now", "progress", "epoch", to=3), r"expected a list of 2 records in 'records'"),
        (setting("states", "now", "progress", "epoch", to=10**30), r"expected a whole number in \[1, 4\] in 'epoch'"),
        (
            setting("states", "now", "progress", "n_results", to=7),
            r"expected a whole number in \[0, 6\] in 'n_results'",
        ),
        (setting("states", "now", "progress", "n_results", to=1), r"expected the array 'now\.results' as float64"),
        (setting("states", "now", "progress", "best_epoch", to=2), r"expected a whole number in \[1, 1\]"),
        (setting("states", "now", "progress", "lowest", to="low"), r"expected a number in 'lowest', got 'low'"),
        (setting("states", "now", "progress", "records", to=[7]), r"expected the fields epoch, training_loss"),
        (setting("states", "now", "progress", to=[]), r"expected an object in 'progress'"),
        (
            setting("states", "now", "updater", "steps", to=-1),
            r"a whole number in .* 'updater\.steps', got -1",
        ),
        (setting("states", "now", "updater", to={}), r"expected the fields .* in 'updater'"),
        (setting("states", "now", "rng", to={"bit_generator": "PCG64"}), r"expected the state of a PCG64 generator"),
        (setting("states", "now", "rng", to=[]), r"expected the state of a PCG64 generator"),
        (setting("states", "now", to=None), r"expected the fields of a state in 'state', got None"),
        (setting("states", to={}), r"it lacks a state"),
        (setting("good", to="now"), r"it lacks a state"),
        (setting("identity", to=[]), r"does not say of which training"),
        (lambda fields, arrays: arrays["now.parameters"].__setitem__(0, np.nan), r"finite numbers in 'parameters'"),
        (lambda fields, arrays: arrays["now.results"].__setitem__((0, 0), np.inf), r"finite numbers in 'results'"),
        (lambda fields, arrays: arrays.pop("now.best") is None, r"the array 'now\.best' is missing"),
    ],
)
def test_a_file_with_a_right_checksum_is_held_against_what_it_can_be(tmp_path, content, change, message, monkeypatch):
    path = tmp_path / "checkpoint"
    edited(content, change, monkeypatch, path)
    with pytest.raises(CheckpointError, match=message):
        go_on(path)


def test_a_newer_format_a_model_and_damage_are_told_apart(tmp_path, content, monkeypatch):
    from elman.training.checkpoint import CHECKPOINT

    path = tmp_path / "checkpoint"
    edited(content, lambda fields, arrays: CHECKPOINT._replace(version=2), monkeypatch, path)
    with pytest.raises(CheckpointError, match=r"the checkpoint is of format 2; this elman .* reads formats up to 1\."):
        go_on(path)
    edited(content, lambda fields, arrays: CHECKPOINT._replace(noun="model"), monkeypatch, path)
    with pytest.raises(CheckpointError, match=r"this is not a checkpoint that elman wrote: it is a model\.$"):
        go_on(path)
    for damaged in (b"", content[:5000], content[:-1], content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"cut short|damaged|not a checkpoint"):
            go_on(path)
        assert path.read_bytes() == damaged
    path.write_bytes(content)
    assert len(go_on(path).records) == 3


def test_what_a_killed_writer_left_is_removed_by_the_next_run_and_nothing_else(tmp_path):
    paths = [tmp_path / name for name in ("checkpoint", "other")]
    left = [output_file._temporary(path) for path in paths]
    for file in (*left, tmp_path / ".mine.part"):
        file.write_bytes(b"half of")
    go_on(paths[0])
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([".mine.part", left[1].name, "checkpoint"])


def test_a_place_that_cannot_be_written_is_refused_before_training(tmp_path):
    with pytest.raises(OutputError, match="got a folder"):
        go_on(tmp_path)
    with pytest.raises(OutputError, match=r"there is no folder '.*missing'\. Create it first\."):
        go_on(tmp_path / "missing" / "checkpoint")


def test_a_disk_that_is_full_meanwhile_costs_no_training_and_the_last_checkpoint_stays(tmp_path):
    path = tmp_path / "checkpoint"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    filling = At(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1])), step=7)
    emptying = At(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits), step=10)
    try:
        with pytest.warns(UserWarning, match=r"File too large\..* goes on without a new .* of epoch 2\.$") as warned:
            history = new_trainer().fit(
                samples(1), None, [filling, emptying, At(fail, step=12)], checkpoint=Checkpoint(path, every=0)
            )
    except RuntimeError:
        history = None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert history is None, "training went on to step 12"
    assert [str(warning.message).startswith(f"{path}: the file cannot be written") for warning in warned] == [True]
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]
    assert len(load_file(path)["now.results"]) == 6, "once there was room, it was saved again"


def test_a_failed_write_leaves_the_file_before(tmp_path, monkeypatch):
    path, saved = tmp_path / "checkpoint", []

    def full(descriptor):
        raise OSError(28, "No space left on device")

    def fill():
        saved.append(path.read_bytes())
        monkeypatch.setattr(output_file.os, "fsync", full)

    with pytest.warns(UserWarning, match="No space left on device"):
        new_trainer().fit(samples(1), None, [At(fill, step=7)], checkpoint=Checkpoint(path, every=0))
    assert path.read_bytes() == saved[0]
    monkeypatch.undo()
    resumed, whole = new_trainer(), new_trainer()
    resumed.fit(samples(1), None, checkpoint=Checkpoint(path))
    whole.fit(samples(1))
    assert np.array_equal(resumed.network.parameters.vector, whole.network.parameters.vector)
