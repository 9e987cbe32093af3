"""What SequenceClassifier and SequenceTagger share: a recurrent network with the face of a scikit-learn estimator."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from copy import copy
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from elman.data import Sequences, Standardiser, as_sequences
from elman.errors import DataError, ParameterError
from elman.estimators.baselines import Baselines
from elman.estimators.evaluation import FIGURES, measure
from elman.estimators.labels import as_labels, encode
from elman.estimators.parameters import (
    SharedParameters,
    check_names,
    check_parameters,
    check_size,
    idle_settings,
    in_python,
)
from elman.estimators.parts import Part, as_groups, make_generators, split
from elman.estimators.progress import epoch_line, tell_if_slow
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.history import History, Record
from elman.training.settings import TrainingSettings
from elman.training.trainer import Samples, Trainer

_RUN = 1 << 22  # numbers that are prepared for a prediction at a time: memory stays bounded, however large X is


class RecurrentEstimator(SharedParameters, BaseEstimator):  # type: ignore[misc]
    """Fits a recurrent network to labelled sequences; a subclass says what is labelled."""

    every_step: ClassVar[bool]  # whether each step has a label, or each sequence

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        validation: tuple[Any, Any] | None = None,
        on_epoch: Callable[[Record], object] | None = None,
        on_step: Callable[[int, int], object] | None = None,
    ) -> Self:
        """Train on labelled sequences.

        Parameters
        ----------
        X : Sequences, list of N arrays (T_n, D) or (T_n,), array (N, T, D), or array (N, T)
        y : labels, text, whole numbers or booleans
        groups : array (N,), optional
            What must not stand on both sides of the validation split, such as the person recorded.
        validation : tuple (X, y), optional
            The validation part, instead of one set aside.
        on_epoch : callable(record), optional
            Called after every epoch with its record of `history_`.
        on_step : callable(done, total), optional
            Called after every step of the optimizer with the steps done in this epoch.

        Raises
        ------
        ParameterError, DataError
            If a parameter, the sequences or the labels break their contract.
        TrainingError
            If the loss is no longer a number.

        Whatever is raised, the classifier stays as it was before.
        """
        start = time.perf_counter()
        parameters = self.get_params(deep=False)
        check_parameters(parameters, self._called)
        for sentence in idle_settings(parameters):
            warnings.warn(sentence, UserWarning, stacklevel=2)
        fitted = copy(self)  # takes what is learnt; it comes here only once all is done
        fitted._learn(X, y, groups, validation, on_epoch, on_step, start)
        self.__dict__.update(vars(fitted))
        return self

    def _learn(
        self,
        X: Any,
        y: Any,
        groups: Any,
        validation: tuple[Any, Any] | None,
        on_epoch: Callable[[Record], object] | None,
        on_step: Callable[[int, int], object] | None,
        start: float,
    ) -> None:
        """Do what `fit` does, attribute by attribute, from checked parameters."""
        self._fit_parameters = self.get_params(deep=False)
        every_step = self.every_step
        sequences = as_sequences(X)
        check_names(sequences.feature_names)
        labels = as_labels(y, sequences, every_step=every_step)
        self.classes_ = _classes(labels)
        self.n_features_in_ = sequences.n_features
        self.feature_names_: tuple[str, ...] | None = sequences.feature_names
        self.columns_: dict[str, str] = {}
        architecture = self._architecture()
        check_size(architecture.parameter_shapes())
        groups = as_groups(groups, len(sequences))
        whole = Part(sequences, encode(labels, self.classes_))
        split_rng, start_rng, training_rng = make_generators(self.random_state)
        training, held_out = whole, None
        if validation is not None:
            held_out = self._given(validation)
        elif self.early_stopping:
            training, held_out = split(whole, groups, self.validation_fraction, split_rng, every_step=every_step)
        self.standardiser_ = Standardiser.fit(training.sequences) if self.standardise else None
        self.baselines_ = Baselines.fit(training.sequences, training.codes, len(self.classes_), every_step=every_step)
        self.network_ = Network(architecture, dtype=self.dtype)
        self.network_.initialise(start_rng, self.initialisation, forget_bias=self.forget_bias)
        history = self._train(training, held_out, training_rng, on_epoch, on_step)
        if history.best_epoch is None:
            raise KeyboardInterrupt  # before a single epoch was done: there is no model
        self._summarise(history, training, held_out, start)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give the share of sequences, or of steps, that are predicted right."""
        sequences = self._sequences(X)
        codes = encode(as_labels(y, sequences, every_step=self.every_step), self.classes_)
        return float(np.average(self._proba(sequences).argmax(axis=1) == codes, weights=sample_weight))

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def _called(self, name: str) -> str:
        return in_python(name, type(self).__name__)

    def _architecture(self) -> Architecture:
        parameters = self.get_params(deep=False)
        chosen = {
            field.name: _plain(parameters[field.name]) for field in fields(Architecture) if field.name in parameters
        }
        loss_at = "every_step" if self.every_step else "last"
        return Architecture(input_size=self.n_features_in_, n_classes=len(self.classes_), loss_at=loss_at, **chosen)

    def _settings(self) -> TrainingSettings:
        names = {field.name for field in fields(TrainingSettings)} & set(self.get_params(deep=False))
        return TrainingSettings(**{name: _plain(getattr(self, name)) for name in names})

    def _train(
        self,
        training: Part,
        held_out: Part | None,
        rng: np.random.Generator,
        on_epoch: Callable[[Record], object] | None,
        on_step: Callable[[int, int], object] | None,
    ) -> History:
        """Run the trainer; where ``verbose``, print what it comes to."""
        samples = self._samples(training), None if held_out is None else self._samples(held_out)
        trainer = Trainer(self.network_, self._settings(), rng)
        if not self.verbose:
            return trainer.fit(*samples, on_epoch=on_epoch, on_step=on_step)
        timer = tell_if_slow(lambda line: print(line, flush=True))

        def print_epoch(record: Record) -> None:
            print(epoch_line(record, self.max_epochs), flush=True)
            if on_epoch is not None:
                on_epoch(record)

        def note_step(done: int, total: int) -> None:
            timer.cancel()
            if on_step is not None:
                on_step(done, total)

        try:
            return trainer.fit(*samples, on_epoch=print_epoch, on_step=note_step)
        finally:
            timer.cancel()

    def _given(self, validation: tuple[Any, Any]) -> Part:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise ParameterError(
                f"The 'validation' parameter of fit must be a tuple (X, y). Got {type(validation).__name__} instead."
            )
        sequences = self._select(validation[0], name="validation X")
        labels = as_labels(validation[1], sequences, every_step=self.every_step, name="validation y")
        return Part(sequences, encode(labels, self.classes_, place_of="validation y[{}]".format))

    def _sequences(self, X: Any) -> Sequences:
        check_is_fitted(self)
        return self._select(X)

    def _select(self, X: Any, name: str = "X") -> Sequences:
        """Give the features that the model was trained on, by name where both have names, else by number."""
        sequences = as_sequences(X, name=name)
        if self.feature_names_ is not None and sequences.feature_names is not None:
            return sequences.select(self.feature_names_)
        if sequences.n_features != self.n_features_in_:
            message = (
                f"{name} has {sequences.n_features} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input, as in training."
            )
            if getattr(X, "ndim", None) == 2:
                message += (
                    f" {name} has 2 dimensions, which means {len(sequences)} univariate sequences. "
                    f"For one sequence pass [{name}]."
                )
            raise DataError(message)
        return sequences

    def _prepared(self, sequences: Sequences, first: int = 0) -> Sequences:
        if self.standardiser_ is not None:
            return self.standardiser_.apply(sequences, self.network_.dtype, first=first)
        return sequences.with_values(sequences.values.astype(self.network_.dtype))

    def _samples(self, part: Part) -> Samples:
        prepared = self._prepared(part.sequences)
        return Samples(prepared.values, prepared.offsets, part.codes)

    def _proba(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give probabilities (N, C), or (S, C), of sequences with the model's features."""
        proba = self._unchecked_proba(sequences)
        broken = ~np.isfinite(proba).all(axis=1)
        if broken.any():
            row = int(np.argmax(broken))
            n = int(np.searchsorted(sequences.offsets, row, side="right")) - 1 if self.every_step else row
            raise DataError(
                f"Expected finite scores of every class; the network's scores of X[{n}] are not finite: "
                "its values or its length are far beyond those of training. Scale or shorten it, or leave it out."
            )
        return proba

    def _unchecked_proba(self, sequences: Sequences) -> NDArray[np.float64]:
        pieces: list[NDArray[np.float64]] = []
        first = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for run in sequences.in_runs(_RUN):
                prepared = self._prepared(run, first)
                pieces.append(self.network_.proba(prepared.values, prepared.offsets, n_threads=self.n_threads))
                first += len(run)
        return np.concatenate(pieces)

    def _summarise(self, history: History, training: Part, held_out: Part | None, start: float) -> None:
        self.history_: list[Record] = history.records
        self.n_iter_ = len(self.history_)
        figures = None
        proba = None if held_out is None else self._unchecked_proba(held_out.sequences)
        if held_out is not None and proba is not None and np.isfinite(proba).all():
            baselines = self.baselines_.proba(held_out.sequences, every_step=self.every_step)
            evaluation = measure(held_out.codes, proba, baselines, self.classes_)
            figures = {name: getattr(evaluation, name) for name in (*FIGURES, "baselines")}
        self.training_: dict[str, Any] = {
            "epochs": self.n_iter_,
            "best_epoch": history.best_epoch,
            "seconds": time.perf_counter() - start,
            "n_training": len(training.sequences),
            "n_validation": 0 if held_out is None else len(held_out.sequences),
            "stopped_early": bool(history.stopped_early),
            "interrupted": bool(history.interrupted),
            "validation": figures,
        }


def _classes(labels: NDArray[Any]) -> NDArray[Any]:
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DataError(
            f"y must hold at least two classes. Got one class, {classes[0].item()!r}; "
            "a classifier needs examples of what it is to tell apart."
        )
    return classes


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
