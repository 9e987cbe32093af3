"""Threads over tasks: every task once, errors come through, limits are kept, forks and callers do not meet."""

import multiprocessing
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from elman.errors import ParameterError
from elman.network import network as network_module
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.shards import cut
from elman.network.threads import available_threads, run_tasks


@pytest.mark.parametrize("n_threads", [1, 2, 7])
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 50])
def test_every_task_is_done_once(n_tasks, n_threads):
    done, lock = [], threading.Lock()

    def task(number, worker):
        assert 0 <= worker < n_threads
        with lock:
            done.append(number)

    run_tasks(n_tasks, task, n_threads)
    assert sorted(done) == list(range(n_tasks))


@pytest.mark.parametrize("culprit", [0, 5])
def test_an_error_in_any_task_is_raised_and_ends_the_others(culprit):
    begun = []

    def task(number, worker):
        begun.append(number)
        if number == culprit:
            raise ZeroDivisionError("planted")

    with pytest.raises(ZeroDivisionError, match="planted"):
        run_tasks(100_000, task, 2)
    assert len(begun) < 100_000


def test_an_error_on_another_thread_is_raised_here():
    def task(number, worker):
        if worker == 1:
            raise ZeroDivisionError("planted")
        time.sleep(0.001)

    with pytest.raises(ZeroDivisionError, match="planted"):
        run_tasks(500, task, 2)


def test_a_network_uses_as_many_threads_as_it_is_told(monkeypatch):
    monkeypatch.setattr(network_module, "SMALL_WORK", 0)
    seen = []
    monkeypatch.setattr(network_module, "run_tasks", lambda n, task, threads: seen.append((n, threads)))
    network, values, offsets = network_and_values()
    network.logits(values, offsets, n_threads=3)
    network.loss_and_gradient(values, offsets, np.zeros(60, np.int64), n_threads=5)
    assert seen == [(4, 3), (4, 5)]


def test_the_cut_into_tasks_depends_on_the_batch_alone():
    batch = cut(np.arange(0, 40 * 16 + 1))
    assert batch.n_shards == 40
    assert [(run.start, run.stop) for run in batch.tasks()] == [
        (0, 2), (2, 5), (5, 7), (7, 10), (10, 12), (12, 15), (15, 17), (17, 20),
        (20, 22), (22, 25), (25, 27), (27, 30), (30, 32), (32, 35), (35, 37), (37, 40),
    ]  # fmt: skip


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
    monkeypatch.setattr(network_module, "SMALL_WORK", 0)
    network, values, offsets = network_and_values()
    expected = network.logits(values, offsets)
    network._packed = None  # the first callers meet while the weights are packed
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: network.logits(values, offsets, n_threads=2), range(64)))
    assert all(np.array_equal(result, expected) for result in results)


def _predict_in_child(queue, network, values, offsets):
    queue.put(network.logits(values, offsets, n_threads=2))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_forked_child_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(network_module, "SMALL_WORK", 0)
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
