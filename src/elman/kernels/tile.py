"""The register tile: the inner matrix product, written as LLVM IR through Numba.

A tile is ROWS rows by VECTORS vector registers of the result. Its sums stay in registers while k runs over the depth;
each step of k loads VECTORS vectors of B, spreads one number of A per row, and multiplies and adds. Every sum adds its
products in the order of k with one rounding each, whatever the tile's size and the vector's width, so a result has the
same bits in any batch and on any instruction set.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype

from elman.kernels.lanes import VECTOR_BYTES, data_pointer, lanes, llvm_fma

# Sums for 8 x 2 vectors take 16 of the 32 registers of AVX-512; 6 x 2 take 12 of the 16 that the others have.
ROWS = (8 if VECTOR_BYTES == 64 else 6, 4, 2, 1)
VECTORS = (2, 1)
_INT = ir.IntType(64)


class _Emitter:
    """Shared by both tiles: pointers, vectors of the right width, and the loop over k."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder, self.signature, self.args = context, builder, signature, args
        dtype = np.dtype(as_dtype(signature.args[0].dtype))
        self.width = lanes(dtype)
        self.vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), self.width)
        self.align = dtype.itemsize

    def pointer(self, argument: int) -> Any:
        """Return the address of the array passed as this argument."""
        return data_pointer(self.context, self.builder, self.signature.args[argument], self.args[argument])

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

    def accumulate(self, sums: list[list[Any]], depth: Any, a_pointers: Any, b_offset: Any, b: Any) -> list[list[Any]]:
        """Emit the loop over k: sums[i][j] += a[i, k] * b[k, j]; return the final sums."""
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
        updated = []
        for pointer in a_pointers(k):
            number = self.spread(builder.load(pointer))
            row = running[len(updated)]
            updated.append([llvm_fma(builder, number, columns[j], row[j]) for j in range(vectors)])
        k.add_incoming(builder.add(k, ir.Constant(_INT, 1)), builder.block)
        for phis, row in zip(running, updated):
            for phi, new in zip(phis, row):
                phi.add_incoming(new, builder.block)
        builder.branch(head)
        builder.position_at_end(done)
        return running


def forward_tile(rows: int, vectors: int) -> Any:
    """Make the tile of the products whose rows are sequences.

    tile(c, c_rows, c_column, c_stride, start, start_stride, a, a_rows, a_column, a_stride, first, depth, b, b_at, b_stride):
    for i < rows, j < vectors * lanes, with r = first + i,

        c[c_rows[r], c_column + j] = start_row[j] + sum_k a[a_rows[r], a_column + k] * b[b_at + k * b_stride + j]

    where start_row is start[c_column + j] if start_stride is 0 (a bias) and c's own row if start is c.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        typingctx: Any,
        c: Any,
        c_rows: Any,
        c_column: Any,
        c_stride: Any,
        start: Any,
        start_stride: Any,
        a: Any,
        a_rows: Any,
        a_column: Any,
        a_stride: Any,
        first: Any,
        depth: Any,
        b: Any,
        b_at: Any,
        b_stride: Any,
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = _Emitter(context, builder, signature, args)
            c, c_rows, start, a, a_rows, b = (e.pointer(i) for i in (0, 1, 4, 6, 7, 12))
            c_column, c_stride, start_stride, a_column, a_stride = (args[i] for i in (2, 3, 5, 8, 9))
            first, depth, b_at, b_stride = (args[i] for i in (10, 11, 13, 14))
            places = [builder.add(first, ir.Constant(_INT, i)) for i in range(rows)]
            c_index = [builder.load(builder.gep(c_rows, [place])) for place in places]
            c_offsets = [builder.add(builder.mul(row, c_stride), c_column) for row in c_index]
            starts = [builder.add(builder.mul(row, start_stride), c_column) for row in c_index]
            a_index = [builder.load(builder.gep(a_rows, [place])) for place in places]
            a_bases = [e.at(a, builder.mul(row, a_stride), a_column) for row in a_index]
            sums = e.accumulate(
                [e.load_vectors(start, offset, vectors) for offset in starts],
                depth,
                lambda k: [builder.gep(base, [k]) for base in a_bases],
                lambda k: builder.add(b_at, builder.mul(k, b_stride)),
                b,
            )
            for row, offset in zip(sums, c_offsets):
                e.store_vectors(row, c, offset)
            return context.get_dummy_value()

        _same_float(c, start, a, b)
        index, step = types.intp, types.Array(types.int64, 1, "C", readonly=False)
        if c_rows != step or a_rows != step:
            raise NumbaError(f"row numbers must be int64 arrays, got {c_rows} and {a_rows}")
        kinds = (c, step, index, index, start, index, a, step, index, index, index, index, b, index, index)
        return types.void(*kinds), emit

    return tile


def gradient_tile(rows: int, vectors: int) -> Any:
    """Make the tile of the products that sum over the rows of a batch.

    tile(c, c_at, c_stride, a, a_rows, a_column, a_stride, b, b_rows, b_column, b_stride, first, depth):
    for i < rows, j < vectors * lanes,

        c[c_at + i * c_stride + j] += sum_k a[a_rows[first + k], a_column + i] * b[b_rows[first + k], b_column + j]

    The sum starts at zero and is added to c once, so that a long sum is a sum of short ones and loses less to rounding.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        typingctx: Any,
        c: Any,
        c_at: Any,
        c_stride: Any,
        a: Any,
        a_rows: Any,
        a_column: Any,
        a_stride: Any,
        b: Any,
        b_rows: Any,
        b_column: Any,
        b_stride: Any,
        first: Any,
        depth: Any,
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = _Emitter(context, builder, signature, args)
            c, a, a_rows, b, b_rows = (e.pointer(i) for i in (0, 3, 4, 7, 8))
            c_at, c_stride, a_column, a_stride, b_column, b_stride, first, depth = (
                args[i] for i in (1, 2, 5, 6, 9, 10, 11, 12)
            )

            def a_pointers(k: Any) -> list[Any]:
                row = builder.load(builder.gep(a_rows, [builder.add(first, k)]))
                base = e.at(a, builder.mul(row, a_stride), a_column)
                return [builder.gep(base, [ir.Constant(_INT, i)]) for i in range(rows)]

            def b_offset(k: Any) -> Any:
                row = builder.load(builder.gep(b_rows, [builder.add(first, k)]))
                return builder.add(builder.mul(row, b_stride), b_column)

            zero = ir.Constant(e.vector, None)
            sums = e.accumulate([[zero] * vectors for _ in range(rows)], depth, a_pointers, b_offset, b)
            for i, row in enumerate(sums):
                offset = builder.add(c_at, builder.mul(c_stride, ir.Constant(_INT, i)))
                before = e.load_vectors(c, offset, vectors)
                e.store_vectors([builder.fadd(x, y) for x, y in zip(before, row)], c, offset)
            return context.get_dummy_value()

        _same_float(c, a, b)
        index, step = types.intp, types.Array(types.int64, 1, "C", readonly=False)
        if a_rows != step or b_rows != step:
            raise NumbaError(f"row numbers must be int64 arrays, got {a_rows} and {b_rows}")
        kinds = (c, index, index, a, step, index, index, b, step, index, index, index, index)
        return types.void(*kinds), emit

    return tile


def _same_float(*arrays: Any) -> None:
    """Refuse a mixture of precisions, which LLVM would take for the wrong bits."""
    if len({array.dtype for array in arrays}) > 1 or arrays[0].dtype not in (types.float32, types.float64):
        raise NumbaError(f"a tile takes arrays of one precision, float32 or float64, got {arrays}")
