"""Where batches are taken through a network: the memory of its threads, kept from one batch to the next."""

from typing import Any

import numpy as np

from elman.errors import DataError
from elman.kernels.jobs import Setup
from elman.kernels.passes import passes
from elman.kernels.shards import SHARD_ROWS
from elman.network.layers import Layout, aligned
from elman.network.threads import run_tasks, workers_for

Array = np.ndarray[Any, Any]
SMALL_WORK = 30_000  # multiply-adds below which a second thread costs more than it saves
MOST_TASKS = 16  # tasks a batch is spread over at the most when it is learned from: each sums a gradient of its own
# What `prepare` in elman.kernels.passes finds wrong.
_WRONG_SEQUENCES, _WRONG_TARGETS, _TOO_LITTLE_MEMORY, _WRONG_WEIGHTS, _WRONG_CODE = range(1, 6)
_INT64 = np.dtype(np.int64)
NO_TARGETS, NO_WEIGHTS = np.zeros(0, np.int64), np.zeros(0)
NOBODY = (0, np.zeros((0, 0)))  # looks on


class Workplace:
    """Memory for the threads of one caller, and the job that they read from it.

    Use: `prepare` a batch, `run` it, and after learning `finish` it.
    """

    def __init__(self, layout: Layout, parameters: Array, packed: Array | None) -> None:
        """Make a workplace for predictions with weights that are packed once, or without them for learning."""
        self._layout, self._parameters, self._packed, self._learning = layout, parameters, packed, packed is None
        self._kernels = passes(layout.dtype)
        self._setup, self._job = np.zeros((2, self._kernels.room), np.int64)
        self._setup_at, self._job_at = _address(self._setup), _address(self._job)
        self._workers = self._tasks = self._floats = self._ints = 0
        self._values: Array | None = None  # those that were checked last, and where they lie
        self._values_at: tuple[int, ...] = ()
        self._batch: tuple[Array, ...] = ()  # what must live as long as the batch is worked on
        self._n_tasks = self._n_workers = 0
        self._no_d_values = np.zeros((0, 0), layout.dtype)

    def prepare(
        self,
        values: Array,
        offsets: Array,
        targets: Array,
        weights: Array | None,
        chosen: Array,
        logits: Array,
        key: int,
        n_threads: int,
        label_smoothing: float = 0.0,
        watch: tuple[int, Array] = NOBODY,
        d_values: Array | None = None,
    ) -> None:
        """Check a batch, cut it into shards, and put it down for the threads, with memory for all of them.

        `watch` is an observer's address and the array for what it sees, see `elman.kernels.flow`.

        Raises
        ------
        DataError
            If it is not as the kernels expect it; nothing else reaches them.
        """
        if values is not self._values or values.shape != self._values_at[1:] or values.dtype != self._layout.dtype:
            self._meet(values)
        offsets, targets, chosen = as_ints(offsets, "offsets"), as_ints(targets, "targets"), as_ints(chosen, "chosen")
        weights = NO_WEIGHTS if weights is None else _as_weights(weights, len(targets))
        n = len(chosen)
        if n == 0:
            raise DataError("A batch must have at least one sequence, and each at least one step.")
        n_shards = -(-n // SHARD_ROWS)
        n_tasks = min(n_shards, MOST_TASKS) if self._learning else n_shards
        workers = workers_for(n_tasks, n_threads)
        if workers > self._workers or n_tasks > self._tasks:
            self._reserve(workers, n_tasks, self._floats, self._ints)
        numbers = np.empty((5, n + 1), np.int64)
        d_values = self._no_d_values if d_values is None else d_values
        of_loss = (logits, key, float(label_smoothing), watch, d_values)
        arguments = (self._job, self._values_at, offsets, chosen, targets, weights, numbers, *of_loss)
        wrong, floats, ints, steps = self._kernels.prepare(self._setup_at, *arguments)
        if wrong == _TOO_LITTLE_MEMORY:
            self._reserve(workers, n_tasks, floats, ints)
            wrong, floats, ints, steps = self._kernels.prepare(self._setup_at, *arguments)
        if wrong == _WRONG_CODE:
            column, n_codes, *_ = self._layout.plan.embeddings[floats]
            raise DataError(not_a_code(column, n_codes, values[ints, column]))
        if wrong:
            raise DataError(self._complaint(wrong))
        self._batch = (chosen, targets, weights, numbers, logits, watch[1], d_values)
        self._n_tasks = n_tasks
        work = (self._parameters.size - self._layout.plan.embedded) * steps
        self._n_workers = 1 if work < SMALL_WORK else workers

    def run(self) -> None:
        """Take the batch through the network."""
        run_tasks(self._kernels.task, self._job_at, self._n_tasks, self._n_workers)

    def finish(self, gradient: Array) -> tuple[float, float, float, float]:
        """Sum up what was learned: set the gradient (P,).

        Returns the mean loss, the gradient's norm, and the sums of the weights of the hits and of all.
        """
        return self._kernels.finish(self._job_at, gradient)  # type: ignore[no-any-return]

    def forget(self) -> int:
        """Let go of the batch; return how many bytes of memory stay for the next."""
        self._values, self._batch = None, ()
        return self._workers * (self._floats * self._layout.dtype.itemsize + self._ints * 8)

    def _meet(self, values: Array) -> None:
        """Check values that did not come with the batch before, and see where they lie.

        Kernels take them by their address: the array itself may be read-only, and too large to copy.
        """
        size, dtype = self._layout.input_size, self._layout.dtype
        if values.ndim != 2 or values.shape[1] != size or values.dtype != dtype or not values.flags.c_contiguous:
            raise DataError(
                f"values must be a C-contiguous {dtype} array (S, {size}). "
                f"Got {values.dtype} of shape {values.shape} instead."
            )
        self._values, self._values_at = values, (_address(values), *values.shape)

    def _complaint(self, wrong: int) -> str:
        if wrong == _WRONG_TARGETS:
            return (
                f"targets must be class numbers in 0..{self._layout.n_classes - 1}, "
                "or -1 where there is no label, one for each loss."
            )
        if wrong == _WRONG_WEIGHTS:
            return "weights must be finite and at least 0, and so must be their sum."
        return (
            f"offsets must be int64 within 0..{self._values_at[1]}, the rows of the values, "
            "each sequence must have at least one step, and chosen must be numbers of sequences."
        )

    def _reserve(self, workers: int, tasks: int, floats: int, ints: int) -> None:
        """Grow the memory to so many workers, tasks, and floats and ints a worker."""
        layout, dtype = self._layout, self._layout.dtype
        self._workers, self._tasks = max(workers, self._workers), max(tasks, self._tasks)
        self._floats, self._ints = max(_in_lines(floats), self._floats), max(_in_lines(ints), self._ints)
        summed, packed = (self._tasks, None) if self._learning else (0, self._packed)
        self._memory = Setup(
            plan=self._layout.plan,
            parameters=self._parameters,
            packed=aligned((self._workers, layout.packed_size), dtype, zero=True) if packed is None else packed,
            packed_for=np.zeros((self._workers + 1, 8), np.int64),
            floats=aligned((self._workers, self._floats), dtype),
            ints=aligned((self._workers, self._ints), np.dtype(np.int64)),
            learning=self._learning,
            sums=aligned((summed, self._layout.sums_size), dtype),
            losses=np.zeros(summed),
            correct=np.zeros(summed),
            code_sums=np.zeros((summed, layout.plan.embedded)),
            codes_met=np.zeros((summed, layout.codes_met_size), np.int64),
            dropout=self._layout.dropout,
        )
        self._kernels.set_up(self._setup, self._memory)


def as_ints(array: Array, name: str) -> Array:
    """Return a vector of int64 as the kernels take it: the same array where it is one.

    Raises
    ------
    DataError
        If it is no vector of whole numbers.
    """
    if array.__class__ is np.ndarray and array.dtype is _INT64 and array.ndim == 1:
        flags = array.flags
        if flags.c_contiguous and flags.writeable and flags.aligned:
            return array
    array = np.asarray(array)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise DataError(f"{name} must be int64, one-dimensional. Got {array.dtype} of shape {array.shape} instead.")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise DataError(f"{name} must be int64. Got {array.max()} instead.")
    return np.require(array, np.int64, ["C", "W", "A"])


def _as_weights(array: Array, n_targets: int) -> Array:
    """Return weights as the kernels take them, a vector of float64, one for each target."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf" or array.shape != (n_targets,):
        raise DataError(
            f"weights must be float64, one for each of the {n_targets} targets. "
            f"Got {array.dtype} of shape {array.shape} instead."
        )
    return np.require(array, np.float64, ["C", "W", "A"])


def not_a_code(column: int, n_codes: int, value: float) -> str:
    """Say that a value of a column with an embedding is not one of its codes."""
    return f"values column {column} must hold codes 0..{n_codes - 1}, got {value:g}."


def _in_lines(size: int) -> int:
    return -(-size // 16) * 16


def _address(array: Array) -> int:
    """Return where an array's first element lies."""
    return int(array.__array_interface__["data"][0])
