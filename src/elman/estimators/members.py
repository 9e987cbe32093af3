"""The networks of an estimator: one, or several that start and learn from random numbers of their own.

Members are trained at the same time, as many as there are threads, on the same arrays; what a member becomes depends on
its own random numbers alone, so the first is the network that an estimator of one would be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from elman.estimators.learning import Hooks
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.network.threads import threads_or_default
from elman.training.history import History, Record
from elman.training.settings import TrainingSettings
from elman.training.trainer import Samples, Trainer

Member: TypeAlias = Callable[[TrainingSettings], Trainer]
"""Gives the trainer of a member with these settings, once it is its turn: not all need their memory at once."""


def begun(network: Network, rng: np.random.Generator, settings: TrainingSettings) -> Trainer:
    """Give a new trainer of a network."""
    return Trainer(network, settings, rng)


def resumed(trainer: Trainer, settings: TrainingSettings) -> Trainer:
    """Give a trainer that goes on where it was."""
    trainer.resume(settings)
    return trainer


def counted_on(before: list[Record], records: list[Record]) -> list[Record]:
    """Give records of an earlier training and those of one that went on from there, epochs counted through."""
    return [*before, *(record | {"epoch": len(before) + record["epoch"]} for record in records)]


def make_networks(
    architecture: Architecture,
    dtype: str,
    rngs: Sequence[np.random.Generator],
    initialisation: str,
    forget_bias: float | None,
) -> list[Network]:
    """Give a network for each generator, with parameters drawn from it."""
    networks = []
    for rng in rngs:
        network = Network(architecture, dtype=dtype)
        network.initialise(rng, initialisation, forget_bias=forget_bias)
        for name, values in network.parameters.items():
            if name.startswith("weight_embedding"):
                values[0] = 0  # what is unknown says nothing, unless training shows that it does
        networks.append(network)
    return networks


def train_members(
    members: Sequence[Member],
    settings: TrainingSettings,
    training: Samples,
    held_out: Samples | None,
    hooks: Hooks,
) -> list[History]:
    """Train every member and give their histories, in order; Ctrl-C ends all, and each keeps its best.

    Members share the threads of ``settings``. Hooks are called by one member at a time, ``on_epoch`` with the number of
    the member, from 1, as ``record["member"]``; returning True, it ends the training of that member. ``before_epoch``
    is of the first member alone.

    Raises
    ------
    TrainingError, or what a hook raised
        Of the first member that failed; the others stop after the step that they are at.
    """
    if len(members) == 1:
        return [_fit(members[0](settings), training, held_out, hooks)]
    n_threads = threads_or_default(settings.n_threads)
    at_a_time = min(len(members), n_threads)
    settings = replace(settings, n_threads=n_threads // at_a_time)
    watch = _Watch(hooks)

    def train(number: int, member: Member) -> History:
        if watch.is_over.is_set():
            return History(interrupted=True)
        history = _fit(member(settings), training, held_out, watch.hooks(number))
        if history.interrupted:  # by a hook that stands for Ctrl-C
            watch.is_over.set()
        return history

    with ThreadPoolExecutor(at_a_time, thread_name_prefix="elman-member") as pool:
        return watch.results([pool.submit(train, number, member) for number, member in enumerate(members)])


def _fit(trainer: Trainer, training: Samples, held_out: Samples | None, hooks: Hooks) -> History:
    return trainer.fit(
        training, held_out, before_epoch=hooks.before_epoch, on_epoch=hooks.on_epoch, on_step=hooks.on_step
    )


class _Watch:
    """Stands between the members at work and whoever watches them."""

    def __init__(self, hooks: Hooks) -> None:
        self.is_over = threading.Event()
        self._hooks, self._lock = hooks, threading.Lock()

    def hooks(self, number: int) -> Hooks:
        """Give the hooks of a member, which end it where all are to end."""
        on_epoch, on_step = self._hooks.on_epoch, self._hooks.on_step

        def tell_epoch(record: Record) -> object:
            with self._lock:
                return on_epoch is not None and on_epoch(record | {"member": number + 1})

        def tell_step(done: int, total: int) -> None:
            if self.is_over.is_set():
                raise KeyboardInterrupt
            if on_step is not None:
                with self._lock:
                    on_step(done, total)

        return Hooks(self._hooks.before_epoch if number == 0 else None, tell_epoch, tell_step)

    def results(self, futures: Sequence[Future[History]]) -> list[History]:
        """Wait for all; where one fails, or on Ctrl-C, have all others stop."""
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            pass
        finally:
            self.is_over.set()
        wait(futures)
        failed = [future for future in futures if future.exception() is not None]
        return [future.result() for future in failed[:1] or futures]
