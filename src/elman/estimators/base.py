"""What SequenceClassifier and SequenceTagger share: a recurrent network with the face of a scikit-learn estimator."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import fields, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from elman.data import Preparation, Sequences
from elman.errors import DataError, ParameterError
from elman.estimators.alignment import aligned
from elman.estimators.baselines import Baselines
from elman.estimators.calibration import at_temperature, learned_temperature
from elman.estimators.callbacks import CallbackSupport, FitTask, calling_back
from elman.estimators.doubts import doubt_augmentation, doubt_data, doubt_kinds
from elman.estimators.evaluation import Evaluation, measure
from elman.estimators.features import read_like_training, read_training
from elman.estimators.going_on import SplitSource, require_same_members, require_same_network, require_same_reading
from elman.estimators.groups import as_groups
from elman.estimators.labels import classes_of, declared_classes
from elman.estimators.learning import Printer, ShortForms, as_callbacks, as_checkpoint, summary
from elman.estimators.members import Member, begun, initialised, resumed, train_members, with_epochs
from elman.estimators.parameters import SharedParameters, check_parameters, check_size, idle_settings, in_python, plain
from elman.estimators.parts import Part, make_generators, split
from elman.estimators.rates import with_rate
from elman.estimators.runs import prepared_values, probabilities, require_finite_scores
from elman.estimators.targets import Targets
from elman.estimators.weights import Weights, as_weights, check_together, together, weights_by_class
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.callbacks import Callback
from elman.training.checkpoint import Checkpoint
from elman.training.history import History, Record
from elman.training.range_test import RangeTest
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer


class RecurrentEstimator(CallbackSupport, SharedParameters, BaseEstimator):  # type: ignore[misc]
    """Fits a recurrent network to labelled sequences; a subclass says what is labelled."""

    every_step: ClassVar[bool]  # whether each step has a label, or each sequence

    networks_: list[Network]
    histories_: list[list[Record]]
    temperature_: float
    learning_rate_: float
    range_test_: RangeTest
    _fit_parameters: dict[str, Any]  # those of the last fit, whatever has been set since

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
        task = FitTask(self, X, y, sample_weight, self.max_epochs)
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
            raise ParameterError(
                f"{self._called('calibrate')} must be False for partial_fit, which sets nothing aside to fit a "
                "temperature on. Got True instead."
            )
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
    def network_(self) -> Network:
        """The network, or the first of several members."""
        return self.networks_[0]

    @property
    def history_(self) -> list[Record]:
        """One record an epoch, of the first member."""
        return self.histories_[0]

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

    def _called(self, name: str) -> str:
        return in_python(name, type(self).__name__)

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        validation: tuple[Any, ...] | None,
        callbacks: list[Callback],
        checkpoint: Checkpoint | None,
        start: float,
    ) -> None:
        """Do what `fit` does, attribute by attribute, from checked parameters."""
        if self.calibrate and validation is None and not self.early_stopping:
            raise ParameterError(
                f"{self._called('calibrate')} must be False where nothing is set aside for validation, since the "
                "temperature is fitted on it. Got True instead; pass validation=(X, y) or early_stopping=True."
            )
        is_new = not (self.warm_start and hasattr(self, "networks_"))
        self.__dict__.pop("_trainers", None)
        split_before = self.__dict__.pop("_split", None)
        sequences = self._read(X, is_new)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        if is_new:
            self.classes_ = self._classes(targets.labels)
        else:
            self._check_architecture()
        groups = as_groups(aligned(groups, X, "groups"), len(sequences))
        whole, groups = self._counted(sequences, targets, weights, groups)
        split_rng, *rngs = make_generators(self.random_state, self.n_members)
        training, held_out = whole, None
        if validation is not None:
            held_out = self._given(validation)
        elif self.early_stopping:
            self._split = SplitSource.of(
                whole, groups, self.validation_fraction, split_rng, before=split_before, is_new=is_new
            )
            drawing = self._split.generator()
            training, held_out = split(whole, groups, self.validation_fraction, drawing, every_step=self.every_step)
        elif self.schedule == "plateau":
            raise ParameterError(
                f"{self._called('schedule')} 'plateau' goes by the loss on a validation part, which there must be. "
                "Got early_stopping=False, without validation; choose another schedule, such as 'cosine'."
            )
        by_class = self._by_class(training)
        if held_out is not None:
            check_together("the validation part", held_out.codes, held_out.weights, by_class)
        if is_new:
            self._begin(training, rngs[::2])
        else:
            self.networks_ = deepcopy(self.networks_)  # the model before stays whole if this fit fails
        self.baselines_ = self._baselines(training, by_class)
        samples = self._samples(training, by_class), None if held_out is None else self._samples(held_out, by_class)
        doubt_data(training, held_out, samples, self.preparation_, self.classes_, every_step=self.every_step)
        settings = with_rate(self, self._settings(), samples[0], rngs[1], is_new=is_new)
        quantities = self.preparation_.quantities
        members = [partial(begun, *of_member, quantities) for of_member in zip(self.networks_, rngs[1::2])]
        before: list[list[Record]] = [[] for _ in members] if is_new else self.histories_
        histories = self._train(members, settings, before, *samples, callbacks, checkpoint)
        self.n_iter_ = len(histories[0].records)
        figures = None
        if held_out is not None:
            proba = self._unchecked_proba(held_out.sequences)
            if self.calibrate:
                self.temperature_ = learned_temperature(proba, held_out.codes, held_out.weights)
            figures = self._figures(held_out, at_temperature(proba, self.temperature_))
        seconds = time.perf_counter() - start
        self.training_: dict[str, Any] = summary(histories, training, held_out, figures, seconds, self.learning_rate_)

    def _learn_on(self, X: Any, y: Any, classes: Any, sample_weight: Any, start: float) -> None:
        """Do what `partial_fit` does."""
        is_new = not hasattr(self, "networks_")
        self.__dict__.pop("_split", None)  # every part is trained on
        sequences = self._read(X, is_new)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        if is_new:
            self.classes_ = declared_classes(classes)
        elif classes is not None and not np.array_equal(declared_classes(classes), self.classes_):
            raise DataError(
                f"'classes' must be those of the first call to partial_fit, {self.classes_.tolist()}. "
                f"Got {list(classes)} instead."
            )
        if not is_new:
            self._check_architecture()
        part, _ = self._counted(sequences, targets, weights, None)
        _, *rngs = make_generators(self.random_state, self.n_members)
        by_class = self._by_class(part)
        if is_new:
            self._begin(part, rngs[::2])
            self.baselines_ = self._baselines(part, by_class)
            self.histories_, self.training_ = [[] for _ in self.networks_], {}
        samples = self._samples(part, by_class)
        settings = replace(self._settings(), max_epochs=1, early_stopping=False, weight_average=0.0)
        settings = replace(settings, schedule="constant", warm_up=0.0)  # how many parts there will be is not known
        settings = with_rate(self, settings, samples, rngs[1], is_new=is_new)
        if hasattr(self, "_trainers"):
            self._trainers: list[Trainer] = deepcopy(self._trainers)  # the model before stays whole if this call fails
        else:
            networks, quantities = deepcopy(self.networks_), self.preparation_.quantities
            self._trainers = [begun(*of_member, quantities, settings) for of_member in zip(networks, rngs[1::2])]
        self.networks_ = [trainer.network for trainer in self._trainers]
        members = [partial(resumed, trainer) for trainer in self._trainers]
        histories = self._train(members, settings, self.histories_, samples)
        if len(histories) < len(members):
            raise KeyboardInterrupt  # all members see every part, or none of them
        self.n_iter_ = len(self.history_)
        seconds = self.training_.get("seconds", 0.0) + time.perf_counter() - start
        everything = [History(records, best_epoch=self.n_iter_) for records in self.histories_]
        self.training_ = summary(everything, part, None, None, seconds, self.learning_rate_)

    def _train(
        self,
        members: Sequence[Member],
        settings: TrainingSettings,
        before: list[list[Record]],
        training: Samples,
        held_out: Samples | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
    ) -> list[History]:
        """Train the networks and give the histories, epochs counted on from the records ``before``, of those kept."""
        self.temperature_ = 1.0
        watching = [*([Printer(checkpoint)] if self.verbose else []), *callbacks]
        histories = train_members(members, settings, training, held_out, watching, checkpoint)
        self.networks_, self.histories_, kept = with_epochs(self.networks_, before, histories)
        return kept

    def _read(self, X: Any, is_new: bool) -> Sequences:
        """Read training data as the parameters say, which must say what they said where training goes on."""
        parameters = self.get_params(deep=False)
        if not is_new:
            require_same_reading(self._fit_parameters, parameters, self._called)
        self._fit_parameters = parameters
        return read_training(self, X) if is_new else read_like_training(self, X)

    def _weighed(
        self, X: Any, sequences: Sequences, y: Any, sample_weight: Any, of: str = ""
    ) -> tuple[Targets, Weights | None]:
        """Read labels and weights; a label of weight 0 is as if it were absent."""
        targets = self._targets(aligned(y, X, f"{of}y"), sequences, f"{of}y")
        if sample_weight is None:
            return targets, None
        sample_weight = aligned(sample_weight, X, f"{of}sample_weight")
        weights = as_weights(sample_weight, sequences, every_step=self.every_step, name=f"{of}sample_weight")
        targets = targets.where(weights > 0)
        if len(targets.labels) == 0:
            raise DataError(f"'{of}sample_weight' must be above zero for at least one label. Got zero weights for all.")
        return targets, weights

    def _targets(self, y: Any, sequences: Sequences, name: str = "y") -> Targets:
        """Read the labels of sequences or steps."""
        raise NotImplementedError

    def _counted(
        self, sequences: Sequences, targets: Targets, weights: Weights | None, groups: NDArray[Any] | None
    ) -> tuple[Part, NDArray[Any] | None]:
        """Give what is trained on, and its groups, without the sequences of weight 0."""
        part = Part(sequences, targets.codes(self.classes_), weights)
        if weights is None or weights.all():
            return part, groups
        counts = weights > 0
        if self.every_step:
            counts = np.logical_or.reduceat(counts, sequences.offsets[:-1])
        kept = np.flatnonzero(counts)
        return part.take(kept, every_step=self.every_step), None if groups is None else groups[kept]

    def _begin(self, training: Part, rngs: list[np.random.Generator]) -> None:
        """Learn what becomes of the features, and make a network for each generator."""
        self.columns_: dict[str, str] = {}
        self.preparation_ = Preparation.fit(
            training.sequences,
            standardise=self.standardise,
            missing=self.missing,
            categorical_features=() if self.categorical_features is None else self.categorical_features,
            embedding_size=self.embedding_size,
            weights=training.step_weights(),
        )
        doubt_kinds(self.preparation_, training.sequences)
        doubt_augmentation(self.preparation_, self._settings())
        architecture = self._architecture()
        check_size(architecture.parameter_shapes(), self.n_members)
        longest = int(training.sequences.lengths.max())
        start = partial(initialised, scheme=self.initialisation, forget_bias=self.forget_bias, longest=longest)
        self.networks_ = [start(Network(architecture, dtype=self.dtype), rng) for rng in rngs]

    def _by_class(self, training: Part) -> Weights | None:
        """Give the weight of each class in the loss, learned from the training part where it is to be balanced."""
        by_class = weights_by_class(self.class_weight, self.classes_, training.codes, training.weights)
        check_together("the training part", training.codes, training.weights, by_class)
        return by_class

    def _classes(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Give the classes of training labels."""
        return classes_of(labels)

    def _baselines(self, training: Part, by_class: Weights | None) -> Baselines:
        return Baselines.fit(
            training.sequences,
            training.codes,
            len(self.classes_),
            every_step=self.every_step,
            weights=training.weights,
            by_class=by_class,
            summarise=self.preparation_.summarised,
        )

    def _check_architecture(self) -> None:
        """Refuse another network than that which is to be trained on."""
        before = self.network_.architecture, self.network_.dtype.name
        require_same_network(before, (self._architecture(), self.dtype))
        require_same_members(len(self.networks_), self.n_members, self._called)

    def _architecture(self) -> Architecture:
        parameters = self.get_params(deep=False)
        chosen = {
            field.name: plain(parameters[field.name]) for field in fields(Architecture) if field.name in parameters
        }
        loss_at = "every_step" if self.every_step else "last"
        if isinstance(self.hidden_size, tuple | list):
            sizes = tuple(int(size) for size in self.hidden_size)
            chosen |= {"hidden_size": sizes, "num_layers": len(sizes)}
        return Architecture(
            input_size=self.preparation_.n_columns,
            n_classes=len(self.classes_),
            loss_at=loss_at,
            embeddings=self.preparation_.embeddings,
            **chosen,
        )

    def _settings(self) -> TrainingSettings:
        names = {field.name for field in fields(TrainingSettings)} & set(self.get_params(deep=False))
        names -= {"learning_rate"} if self.learning_rate == "auto" else set()
        return TrainingSettings(**{name: plain(getattr(self, name)) for name in names})

    def _given(self, validation: tuple[Any, ...]) -> Part:
        if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
            raise ParameterError(
                "The 'validation' parameter of fit must be a tuple (X, y) or (X, y, sample_weight). "
                f"Got {type(validation).__name__} instead."
            )
        X, y, sample_weight = (*validation, None)[:3]
        sequences = read_like_training(self, X, name="validation X")
        targets, weights = self._weighed(X, sequences, y, sample_weight, of="validation ")
        return Part(sequences, targets.codes(self.classes_, place_of="validation y[{}]".format), weights)

    def _sequences(self, X: Any) -> Sequences:
        check_is_fitted(self)
        return read_like_training(self, X)

    def _prepared(self, sequences: Sequences, first: int = 0) -> Sequences:
        return self.preparation_.apply(sequences, self.network_.dtype, first=first)

    def _samples(self, part: Part, by_class: Weights | None = None) -> Samples:
        values = prepared_values(self._prepared, part.sequences, self.network_.dtype)
        weights = together(part.codes, part.weights, by_class)
        return Samples(values, part.sequences.offsets, part.codes, weights)

    def _proba(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give probabilities (N, C), or (S, C), of sequences with the model's features."""
        return np.concatenate(list(self._finite_proba(sequences)))

    def _winners(self, sequences: Sequences) -> NDArray[np.int64]:
        """Give the code of the most probable class of each sequence (N,), or each step (S,)."""
        return np.concatenate([proba.argmax(axis=1) for proba in self._finite_proba(sequences)])

    def _unchecked_proba(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give probabilities as the members have them, before they are calibrated, finite or not."""
        return np.concatenate(list(probabilities(self.networks_, self._prepared, sequences, self.n_threads)))

    def _finite_proba(self, sequences: Sequences) -> Iterator[NDArray[np.float64]]:
        runs = probabilities(self.networks_, self._prepared, sequences, self.n_threads)
        calibrated = (at_temperature(proba, self.temperature_) for proba in runs)
        return require_finite_scores(calibrated, sequences, every_step=self.every_step)

    def _figures(self, held_out: Part, proba: NDArray[np.float64]) -> Evaluation | None:
        """Measure probabilities of the validation part; None where they are not finite."""
        if not np.isfinite(proba).all():
            return None
        baselines = self.baselines_.proba(
            held_out.sequences, every_step=self.every_step, summarise=self.preparation_.summarised
        )
        return measure(held_out.codes, proba, baselines, self.classes_, held_out.weights)
