"""Packed weights, and the three products that BPTT needs, on the register tile.

    pre  += x_t @ weight_ih.T, h_{t-1} @ weight_hh.T       multiply, with weights packed by pack_transposed
    d_h  += d_pre @ weight_hh, d_x += d_pre @ weight_ih    multiply, with weights packed by pack_plain
    d_weight += [x_t, h_{t-1}].T @ d_pre                   accumulate_gradient, over a block of rows at a time

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
from elman.kernels.tile import ROWS, VECTORS, forward_tile, gradient_tile

_MOST = ROWS[0]


def _forward_panel(vectors: int) -> Any:
    """Make the loop over rows for a panel of this many vectors: big tiles first, then ever smaller ones."""
    tile_most, tile_4, tile_2, tile_1 = (forward_tile(rows, vectors) for rows in ROWS)

    @part(f"forward_panel_{vectors}")
    def panel(c, start, start_stride, a, first, rows, j, depth, b, b_at, b_stride):
        i, end = first, first + rows
        while i + _MOST <= end:
            tile_most(c, start, start_stride, a, i, j, depth, b, b_at, b_stride)
            i += _MOST
        if i + 4 <= end:
            tile_4(c, start, start_stride, a, i, j, depth, b, b_at, b_stride)
            i += 4
        if i + 2 <= end:
            tile_2(c, start, start_stride, a, i, j, depth, b, b_at, b_stride)
            i += 2
        if i < end:
            tile_1(c, start, start_stride, a, i, j, depth, b, b_at, b_stride)

    return panel


def _gradient_panel(vectors: int) -> Any:
    """Make the loop over the rows of a weight gradient for a panel of this many vectors."""
    tile_most, tile_4, tile_2, tile_1 = (gradient_tile(rows, vectors) for rows in ROWS)

    @part(f"gradient_panel_{vectors}")
    def panel(c, c_at, c_stride, a, size, b, j, first, depth):
        i = 0
        while i + _MOST <= size:
            tile_most(c, c_at, c_stride, a, i, b, j, first, depth)
            i += _MOST
        if i + 4 <= size:
            tile_4(c, c_at, c_stride, a, i, b, j, first, depth)
            i += 4
        if i + 2 <= size:
            tile_2(c, c_at, c_stride, a, i, b, j, first, depth)
            i += 2
        if i < size:
            tile_1(c, c_at, c_stride, a, i, b, j, first, depth)

    return panel


_wide_forward, _narrow_forward = (_forward_panel(v) for v in VECTORS)
_wide_gradient, _narrow_gradient = (_gradient_panel(v) for v in VECTORS)


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
        _wide_forward(c, start, start_stride, a, first, rows, j, depth, packed, packed_at + j * depth, wide)
        j += wide
    if j < columns:
        _narrow_forward(c, start, start_stride, a, first, rows, j, depth, packed, packed_at + j * depth, lanes)


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


class Products(NamedTuple):
    """The products in one precision, for kernels that call them by address: call(address, (argument, ...))."""

    addresses: tuple[int, int]  # of multiply and accumulate_gradient in this process
    multiply: Any
    accumulate_gradient: Any


@functools.cache
def products(dtype: np.dtype[Any]) -> Products:
    """Return the products for matrices in one-dimensional arrays of float32 or float64."""
    array = types.Array(from_dtype(dtype), 1, "C")
    matrix = types.Tuple((array, types.Array(types.int64, 1, "C"), types.int64, types.int64))
    n = types.int64
    of_multiply = (matrix, array, n, matrix, n, n, n, array, n, n, n)
    of_gradient = (array, n, n, matrix, n, matrix, n, n, n, n)
    addresses = address(multiply, of_multiply), address(accumulate_gradient, of_gradient)
    return Products(addresses, caller(types.void, of_multiply), caller(types.void, of_gradient))


@kernel("pack_transposed")
def pack_transposed(weight, size, size_padded, in_size, in_padded, lanes, packed):
    """Pack weight (gates * size, in_blocks * in_size), the gates of one run, as the right factor of A @ weight.T.

    A has in_blocks * in_padded columns; the product has gates * size_padded. Padding is left as it is: zero.
    """
    gates, in_blocks = weight.shape[0] // size, weight.shape[1] // in_size
    depth, columns = in_blocks * in_padded, gates * size_padded
    for gate in range(gates):
        for j in range(size):
            column = gate * size_padded + j
            left = column // (2 * lanes) * (2 * lanes)
            width = min(2 * lanes, columns - left)
            at = left * depth + (column - left)
            for in_block in range(in_blocks):
                for k in range(in_size):
                    row = in_block * in_padded + k
                    packed[at + row * width] = weight[gate * size + j, in_block * in_size + k]


@kernel("pack_plain")
def pack_plain(weight, size, size_padded, in_size, in_padded, lanes, packed):
    """Pack weight (gates * size, in_blocks * in_size), the gates of one run, as the right factor of D @ weight.

    D has gates * size_padded columns; the product has in_blocks * in_padded. Padding is left as it is: zero.
    """
    gates, in_blocks = weight.shape[0] // size, weight.shape[1] // in_size
    depth, columns = gates * size_padded, in_blocks * in_padded
    for gate in range(gates):
        for k in range(size):
            row = gate * size_padded + k
            for in_block in range(in_blocks):
                for j in range(in_size):
                    column = in_block * in_padded + j
                    left = column // (2 * lanes) * (2 * lanes)
                    width = min(2 * lanes, columns - left)
                    packed[left * depth + row * width + (column - left)] = weight[
                        gate * size + k, in_block * in_size + j
                    ]


@kernel("unpack_gradient")
def unpack_gradient(sums, size, size_padded, in_size, in_padded, d_weight):
    """Add sums (in_blocks * in_padded, gates * size_padded) to d_weight (gates * size, in_blocks * in_size)."""
    gates, in_blocks = d_weight.shape[0] // size, d_weight.shape[1] // in_size
    for gate in range(gates):
        for j in range(size):
            for in_block in range(in_blocks):
                for k in range(in_size):
                    value = sums[in_block * in_padded + k, gate * size_padded + j]
                    d_weight[gate * size + j, in_block * in_size + k] += value
