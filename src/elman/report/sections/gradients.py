"""How far the gradient reaches back in time: over the epochs of training, and in the finished network on this data."""

from __future__ import annotations

from elman.network.flow import GradientFlow
from elman.plots import gradient_flow as draw_flow
from elman.plots import gradient_history as draw_history
from elman.plots.theme import specification
from elman.report import charts
from elman.report.blocks import Block, Figure, Prose, Section, Table, count, number, percent
from elman.report.facts import Facts
from elman.training.history import Record

_MOST_STEPS = 200_000  # that the gradient is followed through


def gradients(facts: Facts) -> Section:
    """Draw the gradient's way back through time."""
    blocks: list[Block] = []
    records = [record for record in facts.estimator.histories_[0] if record.get("flow_profile")]
    if records:
        blocks.append(_over_epochs(facts))
    else:
        blocks.append(Prose("The training records of this model hold no gradient flow.", is_soft=True))
    flow, n = flow_here(facts)
    blocks.append(_here(facts, flow, n))
    sampled = n < len(facts.sequences)
    return Section("gradients", "How far gradients reach back", blocks, lead(flow, sampled=sampled))


def flow_here(facts: Facts) -> tuple[GradientFlow, int]:
    """Follow the gradient on some sequences of the file; give how many."""
    chosen = facts.some(_MOST_STEPS, len(facts.sequences), labelled=True)
    return facts.estimator.gradient_flow(facts.sequences[chosen], facts.labels_of(chosen)), len(chosen)


def lead(flow: GradientFlow, *, sampled: bool = False) -> str:
    """Give how far the direction reaches back that does so least."""
    k = weakest(flow)
    memory, longest = flow.memory(k), len(flow.profile(k))
    if memory >= longest:
        everywhere = "" if len(flow.names) == 1 else " in every layer"
        return f"In the trained network the gradient reaches back over all {count(longest, 'step')}{everywhere}."
    return (
        f"In the trained network the gradient of {direction(flow.names[k])} falls to a tenth of its maximum within "
        f"{count(memory, 'step')} of {longest:,}{' in this sample' * sampled}: steps further back hardly affect "
        "learning there."
    )


def weakest(flow: GradientFlow) -> int:
    """Give the layer and direction that reaches back least."""
    return min(range(len(flow.names)), key=flow.memory)


def _over_epochs(facts: Facts) -> Figure:
    records = [record for record in facts.estimator.histories_[0] if record.get("flow_profile")]
    first, last = records[0], records[-1]
    return Figure(
        "gradient-history",
        specification(draw_history(facts.estimator, width=charts.WIDTH, theme=None)),
        "Gradient health over the epochs",
        reads="A column is an epoch, a row a number of steps back. The stronger the colour, the larger the gradient "
        "that arrives there, on a logarithmic scale. The line is where it has fallen to a tenth.",
        shows=_reached(first, last),
        label="Heat map of the gradient's norm by epoch and steps back",
    )


def _reached(first: Record, last: Record) -> str:
    """Say how far the gradient reached in the first epoch and the last, in the layers that reach least."""
    if all(record["flow_memory"] >= record["flow_steps"] for record in (first, last)):
        return "In the first epoch and in the last the gradient reached back over all steps, in every layer."
    then, now = (
        f"{record['flow_memory']:,} of {record['flow_steps']:,} steps in epoch {record['epoch']} "
        f"({direction(record['flow_of'])})"
        for record in (first, last)
    )
    return f"The layer that reaches least reached back {then} and {now}."


def _here(facts: Facts, flow: GradientFlow, n: int) -> Figure:
    k = weakest(flow)
    some = f" Measured on a sample of {n:,} of {len(facts.sequences):,} sequences." if n < len(facts.sequences) else ""
    rows = [
        (
            direction(name),
            f"{flow.memory(each):,}",
            number(flow.ratio(each)),
            percent(flow.vanished(each)),
            *(percent(float(flow.saturated[gate][each].mean())) for gate in flow.saturated),
        )
        for each, name in enumerate(flow.names)
    ]
    headings = (
        "layer",
        "steps to a tenth",
        "first over last",
        "vanished",
        *(_of_gate(gate) for gate in flow.saturated),
    )
    table = Table(
        headings,
        rows,
        caption="First over last: the norm at the first step read, divided by that at the last. Vanished: the share of "
        "steps below a millionth of the largest. Saturated: the share of a gate's values near the ends of its range.",
        numbers=frozenset(range(1, len(headings))),
        folded="Layer by layer, with the saturation of gates",
    )
    return Figure(
        "gradient-flow",
        specification(draw_flow(flow, width=charts.WIDTH, theme=None)),
        "Gradient flow on this data",
        reads="The norm of the gradient of the loss with respect to the state, from the last step read back to the "
        "first: relative to the largest of its sequence, the median of the sequences, as far back as a twentieth of "
        "them go. A steep fall is a vanishing gradient, a steep rise an exploding one.",
        shows=f"In {direction(flow.names[k])} it is {number(flow.ratio(k))} times as large at the first step read as "
        f"at the last{_vanished(flow.vanished(k))}.{some}",
        label="Norm of the gradient by the state against the number of steps back, a line a layer and direction",
        table=table,
    )


def _vanished(share: float) -> str:
    return f", and {percent(share)} of the steps get less than a millionth of the largest" if share else ""


def direction(name: str) -> str:
    """Give a layer and direction in words.

    >>> direction("l0"), direction("l1_reverse")
    ('layer 1', 'layer 2, reverse')
    """
    layer, _, reverse = name.removeprefix("l").partition("_")
    return f"layer {int(layer) + 1}{', reverse' * bool(reverse)}"


def _of_gate(gate: str) -> str:
    return "units at 0" if gate == "relu" else f"saturated {gate}"
