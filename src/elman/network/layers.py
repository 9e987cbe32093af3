"""A network laid out for the kernels: where its parameters, packed weights and sums of gradients lie."""

from typing import Any

import numpy as np

from elman.kernels import plan as plans
from elman.kernels.attention import NO_ATTENTION, attention_addresses
from elman.kernels.cells import CELLS
from elman.kernels.compiled import address
from elman.kernels.dropout import drop_out_address
from elman.kernels.embedding import FACTS, NO_EMBEDDING, embedding_addresses
from elman.kernels.hooks import CARRY, NORMALISE, NORMALISE_BACK, PUT_TOGETHER, TAKE_APART, hook_address
from elman.kernels.lanes import lanes, odd_lines, padded
from elman.kernels.options import options
from elman.kernels.over_time import over_time_addresses
from elman.kernels.passes import stages
from elman.kernels.plan import COLUMNS, Plan
from elman.kernels.products import products
from elman.kernels.residual import residual_address
from elman.kernels.sweep import sweep, sweep_signatures
from elman.network.architecture import Architecture

_READOUTS = {"last": plans.LAST, "mean": plans.MEAN, "max": plans.MAX, "attention": plans.ATTENTION}
_LINE = 16  # numbers after which an array may begin, so that none shares a cache line with another


class Layout:
    """The plan of a network, and how long the vectors are in which it places packed weights and sums."""

    def __init__(self, architecture: Architecture, dtype: np.dtype[Any], *, wants_d_values: bool = False) -> None:
        """Lay a network out; for dL/dvalues, which takes a network without codes, with values of ``input_size``."""
        self._architecture, self.dtype = architecture, dtype
        # what a gradient is asked for has whole vectors
        self._wants_d_inputs, first = bool(architecture.embeddings) or wants_d_values, architecture.layer_input_size(0)
        self._first_depth = padded(first, dtype) if self._wants_d_inputs else first
        self.input_size = self._first_depth if wants_d_values else architecture.input_size
        self.n_classes = architecture.n_classes
        self.dropout = architecture.dropout
        self._cell = CELLS[architecture.cell]
        self._widths = [padded(size, dtype) for size in architecture.hidden_sizes]
        self._at_parameter, at = {}, 0
        for name, shape in architecture.parameter_shapes().items():
            self._at_parameter[name] = at
            at += int(np.prod(shape))
        self.packed_size = self.sums_size = 0
        self.codes_met_size = sum(1 + 2 * n_codes for _, n_codes, _ in architecture.embeddings)  # see `embedding`
        self.plan = self._plan()

    def _plan(self) -> Plan:
        a, cell, dtype = self._architecture, self._cell, self.dtype
        widest, gates = max(self._widths), len(self._cell.gates)
        table = np.array([self._direction(layer, suffix) for layer, suffix in a.suffixes()])
        coded = {column for column, _, _ in a.embeddings}
        over_time = a.loss_at == "last" and a.readout in ("mean", "max")
        loop, attends = sweep(cell.name, dtype), "weight_attention" in self._at_parameter
        forward, backward = map(address, (loop.forward, loop.backward), sweep_signatures(dtype))
        return Plan(
            table=table,
            scores=self._scores(),
            input_runs=np.array(cell.input_runs),
            hidden_runs=np.array(cell.hidden_runs),
            n_layers=a.num_layers,
            n_ends=a.directions,
            gates=gates,
            blocks=cell.blocks,
            n_states=len(cell.states),
            keeps=cell.keeps or a.layer_norm,
            residual=residual_address(dtype) if a.residual and a.num_layers > 1 else 0,
            over_time=over_time_addresses(a.readout, dtype) if over_time else (0, 0),
            recurrent_dropout=a.recurrent_dropout,
            zoneout=a.zoneout,
            carried=a.learn_initial_state,
            most_width=widest,
            tape_stride=odd_lines(cell.blocks * widest, dtype),
            state_stride=odd_lines(widest, dtype),
            parts_stride=odd_lines(2 * gates * widest + 2, dtype) if a.layer_norm else 0,
            zeros=self._packed(2 * gates * widest) if a.layer_norm else 0,
            n_classes=a.n_classes,
            score_width=padded(a.n_classes, dtype),
            readout=plans.EVERY_STEP if a.loss_at == "every_step" else _READOUTS[a.readout],
            lanes=lanes(dtype),
            forward=forward,
            backward=backward,
            drop_out=drop_out_address(dtype) if a.dropout > 0 and a.num_layers > 1 else 0,
            hooks=self._hooks(),
            options=options(dtype) if a.learn_initial_state or any(self._hooks()) else (0, 0),
            products=products(dtype).addresses,
            stages=stages(dtype),
            input_size=a.input_size,
            numeric=np.array([column for column in range(a.input_size) if column not in coded], np.int64),
            embeddings=self._embeddings(),
            embedded=sum(n_codes * size for _, n_codes, size in a.embeddings),
            weight_attention=self._at_parameter.get("weight_attention", -1),
            sum_attention=self._sums(a.n_features if attends else 0),
            attention=(*attention_addresses(dtype),) if attends else NO_ATTENTION,
            embedding=(*embedding_addresses(dtype),) if a.embeddings else NO_EMBEDDING,
        )

    def _hooks(self) -> tuple[int, int, int, int, int]:
        """Return the addresses of what the options add to the time loop; 0 where one is off."""
        a, dtype = self._architecture, self.dtype
        carries = a.zoneout > 0 or a.recurrent_dropout > 0
        return (
            hook_address(CARRY, dtype) if carries else 0,
            hook_address(TAKE_APART, dtype) if carries else 0,
            hook_address(PUT_TOGETHER, dtype) if carries else 0,
            hook_address(NORMALISE, dtype) if a.layer_norm else 0,
            hook_address(NORMALISE_BACK, dtype) if a.layer_norm else 0,
        )

    def _embeddings(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return the table of the embeddings (., 5)."""
        rows, first_code = np.zeros((len(self._architecture.embeddings), len(FACTS)), np.int64), 0
        for k, (column, n_codes, size) in enumerate(self._architecture.embeddings):
            rows[k] = column, n_codes, size, self._at_parameter[f"weight_embedding_{k}"], first_code
            first_code += n_codes
        return rows

    def _direction(self, layer: int, suffix: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return the row of the table for one layer in one direction."""
        a, cell, below = self._architecture, self._cell, layer > 0
        size, width = a.hidden_sizes[layer], self._widths[layer]
        inputs = a.layer_input_size(0)
        depth = a.directions * self._widths[layer - 1] if below else self._first_depth
        columns, parts = len(cell.gates) * width, 2 * len(cell.gates) * width if a.layer_norm else 0
        states = len(cell.states) * width if a.learn_initial_state else 0
        return self._row(
            depth=depth,
            in_size=a.hidden_sizes[layer - 1] if below else inputs,
            in_padded=self._widths[layer - 1] if below else depth,
            size=size,
            width=width,
            **{name: self._at_parameter[name + suffix] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
            ih=self._packed(depth * columns),
            hh=self._packed(size * columns),
            bias=self._packed(self._cell.blocks * width),
            plain_ih=self._packed(depth * columns) if below or self._wants_d_inputs else -1,
            plain_hh=self._packed(width * columns),
            sum_ih=self._sums(depth * columns),
            sum_hh=self._sums(size * columns),
            sum_bias=self._sums(self._cell.blocks * width),
            gain=self._at_parameter.get("gain_ih" + suffix, -1),
            packed_gain=self._packed(parts),
            sum_gain=self._sums(parts),
            start=self._at_parameter.get(f"{cell.states[0]}_0{suffix}", -1),
            packed_start=self._packed(states),
            sum_start=self._sums(states),
        )

    def _scores(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return the row for the class scores."""
        a, width = self._architecture, self._widths[-1]
        depth, columns = a.directions * width, padded(a.n_classes, self.dtype)
        return self._row(
            depth=depth,
            in_size=a.hidden_sizes[-1],
            in_padded=width,
            weight_ih=self._at_parameter["weight_out"],
            bias_ih=self._at_parameter["bias_out"],
            ih=self._packed(depth * columns),
            bias=self._packed(columns),
            plain_ih=self._packed(depth * columns),
            sum_ih=self._sums(depth * columns),
            sum_bias=self._sums(columns),
        )

    def _packed(self, size: int) -> int:
        """Reserve room among the packed weights; return where it begins."""
        at = self.packed_size
        self.packed_size += -(-size // _LINE) * _LINE
        return at

    def _sums(self, size: int) -> int:
        """Reserve room among the sums of gradients; return where it begins."""
        at = self.sums_size
        self.sums_size += -(-size // _LINE) * _LINE
        return at

    @staticmethod
    def _row(**entries: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
        return np.array([entries.get(name, -1) for name in COLUMNS])


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any], *, zero: bool = False) -> np.ndarray[Any, Any]:
    """Return an array that begins at a cache line, zeroed or with whatever was there."""
    size = int(np.prod(shape))
    memory = (np.zeros if zero else np.empty)(size + 64 // dtype.itemsize, dtype)
    skip = -memory.ctypes.data % 64 // dtype.itemsize
    return memory[skip : skip + size].reshape(shape)
