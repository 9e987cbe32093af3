"""The top of a report: how good the model is, how sure that is, beside the baselines, and what looks ill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from elman.insight.health import examine
from elman.insight.intervals import wilson
from elman.report.blocks import Name, Prose, Remarks, between, count, percent
from elman.report.facts import Facts

BASELINES = {"summary_statistics": "logistic regression on summary statistics", "majority": "the most frequent class"}

_MOST_STEPS = 40_000  # that are looked at for signs of ill health
_MOST_SEQUENCES = 200


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
        Figure("accuracy", percent(evaluation.accuracy), _interval(facts)),
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
        return [
            Prose("No sign of ill training was found, in its records or in gradients and gates on this data.", True)
        ]
    return [Remarks([finding.sentence for finding in findings], "Health of the network")]


def lead(facts: Facts) -> str:
    """Give what the model gets right, how sure that is, and what the baselines get right."""
    evaluation = facts.evaluation
    low, high = accuracy_interval(facts)
    n_classes = count(len(evaluation.classes), "class", "classes")
    regression, majority = (evaluation.baselines[name]["accuracy"] for name in ("summary_statistics", "majority"))
    return (
        f"It puts {percent(evaluation.accuracy)} of {count(evaluation.n, facts.unit)} into the right one of "
        f"{n_classes}. Of more data like this it would get {between(low, high)} right, with {percent(0.95, 0)} "
        "confidence. "
        f"A logistic regression on summary statistics gets {percent(regression)} right, and always naming the most "
        f"frequent class of training {percent(majority)}."
    )


def accuracy_interval(facts: Facts) -> tuple[float, float]:
    """Give Wilson's 95\xa0% interval of the accuracy."""
    n_right = int(facts.evaluation.confusion_matrix.trace())
    low, high = wilson(n_right, facts.evaluation.n)
    return float(low), float(high)


def _interval(facts: Facts) -> str:
    low, high = accuracy_interval(facts)
    return f"95\xa0% interval {between(low, high)}"


def _beside(value: float) -> str:
    return f"logistic regression {percent(value)}"


def remarks(facts: Facts) -> list[str]:
    """Give what a reader must know before believing the figures."""
    evaluation = facts.evaluation
    sentences = [verdict(facts)]
    absent = int((evaluation.confusion_matrix.sum(axis=1) == 0).sum())
    if absent:
        sentences.append(
            f"{count(absent, 'class', 'classes')} of training {'does' if absent == 1 else 'do'} not occur here: of "
            "them "
            "these figures say nothing."
        )
    if facts.every_step:
        sentences.append(
            "Steps of one sequence are alike, so that the true uncertainty is greater than the interval, which takes "
            "each step for a draw of its own."
        )
    if evaluation.n < 50:
        sentences.append(f"With {count(evaluation.n, facts.unit)}, small differences mean little.")
    return sentences


def verdict(facts: Facts) -> str:
    """Say whether recurrence paid."""
    rivals = {name: figures["accuracy"] for name, figures in facts.evaluation.baselines.items()}
    best = max(rivals, key=rivals.__getitem__)
    gain = 100 * (facts.evaluation.accuracy - rivals[best])
    low, _ = accuracy_interval(facts)
    against = f"the better baseline, {BASELINES[best]}"
    if gain <= 0:
        reason = "the order of the steps may not matter here, or there is too little data to learn it"
        return f"The network does not beat {against} ({gain:+.1f} points of accuracy): {reason}."
    sure = "" if rivals[best] < low else ", which is within the uncertainty of these figures"
    return f"The network is {gain:.1f} points of accuracy ahead of {against}{sure}."
