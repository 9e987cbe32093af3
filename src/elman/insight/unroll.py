"""One sequence through a network and back: every quantity of backpropagation through time, in order.

    forward   x_t -> pre-activations -> gates -> c_t, h_t, for each layer and direction; features, logits, softmax, loss
    backward  dL/dlogits -> dL/dh_t, dL/dc_t -> dL/d(pre-activations), t = T, ..., 1
              each weight's gradient = sum over t of what step t adds to it
    update    w - learning_rate * dL/dw

The numbers are those of the textbook in `elman.kernels.reference`, in float64, which the compiled engine equals.
"""

from __future__ import annotations

from collections.abc import Sequence as ListOf
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, ParameterError
from elman.insight.contribution import Contribution, contributions
from elman.insight.passage import Passage, passages
from elman.kernels.reference import cross_entropy, softmax
from elman.kernels.reference_network import Masks, Run, network_backward, network_forward, shares_of_loss
from elman.network.architecture import Architecture
from elman.network.network import Network

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


def unroll(
    network: Network,
    values: NDArray[Any],
    target: Any,
    *,
    learning_rate: float = 0.1,
    classes: ListOf[Any] | None = None,
    feature_names: ListOf[str] | None = None,
    raw: tuple[tuple[Value, ...], ...] | None = None,
    title: str = "",
) -> Unrolled:
    """Run one sequence forward and backward through a network by the textbook, and keep everything.

    Parameters
    ----------
    network : Network
        Of any cell, layers, directions, readout and options; nothing is drawn, as in a prediction.
    values : float array (T, D')
        Prepared, as the network takes them.
    target : int, or int array (T,) where every step is classified
        The class that the loss wants; -1 for a step without a label.
    learning_rate : float > 0
        Of the update, by plain gradient descent.
    classes : C names, optional
        Else '0', '1' and so on.
    feature_names : D' names, optional
        Else x1, x2 and so on.
    raw : T tuples of D' values, optional
        What the columns were before they were prepared.
    title : str

    Returns
    -------
    Unrolled

    Raises
    ------
    ParameterError, DataError
        If the rate, the values or the target break their contract.

    Source: P. J. Werbos, "Backpropagation through time: what it does and how to do it" (1990).

    Examples
    --------
    >>> network = Network(Architecture(2, 2, cell="elman", hidden_size=3, bidirectional=False), dtype="float64")
    >>> network.initialise(np.random.default_rng(0), "uniform")
    >>> unrolled = unroll(network, np.array([[1.0, 0.0], [0.0, 1.0]]), 1, learning_rate=0.5)
    >>> added = unrolled.contributions["weight_hh_l0"]
    >>> bool(np.allclose(added.at(0) + added.at(1), unrolled.gradients["weight_hh_l0"]))
    True
    >>> unrolled.loss_after < unrolled.loss
    True
    """
    architecture = network.architecture
    values = _checked_values(values, architecture)
    targets = _checked_targets(target, len(values), architecture)
    is_number = isinstance(learning_rate, int | float | np.number) and not isinstance(learning_rate, bool)
    if not (is_number and np.isfinite(learning_rate) and learning_rate > 0):
        raise ParameterError(f"The 'learning_rate' parameter must be a number above 0. Got {learning_rate!r} instead.")
    weights = {name: np.array(value, np.float64) for name, value in network.parameters.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        run = _forward(values, weights, architecture)
    if not np.isfinite(run.logits).all():
        raise DataError(
            "values must give finite scores of every class; the network's scores of this sequence are not. Are its "
            "values far beyond those of training? Scale it, or take another."
        )
    losses, d_logits = cross_entropy(run.logits, targets)
    shares = shares_of_loss(targets)
    gradients = {name: np.zeros(weight.shape) for name, weight in weights.items()}
    embeddings = architecture.embeddings
    d_logits = shares[:, None] * d_logits
    way = network_backward(d_logits, run, weights, gradients, cell=architecture.cell, embeddings=embeddings)
    with np.errstate(over="ignore", invalid="ignore"):
        updated = {name: weight - learning_rate * gradients[name] for name, weight in weights.items()}
        losses_after, _ = cross_entropy(_forward(values, updated, architecture).logits, targets)
    loss_after = float(shares @ losses_after)
    if not np.isfinite(loss_after):
        raise ParameterError(
            "The 'learning_rate' parameter must leave the loss a number after the update. "
            f"Got {learning_rate}; try 0.1."
        )
    return Unrolled(
        title=title,
        architecture=architecture,
        classes=_names(classes, architecture.n_classes, "", 0),
        feature_names=_names(feature_names, architecture.input_size, "x", 1),
        raw=raw,
        values=values,
        targets=targets,
        passages=passages(run, way, architecture),
        h=run.h,
        share=run.share,
        features=run.features,
        logits=run.logits,
        proba=softmax(run.logits),
        losses=np.where(targets < 0, np.nan, losses),
        loss=float(shares @ losses),
        d_logits=d_logits,
        d_features=way.d_features,
        d_readout=way.d_h,
        parameters=weights,
        gradients=gradients,
        contributions=contributions(run, way, d_logits, architecture),
        learning_rate=float(learning_rate),
        loss_after=loss_after,
    )


def _forward(values: Array, weights: dict[str, Array], architecture: Architecture) -> Run:
    """Run a sequence as a prediction does: zoneout at its mean; overflow is the caller's to tell."""
    n_states = 2 if architecture.cell == "lstm" else 1
    sizes = [architecture.hidden_sizes[layer] for layer, _ in architecture.suffixes()]
    stays = [np.full((len(values), n_states, size), architecture.zoneout) for size in sizes]
    return network_forward(
        values,
        weights,
        cell=architecture.cell,
        num_layers=architecture.num_layers,
        bidirectional=architecture.bidirectional,
        readout=architecture.readout,
        loss_at=architecture.loss_at,
        residual=architecture.residual,
        masks=Masks(zoneout=stays if architecture.zoneout else ()),
        embeddings=architecture.embeddings,
    )


def _names(given: ListOf[Any] | None, n: int, letter: str, first: int) -> tuple[str, ...]:
    return tuple(f"{letter}{k + first}" for k in range(n)) if given is None else tuple(str(name) for name in given)


def _checked_values(values: NDArray[Any], architecture: Architecture) -> Array:
    values = np.array(values, np.float64)
    if values.ndim != 2 or len(values) == 0 or values.shape[1] != architecture.input_size:
        raise DataError(
            f"values must be one sequence (T, {architecture.input_size}), prepared as the network takes it. "
            f"Got shape {values.shape} instead."
        )
    if not np.isfinite(values).all():
        raise DataError("values must be finite numbers. Got NaN or infinity; prepare the sequence first.")
    for column, n_codes, _ in architecture.embeddings:
        codes = values[:, column]
        if (codes != np.floor(codes)).any() or codes.min() < 0 or codes.max() >= n_codes:
            raise DataError(f"values must hold codes from 0 to {n_codes - 1} in column {column}. Got others.")
    return values


def _checked_targets(target: Any, n_steps: int, architecture: Architecture) -> NDArray[np.int64]:
    rows = n_steps if architecture.loss_at == "every_step" else 1
    targets = np.atleast_1d(np.asarray(target))
    contract = f"{'a class code' if rows == 1 else f'{rows} class codes'} from 0 to {architecture.n_classes - 1}"
    if targets.shape != (rows,) or targets.dtype.kind not in "iu":
        raise DataError(f"target must be {contract}. Got {target!r} instead.")
    if targets.max() >= architecture.n_classes or targets.min() < -1 or targets.max() < 0:
        raise DataError(
            f"target must be {contract}, with at least one that is a class. Got {targets.tolist()} instead."
        )
    return targets.astype(np.int64)
