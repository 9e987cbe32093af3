"""Network: from sequences to class scores, and back to the gradient of every parameter.

A batch is cut into shards of at most 16 sequences; each goes its way (see `elman.kernels.passes`) on whichever thread
is free; the gradients are summed, always in the same order.
"""

import functools
import os
import threading
import weakref
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from elman.errors import ParameterError
from elman.kernels.cells import CELLS
from elman.kernels.flow import names_of, observer
from elman.kernels.loss import losses, softmax
from elman.kernels.plan import Plan, pack_all
from elman.network.architecture import Architecture
from elman.network.flow import GradientFlow, HiddenGradients, shares_of_batch
from elman.network.inputs import by_column, first_inputs, without_codes
from elman.network.layers import Layout, aligned
from elman.network.parameters import Parameters, initialise
from elman.network.threads import threads_or_default
from elman.network.workplace import NO_TARGETS, NOBODY, Workplace, as_ints

Array = np.ndarray[Any, Any]
Batch: TypeAlias = tuple[Array, Array, Array, Array | None, Array]  # values, offsets, targets, weights, chosen
MOST_SPARE = 1 << 26  # bytes of memory that a prediction keeps for the next one


class LossAndGradient(NamedTuple):
    """What one pass forward and backward over a batch gives."""

    loss: float
    gradient: Array  # (P,) as Parameters.vector
    logits: Array  # (N, C), or (S, C) with a loss at every step
    norm: float  # of the gradient, Euclidean
    correct: float  # the sum of the weights of targets that score highest; without weights how many these are
    scored: float  # the sum of the weights of all labelled targets; without weights how many these are
    flow: HiddenGradients | None = None  # where it was watched


class InputGradient(NamedTuple):
    """What `Network.input_gradient` gives."""

    losses: Array  # float64 (N,), or (S,) with a loss at every step: -log p(target), and 0 where there is no label
    d_values: Array  # (S, D) in the network's dtype


class Network:
    """A recurrent classifier: layers of cells, a readout, class scores.

    Values come in as one array (S, D) of all sequences end to end in the network's dtype, with int64 offsets (N + 1,):
    sequence n is values[offsets[n] : offsets[n + 1]].

    Parameters
    ----------
    architecture : Architecture
    dtype : "float32" or "float64"
    """

    def __init__(self, architecture: Architecture, *, dtype: str = "float32") -> None:
        of_type = np.dtype(dtype)
        self._hold(architecture, of_type, Parameters(architecture.parameter_shapes(), of_type))

    def _hold(self, architecture: Architecture, dtype: np.dtype[Any], parameters: Parameters) -> None:
        self.architecture, self.dtype, self.parameters = architecture, dtype, parameters
        self._prepare()

    def _prepare(self) -> None:
        self._learning: list[Workplace] = []
        self._spare: list[Workplace] = []
        self._explaining: list[Workplace] = []
        self._packing = threading.Lock()
        self._packed_from: Array | None = None  # the parameters that are packed for the forward sweep
        _networks.add(self)

    @functools.cached_property
    def _layout(self) -> Layout:
        return Layout(self.architecture, self.dtype)

    @functools.cached_property
    def _packed(self) -> Array:
        return aligned((1, self._layout.packed_size), self.dtype, zero=True)  # padding stays zero

    def __getstate__(self) -> dict[str, Any]:
        return {"architecture": self.architecture, "dtype": self.dtype, "parameters": self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def initialise(
        self,
        rng: np.random.Generator,
        scheme: str = "orthogonal",
        *,
        forget_bias: float | None = 1.0,
        longest: int | None = None,
    ) -> None:
        """Draw the start of every parameter; see `elman.network.parameters.initialise`."""
        initialise(self.parameters, self.architecture, rng, scheme, forget_bias, longest)

    def logits(self, values: Array, offsets: Array, *, n_threads: int | None = None) -> Array:
        """Return the class scores: (N, C), or (S, C) with a loss at every step."""
        offsets = as_ints(offsets, "offsets")
        chosen = np.arange(len(offsets) - 1)
        place = self._spare.pop() if self._spare else self._new_workplace(learning=False)  # one for each caller
        logits = self._new_logits(values, offsets, chosen)
        with self._packing:
            vector = self.parameters.vector
            if self._packed_from is None or not np.array_equal(self._packed_from, vector):
                self._packed_from = None  # an interruption from here on leaves nothing that passes for packed
                pack_all(self.plan, vector, self._packed[0], False)
                self._packed_from = vector.copy()
        place.prepare(values, offsets, NO_TARGETS, None, chosen, logits, -1, threads_or_default(n_threads))
        place.run()
        if place.forget() <= MOST_SPARE:
            self._spare.append(place)
        return logits

    @property
    def plan(self) -> Plan:
        """The network as the kernels see it."""
        return self._layout.plan

    def packed_weights(self) -> Array:
        """Return the parameters of this moment, packed for the forward sweep: an array of the caller's own."""
        packed = aligned((self._layout.packed_size,), self.dtype, zero=True)
        pack_all(self.plan, self.parameters.vector, packed, False)
        return packed

    def proba(self, values: Array, offsets: Array, *, n_threads: int | None = None) -> Array:
        """Return the class probabilities as float64, rows that sum to 1."""
        return softmax(self.logits(values, offsets, n_threads=n_threads))

    def loss_and_gradient(
        self,
        values: Array,
        offsets: Array,
        targets: Array,
        *,
        weights: Array | None = None,
        chosen: Array | None = None,
        dropout_key: int | None = None,
        label_smoothing: float = 0.0,
        n_threads: int | None = None,
        watched: bool = False,
    ) -> LossAndGradient:
        """Run forward and backward over a batch.

        Parameters
        ----------
        values : float array (S, D)
        offsets : int64 array (N + 1,)
        targets : int64 array of class numbers (N,), or (S,) with a loss at every step
            -1 where there is no label: no loss, no gradient, not counted.
        weights : float64 array, optional
            How much each target counts, at least 0; default 1 each.
        chosen : int64 array, optional
            The batch is these sequences, in this order; default all. Logits come in the order of the batch.
        dropout_key : int, optional
            Seed of the masks of this pass, of dropout, recurrent dropout and zoneout; None: as in a prediction.
        label_smoothing : float in [0, 1)
            Share of each target that is spread evenly over all classes, as PyTorch's: l is -sum(wanted log p) with
            wanted = (1 - label_smoothing) one_hot(target) + label_smoothing / C (Szegedy et al. 2016).
        watched : bool
            Whether to note the norm of dL/dh_t at every step, as `flow`: of each sequence's own loss, in the order of
            the batch.

        Returns
        -------
        LossAndGradient
            The loss is the mean over the sequences, or over all their steps with a loss at every step:
            sum(w l) / sum(w) over the labelled targets, and 0 where their weights sum to 0.
        """
        is_key = isinstance(dropout_key, int | np.integer) and not isinstance(dropout_key, bool)
        if dropout_key is not None and not (is_key and 0 <= dropout_key < 2**63):
            raise ParameterError(f"dropout_key must be an int in 0..2**63 - 1, or None. Got {dropout_key!r}.")
        if not 0 <= label_smoothing < 1:
            raise ParameterError(f"label_smoothing must be a number in [0, 1). Got {label_smoothing!r}.")
        offsets = as_ints(offsets, "offsets")
        chosen = np.arange(len(offsets) - 1) if chosen is None else as_ints(chosen, "chosen")
        key = -1 if dropout_key is None or not self.architecture.draws_masks else int(dropout_key)
        batch = (values, offsets, targets, weights, chosen)
        if not watched:
            return self._learn(batch, key, label_smoothing, n_threads, NOBODY)
        watch = self._watch(batch, everything=False)
        found = self._learn(batch, key, label_smoothing, n_threads, watch)
        d_states, at = self._seen(watch, batch, found.scored)
        d_h, d_c = d_states if len(d_states) == 2 else (d_states[0], None)
        return found._replace(flow=HiddenGradients(at, d_h, *self._flow_facts, d_c))

    def gradient_flow(
        self, values: Array, offsets: Array, targets: Array, *, n_threads: int | None = None
    ) -> GradientFlow:
        """Run forward and backward, without dropout, and return how the gradient flows back through time.

        Parameters as for `loss_and_gradient`. Each sequence's norms are those of its own loss: its cross-entropy, or
        the mean of it over the sequence's labelled steps; they are 0 where it has no label.
        """
        offsets = as_ints(offsets, "offsets")
        batch = (values, offsets, targets, None, np.arange(len(offsets) - 1))
        watch = self._watch(batch, everything=True)
        found = self._learn(batch, -1, 0.0, n_threads, watch)
        norms, at = self._seen(watch, batch, found.scored)
        seen = dict(zip(names_of(self.architecture.cell), norms))
        d_h, h, d_c, c = (seen.pop(name, None) for name in ("d_h", "h", "d_c", "c"))
        return GradientFlow(at, d_h, *self._flow_facts, d_c, h=h, c=c, saturated=seen)

    def _learn(
        self, batch: Batch, key: int, label_smoothing: float, n_threads: int | None, watch: tuple[int, Array]
    ) -> LossAndGradient:
        """Take a batch through the network and back, in a workplace of its own."""
        values, offsets, targets, weights, chosen = batch
        place = self._learning.pop() if self._learning else self._new_workplace(learning=True)  # one for each caller
        logits, threads = self._new_logits(values, offsets, chosen), threads_or_default(n_threads)
        place.prepare(values, offsets, targets, weights, chosen, logits, key, threads, label_smoothing, watch)
        place.run()
        gradient = np.empty_like(self.parameters.vector)
        loss, norm, correct, scored = place.finish(gradient)
        self._learning.append(place)
        return LossAndGradient(loss, gradient, logits, norm, correct, scored)

    def _watch(self, batch: Batch, *, everything: bool) -> tuple[int, Array]:
        """Return who looks on while a batch goes back, and room for what it sees."""
        a, (values, offsets, _, _, chosen) = self.architecture, batch
        rows = len(self._flow_facts[0]) * len(names_of(a.cell) if everything else CELLS[a.cell].states)
        who = observer(a.cell, self.dtype, zoneout=a.zoneout > 0)
        return who, np.empty((rows, int(_lengths(values, offsets, chosen).sum())))

    def _seen(self, watch: tuple[int, Array], batch: Batch, scored: float) -> tuple[Array, Array]:
        """Return what was seen (Q, K, S), gradients as those of each sequence's own loss, and the offsets (N + 1,)."""
        _, offsets, targets, weights, chosen = batch
        lengths = offsets[chosen + 1] - offsets[chosen]
        norms = watch[1].reshape(len(self._flow_facts[0]), -1, watch[1].shape[1]).swapaxes(0, 1)
        every_step = self.architecture.loss_at == "every_step"
        share = shares_of_batch(offsets, chosen, targets, weights, scored, every_step=every_step)
        n_gradients = len(CELLS[self.architecture.cell].states)
        norms[:n_gradients] /= share if len(share) == 1 else np.repeat(share, lengths)
        at = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=at[1:])
        return norms, at

    @functools.cached_property
    def _flow_facts(self) -> tuple[tuple[str, ...], str, str]:
        a = self.architecture
        return tuple(suffix.removeprefix("_") for _, suffix in a.suffixes()), a.readout, a.loss_at

    def from_inputs(self) -> "Network":
        """Return the network from what its first layer reads on: (S, E), see `first_inputs`; itself without codes.

        It holds the same parameters, not copies.
        """
        if not self.architecture.embeddings:
            return self
        inner = object.__new__(Network)
        architecture, parameters = without_codes(self.architecture, self.parameters)
        inner._hold(architecture, self.dtype, parameters)
        return inner

    def first_inputs(self, values: Array) -> Array:
        """Return what the first layer reads (S, E) of values (S, D): the numbers, then a vector for each code."""
        return first_inputs(self.architecture, self.parameters, values)

    def input_gradient(
        self, values: Array, offsets: Array, targets: Array, *, n_threads: int | None = None
    ) -> InputGradient:
        """Return each sequence's own -log p(target), and its gradient by the sequence's values.

        It does not depend on which other sequences are there. With a loss at every step, it is the gradient of the sum
        of the losses of a sequence's labelled steps.

        Parameters
        ----------
        values : float array (S, D)
        offsets : int64 array (N + 1,)
        targets : int64 array (N,), or (S,) with a loss at every step
            As for `loss_and_gradient`.

        Returns
        -------
        InputGradient
            A column of codes has no gradient. In its place stands that by the code's vector, times the vector: how much
            the loss would change if the vector grew. `from_inputs` gives a network of which one has the whole gradient.
        """
        if self.architecture.embeddings:
            inputs = self.first_inputs(values)
            found = self.from_inputs().input_gradient(inputs, offsets, targets, n_threads=n_threads)
            n_numbers = self.architecture.input_size - len(self.architecture.embeddings)
            inputs[:, :n_numbers] = 1
            return InputGradient(found.losses, by_column(self.architecture, inputs * found.d_values))
        offsets, targets, chosen = as_ints(offsets, "offsets"), as_ints(targets, "targets"), np.arange(len(offsets) - 1)
        place = self._explaining.pop() if self._explaining else Workplace(self._wide, self.parameters.vector, None)
        logits, wide = self._new_logits(values, offsets, chosen), _widened(values, self._wide.input_size)
        d_values = np.zeros_like(wide)
        threads = threads_or_default(n_threads)
        place.prepare(wide, offsets, targets, None, chosen, logits, -1, threads, d_values=d_values)
        place.run()
        if place.forget() <= MOST_SPARE:
            self._explaining.append(place)
        of_rows = np.where(targets < 0, 0.0, losses(logits, np.maximum(targets, 0)))
        return InputGradient(of_rows, np.ascontiguousarray(d_values[:, : values.shape[1]]))

    @functools.cached_property
    def _wide(self) -> Layout:
        return Layout(self.architecture, self.dtype, wants_d_values=True)

    def release(self) -> None:
        """Give back the memory that passes over batches keep for the next one."""
        self._learning = []
        self._spare = []
        self._explaining = []

    def renew_locks(self) -> None:
        """Start anew in a forked child, where the threads that held something are gone."""
        self._packing = threading.Lock()
        self._packed_from = None

    def _new_workplace(self, *, learning: bool) -> Workplace:
        return Workplace(self._layout, self.parameters.vector, None if learning else self._packed)

    def _new_logits(self, values: Array, offsets: Array, chosen: Array) -> Array:
        """Return room for the class scores of the chosen sequences."""
        every_step = self.architecture.loss_at == "every_step"
        rows = int(_lengths(values, offsets, chosen).sum()) if every_step else len(chosen)
        return np.empty((rows, self.architecture.n_classes), self.dtype)


def _lengths(values: Array, offsets: Array, chosen: Array) -> Array:
    """Return the steps of each chosen sequence; none if the sequences are not there, which is told later."""
    if len(chosen) and chosen.min() >= 0 and chosen.max() + 1 < len(offsets):
        starts, stops = offsets[chosen], offsets[chosen + 1]
        if (starts >= 0).all() and (starts < stops).all() and (stops <= len(values)).all():
            lengths: Array = stops - starts
            return lengths
    return chosen[:0]


def _widened(values: Array, width: int) -> Array:
    """Return values (S, width) with columns of zeros behind them."""
    wide: Array = np.zeros((len(values), width), values.dtype)
    wide[:, : values.shape[1]] = values
    return wide


_networks: "weakref.WeakSet[Network]" = weakref.WeakSet()


def _renew_locks() -> None:
    for network in list(_networks):
        network.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
