"""A few threads over numbered tasks. Kernels release the GIL, so plain threads are all that is needed."""

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from elman.errors import ParameterError

_pools: dict[int, ThreadPoolExecutor] = {}


def available_threads() -> int:
    """Return how many threads to use if nobody says: the cores this process may run on, or fewer if told so.

    ELMAN_NUM_THREADS and OMP_NUM_THREADS are honoured; joblib sets the latter in its workers.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own, usual = os.environ.get("ELMAN_NUM_THREADS", ""), os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if own and not _is_count(own):
        raise ParameterError(f"The environment variable ELMAN_NUM_THREADS must be a whole number above 0. Got {own!r}.")
    told = next((int(value) for value in (own, usual) if _is_count(value)), cores)
    return min(cores, told)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


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
        running = [other for other in others if not other.cancel()]  # a busy pool may not even have begun
        for other in running:
            other.exception()
    for other in running:
        other.result()


def _pool(size: int) -> ThreadPoolExecutor:
    return _pools.setdefault(size, ThreadPoolExecutor(size, thread_name_prefix="elman"))  # its threads start when used


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # threads do not survive a fork
