"""The input of the first layer where columns of the values hold codes: the numbers, then a vector for each code.

    x_t = [numeric columns | E_0[code_0] | E_1[code_1] | ...]      dL/dE_k[c] = sum of dL/dx_t over the rows of code c

Rows of x lie in the memory of a shard, in its own order, padded to whole vectors. Sums of the gradient are float64, so
that a code met at every step of a long sequence loses nothing. A task has one for each code that it meets, in the order
of meeting, cleared after use: its time and its memory go with the steps of the batch, not with the vocabulary.

A network without such columns neither compiles nor calls any of this.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part, view
from elman.kernels.jobs import job_type, plan_type, setup_type, shard_type

FACTS = ("column", "n_codes", "size", "at", "first_code")  # of a row of `Plan.embeddings`
NO_EMBEDDING = (0, 0, 0, 0, 0)  # addresses of a network without codes


class Embedding(NamedTuple):
    """What an embedding needs, in one order: ways to call its kernels, or the kernels' addresses in this process."""

    find_wrong_code: Any
    gather: Any
    scatter: Any
    sum_up: Any
    take_step: Any


@part("code_of")
def _code_of(value, n_codes):
    """Return the code a value holds; within the table even if the values change while a batch is under way."""
    return min(max(np.int64(value), 0), n_codes - 1)


@part("is_code")
def _is_code(value, n_codes):
    return 0 <= value < n_codes and value == np.int64(value)


@part("fill_row")
def _fill_row(plan, table, values, row, inputs, to):
    """Set a row of the inputs from a row of the values."""
    j, begin = 0, to * inputs.shape[1]
    for column in plan.numeric:
        inputs[to, j] = values[row, column]
        j += 1
    for k in range(plan.embeddings.shape[0]):
        column, n_codes, size, at, _ = plan.embeddings[k]
        vector = view(table, at + _code_of(values[row, column], n_codes) * size, (size,))
        of_row = view(inputs, begin + j, (size,))
        for i in range(size):
            of_row[i] = vector[i]
        j += size
    for i in range(j, inputs.shape[1]):
        inputs[to, i] = 0


@kernel("find_wrong_code", python=False)
def _find_wrong_code(plan, values, offsets, chosen):
    """Return the number of an embedding and the row of a value that is none of its codes; -1 and -1: there is none."""
    for m in chosen:
        for row in range(offsets[m], offsets[m + 1]):
            for k in range(plan.embeddings.shape[0]):
                if not _is_code(values[row, plan.embeddings[k, 0]], plan.embeddings[k, 1]):
                    return k, row
    return -1, -1


@kernel("gather", python=False)
def _gather(job, shard, values):
    """Set the inputs of a shard."""
    plan = job.setup.plan
    inputs = view(shard.memory, shard.at.inputs, (shard.rows, plan.table[0, 0]))
    for row in range(shard.rows):
        _fill_row(plan, job.setup.parameters, values, shard.value_rows[0, row], inputs, row)


@kernel("scatter", python=False)
def _scatter(job, shard, values, task):
    """Add dL/dx of a shard to the sums of its task."""
    plan, sums, met = job.setup.plan, job.setup.code_sums[task], job.setup.codes_met[task]
    depth = plan.table[0, 0]
    d_inputs = view(shard.memory, shard.at.d_inputs, (shard.rows * depth,))
    j = plan.numeric.size
    for k in range(plan.embeddings.shape[0]):
        column, n_codes, size, at, _ = plan.embeddings[k]
        codes, place_of = _of_embedding(plan, met, k)
        for row in range(shard.rows):
            code = _code_of(values[shard.value_rows[0, row], column], n_codes)
            if place_of[code] == 0:
                codes[met[k]] = code
                met[k] += 1
                place_of[code] = met[k]
            total = view(sums, at + (place_of[code] - 1) * size, (size,))
            d_vector = view(d_inputs, row * depth + j, (size,))
            for i in range(size):
                total[i] += np.float64(d_vector[i])
        j += size


@part("of_embedding")
def _of_embedding(plan, met, k):
    """Return the codes that were met, of which there are met[k], and the place of each code in that list, from 1."""
    n = plan.embeddings.shape[0]
    first, n_codes, all_codes = plan.embeddings[k, 4], plan.embeddings[k, 1], (met.size - n) // 2
    codes = met[n + first : n + first + n_codes]
    return codes, met[n + all_codes + first : n + all_codes + first + n_codes]


@kernel("sum_up", python=False)
def _sum_up(setup, tasks, gradient):
    """Set the gradient of all embeddings to the sums of the tasks in their order, and clear what they touched."""
    plan = setup.plan
    gradient[: plan.embedded] = 0
    for task in range(tasks):
        sums, met = setup.code_sums[task], setup.codes_met[task]
        for k in range(plan.embeddings.shape[0]):
            _, _, size, at, _ = plan.embeddings[k]
            codes, place_of = _of_embedding(plan, met, k)
            for n in range(met[k]):
                total, d_vector = view(sums, at + n * size, (size,)), view(gradient, at + codes[n] * size, (size,))
                for i in range(size):
                    d_vector[i] += total[i]
                    total[i] = 0
                place_of[codes[n]] = 0
            met[k] = 0


@kernel("take_step", python=False)
def _take_step(plan, table, x, inputs):
    """Set the inputs (1, .) from one time step x (1, D); return whether all its codes are codes."""
    for k in range(plan.embeddings.shape[0]):
        if not _is_code(x[0, plan.embeddings[k, 0]], plan.embeddings[k, 1]):
            return False
    _fill_row(plan, table, x, 0, inputs, 0)
    return True


def _signatures(dtype: np.dtype[Any]) -> Embedding:
    """Return the result and the arguments of each kernel."""
    index, number = types.int64, from_dtype(dtype)
    ints, vector, matrix = types.Array(index, 1, "C"), types.Array(number, 1, "C"), types.Array(number, 2, "C")
    job, shard, plan = job_type(dtype), shard_type(dtype), plan_type()
    return Embedding(
        find_wrong_code=(types.UniTuple(index, 2), (plan, matrix, ints, ints)),
        gather=(types.void, (job, shard, matrix)),
        scatter=(types.void, (job, shard, matrix, index)),
        sum_up=(types.void, (setup_type(dtype), index, vector)),
        take_step=(types.boolean, (plan, vector, matrix, matrix)),
    )


@functools.cache
def embedding_callers(dtype: np.dtype[Any]) -> Embedding:
    """Return call(address, (argument, ...)) for each kernel; nothing is compiled."""
    return Embedding(*(caller(result, arguments) for result, arguments in _signatures(dtype)))


@functools.cache
def embedding_addresses(dtype: np.dtype[Any]) -> Embedding:
    """Compile the kernels and return their addresses, for a Plan."""
    kernels = (_find_wrong_code, _gather, _scatter, _sum_up, _take_step)
    return Embedding(*(address(each, arguments) for each, (_, arguments) in zip(kernels, _signatures(dtype))))
