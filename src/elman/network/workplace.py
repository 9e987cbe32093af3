"""Where batches are taken through a network: the memory of its threads, kept from one batch to the next."""

from typing import Any, NamedTuple

import numpy as np

from elman.kernels.passes import Setup, passes
from elman.kernels.shards import SHARD_ROWS
from elman.network.layers import Layout, aligned
from elman.network.threads import run_tasks, workers_for

Array = np.ndarray[Any, Any]
SMALL_WORK = 30_000  # multiply-adds below which a second thread costs more than it saves
MOST_TASKS = 16  # tasks a batch is spread over at the most when it is learned from: each sums a gradient of its own
WRONG_SEQUENCES, WRONG_TARGETS, _TOO_LITTLE_MEMORY = 1, 2, 3  # see `prepare` in elman.kernels.passes
_DESCRIPTORS = 256  # int64 that hold a Setup or a Job


class PreparedBatch(NamedTuple):
    """A batch that is put down in a workplace, and the arrays that must live as long as it is worked on."""

    wrong: int  # 0, WRONG_SEQUENCES or WRONG_TARGETS
    n_tasks: int
    n_workers: int
    arrays: tuple[Array, ...]


class Workplace:
    """Memory for the threads of one caller, and the job that they read from it."""

    def __init__(self, layout: Layout, parameters: Array, packed: Array, *, learning: bool = False) -> None:
        self._layout, self._parameters, self._packed, self._learning = layout, parameters, packed, learning
        self._kernels = passes(layout.dtype)
        self._setup, self._job = np.zeros((2, _DESCRIPTORS), np.int64)
        self._setup_at, self._job_at = (array.__array_interface__["data"][0] for array in (self._setup, self._job))
        self._workers = self._tasks = self._floats = self._ints = 0

    def prepare(
        self, values: Array, offsets: Array, chosen: Array, targets: Array, logits: Array, key: int, n_threads: int,
        *, pack: bool,
    ) -> PreparedBatch:  # fmt: skip
        """Check a batch, cut it into shards, and put it down for the threads, with memory for all of them."""
        n = len(chosen)
        n_shards = -(-n // SHARD_ROWS)
        n_tasks = min(n_shards, MOST_TASKS) if self._learning else n_shards
        workers = workers_for(n_tasks, n_threads)
        if workers > self._workers or (self._learning and n_tasks > self._tasks):
            self._reserve(workers, n_tasks, self._floats, self._ints)
        numbers = np.empty((5, n + 1), np.int64)
        offsets, chosen, targets = _writable(offsets), _writable(chosen), _writable(targets)
        place = (values.__array_interface__["data"][0], *values.shape)
        arguments = (self._job, place, offsets, chosen, targets, numbers, logits, key, pack)
        wrong, floats, ints, steps = self._kernels.prepare(self._setup_at, *arguments)
        if wrong == _TOO_LITTLE_MEMORY:
            self._reserve(self._workers, n_tasks, floats, ints)
            wrong, floats, ints, steps = self._kernels.prepare(self._setup_at, *arguments)
        small = self._parameters.size * steps < SMALL_WORK
        return PreparedBatch(wrong, n_tasks, 1 if small else workers, (values, chosen, targets, numbers, logits))

    def run(self, batch: PreparedBatch) -> None:
        """Take a batch through the network."""
        run_tasks(self._kernels.task, self._job_at, batch.n_tasks, batch.n_workers)

    def finish(self, gradient: Array) -> tuple[float, float, int]:
        """Sum up what was learned: set the gradient (P,); return the mean loss, the gradient's norm, and the hits."""
        return self._kernels.finish(self._job_at, gradient)  # type: ignore[no-any-return]

    def _reserve(self, workers: int, tasks: int, floats: int, ints: int) -> None:
        """Grow the memory to so many workers, tasks, and floats and ints a worker."""
        dtype = self._layout.dtype
        self._workers, self._tasks = max(workers, self._workers), max(tasks, self._tasks)
        self._floats, self._ints = max(_in_lines(floats), self._floats), max(_in_lines(ints), self._ints)
        tasks = self._tasks if self._learning else 0
        self._memory = Setup(
            plan=self._layout.plan,
            parameters=self._parameters,
            packed=self._packed,
            floats=aligned((self._workers, self._floats), dtype),
            ints=aligned((self._workers, self._ints), np.dtype(np.int64)),
            learning=self._learning,
            sums=aligned((tasks, self._layout.sums_size), dtype),
            losses=np.zeros(tasks),
            correct=np.zeros(tasks, np.int64),
            dropout=self._layout.dropout,
        )
        self._kernels.set_up(self._setup, self._memory)


def _in_lines(size: int) -> int:
    return -(-size // 16) * 16


def _writable(array: Array) -> Array:
    """Return an array of int64 that kernels take, the same one where it is."""
    flags = array.flags
    if array.dtype == np.int64 and flags.c_contiguous and flags.writeable:
        return array
    return np.require(array, np.int64, "CW")
