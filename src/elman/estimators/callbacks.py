"""scikit-learn's callbacks, where the installed version has them: a fit is a task, an epoch a subtask of it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

from elman.training.callbacks import Callback
from elman.training.history import Record

_Method = TypeVar("_Method", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn has no callbacks yet."""

    def with_callbacks(method: Any) -> Any:
        """Give the method as it is."""
        return method


def calling_back(method: _Method) -> _Method:
    """Have the callbacks set up and torn down around a fit."""
    managed: _Method = with_callbacks(method)
    return managed


class CallbackSupport(CallbackSupportMixin):  # type: ignore[misc]
    """Gives an estimator `set_callbacks`."""


class FitTask(Callback):
    """Tells the callbacks that are set on an estimator of its fit and of every epoch.

    Of several members it follows the first, and shows an estimator of that one alone.

    Parameters
    ----------
    estimator : the estimator whose fit is called
    X, y, sample_weight : what fit was called with
    max_epochs : int
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, max_epochs: int) -> None:
        self._data = {"X": X, "y": y, "metadata": None if sample_weight is None else {"sample_weight": sample_weight}}
        self._estimator = self._learner = estimator
        self._task: Any = None
        self._epoch: Any = None
        self._n_begun = 0  # epochs
        if hasattr(estimator, "_init_callback_context"):
            self._task = estimator._init_callback_context(max_subtasks=int(max_epochs))
            self._task.call_on_fit_task_begin(estimator=estimator, **self._data)

    def watch(self, learner: Any) -> FitTask:
        """Show the callbacks this copy of the estimator, which is being trained."""
        self._learner = learner
        return self

    def on_epoch_begin(self, epoch: int) -> None:
        """Begin a subtask; a run that went back makes epochs twice, of which scikit-learn is told the first time."""
        if self._task is not None and epoch > self._n_begun:
            self._n_begun = epoch
            self._epoch = self._task.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_epoch_end(self, record: Record) -> bool:
        """End the subtask; callbacks see the estimator with the parameters of the epoch, and may end training."""
        if self._epoch is None:
            return False
        epoch, self._epoch = self._epoch, None
        stop = epoch.call_on_fit_task_end(
            estimator=self._estimator, reconstruction_attributes=lambda: _fitted(self._learner), **self._data
        )
        return bool(stop)

    def end(self) -> None:
        """Tell that the fit is done, and the estimator has what it learned."""
        if self._task is not None:
            self._task.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes=dict, **self._data)


def _fitted(learner: Any) -> dict[str, Any]:
    """Give the attributes that predicting needs, of this moment: the network's parameters go on changing."""
    attributes = {
        name: value for name, value in vars(learner).items() if name.endswith("_") or name == "_fit_parameters"
    }
    return attributes | {"networks_": [deepcopy(learner.network_)]}
