"""What options add to the time loop, as passes of their own between its products and the cell's equations.

    layer normalisation   pre_t = gain_ih * norm(W_ih x_t) + gain_hh * norm(W_hh h_{t-1}) + biases,
                          norm(a) = (a - mean(a)) / sqrt(var(a) + 1e-5) over all gates and units of a step
    recurrent dropout     pre_t reads m * h_{t-1} in place of h_{t-1}, with one mask m a sequence
    zoneout               state_t = z * state_{t-1} + (1 - z) * (what the cell proposes); in training each z is 1 with
                          probability `rate`, else 0; in prediction it is `rate`

The loop calls them by their addresses, and they are compiled only where an option is on.

Sources: Ba, Kiros & Hinton, "Layer normalization" (2016), whose second norm, that of an LSTM's c, is left out so that
c carries gradients untouched; Gal & Ghahramani (2016); Krueger et al., "Zoneout" (2017).
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part, taken, view
from elman.kernels.dropout import ZONEOUT, below, chance_of, threshold_of
from elman.kernels.lanes import PARTIAL_SUMS, fma, sum_many, sum_many_products

Array = np.ndarray[Any, Any]
EPSILON = 1e-5  # PyTorch's
CARRY, TAKE_APART, PUT_TOGETHER, NORMALISE, NORMALISE_BACK = range(5)
OFF = (0, 0, 0, 0, 0)
_BLOCK_STEPS = 16


class Extras(NamedTuple):
    """What the time loop itself must know of the options, for one layer in one direction of N sequences and S rows."""

    hooks: tuple[int, int, int, int, int]  # where the passes lie in this process; 0: the option is off
    context: int | np.int64  # where the `Context` lies that they read
    proposals: Array  # (K, N + S, .) the states as the cell makes them; without zoneout the states themselves
    recurrent: Array  # (N + S, .) what is multiplied by W_hh; without recurrent dropout h itself
    parts: Array  # (., 2 gates * width + 2) norm(W_ih x), norm(W_hh h), then the two factors 1 / sqrt(var + epsilon)
    zeros: Array  # (2 gates * width,)
    d_hidden: Array  # (N, .) dL/d(masked h); (0, .) without recurrent dropout


class Context(NamedTuple):
    """What the passes work on."""

    extras: Extras
    tape: Array
    states: Array
    d_states: Array  # the states once more in the forward sweep, which has none
    bias: Array
    gains: Array  # (2 gates * width,)
    sum_gains: Array  # (2 gates * width,) of their gradients
    runs: Array  # (., 3) see Cell.hidden_runs
    masks: Array  # (N, .) of recurrent dropout; (0, .) where it is off
    d_kept: Array  # (K, N, .) the part of dL/d(states) that zoneout carries past the cell
    spare: Array  # (3 gates * width,) room for one half, and `sum_gains` of a block of steps
    places: Array  # int64 (N,) where each sequence stands in the batch
    key: int  # of the dropout masks; -1: none, zoneout as in prediction
    zoneout: float
    direction: int  # number among all layers and directions
    size: int
    width: int


@part("no_extras")
def no_extras(states):
    """Return the Extras of a time loop without options, given its states (K, ., .)."""
    nothing = view(states, 0, (0, states.shape[2]))
    recurrent = view(states, 0, (states.shape[1], states.shape[2]))
    return Extras(OFF, 0, states, recurrent, nothing, view(states, 0, (0,)), nothing)


def extras_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of Extras."""
    number, index = from_dtype(dtype), types.int64
    vector, matrix, cube = (types.Array(number, n, "C") for n in (1, 2, 3))
    return types.BaseTuple.from_types((types.UniTuple(index, 5), index, cube, matrix, matrix, vector, matrix), Extras)


def context_type(dtype: np.dtype[Any]) -> Any:
    """Return Numba's type of a Context."""
    number, index = from_dtype(dtype), types.int64
    vector, matrix, cube = (types.Array(number, n, "C") for n in (1, 2, 3))
    ints, table = types.Array(index, 1, "C"), types.Array(index, 2, "C")
    parts = (
        extras_type(dtype), matrix, cube, cube, vector, vector, vector, table, matrix, cube, vector, ints, index,
        types.float64, index, index, index,
    )  # fmt: skip
    return types.BaseTuple.from_types(parts, Context)


_HOOK = (types.int64,) * 6
call_hook = caller(types.void, _HOOK)
"""call_hook(address, (context, row of the tape, first of the rows at t - 1, at t, how many of them, t))"""


@functools.cache
def hook_address(which: int, dtype: np.dtype[Any]) -> int:
    """Compile one pass, CARRY, TAKE_APART and so on; return where it lies in this process."""
    work = (_carry, _take_apart, _put_together, _normalise, _normalise_back)[which]
    take = taken(context_type(dtype))

    @kernel(f"{work.py_func.__qualname__.replace('part', 'hook')}_{dtype}", python=False)
    def run(where, tape_row, previous, current, count, t):
        work(take(where), tape_row, previous, current, count, t)

    return address(run, _HOOK)


# --- Zoneout and recurrent dropout ------------------------------------------------------------------------------------


@part("share_kept")
def _share_kept(context, chance, k, j, threshold):
    """Return z of a unit: how much of its state at t - 1 stays."""
    if context.key < 0:
        return context.zoneout
    return 1.0 if below(chance, k * context.size + j, threshold) else 0.0


@part("carry")
def _carry(context, tape_row, previous, current, count, t):
    """After the cell, forward: let zoneout choose between old and proposed states, and mask h for the next step."""
    states, extras, size, width = context.states, context.extras, context.size, context.width
    if context.zoneout > 0:
        threshold = threshold_of(context.zoneout)
        for r in range(count):
            chance = chance_of(context.key, ZONEOUT + context.direction, context.places[r], t)
            for k in range(states.shape[0]):
                for j in range(size):
                    z = states.dtype.type(_share_kept(context, chance, k, j, threshold))
                    old, new = states[k, previous + r, j], extras.proposals[k, current + r, j]
                    states[k, current + r, j] = z * old + (states.dtype.type(1) - z) * new
                for j in range(size, width):
                    states[k, current + r, j] = 0
    for r in range(min(count, context.masks.shape[0])):
        for j in range(width):
            extras.recurrent[current + r, j] = context.masks[r, j] * states[0, current + r, j]


@part("take_apart")
def _take_apart(context, tape_row, previous, current, count, t):
    """Before the cell, backward: set aside what zoneout carries past it."""
    states, d_states, extras, size = context.states, context.d_states, context.extras, context.size
    if context.zoneout > 0:
        threshold = threshold_of(context.zoneout)
        for r in range(count):
            chance = chance_of(context.key, ZONEOUT + context.direction, context.places[r], t)
            for k in range(states.shape[0]):
                for j in range(size):
                    z = states.dtype.type(_share_kept(context, chance, k, j, threshold))
                    context.d_kept[k, r, j] = z * d_states[k, r, j]
                    d_states[k, r, j] *= states.dtype.type(1) - z
    for r in range(min(count, context.masks.shape[0])):
        for j in range(context.width):
            extras.d_hidden[r, j] = 0


@part("put_together")
def _put_together(context, tape_row, previous, current, count, t):
    """After the cell and its products, backward: what reaches the states at t - 1, from all sides."""
    states, d_states, extras, size = context.states, context.d_states, context.extras, context.size
    if context.zoneout > 0:
        for k in range(states.shape[0]):
            for r in range(count):
                for j in range(size):
                    d_states[k, r, j] += context.d_kept[k, r, j]
    for r in range(min(count, context.masks.shape[0])):
        for j in range(context.width):
            d_states[0, r, j] += context.masks[r, j] * extras.d_hidden[r, j]


# --- Layer normalisation ----------------------------------------------------------------------------------------------


@part("sum_of")
def _sum_of(values):
    """Return the sum of numbers."""
    whole = values.size // PARTIAL_SUMS * PARTIAL_SUMS
    total = sum_many(values, 0, whole)
    for j in range(whole, values.size):
        total += values[j]
    return total


@part("sum_of_products")
def _sum_of_products(a, b):
    """Return the sum of products of numbers."""
    whole = a.size // PARTIAL_SUMS * PARTIAL_SUMS
    total = sum_many_products(a, 0, b, 0, whole)
    for j in range(whole, a.size):
        total = fma(a[j], b[j], total)
    return total


@part("block_of")
def _block_of(size, gates):
    """Return how many gates are worked on at a time: all where no padding parts them on any vector width, else one."""
    return gates if size % PARTIAL_SUMS == 0 else 1


@part("centre")
def _centre(parts, at, gates, size, width):
    """Subtract the mean from `gates` blocks of `size` numbers, `width` apart; return 1 / sqrt(var + epsilon)."""
    number = parts.dtype.type
    n, block = number(gates * size), _block_of(size, gates)
    total, squares = number(0), number(0)
    for gate in range(0, gates, block):
        total += _sum_of(view(parts, at + gate * width, (block * size,)))
    mean = total / n
    for gate in range(0, gates, block):
        values = view(parts, at + gate * width, (block * size,))
        for j in range(values.size):
            values[j] -= mean
        squares += _sum_of_products(values, values)
    return number(1) / number(math.sqrt(squares / n + number(EPSILON)))


@part("scaled")
def _scaled(target, gain, normed, factor, start):
    """Multiply what was centred by its factor, and set target to gain * normed + start."""
    for j in range(normed.size):
        value = factor * normed[j]
        normed[j] = value
        target[j] = gain[j] * value + start[j]
    for j in range(normed.size, target.size):
        target[j] = 0


@part("add_scaled")
def _add_scaled(target, gain, normed, factor):
    """The same, added to the target: a loop of its own, since over arrays that overlap none is made of vectors."""
    for j in range(normed.size):
        value = factor * normed[j]
        normed[j] = value
        target[j] += gain[j] * value


@part("normalise")
def _normalise(context, tape_row, previous, current, count, t):
    """Before the cell, forward: normalise both halves of the pre-activations, and add them up."""
    tape, bias, parts, gains = context.tape, context.bias, context.extras.parts, context.gains
    size, width, runs = context.size, context.width, context.runs
    gates = gains.size // (2 * width)
    for row in range(tape_row, tape_row + count):
        own, to = row * parts.shape[1], row * tape.shape[1]
        of_x = _centre(parts, own, gates, size, width)
        of_h = _centre(parts, own + gates * width, gates, size, width)
        parts[row, 2 * gates * width], parts[row, 2 * gates * width + 1] = of_x, of_h
        for i in range(runs.shape[0]):
            block = _block_of(size, runs[i, 2])
            n, wide = block * size, block * width
            for g in range(0, runs[i, 2], block):
                x, h, apart = (runs[i, 0] + g) * width, (gates + runs[i, 0] + g) * width, (runs[i, 1] + g) * width
                target = view(tape, to + x, (wide,))
                _scaled(target, view(gains, x, (n,)), view(parts, own + x, (n,)), of_x, view(bias, x, (n,)))
                if apart == x:
                    _add_scaled(target, view(gains, h, (n,)), view(parts, own + h, (n,)), of_h)
                else:
                    target, start = view(tape, to + apart, (wide,)), view(bias, apart, (n,))
                    _scaled(target, view(gains, h, (n,)), view(parts, own + h, (n,)), of_h, start)


@part("norm_half_back")
def _norm_half_back(d_pre, d_at, normed, at, gains, sum_gains, of, factor, runs, half, gates, size, width, spare):
    """Set what was normed, the halves' blocks from `at` on, to the gradient of what it was made of."""
    number = normed.dtype.type
    mean, slope = number(0), number(0)
    for i in range(runs.shape[0]):
        block = _block_of(size, runs[i, 2])
        n = block * size
        d_normed = view(spare, 0, (n,))
        for g in range(0, runs[i, 2], block):
            gate = runs[i, 0] + g
            d = view(d_pre, d_at + ((runs[i, 1] if half == 1 else runs[i, 0]) + g) * width, (n,))
            own, gain = view(normed, at + gate * width, (n,)), view(gains, of + gate * width, (n,))
            total = view(sum_gains, of + gate * width, (n,))
            for j in range(n):
                total[j] += d[j] * own[j]
                d_normed[j] = d[j] * gain[j]
            mean += _sum_of(d_normed)
            slope += _sum_of_products(d_normed, own)
    mean, slope = mean / number(gates * size), slope / number(gates * size)
    for i in range(runs.shape[0]):
        block = _block_of(size, runs[i, 2])
        n = block * size
        for g in range(0, runs[i, 2], block):
            gate = runs[i, 0] + g
            d = view(d_pre, d_at + ((runs[i, 1] if half == 1 else runs[i, 0]) + g) * width, (n,))
            own, gain = view(normed, at + gate * width, (n,)), view(gains, of + gate * width, (n,))
            for j in range(n):
                own[j] = factor * (d[j] * gain[j] - mean - own[j] * slope)


@part("normalise_back")
def _normalise_back(context, tape_row, previous, current, count, t):
    """After the cell, backward: from dL/d(pre-activations) to the gradient of the gains, and of both products."""
    tape, parts, gains = context.tape, context.extras.parts, context.gains
    size, width = context.size, context.width
    gates = gains.size // (2 * width)
    of_block = view(context.spare, gates * width, (gains.size,))
    for row in range(tape_row, tape_row + count):
        for half in range(2):
            of = half * gates * width
            factor, at = parts[row, 2 * gates * width + half], row * parts.shape[1] + of
            _norm_half_back(
                tape, row * tape.shape[1], parts, at, gains, of_block, of, factor, context.runs, half, gates, size,
                width, context.spare,
            )  # fmt: skip
    if t % _BLOCK_STEPS == 0:  # on the way back the last of its block: short sums keep their precision over many steps
        for j in range(gains.size):
            context.sum_gains[j] += of_block[j]
            of_block[j] = 0
