"""A recurrent layer: one cell in one or both directions, and its weights packed for the kernels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from elman.kernels.cells import CELLS
from elman.kernels.lanes import lanes, padded
from elman.kernels.outputs import class_scores
from elman.kernels.products import pack_plain, pack_transposed, products, unpack_gradient
from elman.kernels.sweep import WeightGradients, Weights, sweep
from elman.network.architecture import Architecture

Array = np.ndarray[Any, Any]


def odd_lines(size: int, dtype: np.dtype[Any]) -> int:
    """Return a row length of at least `size`, an odd number of vectors, so that rows spread over the cache."""
    vectors = padded(size, dtype) // lanes(dtype)
    return (vectors + 1 - vectors % 2) * lanes(dtype)


class Direction:
    """The weights of one layer in one direction: where they lie among the parameters, and packed."""

    def __init__(self, architecture: Architecture, layer: int, reverse: bool, dtype: np.dtype[Any]) -> None:
        self.cell = CELLS[architecture.cell]
        self.reverse = reverse
        self.dtype, self.lanes = dtype, lanes(dtype)
        self.suffix = f"_l{layer}{'_reverse' if reverse else ''}"
        self.sweep = sweep(self.cell.name, dtype)
        size = self.hidden_size = architecture.hidden_size
        width = self.width = padded(size, dtype)
        if layer == 0:
            self.in_size = self.in_padded = self.depth = architecture.input_size
        else:
            self.in_size, self.in_padded = size, width
            self.depth = architecture.directions * width
        gates = len(self.cell.gates)
        self.bias = np.zeros(self.cell.blocks * width, dtype)
        ih, hh = np.zeros(gates * width * self.depth, dtype), np.zeros(gates * width * size, dtype)
        self.forward_weights = Weights(ih, hh, self.bias, self.depth, size)
        plain_ih = np.zeros(gates * width * self.depth if layer > 0 else 0, dtype)  # nobody asks for dL/dx of the data
        plain_hh = np.zeros(gates * width * width, dtype)
        self.backward_weights = Weights(plain_ih, plain_hh, self.bias, self.depth, size)

    def pack(self, parameters: Mapping[str, Array]) -> None:
        """Bring the packed weights up to date with the parameters."""
        size, width, lane = self.hidden_size, self.width, self.lanes
        ih, hh = parameters["weight_ih" + self.suffix], parameters["weight_hh" + self.suffix]
        bias_ih, bias_hh = parameters["bias_ih" + self.suffix], parameters["bias_hh" + self.suffix]
        forward, backward = self.forward_weights, self.backward_weights
        places = self.bias.reshape(-1, width)[:, :size]
        places[:] = 0
        for gate, place, count in self.cell.input_runs:
            rows, at = slice(gate * size, (gate + count) * size), gate * width * self.depth
            pack_transposed(ih[rows], size, width, self.in_size, self.in_padded, lane, forward.ih[at:])
            if backward.ih.size:
                pack_plain(ih[rows], size, width, self.in_size, self.in_padded, lane, backward.ih[at:])
            places[place : place + count] += bias_ih[rows].reshape(count, size)
        for gate, place, count in self.cell.hidden_runs:
            rows = slice(gate * size, (gate + count) * size)
            pack_transposed(hh[rows], size, width, size, size, lane, forward.hh[gate * width * size :])
            pack_plain(hh[rows], size, width, size, width, lane, backward.hh[gate * width * width :])
            places[place : place + count] += bias_hh[rows].reshape(count, size)

    def sum_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of the WeightGradients of the backward sweep."""
        columns = len(self.cell.gates) * self.width
        return [(self.depth, columns), (self.hidden_size, columns), (self.cell.blocks * self.width,)]

    def unpack(self, sums: WeightGradients, gradient: Mapping[str, Array]) -> None:
        """Add the sums of a backward sweep to the gradient of the parameters."""
        size, width = self.hidden_size, self.width
        unpack_gradient(sums.ih, size, width, self.in_size, self.in_padded, gradient["weight_ih" + self.suffix])
        unpack_gradient(sums.hh, size, width, size, size, gradient["weight_hh" + self.suffix])
        places = sums.bias.reshape(-1, width)[:, :size]
        for name, runs in (("bias_ih", self.cell.input_runs), ("bias_hh", self.cell.hidden_runs)):
            values = gradient[name + self.suffix].reshape(-1, size)
            for gate, place, count in runs:
                values[gate : gate + count] += places[place : place + count]


class Scores:
    """The last layer: class scores, linear in the features."""

    def __init__(self, architecture: Architecture, dtype: np.dtype[Any]) -> None:
        self.dtype, self.lanes = dtype, lanes(dtype)
        self.forward, self.backward = class_scores(dtype)
        self.products = products(dtype).addresses
        self.n_classes, self.width = architecture.n_classes, padded(architecture.n_classes, dtype)
        self.in_size, self.in_padded = architecture.hidden_size, padded(architecture.hidden_size, dtype)
        self.depth = architecture.directions * self.in_padded
        self.transposed, self.plain = (np.zeros(self.depth * self.width, dtype) for _ in range(2))
        self.bias = np.zeros(self.width, dtype)

    def pack(self, parameters: Mapping[str, Array]) -> None:
        """Bring the packed weights up to date with the parameters."""
        weight = parameters["weight_out"]
        sizes = (self.n_classes, self.width, self.in_size, self.in_padded, self.lanes)
        pack_transposed(weight, *sizes, self.transposed)
        pack_plain(weight, *sizes, self.plain)
        self.bias[: self.n_classes] = parameters["bias_out"]

    def sum_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of the sums for the gradients of weight_out and bias_out."""
        return [(self.depth, self.width), (self.width,)]

    def unpack(self, sums: tuple[Array, Array], gradient: Mapping[str, Array]) -> None:
        """Add the sums to the gradient of the parameters."""
        weight, bias = sums
        unpack_gradient(weight, self.n_classes, self.width, self.in_size, self.in_padded, gradient["weight_out"])
        gradient["bias_out"] += bias[: self.n_classes]
