"""An epoch's record as a line of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def epoch_line(record: Mapping[str, Any], max_epochs: int) -> str:
    """Give the figures of an epoch on one line of less than 80 characters, or up to 100 with validation.

    >>> epoch_line({"epoch": 3, "training_loss": 0.51, "training_accuracy": 0.8, "validation_loss": None,
    ...             "validation_accuracy": None, "sequences_per_second": 4321.0}, 200)
    'epoch   3/200  training loss 0.5100 accuracy 0.800  4,321 sequences/s'
    """
    width = len(str(max_epochs))
    parts = [f"epoch {record['epoch']:{width}}/{max_epochs}", _figures("training", record)]
    if record["validation_loss"] is not None:
        parts.append(_figures("validation", record))
    parts.append(f"{record['sequences_per_second']:,.0f} sequences/s")
    return "  ".join(parts)


def show_loss(loss: float) -> str:
    """Give a loss with four decimals, or in short where it is tiny or has run away."""
    return f"{loss:.4f}" if 0.001 <= loss < 10_000 or loss == 0 else f"{loss:.1e}"


def _figures(part: str, record: Mapping[str, Any]) -> str:
    return f"{part} loss {show_loss(record[f'{part}_loss'])} accuracy {record[f'{part}_accuracy']:.3f}"
