"""The data: how much there is, how long sequences are, classes and features beside those of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elman.plots import lengths as draw_lengths
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Name, Prose, Section, Table, count, distinct, number, percent
from elman.report.facts import Facts

_MOST_CLASSES = 20
_MOST_FEATURES = 40
_FAR = 1.0  # deviations of training between the means, from which a feature is said to have moved


def data(facts: Facts) -> Section:
    """Describe the file that the model was measured on."""
    lengths = facts.sequences.lengths
    lead = (
        f"{count(len(facts.sequences), 'sequence')} with {count(len(facts.sequences.values), 'step')} in all, "
        f"{count(facts.sequences.n_features, 'feature')} a step, "
        f"{count(len(facts.evaluation.classes), 'class', 'classes')}."
    )
    blocks: list[Block] = []
    if lengths.min() == lengths.max():
        blocks.append(Prose(f"Every sequence has {count(int(lengths[0]), 'step')}."))
    else:
        blocks.append(_lengths(lengths))
    blocks.append(_classes(facts))
    blocks += _features(facts)
    return Section("data", "The data", blocks, lead)


def _lengths(lengths: NDArray[np.int64]) -> Figure:
    low, middle, high = (int(value) for value in np.quantile(lengths, (0.05, 0.5, 0.95)))
    return Figure(
        "lengths",
        specification(draw_lengths(lengths, width=charts.WIDTH, theme=None)),
        "Lengths",
        reads="How many sequences have how many steps; the dashed line is the median.",
        shows=f"Here the median is {middle:,} steps; nine in ten have {low:,} to {high:,}, the longest "
        f"{lengths.max():,}.",
        label="Histogram of the lengths of the sequences",
    )


def _classes(facts: Facts) -> Figure:
    n = facts.evaluation.confusion_matrix.sum(axis=1)
    prior = facts.estimator.baselines_.prior
    here = n / max(1, n.sum())
    order = np.argsort(-np.maximum(here, prior), kind="stable")[:_MOST_CLASSES]
    order = order if len(n) > _MOST_CLASSES else np.arange(len(n))
    names = distinct([facts.estimator.classes_[code] for code in order])
    left_out = f" Shown are the {len(order)} most frequent of {len(n):,}." if len(order) < len(n) else ""
    rows = [
        (Name(str(facts.estimator.classes_[c])), f"{int(n[c]):,}", percent(here[c]), percent(prior[c])) for c in order
    ]
    table = Table(
        ("class", f"{facts.unit}s here", "share here", "share in training"),
        rows,
        numbers=frozenset({1, 2, 3}),
        folded="The numbers",
    )
    return Figure(
        "classes",
        charts.shares(names, here[order].tolist(), prior[order].tolist()),
        "Classes",
        reads="The thin bar is the share of a class in this file, the wide bar its share in the training data. The "
        "model has learned the shares of training, so large differences cost accuracy.",
        shows=_most_moved(facts, here, prior) + left_out,
        label="Share of each class, here and in training",
        table=table,
    )


def _most_moved(facts: Facts, here: NDArray[np.float64], prior: NDArray[np.float64]) -> str:
    most = int(np.abs(here - prior).argmax())
    if percent(here[most]) == percent(prior[most]):
        return "Here all shares are as in training."
    name = facts.class_name(most)
    return f"The largest difference is in class {name}: {percent(here[most])} here, {percent(prior[most])} in training."


def _features(facts: Facts) -> list[Block]:
    kinds = {vocabulary.feature: vocabulary for vocabulary in facts.estimator.preparation_.vocabularies}
    numeric = [feature for feature in range(facts.sequences.n_features) if feature not in kinds]
    blocks: list[Block] = []
    if numeric:
        blocks += _numbers(facts, numeric)
    if kinds:
        blocks.append(_kinds(facts))
    return blocks


def _numbers(facts: Facts, features: list[int]) -> list[Block]:
    """Lay the spread of each numeric feature beside that of training."""
    values, names = facts.sequences.values, facts.feature_names
    scales = training_scales(facts)
    rows, missing, shifts = [], [], []
    for feature in features:
        column = values[:, feature].astype(np.float64)
        here = column[~np.isnan(column)]
        missing.append(1 - len(here) / len(column))
        mean, scale = scales.get(feature, (None, None))
        shift = None if mean is None or scale is None or not len(here) else (here.mean() - mean) / scale
        shifts.append(0.0 if shift is None else float(shift))
        rows.append(
            (
                Name(names[feature]),
                percent(missing[-1]) if missing[-1] else "none",
                *((number(here.min()), number(here.mean()), number(here.max())) if len(here) else ("", "", "")),
                "" if mean is None else f"{number(mean)} ± {number(scale or 0.0)}",
                "" if shift is None else f"{shift:+.2f}",
            )
        )
    order = np.argsort(-np.abs(shifts), kind="stable")[:_MOST_FEATURES]
    order = np.sort(order)
    left_out = f", the {len(order)} of {len(rows)} whose mean differs most" if len(order) < len(rows) else ""
    table = Table(
        ("feature", "missing", "minimum", "mean", "maximum", "in training", "shift"),
        [rows[n] for n in order],
        caption=f"Numeric features{left_out}. In training: mean ± standard deviation. Shift: the mean here minus "
        "that in training, in standard deviations.",
        numbers=frozenset(range(1, 7)),
        title="Features",
        folded=f"{count(len(order), 'feature')}, their ranges here and in training" if len(order) > 8 else "",
    )
    return [table, Prose(_drift(shifts, missing, [names[feature] for feature in features]))]


def _drift(shifts: list[float], missing: list[float], names: list[str]) -> str:
    n_far = int((np.abs(shifts) > _FAR).sum())
    most = int(np.abs(shifts).argmax())
    name = Name(names[most]).shown
    if n_far:
        said = (
            f"{count(n_far, 'feature')} differ{'s' * (n_far == 1)} from training by more than one standard deviation "
        )
        said += f"in the mean, most of all {name} ({shifts[most]:+.1f}): the model has hardly seen such values."
    else:
        said = "The mean of every feature is as in training"
        said += (
            f", within {abs(shifts[most]):.2f} standard deviations ({name} differs most)."
            if len(names) > 1
            else (f", within {abs(shifts[most]):.2f} standard deviations.")
        )
    gaps = sum(share > 0 for share in missing)
    return f"{said} {count(gaps, 'feature')} {'has' if gaps == 1 else 'have'} missing values." if gaps else said


def training_scales(facts: Facts) -> dict[int, tuple[float, float]]:
    """Give mean and deviation in training of each feature of numbers, where they are known."""
    preparation = facts.estimator.preparation_
    standardiser = preparation.standardiser
    if standardiser is None:
        return {}
    columns_of = {vocabulary.feature: vocabulary.n_columns for vocabulary in preparation.vocabularies}
    found, column = {}, 0
    for feature in range(preparation.n_features):
        if feature not in columns_of:
            found[feature] = (float(standardiser.mean[column]), float(standardiser.scale[column]))
        column += columns_of.get(feature, 1)
    return found


def _kinds(facts: Facts) -> Table:
    rows = []
    n_steps = len(facts.sequences.values)
    for vocabulary in facts.estimator.preparation_.vocabularies:
        unknown = vocabulary.n_unknown(facts.sequences)
        name = "tokens" if facts.texts is not None else facts.feature_names[vocabulary.feature]
        rows.append((Name(name), f"{len(vocabulary.names):,}", f"{unknown:,}", percent(unknown / n_steps, 2)))
    return Table(
        ("feature", "names known", "steps with an unknown name", "share"),
        rows[:_MOST_FEATURES],
        caption="Names that did not occur in training are unknown: the network cannot use them.",
        numbers=frozenset({1, 2, 3}),
        title="Features of names",
    )
