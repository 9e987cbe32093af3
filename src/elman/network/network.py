"""Network: from sequences to class scores, and back to the gradient of every parameter.

A batch is cut into shards of at most 16 sequences; each goes its way (see `elman.kernels.passes`) on whichever thread is
free; the gradients are summed, always in the same order.
"""

import functools
import threading
from typing import Any, NamedTuple

import numpy as np

from elman.errors import DataError
from elman.kernels.loss import softmax
from elman.kernels.outputs import drop_out
from elman.kernels.shards import Steps, number_rows
from elman.network.architecture import Architecture
from elman.network.layers import Layout, aligned
from elman.network.parameters import Parameters, initialise
from elman.network.threads import available_threads
from elman.network.workplace import WRONG_SEQUENCES, WRONG_TARGETS, PreparedBatch, Workplace

Array = np.ndarray[Any, Any]
_NO_TARGETS = np.zeros(0, np.int64)


class LossAndGradient(NamedTuple):
    """What one pass forward and backward over a batch gives."""

    loss: float
    gradient: Array  # (P,) as Parameters.vector
    logits: Array  # (N, C), or (S, C) with a loss at every step
    norm: float  # of the gradient, Euclidean
    correct: int  # targets that score highest


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
        self.architecture = architecture
        self.dtype = np.dtype(dtype)
        self.parameters = Parameters(architecture.parameter_shapes(), self.dtype)
        self._prepare()

    def _prepare(self) -> None:
        self._packing = threading.Lock()
        self._packed_from: Array | None = None  # the parameters that are packed for the forward sweep
        self.release()

    @functools.cached_property
    def _layout(self) -> Layout:
        return Layout(self.architecture, self.dtype)

    @functools.cached_property
    def _packed(self) -> Array:
        return aligned((self._layout.packed_size,), self.dtype, zero=True)  # padding stays zero

    def __getstate__(self) -> dict[str, Any]:
        return {"architecture": self.architecture, "dtype": self.dtype, "parameters": self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def initialise(
        self, rng: np.random.Generator, scheme: str = "orthogonal", *, forget_bias: float | None = 1.0
    ) -> None:
        """Draw the start of every parameter; see `elman.network.parameters.initialise`."""
        initialise(self.parameters, self.architecture, rng, scheme, forget_bias)

    def logits(self, values: Array, offsets: Array, *, n_threads: int | None = None) -> Array:
        """Return the class scores: (N, C), or (S, C) with a loss at every step."""
        chosen = np.arange(len(offsets) - 1)
        place = self._spare.pop() if self._spare else Workplace(self._layout, self.parameters.vector, self._packed)
        logits = self._new_logits(len(chosen), offsets, None)
        with self._packing:
            vector = self.parameters.vector
            stale = self._packed_from is None or not np.array_equal(self._packed_from, vector)
            batch = self._check(place, values, offsets, chosen, _NO_TARGETS, logits, -1, n_threads, pack=stale)
            if stale:
                self._packed_from = vector.copy()
        place.run(batch)
        self._spare.append(place)
        return logits

    def proba(self, values: Array, offsets: Array, *, n_threads: int | None = None) -> Array:
        """Return the class probabilities as float64, rows that sum to 1."""
        return softmax(self.logits(values, offsets, n_threads=n_threads))

    def loss_and_gradient(
        self,
        values: Array,
        offsets: Array,
        targets: Array,
        *,
        chosen: Array | None = None,
        dropout_key: int | None = None,
        n_threads: int | None = None,
    ) -> LossAndGradient:
        """Run forward and backward over a batch.

        Parameters
        ----------
        values : float array (S, D)
        offsets : int64 array (N + 1,)
        targets : int64 array of class numbers (N,), or (S,) with a loss at every step
        chosen : int64 array, optional
            The batch is these sequences, in this order; default all. Logits come in the order of the batch.
        dropout_key : int, optional
            Seed of the dropout masks of this pass; None: no dropout.

        Returns
        -------
        LossAndGradient
            The loss is the mean over the sequences, or over all their steps with a loss at every step.
        """
        sequences = chosen
        if chosen is None:
            chosen = np.arange(len(offsets) - 1)
        if self._learning is None:
            self._learning = Workplace(self._layout, self.parameters.vector, self._packed, learning=True)
        place = self._learning
        logits = self._new_logits(len(chosen), offsets, sequences)
        key = -1 if dropout_key is None or self.architecture.dropout == 0 else dropout_key
        with self._packing:
            self._packed_from = None
            batch = self._check(place, values, offsets, chosen, targets, logits, key, n_threads, pack=True)
        place.run(batch)
        gradient = np.empty_like(self.parameters.vector)
        loss, norm, correct = place.finish(gradient)
        return LossAndGradient(loss, gradient, logits, norm, correct)

    def release(self) -> None:
        """Give back the memory that passes over batches keep for the next one."""
        self._learning: Workplace | None = None
        self._spare: list[Workplace] = []

    def _check(
        self, place: Workplace, values: Array, offsets: Array, chosen: Array, targets: Array, logits: Array, key: int,
        n_threads: int | None, *, pack: bool,
    ) -> PreparedBatch:  # fmt: skip
        """Put a batch down in a workplace; nothing that is not as the kernels expect it reaches them."""
        size = self.architecture.input_size
        if values.ndim != 2 or values.shape[1] != size or values.dtype != self.dtype or not values.flags.c_contiguous:
            raise DataError(
                f"values must be a C-contiguous {self.dtype} array (S, {size}). "
                f"Got {values.dtype} of shape {values.shape} instead."
            )
        if offsets.dtype != np.int64:
            raise DataError(f"offsets must be int64 within 0..{len(values)}. Got {offsets.dtype} instead.")
        if not len(chosen):
            raise DataError("A batch must have at least one sequence, and each at least one step.")
        threads = available_threads() if n_threads is None else n_threads
        batch = place.prepare(values, offsets, chosen, targets, logits, key, threads, pack=pack)
        if batch.wrong == WRONG_SEQUENCES:
            raise DataError(
                f"offsets must be int64 within 0..{len(values)}, the rows of the values, "
                "and each sequence must have at least one step."
            )
        if batch.wrong == WRONG_TARGETS:
            one = "step" if self._every_step else "sequence"
            raise DataError(
                f"targets must be class numbers in 0..{self.architecture.n_classes - 1}, one for each {one}."
            )
        return batch

    @property
    def _every_step(self) -> bool:
        return self.architecture.loss_at == "every_step"

    def _new_logits(self, n: int, offsets: Array, chosen: Array | None) -> Array:
        """Return room for the class scores of n sequences."""
        if self._every_step:
            try:
                n = int(offsets[-1] - offsets[0] if chosen is None else (offsets[chosen + 1] - offsets[chosen]).sum())
            except IndexError:
                n = 0
        return np.empty((max(n, 0), self.architecture.n_classes), self.dtype)


def dropout_mask(
    key: int, layer: int, sequence: int, steps: int, width: int, rate: float, dtype: np.dtype[Any]
) -> Array:
    """Return the mask (steps, width) of 0 and 1 / (1 - rate) on the outputs of a layer, for one sequence of a batch.

    `sequence` is its place in the batch, `width` directions * hidden_size; the mask depends on nothing else.
    """
    mask = np.ones((steps, width), dtype)
    numbers = Steps(*np.empty((2, steps + 1), np.int64), *np.empty((5, steps), np.int64))
    number_rows(np.array([steps]), numbers)
    drop_out(mask, numbers, np.array([sequence]), key, layer, rate, width, width)
    return mask
