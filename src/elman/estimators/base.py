"""What SequenceClassifier and SequenceTagger share: a recurrent network with the face of a scikit-learn estimator."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy, deepcopy
from dataclasses import fields, replace
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
from elman.estimators.callbacks import CallbackSupport, FitTask, calling_back
from elman.estimators.doubts import doubt_augmentation, doubt_kinds
from elman.estimators.evaluation import Evaluation, measure
from elman.estimators.features import read_like_training, read_training
from elman.estimators.going_on import SplitSource, require_same_network, require_same_reading
from elman.estimators.groups import as_groups
from elman.estimators.labels import as_labels
from elman.estimators.learning import Printer, ShortForms, as_callbacks, as_checkpoint, summary
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

    history_: list[Record]
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
            it returns True.
        on_step : callable(done, total), optional
            Called after every step of the optimizer with the steps done in this epoch.
        callbacks : list of elman.training.callbacks.Callback, optional
            Told of the begin and the end of training and of every epoch, and of every step; they may end training.
        checkpoint : str or PathLike, optional
            A file that training is saved in, and gone on from if it is there: the same call, repeated after whatever
            ended it, gives the model that it would have given. It needs ``random_state``. Of a training that was
            finished the model comes at once.
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
        is_new = not (self.warm_start and hasattr(self, "network_"))
        self.__dict__.pop("_trainer", None)
        split_before = self.__dict__.pop("_split", None)
        sequences = self._read(X, is_new)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        if is_new:
            self.classes_ = self._classes(targets.labels)
        else:
            self._check_architecture()
        groups = as_groups(aligned(groups, X, "groups"), len(sequences))
        whole, groups = self._counted(sequences, targets, weights, groups)
        split_rng, start_rng, training_rng = make_generators(self.random_state)
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
            self._begin(training, start_rng)
        else:
            self.network_: Network = deepcopy(self.network_)  # the model before stays whole if this fit fails
        self.baselines_ = self._baselines(training, by_class)
        samples = self._samples(training, by_class), None if held_out is None else self._samples(held_out, by_class)
        settings = with_rate(self, self._settings(), samples[0], training_rng, is_new=is_new)
        trainer = Trainer(self.network_, settings, training_rng, self.preparation_.quantities)
        printing = [Printer(checkpoint)] if self.verbose else []
        history = trainer.fit(*samples, [*printing, *callbacks], checkpoint=checkpoint)
        if history.best_epoch is None:
            raise KeyboardInterrupt  # before a single epoch was done: there is no model
        before: list[Record] = [] if is_new else self.history_
        self.history_ = [*before, *(record | {"epoch": len(before) + record["epoch"]} for record in history.records)]
        self.n_iter_ = len(history.records)
        history = replace(history, best_epoch=len(before) + history.best_epoch)
        figures = None if held_out is None else self._figures(held_out)
        seconds = time.perf_counter() - start
        self.training_: dict[str, Any] = summary(history, training, held_out, figures, seconds, self.learning_rate_)

    def _learn_on(self, X: Any, y: Any, classes: Any, sample_weight: Any, start: float) -> None:
        """Do what `partial_fit` does."""
        is_new = not hasattr(self, "network_")
        self.__dict__.pop("_split", None)  # every part is trained on
        sequences = self._read(X, is_new)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        if is_new:
            self.classes_ = _declared(classes)
        elif classes is not None and not np.array_equal(_declared(classes), self.classes_):
            raise DataError(
                f"'classes' must be those of the first call to partial_fit, {self.classes_.tolist()}. "
                f"Got {list(classes)} instead."
            )
        if not is_new:
            self._check_architecture()
        part, _ = self._counted(sequences, targets, weights, None)
        _, start_rng, training_rng = make_generators(self.random_state)
        by_class = self._by_class(part)
        if is_new:
            self._begin(part, start_rng)
            self.baselines_ = self._baselines(part, by_class)
            self.history_, self.training_ = [], {}
        samples = self._samples(part, by_class)
        settings = replace(self._settings(), max_epochs=1, early_stopping=False, weight_average=0.0)
        settings = replace(settings, schedule="constant", warm_up=0.0)  # how many parts there will be is not known
        settings = with_rate(self, settings, samples, training_rng, is_new=is_new)
        if hasattr(self, "_trainer"):
            self._trainer: Trainer = deepcopy(self._trainer)  # the model before stays whole if this call fails
            self._trainer.resume(settings)
        else:
            self._trainer = Trainer(deepcopy(self.network_), settings, training_rng, self.preparation_.quantities)
        self.network_ = self._trainer.network
        history = self._trainer.fit(samples, None, [Printer()] if self.verbose else [])
        if history.best_epoch is None:
            raise KeyboardInterrupt
        self.history_ = [*self.history_, history.records[0] | {"epoch": len(self.history_) + 1}]
        self.n_iter_ = len(self.history_)
        seconds = self.training_.get("seconds", 0.0) + time.perf_counter() - start
        everything = History(self.history_, best_epoch=self.n_iter_)
        self.training_ = summary(everything, part, None, None, seconds, self.learning_rate_)

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

    def _begin(self, training: Part, rng: np.random.Generator) -> None:
        """Learn what becomes of the features, and make the network."""
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
        check_size(architecture.parameter_shapes())
        self.network_ = Network(architecture, dtype=self.dtype)
        longest = int(training.sequences.lengths.max())
        self.network_.initialise(rng, self.initialisation, forget_bias=self.forget_bias, longest=longest)
        for name, values in self.network_.parameters.items():
            if name.startswith("weight_embedding"):
                values[0] = 0  # what is unknown says nothing, unless training shows that it does

    def _by_class(self, training: Part) -> Weights | None:
        """Give the weight of each class in the loss, learned from the training part where it is to be balanced."""
        by_class = weights_by_class(self.class_weight, self.classes_, training.codes, training.weights)
        check_together("the training part", training.codes, training.weights, by_class)
        return by_class

    def _classes(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Give the classes of training labels."""
        return _classes(labels)

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
        return np.concatenate(list(probabilities(self.network_, self._prepared, sequences, self.n_threads)))

    def _finite_proba(self, sequences: Sequences) -> Iterator[NDArray[np.float64]]:
        runs = probabilities(self.network_, self._prepared, sequences, self.n_threads)
        return require_finite_scores(runs, sequences, every_step=self.every_step)

    def _figures(self, held_out: Part) -> Evaluation | None:
        """Measure the model on the validation part; None where its scores are not finite."""
        proba = self._unchecked_proba(held_out.sequences)
        if not np.isfinite(proba).all():
            return None
        baselines = self.baselines_.proba(
            held_out.sequences, every_step=self.every_step, summarise=self.preparation_.summarised
        )
        return measure(held_out.codes, proba, baselines, self.classes_, held_out.weights)


def _classes(labels: NDArray[Any]) -> NDArray[Any]:
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DataError(
            f"y must hold at least two classes. Got one class, {classes[0].item()!r}; "
            "a classifier needs examples of what it is to tell apart."
        )
    return classes


def _declared(classes: Any) -> NDArray[Any]:
    if classes is None:
        raise DataError(
            "classes must be passed on the first call to partial_fit, since no part need hold all. Got None."
        )
    return _classes(as_labels(classes, "classes"))
