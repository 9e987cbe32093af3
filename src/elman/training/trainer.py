"""How a network learns: for each batch forward, loss, backward, update; repeated for epochs, each in a new order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from elman.kernels.updates import norm
from elman.network.flow import HiddenGradients
from elman.network.network import LossAndGradient, Network
from elman.network.threads import threads_or_default
from elman.training.assessment import assess, counted
from elman.training.augmentation import Augmentation
from elman.training.batches import epoch_batches
from elman.training.callbacks import Callback
from elman.training.checkpoint import Checkpoint
from elman.training.divergence import BreakdownError
from elman.training.history import History
from elman.training.progress import StepResult
from elman.training.run import TrainingRun
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.updater import Updater

Array = np.ndarray[Any, Any]


class Trainer:
    """Trains a network in place.

    Parameters
    ----------
    network : Network, initialised
    settings : TrainingSettings
    rng : numpy Generator
        Source of shuffles, changes of the sequences and dropout masks: the same state gives the same bits.
    quantities : int64 array, optional
        The columns of the values that augmentation may change; default all.
    """

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        rng: np.random.Generator,
        quantities: Array | None = None,
    ) -> None:
        self.network, self.rng = network, rng
        self._quantities = quantities
        self._updater: Updater | None = None
        self._usual_score: float | None = None  # what the targets of a step count in the mean, where buckets differ
        self._go_by(settings)
        self.watches = False  # whether the next batch's gradient is watched on its way back: see `seen`
        self._flow: HiddenGradients | None = None
        self.is_updating = False  # True from when parameters begin to change until that step is counted

    def resume(self, settings: TrainingSettings) -> None:
        """Go on under other settings; the optimizer keeps its state, unless it is to be another one."""
        kept = None if self._updater is None or _kind(settings) != _kind(self.settings) else self._updater.state()
        self._go_by(settings)
        self._updater = None
        if kept is not None:
            self.updater().restore(kept)

    def _go_by(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self._n_threads = threads_or_default(settings.n_threads)
        augmentation = Augmentation.of(settings, self._quantities)
        self._augmentation = augmentation if augmentation.is_active else None

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        callbacks: Sequence[Callback] = (),
        *,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """Train until max_epochs, until the validation loss stops falling, or until Ctrl-C.

        Afterwards the network has the parameters of the epoch with the lowest validation loss; without validation data,
        of the last epoch. Where training breaks down, it goes back to its last good state and on from there at half the
        rate, once.

        Parameters
        ----------
        training, validation : Samples
        callbacks : sequence of Callback
        checkpoint : Checkpoint, optional
            Where the run is saved, and gone on with if it is there.

        Raises
        ------
        DataError
            If no target of one part has a label and a weight above 0.
        TrainingError
            If training breaks down in its first step, or again at half the rate. The network then has the parameters of
            the best epoch, or those it had at the start.
        CheckpointError, OutputError
            If the checkpoint is of another training, or cannot be read or written.
        """
        return TrainingRun(self, training, validation, callbacks, checkpoint).go()

    def epoch_batches(self, samples: Samples) -> list[list[Array]]:
        """Draw the batches of an epoch: a list for each step of the optimizer."""
        settings = self.settings
        lengths = np.diff(samples.offsets)
        batches = epoch_batches(lengths, settings.batch_size, self.rng, bucketed=settings.bucket_by_length)
        per_sequence = counted(samples)[1] / len(lengths) if settings.bucket_by_length else None
        self._usual_score = per_sequence and per_sequence * settings.batch_size * settings.accumulate
        return [batches[at : at + settings.accumulate] for at in range(0, len(batches), settings.accumulate)]

    def step(self, samples: Samples, *batches: Array) -> StepResult:
        """Update the parameters once, from batches of sequences of `samples` (default: all as one).

        If none of them has a label of any weight, nothing changes.
        """
        found = self._pass(samples, *batches[:1])
        for chosen in batches[1:]:
            found = mean_of_passes(found, self._pass(samples, chosen))
        if not math.isfinite(found.loss) or not math.isfinite(found.norm):
            raise self.breakdown(f"the loss is {found.loss} and the gradient's norm {found.norm}", samples)
        if found.scored == 0:  # nothing to learn from, and so no step along what was learned before
            return StepResult(0.0, 0.0, 0.0, 0.0)
        self.is_updating = True
        update = self.updater().update(*self._by_score(found))
        if not math.isfinite(update.update_ratio):
            raise self.breakdown("a step left parameters that are no numbers", samples)
        return StepResult(found.loss, found.correct, found.scored, found.norm, *update)

    def _by_score(self, found: LossAndGradient) -> tuple[Array, float]:
        """Return gradient and norm, in buckets times what the targets count beside those of a usual step.

        So an epoch's gradients sum up to that of the data, even where steps have labels and short sequences few.
        """
        share = 1.0 if self._usual_score is None else found.scored / self._usual_score
        if share == 1:
            return found.gradient, found.norm
        gradient = found.gradient
        gradient *= share
        return gradient, found.norm * share

    def _pass(self, samples: Samples, chosen: Array | None = None) -> LossAndGradient:
        """Go forward and backward over one batch."""
        if self._augmentation is not None:
            samples, chosen = self._augmentation.augmented(samples, chosen, int(self.rng.integers(2**63))), None
        values, offsets, targets, weights = samples
        key = int(self.rng.integers(2**63)) if self.network.architecture.draws_masks else None
        found = self.network.loss_and_gradient(
            values,
            offsets,
            targets,
            weights=weights,
            chosen=chosen,
            dropout_key=key,
            label_smoothing=self.settings.label_smoothing,
            n_threads=self._n_threads,
            watched=self.watches,
        )
        if self.watches:
            self.watches, self._flow = False, found.flow
        return found

    def seen(self) -> HiddenGradients | None:
        """Hand over what was seen of the gradient on its way back, once, if it was watched."""
        flow, self._flow = self._flow, None
        return flow

    def updater(self, steps_per_epoch: int = 1) -> Updater:
        """Return what changes the parameters; made at the first call, when the length of an epoch is known."""
        if self._updater is None:
            n_steps = self.settings.max_epochs * steps_per_epoch
            self._updater = Updater(self.network, self.settings, n_steps, steps_per_epoch, self.rng)
        return self._updater

    def breakdown(self, found: str, samples: Samples) -> BreakdownError:
        """Give the error that says what shows that training has broken down, and what to try."""
        return BreakdownError(found, samples.values, self.settings)

    def assess(self, samples: Samples) -> tuple[float, float]:
        """Return loss and accuracy of the network as it is; see `elman.training.assessment.assess`."""
        return assess(self.network, samples, self._n_threads)


def _kind(settings: TrainingSettings) -> tuple[object, ...]:
    """Give what the state of an optimizer is of."""
    s = settings
    return s.optimizer, s.momentum, s.nesterov, s.weight_decay, s.centred, s.weight_average > 0


def mean_of_passes(first: LossAndGradient, second: LossAndGradient) -> LossAndGradient:
    """Return what one pass over both batches would give: means by what each has scored. Overwrites both gradients."""
    scored = first.scored + second.scored
    share = second.scored / scored if scored > 0 else 0.0
    gradient = first.gradient
    gradient *= 1 - share
    second.gradient[:] *= share
    gradient += second.gradient
    logits = np.concatenate([first.logits, second.logits])
    loss = (1 - share) * first.loss + share * second.loss
    correct = first.correct + second.correct
    return LossAndGradient(loss, gradient, logits, float(norm(gradient)), correct, scored)
