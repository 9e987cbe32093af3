"""The top of a report: how good the model is, how sure that is, beside the baselines, and what looks ill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from elman.estimators.fingerprint import TRAINED_ON
from elman.insight.health import SAMPLE, examine
from elman.insight.intervals import LEVEL
from elman.report.blocks import Name, Prose, Remarks, between, count, percent
from elman.report.facts import Facts

BASELINES = {"summary_statistics": "logistic regression on summary statistics", "majority": "most frequent class"}
FEW = 50  # labels that tell little

_MOST_STEPS = 40_000  # that are looked at for signs of ill health
_MOST_SEQUENCES = 200
_FEW_EPOCHS = 30
_LEAST_P = 0.0001  # that is shown


@dataclass(frozen=True)
class Figure:
    """A number that stands out."""

    name: str
    value: str
    beside: str


@dataclass(frozen=True)
class Headline:
    """What the template shows at the top."""

    kicker: str
    model: Name
    file: Name
    lead: str
    figures: Sequence[Figure]
    blocks: Sequence[Remarks | Prose]


def headline(facts: Facts) -> Headline:
    """Say in a paragraph what all else explains."""
    evaluation = facts.evaluation
    rival = evaluation.baselines["summary_statistics"]
    figures = [
        Figure("accuracy", percent(evaluation.accuracy), f"95\xa0% interval {between(*facts.accuracy_interval)}"),
        Figure("balanced accuracy", percent(evaluation.balanced_accuracy), _beside(rival["balanced_accuracy"])),
        Figure("macro F1", percent(evaluation.macro_f1), _beside(rival["macro_f1"])),
        Figure("log loss", f"{evaluation.log_loss:.3f}", f"logistic regression {rival['log_loss']:.3f}"),
    ]
    return Headline(
        kicker=f"Report of a {'sequence tagger' if facts.every_step else 'sequence classifier'}",
        model=Name(facts.model.name),
        file=Name(facts.file.name),
        lead=lead(facts),
        figures=figures,
        blocks=[Remarks(remarks(facts), "Worth knowing"), *health(facts)],
    )


def health(facts: Facts) -> list[Remarks | Prose]:
    """Give what looks ill in the network, by its training and by how it takes a sample of this data."""
    chosen = facts.some(_MOST_STEPS, _MOST_SEQUENCES, labelled=True)
    findings = examine(facts.estimator, facts.sequences[chosen], facts.labels_of(chosen))
    if not findings:
        on = "this data" if len(facts.sequences) <= SAMPLE else f"a sample of {SAMPLE} sequences"
        return [Prose(f"No problem was found in the training records, nor in gradients and gates on {on}.", True)]
    return [Remarks([finding.sentence for finding in findings], "Health of the network")]


def lead(facts: Facts) -> str:
    """Give what the model gets right, how sure that is, and what the baselines get right."""
    evaluation = facts.evaluation
    n_classes = count(len(evaluation.classes), "class", "classes")
    regression, majority = (percent(evaluation.baselines[name]["accuracy"]) for name in BASELINES)
    warning, expected = f"{TRAINED_ON} ", ""
    if not facts.is_of_training:
        interval = f"{between(*facts.accuracy_interval)} ({percent(0.95, 0)} interval)"
        warning, expected = "", f"On more data like this, expect {interval}. "
    return (
        f"{warning}{percent(evaluation.accuracy)} of {count(evaluation.n, facts.unit)} are classified correctly, with "
        f"{n_classes} to choose from. {expected}A logistic regression on summary statistics reaches {regression}; "
        f"always predicting the most frequent class of training reaches {majority}."
    )


def _beside(value: float) -> str:
    return f"logistic regression {percent(value)}"


def remarks(facts: Facts) -> list[str]:
    """Give what a reader must know before believing the figures."""
    evaluation = facts.evaluation
    sentences = [verdict(facts)]
    absent = int((evaluation.confusion_matrix.sum(axis=1) == 0).sum())
    if absent:
        sentences.append(
            f"{count(absent, 'class', 'classes')} of the training data {'does' if absent == 1 else 'do'} not occur in "
            f"this file. The figures say nothing about {'it' if absent == 1 else 'them'}."
        )
    if facts.every_step:
        sentences.append(
            "The steps of one sequence are not independent. The intervals of the accuracies and the test allow for "
            "that: they go by whole sequences. The intervals of single classes and groups do not, and are too narrow."
        )
    if evaluation.n < FEW:
        sentences.append(f"With only {count(evaluation.n, facts.unit)}, small differences mean little.")
    return sentences


def verdict(facts: Facts) -> str:
    """Say whether the network beats the better baseline, by the paired test of `elman compare`."""
    evaluation = facts.evaluation
    best = max(evaluation.baselines, key=lambda name: evaluation.baselines[name]["accuracy"])
    rival, p_value = evaluation.baselines[best], facts.beside_baselines.p_values[best]
    accuracies = f"{100 * evaluation.accuracy:.1f} against {percent(rival['accuracy'])}"
    test = f"({accuracies}, {p(p_value)})"
    against = f"the better baseline, {BASELINES[best]}"
    gain = 100 * (evaluation.accuracy - rival["accuracy"])
    if p_value >= 1 - LEVEL:
        return (
            f"By accuracy, the network cannot be told apart from {against}, on this file {test}. Its log loss is "
            f"{evaluation.log_loss:.3f}, that of the baseline {rival['log_loss']:.3f}."
        )
    if gain > 0:
        return f"The network is {gain:.1f} points of accuracy ahead of {against} {test}."
    return f"The network is {-gain:.1f} points of accuracy behind {against} {test}. {_why_behind(facts)}"


def _why_behind(facts: Facts) -> str:
    """Say what may be the reason: training that was short explains it before the data does."""
    summary = facts.estimator.training_
    if summary["interrupted"] or summary["stopped_early"] or summary["epochs"] < _FEW_EPOCHS:
        return (
            f"It was trained for {count(summary['epochs'], 'epoch')}: more epochs, a higher patience or other settings "
            "('elman tune') may change that."
        )
    return "Either the order of the steps matters little here, or there is too little data to learn it from."


def p(value: float) -> str:
    r"""Give a p-value, which no line break tears apart.

    >>> p(0.6875), p(0.0123), p(0.00001)
    ('p\xa0=\xa00.69', 'p\xa0=\xa00.012', 'p\xa0<\xa00.0001')
    """
    return f"p\xa0=\xa0{value:.2g}" if value >= _LEAST_P else f"p\xa0<\xa0{_LEAST_P}"
