"""What is allowed and yet likely a mistake: said as a warning, where the user's own line called."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.caution import warn_user
from elman.data import Preparation, Sequences
from elman.estimators.duplicates import Duplicates, find_duplicates
from elman.estimators.parts import Part
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings

_MISSING_NAMES = ("", "nan", "na", "n/a", "<na>", "none", "null", "?")
_MANY_KINDS = 50
_LEAST_VALIDATED = 2  # labels of a class
_FEW = 5  # fewer sequences or labels prove nothing
_UNEVEN = 1e3  # between scales
_SHARE = 0.01  # of the sequences, that may be identical to others
_MOST_NAMED = 8
_RUN = 1 << 18  # numbers looked at together, in double precision and several copies


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


def doubt_data(
    training: Part,
    held_out: Part | None,
    samples: tuple[Samples, Samples | None],
    preparation: Preparation,
    classes: NDArray[Any],
    *,
    every_step: bool,
) -> None:
    """Warn of what the two parts cannot teach or tell, once for each kind of doubt.

    Parameters
    ----------
    training, held_out : Part
    samples : the same two, prepared
    """
    if every_step:
        _doubt_labels_of_steps(training)
    if held_out is not None:
        _doubt_validation(held_out, classes)
    _doubt_features(training.sequences, preparation)
    _doubt_patches(training.sequences, preparation)
    _doubt_repeats(find_duplicates(*samples, every_step=every_step))


def _doubt_labels_of_steps(training: Part) -> None:
    """Warn where labels never change within a sequence: then they are labels of sequences."""
    starts, codes = training.sequences.offsets[:-1], training.codes
    most = np.maximum.reduceat(codes, starts)
    least = np.minimum.reduceat(np.where(codes < 0, np.iinfo(np.int64).max, codes), starts)
    n_labelled = np.add.reduceat((codes >= 0).astype(np.int64), starts)
    n_telling = int((n_labelled > 1).sum())
    if n_telling >= _FEW and (most == least)[n_labelled > 0].all():
        warn_user(
            f"Labels never change within a sequence: each of the {n_telling:,} sequences with several has one label in "
            "all its steps. If a label is of a sequence, use SequenceClassifier, without labels_per_step=True."
        )


def _doubt_validation(held_out: Part, classes: NDArray[Any]) -> None:
    """Warn where a class is all but missing where the best epoch is chosen; of a handful of labels all would be."""
    counted = held_out.codes >= 0 if held_out.weights is None else (held_out.codes >= 0) & (held_out.weights > 0)
    counts = np.bincount(held_out.codes[counted], minlength=len(classes))
    few = np.flatnonzero(counts < _LEAST_VALIDATED)
    if len(few) and counts.sum() >= _FEW:
        names = _listed([f"{classes[code].item()!r} ({counts[code]})" for code in few[:_MOST_NAMED]], len(few))
        warn_user(
            f"The validation part has fewer than {_LEAST_VALIDATED} labels of {names}, so it says nothing about "
            f"{'it' if len(few) == 1 else 'them'}. Add data, or set more aside with validation_fraction=... or other "
            "groups=...."
        )


def _doubt_features(training: Sequences, preparation: Preparation) -> None:
    """Warn of features that are constant in training, and of those on other scales than the network can use."""
    quantities = _quantities(preparation)
    if not quantities:
        return
    low, high, deviation = _ranges(training)
    constant = [feature for feature in quantities if not low[feature] < high[feature]]
    if constant:
        names = _listed([_name(training, feature) for feature in constant[:_MOST_NAMED]], len(constant))
        is_one = len(constant) == 1
        warn_user(
            f"Constant in all {len(training):,} sequences of the training part: {names}. Nothing can be learned from "
            f"{'it' if is_one else 'them'}, and other values later are noise to the network: leave "
            f"{'it' if is_one else 'them'} out."
        )
    varied = [feature for feature in quantities if low[feature] < high[feature]]
    if preparation.standardiser is not None or not varied:
        return
    least, most = (choose(varied, key=lambda feature: deviation[feature]) for choose in (min, max))
    largest = max(varied, key=lambda feature: max(-low[feature], high[feature]))
    found = ""
    if deviation[most] > _UNEVEN * deviation[least]:
        found = (
            f"Deviations reach from {deviation[least]:.3g} ({_name(training, least)}) "
            f"to {deviation[most]:.3g} ({_name(training, most)})"
        )
    elif max(-low[largest], high[largest]) > _UNEVEN:
        found = f"Values reach from {low[largest]:.3g} to {high[largest]:.3g} ({_name(training, largest)})"
    if found:
        warn_user(f"{found}, and a network learns best from values near 1. Scale them, or leave standardise=False out.")


def _doubt_patches(training: Sequences, preparation: Preparation) -> None:
    """Warn where every patch is filled up with copies of a last step, and as wide as no sequence is long."""
    longest, size = int(training.lengths.max()), preparation.patch_size
    if size > longest:
        warn_user(
            f"patch_size={size} is more than the {longest:,} steps of the longest sequence, so that each becomes one "
            f"patch, filled up with copies of its last step. Set it to {longest} at most, or patch_size='auto'."
        )


def _doubt_repeats(found: Duplicates) -> None:
    """Warn where validation sees what was trained on, and where the same values have different labels."""
    if found.n_validation >= _FEW and found.n_alike > _SHARE * found.n_validation:
        share = found.n_alike / found.n_validation
        warn_user(
            f"{found.n_alike:,} of the {found.n_validation:,} validation sequences ({share:.0%}) are identical to "
            "sequences in training, so the figures on them tell what was remembered. Drop duplicates, or keep them "
            "together with groups=...."
        )
    if found.n_contradicting > _SHARE * found.n_sequences:
        share = found.n_contradicting / found.n_sequences
        warn_user(
            f"{found.n_contradicting:,} of {found.n_sequences:,} sequences ({share:.0%}) are identical to one with "
            "another label, so no model can be right about all of them. Check their labels, or add what tells them "
            "apart."
        )


def _quantities(preparation: Preparation) -> list[int]:
    """Give the features that are neither kinds nor ever missing."""
    apart = {vocabulary.feature for vocabulary in preparation.vocabularies} | set(preparation.gaps)
    return [feature for feature in range(preparation.n_features) if feature not in apart]


def _ranges(training: Sequences) -> tuple[NDArray[np.float64], ...]:
    """Give the least value, the greatest, and the standard deviation of each feature, (D,)."""
    low, high = np.full(training.n_features, np.inf), np.full(training.n_features, -np.inf)
    count, total, squares = np.zeros((3, training.n_features))
    pivot = np.nan_to_num(training.values[0].astype(np.float64))  # sums of values far from 0 would drown in rounding
    for run in training.in_runs(_RUN):
        values = run.values.astype(np.float64)
        low, high = np.fmin(low, np.fmin.reduce(values)), np.fmax(high, np.fmax.reduce(values))
        count += (~np.isnan(values)).sum(axis=0)
        total += np.nansum(values - pivot, axis=0)
        squares += np.nansum((values - pivot) ** 2, axis=0)
    count = np.maximum(count, 1)
    return low, high, np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0))


def _name(training: Sequences, feature: int) -> str:
    return f"feature {feature}" if training.feature_names is None else repr(training.feature_names[feature])


def _listed(names: list[str], n: int) -> str:
    return ", ".join(names) + (f" and {n - len(names):,} more" if n > len(names) else "")


def doubt_augmentation(preparation: Preparation, settings: TrainingSettings) -> None:
    """Warn where noise or factors are to be put on quantities, and there are none."""
    names = [name for name in ("jitter", "scaling") if getattr(settings, name) > 0]
    if names and preparation.quantities is not None and preparation.quantities.size == 0:
        warn_user(f"{' and '.join(names)} cannot act, since no feature is a quantity.")
