"""What is shown of a training run while it goes on."""

import itertools
import time
import warnings

import pytest
from rich.console import Console

from elman.cli.console import warnings_told
from elman.cli.display import clock, curve, display
from elman.cli.progress import Progress, follow
from elman.network.architecture import Architecture
from elman.training.callbacks import Run
from elman.training.settings import TrainingSettings

STEPS = 8  # an epoch


class Follower:
    """A training run of 40 epochs, told to the progress at times of its own."""

    def __init__(self, *, first_epoch=1, validated=True):
        self.now, self.validated = 100.0, validated
        self.progress = Progress(40, lambda: self.now)
        self.now += 5  # while all is prepared
        self.begin(
            n_sequences=64,
            n_validation=16 if validated else 0,
            max_epochs=40,
            first_epoch=first_epoch,
            first_step=(first_epoch - 1) * STEPS + 1,
        )

    def begin(self, **how):
        of_all = {"settings": TrainingSettings(), "architecture": Architecture(2, 3), "n_parameters": 99}
        self.progress.on_train_begin(Run(**of_all, steps_per_epoch=STEPS, **how))

    def step(self, epoch, number):
        self.progress.on_step_end(
            {
                "step": (epoch - 1) * STEPS + number,
                "epoch": epoch,
                "step_in_epoch": number,
                "n_steps_in_epoch": STEPS,
                "loss": 1.5,
                "gradient_norm": 0.75,
                "is_clipped": False,
                "update_ratio": 0.001,
                "learning_rate": 0.005,
            }
        )

    def epoch(self, epoch, seconds, training_loss, validation_loss):
        self.now += seconds
        self.step(epoch, STEPS)
        self.progress.on_epoch_end(
            {
                "epoch": epoch,
                "training_loss": training_loss,
                "training_accuracy": 0.75,
                "validation_loss": validation_loss if self.validated else None,
                "validation_accuracy": 0.625 if self.validated else None,
                "gradient_norm": 0.5,
                "clipped_share": 0.125,
                "update_ratio": 0.001,
                "learning_rate": 0.0025,
                "steps": epoch * STEPS,
                "rollbacks": 0,
                "seconds": seconds,
                "sequences_per_second": 12345.6,
            }
        )

    def lines(self, *, ascii_only=False, width=80):
        console = Console(width=width, force_terminal=False)
        with console.capture() as capture:
            console.print(display(self.progress, ascii_only=ascii_only))
        return [line.rstrip() for line in capture.get().splitlines()]


def test_the_display_shows_the_last_epoch_the_best_and_the_time_left():
    run = Follower()
    for epoch, loss in enumerate([2.0, 1.0, 0.5, 0.8], start=1):
        run.epoch(epoch, 1.5, loss / 2, loss)
    run.now += 0.75
    run.step(5, 4)
    first, *rest = run.lines()
    assert first.startswith("epoch 5/40 ━━━━")
    assert first.endswith(" 0:11, at most 0:53 left")  # 35.5 epochs of 1.5 seconds
    assert rest == [
        "              loss  accuracy",
        "training    0.4000     0.750  ▅▃▁▂",
        "validation  0.8000     0.625  ▇▅▃▄  best 0.5000 in epoch 3",
        "learning rate 0.0025   gradient norm 0.5, clipped 12%   12,346 sequences/s",
        "Ctrl-C ends training and keeps the best epoch",
    ]


def test_before_the_first_epoch_is_done_the_display_shows_the_last_step():
    run = Follower()
    run.now += 30
    run.step(1, 3)
    first, *rest = run.lines()
    assert first.startswith("epoch 1/40, step 3/8 ")
    assert first.endswith(" 0:35, at most 52:50 left")  # 39 and 5/8 epochs of 80 seconds
    assert rest[0] == "learning rate 0.005   loss 1.5   gradient norm 0.75"


def test_a_resumed_run_counts_its_own_time_only():
    run = Follower(first_epoch=31)
    run.epoch(31, 2.0, 1.0, 1.0)
    assert run.progress.seconds_left == pytest.approx(9 * 2.0)


def test_the_run_on_all_data_begins_anew_and_says_that_it_does():
    run = Follower()
    run.epoch(1, 1.5, 2.0, 1.0)
    run.begin(n_sequences=80, n_validation=0, max_epochs=10, first_epoch=1, first_step=1, is_refit=True)
    run.validated = False
    run.epoch(1, 0.5, 0.7, None)
    first, *rest = run.lines()
    assert first.startswith("once more on all 80: epoch 1/10 ")
    assert first.endswith(" 0:07, at most 0:04 left")  # nine epochs of half a second
    assert [line.split()[:2] for line in rest[1:2]] == [["training", "0.7000"]]
    assert "best" not in "\n".join(rest[:-1])


def test_without_validation_there_is_one_row():
    run = Follower(validated=False)
    run.epoch(1, 1.0, 2.0, None)
    assert [line.split()[0] for line in run.lines()[1:4]] == ["loss", "training", "learning"]


@pytest.mark.parametrize("epochs", [1, 2, 19, 20, 21, 39, 40])
@pytest.mark.parametrize("seconds", [0.01, 90_000.0])
def test_the_display_keeps_to_80_columns(epochs, seconds):
    run = Follower()
    for epoch in range(1, epochs + 1):
        run.epoch(epoch, seconds, 1e9 / 10**epoch, 1e9 if epoch > 1 else 1e-9)
    lines = run.lines(width=200)
    assert len(lines) == 6
    assert max(map(len, lines)) <= 80


def test_where_only_ascii_can_be_printed_there_are_no_curves():
    run = Follower()
    run.epoch(1, 1.0, 2.0, 3.0)
    figures = "\n".join(run.lines(ascii_only=True)[1:])
    assert figures.isascii()
    assert "validation  3.0000     0.625" in figures


def test_a_curve_falls_as_its_losses_do_and_leaves_out_none():
    falling = curve([2.0**-k for k in range(200)], 2.0**-20, 1.0)
    assert len(falling) == 20
    assert list(falling) == sorted(falling, reverse=True)
    assert curve([1.0] * 19 + [8.0], 1.0, 8.0) == "▁" * 19 + "▇"
    assert curve([0.0, 0.0], 0.0, 0.0) == "▁▁"


def test_times_read_as_on_a_clock():
    assert [clock(seconds) for seconds in (0, 59.9, 60, 3599, 3600, 360_000)] == [
        "0:00",
        "0:59",
        "1:00",
        "59:59",
        "1:00:00",
        "100:00:00",
    ]


def test_in_a_terminal_the_display_is_live(elman, files, tmp_path, small, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    done = elman("train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small)
    assert done.code == 0
    assert "Ctrl-C ends training and keeps the best epoch" in done.err
    assert "epoch 1/6  training loss" not in done.err


def test_off_a_terminal_the_wait_for_kernels_is_explained_once_it_is_long(monkeypatch, capfd):
    monkeypatch.setattr("elman.estimators.progress.PATIENCE", 0.05)
    with follow(3):
        time.sleep(0.2)  # over something else: kernels are on disk
    assert capfd.readouterr().err == ""
    n_compiled = itertools.count()
    monkeypatch.setattr("elman.estimators.progress.n_compiled", lambda: next(n_compiled))
    with follow(3) as progress:
        progress.on_step_end({"step": 1, "epoch": 1, "step_in_epoch": 1, "n_steps_in_epoch": 2})
        time.sleep(0.2)
    assert capfd.readouterr().err == ""
    with follow(3):
        time.sleep(0.2)
    assert capfd.readouterr().err.startswith("Preparing. Kernels are compiled the first time ")


def test_what_is_said_meanwhile_stands_above_the_live_display_in_a_style_of_its_own(monkeypatch, capfd):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with follow(3) as progress, warnings_told(progress.console, ["known"]):
        progress.on_remark("every 5 steps are read as one (patch_size=1 turns it off).")
        for sentence in ("known", "Constant.", "Constant."):
            warnings.warn(sentence, UserWarning, stacklevel=1)
    told = capfd.readouterr().err
    assert "\x1b[2mnote: every 5 steps are read as one (--patch-size 1 turns it off).\x1b[0m\n" in told
    assert told.count("\x1b[33mwarning: Constant.\x1b[0m\n") == told.count("warning: ") == 1
    assert "Preparing. " in told
    assert "mPreparing. " not in told
