"""--log, --tensorboard and --mlflow of `elman train`."""

import json

import pytest

import elman as library


def train(elman, files, model, *options):
    small = ["--hidden-size", 4, "--max-epochs", 3, "--threads", 1]
    return elman("train", files / "walks_TRAIN.csv", "--model", model, "--label", "direction", *small, *options)


def test_a_log_and_event_files_hold_the_history_of_the_model(elman, files, tmp_path):
    pytest.importorskip("tensorboardX", reason="tensorboardX writes the event files")
    log, runs = tmp_path / "run.jsonl", tmp_path / "runs" / "first"
    done = train(elman, files, tmp_path / "m", "--log", log, "--tensorboard", runs, "--log-every", 2)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["kind"] for line in lines if line["kind"] != "step"] == ["begin", *["epoch"] * 3, "end"]
    assert [line["step"] for line in lines if line["kind"] == "step"]
    assert all(line["step"] % 2 == 0 for line in lines if line["kind"] == "step")
    assert lines[-1]["best_epoch"] == library.load(tmp_path / "m").training_["best_epoch"]
    assert sorted(path.name for path in runs.iterdir()) == ["steps", "training", "validation"]


def test_mlflow_gets_the_run_and_the_model(elman, files, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow is an extra that not every machine has")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlruns")
    assert train(elman, files, tmp_path / "walks.model", "--mlflow", "walks").code == 0
    (run,) = mlflow.search_runs(experiment_names=["walks"], output_format="list")
    assert (run.info.status, run.data.metrics["epoch"]) == ("FINISHED", 3)
    assert [file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)] == ["walks.model"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--log", "{folder}/nowhere/run.jsonl"], "there is no folder"),
        (["--log", "{folder}/data.csv"], "expected a log of elman to replace, or no file, got another"),
        (["--log", "{folder}/m"], "the model would replace the log"),
        (["--log", "{folder}/c", "--checkpoint", "{folder}/c"], "the log and a file of the checkpoint"),
        (["--tensorboard", "{folder}/data.csv/runs"], "event files cannot be written"),
        (["--log-every", "5"], "--log-every needs something to write to. Pass '--log' or '--tensorboard' too."),
        (["--log", "{folder}/a", "--log-every", "0"], "--log-every must be an int in the range [1, inf). Got 0"),
    ],
)
def test_what_cannot_be_written_is_said_before_training(elman, files, tmp_path, options, error):
    (tmp_path / "data.csv").write_text("id,time\n")
    done = train(elman, files, tmp_path / "m", *(option.format(folder=tmp_path) for option in options))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert error in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_a_log_goes_on_with_a_training_that_was_interrupted(elman, files, tmp_path, monkeypatch):
    from elman.cli.progress import Progress

    def interrupt(self, epoch):
        if epoch == 3:
            raise KeyboardInterrupt

    options = ["--log", tmp_path / "run.jsonl", "--checkpoint", tmp_path / "walks.checkpoint"]
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_epoch_begin", interrupt)
        assert train(elman, files, tmp_path / "m", *options).code == 0
    assert train(elman, files, tmp_path / "m", *options).code == 0
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines if line["kind"] == "epoch"] == [1, 2, 3]
    assert [line["reason"] for line in lines if line["kind"] == "end"][-1] == "max_epochs"


def test_an_mlflow_that_does_not_take_the_run_is_one_line_of_error(elman, files, tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="MLflow is an extra that not every machine has")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://runs")
    done = train(elman, files, tmp_path / "m", "--mlflow", "walks")
    assert done.code == 2
    assert "error: MLflow does not take the run: " in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []
