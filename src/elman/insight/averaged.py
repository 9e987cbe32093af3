"""The networks of an estimator as one function: the logarithm of the averaged probability of a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data import Sequences
from elman.data.patches import in_patches
from elman.data.preparation import Preparation
from elman.data.sequences import offsets_of
from elman.kernels.loss import losses
from elman.network.inputs import by_column, columns_of
from elman.network.network import Network

Array = NDArray[np.float64]
Floats = NDArray[Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Sequences as the first layers of M networks read them; each network has vectors of its own for the same codes.

    Parameters
    ----------
    of_networks : tuple of M float arrays (S, E)
    offsets : int64 array (N + 1,)
    targets : int64 array (N,), or (S,) with a loss at every step
        The class that is asked for; with a loss at every step, -1 at all steps of a sequence but one.
    """

    of_networks: tuple[Floats, ...]
    offsets: Ints
    targets: Ints

    @property
    def size(self) -> int:
        """How many numbers a network reads."""
        return self.of_networks[0].size

    def scaled(self, shares: Array) -> Inputs:
        """Give a copy of all sequences for each share, (I,), one after the other, multiplied by it."""
        return self.copies(np.arange(len(shares)), lambda k, x: shares[k] * x)

    def copies(self, numbers: Ints, copy: Callable[[int, Floats], Floats]) -> Inputs:
        """Give a copy of all sequences for each number, one after the other, as ``copy(number, x)`` makes it."""
        return Inputs(
            tuple(
                np.concatenate([copy(number, x) for number in numbers.tolist()], dtype=x.dtype)
                for x in self.of_networks
            ),
            offsets_of(np.tile(np.diff(self.offsets), len(numbers))),
            np.tile(self.targets, len(numbers)),
        )


class Averaged:
    """log p(class), p the mean of the probabilities of M networks, as a function of what their first layers read."""

    def __init__(self, networks: Sequence[Network], preparation: Preparation, n_threads: int | None) -> None:
        self._networks, self._preparation, self._n_threads = list(networks), preparation, n_threads
        self._inner = [network.from_inputs() for network in networks]
        self._architecture = networks[0].architecture  # that of all

    def read(self, prepared: Sequences, targets: Ints) -> Inputs:
        """Give prepared sequences as the first layers read them."""
        inputs = tuple(network.first_inputs(prepared.values) for network in self._networks)
        return Inputs(inputs, prepared.offsets, targets)

    def log_proba(self, inputs: Inputs) -> Array:
        """Give log p of each sequence (N,)."""
        rows = []
        for network, x in zip(self._inner, inputs.of_networks):
            logits = network.logits(x, inputs.offsets, n_threads=self._n_threads)
            rows.append(np.where(inputs.targets < 0, 0.0, losses(logits, np.maximum(inputs.targets, 0))))
        return _of_mean(self._by_sequence(inputs, rows))

    def gradient(self, inputs: Inputs) -> tuple[Array, ...]:
        """Give the gradient of each sequence's log p by the inputs of each network, M arrays (S, E).

        d log p / dx_m = p_m / (p_1 + ... + p_M) d log p_m / dx_m
        """
        found = [
            network.input_gradient(x, inputs.offsets, inputs.targets, n_threads=self._n_threads)
            for network, x in zip(self._inner, inputs.of_networks)
        ]
        of_networks = self._by_sequence(inputs, [each.losses for each in found])
        shares = np.exp(of_networks - _of_mean(of_networks)) / len(found)
        by_step = np.repeat(shares, np.diff(inputs.offsets), axis=1)
        return tuple(-share[:, None] * each.d_values for share, each in zip(by_step, found))

    def by_feature(self, of_networks: Sequence[Array], offsets: Ints) -> Array:
        """Give what is known of the inputs of each network, M arrays (S', E), by raw steps and features, summed up.

        ``offsets``, int64 (N + 1,), are those of the raw sequences; the result is (S, F).
        """
        total = np.sum(of_networks, axis=0)
        return np.asarray(self._preparation.by_feature(by_column(self._architecture, total), offsets), np.float64)

    def by_input(self, of_features: Array, offsets: Ints) -> Array:
        """Give for each input of a network, (S', E), what is known of the raw step and feature it is of, (S, F)."""
        of_columns = np.ascontiguousarray(of_features[:, self._preparation.sources])
        patches = in_patches(Sequences(of_columns, offsets), self._preparation.patch_size)
        return np.asarray(patches.values[:, columns_of(self._architecture)])

    def _by_sequence(self, inputs: Inputs, rows: list[Array]) -> Array:
        """Give log p of each network and sequence (M, N) from the losses of all rows."""
        every_step = self._architecture.loss_at == "every_step"
        return -np.array([np.add.reduceat(row, inputs.offsets[:-1]) if every_step else row for row in rows])


def _of_mean(log_proba: Array) -> Array:
    """Give the logarithm of the mean of probabilities, from their logarithms (M, N)."""
    most = log_proba.max(axis=0)
    return np.asarray(most + np.log(np.exp(log_proba - most).mean(axis=0)))
