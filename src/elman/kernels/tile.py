"""The register tile: the inner matrix product, written as LLVM IR through Numba.

A tile is up to MOST_ROWS rows by one or two vector registers of the result. Its sums stay in registers while k runs
over the depth; each step of k loads the vectors of B, spreads one number of A per row, and multiplies and adds. Every
sum adds its products in the order of k with one rounding each, whatever the tile's size and the vector's width, so a
result has the same bits in any batch and on any instruction set. A panel is a column of tiles: all rows, one or two
vectors wide.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype

from elman.kernels.lanes import VECTOR_BYTES, data_pointer, lanes, llvm_fma

# Sums for 8 x 2 vectors take 16 of the 32 registers of AVX-512; 6 x 2 take 12 of the 16 that the others have.
MOST_ROWS = 8 if VECTOR_BYTES == 64 else 6
_INT = ir.IntType(64)


class _Matrix(NamedTuple):
    """A matrix (array, rows, column, stride): row i begins at array[rows[i] * stride + column]."""

    base: Any
    rows: Any
    column: Any
    stride: Any


class _Emitter:
    """Shared by all panels: pointers, vectors of the right width, the loops over rows and over k."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder, self.signature, self.args = context, builder, signature, args
        first = signature.args[0]
        float_type = first[0].dtype if isinstance(first, types.BaseTuple) else first.dtype
        dtype = np.dtype(as_dtype(float_type))
        self.width = lanes(dtype)
        self.vector = ir.VectorType(context.get_value_type(float_type), self.width)
        self.align = dtype.itemsize

    def pointer(self, argument: int) -> Any:
        """Return the address of the array passed as this argument."""
        return data_pointer(self.context, self.builder, self.signature.args[argument], self.args[argument])

    def matrix(self, argument: int) -> "_Matrix":
        """Return the parts of the matrix passed as this argument."""
        kind, value = self.signature.args[argument], self.args[argument]
        array, rows, column, stride = (self.builder.extract_value(value, i) for i in range(4))
        base, numbers = (
            data_pointer(self.context, self.builder, kind[i], part) for i, part in enumerate((array, rows))
        )
        return _Matrix(base, numbers, column, stride)

    def row_offset(self, matrix: "_Matrix", place: Any, stride: Any = None) -> Any:
        """Load a row's number and return where the row's first column lies, counted in elements."""
        row = self.builder.load(self.builder.gep(matrix.rows, [place]))
        return self.builder.add(self.builder.mul(row, matrix.stride if stride is None else stride), matrix.column)

    def at(self, base: Any, *offsets: Any) -> Any:
        """Return base advanced by the sum of the offsets, counted in elements."""
        total = offsets[0]
        for offset in offsets[1:]:
            total = self.builder.add(total, offset)
        return self.builder.gep(base, [total])

    def as_vector(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load_vectors(self, base: Any, offset: Any, vectors: int) -> list[Any]:
        """Load consecutive vectors."""
        places = [self.at(base, offset, ir.Constant(_INT, j * self.width)) for j in range(vectors)]
        return [self.builder.load(self.as_vector(place), align=self.align) for place in places]

    def store_vectors(self, values: list[Any], base: Any, offset: Any) -> None:
        """Store consecutive vectors."""
        for j, value in enumerate(values):
            place = self.at(base, offset, ir.Constant(_INT, j * self.width))
            self.builder.store(value, self.as_vector(place), align=self.align)

    def spread(self, scalar: Any) -> Any:
        """Fill a vector with one number."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        lanes_of_it = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, undefined, lanes_of_it)

    def by_rows(self, first: Any, rows: Any, tile: Callable[[Any, int], None]) -> None:
        """Emit tiles over `rows` rows from `first` on: the largest as often as it fits, then one for what is left."""
        builder = self.builder
        end = builder.add(first, rows)
        before = builder.block
        head, body, rest, done = (builder.append_basic_block(name) for name in ("rows", "full", "rest", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        i = builder.phi(_INT)
        i.add_incoming(first, before)
        left = builder.sub(end, i)
        builder.cbranch(builder.icmp_signed(">=", left, ir.Constant(_INT, MOST_ROWS)), body, rest)
        builder.position_at_end(body)
        tile(i, MOST_ROWS)
        i.add_incoming(builder.add(i, ir.Constant(_INT, MOST_ROWS)), builder.block)
        builder.branch(head)
        builder.position_at_end(rest)
        cases = builder.switch(left, done)
        for size in range(1, MOST_ROWS):
            case = builder.append_basic_block(f"left_{size}")
            cases.add_case(ir.Constant(_INT, size), case)
            builder.position_at_end(case)
            tile(i, size)
            builder.branch(done)
        builder.position_at_end(done)

    def add_product(self, sums: list[list[Any]], places: list[Any], argument: int) -> list[list[Any]]:
        """Emit sums[i] += a[places[i]] @ b for the factor (a, depth, b, b_at, b_stride) from this argument on."""
        builder, a, b = self.builder, self.matrix(argument), self.pointer(argument + 2)
        depth, b_at, b_stride = (self.args[argument + i] for i in (1, 3, 4))
        a_rows = [builder.gep(a.base, [self.row_offset(a, place)]) for place in places]
        return self.accumulate(
            sums,
            depth,
            lambda k: [builder.gep(row, [k]) for row in a_rows],
            lambda k: builder.add(b_at, builder.mul(k, b_stride)),
            b,
        )

    def accumulate(self, sums: list[list[Any]], depth: Any, a_pointers: Any, b_offset: Any, b: Any) -> list[list[Any]]:
        """Emit the loop over k: sums[i][j] += a[i, k] * b[k, j], or b[k, j] without A; return the final sums."""
        builder, vectors = self.builder, len(sums[0])
        before = builder.block
        head, body, done = (builder.append_basic_block(name) for name in ("tile_head", "tile_body", "tile_done"))
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(_INT)
        k.add_incoming(ir.Constant(_INT, 0), before)
        running = [[builder.phi(self.vector) for _ in row] for row in sums]
        for phis, row in zip(running, sums):
            for phi, first in zip(phis, row):
                phi.add_incoming(first, before)
        builder.cbranch(builder.icmp_signed("<", k, depth), body, done)
        builder.position_at_end(body)
        columns = self.load_vectors(b, b_offset(k), vectors)
        if a_pointers is None:
            updated = [[builder.fadd(total, column) for total, column in zip(running[0], columns)]]
        else:
            numbers = [self.spread(builder.load(pointer)) for pointer in a_pointers(k)]
            updated = [
                [llvm_fma(builder, number, column, total) for total, column in zip(row, columns)]
                for number, row in zip(numbers, running)
            ]
        k.add_incoming(builder.add(k, ir.Constant(_INT, 1)), builder.block)
        for phis, row in zip(running, updated):
            for phi, new in zip(phis, row):
                phi.add_incoming(new, builder.block)
        builder.branch(head)
        builder.position_at_end(done)
        return running


def forward_panel(vectors: int, factors: int) -> Any:
    """Make the product of a panel of columns, whose rows are sequences.

    panel(c, start, start_stride, first, rows, j, *factors), each factor (a, depth, b, b_at, b_stride): for `rows` rows
    i of the matrices from `first` on, and vectors * lanes columns from j on,

        c[i, j] = start[i * start_stride + c.column + j] + sum over factors, sum_k a[i, k] * b[b_at + k * b_stride + .]

    start_stride is 0 for a bias; with c's own array and stride as start, the products are added to c.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        e = _Emitter(context, builder, signature, args)
        c, start = e.matrix(0), e.pointer(1)
        start_stride, first, rows, j = args[2:6]

        def tile(i: Any, size: int) -> None:
            places = [builder.add(i, ir.Constant(_INT, n)) for n in range(size)]
            starts = [builder.add(e.row_offset(c, place, start_stride), j) for place in places]
            sums = [e.load_vectors(start, offset, vectors) for offset in starts]
            for factor in range(factors):
                sums = e.add_product(sums, places, 6 + 5 * factor)
            for row, place in zip(sums, places):
                e.store_vectors(row, c.base, builder.add(e.row_offset(c, place), j))

        e.by_rows(first, rows, tile)
        return context.get_dummy_value()

    index = types.intp
    if factors == 1:

        @intrinsic
        def panel(
            typingctx: Any, c: Any, start: Any, start_stride: Any, first: Any, rows: Any, j: Any,
            a: Any, depth: Any, b: Any, b_at: Any, b_stride: Any,
        ) -> Any:  # fmt: skip
            _check(c[0], start, a[0], b)
            return types.void(c, start, index, index, index, index, a, index, b, index, index), emit

    else:

        @intrinsic
        def panel(
            typingctx: Any, c: Any, start: Any, start_stride: Any, first: Any, rows: Any, j: Any,
            a: Any, depth: Any, b: Any, b_at: Any, b_stride: Any,
            a_2: Any, depth_2: Any, b_2: Any, b_2_at: Any, b_2_stride: Any,
        ) -> Any:  # fmt: skip
            _check(c[0], start, a[0], b, a_2[0], b_2)
            factor = (a, index, b, index, index)
            return types.void(c, start, index, index, index, index, *factor, *factor), emit

    return panel


def gradient_panel(vectors: int) -> Any:
    """Make the product of a panel of columns that sums over the rows of a batch.

    panel(c, c_at, c_stride, a, size, b, j, first, depth): for `size` columns i of a, and vectors * lanes columns of b
    from j on,

        c[c_at + i * c_stride + j] += sum_k a[first + k, i] * b[first + k, j]

    The sum starts at zero and is added to c once, so that a long sum is a sum of short ones and loses less to rounding.
    """

    @intrinsic
    def panel(
        typingctx: Any, c: Any, c_at: Any, c_stride: Any, a: Any, size: Any, b: Any, j: Any, first: Any, depth: Any
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = _Emitter(context, builder, signature, args)
            c, a, b = e.pointer(0), e.matrix(3), e.matrix(5)
            c_at, c_stride, size, j, first, depth = (args[n] for n in (1, 2, 4, 6, 7, 8))

            def tile(i: Any, rows: int) -> None:
                def a_pointers(k: Any) -> list[Any]:
                    base = e.at(a.base, e.row_offset(a, builder.add(first, k)), i)
                    return [builder.gep(base, [ir.Constant(_INT, n)]) for n in range(rows)]

                def b_offset(k: Any) -> Any:
                    return builder.add(e.row_offset(b, builder.add(first, k)), j)

                below = [builder.add(i, ir.Constant(_INT, n)) for n in range(rows)]
                offsets = [builder.add(builder.add(c_at, j), builder.mul(c_stride, row)) for row in below]
                zero = ir.Constant(e.vector, None)
                sums = e.accumulate([[zero] * vectors for _ in range(rows)], depth, a_pointers, b_offset, b.base)
                for offset, row in zip(offsets, sums):
                    before = e.load_vectors(c, offset, vectors)
                    e.store_vectors([builder.fadd(x, y) for x, y in zip(before, row)], c, offset)

            e.by_rows(ir.Constant(_INT, 0), size, tile)
            return context.get_dummy_value()

        index = types.intp
        _check(c, a[0], b[0])
        return types.void(c, index, index, a, index, b, index, index, index), emit

    return panel


def sum_tile(vectors: int) -> Any:
    """Make the tile that sums the rows of a batch: tile(c, b, j, first, depth), c[j] += sum_k b[first + k, j]."""

    @intrinsic
    def tile(typingctx: Any, c: Any, b: Any, j: Any, first: Any, depth: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = _Emitter(context, builder, signature, args)
            c, b = e.pointer(0), e.matrix(1)
            _, _, j, first, depth = args
            zero = ir.Constant(e.vector, None)

            def b_offset(k: Any) -> Any:
                return builder.add(e.row_offset(b, builder.add(first, k)), j)

            (sums,) = e.accumulate([[zero] * vectors], depth, None, b_offset, b.base)
            before = e.load_vectors(c, j, vectors)
            e.store_vectors([builder.fadd(x, y) for x, y in zip(before, sums)], c, j)
            return context.get_dummy_value()

        _check(c, b[0])
        return types.void(c, b, types.intp, types.intp, types.intp), emit

    return tile


def _check(*arrays: Any) -> None:
    """Refuse a mixture of precisions, which LLVM would take for the wrong bits."""
    if len({array.dtype for array in arrays}) > 1 or arrays[0].dtype not in (types.float32, types.float64):
        raise NumbaError(f"a tile takes arrays of one precision, float32 or float64, got {arrays}")
