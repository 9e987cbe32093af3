"""A shard's way through the network and back, and a whole batch's: shard by shard, on whichever thread is free.

forward    each layer, each direction: h_t for t = 1..T;  readout;  class scores
backward   loss, class scores, readout, layers from the top: dL/dh_t for t = T..1

Nothing is allocated on the way; see `jobs` for the memory of a thread.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.attention import attention_callers
from elman.kernels.compiled import address, array_at, caller, kernel, part, put, room_for, taken, view
from elman.kernels.dropout import drop_out_caller
from elman.kernels.embedding import embedding_callers
from elman.kernels.flow import Watch
from elman.kernels.hooks import no_extras
from elman.kernels.jobs import (
    Job,
    add_up,
    batch_type,
    job_type,
    lay_out,
    new_shard,
    plan_type,
    setup_type,
    shard_type,
)
from elman.kernels.loss import cross_entropy
from elman.kernels.options import callers as options_callers
from elman.kernels.outputs import (
    class_scores,
    join_outputs,
    last_states,
)
from elman.kernels.over_time import over_time_callers
from elman.kernels.plan import (
    ATTENTION,
    EVERY_STEP,
    LAST,
    SIZE,
    WIDTH,
    backward_weights,
    forward_weights,
    pack_all,
    score_sums,
    score_weights,
    unpack_all,
    wants_d_inputs,
    weight_sums,
)
from elman.kernels.residual import ALL_STEPS, LAST_STEP, LAST_STEP_BACK, residual_caller
from elman.kernels.shards import Batch, cut, shards_of
from elman.kernels.sweep import sweep_signatures
from elman.kernels.updates import claim, norm, sum_gradients

Array = np.ndarray[Any, Any]


@part("memory_for")
def _memory_for(plan, batch, learning):
    """Return how many floats and ints the largest shard of a batch takes."""
    floats, ints = 0, 0
    for shard in range(batch.edges.size - 1):
        first, stop = batch.edges[shard], batch.edges[shard + 1]
        places = lay_out(plan, stop - first, add_up(batch.lengths[first:stop]), batch.lengths[first], learning)
        floats, ints = max(floats, places.floats), max(ints, places.ints)
    return floats, ints


@part("scored_by")
def _scored_by(plan, offsets, chosen, targets, weights):
    """Return 0 and the sum of a batch's weights, or what is wrong: 2 with its targets, 4 with its weights."""
    total = 0.0
    for m in chosen:
        first, stop = (offsets[m], offsets[m + 1]) if plan.readout == EVERY_STEP else (m, m + 1)
        if stop > targets.size:
            return 2, 0.0
        for i in range(first, stop):
            if targets[i] < -1 or targets[i] >= plan.n_classes:
                return 2, 0.0
            weight = weights[i] if weights.size else 1.0
            if not 0 <= weight < np.inf:
                return 4, 0.0
            if targets[i] >= 0:
                total += weight
    return (0 if total < np.inf else 4), total


@part("layer_width")
def _layer_width(plan, layer):
    """Return the hidden units of a layer in one direction, padded to whole vectors."""
    return plan.table[layer * plan.n_ends, WIDTH]


@part("input_of")
def _input_of(plan, shard, values, learning, layer, end):
    """Return what a layer reads in one direction, and which row of it belongs to each row of the shard."""
    order = shard.reverse_rows if end == 1 else shard.steps.rows
    if layer > 0:
        columns = plan.n_ends * _layer_width(plan, layer - 1)
        return view(shard.memory, _outputs_at(shard, learning, layer - 1), (shard.rows, columns)), order
    if plan.embedded > 0:
        return view(shard.memory, shard.at.inputs, (shard.rows, plan.table[0, 0])), order
    return values, shard.value_rows[end]


@part("outputs_at")
def _outputs_at(shard, learning, layer):
    """Return where the outputs of a layer, both directions joined, have their place."""
    return shard.at.outputs + (layer if learning else layer % 2) * shard.at.outputs_size


@part("adds_input")
def _adds_input(plan, layer):
    """Return whether a layer adds its input to its output."""
    return (
        plan.residual != 0
        and layer > 0
        and plan.table[layer * plan.n_ends, SIZE] == plan.table[(layer - 1) * plan.n_ends, SIZE]
    )


@part("place_scores")
def _place_scores(plan, shard, scores, logits):
    """Copy the class scores of a shard to where they belong among the batch's."""
    for r in range(scores.shape[0]):
        if plan.readout == EVERY_STEP:
            n = shard.steps.sequence[r]
            row = shard.starts[n] + shard.value_rows[0, r] - shard.value_rows[0, n]
        else:
            row = shard.places[r]
        for j in range(plan.n_classes):
            logits[row, j] = scores[r, j]


@part("place_d_values")
def _place_d_values(plan, shard, d_values):
    """Copy dL/dx of a shard to where its rows belong among those of the values."""
    d_inputs = view(shard.memory, shard.at.d_inputs, (shard.rows, plan.table[0, 0]))
    for row in range(shard.rows):
        to = shard.value_rows[0, row]
        for j in range(d_values.shape[1]):
            d_values[to, j] = d_inputs[row, j]


@part("wanted_of")
def _wanted_of(plan, shard, chosen, wanted):
    """Set `wanted` to where the targets of a shard's class scores stand among all targets."""
    for r in range(wanted.size):
        wanted[r] = shard.value_rows[0, r] if plan.readout == EVERY_STEP else chosen[shard.places[r]]


@part("watch_of")
def _watch_of(job, shard, d, end):
    """Return the Watch of one layer in one direction."""
    steps, rows = job.norms.shape[1], job.norms.shape[0] // job.setup.plan.table.shape[0]
    norms = view(job.norms, d * rows * steps, (rows, steps))
    spare = view(shard.memory, shard.at.features, (job.setup.plan.most_width,))  # the features are read no more
    return Watch(job.observer, norms, shard.starts, shard.lengths, end == 1, spare)


def _shard_forward(dtype: np.dtype[Any]) -> Any:
    """Make the way forward of a shard."""
    forward = caller(types.void, sweep_signatures(dtype)[0])
    score, _ = class_scores(dtype)
    begin_options, _ = options_callers(dtype)
    drop_out = drop_out_caller(dtype)
    attend = attention_callers(dtype).attend
    over_time, _ = over_time_callers(dtype)
    residual = residual_caller(dtype)

    @kernel(f"shard_forward_{dtype}", python=False)
    def shard_forward(job, shard, values, packed):
        """Take a shard from its values to its class scores; return where what they read lies, and its rows."""
        setup, at, n = job.setup, shard.at, shard.lengths.size
        plan, learning, memory = setup.plan, setup.learning, shard.memory
        shape = (plan.n_states, n + shard.rows, plan.state_stride)
        numbers = shard.steps.rows if learning and plan.keeps else shard.steps.in_block
        features = view(memory, at.features, (n, plan.n_ends * _layer_width(plan, plan.n_layers - 1)))
        for d in range(plan.n_layers * plan.n_ends):
            layer, end = d // plan.n_ends, d % plan.n_ends
            width, columns = plan.table[d, WIDTH], plan.n_ends * plan.table[d, WIDTH]
            order = shard.reverse_rows if end == 1 else shard.steps.rows
            x, x_rows = _input_of(plan, shard, values, learning, layer, end)
            states = view(memory, at.states + (d * at.states_size if learning else 0), shape)
            states[:, :n] = 0
            tape_at = at.tape + (d * at.tape_size if learning and plan.keeps else 0)
            tape = view(memory, tape_at, (at.tape_rows, plan.tape_stride))
            weights = forward_weights(plan, packed, d)
            extras = no_extras(states)
            if plan.options[0] != 0:
                of = (d, tape, states, states, weights.bias)
                extras = begin_options(plan.options[0], (job, shard, packed, packed[:0], *of))
            loop = (plan.products, x, x_rows, weights, shard.steps, numbers, plan.carried, tape, states, extras)
            forward(plan.forward, loop)
            if layer < plan.n_layers - 1 or plan.readout != LAST:
                outputs = view(memory, _outputs_at(shard, learning, layer), (shard.rows, columns))
                join_outputs(states, shard.steps.current, order, width, end * width, outputs)
                if end == plan.n_ends - 1 and _adds_input(plan, layer):
                    residual(plan.residual, (ALL_STEPS, outputs, x, order, shard.steps, shard.lengths, width, 0))
                drops = job.dropout_key >= 0 and plan.drop_out != 0
                if drops and layer < plan.n_layers - 1 and end == plan.n_ends - 1:
                    of = (job.dropout_key, layer, setup.dropout, plan.table[d, SIZE], width)
                    drop_out(plan.drop_out, (outputs, shard.steps, shard.places, *of))
            else:
                last_states(states, shard.steps, shard.lengths, width, end * width, features)
                if _adds_input(plan, layer):
                    of = (order, shard.steps, shard.lengths, width, end * width)
                    residual(plan.residual, (LAST_STEP, features, x, *of))
        width = _layer_width(plan, plan.n_layers - 1)
        columns, top = plan.n_ends * width, _outputs_at(shard, learning, plan.n_layers - 1)
        outputs, block = view(memory, top, (shard.rows, columns)), view(memory, at.block, (n, columns))
        if plan.over_time[0] != 0:
            winners = view(shard.spare, n, (n, columns))
            over_time(plan.over_time[0], (outputs, shard.steps, shard.lengths, block, winners, features))
        elif plan.readout == ATTENTION:
            size = plan.table[plan.table.shape[0] - 1, SIZE]
            weight = view(setup.parameters, plan.weight_attention, (plan.n_ends * size,))
            kept = (size, width, memory[at.attention :], block)
            attend(plan.attention[0], (outputs, shard.steps, shard.lengths, weight, *kept, features))
        read_at, rows = (top, shard.rows) if plan.readout == EVERY_STEP else (at.features, n)
        read, scores = view(memory, read_at, (rows, columns)), view(memory, at.logits, (rows, plan.score_width))
        transposed, _, bias = score_weights(plan, packed)
        score(plan.products, read, shard.steps.rows, transposed, bias, scores)
        return read_at, rows

    return shard_forward


def _shard_backward(dtype: np.dtype[Any]) -> Any:
    """Make the way back of a shard."""
    backward = caller(types.void, sweep_signatures(dtype)[1])
    _, score_backward = class_scores(dtype)
    begin_options, end_options = options_callers(dtype)
    drop_out = drop_out_caller(dtype)
    attend_back = attention_callers(dtype).attend_back
    _, spread = over_time_callers(dtype)
    residual = residual_caller(dtype)

    @kernel(f"shard_backward_{dtype}", python=False)
    def shard_backward(job, shard, values, packed, read, d_scores, sums):
        """Take dL/d(class scores) back through the shard and add up the gradients of all weights."""
        setup, at, n = job.setup, shard.at, shard.lengths.size
        plan, memory = setup.plan, shard.memory
        columns = plan.n_ends * _layer_width(plan, plan.n_layers - 1)
        d_features = view(memory, at.d_features, (read.shape[0], columns))
        _, plain, _ = score_weights(plan, packed)
        of_weight, of_bias = score_sums(plan, sums)
        score_backward(plan.products, read, d_scores, shard.steps.rows, plain, d_features, of_weight, of_bias)

        nothing = view(memory, 0, (0, 0))
        d_outputs = nothing
        if plan.readout == EVERY_STEP:
            d_outputs = d_features
        elif plan.readout != LAST:
            d_outputs = view(memory, at.d_outputs, (shard.rows, columns))
            if plan.over_time[1] != 0:
                winners = view(shard.spare, n, (n, columns))
                spread(plan.over_time[1], (d_features, shard.steps, shard.lengths, winners, d_outputs))
            else:
                outputs = view(memory, _outputs_at(shard, True, plan.n_layers - 1), (shard.rows, columns))
                size = plan.table[plan.table.shape[0] - 1, SIZE]
                of_weight = view(sums, plan.sum_attention, (plan.n_ends * size,))
                kept = (size, columns // plan.n_ends, memory[at.attention :])
                attend_back(
                    plan.attention[1], (outputs, shard.steps, shard.lengths, *kept, d_features, d_outputs, of_weight)
                )

        d_states = view(memory, at.d_states, (plan.n_states, n, plan.state_stride))
        shape = (plan.n_states, n + shard.rows, plan.state_stride)
        numbers = shard.steps.rows if plan.keeps else shard.steps.in_block
        for layer in range(plan.n_layers - 1, -1, -1):
            d_x, width = nothing, _layer_width(plan, layer)
            adds_input, last = _adds_input(plan, layer), layer == plan.n_layers - 1 and plan.readout == LAST
            below = (shard.rows, plan.n_ends * _layer_width(plan, max(0, layer - 1)))
            if layer > 0:  # two places in turn: the layer below reads here what the one above wrote there
                d_x = view(memory, at.d_outputs + (layer + plan.n_layers) % 2 * at.outputs_size, below)
                d_x[:] = 0
                if adds_input and not last:
                    of = (shard.steps.rows, shard.steps, shard.lengths, width, 0)
                    residual(plan.residual, (ALL_STEPS, d_x, d_outputs, *of))
            elif wants_d_inputs(plan):
                d_x = view(memory, at.d_inputs, (shard.rows, plan.table[0, 0]))
                d_x[:] = 0
            for end in range(plan.n_ends):
                d = layer * plan.n_ends + end
                order = shard.reverse_rows if end == 1 else shard.steps.rows
                x, x_rows = _input_of(plan, shard, values, True, layer, end)
                d_states[:] = 0
                if last:
                    for r in range(n):
                        for j in range(width):
                            d_states[0, r, j] = d_features[r, end * width + j]
                    if adds_input:
                        of = (order, shard.steps, shard.lengths, width, end * width)
                        residual(plan.residual, (LAST_STEP_BACK, d_x, d_features, *of))
                tape_at = at.tape + (d * at.tape_size if plan.keeps else 0)
                tape = view(memory, tape_at, (at.tape_rows, plan.tape_stride))
                states = view(memory, at.states + d * at.states_size, shape)
                weights, direction_sums = backward_weights(plan, packed, d), weight_sums(plan, sums, d)
                watch = _watch_of(job, shard, d, end)
                extras = no_extras(states)
                if plan.options[0] != 0:
                    of = (d, tape, states, d_states, weights.bias)
                    extras = begin_options(plan.options[0], (job, shard, packed, sums, *of))
                backward(
                    plan.backward,
                    (plan.products, x, x_rows, order, weights, shard.steps, numbers, plan.carried, tape, states,
                     d_outputs, end * width, d_states, d_x, direction_sums, extras, watch),
                )  # fmt: skip
                if plan.options[1] != 0:
                    end_options(plan.options[1], (plan, d, d_states, sums))
            if layer > 0 and job.dropout_key >= 0 and plan.drop_out != 0:
                size, padded = plan.table[(layer - 1) * plan.n_ends, SIZE], _layer_width(plan, layer - 1)
                of = (job.dropout_key, layer - 1, setup.dropout, size, padded)
                drop_out(plan.drop_out, (d_x, shard.steps, shard.places, *of))
            d_outputs = d_x

    return shard_backward


class _Stage(NamedTuple):
    """A kernel of its own, called by its address: what each would be linked into is optimised once, not twice."""

    call: Any
    address: int


class _Stages(NamedTuple):
    pack: _Stage
    number: _Stage
    forward: _Stage
    backward: _Stage


@functools.cache
def _stages(dtype: np.dtype[Any]) -> _Stages:
    """Return what a task does one after the other."""
    number, index = from_dtype(dtype), types.int64
    vector, matrix = types.Array(number, 1, "C"), types.Array(number, 2, "C")
    ints, job, shard = types.Array(index, 1, "C"), job_type(dtype), shard_type(dtype)

    def stage(function: Any, result: Any, *arguments: Any) -> _Stage:
        return _Stage(caller(result, arguments), address(function, arguments))

    return _Stages(
        pack=stage(pack_all, types.void, plan_type(), vector, vector, types.boolean),
        number=stage(new_shard, shard, plan_type(), batch_type(), types.boolean, index, vector, ints),
        forward=stage(_shard_forward(dtype), types.UniTuple(index, 2), job, shard, matrix, vector),
        backward=stage(_shard_backward(dtype), types.void, job, shard, matrix, vector, matrix, matrix, vector),
    )


def stages(dtype: np.dtype[Any]) -> tuple[int, int, int, int]:
    """Return the addresses of the stages of a task, for a Plan."""
    pack, number, forward, backward = _stages(dtype)
    return pack.address, number.address, forward.address, backward.address


class Passes(NamedTuple):
    """What takes a batch through a network, in one precision."""

    set_up: Any
    prepare: Any
    finish: Any
    room: int  # int64 that a Setup or a Job takes where it is written down
    task: int  # address of task(address of the job, number, worker), for a team of threads


@functools.cache
def passes(dtype: np.dtype[Any]) -> Passes:
    """Return the kernels that take a batch through a network in float32 or float64."""
    pack, number_shard, shard_forward, shard_backward = (stage.call for stage in _stages(dtype))
    find_wrong_code, gather, scatter, sum_up, _ = embedding_callers(dtype)
    take_setup, take_job, empty = taken(setup_type(dtype)), taken(job_type(dtype)), np.zeros(0, dtype)

    @kernel(f"set_up_{dtype}")
    def set_up(where, setup):
        """Write a Setup down where the other kernels find it."""
        put(where, setup)

    set_up.compile((types.Array(types.int64, 1, "C"), setup_type(dtype)))
    set_up.disable_compile()  # what is of other types would be laid out otherwise than the kernels read it

    @kernel(f"prepare_{dtype}", allocates=True)
    def prepare(
        setup_at, where, values, offsets, chosen, targets, weights, numbers, logits, key, smoothing, watch, d_values
    ):  # fmt: skip
        """Check a batch, cut it into shards, and write the job down for the threads.

        numbers : int64 (5, N + 1), memory for the Batch
        watch : an observer's address, and room for what it sees; see `jobs.Job`
        d_values : memory for dL/dvalues, of the sum of all losses instead of their mean; empty: not wanted

        Returns 0, or 1 if a sequence is empty or lies outside the values, 2 if a target is missing or no class, 3 if
        the memory does not suffice, or 4 if a weight is below 0 or not finite, or their sum is not; how many floats
        and ints a thread needs; and the steps of all sequences. Or 5 if a value is not one of the codes of its column;
        the number of the embedding, and the value's row.
        """
        setup = take_setup(setup_at)
        plan, n = setup.plan, chosen.size
        n_shards = shards_of(n)
        batch = Batch(numbers[0, :n], numbers[1, :n], numbers[2, :n], numbers[3, :n], numbers[4, : n_shards + 1])
        if not cut(offsets, chosen, values[1], batch):
            return 1, 0, 0, 0
        if plan.embedded > 0:
            of_values = array_at(values[0], empty, (values[1], values[2]))
            embedding, row = find_wrong_code(plan.embedding[0], (plan, of_values, offsets, chosen))
            if embedding >= 0:
                return 5, embedding, row, 0
        wrong, scored = _scored_by(plan, offsets, chosen, targets, weights) if setup.learning else (0, 0.0)
        if wrong:
            return wrong, 0, 0, 0
        rows = add_up(batch.lengths)
        floats, ints = _memory_for(plan, batch, setup.learning)
        if floats > setup.floats.shape[1] or ints > setup.ints.shape[1]:
            return 3, floats, ints, rows
        latest = setup.packed_for[setup.packed_for.shape[0] - 1]
        latest[0] += 1
        tasks = min(n_shards, setup.losses.size) if setup.learning else n_shards
        counted = 1.0 if d_values.size else scored
        of = (logits, targets, weights, chosen, counted, key, smoothing, *watch, d_values)
        put(where, Job(setup, batch, latest[0], tasks, values, *of))
        return 0, floats, ints, rows

    @kernel(f"task_{dtype}", python=False)
    def task(context, number, worker):
        """Take the shards of one task through the network."""
        job = take_job(context)
        setup = job.setup
        if setup.learning:
            claim(setup.sums[number])
            setup.sums[number] = 0
            setup.losses[number] = 0
            setup.correct[number] = 0
            if setup.packed_for[worker, 0] != job.number:
                pack(setup.plan.stages[0], (setup.plan, setup.parameters, setup.packed[worker], True))
                setup.packed_for[worker, 0] = job.number
        packed = setup.packed[worker if setup.learning else 0]
        values = array_at(job.values[0], empty, (job.values[1], job.values[2]))
        n_shards, plan = job.batch.edges.size - 1, setup.plan
        columns = plan.n_ends * _layer_width(plan, plan.n_layers - 1)
        for each in range(number * n_shards // job.tasks, (number + 1) * n_shards // job.tasks):
            memory = (setup.floats[worker], setup.ints[worker])
            shard = number_shard(plan.stages[1], (plan, job.batch, setup.learning, each, *memory))
            if plan.embedded > 0:
                gather(plan.embedding[1], (job, shard, values))
            read_at, rows = shard_forward(plan.stages[2], (job, shard, values, packed))
            scores = view(shard.memory, shard.at.logits, (rows, plan.score_width))
            _place_scores(plan, shard, scores, job.logits)
            if setup.learning:
                d_scores = view(shard.memory, shard.at.d_logits, (rows, plan.score_width))
                wanted = shard.spare[:rows]
                _wanted_of(plan, shard, job.chosen, wanted)
                of = (job.targets, job.weights, plan.n_classes, job.scored, job.label_smoothing)
                loss, correct = cross_entropy(scores, wanted, *of, d_scores)
                setup.losses[number] += loss
                setup.correct[number] += correct
                read = view(shard.memory, read_at, (rows, columns))
                sums = setup.sums[number]
                shard_backward(plan.stages[3], (job, shard, values, packed, read, d_scores, sums))
                if plan.embedded > 0:
                    scatter(plan.embedding[2], (job, shard, values, number))
                if job.d_values.size:
                    _place_d_values(plan, shard, job.d_values)

    @kernel(f"finish_{dtype}")
    def finish(where_address, gradient):
        """Sum up the tasks in their order.

        Returns the mean loss, the gradient's norm, and the sums of the weights of what was right and of all.
        """
        job = take_job(where_address)
        setup, plan, tasks = job.setup, job.setup.plan, job.tasks
        sum_gradients(setup.sums[:tasks])
        unpack_all(plan, setup.sums[0], gradient)
        if plan.readout == ATTENTION:
            for j in range(plan.n_ends * plan.table[plan.table.shape[0] - 1, SIZE]):
                gradient[plan.weight_attention + j] = setup.sums[0, plan.sum_attention + j]
        if plan.embedded > 0:
            sum_up(plan.embedding[3], (setup, tasks, gradient))
        return add_up(setup.losses[:tasks]), norm(gradient), add_up(setup.correct[:tasks]), job.scored

    room = max(room_for(setup_type(dtype)), room_for(job_type(dtype)))
    return Passes(set_up, prepare, finish, room, address(task, (types.int64,) * 3))
