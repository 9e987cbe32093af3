"""What threads need to know of a batch, and where in a thread's memory the arrays of a shard lie.

A thread has memory of its own, laid out anew for each shard by `lay_out`; nothing is allocated on the way.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.attention import attention_memory
from elman.kernels.compiled import kernel, part, view
from elman.kernels.plan import ATTENTION, EVERY_STEP, LAST, MAX, MEAN, Plan, wants_d_inputs
from elman.kernels.shards import BLOCK_ROWS, SHARD_ROWS, Batch, Steps, number_rows, order_rows

Array = np.ndarray[Any, Any]
CONTEXT = 256  # int64 that hold a `hooks.Context`


class Setup(NamedTuple):
    """What stays the same from batch to batch: a network, and the memory of its threads."""

    plan: Plan
    parameters: Array  # (P,)
    packed: (
        Array  # (threads, .) when learning: each thread packs for itself, since no core writes fast what others read
    )
    packed_for: Array  # int64 (threads + 1, 8) [., 0]: the job for which each thread has packed; last, the latest job
    floats: Array  # (threads, .)
    ints: Array  # int64 (threads, .)
    learning: bool  # go back too; else the rest is not looked at
    sums: Array  # (tasks, .) of the weights' gradients
    losses: Array  # float64 (tasks,)
    correct: Array  # float64 (tasks,)
    code_sums: Array  # float64 (tasks, .) of the embeddings' gradients, 0 between batches
    codes_met: Array  # int64 (tasks, .) which of them a task has touched: see `embedding`
    dropout: float


class Job(NamedTuple):
    """A batch on its way: what every thread needs to know."""

    setup: Setup
    batch: Batch
    number: int
    tasks: int
    values: tuple[int, int, int]  # address, rows and columns: the array itself may be read-only
    logits: Array  # (N, C), or (the batch's steps, C) with a loss at every step
    targets: Array  # int64 (sequences,) or (S,), -1 where there is no label
    weights: Array  # float64, one for each target; empty: all are 1
    chosen: Array  # int64 (N,) the batch's sequences by number
    scored: float  # the sum of the batch's weights: what its losses are divided by
    dropout_key: int  # -1: no dropout
    label_smoothing: float
    observer: int  # see `flow`; 0: nobody looks on
    norms: Array  # float64 (layers * directions * Q, the batch's steps) for what it sees
    d_values: Array  # (S, depth of the first layer) dL/dvalues, each sequence's loss counted once; empty: not wanted


class Places(NamedTuple):
    """Where in a thread's memory the arrays of a shard begin; sizes of those of which there is one a layer."""

    tape_rows: int
    tape: int
    tape_size: int
    states: int
    states_size: int
    outputs: int
    outputs_size: int
    features: int
    logits: int
    d_logits: int
    d_features: int
    d_outputs: int
    d_states: int
    proposals: int  # from here on, what options need: see `hooks`
    recurrent: int
    recurrent_size: int
    parts: int
    parts_size: int
    masks: int
    d_kept: int
    d_hidden: int
    spare: int
    inputs: int  # of the first layer, where the values are not its input as they are
    d_inputs: int
    attention: int
    block: int  # of features, summed over a block of steps
    floats: int  # all there are
    ints: int


@part("whole_lines")
def _whole_lines(size):
    return (size + 15) // 16 * 16


@part("lay_out")
def lay_out(plan, n, rows, longest, learning):
    """Return the places of the arrays of a shard of n sequences, so many rows, and the longest of so many steps."""
    columns, over_time = plan.n_ends * plan.most_width, plan.readout != LAST
    scored = rows if plan.readout == EVERY_STEP else n
    tape_kept = learning and plan.keeps
    tape_rows = rows if tape_kept else min(rows, BLOCK_ROWS + SHARD_ROWS)
    tape_size = _whole_lines(tape_rows * plan.tape_stride)
    states_size = _whole_lines(plan.n_states * (n + rows) * plan.state_stride)
    outputs_size = _whole_lines(rows * columns)
    n_tapes = plan.n_layers * plan.n_ends if tape_kept else 1
    n_states = plan.n_layers * plan.n_ends if learning else 1
    joined = plan.n_layers - 1 + (1 if over_time else 0)
    n_outputs = joined if learning else min(joined, 2)
    n_d_outputs = (2 if plan.n_layers > 1 else 1 if over_time else 0) if learning else 0
    score_size = _whole_lines(scored * plan.score_width)

    tape = 0
    states = tape + n_tapes * tape_size
    outputs = states + n_states * states_size
    features = outputs + n_outputs * outputs_size
    logits = features + _whole_lines(n * columns)
    d_logits = logits + score_size
    d_features = d_logits + (score_size if learning else 0)
    d_outputs = d_features + (_whole_lines(scored * columns) if learning else 0)
    d_states = d_outputs + n_d_outputs * outputs_size
    all_states = _whole_lines(plan.n_states * n * plan.state_stride)
    proposals = d_states + (all_states if learning else 0)

    dropped, zoned = learning and plan.recurrent_dropout > 0, plan.zoneout > 0
    recurrent_size, parts_size = (
        _whole_lines((n + rows) * plan.state_stride),
        _whole_lines(tape_rows * plan.parts_stride),
    )
    recurrent = proposals + (n_states * states_size if zoned else 0)
    parts = recurrent + (n_states * recurrent_size if dropped else 0)
    masks = parts + n_tapes * parts_size
    d_kept = masks + (_whole_lines(n * plan.state_stride) if dropped else 0)
    d_hidden = d_kept + (all_states if zoned and learning else 0)
    spare = d_hidden + (_whole_lines(n * plan.state_stride) if dropped else 0)
    inputs = spare + _whole_lines(3 * plan.gates * plan.most_width if plan.parts_stride > 0 else 0)
    inputs_size = _whole_lines(rows * plan.table[0, 0]) if plan.embedded > 0 else 0
    d_inputs = inputs + inputs_size
    d_inputs_size = _whole_lines(rows * plan.table[0, 0]) if learning and wants_d_inputs(plan) else 0
    attention = d_inputs + d_inputs_size
    block = attention + (_whole_lines(attention_memory(rows, columns)) if plan.readout == ATTENTION else 0)
    floats = block + (_whole_lines(n * columns) if plan.readout == MEAN or plan.readout == ATTENTION else 0)
    ints = 2 * (longest + 1) + 8 * rows + scored + (n * columns if plan.readout == MAX else 0)
    ints += CONTEXT if plan.options[0] != 0 else 0
    return Places(
        tape_rows, tape, tape_size, states, states_size, outputs, outputs_size, features, logits, d_logits, d_features,
        d_outputs, d_states, proposals, recurrent, recurrent_size, parts, parts_size, masks, d_kept, d_hidden, spare,
        inputs, d_inputs, attention, block, floats, ints,
    )  # fmt: skip


@part("add_up")
def add_up(values):
    """Add up numbers in their order."""
    total = values.dtype.type(0)
    for value in values:
        total += value
    return total


class Shard(NamedTuple):
    """One shard on one thread: its rows numbered, and its memory."""

    lengths: Array
    places: Array  # where each sequence stands in the batch
    starts: Array
    steps: Steps
    value_rows: Array  # (2, rows) which row of the values each row reads, forward and in reverse
    reverse_rows: Array  # (rows,) which row of the layer below it reads in reverse
    spare: Array  # (., ) int64
    rows: int
    at: Places
    memory: Array


@kernel("new_shard", python=False)
def new_shard(plan, batch, learning, number, floats, ints):
    """Number the rows of a shard in the memory of a thread."""
    first, stop = batch.edges[number], batch.edges[number + 1]
    lengths, offsets = batch.lengths[first:stop], batch.offsets[first:stop]
    rows, edges = add_up(lengths), lengths[0] + 1
    a = 2 * edges
    numbers = view(ints, a, (8, rows))
    starts, blocks = ints[:edges], ints[edges:a]
    steps = Steps(starts, blocks, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    n_blocks = number_rows(lengths, steps)
    steps = Steps(starts, blocks[: n_blocks + 1], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    order_rows(lengths, steps, offsets, False, numbers[5])
    if plan.n_ends == 2:
        order_rows(lengths, steps, offsets, True, numbers[6])
        order_rows(lengths, steps, ints[:0], True, numbers[7])
    at = lay_out(plan, stop - first, rows, lengths[0], learning)
    return Shard(
        lengths, batch.places[first:stop], batch.starts[first:stop], steps, numbers[5:7], numbers[7],
        ints[a + 8 * rows :], rows, at, floats,
    )  # fmt: skip


# --- How Numba types them, for kernels that are called by their address -----------------------------------------------


_ADDRESSES = {
    "products": 4,
    "stages": 4,
    "hooks": 5,
    "options": 2,
    "embedding": 5,
    "attention": 2,
    "over_time": 2,
}  # how many of each a Plan holds


def plan_type() -> Any:
    """Return Numba's type of a Plan."""
    index, table = types.int64, types.Array(types.int64, 2, "C")
    other = {"scores": types.Array(index, 1, "C"), "numeric": types.Array(index, 1, "C")}
    other |= {name: types.UniTuple(index, n) for name, n in _ADDRESSES.items()}
    other |= dict.fromkeys(("keeps", "carried"), types.boolean)
    other |= dict.fromkeys(("recurrent_dropout", "zoneout"), types.float64)
    other |= dict.fromkeys(("table", "input_runs", "hidden_runs", "embeddings"), table)
    return types.BaseTuple.from_types(tuple(other.get(name, index) for name in Plan._fields), Plan)


def shard_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of a Shard."""
    index, ints, vector = types.int64, types.Array(types.int64, 1, "C"), types.Array(from_dtype(dtype), 1, "C")
    steps = types.BaseTuple.from_types((ints,) * 7, Steps)
    at = types.BaseTuple.from_types((index,) * len(Places._fields), Places)
    parts = (ints, ints, ints, steps, types.Array(index, 2, "C"), ints, ints, index, at, vector)
    return types.BaseTuple.from_types(parts, Shard)


def setup_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of a Setup."""
    number, index, real = from_dtype(dtype), types.int64, types.float64
    table, reals = types.Array(index, 2, "C"), types.Array(real, 1, "C")
    vector, matrix = types.Array(number, 1, "C"), types.Array(number, 2, "C")
    parts = (plan_type(), vector, matrix, table, matrix, table, types.boolean, matrix, reals, reals)
    of_codes = (types.Array(real, 2, "C"), table)
    return types.BaseTuple.from_types((*parts, *of_codes, real), Setup)


def batch_type() -> Any:
    """Return Numba's type of a Batch."""
    return types.BaseTuple.from_types((types.Array(types.int64, 1, "C"),) * 5, Batch)


def job_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of a Job."""
    index, ints = types.int64, types.Array(types.int64, 1, "C")
    values = types.UniTuple(index, 3)
    rest = (
        batch_type(),
        index,
        index,
        values,
        types.Array(from_dtype(dtype), 2, "C"),
        ints,
        types.Array(types.float64, 1, "C"),
        ints,
        types.float64,
        index,
        types.float64,
        index,
        types.Array(types.float64, 2, "C"),
        types.Array(from_dtype(dtype), 2, "C"),
    )
    return types.BaseTuple.from_types((setup_type(dtype), *rest), Job)
