"""The networks of an estimator: one, or several that start and learn from random numbers of their own.

Members are trained at the same time, as many as there are threads, on the same arrays; what a member becomes depends on
its own random numbers alone, so the first is the network that an estimator of one would be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from elman.data.patches import start_near_average
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.threads import threads_or_default
from elman.training.callbacks import Callback, Callbacks, Run, StepRecord
from elman.training.checkpoint import Checkpoint
from elman.training.history import History, Record
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

Member: TypeAlias = Callable[[TrainingSettings], Trainer]
"""Gives the trainer of a member with these settings, once it is its turn: not all need their memory at once."""


def begun(
    network: Network, rng: np.random.Generator, quantities: Any, epochs: int | None, settings: TrainingSettings
) -> Trainer:
    """Give a new trainer of a network, for so many epochs where they are said."""
    settings = settings if epochs is None else replace(settings, max_epochs=epochs)
    return Trainer(network, settings, rng, quantities)


def resumed(trainer: Trainer, settings: TrainingSettings) -> Trainer:
    """Give a trainer that goes on where it was."""
    trainer.resume(settings)
    return trainer


def make_networks(
    architecture: Architecture,
    dtype: str,
    rngs: Sequence[np.random.Generator],
    initialisation: str,
    forget_bias: float | None,
    longest: int,
    patch_size: int,
) -> list[Network]:
    """Give a network for each generator, with parameters drawn from it."""
    networks = []
    for rng in rngs:
        network = Network(architecture, dtype=dtype)
        network.initialise(rng, initialisation, forget_bias=forget_bias, longest=longest)
        for name, values in network.parameters.items():
            if name.startswith("weight_embedding"):
                values[0] = 0  # what is unknown says nothing, unless training shows that it does
            elif name.startswith("weight_ih_l0"):
                start_near_average(values, patch_size)
        networks.append(network)
    return networks


def train_members(
    members: Sequence[Member],
    settings: TrainingSettings,
    training: Samples,
    held_out: Samples | None,
    callbacks: Sequence[Callback],
    checkpoint: Checkpoint | None,
) -> list[History]:
    """Train every member and give their histories, in order; Ctrl-C ends all, and each keeps its best.

    Members share the threads of ``settings``. Callbacks are told of the first member, or of every one, see `Callback`.
    The checkpoint is of the first; that of the n-th is called likewise, with ``.n`` behind.

    Raises
    ------
    TrainingError, CheckpointError, OutputError, or what a callback raised
        Of the first member that failed; the others stop after the step that they are at.
    """
    if len(members) == 1:
        return [members[0](settings).fit(training, held_out, callbacks, checkpoint=checkpoint)]
    n_threads = threads_or_default(settings.n_threads)
    at_a_time = min(len(members), n_threads)
    settings = replace(settings, n_threads=n_threads // at_a_time)
    is_over, all_are_there, lock = threading.Event(), threading.Event(), threading.Lock()

    def train(number: int, member: Member) -> History:
        all_are_there.wait()  # Ctrl-C before that would lose sight of one that has begun
        if is_over.is_set():
            return History(interrupted=True)
        told = [each for each in callbacks if number == 1 or each.of_every_member]
        watch = _Watch(told, number, lock, is_over)
        saved = checkpoint if checkpoint is None or number == 1 else checkpoint.beside(number)
        history = member(settings).fit(training, held_out, [watch], checkpoint=saved)
        if history.interrupted:  # by a callback that stands for Ctrl-C
            is_over.set()
        return history

    futures: list[Future[History]] = []
    with ThreadPoolExecutor(at_a_time, thread_name_prefix="elman-member") as pool:
        try:
            for number, member in enumerate(members, start=1):
                futures.append(pool.submit(train, number, member))
            all_are_there.set()
            wait(futures, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            pass
        finally:
            is_over.set()
            all_are_there.set()
    failed = [future for future in futures if future.exception() is not None]
    histories = [future.result() for future in failed[:1] or futures]
    return histories + [History(interrupted=True) for _ in members[len(futures) :]]


def with_epochs(
    networks: Sequence[Network], before: Sequence[list[Record]], histories: Sequence[History]
) -> tuple[list[Network], list[list[Record]], list[History]]:
    """Give the networks that made an epoch, all records of each, and their histories; epochs count on from ``before``.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C came before any did: then there is no model.
    """
    done = [n for n, history in enumerate(histories) if history.best_epoch is not None]
    if not done:
        raise KeyboardInterrupt
    records = [
        [*before[n], *(record | {"epoch": len(before[n]) + record["epoch"]} for record in histories[n].records)]
        for n in done
    ]
    kept = [replace(histories[n], best_epoch=len(before[n]) + (histories[n].best_epoch or 0)) for n in done]
    return [networks[n] for n in done], records, kept


class _Watch(Callback):
    """Stands between a member at work and whoever watches: one call at a time, and Ctrl-C for all."""

    def __init__(
        self, callbacks: Sequence[Callback], number: int, lock: threading.Lock, is_over: threading.Event
    ) -> None:
        self._callbacks, self._number, self._lock, self._is_over = Callbacks(callbacks), number, lock, is_over

    def on_train_begin(self, run: Run) -> None:
        with self._lock:
            self._callbacks.on_train_begin(run)

    def on_epoch_begin(self, epoch: int) -> None:
        with self._lock:
            self._callbacks.on_epoch_begin(epoch)

    def on_step_end(self, step: StepRecord) -> bool:
        if self._is_over.is_set():
            raise KeyboardInterrupt
        with self._lock:
            return self._callbacks.on_step_end(step | {"member": self._number})

    def on_epoch_end(self, record: Record) -> bool:
        with self._lock:
            return self._callbacks.on_epoch_end(record | {"member": self._number})

    def on_train_end(self, history: History) -> None:
        with self._lock:
            self._callbacks.on_train_end(history)
