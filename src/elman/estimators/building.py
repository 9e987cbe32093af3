"""What an estimator trains: the preparation of the features and the networks, made of parameters and training data."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from elman.data import Preparation, Sequences
from elman.estimators.baselines import Baselines
from elman.estimators.doubts import doubt_augmentation, doubt_kinds
from elman.estimators.going_on import require_same_members, require_same_network
from elman.estimators.labels import classes_of
from elman.estimators.members import make_networks
from elman.estimators.parameters import SharedParameters, check_size, in_python, plain
from elman.estimators.parts import Part
from elman.estimators.recipe import choose, max_epochs_for
from elman.estimators.runs import prepared
from elman.estimators.weights import Weights, check_together, together, weights_by_class
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.training.findings import Setup
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings


class Building(SharedParameters, BaseEstimator):  # type: ignore[misc]
    """Makes preparation, networks and samples, and says what stands for a parameter that is 'auto'."""

    every_step: ClassVar[bool]  # whether each step has a label, or each sequence
    patch_size: int | str = 1  # for who offers no other: steps with labels of their own are not put together

    classes_: NDArray[Any]
    preparation_: Preparation
    networks_: list[Network]

    @property
    def network_(self) -> Network:
        """The network, or the first of several members."""
        return self.networks_[0]

    def _called(self, name: str) -> str:
        return in_python(name, type(self).__name__)

    def _begin(self, training: Part, rngs: list[np.random.Generator], of: Part | None = None) -> None:
        """Learn what becomes of the features, and make a network for each generator.

        What is 'auto' is chosen by the training part, set aside from all the data ``of``; None: it stays as it is.
        """
        self.columns_: dict[str, str] = {}
        self.preparation_ = Preparation.fit(
            training.sequences,
            standardise=self.standardise,
            missing=self.missing,
            categorical_features=() if self.categorical_features is None else self.categorical_features,
            embedding_size=self.embedding_size,
            weights=training.step_weights(),
            patch_size=self.preparation_.patch_size if of is None else plain(self.patch_size),
        )
        if of is not None:
            self._choose(training, of, is_new=True)
            doubt_kinds(self.preparation_, training.sequences)
            doubt_augmentation(self.preparation_, self._settings())
        architecture = self._architecture()
        check_size(architecture.parameter_shapes(), self.n_members)
        self.networks_ = make_networks(
            architecture,
            self.dtype,
            rngs,
            str(self._value("initialisation")),
            self.forget_bias,
            int(self._lengths(training).max()),
            self.preparation_.patch_size,
        )

    def _choose(self, training: Part, of: Part, *, is_new: bool) -> None:
        """Choose what is 'auto'; where training goes on, the network stays what it is."""
        n_all = int(self._lengths(of).sum())
        chosen = choose(self.get_params(deep=False), self._lengths(training), n_all, every_step=self.every_step)
        kept = {} if is_new or "readout" not in chosen else {"readout": self.network_.architecture.readout}
        self.chosen_: dict[str, Any] = chosen | kept

    def _keep_readout(self) -> None:
        """Have 'auto' stand for the readout that the network has, where training goes on."""
        if getattr(self, "readout", None) == "auto":
            self.chosen_ = self.chosen_ | {"readout": self.network_.architecture.readout}

    def _lengths(self, part: Part) -> NDArray[np.int64]:
        """Give the steps of each sequence as the network sees them."""
        lengths: NDArray[np.int64] = np.diff(self.preparation_.offsets(part.sequences))
        return lengths

    def _value(self, name: str) -> Any:
        """Give a parameter, or what was chosen for it where it is 'auto'."""
        value = plain(getattr(self, name))
        return self.chosen_.get(name, value) if isinstance(value, str) and value == "auto" else value

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
        chosen = {field.name: self._value(field.name) for field in fields(Architecture) if field.name in parameters}
        loss_at = "every_step" if self.every_step else "last"
        if isinstance(self.hidden_size, tuple | list):
            sizes = tuple(int(size) for size in self.hidden_size)
            chosen |= {"hidden_size": sizes, "num_layers": len(sizes)}
        return Architecture(
            input_size=self.preparation_.input_size,
            n_classes=len(self.classes_),
            loss_at=loss_at,
            embeddings=self.preparation_.embeddings,
            **chosen,
        )

    def _settings(self) -> TrainingSettings:
        names = {field.name for field in fields(TrainingSettings)} & set(self.get_params(deep=False))
        names -= {"learning_rate"} if self.learning_rate == "auto" else set()
        return TrainingSettings(**{name: self._value(name) for name in names})

    def _setup(self, settings: TrainingSettings, longest: int, n_training: int | None = None) -> Setup:
        """Give what is trained, and how, as far as health goes by it."""
        architecture = self.network_.architecture
        prior = self.baselines_.prior
        by_class = weights_by_class(self.class_weight, self.classes_, np.arange(len(prior)), prior)
        shares = prior if by_class is None else prior * by_class
        return Setup(
            architecture,
            settings,
            longest=longest,
            initialisation=str(self._value("initialisation")),
            patch_size=None if self.every_step or architecture.embeddings else self.preparation_.patch_size,
            shares=tuple((shares / shares.sum()).tolist()),
            usual_epochs=0 if n_training is None else max_epochs_for(n_training, settings.batch_size),
        )

    def _prepared(self, sequences: Sequences, first: int = 0) -> Sequences:
        return self.preparation_.apply(sequences, self.network_.dtype, first=first)

    def _samples(self, part: Part, by_class: Weights | None = None) -> Samples:
        offsets = self.preparation_.offsets(part.sequences)
        ready = prepared(self._prepared, part.sequences, offsets, self.network_.dtype)
        return Samples(ready.values, ready.offsets, part.codes, together(part.codes, part.weights, by_class))
