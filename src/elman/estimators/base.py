"""What SequenceClassifier and SequenceTagger share: a recurrent network with the face of a scikit-learn estimator."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from elman.data import Sequences
from elman.errors import ParameterError
from elman.estimators.alignment import aligned
from elman.estimators.calibration import at_temperature, nothing_to_calibrate_on
from elman.estimators.callbacks import CallbackSupport, FitTask, calling_back
from elman.estimators.features import read_like_training
from elman.estimators.fitting import Fitting
from elman.estimators.idle import idle_settings
from elman.estimators.learning import ShortForms, as_callbacks, as_checkpoint
from elman.estimators.parameters import check_parameters
from elman.estimators.parts import Part
from elman.estimators.runs import probabilities, require_finite_scores
from elman.network.flow import GradientFlow
from elman.training.callbacks import Callback
from elman.training.history import Record


class RecurrentEstimator(CallbackSupport, Fitting):
    """Fits a recurrent network to labelled sequences; a subclass says what is labelled."""

    __metadata_request__fit: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("validation", "on_epoch", "on_step", "callbacks", "checkpoint", "every"), UNUSED
    )

    @calling_back
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        validation: tuple[Any, ...] | None = None,
        on_epoch: Callable[[Record], object] | None = None,
        on_step: Callable[[int, int], object] | None = None,
        callbacks: Iterable[Callback] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        every: float = 10.0,
    ) -> Self:
        """Train on labelled sequences.

        Parameters
        ----------
        X : Sequences, list of N arrays (T_n, D) or (T_n,), array (N, T, D), table (N, T), or list of N texts
            See `elman.as_sequences` for all forms. Beside a frame of pandas with a MultiIndex (sequence, time), Series
            of labels, weights and groups are matched by their index. scikit-learn's splits would cut such a frame by
            steps: pass them ``elman.as_sequences(frame)``, and labels in the order of its sequences.
        y : labels, text, whole numbers or booleans
            One for each sequence, (N,); a `SequenceTagger` takes one for each step.
        sample_weight : array (N,), optional
            How much each sequence counts: one of weight k as k copies, one of weight 0 as if it were absent. A
            `SequenceTagger` also takes a weight for each step, in the forms of y.
        groups : array (N,), optional
            What must not stand on both sides of the validation split, such as the person recorded.
        validation : tuple (X, y) or (X, y, sample_weight), optional
            The validation part, instead of one set aside.
        on_epoch : callable(record), optional
            Called after every epoch with its record of `history_`, epochs counted from 1 in each fit; training ends if
            it returns True. Of several members, it is called for each, one at a time, with the number of the member,
            from 1, as ``record["member"]``, and ends the training of that one.
        on_step : callable(done, total), optional
            Called after every step of the optimizer with the steps done in this epoch.
        callbacks : list of elman.training.callbacks.Callback, optional
            Told of the begin and the end of training and of every epoch, and of every step; they may end training.
        checkpoint : str or PathLike, optional
            A file that training is saved in, and gone on from if it is there: the same call, repeated after whatever
            ended it, gives the model that it would have given. It needs ``random_state``. Of a training that was
            finished the model comes at once. The second member has one of its own, called likewise with ``.2`` behind,
            and so on.
        every : float
            Minutes between two savings; it is also saved at the end, and after Ctrl-C. 0: after every step.

        Raises
        ------
        ParameterError, DataError
            If a parameter, the sequences, the labels or the weights break their contract.
        TrainingError
            If training breaks down at once, or again after it has gone back to the last good state and on at half the
            rate, of which it warns.
        CheckpointError, OutputError
            If the checkpoint is damaged, or of other data or parameters, or cannot be written.

        Whatever is raised, the estimator stays as it was before.
        """
        start = time.perf_counter()
        self._check_parameters(stacklevel=4)  # of whoever calls: scikit-learn's callbacks wrap this method
        watching = [ShortForms(on_epoch, on_step), *as_callbacks(callbacks)]
        saved = as_checkpoint(checkpoint, every, self.random_state)
        task = FitTask(self, X, y, sample_weight)
        learner = copy(self)  # takes what is learnt; it comes here only once all is done
        learner._learn(X, y, sample_weight, groups, validation, [*watching, task.watch(learner)], saved, start)
        self.__dict__ = learner.__dict__
        task.end()
        return self

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go once through a part of the data, and on from where the last call left off.

        Network and state of the optimizer are carried on from call to call. The scale of the features and the baselines
        are those of the first part. Nothing is set aside for validation. The learning rate stays as it is, since
        a schedule would have to know how many steps are to come, and no mean of the weights takes their place.

        Parameters
        ----------
        X, y, sample_weight : as for `fit`
        classes : array (C,)
            All classes that any part will hold; needed in the first call.

        Raises
        ------
        ParameterError, DataError, TrainingError
            As for `fit`, and if ``classes`` are missing, or others than in the first call.
        """
        start = time.perf_counter()
        self._check_parameters(stacklevel=3)
        if isinstance(self.class_weight, str):
            raise ParameterError(
                f"{self._called('class_weight')} must be a dict or None for partial_fit, since no part knows how often "
                f"each class occurs in all. Got {self.class_weight!r} instead."
            )
        if self.calibrate:
            raise nothing_to_calibrate_on(self._called("calibrate"))  # every part is trained on
        learner = copy(self)
        learner._learn_on(X, y, classes, sample_weight, start)
        self.__dict__ = learner.__dict__
        return self

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Give the share of sequences, or of labelled steps, that are predicted right, each counted by its weight."""
        sequences = self._sequences(X)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        codes = targets.codes(self.classes_)
        hits = self._winners(sequences) == codes
        chosen = codes >= 0
        return float(np.average(hits[chosen], weights=None if weights is None else weights[chosen]))

    def gradient_flow(self, X: Any, y: Any = None, member: int = 1) -> GradientFlow:
        """Give how the gradient of each sequence's loss flows back through time, in the network as it is.

        Parameters
        ----------
        X, y : labelled sequences, as for ``score``
        member : int
            Which of several networks, from 1.

        Returns
        -------
        GradientFlow
            Norms of dL/dh_t and of the states at every step, layer and direction, and how many gates are saturated;
            steps are those that the network sees: patches, where there are such.

        Raises
        ------
        ParameterError, DataError
            If there is no such member; if the sequences or the labels break their contract.

        Examples
        --------
        >>> from elman import SequenceClassifier
        >>> rng = np.random.default_rng(0)
        >>> X, y = rng.normal(size=(40, 12, 2)), np.repeat([0, 1], 20)
        >>> classifier = SequenceClassifier(cell="elman", hidden_size=4, num_layers=1, max_epochs=2,
        ...                                 random_state=0).fit(X, y)
        >>> flow = classifier.gradient_flow(X, y)
        >>> flow.names, flow.d_h.shape, flow.profile(0).shape
        (('l0', 'l0_reverse'), (2, 480), (12,))
        """
        sequences = self._sequences(X)
        is_number = isinstance(member, int | np.integer) and not isinstance(member, bool)
        if not is_number or not 1 <= member <= len(self.networks_):
            raise ParameterError(f"member must be a whole number in 1..{len(self.networks_)}. Got {member!r} instead.")
        codes = self._targets(aligned(y, X, "y"), sequences).codes(self.classes_)
        samples = self._samples(Part(sequences, codes, None))
        network = self.networks_[int(member) - 1]
        return network.gradient_flow(samples.values, samples.offsets, codes, n_threads=self.n_threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file for `elman.load`, whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from elman.estimators.saved import save

        check_is_fitted(self)
        save(self, path)

    @property
    def history_(self) -> list[Record]:
        """One record an epoch, of the first member."""
        return self.histories_[0]

    @property
    def health_(self) -> list[str]:
        """The problems of its training, a sentence each with what to try; empty where all is well."""
        return [finding["sentence"] for finding in self.training_["health"]]

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss of each epoch."""
        return [record["training_loss"] for record in self.history_]

    @property
    def validation_scores_(self) -> list[float | None]:
        """The accuracy on the validation part after each epoch; None where there is no such part."""
        return [record["validation_accuracy"] for record in self.history_]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        tags.non_deterministic = False
        return tags

    def _check_parameters(self, stacklevel: int) -> None:
        parameters = self.get_params(deep=False)
        check_parameters(parameters, self._called)
        for sentence in idle_settings(parameters):
            warnings.warn(sentence, UserWarning, stacklevel=stacklevel)

    def _sequences(self, X: Any) -> Sequences:
        check_is_fitted(self)
        return read_like_training(self, X)

    def _proba(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give probabilities (N, C), or (S, C), of sequences with the model's features."""
        return np.concatenate(list(self._finite_proba(sequences)))

    def _winners(self, sequences: Sequences) -> NDArray[np.int64]:
        """Give the code of the most probable class of each sequence (N,), or each step (S,)."""
        return np.concatenate([proba.argmax(axis=1) for proba in self._finite_proba(sequences)])

    def _finite_proba(self, sequences: Sequences) -> Iterator[NDArray[np.float64]]:
        runs = probabilities(self.networks_, self._prepared, sequences, self.n_threads)
        calibrated = (at_temperature(proba, self.temperature_) for proba in runs)
        return require_finite_scores(calibrated, sequences, every_step=self.every_step)
