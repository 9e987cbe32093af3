"""The multiply-add roof: what the register tile reaches on matrices that stay in the cache, on one core and on all."""

import time

import numpy as np
from numba import types

from elman.kernels.compiled import address, array_at, kernel
from elman.kernels.lanes import lanes
from elman.kernels.products import multiply
from elman.kernels.team import MOST_WORKERS
from elman.network.layers import aligned
from elman.network.threads import run_tasks

SHAPES = ((32, 64), (64, 128), (64, 256), (64, 512))  # rows, depth
_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)
_LANES = lanes(_FLOAT32)
_COLUMNS = 4 * _LANES
_LIKE, _LIKE_INTS = np.zeros(0, np.float32), np.zeros(0, np.int64)
_SIZE = max(rows * _COLUMNS + rows * depth + depth * _COLUMNS for rows, depth in SHAPES) + _COLUMNS


@kernel("benchmark_roof")
def _multiply_again_and_again(where, number, worker):
    """Multiply the matrices of one task over and over; `where` says how often, their sizes, and where they lie."""
    job = array_at(where, _LIKE_INTS, (4 + 64,))
    times, rows, depth, numbers = job[0], job[1], job[2], job[4:]
    memory = array_at(job[3], _LIKE, (MOST_WORKERS, _SIZE))[number]
    c, rest = memory[: rows * _COLUMNS], memory[rows * _COLUMNS :]
    a, packed, bias = rest[: rows * depth], rest[rows * depth :], memory[_SIZE - _COLUMNS :]
    for _ in range(times):
        multiply(
            (c, numbers, 0, _COLUMNS), bias, 0, (a, numbers, 0, depth), 0, rows, depth, packed, 0, _COLUMNS, _LANES
        )


def roof(threads: int, runs: int = 20) -> float:
    """Return the best rate found on so many threads, in GFLOP/s."""
    threads = min(threads, MOST_WORKERS)
    memory = aligned((MOST_WORKERS, _SIZE), _FLOAT32, zero=True)
    task = address(_multiply_again_and_again, (types.int64,) * 3)
    best = 0.0
    for rows, depth in SHAPES:
        flops = 2 * rows * depth * _COLUMNS
        times = int(5e8 / flops)  # some five milliseconds
        job = np.array([times, rows, depth, memory.__array_interface__["data"][0], *range(64)], _INT64)
        for _ in range(runs):
            started = time.perf_counter()
            run_tasks(task, job.__array_interface__["data"][0], threads, threads)
            best = max(best, threads * times * flops / (time.perf_counter() - started) / 1e9)
    return best
