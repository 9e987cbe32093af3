"""What a network is made of, as plain data."""

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np

from elman.errors import ParameterError
from elman.kernels.cells import CELLS

READOUTS = ("last", "mean", "max", "attention")
LOSS_PLACES = ("last", "every_step")
MOST_CODES = 1 << 24  # of a column: whole numbers that float32 tells apart


@dataclass(frozen=True)
class Architecture:
    """The shape of a network: everything but the values of its parameters.

    hidden_size : units of a layer in one direction; or one number for each layer
    dropout : share of the values between two layers that are set to 0 in training
    readout : what becomes of h_t of all steps: the last one, their mean, their maximum
    loss_at : "last" scores each sequence once, from its readout; "every_step" scores every time step from h_t
    recurrent_dropout : share of the units of h_{t-1} that W_hh does not see, the same ones at all steps of a sequence
    zoneout : share of the units whose states stay as they were at t - 1
    layer_norm : W_ih x and W_hh h are normalised, and scaled by gains, before they are added up
    learn_initial_state : the states before the first step are parameters, instead of 0
    residual : from the second layer on, a layer's input is added to its output, where both are of one size
    embeddings : (column, n_codes, size) for each column of the values that holds codes 0, ..., n_codes - 1 and enters
        the first layer as a learned vector of `size`; columns rising. The layer reads the other columns, in their
        order, then the vectors.
    """

    input_size: int
    n_classes: int
    cell: str = "gru"
    hidden_size: int | tuple[int, ...] = 64
    num_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.0
    readout: str = "last"
    loss_at: str = "last"
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False
    learn_initial_state: bool = False
    residual: bool = False
    embeddings: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        """Take NumPy's numbers for Python's, since kernels know only these; refuse what means nothing."""
        for name, least in (("input_size", 1), ("n_classes", 2), ("num_layers", 1)):
            self._set(name, _whole(name, getattr(self, name), least))
        if isinstance(self.hidden_size, tuple | list):
            self._set("hidden_size", tuple(_whole("hidden_size", size, 1) for size in self.hidden_size))
        else:
            self._set("hidden_size", _whole("hidden_size", self.hidden_size, 1))
        for name in ("dropout", "recurrent_dropout", "zoneout"):
            share: Any = getattr(self, name)
            _require(name, isinstance(share, Real) and 0 <= float(share) < 1, "a number in [0, 1)", share)
            self._set(name, float(share))
        for name in ("bidirectional", "layer_norm", "learn_initial_state", "residual"):
            flag = getattr(self, name)
            _require(name, isinstance(flag, bool | np.bool_), "a bool", flag)
            self._set(name, bool(flag))
        for name, choices in (("cell", tuple(CELLS)), ("readout", READOUTS), ("loss_at", LOSS_PLACES)):
            _require(name, getattr(self, name) in choices, f"one of {', '.join(choices)}", getattr(self, name))
        is_one_each = not isinstance(self.hidden_size, tuple) or len(self.hidden_size) == self.num_layers
        _require("hidden_size", is_one_each, f"one int, or one for each of {self.num_layers} layers", self.hidden_size)
        self._check_embeddings()

    def _check_embeddings(self) -> None:
        self._set(
            "embeddings", tuple(tuple(_whole("embeddings", n, -(2**63)) for n in each) for each in self.embeddings)
        )
        columns = [column for column, _, _ in self.embeddings]
        is_rising = all(a < b for a, b in pairwise([-1, *columns, self.input_size]))
        if not is_rising or any(size < 1 or not 1 <= n_codes <= MOST_CODES for _, n_codes, size in self.embeddings):
            raise ParameterError(
                "embeddings must be (column, n_codes, size), "
                f"columns rising within 0..{self.input_size - 1}, n_codes in 1..{MOST_CODES}, size at least 1. "
                f"Got {self.embeddings}."
            )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def directions(self) -> int:
        """2 for a bidirectional network, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """The units of each layer in one direction."""
        return self.hidden_size if isinstance(self.hidden_size, tuple) else (self.hidden_size,) * self.num_layers

    @property
    def n_features(self) -> int:
        """How many features the readout hands to the class scores."""
        return self.directions * self.hidden_sizes[-1]

    @property
    def draws_masks(self) -> bool:
        """Whether training needs random masks."""
        return max(self.dropout, self.recurrent_dropout, self.zoneout) > 0

    def layer_input_size(self, layer: int) -> int:
        """Return how many inputs a layer has at each step."""
        if layer > 0:
            return self.directions * self.hidden_sizes[layer - 1]
        return self.input_size - len(self.embeddings) + sum(size for _, _, size in self.embeddings)

    def suffixes(self) -> list[tuple[int, str]]:
        """Return each layer and direction, in order, as the layer's number and what PyTorch appends to its names."""
        ends = ("", "_reverse")[: self.directions]
        return [(layer, f"_l{layer}{end}") for layer in range(self.num_layers) for end in ends]

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the embeddings, the layers' parameters in PyTorch's order and under its names, the class scores'."""
        cell = CELLS[self.cell]
        shapes: dict[str, tuple[int, ...]] = {
            f"weight_embedding_{k}": (n_codes, width) for k, (_, n_codes, width) in enumerate(self.embeddings)
        }
        for layer, suffix in self.suffixes():
            size = self.hidden_sizes[layer]
            rows = len(cell.gates) * size
            shapes[f"weight_ih{suffix}"] = (rows, self.layer_input_size(layer))
            shapes[f"weight_hh{suffix}"] = (rows, size)
            shapes[f"bias_ih{suffix}"] = (rows,)
            shapes[f"bias_hh{suffix}"] = (rows,)
            if self.layer_norm:
                shapes[f"gain_ih{suffix}"] = (rows,)
                shapes[f"gain_hh{suffix}"] = (rows,)
            if self.learn_initial_state:
                shapes |= {f"{state}_0{suffix}": (size,) for state in cell.states}
        if self.readout == "attention" and self.loss_at == "last":
            shapes["weight_attention"] = (self.n_features,)
        shapes["weight_out"] = (self.n_classes, self.n_features)
        shapes["bias_out"] = (self.n_classes,)
        return shapes


def _whole(name: str, value: Any, least: int) -> int:
    is_bool = isinstance(value, bool)  # which counts as a whole number to Python
    is_whole = not is_bool and isinstance(value, Integral) and int(value) >= least
    _require(name, is_whole, f"a whole number of at least {least}", value)
    return int(value)


def _require(name: str, condition: bool, contract: str, value: object) -> None:
    if not condition:
        raise ParameterError(f"{name} of an Architecture must be {contract}. Got {value!r} instead.")
