"""One sequence through a network and back: every quantity of backpropagation through time, in order.

    forward   x_t -> pre-activations -> gates -> c_t, h_t, for each layer and direction; features, logits, softmax, loss
    backward  dL/dlogits -> dL/dh_t, dL/dc_t -> dL/d(pre-activations), t = T, ..., 1
              each weight's gradient = sum over t of what step t adds to it
    update    w - learning_rate * dL/dw

The numbers are those of the textbook in `elman.kernels.reference`, in float64, which the compiled engine equals.
"""

from __future__ import annotations

from collections.abc import Sequence as ListOf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, ParameterError
from elman.insight.contribution import contributions
from elman.insight.passage import passages
from elman.insight.unrolled import Unrolled, Value
from elman.kernels.reference import cross_entropy, softmax
from elman.kernels.reference_network import Masks, Run, network_backward, network_forward, shares_of_loss
from elman.network.architecture import Architecture
from elman.network.network import Network

Array = NDArray[np.float64]


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
    remark: str = "",
) -> Unrolled:
    """Run one sequence forward and backward through a network by the textbook, and keep everything.

    Parameters
    ----------
    network : Network
        Of any cell, layers, directions, readout and options; nothing is drawn, as in a prediction.
    values : float array (T, D')
        Prepared, as the network takes them.
    target : int, or int array (T,) where every step is classified
        The target class; -1 for a step without a label.
    learning_rate : float > 0
        Of the update, by plain gradient descent.
    classes : C names, optional
        Else '0', '1' and so on.
    feature_names : D' names, optional
        Else feature 0, feature 1 and so on.
    raw : T tuples of D' values, optional
        What the columns were before they were prepared.
    title : str
    remark : str
        What a step is, where it is not one of the data.

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
        remark=remark,
        architecture=architecture,
        classes=_names(classes, architecture.n_classes, ""),
        feature_names=_names(feature_names, architecture.input_size, "feature "),
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


def _names(given: ListOf[Any] | None, n: int, kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}{k}" for k in range(n)) if given is None else tuple(str(name) for name in given)


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
