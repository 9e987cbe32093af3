"""The multiply-add roof: what the register tile reaches on matrices that stay in the cache, on one core and on all."""

import time

import numpy as np
from numba import types

from elman.kernels.compiled import address, array_at, kernel
from elman.kernels.lanes import lanes
from elman.kernels.products import multiply
from elman.kernels.team import MOST_WORKERS
from elman.network.threads import run_tasks

ROWS, DEPTH = 64, 512
_FLOAT32 = np.dtype(np.float32)
_LANES = lanes(_FLOAT32)
_COLUMNS, _TIMES = 4 * _LANES, 200
_LIKE = np.zeros(0, np.float32)
_SIZE = ROWS * _COLUMNS + ROWS * DEPTH + DEPTH * _COLUMNS + _COLUMNS


@kernel("benchmark_roof", allocates=True)
def _multiply_again_and_again(where, number, worker):
    """Multiply the matrices of one task, which lie at `where`, over and over."""
    memory = array_at(where, _LIKE, (MOST_WORKERS, _SIZE))[number]
    rows = np.arange(ROWS)
    c, rest = memory[: ROWS * _COLUMNS], memory[ROWS * _COLUMNS :]
    a, packed, bias = rest[: ROWS * DEPTH], rest[ROWS * DEPTH : -_COLUMNS], rest[-_COLUMNS:]
    for _ in range(_TIMES):
        multiply((c, rows, 0, _COLUMNS), bias, 0, (a, rows, 0, DEPTH), 0, ROWS, DEPTH, packed, 0, _COLUMNS, _LANES)


def roof(threads: int, runs: int = 40) -> float:
    """Return the best rate found on so many threads, in GFLOP/s."""
    threads = min(threads, MOST_WORKERS)
    memory = np.zeros((MOST_WORKERS, _SIZE), np.float32)
    task = address(_multiply_again_and_again, (types.int64,) * 3)
    best = 0.0
    for _ in range(runs):
        started = time.perf_counter()
        run_tasks(task, memory.__array_interface__["data"][0], threads, threads)
        seconds = time.perf_counter() - started
        best = max(best, threads * _TIMES * 2 * ROWS * DEPTH * _COLUMNS / seconds / 1e9)
    return best
