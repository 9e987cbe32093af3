"""How an estimator learns: from data and parameters to networks that are trained, validated, and trained on all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.caution import warn_user
from elman.data import Sequences
from elman.errors import DataError, ParameterError, TrainingError
from elman.estimators.alignment import aligned
from elman.estimators.building import Building
from elman.estimators.calibration import at_temperature, learned_temperature, nothing_to_calibrate_on
from elman.estimators.doubts import doubt_data
from elman.estimators.evaluation import Evaluation, measure
from elman.estimators.features import read_like_training, read_training
from elman.estimators.fingerprint import fingerprint
from elman.estimators.going_on import SplitSource, require_same_reading
from elman.estimators.groups import as_groups
from elman.estimators.labels import declared_classes
from elman.estimators.learning import OfRefit, Printer, as_dict, as_validation, summary
from elman.estimators.members import Member, begun, resumed, train_members, with_epochs
from elman.estimators.parts import Part, make_generators, split
from elman.estimators.progress import patches_line, refit_line
from elman.estimators.rates import with_rate
from elman.estimators.recipe import refit_epochs
from elman.estimators.runs import probabilities
from elman.estimators.targets import Targets
from elman.estimators.weights import Weights, as_weights, check_together
from elman.training.callbacks import Callback, Callbacks
from elman.training.checkpoint import Checkpoint
from elman.training.findings import Finding, Setup
from elman.training.health import HealthWatch, after_training
from elman.training.history import History, Record
from elman.training.range_test import RangeTest
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer


class Fitting(Building):
    """What `fit` and `partial_fit` do, for an estimator that says what is labelled."""

    histories_: list[list[Record]]
    temperature_: float
    learning_rate_: float
    range_test_: RangeTest
    _fit_parameters: dict[str, Any]  # those of the last fit, whatever has been set since

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
        is_new = not (self.warm_start and hasattr(self, "networks_"))
        self._check_validation_part(validation)
        self.__dict__.pop("_trainers", None)
        sequences = self._read(X, is_new)
        targets, weights = self._weighed(X, sequences, y, sample_weight)
        if is_new:
            self.classes_ = self._classes(targets.labels)
        else:
            self._keep_readout()
            self._check_architecture()
        groups = as_groups(aligned(groups, X, "groups"), len(sequences))
        whole, groups = self._counted(sequences, targets, weights, groups)
        split_rng, *rngs = make_generators(self.random_state, self.n_members)
        rngs_again = deepcopy(rngs)
        training, held_out = self._set_aside(whole, groups, validation, split_rng, is_new=is_new)
        by_class = self._by_class(training)
        if held_out is not None:
            check_together("the validation part", held_out.codes, held_out.weights, by_class)
        if is_new:
            self._begin(training, rngs[::2], of=whole)
            self._tell_patches(training, callbacks)
        else:
            self._choose(training, of=whole, is_new=False)
            self.networks_ = deepcopy(self.networks_)  # the model before stays whole if this fit fails
        self.baselines_ = self._baselines(training, by_class)
        samples = self._samples(training, by_class), None if held_out is None else self._samples(held_out, by_class)
        doubt_data(training, held_out, samples, self.preparation_, self.classes_, every_step=self.every_step)
        settings = with_rate(self, self._settings(), samples[0], rngs[1], is_new=is_new)
        before: list[list[Record]] = [[] for _ in self.networks_] if is_new else self.histories_
        setup = self._setup(settings, int(self._lengths(training).max()), len(training.sequences))
        watching = [*callbacks, HealthWatch(setup, partial(self._remark, callbacks=callbacks))]
        histories = self._train(self._members(rngs), settings, before, *samples, watching, checkpoint)
        self.n_iter_ = len(histories[0].records)
        figures = None if held_out is None else self._validated(held_out)
        is_chosen = self._value("refit") and is_new and validation is None and held_out is not None
        n_refit = 0
        if is_chosen and not any(history.interrupted or history.told_to_stop for history in histories):
            n_refit = self._refit(whole, rngs_again, settings, histories, callbacks, checkpoint)
        seconds = time.perf_counter() - start
        found = self._found_ill(histories, setup, figures)
        self.training_: dict[str, Any] = summary(
            histories, training, held_out, figures, seconds, self.learning_rate_, self.chosen_, n_refit, found,
            fingerprint(sequences),
        )  # fmt: skip

    def _check_validation_part(self, validation: tuple[Any, ...] | None) -> None:
        """Refuse what goes by a validation part where there is to be none."""
        if validation is not None or self.early_stopping:
            return
        if self.calibrate:
            raise nothing_to_calibrate_on(self._called("calibrate"), "; pass validation=(X, y) or early_stopping=True")
        if self.schedule == "plateau":
            raise ParameterError(
                f"{self._called('schedule')} 'plateau' goes by the loss on a validation part, which there must be. "
                "Got early_stopping=False, without validation; choose another schedule, such as 'cosine'."
            )

    def _set_aside(
        self,
        whole: Part,
        groups: NDArray[Any] | None,
        validation: tuple[Any, ...] | None,
        rng: np.random.Generator,
        *,
        is_new: bool,
    ) -> tuple[Part, Part | None]:
        """Give the training part, and the validation part where there is one."""
        split_before = self.__dict__.pop("_split", None)
        if not is_new and self.training_["n_refit"]:
            split_before = None  # it was trained on in the end
        if validation is not None:
            return whole, self._given(validation)
        if not self.early_stopping:
            return whole, None
        self._split = SplitSource.of(whole, groups, self.validation_fraction, rng, before=split_before, is_new=is_new)
        drawing = self._split.generator()
        return split(whole, groups, self.validation_fraction, drawing, every_step=self.every_step)

    def _validated(self, held_out: Part) -> Evaluation | None:
        """Fit the temperature, where it is asked for, and measure the model on the validation part."""
        proba = self._unchecked_proba(held_out.sequences)
        if self.calibrate:
            self.temperature_ = learned_temperature(proba, held_out.codes, held_out.weights)
        return self._figures(held_out, at_temperature(proba, self.temperature_))

    def _refit(
        self,
        whole: Part,
        rngs: list[np.random.Generator],
        settings: TrainingSettings,
        histories: list[History],
        callbacks: list[Callback],
        checkpoint: Checkpoint | None,
    ) -> int:
        """Train once more from the same start, on all data, for as long as was best; return on how many sequences.

        What the first training gave stays where Ctrl-C, a callback or a breakdown ends this one.
        """
        names = ("preparation_", "networks_", "baselines_", "histories_", "temperature_")
        first = {name: self.__dict__[name] for name in names}
        try:
            by_class = self._by_class(whole)
            self._begin(whole, rngs[::2])
            self.baselines_ = self._baselines(whole, by_class)
            epochs = [refit_epochs(history.best_epoch or 1, settings) for history in histories]
            members, before = self._members(rngs, epochs), [list[Record]() for _ in epochs]
            again = [OfRefit(callback) for callback in callbacks if callback.of_refit]
            saved = None if checkpoint is None else checkpoint.beside("all")
            samples = self._samples(whole, by_class)
            if self.verbose:
                print(refit_line(len(whole.sequences)), flush=True)
            found = self._train(members, settings, before, samples, None, again, saved)
            was_ended = any(history.interrupted or history.told_to_stop for history in found)
            is_whole = len(found) == len(epochs) and not was_ended
        except KeyboardInterrupt:
            is_whole = False
        except TrainingError as error:
            warn_user(f"The run on all data is left out, and the network that was validated kept: {error}")
            is_whole = False
        kept = names[-2:] if is_whole else names  # history and temperature tell of what was validated
        self.__dict__.update({name: first[name] for name in kept})
        return len(whole.sequences) if is_whole else 0

    def _members(self, rngs: list[np.random.Generator], epochs: Sequence[int | None] = ()) -> list[Member]:
        """Give what begins the training of each network, for its number of epochs where these are given."""
        quantities = self.preparation_.quantities
        of_members = zip_longest(self.networks_, rngs[1::2], epochs)
        return [partial(begun, network, rng, quantities, n) for network, rng, n in of_members]

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
            self._keep_readout()
            self._check_architecture()
        part, _ = self._counted(sequences, targets, weights, None)
        _, *rngs = make_generators(self.random_state, self.n_members)
        by_class = self._by_class(part)
        if is_new:
            self._begin(part, rngs[::2], of=part)
            self._tell_patches(part)
            self.baselines_ = self._baselines(part, by_class)
            self.histories_, self.training_ = [[] for _ in self.networks_], {}
        else:
            self._choose(part, of=part, is_new=False)
        samples = self._samples(part, by_class)
        settings = replace(self._settings(), max_epochs=1, early_stopping=False, weight_average=0.0)
        settings = replace(settings, schedule="constant", warm_up=0.0)  # how many parts there will be is not known
        settings = with_rate(self, settings, samples, rngs[1], is_new=is_new)
        if hasattr(self, "_trainers"):
            self._trainers: list[Trainer] = deepcopy(self._trainers)  # the model before stays whole if this call fails
        else:
            networks, quantities = deepcopy(self.networks_), self.preparation_.quantities
            self._trainers = [begun(*of_member, quantities, None, settings) for of_member in zip(networks, rngs[1::2])]
        self.networks_ = [trainer.network for trainer in self._trainers]
        members = [partial(resumed, trainer) for trainer in self._trainers]
        histories = self._train(members, settings, self.histories_, samples)
        if len(histories) < len(members):
            raise KeyboardInterrupt  # all members see every part, or none of them
        self.n_iter_ = len(self.histories_[0])
        seconds = self.training_.get("seconds", 0.0) + time.perf_counter() - start
        everything = [History(records, best_epoch=self.n_iter_) for records in self.histories_]
        self.training_ = summary(everything, part, None, None, seconds, self.learning_rate_, self.chosen_)

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

    def _tell_patches(self, training: Part, callbacks: Sequence[Callback] = ()) -> None:
        """Say so where long sequences are read in patches without having been asked for."""
        if self.patch_size == "auto" and self.preparation_.patch_size > 1:
            self._remark(patches_line(self.preparation_.patch_size, training.sequences.lengths), callbacks)

    def _remark(self, sentence: str, callbacks: Sequence[Callback] = ()) -> None:
        """Say what the user may want to know, wherever progress is told."""
        if self.verbose:
            print(sentence, flush=True)
        Callbacks(callbacks).on_remark(sentence)

    def _found_ill(self, histories: Sequence[History], setup: Setup, figures: Evaluation | None) -> list[Finding]:
        """Give the problems of the networks; of several the first that has one tells of it."""
        found: dict[str, Finding] = {}
        validation = None if figures is None else {**(as_dict(figures) or {}), "n": figures.n}
        for history, network in zip(histories, self.networks_):
            for finding in after_training(history.records, setup, network.parameters, validation):
                found.setdefault(finding.rule, finding)
        return list(found.values())

    def _given(self, validation: tuple[Any, ...]) -> Part:
        X, y, sample_weight = as_validation(validation)
        sequences = read_like_training(self, X, name="validation X")
        targets, weights = self._weighed(X, sequences, y, sample_weight, of="validation ")
        return Part(sequences, targets.codes(self.classes_, place_of="validation y[{}]".format), weights)

    def _unchecked_proba(self, sequences: Sequences) -> NDArray[np.float64]:
        """Give probabilities as the members have them, before they are calibrated, finite or not."""
        return np.concatenate(list(probabilities(self.networks_, self._prepared, sequences, self.n_threads)))

    def _figures(self, held_out: Part, proba: NDArray[np.float64]) -> Evaluation | None:
        """Measure probabilities of the validation part; None where they are not finite."""
        if not np.isfinite(proba).all():
            return None
        baselines = self.baselines_.proba(
            held_out.sequences, every_step=self.every_step, summarise=self.preparation_.summarised
        )
        return measure(held_out.codes, proba, baselines, self.classes_, held_out.weights)
