"""Threads over tasks: every task once, errors come through, limits are kept, forks and callers do not meet."""

import multiprocessing
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import types

from elman.errors import ParameterError
from elman.kernels.compiled import address, array_at, kernel
from elman.network import threads, workplace
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.threads import available_threads, run_tasks


@kernel("test_mark")
def mark(context, number, worker):
    """Count the visits of each number, and note who came last."""
    visits = array_at(context, _LIKE, (2 * SPACE,))
    visits[number] += 1
    visits[SPACE + number] = worker


@kernel("test_fail")
def fail(context, number, worker):
    if number == context:
        raise ZeroDivisionError


SPACE = 100_000
_LIKE = np.zeros(0, np.int64)
TASK = (types.int64,) * 3


def visits_of(n_tasks, n_workers):
    visits = np.zeros(2 * SPACE, np.int64)
    run_tasks(address(mark, TASK), visits.ctypes.data, n_tasks, n_workers)
    return visits[:n_tasks], visits[SPACE : SPACE + n_tasks], visits[n_tasks:SPACE]


@pytest.mark.parametrize("n_threads", [1, 2, 7, 64])
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 50, 100_000])
def test_every_task_is_done_once(n_tasks, n_threads):
    for pause in (0, 0, 0.003):  # the last time the threads have gone to sleep
        time.sleep(pause)
        done, worker, others = visits_of(n_tasks, n_threads)
        assert (done == 1).all()
        assert (others == 0).all()
        assert ((worker >= 0) & (worker < n_threads)).all()


def test_other_threads_take_part():
    assert any(len(set(visits_of(100_000, 2)[1].tolist())) == 2 for _ in range(200))


def test_jobs_that_follow_each_other_at_once_do_not_mix():
    for n_tasks in [1, 2, 3, 17] * 2000:
        done, _, others = visits_of(n_tasks, 3)
        assert (done == 1).all()
        assert (others[:20] == 0).all()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("culprit", [0, 5, 99])
def test_a_task_that_stops_is_told_and_the_next_job_is_whole(culprit, n_threads):
    with pytest.raises(MemoryError, match="a kernel stopped before its end"):
        run_tasks(address(fail, TASK), culprit, 100, n_threads)
    assert (visits_of(50, n_threads)[0] == 1).all()


def test_a_network_uses_as_many_threads_as_it_is_told(monkeypatch):
    seen = []
    run = workplace.run_tasks
    monkeypatch.setattr(workplace, "run_tasks", lambda *job: (seen.append(job[2:]), run(*job)))
    network, values, offsets = network_and_values()
    network.logits(values, offsets, n_threads=3)
    network.loss_and_gradient(values, offsets, np.zeros(60, np.int64), n_threads=5)
    network.loss_and_gradient(values, offsets, np.zeros(60, np.int64), n_threads=2)
    network.loss_and_gradient(values, offsets, np.zeros(60, np.int64), chosen=np.arange(1), n_threads=2)
    assert seen == [(4, 3), (4, 4), (4, 2), (1, 1)]


def test_small_work_stays_on_one_thread(monkeypatch):
    seen = []
    run = workplace.run_tasks
    monkeypatch.setattr(workplace, "run_tasks", lambda *job: (seen.append(job[2:]), run(*job)))
    network, values, offsets = network_and_values()
    network.logits(values, offsets[:21], n_threads=2)
    monkeypatch.setattr(workplace, "SMALL_WORK", network.parameters.vector.size * 20 * 20 + 1)
    network.logits(values, offsets[:21], n_threads=2)
    assert seen == [(2, 2), (2, 1)]


def test_environment_limits_the_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1,4")
    assert available_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "\u00b2")
    assert available_threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "9" * 5000)
    monkeypatch.delenv("ELMAN_NUM_THREADS", raising=False)
    assert available_threads() >= 1
    monkeypatch.setenv("ELMAN_NUM_THREADS", "-2")
    with pytest.raises(ParameterError, match="ELMAN_NUM_THREADS must be a whole number above 0"):
        available_threads()


def network_and_values() -> tuple[Network, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    network = Network(Architecture(3, 2, "gru", 12))
    network.initialise(rng)
    offsets = np.arange(0, 60 * 20 + 1, 20)
    return network, rng.standard_normal((offsets[-1], 3)).astype(np.float32), offsets


def test_many_callers_may_predict_at_the_same_time(monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)
    network, values, offsets = network_and_values()
    expected = network.logits(values, offsets)
    network._packed_from = None  # the first callers meet while the weights are packed
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: network.logits(values, offsets, n_threads=2), range(64)))
    assert all(np.array_equal(result, expected) for result in results)


def test_many_callers_may_learn_at_the_same_time_from_one_network():
    network, values, offsets = network_and_values()
    targets = np.arange(60) % 2
    batches = [np.arange(start, stop) for start, stop in ((0, 60), (5, 20), (0, 3), (17, 60))]
    expected = [network.loss_and_gradient(values, offsets, targets, chosen=batch).gradient for batch in batches]

    def learn(number):
        chosen = batches[number % 4]
        return network.loss_and_gradient(values, offsets, targets, chosen=chosen, n_threads=2).gradient

    with ThreadPoolExecutor(4) as pool:
        for number, gradient in enumerate(pool.map(learn, range(200))):
            assert np.array_equal(gradient, expected[number % 4])


def test_a_thread_that_cannot_start_is_done_without(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_team", threads._Team())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert (visits_of(50, 3)[0] == 1).all()
    assert threads._team.wake(3) == 3, "and started as soon as it can be"
    assert (visits_of(50, 3)[0] == 1).all()


def test_an_interruption_leaves_the_team_at_work(monkeypatch):
    def interrupted(*arguments):
        run(*arguments)
        raise KeyboardInterrupt

    run = threads.run_job
    with monkeypatch.context() as patch:
        patch.setattr(threads, "run_job", interrupted)
        with pytest.raises(KeyboardInterrupt):
            visits_of(50, 2)
    seen = []
    monkeypatch.setattr(threads, "run_job", lambda *job: (seen.append(job), run(*job))[1])
    assert (visits_of(50, 2)[0] == 1).all()
    assert len(seen) == 1, "the next job is the team's again"


def _predict_in_child(queue, network, values, offsets):
    queue.put(network.logits(values, offsets, n_threads=2))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_forked_child_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)
    network, values, offsets = network_and_values()
    expected = network.logits(values, offsets, n_threads=2)  # the parent's threads are running now
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_predict_in_child, args=(queue, network, values, offsets))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork with threads
        child.start()
    assert np.array_equal(queue.get(timeout=60), expected)
    child.join(timeout=60)
    assert child.exitcode == 0


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_child_forked_while_others_were_at_work_waits_for_none_of_them(monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)
    network, values, offsets = network_and_values()
    expected = network.logits(values, offsets, n_threads=2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_predict_in_child, args=(queue, network, values, offsets))
    held, done = threading.Event(), threading.Event()

    def hold():
        with threads._team.busy, network._packing:
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    done.set()
    holder.join()
    try:
        assert np.array_equal(queue.get(timeout=60), expected)
    finally:
        child.kill()
