"""What an unrolled sequence holds: every quantity of backpropagation through time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.insight.contribution import Contribution
from elman.insight.passage import Passage
from elman.network.architecture import Architecture

Array = NDArray[np.float64]
Value = float | str | None


@dataclass(frozen=True, eq=False, repr=False)
class Unrolled:
    """A sequence of T steps on its way through a network and back.

    Shapes: D' columns of a prepared step, C classes, F features of the readout; R rows of class scores: one, or one a
    step where every step is classified. All arrays are float64 and in the sequence's own order of time.

    Parameters
    ----------
    title : str
    remark : str
        A sentence on what a step is, where it is not one of the data; else empty.
    architecture : Architecture
    classes : tuple of C str
    feature_names : tuple of D' str
    raw : tuple of T tuples of D' values, or None
        What the columns were in the data: a number or a name; None where they are of no single value.
    values : (T, D')
        What the network reads.
    targets : int64 (R,)
        Class codes; -1 for a step without a label, whose loss is NaN.
    passages : tuple of Passage
        Every layer and direction: l0, l0_reverse, l1, ...
    h : (T, F)
        What the last layer hands to the readout.
    share : (T, F) or None
        How much each h_t weighs in the features; None: every step has features of its own.
    features, d_features : (R, F)
    logits, proba, d_logits : (R, C)
    losses : (R,)
    loss : float
        The mean of the losses with a label.
    d_readout : (T, F)
        What each h_t of the last layer receives from the readout at its own step.
    parameters, gradients : dict of arrays
    contributions : dict of Contribution
        What each step adds to the gradient of each parameter.
    learning_rate : float
    loss_after : float
        The loss of the same sequence after the update.
    """

    title: str
    remark: str
    architecture: Architecture
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    raw: tuple[tuple[Value, ...], ...] | None
    values: Array
    targets: NDArray[np.int64]
    passages: tuple[Passage, ...]
    h: Array
    share: Array | None
    features: Array
    logits: Array
    proba: Array
    losses: Array
    loss: float
    d_logits: Array
    d_features: Array
    d_readout: Array
    parameters: dict[str, Array]
    gradients: dict[str, Array]
    contributions: dict[str, Contribution]
    learning_rate: float
    loss_after: float

    @property
    def n_steps(self) -> int:
        """T, the steps that the network reads."""
        return len(self.values)

    @property
    def every_step(self) -> bool:
        """Whether each step is classified."""
        return self.share is None

    @cached_property
    def updated(self) -> dict[str, Array]:
        """The parameters after one step of plain gradient descent."""
        return {name: value - self.learning_rate * self.gradients[name] for name, value in self.parameters.items()}

    def to_dict(self) -> dict[str, Any]:
        """Give every number as JSON can hold it."""
        forward = ("values", "targets", "h", "share", "features", "logits", "proba")
        backward = ("d_logits", "d_features", "d_readout")
        return {
            "title": self.title,
            "remark": self.remark,
            "architecture": {name: getattr(self.architecture, name) for name in self.architecture.__dataclass_fields__},
            "classes": list(self.classes),
            "feature_names": list(self.feature_names),
            "raw": None if self.raw is None else [list(step) for step in self.raw],
            **{name: _as_lists(getattr(self, name)) for name in forward},
            "losses": [None if np.isnan(loss) else loss for loss in self.losses.tolist()],
            "loss": self.loss,
            **{name: _as_lists(getattr(self, name)) for name in backward},
            "layers": [passage.to_dict() for passage in self.passages],
            "contributions": {name: each.to_dict() for name, each in self.contributions.items()},
            "learning_rate": self.learning_rate,
            "update": {
                name: {
                    "old": old.tolist(),
                    "gradient": self.gradients[name].tolist(),
                    "new": self.updated[name].tolist(),
                }
                for name, old in self.parameters.items()
            },
            "loss_after": self.loss_after,
        }


def _as_lists(array: Array | None) -> Any:
    """Give an array as nested lists, None as it is."""
    return None if array is None else array.tolist()
