"""Runs of MLflow, as its own client reads them."""

import pytest

pytest.importorskip("mlflow", reason="MLflow is an extra that not every machine has")

from elman.errors import OutputError
from elman.watching import MlflowRun


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """Have MLflow keep its records in files of this test."""
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlruns")
    yield mlflow
    assert mlflow.active_run() is None


def metrics(mlflow, run_id, name):
    return [(m.step, m.value) for m in mlflow.MlflowClient().get_metric_history(run_id, name)]


def test_mlflow_has_every_setting_and_every_figure_of_the_history(mlflow, tell):
    callback = MlflowRun("vowels", run_name="first")
    history, _ = tell(callback, stopped_early=True)
    run = mlflow.get_run(callback.run_id)
    assert run.info.experiment_id == mlflow.get_experiment_by_name("vowels").experiment_id
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params["optimizer"] == "adamw"
    assert (run.data.params["cell"], run.data.params["n_sequences"]) == ("lstm", "26")
    assert (run.data.tags["elman.best_epoch"], run.data.tags["elman.reason"]) == ("5", "stopped")
    for name in set(history.records[0]) - {"steps"}:
        assert metrics(mlflow, callback.run_id, name) == [(r["steps"], r[name]) for r in history.records], name


def test_an_active_run_is_logged_to_and_left_open(mlflow, tell):
    with mlflow.start_run() as active:
        callback = MlflowRun()
        tell(callback, last=1, validated=False)
        assert callback.run_id == active.info.run_id
        assert mlflow.active_run() is not None
    assert "validation_loss" not in mlflow.get_run(active.info.run_id).data.metrics


def test_an_interrupted_run_is_marked_so(mlflow, tell):
    callback = MlflowRun()
    tell(callback, last=1, interrupted=True)
    assert mlflow.get_run(callback.run_id).info.status == "KILLED"


def test_a_file_can_be_added_when_the_run_has_ended(mlflow, tell, tmp_path):
    callback = MlflowRun()
    with pytest.raises(RuntimeError, match="no run yet"):
        callback.log_file("model.safetensors")
    tell(callback, last=1)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    callback.log_file(tmp_path / "model.safetensors")
    (found,) = mlflow.MlflowClient().list_artifacts(callback.run_id)
    assert (found.path, found.file_size) == ("model.safetensors", 7)
    with pytest.raises(OutputError, match="nothing: MLflow does not take the file"):
        callback.log_file(tmp_path / "nothing")


def test_a_failing_mlflow_does_not_end_training(mlflow, tell, monkeypatch):
    def fail(*arguments, **named):
        raise mlflow.MlflowException("the server is gone")

    monkeypatch.setattr(mlflow, "log_metrics", fail)
    callback = MlflowRun()
    with pytest.warns(UserWarning, match="MLflow did not take all records of the run: the server is gone") as warned:
        tell(callback)
    assert len(warned) == 1
    assert mlflow.get_run(callback.run_id).info.status == "FINISHED"
