"""How the gradient flows back through time: how large dL/dh_t is at every step, and how far back it reaches.

    dL/dh_{t-1} = (what the output at t - 1 receives) + (dh_t / dh_{t-1})^T dL/dh_t

so that dL/dh at the first step is a product of as many Jacobians as there are steps: it vanishes or explodes with them.

Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013).
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from elman.errors import ParameterError

Array = np.ndarray[Any, Any]
VANISHED = 1e-6  # of a sequence's largest norm: below it a step no longer teaches
FALL = 10.0  # the fall of the norm that ends what counts as memory
_FEWEST = 1 / 20  # of the sequences, that a lag of a profile is of


@dataclass(frozen=True, eq=False, repr=False)
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

    @cached_property
    def _sequence_of_each_step(self) -> Array:
        numbers: Array = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return numbers

    @cached_property
    def relative(self) -> Array:
        """The `carried` norms over the largest of their own sequence (K, S), so that each sequence counts alike.

        From 0 to 1; 0 throughout where a sequence has no gradient at all.
        """
        largest = np.repeat(self._largest, self.lengths, axis=1)
        relative: Array = np.divide(self.carried, largest, out=np.zeros_like(self.carried), where=largest > 0)
        return relative

    @cached_property
    def _largest(self) -> Array:
        """The largest norm of each sequence (K, N), 0 where it is not finite, as if there were no gradient."""
        largest: Array = np.maximum.reduceat(self.carried, self.offsets[:-1], axis=1)
        return np.where(np.isfinite(largest), largest, 0.0)

    def number(self, k: int | str) -> int:
        """Return the row of a layer and direction, given by that number or by its name.

        Raises
        ------
        ParameterError
            If there is none.
        """
        if k in self.names:
            return self.names.index(str(k))
        if isinstance(k, int | np.integer) and not isinstance(k, bool) and 0 <= k < len(self.names):
            return int(k)
        known = ", ".join(map(repr, self.names))
        raise ParameterError(
            f"A layer and direction must be one of {known}, or its number in 0..{len(self.names) - 1}. "
            f"Got {k!r} instead."
        )

    def is_reverse(self, k: int | str) -> bool:
        """Whether a direction reads from the last step to the first."""
        return self.names[self.number(k)].endswith("_reverse")

    def lags(self, k: int | str) -> Array:
        """How many steps before the direction's end each step is: int64 (S,)."""
        return self._steps_after_the_start if self.is_reverse(k) else self._steps_before_the_end

    def over_lags(self, k: int | str, norms: Array) -> Array:
        """Return the mean of norms (S,) at each lag (T,), over the sequences that are that long."""
        lags = self.lags(k)
        mean: Array = np.bincount(lags, norms) / np.bincount(lags)
        return mean

    def profile(self, k: int | str) -> Array:
        """Return the median of the `relative` norms at each lag (T,), over the sequences that are that long.

        It ends where fewer than a twentieth of the sequences go on, since so few would tell of themselves alone.
        Sequences without any gradient are left out; zeros if that is all.
        """
        k = self.number(k)
        has_gradient = self._largest[k] > 0
        if not has_gradient.any():
            return np.zeros(int(self.lengths.max()))
        n = int(has_gradient.sum())
        n_lags = int(np.sort(self.lengths[has_gradient])[-math.ceil(_FEWEST * n)])
        lags, sequences, norms = self.lags(k), self._sequence_of_each_step, self.relative[k]
        if n < len(has_gradient) or n_lags < self.lengths.max():
            chosen = (lags < n_lags) & has_gradient[sequences]
            lags, sequences, norms = lags[chosen], sequences[chosen], norms[chosen]
        by_lag = np.full((n_lags, len(has_gradient)), np.inf)
        by_lag[lags, sequences] = norms
        by_lag.sort(axis=1)  # what is missing is at the end
        counts, each = np.bincount(lags), np.arange(n_lags)
        median: Array = (by_lag[each, (counts - 1) // 2] + by_lag[each, counts // 2]) / 2
        return median

    def memory(self, k: int | str) -> int:
        """Return how many steps the gradient reaches back: until its profile is a tenth of its greatest or less.

        The length of the profile if it never is; 0 if there is no gradient at all.
        """
        return memory_of(self.profile(k))

    def ratio(self, k: int | str) -> float:
        """Return the norm at the first step that is read over that at the last, the median over the sequences.

        Sequences without a gradient at the last step are left out; 0 if that is all.
        """
        k = self.number(k)
        starts, ends = self.offsets[:-1], self.offsets[1:] - 1
        first, last = (ends, starts) if self.is_reverse(k) else (starts, ends)
        at_first, at_last = self.relative[k, first], self.relative[k, last]
        has_gradient = at_last > 0
        ratios = np.sort(at_first[has_gradient] / at_last[has_gradient])
        n = len(ratios)
        return float(ratios[(n - 1) // 2] + ratios[n // 2]) / 2 if n else 0.0

    def vanished(self, k: int | str) -> float:
        """Return the share of steps whose norm is below a millionth of their sequence's largest.

        Sequences without any gradient are left out; 0 if that is all.
        """
        k = self.number(k)
        counted = (self._largest[k] > 0)[self._sequence_of_each_step]
        n = int(counted.sum())
        return int((counted & (self.relative[k] < VANISHED)).sum()) / max(n, 1)

    def __repr__(self) -> str:
        """Show what it says of each layer and direction."""
        lines = [
            f"  {name}: memory {self.memory(name)} of {len(self.profile(name))} steps, ratio {self.ratio(name):.2g}, "
            f"vanished {self.vanished(name):.0%}"
            for name in self.names
        ]
        about = f"{type(self).__name__} of {len(self.lengths)} sequences, readout {self.readout!r}"
        return "\n".join([about, *lines])


@dataclass(frozen=True, eq=False, repr=False)
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
