"""How the gradient flows back through time: how large dL/dh_t is at every step, and how far back it reaches.

    dL/dh_{t-1} = (what the output at t - 1 receives) + (dh_t / dh_{t-1})^T dL/dh_t

so that dL/dh at the first step is a product of as many Jacobians as there are steps: it vanishes or explodes with them.

Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013).
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
VANISHED = 1e-6  # of a sequence's largest norm: below it a step no longer teaches
FALL = 10.0  # the fall of the norm that ends what counts as memory


@dataclass(frozen=True, eq=False)
class HiddenGradients:
    """The norms of dL/dh_t, and what they say of each layer in each direction.

    An LSTM carries the gradient back by its c_t, so what is said of one goes by dL/dc_t, of other cells by dL/dh_t.

    Lags count the steps from where a direction ends: lag 0 is the last step forward, and the first one in reverse.

    Parameters
    ----------
    offsets : int64 array (N + 1,)
        Where each sequence begins among all S steps.
    d_h : float64 array (K, S)
        Euclidean norm of the total derivative of a sequence's own loss by h_t, steps in the sequences' own order of
        time, whatever the direction. A row for each of `names`.
    names : tuple of K str
        "l0", "l0_reverse", "l1" and so on.
    readout : str
        "last", "mean", "max" or "attention".
    loss_at : str
        "last" or "every_step".
    d_c : float64 array (K, S) or None
        The same of an LSTM's c_t; dL/dc_t is the total derivative, with what goes through h_t. With zoneout it is by
        the c_t that is carried on, from which h_t is not made.
    """

    offsets: Array
    d_h: Array
    names: tuple[str, ...]
    readout: str
    loss_at: str
    d_c: Array | None = None

    @property
    def carried(self) -> Array:
        """The norms by the state that carries the gradient back (K, S): `d_c` of an LSTM, else `d_h`."""
        return self.d_h if self.d_c is None else self.d_c

    @cached_property
    def lengths(self) -> Array:
        """Steps of each sequence (N,)."""
        lengths: Array = self.offsets[1:] - self.offsets[:-1]
        return lengths

    @cached_property
    def _steps_before_the_end(self) -> Array:
        """How many steps each step is before its sequence's last (S,)."""
        lags: Array = np.repeat(self.offsets[1:], self.lengths) - np.arange(1, self.d_h.shape[1] + 1)
        return lags

    @cached_property
    def _steps_after_the_start(self) -> Array:
        steps: Array = np.arange(self.d_h.shape[1]) - np.repeat(self.offsets[:-1], self.lengths)
        return steps

    def is_reverse(self, k: int) -> bool:
        """Whether a direction reads from the last step to the first."""
        return self.names[k].endswith("_reverse")

    def lags(self, k: int) -> Array:
        """How many steps before the direction's end each step is: int64 (S,)."""
        return self._steps_after_the_start if self.is_reverse(k) else self._steps_before_the_end

    def over_lags(self, k: int, norms: Array) -> Array:
        """Return the mean of norms (S,) at each lag (T,), over the sequences that are that long."""
        lags = self.lags(k)
        mean: Array = np.bincount(lags, norms) / np.bincount(lags)
        return mean

    def profile(self, k: int) -> Array:
        """Return the mean of the `carried` norms at each lag (T,), over the sequences that are that long."""
        return self.over_lags(k, self.carried[k])

    def memory(self, k: int) -> int:
        """Return how many steps the gradient reaches back: until its profile is a tenth of its greatest or less.

        The length of the longest sequence if it never is; 0 if there is no gradient at all.
        """
        return memory_of(self.profile(k))

    def ratio(self, k: int) -> float:
        """Return the mean norm at the first step that is read over that at the last; 0 where there is no gradient."""
        starts, ends = self.offsets[:-1], self.offsets[1:] - 1
        first, last = (ends, starts) if self.is_reverse(k) else (starts, ends)
        at_first, at_last = float(self.carried[k, first].sum()), float(self.carried[k, last].sum())
        return at_first / at_last if at_last > 0 else 0.0

    def vanished(self, k: int) -> float:
        """Return the share of steps whose norm is below a millionth of their sequence's largest."""
        largest = np.maximum.reduceat(self.carried[k], self.offsets[:-1])
        is_below = self.carried[k] < VANISHED * np.repeat(largest, self.lengths)
        return float(np.count_nonzero(is_below) / len(is_below))


@dataclass(frozen=True, eq=False)
class GradientFlow(HiddenGradients):
    """The gradient on its way back through time, the states it passes and the gates that let it through.

    Made by `Network.gradient_flow` and by an estimator's ``gradient_flow``.

    Parameters
    ----------
    h : float64 array (K, S)
        Euclidean norm of h_t.
    c : float64 array (K, S) or None
        The same of an LSTM's c_t.
    saturated : dict from gate to float64 array (K, S)
        The share of a gate's units that are in the outer twentieths of its range: "i", "f", "g", "o" or "r", "z", "n";
        "tanh" of an Elman cell; "relu": the share of units at 0.
    """

    h: Array = field(kw_only=True)
    c: Array | None = field(default=None, kw_only=True)
    saturated: dict[str, Array] = field(default_factory=dict, kw_only=True)


def memory_of(profile: Array) -> int:
    """Return how many steps a profile takes from its greatest number to a tenth of it, see `HiddenGradients.memory`.

    >>> memory_of(np.array([1.0, 0.5, 0.2, 0.1, 0.05]))
    3
    >>> memory_of(np.array([1.0, 0.9, 0.8]))
    3
    """
    greatest = int(profile.argmax())
    if not profile[greatest] > 0:
        return 0
    fallen = profile[greatest:] <= profile[greatest] / FALL
    return greatest + int(fallen.argmax()) if fallen.any() else len(profile)


def shares_of_batch(
    offsets: Array, chosen: Array, targets: Array, weights: Array | None, scored: float, *, every_step: bool
) -> Array:
    """Return the share of each sequence's own loss in the loss of its batch (N,), or (1,) for all; 1 where it has none.

    The batch's loss is sum(w l) / scored over all its labelled targets, the sequence's own sum(w l) / sum(w) over its.
    """
    if weights is None and not every_step:
        return np.array([1 / (scored or 1.0)])
    if every_step:
        steps = [slice(offsets[n], offsets[n + 1]) for n in chosen]
        own = np.array([_weight(targets[of], None if weights is None else weights[of]).sum() for of in steps])
    else:
        own = _weight(targets[chosen], None if weights is None else weights[chosen])
    shares: Array = np.where(own > 0, own / (scored or 1.0), 1.0)
    return shares


def _weight(targets: Array, weights: Array | None) -> Array:
    """Return how much each target counts."""
    counted: Array = np.where(targets < 0, 0.0, 1.0 if weights is None else weights)
    return counted
