"""Numbered tasks for a few threads, handed over without the interpreter: a thread that waits spins for a moment first.

One job is on the board at a time: the address of a function task(context, number, worker) and how many numbers there
are. Threads take numbers from one counter until none is left, so a thread that wakes late does less, and one that
never wakes is not waited for. Between two jobs a thread watches the board for a moment (`serve`), so that the next step
of training finds it awake: the longer, the more it has had to do, and for about a hundredth of a second at the most,
which also gives the system the time to move it to a core of its own. Then it goes to sleep, and costs nothing.

The board is an int64 array, a cache line for each entry that several threads write.
"""

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from elman.kernels.compiled import kernel, part
from elman.kernels.lanes import data_pointer

_LINE = 8  # int64 in a cache line
# generation * 2**32 + threads that may take part * 2**24 + tasks not yet taken: one word, so that a thread that comes
# late cannot take a task of the next job for one of its own
_OPEN = 0
_FINISHED = 1 * _LINE  # tasks done
_FUNCTION, _CONTEXT, _TASKS, _FAILED = (2 * _LINE + i for i in range(4))
_ASLEEP = 3 * _LINE  # one line a worker: 1 once it has gone to sleep

MOST_TASKS, MOST_WORKERS = (1 << 24) - 1, 64
BOARD_SIZE = _ASLEEP + MOST_WORKERS * _LINE
SPINS = 4000  # about a tenth of a millisecond: how long a thread waits for each task that it has had since it woke
MOST_SPINS = 100 * SPINS
_INT = ir.IntType(64)
_PAUSES = {"x86_64": "llvm.x86.sse2.pause", "amd64": "llvm.x86.sse2.pause"}


def asleep(worker: int) -> int:
    """Return the place on the board that says whether a worker sleeps."""
    return _ASLEEP + worker * _LINE


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.gep(data_pointer(context, builder, signature.args[0], args[0]), [args[1]])


@intrinsic
def atomic_load(typingctx: Any, board: Any, place: Any) -> Any:
    """Return board[place], read in one order by all threads."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, args), "seq_cst", 8)

    return types.int64(board, types.intp), emit


@intrinsic
def atomic_store(typingctx: Any, board: Any, place: Any, value: Any) -> Any:
    """Set board[place], written in one order for all threads."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _place(context, builder, signature, args), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(board, types.intp, types.int64), emit


@intrinsic
def atomic_add(typingctx: Any, board: Any, place: Any, value: Any) -> Any:
    """Add to board[place] and return what was there before."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _place(context, builder, signature, args), args[2], "seq_cst")

    return types.int64(board, types.intp, types.int64), emit


@intrinsic
def exchange_if(typingctx: Any, board: Any, place: Any, expected: Any, value: Any) -> Any:
    """Set board[place] to value if it is `expected`; return whether it was."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature, args)
        return builder.extract_value(builder.cmpxchg(place, args[2], args[3], "seq_cst", "seq_cst"), 1)

    return types.boolean(board, types.intp, types.int64, types.int64), emit


@intrinsic
def pause(typingctx: Any) -> Any:
    """Tell the core that this is a waiting loop."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        name = _PAUSES.get(platform.machine().lower())
        if name is not None:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def _call_task(typingctx: Any, function: Any, context: Any, number: Any, worker: Any) -> Any:
    """Call task(context, number, worker) by its address; return whether it failed."""
    arguments = (types.int64,) * 3

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.call_conv.get_function_type(types.none, arguments)
        function = builder.inttoptr(args[0], kind.as_pointer())
        status, _ = context.call_conv.call_function(builder, function, types.none, arguments, args[1:])
        return status.is_error

    return types.boolean(types.int64, *arguments), emit


if sys.platform == "win32":

    @part("yield_now")
    def yield_now():
        """Wait a little; this system's own call is not linked."""
        pause()

else:
    _sched_yield = types.ExternalFunction("sched_yield", types.int32())

    @part("yield_now")
    def yield_now():
        """Let another thread run on this core."""
        _sched_yield()


@part("take_tasks")
def _take_tasks(board, worker):
    """Take tasks and do them until none is left; return how many that were."""
    done = 0
    while True:
        word = atomic_load(board, _OPEN)
        left = word & MOST_TASKS
        if left == 0 or worker >= (word >> 24) & 0xFF:
            return done
        if exchange_if(board, _OPEN, word, word - 1):
            # The job stays on the board until this task is finished.
            if _call_task(board[_FUNCTION], board[_CONTEXT], board[_TASKS] - left, worker):
                board[_FAILED] = 1
            atomic_add(board, _FINISHED, 1)
            done += 1


@kernel("run_job")
def run_job(board, function, context, n_tasks, n_workers):
    """Put a job on the board, work on it as worker 0 until all its tasks are done; return whether none failed."""
    board[_FUNCTION], board[_CONTEXT], board[_TASKS], board[_FAILED] = function, context, n_tasks, 0
    atomic_store(board, _FINISHED, 0)
    generation = (board[_OPEN] >> 32) + 1
    atomic_store(board, _OPEN, generation << 32 | n_workers << 24 | n_tasks)
    _take_tasks(board, 0)
    spins = 0
    while atomic_load(board, _FINISHED) < n_tasks:
        pause()
        spins += 1
        if spins > SPINS:
            yield_now()
    return board[_FAILED] == 0


@kernel("serve")
def serve(board, worker):
    """Take part in the jobs on the board until none has come for a moment."""
    atomic_store(board, _ASLEEP + worker * _LINE, 0)
    idle, patience = 0, SPINS
    while True:
        word = atomic_load(board, _OPEN)
        if word & MOST_TASKS and worker < (word >> 24) & 0xFF:
            patience = min(patience + SPINS * _take_tasks(board, worker), MOST_SPINS)
            idle = 0
        elif idle < patience:
            pause()
            idle += 1
            if idle % SPINS == 0:
                yield_now()  # to the thread that gives the jobs, if it is on this core
        else:
            atomic_store(board, _ASLEEP + worker * _LINE, 1)
            return


@kernel("run_alone")
def run_alone(function, context, n_tasks):
    """Do all the tasks of a job on this thread; return whether none failed."""
    failed = False
    for number in range(n_tasks):
        failed = _call_task(function, context, number, 0) or failed
    return not failed
