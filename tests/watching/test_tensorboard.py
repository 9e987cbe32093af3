"""Event files, as TensorBoard's own reader reads them."""

import subprocess
import sys

import numpy as np
import pytest

from elman.errors import OutputError

pytest.importorskip("tensorboardX", reason="tensorboardX writes the event files")
pytest.importorskip("tensorboard", reason="TensorBoard reads the event files")

from elman.watching import TensorBoardWriter


def read(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    return events


def curve(directory, tag):
    """Give the pairs of step and value that TensorBoard shows."""
    return [(event.step, event.value) for event in read(directory).Scalars(tag)]


def expected(records, name):
    return [(record["steps"], float(np.float32(record[name]))) for record in records]


def test_tensorboard_reads_every_figure_of_the_history_exactly(tmp_path, tell):
    history, _ = tell(TensorBoardWriter(tmp_path))
    for part in ("training", "validation"):
        for name in ("loss", "accuracy"):
            assert curve(tmp_path / part, f"epoch/{name}") == expected(history.records, f"{part}_{name}")
    learning = ["gradient_norm", "clipped_share", "update_ratio", "learning_rate", "sequences_per_second"]
    for name in learning:
        assert curve(tmp_path / "training", f"epoch/{name}") == expected(history.records, name)
    assert set(read(tmp_path / "training").Tags()["scalars"]) == {
        f"epoch/{name}" for name in ["loss", "accuracy", *learning]
    }
    assert set(read(tmp_path / "validation").Tags()["scalars"]) == {"epoch/loss", "epoch/accuracy"}


def test_without_validation_there_is_one_file(tmp_path, tell):
    tell(TensorBoardWriter(tmp_path), validated=False)
    assert [path.name for path in tmp_path.iterdir()] == ["training"]


def test_every_so_many_th_step_is_there_if_asked_for(tmp_path, tell):
    _, steps = tell(TensorBoardWriter(tmp_path, every=6))
    for name in ("loss", "gradient_norm", "is_clipped", "update_ratio", "learning_rate"):
        told = [(steps[at]["step"], float(np.float32(steps[at][name]))) for at in (5, 11, 17)]
        assert curve(tmp_path / "steps", f"step/{name}") == told


def test_settings_are_a_table_of_text(tmp_path, tell):
    tell(TensorBoardWriter(tmp_path), last=1)
    (event,) = read(tmp_path / "training").Tensors("settings/text_summary")
    text = event.tensor_proto.string_val[0].decode()
    assert "| optimizer | adamw |" in text
    assert "| cell | lstm |" in text
    assert "| n_sequences | 26 |" in text


def test_figures_can_be_read_as_soon_as_they_are_told(tmp_path, tell):
    history, _ = tell(TensorBoardWriter(tmp_path), last=2, ends=False)
    assert curve(tmp_path / "validation", "epoch/loss") == expected(history.records, "validation_loss")


def test_a_resumed_run_takes_the_place_of_the_epochs_that_it_makes_again(tmp_path, tell):
    before, _ = tell(TensorBoardWriter(tmp_path, every=1), last=4, ends=False)
    after, _ = tell(TensorBoardWriter(tmp_path, every=1), first=3)
    records = before.records[:2] + after.records
    assert curve(tmp_path / "training", "epoch/update_ratio") == expected(records, "update_ratio")
    assert curve(tmp_path / "validation", "epoch/loss") == expected(records, "validation_loss")
    assert [step for step, _ in curve(tmp_path / "steps", "step/loss")] == list(range(1, 21))
    assert len(read(tmp_path / "training").Tensors("settings/text_summary")) == 1


def test_epochs_that_are_made_again_within_a_run_count_as_they_were_the_last_time(tmp_path, tell):
    callback = TensorBoardWriter(tmp_path)
    history, _ = tell(callback, last=3, ends=False)
    again = history.records[1] | {"training_loss": 0.25}
    callback.on_epoch_end(again)
    assert curve(tmp_path / "training", "epoch/loss") == expected([history.records[0], again], "training_loss")


def test_a_new_run_takes_the_place_of_an_older_one(tmp_path, tell):
    tell(TensorBoardWriter(tmp_path), seed=1)
    history, _ = tell(TensorBoardWriter(tmp_path), last=2, seed=2)
    assert curve(tmp_path / "training", "epoch/loss") == expected(history.records, "training_loss")


def test_a_full_disk_costs_figures_but_never_the_training(tmp_path, tell, small_files):
    tell(TensorBoardWriter(tmp_path / "whole"), last=2)
    (whole,) = (tmp_path / "whole" / "training").iterdir()
    callback = TensorBoardWriter(tmp_path / "cut")
    size = whole.stat().st_size + 50  # a part of the next event
    told = r"training.*: not all of the run could be written: (No space|File too large)"
    with pytest.warns(UserWarning, match=told), small_files(size):
        history, _ = tell(callback, last=5)
    assert curve(tmp_path / "cut" / "training", "epoch/loss") == expected(history.records[:2], "training_loss")


def test_a_place_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="event files cannot be written"):
        TensorBoardWriter(tmp_path / "file" / "runs")


def test_without_tensorboardx_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['tensorboardX'] = None\n"
        "from elman import MissingExtraError\n"
        "from elman.watching import TensorBoardWriter\n"
        "try: TensorBoardWriter('runs')\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "This needs tensorboardX, which is not installed. Run pip install 'elman[tensorboard]'.\n"
