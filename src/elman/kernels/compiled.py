"""How kernels are compiled and kept: one set of flags, one cache, and equations typed for one precision.

No `fastmath` flag is set. Where a fused multiply-add is wanted it is written (`lanes.fma`), so a value has the same
bits in the vector body of a loop, in its remainder, and on every instruction set.
"""

import ast
import contextlib
import functools
import hashlib
import inspect
import pickle
import sys
import textwrap
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import FunctionCache, NullCache
from numba.core.event import Event, Listener, register
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from elman.errors import ParameterError
from elman.kernels.lanes import VECTOR_BYTES, data_pointer

if numba.config.DISABLE_JIT:
    raise ParameterError(
        "The environment variable NUMBA_DISABLE_JIT must not be set: the kernels exist compiled only. "
        "Unset it; elman.kernels.reference is the same in plain NumPy."
    )

# "numpy" error model: x / 0 is inf, as in NumPy; the "python" model checks every division, which stops the vectoriser.
# Without "nrt" no array's owner is counted, which costs more than small work itself; such a function cannot allocate.
FLAGS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}


@functools.cache
def source_hash() -> str:
    """Return one hash over all kernel sources: an edit in any of them makes every cached kernel unreachable."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class KernelCache(FunctionCache):  # type: ignore[misc]
    """Numba's own file cache, under a key that survives the process and dies with the sources.

    Numba hashes the closure of a function, which differs from process to process, and does not see a change in what the
    function calls in another file. Here a kernel is found by (signature, CPU, vector width, name), and what is found is
    used only if it was compiled from these very sources.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        super().__init__(function)
        self._kernel_name = name
        own_source = Path(inspect.getfile(function)).read_bytes()
        sources = hashlib.sha256(source_hash().encode() + own_source).digest()
        self._cache_file = KernelFiles(Path(self.cache_path), f"{name}.{sys.implementation.cache_tag}", sources)

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        return (signature, codegen.magic_tuple(), VECTOR_BYTES, numba.__version__)


class KernelFiles:
    """Compiled code on disk: one file a key, headed by the hashes of sources and code, and only replaced whole.

    Numba's own layout, an index and numbered files, can hand out the code of another kernel if a process is stopped
    between writing the two, or if two processes compile at the same time.
    """

    def __init__(self, folder: Path, name: str, sources: bytes) -> None:
        self._folder, self._name, self._sources = folder, name, sources

    def _path(self, key: tuple[Any, ...]) -> Path:
        return self._folder / f"{self._name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.nbc"

    def load(self, key: tuple[Any, ...]) -> Any:
        """Return what was saved under this key from these sources, or None."""
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        code = content[len(self._sources) + 32 :]
        return pickle.loads(code) if content == self._sources + hashlib.sha256(code).digest() + code else None

    def save(self, key: tuple[Any, ...], data: Any) -> None:
        """Save compiled code; where the disk does not take it, it is compiled again in the next process."""
        path = self._path(key)
        own = path.with_suffix(f".{uuid.uuid4().hex[:16]}")
        try:
            code = dumps(data)
            own.write_bytes(self._sources + hashlib.sha256(code).digest() + code)
            own.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                own.unlink()


class _Compilations(Listener):  # type: ignore[misc]
    """Counts what is compiled in this process, as it begins; what is found on disk is not."""

    n = 0

    def on_start(self, event: Event) -> None:
        """Count one more."""
        self.n += 1

    def on_end(self, event: Event) -> None:
        """Leave it at that."""


_compilations = _Compilations()
register("numba:compile", _compilations)


def n_compiled() -> int:
    """Return how many functions this process has compiled, or begun to."""
    return _compilations.n


def cache_folder() -> str | None:
    """Return the folder where machine code is kept, or None if none can be written to."""
    try:
        return str(KernelCache(cache_folder, "folder").cache_path)
    except (RuntimeError, OSError):
        return None


def _compiled(function: Callable[..., Any], name: str, **flags: Any) -> Any:
    """Compile a function on its first call, under a symbol made of `name`.

    Functions made by one factory have one name in Python, and Numba tells them apart by a counter. That does not do for
    code on disk: two processes may give the same number to different functions, and a third one, which loads both, runs
    one of them in place of the other. So each gets a name of its own, the same in every process.
    """
    function.__qualname__ = name
    return numba.njit(**{**FLAGS, **flags})(function)


def kernel(name: str, *, allocates: bool = False, python: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function on its first call and keep the machine code on disk under `name`, which it alone has.

    Without `python` it is only for other kernels and saves the code that takes Python's arguments apart.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = _compiled(function, name, _nrt=allocates, no_cpython_wrapper=not python)
        try:
            dispatcher._cache = KernelCache(function, name)
        except (RuntimeError, OSError):  # no folder to cache in: compile in every process rather than fail
            dispatcher._cache = NullCache()
        return dispatcher

    return decorate


def part(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function that kernels call, under a name of its own; it is kept inside each kernel that uses it."""
    return functools.partial(_compiled, name=f"part_{name}", no_cpython_wrapper=True)


def inlined(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a `part` that is always inlined, without which a loop over it would not become vector instructions."""
    return functools.partial(_compiled, name=f"inlined_{name}", forceinline=True)


_addressed: list[Any] = []  # functions known by address live as long as the process


def address(dispatcher: Any, arguments: tuple[Any, ...]) -> int:
    """Compile a function for arguments of these types, and return where its machine code lies in this process."""
    _addressed.append(dispatcher)
    dispatcher.compile(arguments)
    overload = dispatcher.overloads[arguments]
    return int(overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name))


def caller(result: Any, arguments: tuple[Any, ...]) -> Any:
    """Make call(address, (argument, ...)), for functions of one signature that are compiled on their own.

    Numba links a function that another one calls into it and optimises both anew, at each level again; a kernel that is
    called by its address is compiled once for all that use it.
    """

    @intrinsic
    def call(typingctx: Any, where: Any, values: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = context.call_conv.get_function_type(result, arguments)
            function = builder.inttoptr(args[0], kind.as_pointer())
            parts = cgutils.unpack_tuple(builder, args[1], len(arguments))
            given = [context.cast(builder, *each) for each in zip(parts, signature.args[1], arguments)]
            status, value = context.call_conv.call_function(builder, function, result, arguments, given)
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return value

        return result(types.int64, values), emit

    return call


@intrinsic
def put(typingctx: Any, where: Any, value: Any) -> Any:
    """Write a number, an array or a tuple of such, arrays by their descriptors, to the memory of an int64 array.

    Whoever calls must keep the arrays alive: what `taken` makes of them does not own them.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = data_pointer(context, builder, signature.args[0], args[0])
        unowned = _unowned(context, builder, signature.args[1], args[1])
        builder.store(unowned, builder.bitcast(base, unowned.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(where, value), emit


def room_for(kind: Any) -> int:
    """Return how many int64 a value of this type takes where `put` writes it."""
    context = cpu_target.target_context
    size = int(context.get_abi_sizeof(context.get_value_type(kind)))
    return -(-size // 8)


def _unowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Take from every array of a value the reference to its owner, which Numba counts."""
    if isinstance(kind, types.BaseTuple):
        for i, part_kind in enumerate(kind):
            inner = _unowned(context, builder, part_kind, builder.extract_value(value, i))
            value = builder.insert_value(value, inner, i)
    elif isinstance(kind, types.Array):
        array = cgutils.create_struct_proxy(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        value = array._getvalue()
    return value


def taken(kind: Any) -> Any:
    """Make take(address), which reads back a value of this type that `put` wrote at an address."""

    @intrinsic
    def take(typingctx: Any, where: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.inttoptr(args[0], context.get_value_type(kind).as_pointer())
            return builder.load(place, align=8)

        return kind(types.int64), emit

    return take


@intrinsic
def in_precision_of(typingctx: Any, array: Any, values: Any) -> Any:
    """Return a tuple of numbers, each rounded to the precision of an array's."""
    result = types.UniTuple(array.dtype, len(values))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts = cgutils.unpack_tuple(builder, args[1], len(values))
        given = [context.cast(builder, *each, array.dtype) for each in zip(parts, signature.args[1])]
        return context.make_tuple(builder, result, given)

    return result(array, values), emit


def _view_at(context: Any, builder: Any, result: Any, data: Any, shape: Any) -> Any:
    """Emit a C-contiguous array of this type and shape over memory that it does not own."""
    array, dtype = context.make_array(result)(context, builder), context.get_data_type(result.dtype)
    itemsize = ir.Constant(ir.IntType(64), context.get_abi_sizeof(dtype))
    sizes, step = cgutils.unpack_tuple(builder, shape, result.ndim), itemsize
    strides: list[Any] = []
    for size in reversed(sizes):
        strides.insert(0, step)
        step = builder.mul(step, size)
    populate_array(array, data=data, shape=sizes, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


@intrinsic
def view(typingctx: Any, array: Any, at: Any, shape: Any) -> Any:
    """Return the elements of a contiguous array from number `at` on, as an array of this shape (a tuple)."""
    result = types.Array(array.dtype, len(shape), "C")

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = builder.gep(data_pointer(context, builder, signature.args[0], args[0]), [args[1]])
        return _view_at(context, builder, result, data, args[2])

    return result(array, types.intp, types.UniTuple(types.intp, len(shape))), emit


@intrinsic
def array_at(typingctx: Any, where: Any, like: Any, shape: Any) -> Any:
    """Return the memory at an address as an array of this shape (a tuple), of the same numbers as the array `like`."""
    result = types.Array(like.dtype, len(shape), "C")

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = builder.inttoptr(args[0], context.get_data_type(like.dtype).as_pointer())
        return _view_at(context, builder, result, data, args[2])

    return result(types.int64, like, types.UniTuple(types.intp, len(shape))), emit


class ElementWise:
    """Equations on scalars, usable on NumPy arrays of any dtype and compilable for one precision.

    Numba promotes `1 - z` to float64 when z is float32. So the compiled form is the same function with each number
    in it typed to the precision asked for; exponents (`z**2`) stay integers.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._compiled: dict[np.dtype[Any], Any] = {}

    def __call__(self, *values: Any) -> Any:
        """Evaluate on scalars or arrays with NumPy."""
        return self.function(*values)

    def compiled(self, dtype: np.dtype[Any]) -> Any:
        """Return the equations compiled for float32 or float64."""
        if dtype not in self._compiled:
            typed = _typed(self.function, dtype)
            self._compiled[dtype] = inlined(f"{typed.__module__}.{typed.__name__}_{dtype}")(typed)
        return self._compiled[dtype]


def _typed(function: Callable[..., Any], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """Rebuild a function with its numbers in `dtype` and the element-wise functions it calls compiled for `dtype`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    numbers = _Numbers(dtype)
    numbers.visit(definition)
    ast.fix_missing_locations(ast.increment_lineno(tree, function.__code__.co_firstlineno - 1))

    names: dict[str, Any] = {"__builtins__": __builtins__, "__name__": function.__module__, **numbers.values}
    outside = inspect.getclosurevars(function)
    for name, value in {**outside.globals, **outside.nonlocals}.items():
        if isinstance(value, ElementWise):
            names[name] = value.compiled(dtype)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            names[name] = dtype.type(value)
        else:
            names[name] = value
    exec(compile(tree, function.__code__.co_filename, "exec"), names)  # our own function's syntax tree, nothing read in
    typed: Callable[..., Any] = names[function.__name__]
    return typed


class _Numbers(ast.NodeTransformer):
    """Replace each number by a name that holds it in the precision asked for."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.values: dict[str, Any] = {}

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):
            node.right = self.visit(node.right)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        name = f"_number_{len(self.values)}"
        self.values[name] = self.dtype.type(node.value)
        return ast.Name(name, ast.Load())
