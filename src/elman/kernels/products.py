"""Packed weights, and the three products that BPTT needs, on the register tile.

    pre  += x_t @ weight_ih.T, h_{t-1} @ weight_hh.T       multiply, with weights packed by pack_transposed, or for
                                                           both products at once multiply_both
    d_h  += d_pre @ weight_hh, d_x += d_pre @ weight_ih    multiply, with weights packed by pack_plain
    d_weight += [x_t, h_{t-1}].T @ d_pre                   accumulate_gradient, over a block of rows at a time
    d_bias += 1.T @ d_pre                                  accumulate_rows, likewise

Columns come in blocks, one a gate, each padded to whole vectors, so that neither tiles nor element-wise loops have a
remainder. Packed weights are panels one or two vectors wide, each panel contiguous, padded with zeros.

A matrix is seen through its row numbers: (array, rows, column, stride) has element [i, j] at
array[rows[first + i] * stride + column + j].
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from elman.kernels.compiled import address, caller, kernel, part
from elman.kernels.tile import forward_panel, gradient_panel, sum_tile

_wide, _narrow = forward_panel(2, 1), forward_panel(1, 1)
_wide_both, _narrow_both = forward_panel(2, 2), forward_panel(1, 2)
_wide_gradient, _narrow_gradient = gradient_panel(2), gradient_panel(1)
_sum_4, _sum_1 = sum_tile(4), sum_tile(1)


@kernel("multiply")
def multiply(c, start, start_stride, a, first, rows, depth, packed, packed_at, columns, lanes):
    """Set rows `first`, ..., `first + rows - 1` of C to their start plus A times the packed weights.

    c, a : matrices (array, rows, column, stride); A has `depth` columns, C has `columns`, a whole number of vectors.
    start : array that the sums start from: a bias row if start_stride is 0, else laid out as C.
    packed, packed_at : packed weights (depth, columns) and where in the array they begin.
    """
    wide = 2 * lanes
    j = 0
    while j + wide <= columns:
        _wide(c, start, start_stride, first, rows, j, a, depth, packed, packed_at + j * depth, wide)
        j += wide
    if j < columns:
        _narrow(c, start, start_stride, first, rows, j, a, depth, packed, packed_at + j * depth, lanes)


@kernel("multiply_both")
def multiply_both(
    c, start, start_stride, first, rows, columns, lanes, a, a_depth, a_packed, a_at, b, b_depth, b_packed, b_at
):
    """Set rows of C to their start plus A times its packed weights plus B times its own, in one pass over C."""
    wide = 2 * lanes
    j = 0
    while j + wide <= columns:
        at, b_here = a_at + j * a_depth, b_at + j * b_depth
        _wide_both(
            c, start, start_stride, first, rows, j, a, a_depth, a_packed, at, wide, b, b_depth, b_packed, b_here, wide
        )
        j += wide
    if j < columns:
        at, b_here = a_at + j * a_depth, b_at + j * b_depth
        _narrow_both(
            c, start, start_stride, first, rows, j, a, a_depth, a_packed, at, lanes, b, b_depth, b_packed, b_here, lanes
        )


@kernel("accumulate_gradient")
def accumulate_gradient(c, c_at, c_stride, a, size, b, columns, first, rows, lanes):
    """Add A.T @ B over `rows` rows from `first` to C (size, columns), which begins at c_at.

    a, b : matrices (array, rows, column, stride); A has `size` columns, B has `columns`, a whole number of vectors.
    """
    j = 0
    while j + 2 * lanes <= columns:
        _wide_gradient(c, c_at, c_stride, a, size, b, j, first, rows)
        j += 2 * lanes
    if j < columns:
        _narrow_gradient(c, c_at, c_stride, a, size, b, j, first, rows)


@kernel("accumulate_rows")
def accumulate_rows(c, b, columns, first, rows, lanes):
    """Add `rows` rows of B from `first` on to C (columns,), a whole number of vectors."""
    j = 0
    while j + 4 * lanes <= columns:
        _sum_4(c, b, j, first, rows)
        j += 4 * lanes
    while j < columns:
        _sum_1(c, b, j, first, rows)
        j += lanes


class Products(NamedTuple):
    """The products in one precision, for kernels that call them by address: call(address, (argument, ...))."""

    addresses: tuple[int, int, int, int]  # of the four in this process
    multiply: Any
    multiply_both: Any
    accumulate_gradient: Any
    accumulate_rows: Any


@functools.cache
def products(dtype: np.dtype[Any]) -> Products:
    """Return the products for matrices in one-dimensional arrays of float32 or float64."""
    array = types.Array(from_dtype(dtype), 1, "C")
    matrix = types.Tuple((array, types.Array(types.int64, 1, "C"), types.int64, types.int64))
    n = types.int64
    of_multiply = (matrix, array, n, matrix, n, n, n, array, n, n, n)
    of_gradient = (array, n, n, matrix, n, matrix, n, n, n, n)
    of_rows = (array, matrix, n, n, n, n)
    factor = (matrix, n, array, n)
    of_both = (matrix, array, n, n, n, n, n, *factor, *factor)
    kernels = (
        (multiply, of_multiply),
        (multiply_both, of_both),
        (accumulate_gradient, of_gradient),
        (accumulate_rows, of_rows),
    )
    one, two, three, four = (address(*each) for each in kernels)
    return Products((one, two, three, four), *(caller(types.void, arguments) for _, arguments in kernels))


@part("panel_place")
def _panel_place(column, columns, depth, lanes):
    """Return where the first row of a vector of columns begins in packed weights, and how far apart its rows are."""
    left = column // (2 * lanes) * (2 * lanes)
    return left * depth + column - left, min(2 * lanes, columns - left)


@kernel("pack_transposed")
def pack_transposed(weight, size, size_padded, in_size, in_padded, lanes, packed):
    """Pack weight (gates * size, in_blocks * in_size), the gates of one run, as the right factor of A @ weight.T.

    A has in_blocks * in_padded columns; the product has gates * size_padded. Padding is left as it is: zero.
    """
    gates, in_blocks = weight.shape[0] // size, weight.shape[1] // in_size
    depth, columns = in_blocks * in_padded, gates * size_padded
    for gate in range(gates):
        for j in range(0, size, lanes):  # a vector of columns at a time
            at, apart = _panel_place(gate * size_padded + j, columns, depth, lanes)
            here = min(lanes, size - j)
            rows = weight[gate * size + j : gate * size + j + here]
            for in_block in range(in_blocks):
                for k in range(in_size):
                    row = at + (in_block * in_padded + k) * apart
                    for n in range(here):
                        packed[row + n] = rows[n, in_block * in_size + k]


@kernel("pack_plain")
def pack_plain(weight, size, size_padded, in_size, in_padded, lanes, packed):
    """Pack weight (gates * size, in_blocks * in_size), the gates of one run, as the right factor of D @ weight.

    D has gates * size_padded columns; the product has in_blocks * in_padded. Padding is left as it is: zero.
    """
    gates, in_blocks = weight.shape[0] // size, weight.shape[1] // in_size
    depth, columns = gates * size_padded, in_blocks * in_padded
    for in_block in range(in_blocks):
        for j in range(0, in_size, lanes):
            at, apart = _panel_place(in_block * in_padded + j, columns, depth, lanes)
            here, left = min(lanes, in_size - j), in_block * in_size + j
            for gate in range(gates):
                for k in range(size):
                    row = at + (gate * size_padded + k) * apart
                    for n in range(here):
                        packed[row + n] = weight[gate * size + k, left + n]


@kernel("unpack_gradient")
def unpack_gradient(sums, size, size_padded, in_size, in_padded, lanes, d_weight):
    """Set d_weight (gates * size, in_blocks * in_size) from sums (in_blocks * in_padded, gates * size_padded)."""
    gates, in_blocks = d_weight.shape[0] // size, d_weight.shape[1] // in_size
    for gate in range(gates):
        for j in range(0, size, lanes):
            here = min(lanes, size - j)
            rows = d_weight[gate * size + j : gate * size + j + here]
            for in_block in range(in_blocks):
                for k in range(in_size):
                    values = sums[in_block * in_padded + k, gate * size_padded + j :]
                    for n in range(here):
                        rows[n, in_block * in_size + k] = values[n]
