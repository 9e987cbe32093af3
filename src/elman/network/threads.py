"""A few threads over the numbered tasks of a job, which they do without the interpreter (see `elman.kernels.team`)."""

import contextlib
import os
import threading

import numpy as np

from elman.errors import ParameterError
from elman.kernels.team import BOARD_SIZE, MOST_TASKS, MOST_WORKERS, asleep, run_alone, run_job, serve


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


def threads_or_default(n_threads: int | None) -> int:
    """Return n_threads, or where it is None `available_threads`.

    Raises
    ------
    ParameterError
        If it is not a whole number above 0.
    """
    if n_threads is None:
        return available_threads()
    if not isinstance(n_threads, int | np.integer) or n_threads < 1:
        raise ParameterError(f"n_threads must be a whole number above 0, or None. Got {n_threads!r}.")
    return int(n_threads)


def workers_for(n_tasks: int, n_threads: int) -> int:
    """Return how many threads a job of so many tasks may occupy."""
    return min(n_threads, n_tasks, MOST_WORKERS)


def run_tasks(function: int, context: int, n_tasks: int, n_workers: int) -> None:
    """Let up to `n_workers` threads do a job: call function(context, number, worker) for every number below n_tasks.

    The calling thread is worker 0. While the team is at another caller's job, this one is done by its caller alone.
    """
    if n_tasks > MOST_TASKS:
        raise ParameterError(f"A job must have at most {MOST_TASKS} tasks. Got {n_tasks}.")
    ours = False
    try:
        ours = n_workers > 1 and _team.busy.acquire(blocking=False)
        if ours:
            done = run_job(_team.board, function, context, n_tasks, _team.wake(n_workers))
        else:
            done = run_alone(function, context, n_tasks)
    finally:
        if ours:
            _team.busy.release()
    if not done:
        raise MemoryError("a kernel stopped before its end")


class _Team:
    """The threads beside the caller's; each is started when it is first wanted and then kept.

    Ctrl-C may come between any two steps here. So the lock is one that its holder can take again, and a worker itself
    says that it is awake.
    """

    def __init__(self) -> None:
        self.busy = threading.RLock()
        self.board = np.zeros(BOARD_SIZE, np.int64)
        self._beds: list[threading.Lock] = []  # a worker that sleeps waits for its lock

    def wake(self, n_workers: int) -> int:
        """See that workers 1 to n_workers - 1 exist and are awake; return how many there are, with the caller."""
        for worker in range(1, n_workers):
            if worker <= len(self._beds):
                if self.board[asleep(worker)]:
                    with contextlib.suppress(RuntimeError):  # it was woken already and has not said so yet
                        self._beds[worker - 1].release()
                continue
            bed = threading.Lock()
            bed.acquire()
            thread = threading.Thread(target=_live, args=(self.board, worker, bed), name=f"elman-{worker}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads: do with those there are
                return worker
            self._beds.append(bed)
        return n_workers


def _live(board: "np.ndarray[tuple[int], np.dtype[np.int64]]", worker: int, bed: threading.Lock) -> None:
    while True:
        serve(board, worker)
        bed.acquire()


_team = _Team()


def _forget_the_team() -> None:
    global _team
    _team = _Team()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_team)  # threads do not survive a fork
