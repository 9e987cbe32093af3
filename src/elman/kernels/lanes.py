"""The few LLVM instructions that Numba does not offer: vector width, fused multiply-add, loads and stores known apart.

A cell's row loop reads and writes up to a dozen streams (four gates, two states, their gradients). LLVM vectorises it
only if it knows that they do not overlap, and Numba has no `restrict`. So each stream gets an alias scope of its own.
That is true within one step of one shard and for no longer (h of this step is h_prev of the next), which is why
functions that use these loads call `stay_separate()`: LLVM must not inline them and mix two steps.
"""

import os
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from elman.errors import ParameterError

IMPLEMENTATIONS = {"avx512": 64, "avx2": 32, "sse": 16, "neon": 16}  # name -> bytes in a vector register


_FEATURES = {"avx512": "avx512f", "avx2": "avx2", "sse": "sse2", "neon": "neon"}  # as LLVM names what a CPU has


def implementations() -> list[str]:
    """Return the vector instruction sets of this CPU for which there are kernels, the widest first."""
    features = llvm.get_host_cpu_features()
    return [name for name in IMPLEMENTATIONS if features.get(_FEATURES[name])]


def implementation() -> str:
    """Return the widest vector instruction set of this CPU, or the one that ELMAN_VECTORS forces."""
    forced = os.environ.get("ELMAN_VECTORS")
    if forced:
        if forced not in IMPLEMENTATIONS:
            known = ", ".join(IMPLEMENTATIONS)
            raise ParameterError(
                f"The environment variable ELMAN_VECTORS must be one of {known}. Got {forced!r} instead."
            )
        return forced
    return next(iter(implementations()), "sse")


VECTOR_BYTES = IMPLEMENTATIONS[implementation()]


def lanes(dtype: np.dtype[Any]) -> int:
    """Return how many numbers of `dtype` fill a vector register."""
    return VECTOR_BYTES // dtype.itemsize


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """Return `size` rounded up to whole vector registers."""
    width = lanes(dtype)
    return -(-size // width) * width


def odd_lines(size: int, dtype: np.dtype[Any]) -> int:
    """Return a row length of at least `size`, an odd number of vectors, so that rows spread over the cache."""
    vectors = padded(size, dtype) // lanes(dtype)
    return (vectors + 1 - vectors % 2) * lanes(dtype)


def _llvm_function(builder: Any, name: str, kind: Any, arguments: int) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * arguments), name)


def llvm_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Emit a * b + c with one rounding, for a scalar or a vector of float or double."""
    scalar = a.type.element if isinstance(a.type, ir.VectorType) else a.type
    suffix = "f64" if isinstance(scalar, ir.DoubleType) else "f32"
    if isinstance(a.type, ir.VectorType):
        suffix = f"v{a.type.count}{suffix}"
    return builder.call(_llvm_function(builder, f"llvm.fma.{suffix}", a.type, 3), [a, b, c])


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c with one rounding."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return llvm_fma(builder, *args)

    return a(a, a, a), emit


@intrinsic
def power_of_two(typingctx: Any, shifted: Any) -> Any:
    """Return 2**k where `shifted` is k + 1.5 * 2**(mantissa bits): k's own bits, moved to the exponent's place."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size, mantissa, bias = (64, 52, 1023) if signature.return_type == types.float64 else (32, 23, 127)
        integer = ir.IntType(size)
        bits = builder.shl(builder.bitcast(args[0], integer), ir.Constant(integer, mantissa))
        return builder.bitcast(builder.add(bits, ir.Constant(integer, bias << mantissa)), args[0].type)

    return shifted(shifted), emit


@intrinsic
def with_sign(typingctx: Any, magnitude: Any, sign: Any) -> Any:
    """Return `magnitude` with the sign bit of `sign`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        name = "llvm.copysign.f64" if signature.return_type == types.float64 else "llvm.copysign.f32"
        return builder.call(_llvm_function(builder, name, args[0].type, 2), args)

    return magnitude(magnitude, magnitude), emit


def data_pointer(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Emit the address of an array's first element."""
    return context.make_array(array_type)(context, builder, array).data


@intrinsic
def stay_separate(typingctx: Any) -> Any:
    """Keep the function that calls this from being inlined."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit


_PREFETCH = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), *[ir.IntType(32)] * 3])


@intrinsic
def prefetch_to_write(typingctx: Any, array: Any, at: Any) -> Any:
    """Ask for the cache line of array[at], to be written."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(data_pointer(context, builder, signature.args[0], args[0]), [args[1]])
        hint = cgutils.get_or_insert_function(builder.module, _PREFETCH, "llvm.prefetch.p0")
        write, keep, data = (ir.Constant(ir.IntType(32), n) for n in (1, 3, 1))
        builder.call(hint, [builder.bitcast(place, ir.IntType(8).as_pointer()), write, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


PARTIAL_SUMS = 16  # on any vector width, so that sums have the same bits on all


def _sum_of(context: Any, builder: Any, count: Any, number: Any, term: Any) -> Any:
    """Emit the sum of count / PARTIAL_SUMS vectors, added up in turn, and their parts then in pairs.

    term(total, at) adds the vector that begins at number `at`.
    """
    kind = ir.VectorType(number, PARTIAL_SUMS)
    place = cgutils.alloca_once_value(builder, ir.Constant(kind, None))
    width = ir.Constant(count.type, PARTIAL_SUMS)
    with cgutils.for_range(builder, builder.sdiv(count, width)) as loop:
        builder.store(term(builder.load(place), builder.mul(loop.index, width)), place)
    total, half = builder.load(place), PARTIAL_SUMS // 2
    while half:
        low, high = (
            builder.shuffle_vector(total, total, ir.Constant(ir.VectorType(ir.IntType(32), half), list(indices)))
            for indices in (range(half), range(half, 2 * half))
        )
        total, half = builder.fadd(low, high), half // 2
    return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))


def _vector_at(context: Any, builder: Any, kind: Any, array: Any, first: Any, at: Any) -> Any:
    """Emit the load of array[first + at] and what follows it, as a vector."""
    number = context.get_data_type(kind.dtype)
    place = builder.gep(data_pointer(context, builder, kind, array), [builder.add(first, at)])
    place = builder.bitcast(place, ir.VectorType(number, PARTIAL_SUMS).as_pointer())
    return builder.load(place, align=context.get_abi_sizeof(number))


@intrinsic
def sum_many(typingctx: Any, array: Any, first: Any, count: Any) -> Any:
    """Return the sum of `count` numbers, a multiple of PARTIAL_SUMS, from array[first] on."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def term(total: Any, at: Any) -> Any:
            return builder.fadd(total, _vector_at(context, builder, signature.args[0], args[0], args[1], at))

        return _sum_of(context, builder, args[2], context.get_data_type(signature.return_type), term)

    return array.dtype(array, types.intp, types.intp), emit


@intrinsic
def sum_many_squares(typingctx: Any, array: Any, first: Any, count: Any) -> Any:
    """Return the sum, in float64, of the squares of `count` numbers, a multiple of PARTIAL_SUMS."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.VectorType(ir.DoubleType(), PARTIAL_SUMS)

        def term(total: Any, at: Any) -> Any:
            values = _vector_at(context, builder, signature.args[0], args[0], args[1], at)
            wide = values if values.type == kind else builder.fpext(values, kind)
            return llvm_fma(builder, wide, wide, total)

        return _sum_of(context, builder, args[2], ir.DoubleType(), term)

    return types.float64(array, types.intp, types.intp), emit


@intrinsic
def sum_many_products(typingctx: Any, a: Any, a_first: Any, b: Any, b_first: Any, count: Any) -> Any:
    """Return the sum of a[a_first + j] * b[b_first + j] over j < count, a multiple of PARTIAL_SUMS."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def term(total: Any, at: Any) -> Any:
            x = _vector_at(context, builder, signature.args[0], args[0], args[1], at)
            y = _vector_at(context, builder, signature.args[2], args[2], args[3], at)
            return llvm_fma(builder, x, y, total)

        return _sum_of(context, builder, args[4], context.get_data_type(signature.return_type), term)

    return a.dtype(a, types.intp, b, types.intp, types.intp), emit


def _tag(module: Any, instruction: Any, stream: str) -> None:
    """Mark an access as belonging to `stream` and to none of the others."""
    domain = module.add_metadata(["elman"])
    scopes = {name: module.add_metadata([f"elman.{name}", domain]) for name in _STREAMS}
    others = [scope for name, scope in scopes.items() if name != stream]
    instruction.set_metadata("alias.scope", module.add_metadata([scopes[stream]]))
    instruction.set_metadata("noalias", module.add_metadata(others))


_KINDS = ("tape", "state", "previous", "d_state")
_MOST = 8  # streams of one kind
_STREAMS = tuple(f"{kind}.{i}" for kind in _KINDS for i in range(_MOST))


def block_loader(kind: str, count: int) -> Any:
    """Make load(array, at, apart): the tuple array[at], array[at + apart], ... of `count` numbers."""

    @intrinsic
    def load(typingctx: Any, array: Any, at: Any, apart: Any) -> Any:
        result = types.UniTuple(array.dtype, count)

        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            base, place = data_pointer(context, builder, signature.args[0], args[0]), args[1]
            values = []
            for i in range(count):
                value = builder.load(builder.gep(base, [place]))
                _tag(builder.module, value, f"{kind}.{i}")
                values.append(value)
                place = builder.add(place, args[2])
            return context.make_tuple(builder, signature.return_type, values)

        return result(array, types.intp, types.intp), emit

    return load


def block_storer(kind: str) -> Any:
    """Make store(array, at, apart, values): the inverse of `block_loader`, for as many values as the tuple holds."""

    @intrinsic
    def store(typingctx: Any, array: Any, at: Any, apart: Any, values: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            base, place = data_pointer(context, builder, signature.args[0], args[0]), args[1]
            for i in range(signature.args[3].count):
                value = builder.extract_value(args[3], i)
                _tag(builder.module, builder.store(value, builder.gep(base, [place])), f"{kind}.{i}")
                place = builder.add(place, args[2])
            return context.get_dummy_value()

        same = types.UniTuple(array.dtype, len(values))
        return types.void(array, types.intp, types.intp, same), emit

    return store
