"""Training in lines of text: an epoch's record, and why the first step may take its time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.network.machine import n_compiled as n_compiled
from elman.training.callbacks import Run

PATIENCE = 2.0  # seconds without a first step before the reason is told
PREPARING = (
    "Preparing. Kernels are compiled the first time that a cell is used on a machine, which takes up to half a minute."
)


class Waiting(threading.Timer):
    """Tells why training has not begun, where that is since kernels are compiled; the first step cancels it."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__(PATIENCE, tell, [PREPARING])
        self.daemon = True
        self._n_before = n_compiled()

    def run(self) -> None:
        """Look now and then, until something is compiled or training has begun."""
        while not self.finished.wait(self.interval):
            if n_compiled() > self._n_before:
                self.function(*self.args)
                return


def tell_if_slow(tell: Callable[[str], object]) -> Waiting:
    """Start what tells why training has not begun; whoever makes the first step cancels it."""
    timer = Waiting(tell)
    timer.start()
    return timer


def patches_line(patch_size: int, lengths: NDArray[np.int64]) -> str:
    """Say that the sequences of these lengths are so long that steps are read together.

    >>> patches_line(6, np.array([100, 3000, 9000]))
    'Sequences of a median of 3,000 steps: every 6 steps are read as one (patch_size=1 turns it off).'
    """
    return (
        f"Sequences of a median of {np.median(lengths):,.0f} steps: every {patch_size} steps are read as one "
        "(patch_size=1 turns it off)."
    )


def rate_line(rate: float, *, stands_out: bool) -> str:
    """Say what a range test came to.

    >>> rate_line(0.0031, stands_out=True)
    'learning rate 0.0031, chosen by a range test'
    >>> rate_line(0.005, stands_out=False)
    'learning rate 0.005, the default: in the range test no rate stood out'
    """
    how = "chosen by a range test" if stands_out else "the default: in the range test no rate stood out"
    return f"learning rate {rate:g}, {how}"


def epoch_line(record: Mapping[str, Any], max_epochs: int) -> str:
    """Give the figures of an epoch on one line of less than 80 characters, or up to 100 with validation.

    >>> epoch_line({"epoch": 3, "training_loss": 0.51, "training_accuracy": 0.8, "validation_loss": None,
    ...             "validation_accuracy": None, "sequences_per_second": 4321.0}, 200)
    'epoch   3/200  training loss 0.5100 accuracy 0.800  4,321 sequences/s'
    """
    width = len(str(max_epochs))
    member = f"member {record['member']} " if "member" in record else ""
    parts = [f"{member}epoch {record['epoch']:{width}}/{max_epochs}", _figures("training", record)]
    if record["validation_loss"] is not None:
        parts.append(_figures("validation", record))
    parts.append(f"{record['sequences_per_second']:,.0f} sequences/s")
    return "  ".join(parts)


def going_on_line(run: Run, path: str | os.PathLike[str]) -> str:
    """Say where a run goes on that was saved in a file."""
    if run.is_finished:
        ended = f"Training ended in epoch {run.first_epoch - 1}"
        return f"{ended}, says {path}: nothing is left to do. Remove the file to train anew."
    return f"Going on from {path}: epoch {run.first_epoch} of {run.max_epochs}."


def show_loss(loss: float) -> str:
    """Give a loss with four decimals, or in short where it is tiny or has run away."""
    return f"{loss:.4f}" if 0.001 <= loss < 10_000 or loss == 0 else f"{loss:.1e}"


def _figures(part: str, record: Mapping[str, Any]) -> str:
    return f"{part} loss {show_loss(record[f'{part}_loss'])} accuracy {record[f'{part}_accuracy']:.3f}"


def refit_line(n_sequences: int) -> str:
    """Give what is said before the run on all data.

    >>> refit_line(270)
    'once more from the start, on all 270 sequences, those of the validation part among them'
    """
    return f"once more from the start, on all {n_sequences:,} sequences, those of the validation part among them"
