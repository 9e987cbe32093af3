"""What is allowed and yet likely a mistake: said as a warning, where the user's own line called."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from elman.caution import warn_user as warn_user
from elman.data import Preparation, Sequences
from elman.training.settings import TrainingSettings

_MISSING_NAMES = ("", "nan", "na", "n/a", "<na>", "none", "null", "?")
_MANY_KINDS = 50


def doubt_classes(classes: NDArray[Any]) -> None:
    """Warn where the name of a class looks like the mark of a step without a label."""
    for label in classes.tolist():
        if isinstance(label, str) and label.strip().lower() in _MISSING_NAMES:
            warn_user(
                f"The label {label!r} counts as a class; if it marks steps without a label, pass unlabelled={label!r}."
            )


def doubt_kinds(preparation: Preparation, training: Sequences) -> None:
    """Warn where numbers that were said to stand for kinds look like a quantity."""
    n_steps = len(training.values)
    for vocabulary in preparation.vocabularies:
        n_kinds = len(vocabulary.names)
        if vocabulary.is_coded and n_kinds > _MANY_KINDS and n_kinds > n_steps / 2:
            warn_user(
                f"Feature {vocabulary.feature} of 'categorical_features' has {n_kinds} kinds in {n_steps} steps; "
                "if it is a quantity, leave it out of them."
            )


def doubt_augmentation(preparation: Preparation, settings: TrainingSettings) -> None:
    """Warn where noise or factors are to be put on quantities, and there are none."""
    names = [name for name in ("jitter", "scaling") if getattr(settings, name) > 0]
    if names and preparation.quantities is not None and len(preparation.quantities) == 0:
        warn_user(f"{' and '.join(names)} cannot act, since no feature is a quantity.")
