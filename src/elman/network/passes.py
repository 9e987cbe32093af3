"""One shard's way through the network: forward through layers, readout and class scores, then back.

forward    each layer, each direction: h_t for t = 1..T;  readout;  class scores
backward   class scores, readout, layers from the top: dL/dh_t for t = T..1
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from elman.kernels.outputs import drop_out, join_outputs
from elman.kernels.sweep import BLOCK_ROWS, SHARD_ROWS, WeightGradients
from elman.network.architecture import Architecture
from elman.network.layers import Direction, Scores, odd_lines
from elman.network.readout import OVER_TIME, Backward, final_states
from elman.network.shards import Shard

Array = np.ndarray[Any, Any]


class Layers:
    """All layers of a network, with their weights packed."""

    def __init__(self, architecture: Architecture, dtype: np.dtype[Any]) -> None:
        self.architecture, self.dtype = architecture, dtype
        ends = (False, True)[: architecture.directions]
        self.recurrent = [
            [Direction(architecture, number, reverse, dtype) for reverse in ends]
            for number in range(architecture.num_layers)
        ]
        self.scores = Scores(architecture, dtype)

    def pack(self, parameters: Mapping[str, Array]) -> None:
        """Bring the packed weights up to date with the parameters."""
        for layer in self.recurrent:
            for direction in layer:
                direction.pack(parameters)
        self.scores.pack(parameters)


class GradientSums:
    """What the backward passes of several shards add up, laid out as the kernels like it: views into one array."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        wanted = [shape for layer in layers.recurrent for direction in layer for shape in direction.sum_shapes()]
        wanted += layers.scores.sum_shapes()
        edges = np.cumsum([0, *(math.prod(shape) for shape in wanted)])
        self._all = np.empty(edges[-1], layers.dtype)
        views = iter(self._all[start:stop].reshape(shape) for start, stop, shape in zip(edges, edges[1:], wanted))
        self.recurrent = [
            [WeightGradients(next(views), next(views), next(views)) for _ in layer] for layer in layers.recurrent
        ]
        self.scores = next(views), next(views)

    def clear(self) -> None:
        """Set all sums to zero."""
        self._all[:] = 0

    def add_to(self, gradient: Mapping[str, Array]) -> None:
        """Add the sums to the gradient of the parameters."""
        for layer, layer_sums in zip(self._layers.recurrent, self.recurrent):
            for direction, sums in zip(layer, layer_sums):
                direction.unpack(sums, gradient)
        self._layers.scores.unpack(self.scores, gradient)


class Workspace:
    """Arrays that a thread uses again and again; what is in them is left over from the last use."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._memory: dict[str, Array] = {}

    def take(self, name: str, *shape: int) -> Array:
        """Return an array of this shape, valid until the next call with this name."""
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, self._dtype)
        return memory[:size].reshape(shape)


class _Kept(NamedTuple):
    """What the forward sweep of one layer in one direction leaves for the backward sweep."""

    x: Array
    x_rows: Array  # which row of x a row of the shard reads
    order: Array  # which row it is in the shard's own order
    tape: Array
    states: Array


class ShardPass:
    """Forward, and if `keep` afterwards backward, over one shard."""

    def __init__(
        self, layers: Layers, shard: Shard, workspace: Workspace, *, keep: bool, dropout_key: int | None = None
    ) -> None:
        self._layers, self._shard, self._workspace, self._keep = layers, shard, workspace, keep
        self._dropout_key = dropout_key if layers.architecture.dropout > 0 else None
        self._kept: list[list[_Kept]] = []
        self._features: Array
        self._readout: Backward | None = None

    def forward(self, values: Array) -> Array:
        """Return the class scores (N, .), or (S, .) in the shard's own order with a loss at every step."""
        for number, layer in enumerate(self._layers.recurrent):
            x = values if number == 0 else self._outputs(number - 1, drop=True)
            self._kept.append([self._sweep_forward(number, direction, x) for direction in layer])
        self._features = self._read_out()
        scores = self._layers.scores
        logits = self._workspace.take("logits", len(self._features), scores.width)
        scores.forward(scores.products, self._features, self._shard.steps.rows, scores.transposed, scores.bias, logits)
        return logits

    def backward(self, d_logits: Array, sums: GradientSums) -> None:
        """Add the gradient of every parameter to `sums`, given dL/d(class scores)."""
        scores, steps = self._layers.scores, self._shard.steps
        d_features = self._workspace.take("d_features", *self._features.shape)
        scores.backward(scores.products, self._features, d_logits, steps.rows, scores.plain, d_features, *sums.scores)
        d_final, d_outputs = self._nothing, d_features
        if self._readout is not None:
            d_outputs = self._workspace.take("d_outputs", self._shard.n_rows, d_features.shape[1])
            self._readout(d_features, d_outputs)
        elif self._layers.architecture.loss_at == "last":
            d_final, d_outputs = d_features, self._nothing
        for number in reversed(range(len(self._kept))):
            depth = self._layers.recurrent[number][0].depth
            d_x = self._nothing
            if number > 0:
                d_x = self._workspace.take(f"d_x {number}", self._shard.n_rows, depth)
                d_x[:] = 0
            for end, direction in enumerate(self._layers.recurrent[number]):
                kept, direction_sums = self._kept[number][end], sums.recurrent[number][end]
                self._sweep_backward(end, direction, kept, d_final, d_outputs, d_x, direction_sums)
            if number > 0:
                self._drop_out(d_x, number - 1)
            d_final, d_outputs = self._nothing, d_x

    @property
    def _nothing(self) -> Array:
        """The empty array by which a sweep is told that a gradient is absent or not wanted."""
        return np.empty((0, 0), self._layers.dtype)

    def _take(self, layer: int, name: str, *shape: int) -> Array:
        """Take an array that lives until backward if it is to be kept, else until the next layer."""
        return self._workspace.take(f"{name} {layer if self._keep else ''}", *shape)

    def _sweep_forward(self, number: int, direction: Direction, x: Array) -> _Kept:
        shard, dtype = self._shard, self._layers.dtype
        order = shard.layer_rows(direction.reverse)
        x_rows = shard.value_rows(direction.reverse) if number == 0 else order
        tape_rows = shard.n_rows if self._keep else min(shard.n_rows, BLOCK_ROWS + SHARD_ROWS)
        tape = self._take(number, f"tape {direction.reverse}", tape_rows, odd_lines(direction.bias.size, dtype))
        n = len(shard.places)
        shape = (len(direction.cell.states), n + shard.n_rows, odd_lines(direction.width, dtype))
        states = self._take(number, f"states {direction.reverse}", *shape)
        states[:, :n] = 0
        numbers = shard.steps.rows if self._keep else shard.steps.in_block
        loop, weights = direction.sweep, direction.forward_weights
        loop.forward(loop.products, x, x_rows, weights, shard.steps, numbers, False, tape, states)
        return _Kept(x, x_rows, order, tape, states)

    def _sweep_backward(
        self,
        end: int,
        direction: Direction,
        kept: _Kept,
        d_final: Array,
        d_outputs: Array,
        d_x: Array,
        sums: WeightGradients,
    ) -> None:
        n_states, _, stride = kept.states.shape
        d_states = self._workspace.take("d_states", n_states, len(self._shard.places), stride)
        d_states[:] = 0
        column = end * direction.width
        if d_final.size:
            d_states[0, :, : direction.width] = d_final[:, column : column + direction.width]
        loop = direction.sweep
        loop.backward(
            loop.products, kept.x, kept.x_rows, kept.order, direction.backward_weights, self._shard.steps, False,
            kept.tape, kept.states, d_outputs, column, d_states, d_x, sums,
        )  # fmt: skip

    def _outputs(self, number: int, *, drop: bool) -> Array:
        """Join the directions' outputs of a layer, in the shard's own order."""
        layer = self._layers.recurrent[number]
        outputs = self._take(number, "outputs", self._shard.n_rows, len(layer) * layer[0].width)
        for end, (direction, kept) in enumerate(zip(layer, self._kept[number])):
            column = end * direction.width
            join_outputs(kept.states, self._shard.steps.current, kept.order, direction.width, column, outputs)
        if drop:
            self._drop_out(outputs, number)
        return outputs

    def _drop_out(self, values: Array, layer: int) -> None:
        if self._dropout_key is not None:
            size, width = self._layers.architecture.hidden_size, self._layers.scores.in_padded
            rate = self._layers.architecture.dropout
            drop_out(values, self._shard.steps, self._shard.places, self._dropout_key, layer, rate, size, width)

    def _read_out(self) -> Array:
        """Return the features of each sequence, or of each step with a loss at every step."""
        architecture, top = self._layers.architecture, len(self._kept) - 1
        if architecture.loss_at == "every_step":
            return self._outputs(top, drop=False)
        features = self._workspace.take("features", len(self._shard.places), self._layers.scores.depth)
        if architecture.readout == "last":
            width = self._layers.scores.in_padded
            final_states([kept.states for kept in self._kept[top]], self._shard, width, features)
        else:
            self._readout = OVER_TIME[architecture.readout](self._outputs(top, drop=False), self._shard, features)
        return features
