"""A few threads over numbered tasks. Kernels release the GIL, so plain threads are all that is needed."""

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_pools: dict[int, ThreadPoolExecutor] = {}


def available_threads() -> int:
    """Return how many threads to use if nobody says: the cores this process may run on, or fewer if told so.

    ELMAN_NUM_THREADS and OMP_NUM_THREADS are honoured; joblib sets the latter in its workers.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in ("ELMAN_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return min(cores, int(value))
    return cores


def run_tasks(n_tasks: int, task: Callable[[int, int], None], n_threads: int) -> None:
    """Call task(number, worker) for every number below n_tasks, each on whichever thread is free.

    The calling thread is worker 0 and works too; the first error of any thread is raised.
    """
    workers = min(n_threads, n_tasks)
    if workers <= 1:
        for number in range(n_tasks):
            task(number, 0)
        return
    numbers = itertools.count()  # next() is atomic

    def work(worker: int) -> None:
        while (number := next(numbers)) < n_tasks:
            task(number, worker)

    others = [_pool(workers - 1).submit(work, worker) for worker in range(1, workers)]
    try:
        work(0)
    finally:
        while next(numbers) < n_tasks:  # an error here, or Ctrl-C: the others finish their task and take no new one
            pass
        for other in others:
            other.exception()
    for other in others:
        other.result()


def _pool(size: int) -> ThreadPoolExecutor:
    if size not in _pools:
        _pools[size] = ThreadPoolExecutor(size, thread_name_prefix="elman")
    return _pools[size]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # threads do not survive a fork
