"""Interleaved timing: every contender in turn, round after round, each left to settle before it is timed."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Step = Callable[[], object]
SHORT = 50e-6  # seconds under which steps are timed ten at a time


class Effort(NamedTuple):
    """How long to measure."""

    rounds: int = 7
    settle: float = 0.02  # seconds of untimed steps before each turn: caches fill, the threads of the one before rest
    turn: float = 0.05  # seconds of timed steps in each turn, at the least `least` of them
    least: int = 3


QUICK = Effort(rounds=2, settle=0.0, turn=0.0, least=1)


def medians(steps: Mapping[str, Step], effort: Effort) -> dict[str, float]:
    """Return the median seconds of a step of each contender: the median over rounds of each turn's median."""
    for step in steps.values():
        step()
    turns: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(effort.rounds):
        for name, step in steps.items():
            turns[name].append(_turn(step, effort))
    return {name: statistics.median(seconds) for name, seconds in turns.items()}


def _turn(step: Step, effort: Effort) -> float:
    begun = time.perf_counter()
    step()
    runs = 1
    while time.perf_counter() - begun < effort.settle:
        step()
        runs += 1
    at_a_time = range(10 if (time.perf_counter() - begun) / runs < SHORT else 1)
    seconds: list[float] = []
    ends = time.perf_counter() + effort.turn
    while time.perf_counter() < ends or len(seconds) < effort.least:
        started = time.perf_counter()
        for _ in at_a_time:
            step()
        seconds.append((time.perf_counter() - started) / len(at_a_time))
    return statistics.median(seconds)
