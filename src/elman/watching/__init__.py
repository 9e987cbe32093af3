"""Training as it goes, for others to see: JSON lines, TensorBoard, MLflow; and what a callback of one's own is made of.

Each is a `Callback`; a fit takes any number of them: ``classifier.fit(X, y, callbacks=[JsonLines("run.jsonl")])``.
"""

from elman.training.callbacks import Callback, Run, StepRecord
from elman.training.history import History, Record
from elman.watching.json_lines import JsonLines
from elman.watching.mlflow_run import MlflowRun
from elman.watching.tensorboard import TensorBoardWriter

__all__ = ["Callback", "History", "JsonLines", "MlflowRun", "Record", "Run", "StepRecord", "TensorBoardWriter"]
