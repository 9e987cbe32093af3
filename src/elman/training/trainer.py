"""The training loop: shuffle, and for each batch forward, loss, backward, clip, update; repeat for epochs."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from elman.errors import DataError, TrainingError
from elman.kernels.loss import losses
from elman.network.network import Network
from elman.network.threads import threads_or_default
from elman.training.history import History, Record
from elman.training.settings import TrainingSettings
from elman.training.updater import Updater

Array = np.ndarray[Any, Any]
_RUN = 1 << 20  # steps that are assessed together, but of one sequence at least


class Samples(NamedTuple):
    """Sequences end to end, with their targets."""

    values: Array  # (S, D) in the network's dtype, C-contiguous
    offsets: Array  # (N + 1,) int64
    targets: Array  # int64 class numbers (N,), or (S,) with a loss at every step; -1 where there is no label
    weights: Array | None = None  # float64, how much each target counts; None: all alike


class StepResult(NamedTuple):
    """What one update saw before it changed anything."""

    loss: float
    correct: float  # the sum of the weights of what was right
    scored: float  # the sum of the weights of all: without weights the labelled sequences, or steps
    gradient_norm: float  # before clipping
    learning_rate: float


class Trainer:
    """Trains a network in place.

    Parameters
    ----------
    network : Network, initialised
    settings : TrainingSettings
    rng : numpy Generator
        Source of shuffles and dropout masks: the same state gives the same bits.
    """

    def __init__(self, network: Network, settings: TrainingSettings, rng: np.random.Generator) -> None:
        self.network, self.settings, self._rng = network, settings, rng
        self._updater: Updater | None = None
        self._n_threads = threads_or_default(settings.n_threads)

    def resume(self, settings: TrainingSettings) -> None:
        """Go on under other settings; the optimizer keeps its state, unless it is to be another one."""
        kinds = [(s.optimizer, s.momentum, s.nesterov, s.weight_decay) for s in (self.settings, settings)]
        if kinds[0] != kinds[1]:
            self._updater = None
        self.settings = settings
        self._n_threads = threads_or_default(settings.n_threads)

    def step(self, samples: Samples, chosen: Array | None = None) -> StepResult:
        """Update the parameters once, from the chosen sequences of `samples` (default all).

        If none of them has a label of any weight, nothing changes.
        """
        settings, network = self.settings, self.network
        values, offsets, targets, weights = samples
        key = int(self._rng.integers(2**63)) if network.architecture.draws_masks else None
        found = network.loss_and_gradient(
            values,
            offsets,
            targets,
            weights=weights,
            chosen=chosen,
            dropout_key=key,
            label_smoothing=settings.label_smoothing,
            n_threads=self._n_threads,
        )
        if not math.isfinite(found.loss) or not math.isfinite(found.norm):
            raise TrainingError(
                f"Training broke down: the loss is {found.loss} and the gradient's norm {found.norm}. "
                f"Try learning_rate={settings.learning_rate / 10:g}, or clip_norm=1."
            )
        if found.scored == 0:  # nothing to learn from, and so no step along what was learned before
            return StepResult(0.0, 0.0, 0.0, 0.0, settings.learning_rate)
        update = self._updating(1).update(found.gradient, found.norm)
        return StepResult(found.loss, found.correct, found.scored, found.norm, update.learning_rate)

    def _updating(self, steps_per_epoch: int) -> Updater:
        """Return what updates the parameters, made when the length of an epoch is known."""
        if self._updater is None:
            n_steps = self.settings.max_epochs * steps_per_epoch
            self._updater = Updater(self.network, self.settings, n_steps, steps_per_epoch, self._rng)
        return self._updater

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        *,
        before_epoch: Callable[[int], object] | None = None,
        on_epoch: Callable[[Record], object] | None = None,
        on_step: Callable[[int, int], object] | None = None,
    ) -> History:
        """Train until max_epochs, until the validation loss stops falling, or until Ctrl-C.

        Afterwards the network has the parameters of the epoch with the lowest validation loss; without validation data,
        of the last epoch.

        Parameters
        ----------
        training, validation : Samples
        before_epoch : called with the number of each epoch, from 1
        on_epoch : called with the record of each epoch; training stops if it returns True
        on_step : called after each update with the updates done in this epoch and all there are
        """
        for samples in (training, validation):
            if samples is not None:
                _counted(samples)  # where nothing counts, that is said before anything is learned
        history = History()
        best = self.network.parameters.vector.copy()
        lowest = mark = math.inf  # the lowest validation loss; the one that patience counts from, and its epoch
        mark_epoch = 0
        try:
            for epoch in range(1, self.settings.max_epochs + 1):
                if before_epoch is not None:
                    before_epoch(epoch)
                record = self._epoch(epoch, training, validation, on_step)
                history.records.append(record)
                loss = record["validation_loss"]
                if loss is None or loss < lowest or history.best_epoch is None:
                    best[:] = self._updater.evaluated() if self._updater else self.network.parameters.vector
                    history.best_epoch = epoch
                    lowest = math.inf if loss is None or math.isnan(loss) else loss
                wants_to_stop = on_epoch is not None and on_epoch(record) is True
                if loss is not None and loss < mark - self.settings.tol:
                    mark, mark_epoch = loss, epoch
                if wants_to_stop or (loss is not None and self._patience_is_over(epoch - mark_epoch)):
                    history.stopped_early = True
                    break
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            self.network.release()
        if history.best_epoch is not None:
            self.network.parameters.vector[:] = best
        return history

    def _patience_is_over(self, epochs_without_change: int) -> bool:
        return self.settings.early_stopping and epochs_without_change >= self.settings.n_iter_no_change

    def _epoch(
        self,
        epoch: int,
        training: Samples,
        validation: Samples | None,
        on_step: Callable[[int, int], object] | None,
    ) -> Record:
        """Go once through the training data in a new order."""
        started = time.perf_counter()
        n, size = len(training.offsets) - 1, self.settings.batch_size
        order = self._rng.permutation(n)
        batches = [order[at : at + size] for at in range(0, n, size)]
        updater = self._updating(len(batches))
        results = []
        for number, chosen in enumerate(batches, start=1):
            results.append(self.step(training, chosen))
            if on_step is not None:
                on_step(number, len(batches))
        seconds = time.perf_counter() - started
        validation_loss, validation_accuracy = (None, None) if validation is None else self._assess_average(validation)
        updater.end_epoch(validation_loss)
        most = max(result.scored for result in results)  # weights may be as large as numbers go
        shares = [result.scored / most for result in results]
        return Record(
            epoch=epoch,
            training_loss=sum(result.loss * share for result, share in zip(results, shares)) / sum(shares),
            training_accuracy=sum(result.correct / most for result in results) / sum(shares),
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            gradient_norm=sum(result.gradient_norm for result in results) / len(results),
            learning_rate=results[-1].learning_rate,
            seconds=seconds,
            sequences_per_second=n / seconds,
        )

    def _assess_average(self, samples: Samples) -> tuple[float, float]:
        """Assess the network with the average of its parameters, where one is kept."""
        vector = self.network.parameters.vector
        kept = vector.copy()
        if self._updater is not None:
            vector[:] = self._updater.evaluated()
        try:
            return self.assess(samples)
        finally:
            vector[:] = kept

    def assess(self, samples: Samples) -> tuple[float, float]:
        """Return loss and accuracy of the network as it is: means over the labelled targets by their weights.

        Raises
        ------
        DataError
            If no target has a label and a weight above 0.
        """
        weights, total = _counted(samples)
        loss = np.empty(len(samples.targets))
        hits = np.empty(len(samples.targets), dtype=bool)
        done = 0
        for values, offsets in _runs(samples):
            logits = self.network.logits(values, offsets, n_threads=self._n_threads)
            rows = slice(done, done + len(logits))
            targets = samples.targets[rows]
            loss[rows] = losses(logits, targets)
            hits[rows] = logits.argmax(axis=1) == targets
            done += len(logits)
        shares = weights / total
        counted = shares > 0  # a sequence that does not count may have any scores
        return float(shares[counted] @ loss[counted]), float(shares[hits].sum())


def _runs(samples: Samples) -> Iterator[tuple[Array, Array]]:
    """Give values and offsets of runs of sequences, so that class scores of every step are never held for all."""
    offsets, first = samples.offsets, 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _RUN, side="right")) - 1
        last = max(last, first + 1)
        yield samples.values[offsets[first] : offsets[last]], offsets[first : last + 1] - offsets[first]
        first = last


def _counted(samples: Samples) -> tuple[Array, float]:
    """Return how much each target counts: its weight, or 0 where there is no label; and the sum of all."""
    weights = np.where(samples.targets < 0, 0.0, 1.0 if samples.weights is None else samples.weights)
    total = float(weights.sum())
    if not total > 0:
        raise DataError(
            f"At least one target must have a label and a weight above 0. "
            f"Got {(samples.targets >= 0).sum()} labels, with weights that sum to {total:g}."
        )
    return weights, total
