"""One time step of one sequence, its states carried over: what a live stream costs."""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import caller, kernel, put, room_for, taken, view
from elman.kernels.embedding import embedding_callers
from elman.kernels.hooks import Context, Extras, no_extras
from elman.kernels.jobs import plan_type
from elman.kernels.outputs import class_scores
from elman.kernels.plan import SIZE, WIDTH, Plan, forward_weights, gains, score_weights
from elman.kernels.shards import Steps
from elman.kernels.sweep import sweep_signatures

Array = np.ndarray[Any, Any]
SIZES_DIFFER, NOT_FINITE, WRONG_CODE = 1, 2, 3


class Stream(NamedTuple):
    """A network, and where one sequence stands in it."""

    plan: Plan
    packed: Array
    steps: Steps  # of a shard of one sequence and one step
    tape: Array  # (1, .)
    states: Array  # (layers, K, 2, .) before the step and after it
    proposals: Array  # (K, 2, .) for zoneout
    parts: Array  # (1, .) for layer normalisation
    spare: Array
    context: Array  # int64, for hooks.Context
    outputs: Array  # (layers, .) h, or h plus the layer's input
    features: Array  # (1, width of the last layer)
    padded: Array  # (1, score_width) the class scores
    embeddings: Array  # their parameters
    inputs: Array  # (1, depth) of the first layer, where a column holds codes


class Live(NamedTuple):
    """The kernels of a live stream in one precision."""

    put_stream: Any
    step: Any
    room: int  # int64 that a Stream takes where put_stream writes it


@functools.cache
def live(dtype: np.dtype[Any]) -> Live:
    """Return put_stream(where, stream) and step(address, x, scores), compiled for float32 or float64."""
    number, index = from_dtype(dtype), types.int64
    forward = caller(types.void, sweep_signatures(dtype)[0])
    score, _ = class_scores(dtype)
    ints, vector, matrix = types.Array(index, 1, "C"), types.Array(number, 1, "C"), types.Array(number, 2, "C")
    steps = types.BaseTuple.from_types((ints,) * 7, Steps)
    cube, layers = types.Array(number, 3, "C"), types.Array(number, 4, "C")
    options = (cube, matrix, vector, ints, matrix)
    kind = (plan_type(), vector, steps, matrix, layers, *options, matrix, matrix, vector, matrix)
    take_step = embedding_callers(dtype).take_step
    stream_type = types.BaseTuple.from_types(kind, Stream)
    take = taken(stream_type)

    @kernel(f"put_stream_{dtype}")
    def put_stream(where, stream):
        """Write a Stream down where `step` finds it."""
        put(where, stream)

    @kernel(f"live_step_{dtype}")
    def step(where, x, scores):
        """Take one step from x (D,), and set the class scores (C,).

        Return SIZES_DIFFER, NOT_FINITE or WRONG_CODE where x is not as it should be, and then take no step; else 0.
        """
        stream = take(where)
        plan, packed, steps, tape, states = stream.plan, stream.packed, stream.steps, stream.tape, stream.states
        proposals, parts, spare, context = stream.proposals, stream.parts, stream.spare, stream.context
        outputs, features, padded = stream.outputs, stream.features, stream.padded
        if x.size != plan.input_size or scores.size != plan.n_classes:
            return SIZES_DIFFER
        for value in x:
            if not np.isfinite(value):
                return NOT_FINITE
        values, rows = view(x, 0, (1, x.size)), steps.rows
        none = view(spare, 0, (0, plan.state_stride))
        if plan.embedded > 0:
            if not take_step(plan.embedding[4], (plan, stream.embeddings, values, stream.inputs)):
                return WRONG_CODE
            values = stream.inputs
        for layer in range(plan.n_layers):
            own, width = states[layer], plan.table[layer, WIDTH]
            for state in range(plan.n_states):
                for j in range(width):
                    own[state, 0, j] = own[state, 1, j]
            weights = forward_weights(plan, packed, layer)
            extras = no_extras(own)
            if plan.options[0] != 0:
                at, _, n_gains = gains(plan, layer)
                gain, zeros = view(packed, at, (n_gains,)), view(packed, plan.zeros, (n_gains,))
                proposed = proposals if plan.zoneout > 0 else own
                extras = Extras(
                    plan.hooks, np.int64(context.ctypes.data), proposed, extras.recurrent, parts, zeros, none
                )
                put(context, Context(
                    extras, tape, own, own, weights.bias, gain, gain, plan.hidden_runs, none, own, spare, steps.rows,
                    -1, plan.zoneout, layer, plan.table[layer, SIZE], width,
                ))  # fmt: skip
            forward(plan.forward, (plan.products, values, rows, weights, steps, steps.rows, True, tape, own, extras))
            adds_input = plan.residual != 0 and layer > 0 and plan.table[layer, SIZE] == plan.table[layer - 1, SIZE]
            for j in range(width):
                outputs[layer, j] = own[0, 1, j] + outputs[layer - 1, j] if adds_input else own[0, 1, j]
            values, rows = view(outputs, layer * outputs.shape[1], (1, outputs.shape[1])), steps.rows
        for j in range(features.shape[1]):
            features[0, j] = outputs[plan.n_layers - 1, j]
        transposed, _, bias = score_weights(plan, packed)
        score(plan.products, features, steps.rows, transposed, bias, padded)
        for j in range(plan.n_classes):
            scores[j] = padded[0, j]
        return 0

    step.compile((index, vector, vector))
    step.disable_compile()  # arrays of any other kind are for the caller to convert, not a reason to compile
    return Live(put_stream, step, room_for(stream_type))
