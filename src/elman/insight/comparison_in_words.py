"""A comparison of models in plain sentences, each with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from elman.insight.comparison import Comparison, Difference

FEW = 30  # sequences that tell little
_LEAST_SHOWN = 0.0001


def differences_in_words(comparison: Comparison, names: Sequence[str] | None = None) -> list[str]:
    """Give a paragraph for each difference; ``names``, M of them, are what the models are called there."""
    called = comparison.names if names is None else names
    return [
        _paragraph(comparison, difference, called[m], called[0])
        for m, difference in enumerate(comparison.differences, 1)
    ]


def clearest(comparison: Comparison, names: Sequence[str] | None = None) -> str:
    """Give the difference that chance explains least, in a sentence; of baselines only where there is one model."""
    called = comparison.names if names is None else names
    n_models = comparison.n_models if comparison.n_models > 1 else len(comparison.names)
    m = min(range(n_models - 1), key=lambda m: comparison.differences[m].p_value)
    difference, this, first = comparison.differences[m], called[m + 1], called[0]
    if difference.accuracy == 0:
        return f"{this} is right as often as {first}."
    better = "better" if difference.accuracy > 0 else "worse"
    sure = "beyond chance" if difference.is_beyond_chance else "within what chance gives"
    return f"{this} is {100 * abs(difference.accuracy):.1f} points {better} than {first}, {sure}."


def cautions(comparison: Comparison) -> list[str]:
    """Give what a reader must know before believing the differences, a sentence or two each."""
    sentences = []
    if comparison.n_sequences == 1:
        sentences.append("One sequence tells nothing of others.")
    elif comparison.n_sequences < FEW:
        sentences.append(
            f"{_counted(comparison.n_sequences, 'sequence')} can tell little: only a great difference would show."
        )
    if comparison.every_step and comparison.n_sequences > 1:
        sentences.append(
            "The steps of a sequence are not independent, so that chance is judged by whole sequences: the test swaps "
            "the models on each, and intervals go by how far sequences differ."
        )
    sentences.append(
        "All this is about these trained models, not about the ways they were trained: with another seed the order may "
        "turn. Compare several seeds of each before you choose a way."
    )
    return sentences


def _paragraph(comparison: Comparison, difference: Difference, this: str, first: str) -> str:
    unit = "step" if comparison.every_step else "sequence"
    if difference.only_this == difference.only_reference == 0:
        right = f"{this} and {first} are right on the same {unit}s{_interval_of(comparison, difference)}."
    else:
        right = (
            f"{this} is right on {_counted(difference.only_this, unit)} where {first} is wrong, {first} on "
            f"{_counted(difference.only_reference)} where {this} is wrong: "
            f"{_points(comparison, difference, this, first)}."
        )
    low, high = difference.log_loss_interval
    interval = f" (95 % interval of the difference {low:+.4f} to {high:+.4f})" if comparison.n_sequences > 1 else ""
    loss = (
        f"The log loss of {this} is {abs(difference.log_loss):.4f} {'lower' if difference.log_loss < 0 else 'higher'}"
        f"{interval}."
        if difference.log_loss
        else "Their log losses are the same."
    )
    alike = f"They predict the same for {100 * difference.alike:.1f} % of {unit}s."
    return f"{right} {loss} {alike}"


def _points(comparison: Comparison, difference: Difference, this: str, first: str) -> str:
    if difference.accuracy == 0:
        return f"no difference in accuracy{_interval_of(comparison, difference)}"
    points, better = 100 * difference.accuracy, this if difference.accuracy > 0 else first
    if comparison.n_sequences == 1:
        return f"{abs(points):.1f} points in favour of {better} on this one sequence, without an interval or a test"
    low, high = sorted(100 * bound if points > 0 else -100 * bound for bound in difference.accuracy_interval)
    return (
        f"{abs(points):.1f} points in favour of {better} (95 % interval {low:.1f} to {high:.1f}). "
        f"{_chance(comparison, difference)}"
    )


def _interval_of(comparison: Comparison, difference: Difference) -> str:
    """Give how far a difference of 0 can be trusted."""
    low, high = difference.accuracy_interval
    if comparison.n_sequences == 1:
        return ""
    interval = f"with a 95 % interval of {100 * low:+.1f} to {100 * high:+.1f} points"
    return f", {interval}, {_p(difference.p_value)} ({comparison.test})"


def _chance(comparison: Comparison, difference: Difference) -> str:
    """Give p, what it says, and what follows from it."""
    n = len(comparison.differences)
    p, corrected = _p(difference.p_value), _p(difference.p_corrected)
    several = f"; by Holm's correction for {n} comparisons {corrected}" if corrected != p else ""
    meaning = "that is beyond chance" if difference.is_beyond_chance else "chance is explanation enough"
    return (
        f"{p} ({comparison.test}): two equally good models would differ this much {_often(difference.p_value)}"
        f"{several}. At the usual 5 % {meaning}"
    )


def _p(p_value: float) -> str:
    """Give a p-value.

    >>> _p(0.03515), _p(0.0), _p(1.0)
    ('p = 0.035', 'p < 0.0001', 'p = 1')
    """
    return f"p = {p_value:.2g}" if p_value >= _LEAST_SHOWN else f"p < {_LEAST_SHOWN:g}"


def _often(p_value: float) -> str:
    """Give a p-value as how often something happens.

    >>> _often(0.0352), _often(0.0), _often(1.0)
    ('in 3.5 % of such files', 'in fewer than 1 of 10,000 such files', 'in any such file')
    """
    if p_value >= 1:
        return "in any such file"
    if p_value < _LEAST_SHOWN:
        return f"in fewer than 1 of {1 / _LEAST_SHOWN:,.0f} such files"
    return f"in {100 * p_value:.{1 if p_value >= 0.01 else 2}f} % of such files"


def _counted(n: int, thing: str = "") -> str:
    """Give a number of things, or the number alone.

    >>> _counted(1200, "step"), _counted(0, "step"), _counted(0)
    ('1,200 steps', 'no step', 'none')
    """
    if not thing:
        return f"{n:,}" if n else "none"
    return f"{n:,} {thing}{'s' * (n != 1)}" if n else f"no {thing}"
