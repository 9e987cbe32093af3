"""What mattered: the logarithm of a predicted probability, shared among the steps and features of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.errors import DataError, ParameterError, did_you_mean
from elman.estimators.base import RecurrentEstimator, require_fitted
from elman.estimators.features import feature_names, read_like_training
from elman.estimators.labels import as_labels, encode
from elman.insight.attribution_methods import Explained, gradient_x_input, integrated_gradients, occlusion
from elman.insight.averaged import Averaged

_METHODS = {
    "integrated-gradients": integrated_gradients,
    "gradient-x-input": gradient_x_input,
    "occlusion": occlusion,
}
METHODS = (*_METHODS,)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each step and feature of N sequences speaks for a class, in nats of log p(class).

    Parameters
    ----------
    values : float64 array (S, F)
        By the user's own steps, of all sequences end to end, and features; above 0 what speaks for the class.
    offsets : int64 array (N + 1,)
        Sequence n is ``values[offsets[n]:offsets[n + 1]]``.
    codes : int64 array (N,)
        The class that is explained, among ``classes``.
    classes : array (C,)
    feature_names : tuple of F str
    method : str
    log_proba, baseline : float64 array (N,)
        log p of the class: of the sequence, and of one of as many steps at the baseline.
    gap : float64 array (N,)
        The sum of the values less ``log_proba - baseline``: 0 where the values are shares of all there is to explain.
    is_complete : bool array (N,)
        Whether the gap is at most 1 % of that difference, or 0.001 nats.
    steps : int64 array (N,) or None
        Of a tagger, the step whose label is explained.
    """

    values: Array
    offsets: Ints
    codes: Ints
    classes: NDArray[Any]
    feature_names: tuple[str, ...]
    method: str
    log_proba: Array
    baseline: Array
    gap: Array
    is_complete: NDArray[np.bool_]
    steps: Ints | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, n: int) -> Array:
        """Give the values of one sequence, a view (T, F)."""
        if not -len(self) <= n < len(self):
            raise IndexError(f"There is no sequence {n} among {len(self)}.")
        n %= len(self)
        return self.values[self.offsets[n] : self.offsets[n + 1]]

    def by_feature(self, n: int) -> Array:
        """Give the sum over the steps of one sequence, (F,)."""
        return np.asarray(self[n].sum(axis=0))

    def by_step(self, n: int) -> Array:
        """Give the sum over the features of each step of one sequence, (T,)."""
        return np.asarray(self[n].sum(axis=1))


def attribute(
    estimator: RecurrentEstimator,
    X: Any,
    *,
    method: str = "integrated-gradients",
    classes: Any = None,
    step: int | None = None,
) -> Attribution:
    """Share log p(class) of each sequence among its steps and features.

    What is explained is how log p of the class differs from that of the baseline: a sequence as long in which every
    feature stands at its mean over the training part, and every kind and token is unknown. Without ``standardise`` the
    baseline is 0. In logarithms the shares of independent pieces of evidence add up, and none is lost where p nears 1.

    Several members are explained as the mean of their probabilities. A temperature of calibration is left out: it
    changes no ranking of the classes.

    Parameters
    ----------
    estimator : a fitted SequenceClassifier or SequenceTagger
    X : sequences, as for ``estimator.predict``
    method : {'integrated-gradients', 'gradient-x-input', 'occlusion'}
        See `elman.insight.attribution_methods`, and for which to trust when ``docs/attribution.md``.
    classes : label, or labels (N,), optional
        The class to explain, for all sequences or for each; default the one that is predicted.
    step : int, optional
        Of a `SequenceTagger`, which needs it: the step whose label is explained; below 0 from the end of each sequence.

    Returns
    -------
    Attribution
        The values of a patch of steps are by each of its steps; those of a feature's indicators of missing values, and
        of all its kinds, are summed up.

    Raises
    ------
    ParameterError
        If the method is none of these, or ``step`` is missing or not for this estimator.
    DataError
        If the sequences are not like those of training, a class was never seen in training, or a sequence has no such
        step.

    Examples
    --------
    Class 1 has a bump in feature 1, somewhere:

    >>> from elman import SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(80, 20, 2)), np.arange(80) % 2
    >>> at = rng.integers(0, 15, size=80)
    >>> for n in np.flatnonzero(y):
    ...     X[n, at[n] : at[n] + 5, 1] += 3
    >>> classifier = SequenceClassifier(hidden_size=8, max_epochs=20, random_state=0).fit(X, y)
    >>> found = attribute(classifier, X[1:2])
    >>> int(found.by_feature(0).argmax())
    1
    >>> bool(at[1] <= found[0][:, 1].argmax() < at[1] + 5)
    True
    >>> bool(found.is_complete[0])
    True
    """
    if method not in METHODS:
        raise ParameterError(
            f"The 'method' parameter of attribute must be one of {', '.join(map(repr, METHODS))}. "
            f"Got {method!r} instead.{did_you_mean(method, METHODS)}"
        )
    require_fitted(estimator, "attribute")
    sequences = read_like_training(estimator, X)
    steps = _steps(estimator, sequences, step)
    codes = _codes(estimator, sequences, classes, steps)
    model = Averaged(estimator.networks_, estimator.preparation_, estimator.n_threads)
    explained, values = [], []
    for n in range(len(sequences)):
        one = sequences.between(n, n + 1)
        targets = codes[n : n + 1]
        if steps is not None:
            targets = np.full(len(one.values), -1)
            targets[steps[n]] = codes[n]
        inputs = model.read(estimator._prepared(one, n), targets)
        explained.append(Explained.of(model, inputs, len(one.values), one.n_features))
        values.append(_METHODS[method](explained[-1]))
    return Attribution(
        values=np.concatenate(values),
        offsets=sequences.offsets,
        codes=codes,
        classes=estimator.classes_,
        feature_names=_names(estimator, sequences),
        method=method,
        log_proba=np.array([each.log_proba for each in explained]),
        baseline=np.array([each.baseline for each in explained]),
        gap=np.array([each.gap(found) for each, found in zip(explained, values)]),
        is_complete=np.array([each.is_complete(found) for each, found in zip(explained, values)]),
        steps=steps,
    )


def _steps(estimator: RecurrentEstimator, sequences: Sequences, step: int | None) -> Ints | None:
    """Give the step of each sequence whose label is explained, (N,); None for an estimator of one label a sequence."""
    if not estimator.every_step:
        if step is not None:
            raise ParameterError(
                f"The 'step' parameter of attribute must be None for {type(estimator).__name__}, which gives a "
                f"sequence one label. Got {step!r} instead."
            )
        return None
    if not isinstance(step, int | np.integer) or isinstance(step, bool):
        raise ParameterError(
            f"The 'step' parameter of attribute must be a whole number for {type(estimator).__name__}: the step whose "
            f"label is explained. Got {step!r} instead; pass step=-1 for the last of each sequence."
        )
    lengths = sequences.lengths
    short = (step >= lengths) | (step < -lengths)
    if short.any():
        n = int(np.argmax(short))
        raise DataError(f"X[{n}] must have a step {step}, whose label is explained. It has {lengths[n]} steps.")
    return np.where(step < 0, lengths + step, step).astype(np.int64)


def _codes(estimator: RecurrentEstimator, sequences: Sequences, classes: Any, steps: Ints | None) -> Ints:
    """Give the class that is explained of each sequence, (N,)."""
    if classes is None:
        winners = estimator._winners(sequences)
        return winners if steps is None else winners[sequences.offsets[:-1] + steps]
    is_one = np.ndim(classes) == 0
    labels = as_labels([classes] if is_one else classes, "classes")
    if not is_one and len(labels) != len(sequences):
        raise DataError(
            f"classes must be one label, or one for each sequence, {len(sequences)}. Got {len(labels)} instead."
        )
    codes = encode(labels, estimator.classes_, place_of="classes[{}]".format)
    return np.repeat(codes, len(sequences)) if is_one else codes


def _names(estimator: RecurrentEstimator, sequences: Sequences) -> tuple[str, ...]:
    """Give what the features are called, and where they have no names the kind of thing, or a number."""
    names = feature_names(estimator) or sequences.feature_names
    if names is not None:
        return names
    if sequences.n_features == 1:
        return ("value" if sequences.categories_of(0) is None else "token",)
    return tuple(f"feature {n}" for n in range(sequences.n_features))
