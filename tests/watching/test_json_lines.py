"""The log of a run: every line stands for itself, at once, whatever happens to the disk or the run."""

import json
import math
import warnings

import pytest

from elman import SequenceClassifier, __version__
from elman.errors import OutputError
from elman.watching import JsonLines


def no_constant(text):
    raise AssertionError(f"{text} is no JSON")


def lines_of(path):
    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=no_constant) for line in text.splitlines()]


def test_a_log_holds_every_record_as_it_is_between_what_the_run_was_and_how_it_ended(tmp_path, tell):
    log = tmp_path / "run.jsonl"
    history, _ = tell(JsonLines(log))
    begin, *epochs, end = lines_of(log)
    assert begin["kind"] == "begin"
    assert (begin["version"], begin["n_sequences"], begin["first_epoch"]) == (__version__, 26, 1)
    assert begin["architecture"]["cell"] == "lstm"
    assert (begin["settings"]["optimizer"], begin["settings"]["betas"]) == ("adamw", [0.9, 0.999])
    assert epochs == [{"kind": "epoch", **record} for record in history.records]
    assert end == {"kind": "end", "epochs": 5, "best_epoch": 5, "reason": "max_epochs", "error": None}


def test_every_so_many_th_step_has_a_line_if_asked_for(tmp_path, tell):
    _, steps = tell(JsonLines(tmp_path / "run.jsonl", every=3))
    told = [line for line in lines_of(tmp_path / "run.jsonl") if line["kind"] == "step"]
    assert told == [{"kind": "step", **steps[at]} for at in (2, 5, 8, 11, 14, 17)]


def test_a_line_can_be_read_as_soon_as_it_is_told(tmp_path, tell):
    tell(JsonLines(tmp_path / "run.jsonl"), last=2, ends=False)
    assert [line["kind"] for line in lines_of(tmp_path / "run.jsonl")] == ["begin", "epoch", "epoch"]


def test_what_is_no_finite_number_is_null(tmp_path, tell):
    callback = JsonLines(tmp_path / "run.jsonl")
    history, _ = tell(callback, last=1, ends=False)
    callback.on_epoch_end(history.records[0] | {"training_loss": math.nan, "gradient_norm": math.inf})
    line = lines_of(tmp_path / "run.jsonl")[-1]
    assert (line["training_loss"], line["gradient_norm"]) == (None, None)
    assert line["training_accuracy"] == history.records[0]["training_accuracy"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [({"interrupted": True}, "interrupted"), ({"stopped_early": True}, "stopped"), ({"error": "broken"}, "error")],
)
def test_the_last_line_tells_why_training_ended(tmp_path, tell, how, reason):
    tell(JsonLines(tmp_path / "run.jsonl"), **how)
    assert lines_of(tmp_path / "run.jsonl")[-1]["reason"] == reason


def test_a_new_run_starts_the_log_anew(tmp_path, tell):
    tell(JsonLines(tmp_path / "run.jsonl"), seed=1)
    history, _ = tell(JsonLines(tmp_path / "run.jsonl"), last=2, seed=2)
    assert [line for line in lines_of(tmp_path / "run.jsonl") if line["kind"] == "epoch"] == [
        {"kind": "epoch", **record} for record in history.records
    ]


@pytest.mark.parametrize("cut", [0, 30], ids=["whole", "cut short in its last line"])
def test_a_resumed_run_takes_the_place_of_the_epochs_that_it_makes_again(tmp_path, tell, cut):
    log = tmp_path / "run.jsonl"
    before, _ = tell(JsonLines(log, every=1), last=4, ends=False)
    log.write_bytes(log.read_bytes()[: log.stat().st_size - cut])
    after, _ = tell(JsonLines(log, every=1), first=3, last=5)
    lines = lines_of(log)
    assert [line["kind"] for line in lines if line["kind"] != "step"] == [
        *("begin", "epoch", "epoch"),
        *("begin", "epoch", "epoch", "epoch", "end"),
    ]
    told = [line for line in lines if line["kind"] == "epoch"]
    assert told == [{"kind": "epoch", **record} for record in before.records[:2] + after.records]
    assert [line["step"] for line in lines if line["kind"] == "step"] == list(range(1, 21))


def test_a_run_resumed_within_an_epoch_keeps_the_steps_that_it_does_not_make_again(tmp_path, tell):
    log = tmp_path / "run.jsonl"
    before, made = tell(JsonLines(log, every=1), last=3, ends=False)
    _, made_again = tell(JsonLines(log, every=1), first=2, last=2, first_step=7)
    lines = [line for line in lines_of(log) if line["kind"] in ("step", "epoch")]
    assert [line["step"] for line in lines if line["kind"] == "step"] == list(range(1, 9))
    assert [line["loss"] for line in lines if line["kind"] == "step"] == [s["loss"] for s in made[:6] + made_again]
    assert [line["epoch"] for line in lines if line["kind"] == "epoch"] == [1, 2]
    assert before.records[0]["training_loss"] == lines[4]["training_loss"]


def test_a_full_disk_costs_lines_but_never_the_training_nor_half_a_line(tmp_path, tell, small_files):
    log, whole = tmp_path / "run.jsonl", tmp_path / "whole.jsonl"
    tell(JsonLines(whole), last=2, ends=False)
    size = whole.stat().st_size + 50  # a part of the next line
    callback = JsonLines(log)
    told = r"run.jsonl: not all of the run could be written: (No space|File too large)"
    with pytest.warns(UserWarning, match=told) as warned, small_files(size):
        tell(callback)
    assert len(warned) == 1
    assert lines_of(log) == lines_of(whole)


def test_a_file_that_is_no_log_is_not_replaced(tmp_path):
    (tmp_path / "data.csv").write_text("id,time\n")
    with pytest.raises(OutputError, match="expected a log of elman to replace, or no file, got another"):
        JsonLines(tmp_path / "data.csv")
    assert (tmp_path / "data.csv").read_text() == "id,time\n"


def test_a_place_that_cannot_be_written_is_refused_before_training(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        JsonLines(tmp_path / "nowhere" / "run.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_callback_serves_one_run_after_another(tmp_path, tell):
    callback = JsonLines(tmp_path / "run.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell(callback)
        tell(callback, last=1)
    assert len(lines_of(tmp_path / "run.jsonl")) == 3


def test_what_shows_to_be_ill_has_a_line_behind_its_epoch(tmp_path):
    X, y = [[[0.0], [1.0]], [[1.0], [0.0]]] * 8, ["up", "down"] * 8
    log = JsonLines(tmp_path / "run.jsonl")
    SequenceClassifier(hidden_size=2, max_epochs=4, learning_rate=1e-12, refit=False).fit(X, y, callbacks=[log])
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["begin", "epoch", "epoch", "epoch", "remark", "epoch", "end"]
    assert lines[4]["sentence"].startswith("Steps are too small, ")
