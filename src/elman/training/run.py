"""A training run: its epochs, the best of them, the way back from a breakdown, and where it is saved."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.caution import warn_user
from elman.errors import TrainingError
from elman.training.assessment import counted
from elman.training.callbacks import Callback, Callbacks, Run, StepRecord
from elman.training.checkpoint import Checkpoint
from elman.training.divergence import BEYOND, IN_A_ROW, TOO_LARGE, BreakdownError, is_too_large
from elman.training.flow import summary
from elman.training.history import History
from elman.training.identity import identity
from elman.training.moments import Moments
from elman.training.progress import Progress, StepResult
from elman.training.samples import Samples
from elman.training.state import State

if TYPE_CHECKING:
    from elman.training.trainer import Trainer

Array = np.ndarray[Any, Any]


class TrainingRun:
    """What `Trainer.fit` does."""

    def __init__(
        self,
        trainer: Trainer,
        training: Samples,
        validation: Samples | None,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None,
    ) -> None:
        for samples in (training, validation):
            if samples is not None:
                counted(samples)  # where nothing counts, that is said before anything is learned
        self._trainer, self._training, self._validation = trainer, training, validation
        self._tell, self._checkpoint = Callbacks(callbacks), checkpoint
        self._parameters = trainer.network.parameters.vector
        self._best = self._parameters.copy()
        self._progress = Progress()
        trainer.is_updating = False
        batch = trainer.settings.batch_size * trainer.settings.accumulate
        self._steps_per_epoch = -(-(len(training.offsets) - 1) // batch)
        rng: Mapping[str, Any] = trainer.rng.bit_generator.state
        self._updater = trainer.updater(self._steps_per_epoch)
        self._rng_at_epoch = self._rng_at_step = trainer.rng.bit_generator.state
        self._epoch_start = self._state()
        self._good: State | None = None  # the last that training went on from without trouble
        self._is_resumed = False
        if checkpoint is not None:
            whose = identity(trainer.network, trainer.settings, rng, training, validation)
            self._resume(checkpoint.begin(whose, self._state(), trainer.settings, self._steps_per_epoch))

    def go(self) -> History:
        """Train, and give what happened."""
        try:
            self._tell.on_train_begin(self._announcement())
            was_finished = self._progress.is_finished
            while not self._progress.is_finished:
                try:
                    self._epoch()
                except BreakdownError as breakdown:
                    self._go_back(breakdown)
            if not was_finished:
                self._save()
        except KeyboardInterrupt:
            self._progress.history.interrupted = True
            self._save_interrupted()
        except Exception as error:
            self._progress.history.error = str(error) or type(error).__name__
            self._parameters[:] = self._best
            raise
        finally:
            self._trainer.network.release()
            self._tell.on_train_end(self._progress.history)
        if self._progress.history.best_epoch is not None:
            self._parameters[:] = self._best
        return self._progress.history

    def _epoch(self) -> None:
        """Go once through the training data in a new order, or through what is left of it."""
        progress = self._progress
        steps = self._drawn_steps()
        self._tell.on_epoch_begin(progress.epoch)
        started, stops = time.perf_counter() - progress.seconds, False
        for batches in steps[len(progress.results) :]:
            with np.errstate(over="ignore", invalid="ignore"):
                result = self._step(batches)
            self._count(result)
            progress.seconds = time.perf_counter() - started
            self._save_if_due()
            stops = self._tell.on_step_end(self._step_record(result))
            if stops:
                break
        self._end_epoch(stops)

    def _step(self, batches: list[Array]) -> StepResult:
        """Make a step; watch the gradient on its way back until it is known, in this epoch, how far it reaches."""
        trainer, progress = self._trainer, self._progress
        trainer.watches = progress.flow is None
        result = trainer.step(self._training, *batches)
        flow = trainer.seen()
        if flow is not None:
            progress.flow = summary(flow)
        return result

    def _drawn_steps(self) -> list[list[Array]]:
        """Draw the batches of the running epoch, step by step; where some are done, the same once more."""
        rng = self._trainer.rng.bit_generator
        rng.state = self._rng_at_epoch
        steps = self._trainer.epoch_batches(self._training)
        if self._progress.results:
            rng.state = self._rng_at_step
        else:
            self._epoch_start = self._state()
        return steps

    def _count(self, result: StepResult) -> None:
        """Take note of a step, and raise BreakdownError where losses have been too large for too long."""
        progress = self._progress
        progress.results.append(result)
        if progress.first_loss is None and result.scored > 0:
            progress.first_loss = result.loss
        first = progress.first_loss or 0.0
        n_classes = self._trainer.network.architecture.n_classes
        too_large = is_too_large(result.loss, first, n_classes)
        progress.n_too_large = progress.n_too_large + 1 if too_large else 0
        if not too_large:
            self._good = self._epoch_start
        self._rng_at_step = self._trainer.rng.bit_generator.state
        self._trainer.is_updating = False
        if progress.n_too_large >= IN_A_ROW:
            found = f"for {IN_A_ROW} steps the loss was above {TOO_LARGE:g} times chance's and its start, {first:.3g}"
            raise self._trainer.breakdown(found, self._training)
        if is_too_large(result.loss, first, n_classes, BEYOND):
            raise self._trainer.breakdown(
                f"the loss is {result.loss:.3g}, from {first:.3g} at the start", self._training
            )

    def _end_epoch(self, stops: bool) -> None:
        """Validate, and keep the parameters if they are the best so far."""
        trainer, progress = self._trainer, self._progress
        with np.errstate(over="ignore", invalid="ignore"):
            validation = self._validated(is_last=stops or progress.epoch >= trainer.settings.max_epochs)
        n = len(self._training.offsets) - 1
        record = progress.record(validation, n_sequences=n, steps_per_epoch=self._steps_per_epoch)
        trainer.is_updating = True
        self._updater.end_epoch(validation[0])
        if progress.end_epoch(record, trainer.settings):
            self._best[:] = self._updater.evaluated()
        self._rng_at_epoch = trainer.rng.bit_generator.state
        trainer.is_updating = False
        if self._tell.on_epoch_end(record) or stops:
            progress.stop(told=True)
        if not progress.is_finished:
            self._save_if_due()

    def _validated(self, *, is_last: bool) -> tuple[float, float] | tuple[None, None]:
        """Give loss and accuracy on the validation part, of the parameters that would be kept."""
        trainer, vector = self._trainer, self._parameters
        learning = vector.copy()
        try:
            vector[:] = self._updater.evaluated()
            if self._validation is not None:
                loss, accuracy = trainer.assess(self._validation)
                if not np.isfinite(loss):
                    raise trainer.breakdown(f"the validation loss is {loss}", self._validation)
                return loss, accuracy
            if is_last and not self._gives_numbers():
                raise trainer.breakdown("the last step left a network whose scores are no numbers", self._training)
            return None, None
        finally:
            vector[:] = learning

    def _gives_numbers(self) -> bool:
        """Whether the network's scores of some sequences are finite."""
        offsets = self._training.offsets[: self._trainer.settings.batch_size + 1]
        logits = self._trainer.network.logits(self._training.values[: offsets[-1]], offsets)
        return bool(np.isfinite(logits).all())

    def _go_back(self, breakdown: BreakdownError) -> None:
        """Go back to the last good state and on at half the rate; the second time end training."""
        trainer, progress, good = self._trainer, self._progress, self._good
        place = f"in epoch {progress.epoch}, after {len(progress.results)} of {self._steps_per_epoch} steps"
        if good is None and trainer.is_updating:
            good = self._epoch_start  # the first gradient was sound, its step was not
        if progress.rollbacks:
            raise TrainingError(
                f"Training broke down again, at half the rate, {place}: {breakdown.found}. {breakdown.advice}"
            ) from breakdown
        if good is None:
            raise TrainingError(
                f"Training broke down before anything was learned: {breakdown.found}. {breakdown.first_advice}"
            ) from breakdown
        trainer.is_updating = True
        self._restore(good)
        self._progress.rollbacks = 1
        self._updater.slow_down(0.5)
        self._epoch_start = self._state()
        trainer.is_updating = False
        warn_user(
            f"Training broke down {place}: {breakdown.found}. It went back to the start of epoch "
            f"{self._progress.epoch}, and on at half the learning rate."
        )

    def _state(self) -> State:
        """Give a copy of this moment, between two steps."""
        return State(
            self._parameters.copy(),
            self._best.copy(),
            self._updater.state(),
            self._rng_at_step if self._progress.results else self._rng_at_epoch,
            self._rng_at_epoch,
            self._progress.copy(),
        )

    def _restore(self, state: State) -> None:
        """Make this moment that of a state."""
        self._parameters[:], self._best[:] = state.parameters, state.best
        self._updater.restore(state.updater)
        self._rng_at_step, self._rng_at_epoch = state.rng, state.rng_at_epoch
        self._progress = state.progress.copy()

    def _resume(self, moments: Moments | None) -> None:
        """Go on from what a checkpoint holds, if there is one."""
        if moments is not None:
            self._restore(moments.now)
            self._epoch_start, self._good, self._is_resumed = moments.epoch_start, moments.good, True

    def _save_if_due(self) -> None:
        if self._checkpoint is not None and self._checkpoint.is_due:
            self._save()

    def _save(self) -> None:
        if self._checkpoint is not None:
            self._checkpoint.save(Moments(self._state(), self._epoch_start, self._good))

    def _save_interrupted(self) -> None:
        """Save this moment; if a step was cut in two, the start of the epoch, unless a later one is saved."""
        if not self._trainer.is_updating:
            self._save()
        elif self._checkpoint is not None and self._checkpoint.saved_epoch != self._progress.epoch:
            self._checkpoint.save(Moments(self._epoch_start, self._epoch_start, self._good))

    def _announcement(self) -> Run:
        settings, validation = self._trainer.settings, self._validation
        return Run(
            settings=settings,
            architecture=self._trainer.network.architecture,
            n_sequences=len(self._training.offsets) - 1,
            n_validation=0 if validation is None else len(validation.offsets) - 1,
            steps_per_epoch=self._steps_per_epoch,
            n_parameters=self._parameters.size,
            max_epochs=settings.max_epochs,
            first_epoch=self._progress.epoch,
            first_step=(self._progress.epoch - 1) * self._steps_per_epoch + len(self._progress.results) + 1,
            is_resumed=self._is_resumed,
            is_finished=self._progress.is_finished,
        )

    def _step_record(self, result: StepResult) -> StepRecord:
        epoch, done = self._progress.epoch, len(self._progress.results)
        return StepRecord(
            step=(epoch - 1) * self._steps_per_epoch + done,
            epoch=epoch,
            step_in_epoch=done,
            n_steps_in_epoch=self._steps_per_epoch,
            loss=result.loss,
            gradient_norm=result.gradient_norm,
            is_clipped=result.is_clipped,
            update_ratio=result.update_ratio,
            learning_rate=result.learning_rate,
        )
