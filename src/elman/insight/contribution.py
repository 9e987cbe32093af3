"""What each time step adds to the gradient of each parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.kernels.reference_network import Run, Way
from elman.network.architecture import Architecture

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Contribution:
    """The gradient of one parameter as a sum over time, each term an outer product of two vectors, kept as these.

    Parameters
    ----------
    shape : tuple of int
        Of the parameter.
    rows : (T, m)
        For a weight, dL/d(its product) at each step; for a vector, the terms themselves.
    columns : (T, n) or None
        For a weight, what it was multiplied with.
    places : int64 (T,) or None
        For an embedding, the row of the table that the term belongs to, and ``rows`` is the term.
    """

    shape: tuple[int, ...]
    rows: Array
    columns: Array | None = None
    places: NDArray[np.int64] | None = None

    def at(self, t: int) -> Array:
        """Give what step t, counted from 0, adds to the gradient."""
        if self.places is not None:
            table = np.zeros(self.shape)
            table[self.places[t]] = self.rows[t]
            return table
        return self.rows[t] if self.columns is None else np.outer(self.rows[t], self.columns[t])

    def total(self) -> Array:
        """Give the sum over all steps, the gradient."""
        if self.places is not None:
            table = np.zeros(self.shape)
            np.add.at(table, self.places, self.rows)
            return table
        total: Array = self.rows.sum(axis=0) if self.columns is None else self.rows.T @ self.columns
        return total

    def norms(self) -> Array:
        """Give the Euclidean norm of each step's term (T,)."""
        norms: Array = np.linalg.norm(self.rows, axis=1)
        return norms if self.columns is None else norms * np.linalg.norm(self.columns, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Give every number as JSON can hold it."""
        columns, places = (None if a is None else a.tolist() for a in (self.columns, self.places))
        return {"norms": self.norms().tolist(), "rows": self.rows.tolist(), "columns": columns, "places": places}


def contributions(run: Run, way: Way, d_logits: Array, architecture: Architecture) -> dict[str, Contribution]:
    """Give what each step adds to the gradient of each parameter, in the order of the parameters.

    The bias of the class scores of a whole sequence belongs to no step; it is counted at the last one, where the
    readout comes.
    """
    terms = _of_embeddings(run, way, architecture)
    options = [each for layer in run.options for each in layer]
    tapes = [tape for layer in run.tapes for tape in layer]
    found = [each for layer in way.found for each in layer]
    for (_, suffix), option, tape, each in zip(architecture.suffixes(), options, tapes, found):
        order = -1 if suffix.endswith("_reverse") else 1
        terms |= {
            f"weight_ih{suffix}": (each["d_product_x"][::order], tape.x[::order]),
            f"weight_hh{suffix}": (each["d_product_h"][::order], tape.h[:-1][::order]),
            f"bias_ih{suffix}": (each["d_from_x"][::order],),
            f"bias_hh{suffix}": (each["d_from_h"][::order],),
        }
        if option.gain_ih is not None:
            normed_x, normed_h = (np.array([normed[half] for normed in tape.normed]) for half in (0, 1))
            terms[f"gain_ih{suffix}"] = ((each["d_from_x"] * normed_x)[::order],)
            terms[f"gain_hh{suffix}"] = ((each["d_from_h"] * normed_h)[::order],)
        if option.start is not None:
            for state, d_start in zip(("h_0", "c_0"), each["d_start"]):
                terms[f"{state}{suffix}"] = (_at_one_step(d_start, len(tape.x), 0)[::order],)
    terms |= _of_readout(run, way, d_logits)
    shapes = architecture.parameter_shapes()
    return {name: Contribution(shape, *terms[name]) for name, shape in shapes.items()}


def _of_embeddings(run: Run, way: Way, architecture: Architecture) -> dict[str, tuple[Any, ...]]:
    at = run.values.shape[1] - len(architecture.embeddings)
    terms: dict[str, tuple[Any, ...]] = {}
    for k, (column, _, size) in enumerate(architecture.embeddings):
        terms[f"weight_embedding_{k}"] = (way.d_x[:, at : at + size], None, run.values[:, column].astype(np.int64))
        at += size
    return terms


def _of_readout(run: Run, way: Way, d_logits: Array) -> dict[str, tuple[Any, ...]]:
    if run.share is None:
        return {"weight_out": (d_logits, run.h), "bias_out": (d_logits,)}
    steps = len(run.h)
    terms: dict[str, tuple[Any, ...]] = {
        "weight_out": (np.repeat(d_logits, steps, axis=0), run.share * run.h),
        "bias_out": (_at_one_step(d_logits[0], steps, -1),),
    }
    if way.d_score is not None:
        terms["weight_attention"] = (way.d_score[:, None] * run.h,)
    return terms


def _at_one_step(term: Array, steps: int, t: int) -> Array:
    terms = np.zeros((steps, len(term)))
    terms[t] = term
    return terms
