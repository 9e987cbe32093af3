"""Network: from sequences to class scores, and back to the gradient of every parameter.

A batch is cut into shards of at most 16 sequences; each goes its way (see `passes`) on whichever thread is free; the
shards' gradients are summed, always in the same order.
"""

import threading
from typing import Any, NamedTuple

import numpy as np

from elman.errors import DataError
from elman.kernels.loss import cross_entropy, softmax
from elman.kernels.outputs import drop_out
from elman.kernels.updates import sum_gradients
from elman.network.architecture import Architecture
from elman.network.parameters import Parameters, initialise
from elman.network.passes import GradientSums, Layers, ShardPass, Workspace
from elman.network.shards import Cut, Shard, cut, new_shard
from elman.network.threads import available_threads, run_tasks

Array = np.ndarray[Any, Any]
SMALL_WORK = 1_000_000  # multiply-adds below which a second thread costs more than it saves


class LossAndGradient(NamedTuple):
    """What one pass forward and backward over a batch gives."""

    loss: float
    gradient: Array  # (P,) as Parameters.vector
    logits: Array  # (N, C), or (S, C) with a loss at every step


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
        self._layers = Layers(self.architecture, self.dtype)
        self._packing = threading.Lock()
        self._packed: Array | None = None
        self.release()

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
        self._pack()
        values, batch = self._batch(values, offsets)
        logits, starts = self._new_logits(batch), batch.starts
        workspaces: dict[int, Workspace] = {}

        def predict(number: int, worker: int) -> None:
            shard = batch.shard(number)
            workspace = workspaces.setdefault(worker, Workspace(self.dtype))
            own = ShardPass(self._layers, shard, workspace, keep=False).forward(values)
            self._place(own, shard, starts, logits)

        run_tasks(batch.n_shards, predict, self._threads(n_threads, batch))
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
        self._pack()
        values, batch = self._batch(values, offsets, chosen)
        logits, starts = self._new_logits(batch), batch.starts
        scale = 1.0 / len(logits)
        tasks = batch.tasks()
        losses = np.zeros(len(tasks))
        gradients = self._zeroed_gradients(len(tasks))

        def learn(number: int, worker: int) -> None:
            workspace, sums = self._worker(worker)
            sums.clear()
            for shard_number in tasks[number]:
                shard = batch.shard(shard_number)
                way = ShardPass(self._layers, shard, workspace, keep=True, dropout_key=dropout_key)
                own = way.forward(values)
                self._place(own, shard, starts, logits)
                d_logits = workspace.take("d_logits", *own.shape)
                wanted = self._wanted(targets, chosen, shard)
                losses[number] += cross_entropy(own, wanted, self.architecture.n_classes, scale, d_logits)
                way.backward(d_logits, sums)
            sums.add_to(self._named_gradients[number])

        run_tasks(len(tasks), learn, self._threads(n_threads, batch))
        gradient = np.empty_like(self.parameters.vector)
        sum_gradients(gradients, gradient)
        return LossAndGradient(float(losses.sum() * scale), gradient, logits)

    def release(self) -> None:
        """Give back the memory that passes over batches keep for the next one."""
        self._workers: dict[int, tuple[Workspace, GradientSums]] = {}
        self._gradients = np.empty((0, self.parameters.vector.size), self.dtype)
        self._named_gradients: list[dict[str, Array]] = []

    def _batch(self, values: Array, offsets: Array, chosen: Array | None = None) -> tuple[Array, Cut]:
        """Return values that the kernels can read, and the batch cut into shards; nothing else reaches the kernels."""
        size = self.architecture.input_size
        if values.ndim != 2 or values.shape[1] != size or values.dtype != self.dtype or not values.flags.c_contiguous:
            raise DataError(
                f"values must be a C-contiguous {self.dtype} array (S, {size}). "
                f"Got {values.dtype} of shape {values.shape} instead."
            )
        limits = offsets if chosen is None else np.concatenate([offsets[chosen], offsets[chosen + 1]])
        if offsets.dtype != np.int64 or not len(limits) or limits.min() < 0 or limits.max() > len(values):
            raise DataError(f"offsets must be int64 within 0..{len(values)}, the rows of the values.")
        batch = cut(offsets, chosen)
        if not len(batch.lengths) or batch.lengths[-1] < 1:
            raise DataError("A batch must have at least one sequence, and each at least one step.")
        return np.require(values, requirements="W"), batch

    def _worker(self, number: int) -> tuple[Workspace, GradientSums]:
        """Return the memory of a thread."""
        if number not in self._workers:
            self._workers[number] = Workspace(self.dtype), GradientSums(self._layers)
        return self._workers[number]

    def _zeroed_gradients(self, n_tasks: int) -> Array:
        """Return one zeroed gradient a task (n_tasks, P); their named views are in `_named_gradients`."""
        if len(self._gradients) < n_tasks:
            self._gradients = np.empty((n_tasks, self.parameters.vector.size), self.dtype)
            self._named_gradients = [self.parameters.named(gradient) for gradient in self._gradients]
        gradients = self._gradients[:n_tasks]
        gradients[:] = 0
        return gradients

    @property
    def _every_step(self) -> bool:
        return self.architecture.loss_at == "every_step"

    def _pack(self) -> None:
        """Pack the weights, unless they are those that were packed last; threads may predict at the same time."""
        vector = self.parameters.vector
        with self._packing:
            if self._packed is None or not np.array_equal(self._packed, vector):
                self._layers.pack(self.parameters)
                self._packed = vector.copy()

    def _new_logits(self, batch: Cut) -> Array:
        rows = int(batch.lengths.sum()) if self._every_step else len(batch.order)
        return np.empty((rows, self.architecture.n_classes), self.dtype)

    def _place(self, own: Array, shard: Shard, starts: Array, logits: Array) -> None:
        """Copy a shard's class scores to where they belong among the batch's."""
        rows = shard.rows_from(starts[shard.places]) if self._every_step else shard.places
        logits[rows] = own[:, : self.architecture.n_classes]

    def _wanted(self, targets: Array, chosen: Array | None, shard: Shard) -> Array:
        """Return the targets of a shard's class scores."""
        if self._every_step:
            wanted = targets[shard.value_rows()]
        else:
            wanted = targets[shard.places if chosen is None else chosen[shard.places]]
        if wanted.min() < 0 or wanted.max() >= self.architecture.n_classes:
            raise DataError(f"targets must be class numbers in 0..{self.architecture.n_classes - 1}.")
        return wanted

    def _threads(self, n_threads: int | None, batch: Cut) -> int:
        if self.parameters.vector.size * int(batch.lengths.sum()) < SMALL_WORK:
            return 1
        return available_threads() if n_threads is None else n_threads


def dropout_mask(
    key: int, layer: int, sequence: int, steps: int, width: int, rate: float, dtype: np.dtype[Any]
) -> Array:
    """Return the mask (steps, width) of 0 and 1 / (1 - rate) on the outputs of a layer, for one sequence of a batch.

    `sequence` is its place in the batch, `width` directions * hidden_size; the mask depends on nothing else.
    """
    mask = np.ones((steps, width), dtype)
    shard = new_shard(np.array([sequence]), np.array([steps]), np.array([0]))
    drop_out(mask, shard.steps, shard.places, key, layer, rate, width, width)
    return mask
