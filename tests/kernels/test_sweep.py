"""The compiled time loop against the textbook: every cell, both precisions, ragged shards of several blocks."""

import itertools

import numpy as np
import pytest

from comparisons import assert_close
from elman.kernels import reference
from elman.kernels.cells import CELLS
from elman.kernels.flow import Watch
from elman.kernels.hooks import OFF, Extras
from elman.kernels.lanes import lanes, padded
from elman.kernels.products import pack_plain, pack_transposed, unpack_gradient
from elman.kernels.shards import BLOCK_ROWS, SHARD_ROWS, Steps, number_rows, order_rows
from elman.kernels.sweep import WeightGradients, Weights, sweep

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
BOUND = {FLOAT32: 3e-6, FLOAT64: 1e-13}
RAGGED = [30, 12, 12, 11, 9, 7, 7, 5, 3, 2, 1, 40, 26]  # 165 rows: two blocks
INPUT_SIZE, HIDDEN_SIZE = 5, 19
NOTHING = {dtype: np.zeros((0, 0), dtype) for dtype in BOUND}


def number(lengths):
    """Number the rows of a shard; returns lengths, longest first, and Steps."""
    lengths = np.sort(np.array(lengths, np.int64))[::-1].copy()
    rows, longest = int(lengths.sum()), int(lengths[0])
    steps = Steps(np.zeros(longest + 1, np.int64), np.zeros(longest + 1, np.int64), *np.zeros((5, rows), np.int64))
    n_blocks = number_rows(lengths, steps)
    return lengths, steps._replace(blocks=steps.blocks[: n_blocks + 1].copy())


class Layer:
    """One layer in one direction on one shard, called as the network calls it, but with nothing of the network."""

    def __init__(self, cell, dtype, lengths=RAGGED, *, reverse=False, input_size=INPUT_SIZE, hidden_size=HIDDEN_SIZE):
        rng = np.random.default_rng(5)
        self.cell, self.dtype, self.size = CELLS[cell], np.dtype(dtype), hidden_size
        self.lengths, self.steps = number(lengths)
        self.n, self.rows = len(self.lengths), int(self.lengths.sum())
        self.width = padded(hidden_size, dtype)
        gates, lane = len(self.cell.gates), lanes(dtype)
        shapes = ((gates * hidden_size, input_size), (gates * hidden_size, hidden_size))
        ih, hh = (rng.uniform(-1, 1, s).astype(dtype) / np.sqrt(hidden_size).astype(dtype) for s in shapes)
        bias_ih, bias_hh = rng.uniform(-0.5, 0.5, (2, gates * hidden_size)).astype(dtype)
        self.parameters = (ih, hh, bias_ih, bias_hh)
        bias = np.zeros((self.cell.blocks, self.width), dtype)
        bias[:gates, :hidden_size] += bias_ih.reshape(gates, hidden_size)
        packed_ih, packed_hh, plain_ih, plain_hh = (
            np.zeros(gates * self.width * s, dtype)
            for s in (input_size, hidden_size, padded(input_size, dtype), self.width)
        )
        in_width = padded(input_size, dtype)
        for gate, _, count in self.cell.input_runs:
            part, at = ih[gate * hidden_size : (gate + count) * hidden_size], gate * self.width
            pack_transposed(part, hidden_size, self.width, input_size, input_size, lane, packed_ih[at * input_size :])
            pack_plain(part, hidden_size, self.width, input_size, in_width, lane, plain_ih[at * in_width :])
        for gate, place, count in self.cell.hidden_runs:
            part, at = hh[gate * hidden_size : (gate + count) * hidden_size], gate * self.width
            bias[place : place + count, :hidden_size] += bias_hh.reshape(gates, hidden_size)[gate : gate + count]
            pack_transposed(
                part, hidden_size, self.width, hidden_size, hidden_size, lane, packed_hh[at * hidden_size :]
            )
            pack_plain(part, hidden_size, self.width, hidden_size, self.width, lane, plain_hh[at * self.width :])
        self.weights = Weights(packed_ih, packed_hh, bias.ravel(), input_size, hidden_size)
        self.plain = Weights(plain_ih, plain_hh, bias.ravel(), padded(input_size, dtype), hidden_size)

        # The kernel's inputs and outputs are padded to whole vectors, as those of the layer below are.
        self.x = np.zeros((self.rows, padded(input_size, dtype)), dtype)
        self.x[:, :input_size] = rng.standard_normal((self.rows, input_size))
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.order = np.zeros(self.rows, np.int64)
        order_rows(self.lengths, self.steps, self.offsets, reverse, self.order)
        self.way = -1 if reverse else 1
        self.tape = np.full((self.rows, self.cell.blocks * self.width + lane), np.nan, dtype)
        self.states = np.full((len(self.cell.states), self.n + self.rows, self.width + lane), np.nan, dtype)
        self.states[:, : self.n] = 0

    def forward(self, *, carried=False, tape=None, tape_rows=None):
        tape, tape_rows = (self.tape, self.steps.rows) if tape is None else (tape, tape_rows)
        loop = sweep(self.cell.name, self.dtype)
        loop.forward(
            loop.products, self.x, self.order, self.weights, self.steps, tape_rows, carried, tape, self.states,
            self.extras(),
        )  # fmt: skip

    def extras(self):
        """No options."""
        nothing = NOTHING[self.dtype]
        return Extras(OFF, 0, self.states, self.states[0], nothing, np.zeros(0, self.dtype), nothing)

    def backward(self, d_output, d_states, *, carried=False, with_d_x=True):
        """Return dL/dx, dL/d(initial states) and the gradients of the parameters."""
        gates, depth = len(self.cell.gates), self.plain.depth
        d_x = np.zeros((self.rows, depth), self.dtype) if with_d_x else NOTHING[self.dtype]
        sums = WeightGradients(
            np.zeros((depth, gates * self.width), self.dtype),
            np.zeros((self.size, gates * self.width), self.dtype),
            np.zeros(self.cell.blocks * self.width, self.dtype),
        )
        loop = sweep(self.cell.name, self.dtype)
        nobody = Watch(0, np.zeros((0, 0)), self.offsets, self.lengths, False, np.zeros(0, self.dtype))
        loop.backward(
            loop.products, self.x, self.order, self.order, self.plain, self.steps, self.steps.rows, carried, self.tape,
            self.states, d_output, 0, d_states, d_x, sums, self.extras(), nobody,
        )  # fmt: skip
        d_ih, d_hh, d_bias_ih, d_bias_hh = (np.zeros(p.shape, self.dtype) for p in self.parameters)
        unpack_gradient(sums.ih, self.size, self.width, d_ih.shape[1], depth, lanes(self.dtype), d_ih)
        unpack_gradient(sums.hh, self.size, self.width, self.size, self.size, lanes(self.dtype), d_hh)
        places = sums.bias.reshape(-1, self.width)[:, : self.size]
        d_bias_ih.reshape(gates, -1)[:] = places[:gates]
        for gate, place, count in self.cell.hidden_runs:
            d_bias_hh.reshape(gates, -1)[gate : gate + count] = places[place : place + count]
        return d_x, d_states, (d_ih, d_hh, d_bias_ih, d_bias_hh)

    def sequences(self):
        """The inputs as the textbook takes them, float64, in the order of time of this direction."""
        size = self.parameters[0].shape[1]
        ends = zip(self.offsets, self.offsets + self.lengths)
        return [self.x[start:stop, :size][:: self.way].astype(np.float64) for start, stop in ends]

    def states_of(self, number, state=0):
        """h (or c) of one sequence at every step."""
        at = [self.steps.current[self.steps.starts[t] + number] for t in range(self.lengths[number])]
        return self.states[state, at, : self.size]

    def new_d_states(self):
        return np.zeros((len(self.cell.states), self.n, self.states.shape[2]), self.dtype)


def textbook(layer, d_outputs):
    """Forward and backward of every sequence by the reference in float64; gradients summed over sequences."""
    weights = [p.astype(np.float64) for p in layer.parameters]
    runs = [reference.forward(x, *weights, cell=layer.cell.name) for x in layer.sequences()]
    found = [reference.backward(d, tape, *weights[:2], cell=layer.cell.name) for d, (_, tape) in zip(d_outputs, runs)]
    names = ("d_weight_ih", "d_weight_hh", "d_bias_ih", "d_bias_hh")
    return [h for h, _ in runs], [g.d_x for g in found], [sum(getattr(g, name) for g in found) for name in names]


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("cell", CELLS)
def test_sweep_equals_the_textbook_on_a_ragged_shard(cell, reverse, dtype):
    layer = Layer(cell, dtype, reverse=reverse)
    assert len(layer.steps.blocks) > 2, "more than one block"
    d_output = np.zeros((layer.rows, layer.width), dtype)
    d_output[:, : layer.size] = np.random.default_rng(6).standard_normal((layer.rows, layer.size))
    d_states = layer.new_d_states()
    d_states[0, :, : layer.size] = np.random.default_rng(7).standard_normal((layer.n, layer.size))

    d_outputs = []
    for r, (start, length) in enumerate(zip(layer.offsets, layer.lengths)):
        d = d_output[start : start + length, : layer.size][:: layer.way].astype(np.float64)
        d[-1] += d_states[0, r, : layer.size]
        d_outputs.append(d)
    h, d_inputs, gradients = textbook(layer, d_outputs)

    layer.forward()
    for r in range(layer.n):
        assert_close(layer.states_of(r), h[r], BOUND[dtype], f"h of sequence {r}")
    d_x, _, found = layer.backward(d_output, d_states)
    for name, gradient, expected in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), found, gradients):
        assert_close(gradient, expected, BOUND[dtype], name)
    for start, length, expected in zip(layer.offsets, layer.lengths, d_inputs):
        found_here = d_x[start : start + length, : expected.shape[1]][:: layer.way]
        assert_close(found_here, expected, 10 * BOUND[dtype], "dL/dx")


@pytest.mark.parametrize("hidden_size", [1, 2, 7, 8, 16, 17, 33])
@pytest.mark.parametrize("cell", CELLS)
def test_sweep_equals_the_textbook_at_any_width(cell, hidden_size):
    layer = Layer(cell, FLOAT64, [4, 2, 1, 6, 6], input_size=3, hidden_size=hidden_size)
    d_states = layer.new_d_states()
    d_states[0, :, :hidden_size] = np.random.default_rng(8).standard_normal((layer.n, hidden_size))
    d_outputs = [np.zeros((length, hidden_size)) for length in layer.lengths]
    for r, d in enumerate(d_outputs):
        d[-1] = d_states[0, r, :hidden_size]
    h, _, gradients = textbook(layer, d_outputs)
    layer.forward()
    for r in range(layer.n):
        assert_close(layer.states_of(r), h[r], 1e-13)
    _, _, found = layer.backward(NOTHING[FLOAT64], d_states, with_d_x=False)
    for gradient, expected in zip(found, gradients):
        assert_close(gradient, expected, 1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_with_states_carried_over_equal_the_whole(cell):
    """Tests initial states that are not zero, dL/d(initial states), and dL/d(final c)."""
    whole = Layer(cell, FLOAT64, [6, 6, 6])
    d_states = whole.new_d_states()
    d_states[0, :, : whole.size] = np.random.default_rng(9).standard_normal((3, whole.size))
    whole.forward()
    _, _, expected = whole.backward(NOTHING[FLOAT64], d_states.copy())

    first, second = Layer(cell, FLOAT64, [2, 2, 2]), Layer(cell, FLOAT64, [4, 4, 4])
    by_sequence = whole.x.reshape(3, 6, -1)
    first.x[:], second.x[:] = by_sequence[:, :2].reshape(6, -1), by_sequence[:, 2:].reshape(12, -1)
    first.forward()
    second.states[:, : second.n] = first.states[:, first.steps.current[-first.n :]]
    second.forward(carried=True)
    for r in range(3):
        for state in range(len(whole.cell.states)):
            assert_close(second.states_of(r, state), whole.states_of(r, state)[2:], 1e-13)
    _, d_between, late = second.backward(NOTHING[FLOAT64], d_states.copy(), carried=True)
    _, _, early = first.backward(NOTHING[FLOAT64], d_between)
    for a, b, whole_gradient in zip(early, late, expected):
        assert_close(a + b, whole_gradient, 1e-13)


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_a_tape_used_over_and_over_gives_the_same_bits(cell, dtype):
    kept, forgotten = Layer(cell, dtype), Layer(cell, dtype)
    kept.forward()
    tape = np.full((BLOCK_ROWS + SHARD_ROWS, kept.tape.shape[1]), np.nan, dtype)
    forgotten.forward(tape=tape, tape_rows=forgotten.steps.in_block)
    assert np.array_equal(kept.states, forgotten.states, equal_nan=True)


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_has_the_same_bits_alone_and_in_a_shard(cell, dtype):
    together = Layer(cell, dtype)
    together.forward()
    for r in (0, 4, together.n - 1):
        alone = Layer(cell, dtype, [together.lengths[r]])
        alone.x[:] = together.x[together.offsets[r] : together.offsets[r] + together.lengths[r]]
        alone.forward()
        assert np.array_equal(alone.states_of(0), together.states_of(r))


@pytest.mark.parametrize("cell", CELLS)
def test_padding_of_the_width_stays_zero(cell):
    layer = Layer(cell, FLOAT64, [3, 2], hidden_size=3)
    layer.forward()
    assert (layer.states[0, :, layer.size : layer.width] == 0).all()


def test_rows_are_numbered_step_by_step_for_the_sequences_still_running():
    lengths, steps = number([2, 4, 1])
    assert lengths.tolist() == [4, 2, 1]
    assert steps.starts.tolist() == [0, 3, 5, 6, 7]
    assert steps.rows.tolist() == list(range(7))
    assert steps.sequence.tolist() == [0, 1, 2, 0, 1, 0, 0]
    assert steps.current.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert steps.previous.tolist() == [0, 1, 2, 3, 4, 6, 8]  # the first three are the initial states
    order = np.zeros(7, np.int64)
    offsets = np.array([10, 20, 30])
    order_rows(lengths, steps, offsets, False, order)
    assert order.tolist() == [10, 20, 30, 11, 21, 12, 13]
    order_rows(lengths, steps, offsets, True, order)
    assert order.tolist() == [13, 21, 30, 12, 20, 11, 10]
    order_rows(lengths, steps, np.zeros(0, np.int64), True, order)  # rows of the shard itself, last step first
    assert order.tolist() == [6, 4, 2, 5, 1, 3, 0]


def test_blocks_cover_every_step_once_and_reset_the_numbers_of_rows():
    lengths, steps = number([100] * 3 + [37] * 5)
    edges = steps.blocks
    assert edges[0] == 0
    assert edges[-1] == lengths[0]
    assert (np.diff(edges) > 0).all()
    for first, last in itertools.pairwise(edges):
        rows = slice(steps.starts[first], steps.starts[last])
        assert rows.stop - rows.start < BLOCK_ROWS + SHARD_ROWS
        assert np.array_equal(steps.in_block[rows], np.arange(rows.stop - rows.start))
