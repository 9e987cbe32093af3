"""A network as the kernels see it, and its weights: packed for the products, and their gradients unpacked.

All parameters lie in one vector (P,); all packed weights lie in another, and so do the sums of their gradients. A
`Plan` says where. It is plain numbers, whatever the cell, so that one compiled kernel takes any network of a precision.
"""

from typing import Any, NamedTuple

import numpy as np

from elman.kernels.compiled import kernel, part, view
from elman.kernels.products import pack_plain, pack_transposed, unpack_gradient
from elman.kernels.sweep import WeightGradients, Weights

LAST, MEAN, MAX, EVERY_STEP, ATTENTION = range(5)  # how h_t of all steps become what the class scores read

# Columns of `Plan.table`: sizes, then where each array begins, -1 where there is none.
COLUMNS = (
    "depth", "in_size", "in_padded",
    "size", "width",  # hidden units; the same padded to whole vectors
    "weight_ih", "weight_hh", "bias_ih", "bias_hh", "gain", "start",  # among the parameters
    "ih", "hh", "bias", "plain_ih", "plain_hh", "packed_gain", "packed_start",  # among the packed weights
    "sum_ih", "sum_hh", "sum_bias", "sum_gain", "sum_start",  # among the sums
)  # fmt: skip
(_DEPTH, _IN_SIZE, _IN_PADDED, SIZE, WIDTH, _WEIGHT_IH, _WEIGHT_HH, _BIAS_IH, _BIAS_HH, _GAIN, _START, _IH, _HH, _BIAS,
 _PLAIN_IH, _PLAIN_HH, _PACKED_GAIN, _PACKED_START, _SUM_IH, _SUM_HH, _SUM_BIAS, _SUM_GAIN, _SUM_START) = range(
    len(COLUMNS)
)  # fmt: skip


class Plan(NamedTuple):
    """The sizes of a network, where its arrays lie, and where the kernels of its cell lie in this process."""

    table: np.ndarray[Any, np.dtype[np.int64]]  # (layers * ends, COLUMNS), the ends of a layer next to each other
    scores: np.ndarray[Any, np.dtype[np.int64]]  # (COLUMNS,) the class scores, as a layer without recurrence
    input_runs: np.ndarray[Any, np.dtype[np.int64]]  # (., 3) see Cell.input_runs
    hidden_runs: np.ndarray[Any, np.dtype[np.int64]]  # (., 3)
    n_layers: int
    n_ends: int  # directions of a layer
    gates: int
    blocks: int
    n_states: int
    keeps: bool  # forward leaves a tape for backward
    residual: int  # address; 0: no layer adds its input to its output
    over_time: tuple[int, int]  # addresses of the readouts MEAN and MAX and their way back; 0 with others
    recurrent_dropout: float
    zoneout: float
    carried: bool  # the states before the first step are parameters
    most_width: int  # of all layers
    tape_stride: int
    state_stride: int
    parts_stride: int  # of the two halves of the pre-activations that are normalised; 0: they are not
    zeros: int  # where among the packed weights zeros lie that such halves start from
    n_classes: int
    score_width: int  # classes, padded to whole vectors
    readout: int  # LAST, MEAN, MAX, EVERY_STEP or ATTENTION
    lanes: int
    forward: int  # addresses
    backward: int
    drop_out: int  # address; 0 without dropout
    hooks: tuple[int, int, int, int, int]  # addresses of the passes of `hooks`, 0 where one is off
    options: tuple[int, int]  # addresses of what sets them up and adds up: see `options`; 0 without options
    products: tuple[int, int, int, int]
    stages: tuple[int, int, int, int]  # see `passes.stages`
    input_size: int  # columns of the values
    numeric: np.ndarray[Any, np.dtype[np.int64]]  # (.,) the columns that are numbers
    embeddings: np.ndarray[Any, np.dtype[np.int64]]  # (., 5) see `embedding.FACTS`; their parameters come first of all
    embedded: int  # how many parameters these are
    weight_attention: int  # among the parameters, -1: there is none
    sum_attention: int  # among the sums
    attention: tuple[int, int]  # addresses of the kernels of `attention.Attention`, or 0
    embedding: tuple[int, int, int, int, int]  # addresses of the kernels of `embedding.Embedding`, or 0


@part("forward_weights")
def forward_weights(plan, packed, d):
    """Return the packed weights of a direction for the forward sweep."""
    row, size, width = plan.table[d], plan.table[d, SIZE], plan.table[d, WIDTH]
    columns = plan.gates * width
    ih = packed[row[_IH] : row[_IH] + columns * row[_DEPTH]]
    hh = packed[row[_HH] : row[_HH] + columns * size]
    return Weights(ih, hh, packed[row[_BIAS] : row[_BIAS] + plan.blocks * width], row[_DEPTH], size)


@part("backward_weights")
def backward_weights(plan, packed, d):
    """Return the packed weights of a direction for the backward sweep."""
    row, width = plan.table[d], plan.table[d, WIDTH]
    columns = plan.gates * width
    ih = packed[row[_PLAIN_IH] : row[_PLAIN_IH] + columns * row[_DEPTH]] if row[_PLAIN_IH] >= 0 else packed[:0]
    hh = packed[row[_PLAIN_HH] : row[_PLAIN_HH] + columns * width]
    return Weights(ih, hh, packed[row[_BIAS] : row[_BIAS] + plan.blocks * width], row[_DEPTH], row[SIZE])


@part("wants_d_inputs")
def wants_d_inputs(plan):
    """Return whether dL/dx of the first layer is asked for: for the vectors of codes, or for the values themselves."""
    return plan.table[0, _PLAIN_IH] >= 0


@part("weight_sums")
def weight_sums(plan, sums, d):
    """Return the sums of the weight gradients of a direction."""
    row, width = plan.table[d], plan.table[d, WIDTH]
    columns = plan.gates * width
    bias = sums[row[_SUM_BIAS] : row[_SUM_BIAS] + plan.blocks * width]
    return WeightGradients(
        view(sums, row[_SUM_IH], (row[_DEPTH], columns)), view(sums, row[_SUM_HH], (row[SIZE], columns)), bias
    )


@part("gains")
def gains(plan, d):
    """Return where the gains of a direction's layer normalisation lie, of W_ih x and then of W_hh h.

    As (among the packed weights, among the sums, how many); none without it.
    """
    row = plan.table[d]
    return row[_PACKED_GAIN], row[_SUM_GAIN], 2 * plan.gates * row[WIDTH] if row[_GAIN] >= 0 else 0


@part("start_states")
def start_states(plan, d):
    """Return where the states lie that a direction starts from, state by state; as `gains`, none if they are zero."""
    row = plan.table[d]
    return row[_PACKED_START], row[_SUM_START], plan.n_states * row[WIDTH] if row[_START] >= 0 else 0


@part("score_weights")
def score_weights(plan, packed):
    """Return the packed weights of the class scores: for forward, for backward, and the bias."""
    row, width = plan.scores, plan.score_width
    size = row[_DEPTH] * width
    return (
        packed[row[_IH] : row[_IH] + size],
        packed[row[_PLAIN_IH] : row[_PLAIN_IH] + size],
        packed[row[_BIAS] : row[_BIAS] + width],
    )


@part("score_sums")
def score_sums(plan, sums):
    """Return the sums of the gradients of the class scores' weights and bias."""
    row, width = plan.scores, plan.score_width
    return view(sums, row[_SUM_IH], (row[_DEPTH], width)), sums[row[_SUM_BIAS] : row[_SUM_BIAS] + width]


@kernel("pack_all")
def pack_all(plan, parameters, packed, learning):
    """Pack all weights for the forward sweep and, if `learning`, for the backward sweep."""
    lanes = plan.lanes
    for d in range(plan.table.shape[0]):
        row, size, width = plan.table[d], plan.table[d, SIZE], plan.table[d, WIDTH]
        rows = plan.gates * size
        in_size, in_padded, depth = row[_IN_SIZE], row[_IN_PADDED], row[_DEPTH]
        inputs = depth // in_padded * in_size
        ih = view(parameters, row[_WEIGHT_IH], (rows, inputs))
        hh = view(parameters, row[_WEIGHT_HH], (rows, size))
        bias = packed[row[_BIAS] : row[_BIAS] + plan.blocks * width]
        bias[:] = 0
        for run in plan.input_runs:
            gate, place, count = run[0], run[1], run[2]
            part_of = ih[gate * size : (gate + count) * size]
            at = gate * width * depth
            pack_transposed(part_of, size, width, in_size, in_padded, lanes, packed[row[_IH] + at :])
            if learning and row[_PLAIN_IH] >= 0:
                pack_plain(part_of, size, width, in_size, in_padded, lanes, packed[row[_PLAIN_IH] + at :])
            _add_bias(parameters[row[_BIAS_IH] + gate * size :], size, width, place, count, bias)
        for run in plan.hidden_runs:
            gate, place, count = run[0], run[1], run[2]
            part_of = hh[gate * size : (gate + count) * size]
            at = gate * width
            pack_transposed(part_of, size, width, size, size, lanes, packed[row[_HH] + at * size :])
            if learning:
                pack_plain(part_of, size, width, size, width, lanes, packed[row[_PLAIN_HH] + at * width :])
            _add_bias(parameters[row[_BIAS_HH] + gate * size :], size, width, place, count, bias)
        if row[_GAIN] >= 0:
            _spread(parameters, row[_GAIN], size, packed, row[_PACKED_GAIN], width, 2 * plan.gates)
        if row[_START] >= 0:
            _spread(parameters, row[_START], size, packed, row[_PACKED_START], width, plan.n_states)

    row, n = plan.scores, plan.n_classes
    weight = view(parameters, row[_WEIGHT_IH], (n, row[_DEPTH] // row[_IN_PADDED] * row[_IN_SIZE]))
    out_width = plan.score_width
    pack_transposed(weight, n, out_width, row[_IN_SIZE], row[_IN_PADDED], lanes, packed[row[_IH] :])
    if learning:
        pack_plain(weight, n, out_width, row[_IN_SIZE], row[_IN_PADDED], lanes, packed[row[_PLAIN_IH] :])
    for j in range(n):
        packed[row[_BIAS] + j] = parameters[row[_BIAS_IH] + j]


@part("add_bias")
def _add_bias(values, size, width, place, count, bias):
    for gate in range(count):
        for j in range(size):
            bias[(place + gate) * width + j] += values[gate * size + j]


@part("spread")
def _spread(source, at, apart, target, to, to_apart, blocks):
    """Copy blocks of numbers that lie `apart` in the source to places that lie `to_apart` in the target."""
    for block in range(blocks):
        for j in range(min(apart, to_apart)):
            target[to + block * to_apart + j] = source[at + block * apart + j]


@kernel("unpack_all")
def unpack_all(plan, sums, gradient):
    """Set the gradient (P,) of all parameters from the sums of the backward sweeps."""
    for d in range(plan.table.shape[0]):
        row, size, width = plan.table[d], plan.table[d, SIZE], plan.table[d, WIDTH]
        rows = plan.gates * size
        of = weight_sums(plan, sums, d)
        in_size, in_padded = row[_IN_SIZE], row[_IN_PADDED]
        inputs = row[_DEPTH] // in_padded * in_size
        unpack_gradient(
            of.ih, size, width, in_size, in_padded, plan.lanes, view(gradient, row[_WEIGHT_IH], (rows, inputs))
        )
        unpack_gradient(of.hh, size, width, size, size, plan.lanes, view(gradient, row[_WEIGHT_HH], (rows, size)))
        for run in plan.input_runs:
            _take_bias(of.bias, size, width, run[1], run[2], gradient[row[_BIAS_IH] + run[0] * size :])
        for run in plan.hidden_runs:
            _take_bias(of.bias, size, width, run[1], run[2], gradient[row[_BIAS_HH] + run[0] * size :])
        if row[_GAIN] >= 0:
            _spread(sums, row[_SUM_GAIN], width, gradient, row[_GAIN], size, 2 * plan.gates)
        if row[_START] >= 0:
            _spread(sums, row[_SUM_START], width, gradient, row[_START], size, plan.n_states)
    row, n = plan.scores, plan.n_classes
    weight, bias = score_sums(plan, sums)
    to = view(gradient, row[_WEIGHT_IH], (n, row[_DEPTH] // row[_IN_PADDED] * row[_IN_SIZE]))
    unpack_gradient(weight, n, plan.score_width, row[_IN_SIZE], row[_IN_PADDED], plan.lanes, to)
    for j in range(n):
        gradient[row[_BIAS_IH] + j] = bias[j]


@part("take_bias")
def _take_bias(sums, size, width, place, count, values):
    for gate in range(count):
        for j in range(size):
            values[gate * size + j] = sums[(place + gate) * width + j]
