"""One time step of one sequence, its states carried over: what a live stream costs."""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import caller, kernel, put, taken, view
from elman.kernels.embedding import embedding_callers
from elman.kernels.jobs import plan_type
from elman.kernels.outputs import class_scores
from elman.kernels.plan import Plan, forward_weights, score_weights
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
    features: Array  # (1, width)
    padded: Array  # (1, score_width) the class scores
    embeddings: Array  # their parameters
    inputs: Array  # (1, depth) of the first layer, where a column holds codes


class Live(NamedTuple):
    """The kernels of a live stream in one precision."""

    put_stream: Any
    step: Any


@functools.cache
def live(dtype: np.dtype[Any]) -> Live:
    """Return put_stream(where, stream) and step(address, x, scores), compiled for float32 or float64."""
    number, index = from_dtype(dtype), types.int64
    forward = caller(types.void, sweep_signatures(dtype)[0])
    score, _ = class_scores(dtype)
    ints, vector, matrix = types.Array(index, 1, "C"), types.Array(number, 1, "C"), types.Array(number, 2, "C")
    steps = types.BaseTuple.from_types((ints,) * 7, Steps)
    kind = (plan_type(), vector, steps, matrix, types.Array(number, 4, "C"), matrix, matrix, vector, matrix)
    take_step = embedding_callers(dtype).take_step
    take = taken(types.BaseTuple.from_types(kind, Stream))

    @kernel(f"put_stream_{dtype}")
    def put_stream(where, stream):
        """Write a Stream down where `step` finds it."""
        put(where, stream)

    @kernel(f"live_step_{dtype}")
    def step(where, x, scores):
        """Take one step from x (D,), and set the class scores (C,).

        Return SIZES_DIFFER, NOT_FINITE or WRONG_CODE where x is not as it should be, and then take no step; else 0.
        """
        plan, packed, steps, tape, states, features, padded, embeddings, inputs = take(where)
        if x.size != plan.input_size or scores.size != plan.n_classes:
            return SIZES_DIFFER
        for value in x:
            if not np.isfinite(value):
                return NOT_FINITE
        width, values, rows = plan.width, view(x, 0, (1, x.size)), steps.rows
        if plan.embedded > 0:
            if not take_step(plan.embedding[4], (plan, embeddings, values, inputs)):
                return WRONG_CODE
            values = inputs
        for layer in range(plan.n_layers):
            own = states[layer]
            for state in range(plan.n_states):
                for j in range(width):
                    own[state, 0, j] = own[state, 1, j]
            weights = forward_weights(plan, packed, layer)
            forward(plan.forward, (plan.products, values, rows, weights, steps, steps.rows, True, tape, own))
            values, rows = own[0], steps.current
        for j in range(width):
            features[0, j] = states[plan.n_layers - 1, 0, 1, j]
        transposed, _, bias = score_weights(plan, packed)
        score(plan.products, features, steps.rows, transposed, bias, padded)
        for j in range(plan.n_classes):
            scores[j] = padded[0, j]
        return 0

    step.compile((index, vector, vector))
    step.disable_compile()  # arrays of any other kind are for the caller to convert, not a reason to compile
    return Live(put_stream, step)
