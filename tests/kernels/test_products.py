"""The tiled products against naive NumPy: odd sizes, gaps between rows, canaries around arrays, NaN and infinity."""

import itertools
import math

import numpy as np
import pytest

from elman.kernels.compiled import kernel
from elman.kernels.lanes import lanes, padded
from elman.kernels.products import (
    accumulate_gradient,
    accumulate_rows,
    multiply,
    multiply_both,
    pack_plain,
    pack_transposed,
    unpack_gradient,
)

DTYPES = [np.dtype("float32"), np.dtype("float64")]
SIZES = (1, 2, 3, 5, 7, 15, 17, 31, 33, 100)
GUARD = 64


@kernel("test_multiply")
def compiled_multiply(c, start, start_stride, a, first, rows, depth, packed, packed_at, columns, lanes):
    multiply(c, start, start_stride, a, first, rows, depth, packed, packed_at, columns, lanes)


@kernel("test_accumulate_gradient")
def compiled_accumulate(c, c_at, c_stride, a, size, b, columns, first, rows, lanes):
    accumulate_gradient(c, c_at, c_stride, a, size, b, columns, first, rows, lanes)


class Guarded:
    """Arrays between NaN canaries: a read outside them poisons the result, a write outside them is found afterwards."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.edges = []

    def new(self, *shape, fill=math.nan):
        size = math.prod(shape)
        whole = np.full(size + 2 * GUARD, math.nan, self.dtype)
        inner = whole[GUARD : GUARD + size]
        inner[:] = fill
        self.edges += [whole[:GUARD], whole[GUARD + size :]]
        return inner.reshape(shape)

    def copy(self, values):
        array = self.new(*values.shape)
        array[...] = values
        return array

    def check(self):
        for edge in self.edges:
            assert np.isnan(edge).all(), "written outside an array"


def rounding(exact_of_sizes, terms, dtype):
    """The bound on a sum of products: one rounding a term, relative to the sum of their sizes."""
    return (terms + 1) * np.finfo(dtype).eps * exact_of_sizes


class Product:
    """C = start + A @ weight.T on `rows` scattered rows of larger arrays."""

    def __init__(self, rng, dtype, rows, depth, size, gates=1):
        self.guarded = Guarded(dtype)
        self.dtype, self.rows, self.depth = dtype, rows, depth
        self.width = padded(size, dtype)
        self.columns = gates * self.width
        self.weight = rng.standard_normal((gates * size, depth)).astype(dtype)
        self.a = self.guarded.new(rows + 4, depth + 3)
        self.a_rows = rng.permutation(rows + 4)[: rows + 1]
        self.a[self.a_rows[1:], 2 : 2 + depth] = rng.standard_normal((rows, depth))
        self.c = self.guarded.new(rows + 3, self.columns + 5)
        self.c_rows = rng.permutation(rows + 3)[: rows + 1]
        self.packed = self.guarded.new(depth * self.columns + 6)
        self.packed[6:] = 0
        pack_transposed(self.weight, size, self.width, depth, depth, lanes(dtype), self.packed[6:])
        self.full = np.zeros((self.columns, depth), dtype)  # the weight with its padding
        self.full.reshape(gates, self.width, depth)[:, :size] = self.weight.reshape(gates, size, depth)

    def run(self, start=None):
        """Return rows of C; `start` (columns,) is a bias, else C is added to."""
        c, a = (self.c, self.c_rows, 4, self.c.shape[1]), (self.a, self.a_rows, 2, self.a.shape[1])
        bias, stride = (
            (self.c, self.c.shape[1]) if start is None else (np.r_[[np.nan] * 4, start].astype(self.dtype), 0)
        )
        sizes = (self.depth, self.packed, 6, self.columns, lanes(self.dtype))
        compiled_multiply(c, bias, stride, a, 1, self.rows, *sizes)
        self.guarded.check()
        return self.c[self.c_rows[1:], 4 : 4 + self.columns]

    def expected(self, start):
        a = self.a[self.a_rows[1:], 2 : 2 + self.depth].astype(np.float64)
        exact = start + a @ self.full.T.astype(np.float64)
        sizes = np.abs(start) + np.abs(a) @ np.abs(self.full.T.astype(np.float64))
        return exact, rounding(sizes, self.depth, self.dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("depth", SIZES)
def test_multiply_is_start_plus_the_product_at_any_size(dtype, depth):
    rng = np.random.default_rng(depth)
    for rows, size in itertools.product(SIZES, SIZES):
        product = Product(rng, dtype, rows, depth, size)
        bias = rng.standard_normal(product.columns).astype(dtype)
        exact, bound = product.expected(bias)
        assert (np.abs(product.run(bias) - exact) <= bound).all()

        before = product.run(bias).copy()
        exact, bound = product.expected(before)
        assert (np.abs(product.run() - exact) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_multiply_touches_no_column_and_no_row_but_its_own(dtype):
    product = Product(np.random.default_rng(0), dtype, 7, 5, 3)
    product.run(np.zeros(product.columns))
    others = np.setdiff1d(np.arange(len(product.c)), product.c_rows[1:])
    assert np.isnan(product.c[others]).all()
    assert np.isnan(product.c[:, :4]).all()
    assert np.isnan(product.c[:, 4 + product.columns :]).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("gates", [2, 3, 4])
def test_gates_are_packed_side_by_side_each_padded_to_whole_vectors(dtype, gates):
    rng = np.random.default_rng(gates)
    for rows, depth, size in itertools.product((1, 6, 13), (1, 5, 17), (1, 7, 15, 33)):
        product = Product(rng, dtype, rows, depth, size, gates)
        bias = rng.standard_normal(product.columns).astype(dtype)
        exact, bound = product.expected(bias)
        assert (np.abs(product.run(bias) - exact) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_row_has_the_same_bits_alone_and_among_any_number_of_others(dtype):
    rng = np.random.default_rng(3)
    product = Product(rng, dtype, 33, 31, 17)
    bias = rng.standard_normal(product.columns).astype(dtype)
    together = product.run(bias).copy()
    c_rows, a_rows = product.c_rows, product.a_rows
    for rows in (1, 2, 3, 5, 8, 15):
        for start in range(0, 33 - rows, rows):
            product.rows = rows
            product.c_rows, product.a_rows = (
                c_rows[start : start + rows + 1].copy(),
                a_rows[start : start + rows + 1].copy(),
            )
            assert np.array_equal(product.run(bias), together[start : start + rows])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("hostile", [math.nan, math.inf, -math.inf])
def test_a_hostile_value_spoils_its_own_row_and_no_other(dtype, hostile):
    rng = np.random.default_rng(4)
    for rows, spoilt in ((1, 0), (9, 0), (9, 5), (17, 16)):
        product = Product(rng, dtype, rows, 7, 5)
        bias = np.zeros(product.columns, dtype)
        clean = product.run(bias).copy()
        product.a[product.a_rows[1 + spoilt], 2 + 3] = hostile
        result = product.run(bias)
        others = np.arange(rows) != spoilt
        assert np.array_equal(result[others], clean[others])
        with np.errstate(invalid="ignore"):
            exact, _ = product.expected(bias)
        assert np.array_equal(np.isfinite(result[spoilt, :5]), np.isfinite(exact[spoilt, :5]))
        assert not np.isfinite(result[spoilt, :5]).any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_hostile_weight_spoils_its_own_column_and_no_other(dtype):
    product = Product(np.random.default_rng(5), dtype, 9, 7, 33)
    bias = np.zeros(product.columns, dtype)
    clean = product.run(bias).copy()
    product.weight[20, 4] = math.nan
    pack_transposed(product.weight, 33, product.width, 7, 7, lanes(dtype), product.packed[6:])
    result = product.run(bias)
    assert np.isnan(result[:, 20]).all()
    assert np.array_equal(np.delete(result, 20, axis=1), np.delete(clean, 20, axis=1))


def test_the_product_of_no_columns_is_the_start():
    product = Product(np.random.default_rng(6), DTYPES[0], 5, 3, 7)
    product.depth = 0
    bias = np.arange(product.columns, dtype=np.float32)
    assert np.array_equal(product.run(bias), np.tile(bias, (5, 1)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_accumulate_gradient_adds_the_product_over_rows_at_any_size(dtype, size):
    rng = np.random.default_rng(size)
    for rows, b_size in itertools.product(SIZES, SIZES):
        columns = padded(b_size, dtype)
        guarded = Guarded(dtype)
        a, b = guarded.new(rows + 4, size + 3), guarded.new(rows + 2, columns + 7)
        a_rows, b_rows = rng.permutation(rows + 4)[: rows + 1], rng.permutation(rows + 2)[: rows + 1]
        a_values = rng.standard_normal((rows, size)).astype(dtype)
        b_values = rng.standard_normal((rows, columns)).astype(dtype)
        a[a_rows[1:], 1 : 1 + size] = a_values
        b[b_rows[1:], 2 : 2 + columns] = b_values
        before = rng.standard_normal((size, columns)).astype(dtype)
        c = guarded.new(size, columns + 9)
        c[:, 5 : 5 + columns] = before

        a_matrix, b_matrix = (a, a_rows, 1, a.shape[1]), (b, b_rows, 2, b.shape[1])
        compiled_accumulate(c, 5, c.shape[1], a_matrix, size, b_matrix, columns, 1, rows, lanes(dtype))

        guarded.check()
        assert np.isnan(c[:, :5]).all()
        assert np.isnan(c[:, 5 + columns :]).all()
        a64, b64 = a_values.astype(np.float64), b_values.astype(np.float64)
        bound = rounding(np.abs(before) + np.abs(a64.T) @ np.abs(b64), rows, dtype)
        assert (np.abs(c[:, 5 : 5 + columns] - (before + a64.T @ b64)) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_accumulate_gradient_lets_nan_through_where_it_belongs(dtype):
    rng = np.random.default_rng(7)
    rows, size, columns = 9, 5, lanes(dtype) * 3
    a, b = rng.standard_normal((rows, size)).astype(dtype), rng.standard_normal((rows, columns)).astype(dtype)
    b[4, columns - 1] = math.nan
    c, order = np.zeros((size, columns), dtype), np.arange(rows)
    compiled_accumulate(
        c, 0, columns, (a, order, 0, size), size, (b, order, 0, columns), columns, 0, rows, lanes(dtype)
    )
    assert np.isnan(c[:, columns - 1]).all()
    assert np.isfinite(c[:, : columns - 1]).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("in_blocks", [1, 2])
def test_plain_packing_is_the_factor_that_carries_gradients_back(dtype, in_blocks):
    rng = np.random.default_rng(in_blocks)
    for gates, size, in_size, rows in itertools.product((1, 2, 3), (1, 5, 17), (1, 3, 15, 33), (1, 7)):
        width, in_width = padded(size, dtype), padded(in_size, dtype)
        depth, columns = gates * width, in_blocks * in_width
        weight = rng.standard_normal((gates * size, in_blocks * in_size)).astype(dtype)
        guarded = Guarded(dtype)
        packed = guarded.new(depth * columns, fill=0)
        pack_plain(weight, size, width, in_size, in_width, lanes(dtype), packed)
        d_pre, d_x = guarded.new(rows, depth, fill=0), guarded.new(rows, columns, fill=0)
        d_pre.reshape(rows, gates, width)[:, :, :size] = rng.standard_normal((rows, gates, size))
        order = np.arange(rows)
        compiled_multiply((d_x, order, 0, columns), d_x, columns, (d_pre, order, 0, depth), 0, rows, depth, packed, 0, columns, lanes(dtype))  # fmt: skip  # noqa: E501
        guarded.check()
        plain = d_pre.reshape(rows, gates, width)[:, :, :size].reshape(rows, gates * size).astype(np.float64)
        exact = plain @ weight.astype(np.float64)
        bound = rounding(np.abs(plain) @ np.abs(weight.astype(np.float64)), depth, dtype)
        found = d_x.reshape(rows, in_blocks, in_width)
        assert (np.abs(found[:, :, :in_size].reshape(rows, -1) - exact) <= bound).all()
        assert (found[:, :, in_size:] == 0).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("in_blocks", [1, 2])
def test_transposed_packing_reads_an_input_whose_directions_are_padded(dtype, in_blocks):
    rng = np.random.default_rng(in_blocks)
    for gates, size, in_size in itertools.product((1, 3), (1, 5, 17), (1, 3, 15, 33)):
        width, in_width, rows = padded(size, dtype), padded(in_size, dtype), 7
        depth, columns = in_blocks * in_width, gates * width
        weight = rng.standard_normal((gates * size, in_blocks * in_size)).astype(dtype)
        guarded = Guarded(dtype)
        packed, x, pre = (guarded.new(*s, fill=0) for s in ((depth * columns,), (rows, depth), (rows, columns)))
        pack_transposed(weight, size, width, in_size, in_width, lanes(dtype), packed)
        x.reshape(rows, in_blocks, in_width)[:, :, :in_size] = rng.standard_normal((rows, in_blocks, in_size))
        order = np.arange(rows)
        compiled_multiply((pre, order, 0, columns), pre, columns, (x, order, 0, depth), 0, rows, depth, packed, 0, columns, lanes(dtype))  # fmt: skip  # noqa: E501
        guarded.check()
        plain = x.reshape(rows, in_blocks, in_width)[:, :, :in_size].reshape(rows, -1).astype(np.float64)
        bound = rounding(np.abs(plain) @ np.abs(weight.T.astype(np.float64)), depth, dtype)
        found = pre.reshape(rows, gates, width)
        assert (np.abs(found[:, :, :size].reshape(rows, -1) - plain @ weight.T.astype(np.float64)) <= bound).all()
        assert (found[:, :, size:] == 0).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_unpacking_sets_the_gradient_in_the_layout_of_the_weight(dtype):
    rng = np.random.default_rng(8)
    for gates, size, in_blocks, in_size in itertools.product((1, 3, 4), (1, 5, 17), (1, 2), (1, 3, 33)):
        width, in_width = padded(size, dtype), padded(in_size, dtype)
        guarded = Guarded(dtype)
        sums = guarded.new(in_blocks * in_width, gates * width)  # NaN in its padding, which must not be read
        values = rng.standard_normal((gates * size, in_blocks * in_size)).astype(dtype)
        for gate, block in itertools.product(range(gates), range(in_blocks)):
            piece = values[gate * size : (gate + 1) * size, block * in_size : (block + 1) * in_size]
            sums[block * in_width : block * in_width + in_size, gate * width : gate * width + size] = piece.T
        d_weight = guarded.new(*values.shape)
        unpack_gradient(sums, size, width, in_size, in_width, lanes(dtype), d_weight)
        guarded.check()
        assert np.array_equal(d_weight, values)


def test_a_mixture_of_precisions_is_refused():
    a, c = np.zeros((1, 8), np.float32), np.zeros((1, 32), np.float64)
    order = np.zeros(1, np.int64)
    with pytest.raises(Exception, match="one precision"):
        compiled_multiply((c, order, 0, 32), c, 32, (a, order, 0, 8), 0, 1, 8, np.zeros(256), 0, 32, lanes(c.dtype))


@kernel("test_multiply_both")
def compiled_both(
    c, start, stride, first, rows, columns, lanes, a, a_depth, a_packed, a_at, b, b_depth, b_packed, b_at
):
    multiply_both(c, start, stride, first, rows, columns, lanes, a, a_depth, a_packed, a_at, b, b_depth, b_packed, b_at)


@kernel("test_accumulate_rows")
def compiled_rows(c, b, columns, first, rows, lanes):
    accumulate_rows(c, b, columns, first, rows, lanes)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_both_products_at_once_are_the_bits_of_one_after_the_other(dtype):
    for rows, a_depth, b_depth, size in itertools.product((1, 2, 3, 7, 8, 13, 17), (1, 5, 33), (0, 3, 31), (1, 15, 33)):
        rng = np.random.default_rng(rows)
        one, two = (Product(rng, dtype, rows, depth, size) for depth in (a_depth, max(b_depth, 1)))
        bias = rng.standard_normal(one.columns).astype(dtype)
        one.run(bias)
        two.depth = b_depth
        two.c, two.c_rows = one.c, one.c_rows
        expected = two.run().copy() if b_depth else one.c[one.c_rows[1:], 4 : 4 + one.columns].copy()
        one.c[one.c_rows[1:]] = math.nan
        factors = []
        for p in (one, two):
            factors += [(p.a, p.a_rows, 2, p.a.shape[1]), p.depth, p.packed, 6]
        start = np.r_[[np.nan] * 4, bias].astype(dtype)
        c = (one.c, one.c_rows, 4, one.c.shape[1])
        compiled_both(c, start, 0, 1, rows, one.columns, lanes(dtype), *factors)
        one.guarded.check()
        two.guarded.check()
        assert np.array_equal(one.c[one.c_rows[1:], 4 : 4 + one.columns], expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_are_summed_in_their_order_at_any_size(dtype):
    rng = np.random.default_rng(11)
    for rows, size in itertools.product(SIZES, SIZES):
        guarded, columns = Guarded(dtype), padded(size, dtype)
        b, c = guarded.new(rows + 2, columns + 3), guarded.new(columns)
        b_rows = rng.permutation(rows + 2)[: rows + 1]
        b[b_rows[1:], 2 : 2 + columns] = rng.standard_normal((rows, columns))
        c[:] = rng.standard_normal(columns)
        expected = np.zeros(columns, dtype)
        for row in b_rows[1:]:
            expected += b[row, 2 : 2 + columns]
        expected = c + expected
        compiled_rows(c, (b, b_rows, 2, b.shape[1]), columns, 1, rows, lanes(dtype))
        guarded.check()
        assert np.array_equal(c, expected)
