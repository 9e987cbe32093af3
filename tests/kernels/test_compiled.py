"""How kernels are typed and kept: one precision throughout, one cache that never outlives the sources."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import elman.kernels
from elman.kernels.activations import sigmoid
from elman.kernels.cells import CELLS
from elman.kernels.compiled import ElementWise, source_hash

KERNELS = Path(elman.kernels.__file__).parent
HALF = 0.5


@ElementWise
def polynomial(x):
    """x^2 / 2 + 3 x - 1, with an integer, a float, an exponent and a number from the module."""
    return HALF * x**2 + 3 * x - 1.0


@ElementWise
def with_a_call_and_a_choice(x, y):
    """Calls another ElementWise, chooses, and returns a pair."""
    return sigmoid(x) * 2 if x > y else 0.25, 1 - y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equations_stay_in_the_precision_they_are_compiled_for(dtype):
    number = np.dtype(dtype).type
    compiled = polynomial.compiled(np.dtype(dtype))
    assert compiled(number(3)) == number(12.5)
    assert str(compiled.nopython_signatures[0].return_type) == dtype
    pair = with_a_call_and_a_choice.compiled(np.dtype(dtype))
    assert pair(number(0), number(1)) == (0.25, 0)
    assert str(pair.nopython_signatures[0].return_type) == f"UniTuple({dtype} x 2)"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CELLS)
def test_cells_stay_in_the_precision_they_are_compiled_for(name, dtype):
    cell, number = CELLS[name], getattr(numba, dtype)
    for equations, count in (
        (cell.forward, cell.blocks + len(cell.states)),
        (cell.backward, cell.blocks + 3 * len(cell.states)),
    ):
        compiled = equations.compiled(np.dtype(dtype))
        compiled.compile((number,) * count)
        assert _precisions(compiled) == {dtype}


def _precisions(compiled):
    text = str(compiled.nopython_signatures[0].return_type)
    return {precision for precision in ("float32", "float64") if precision in text}


def test_equations_are_the_same_in_numpy_and_compiled():
    x = np.linspace(-2, 2, 9)
    compiled = polynomial.compiled(np.dtype("float64"))
    assert np.allclose(polynomial(x), [compiled(value) for value in x], rtol=1e-15, atol=0)


# --- The cache ---

RUN = """
import json
import numpy as np
from elman.kernels.lanes import lanes
from elman.kernels.products import pack_transposed
from elman.kernels.updates import norm
from elman.kernels.compiled import kernel
from elman.kernels.cells import ELMAN

# The way of sweep.py: a closure over equations that live in another file.
equations = ELMAN.forward.compiled(np.dtype("float64"))

@kernel("closure")
def closure(x, y):
    for i in range(x.size):
        _, (y[i],) = equations(x[i], x[i])

y = np.zeros(3)
closure(np.array([0.0, 0.5, 1.0]), y)
length = norm(np.array([3.0, 4.0]))
hits = sum(sum(k.stats.cache_hits.values()) for k in (closure, norm))
misses = sum(sum(k.stats.cache_misses.values()) for k in (closure, norm))
print(json.dumps({"y": y.tolist(), "length": length, "hits": hits, "misses": misses}))
"""


def make_package(tmp_path):
    """Make a copy of the kernels as a package of its own, and a way to run a script on it in a fresh process."""
    home = tmp_path / "copy"
    shutil.copytree(KERNELS, home / "elman" / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "elman" / "__init__.py").write_text("")
    shutil.copy(KERNELS.parent / "errors.py", home / "elman")
    environment = {**os.environ, "PYTHONPATH": str(home), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run(script=RUN, *arguments, **more):
        (home / "run.py").write_text(script)
        command = [sys.executable, str(home / "run.py"), *arguments]
        done = subprocess.run(
            command, env={**environment, **more}, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return home / "elman" / "kernels", run


@pytest.fixture
def package(tmp_path):
    """The folder of the copied kernels, and what runs a script on them."""
    return make_package(tmp_path)


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} should stand once in {path.name}"
    path.write_text(text.replace(old, new))


def test_the_second_process_loads_what_the_first_compiled(package):
    _, run = package
    first, second = run(), run()
    assert (first["hits"], first["misses"]) == (0, 2)
    assert (second["hits"], second["misses"]) == (2, 0)
    assert second["y"] == first["y"]
    assert np.allclose(first["y"], np.tanh([0.0, 0.5, 1.0]), rtol=1e-15, atol=0)


def test_code_that_the_disk_has_changed_is_compiled_again(package, tmp_path):
    _, run = package
    first = run()
    files = sorted((tmp_path / "cache").rglob("*.nbc"))
    assert len(files) == 2
    for path in files:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)
    again = run()
    assert (again["hits"], again["misses"]) == (0, 2)
    assert (again["y"], again["length"]) == (first["y"], first["length"])
    assert run()["hits"] == 2, "the damaged files were replaced"


def test_a_change_in_another_file_is_never_met_with_a_stale_kernel(package):
    kernels, run = package
    before = run()
    change(kernels / "cells.py", "    h = tanh(a)\n", "    h = 2 * tanh(a)\n")  # a cell's equation
    doubled = run()
    assert (doubled["hits"], doubled["misses"]) == (0, 2)
    assert doubled["y"] == [2 * y for y in before["y"]]

    change(kernels / "activations.py", "return with_sign(m / (two + m), x)", "return with_sign(m / (two + m), -x)")
    negated = run()
    assert (negated["hits"], negated["misses"]) == (0, 2)
    assert negated["y"] == [-2 * y for y in before["y"]]


MADE_BY_ONE_FACTORY = """
import json
import sys
import numpy as np
from elman.kernels.compiled import kernel, part
from elman.kernels.lanes import stay_separate

def make(name, factor):
    @part(f"inner_{name}")
    def inner(x):
        stay_separate()  # as the element-wise steps of a sweep do
        total = 0.0
        for i in range(x.size):
            total += factor * np.sin(x[i])
        return total

    @kernel(f"outer_{name}")
    def outer(x):
        return inner(x) + inner(x[1:])

    return outer

ones = np.full(3, np.pi / 2)
factors = {"two": 2.0, "seven": 7.0}
print(json.dumps({name: round(make(name, factors[name])(ones), 9) for name in sys.argv[1:]}))
"""


def test_functions_of_one_factory_compiled_by_different_processes_stay_apart(package):
    _, run = package
    assert run(MADE_BY_ONE_FACTORY, "two") == {"two": 10}
    assert run(MADE_BY_ONE_FACTORY, "seven") == {"seven": 35}
    assert run(MADE_BY_ONE_FACTORY, "two", "seven") == {"two": 10, "seven": 35}  # both from the cache


def test_a_file_cut_short_or_of_other_sources_is_compiled_again(package, tmp_path):
    _, run = package
    first = run()
    cut, other = (tmp_path / "cache").rglob("*.nbc")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    other.write_bytes(b"another hash" + other.read_bytes()[12:])
    again = run()
    assert (again["hits"], again["misses"]) == (0, 2)
    assert again["y"] == first["y"]
    assert run()["hits"] == 2


def test_no_process_meets_a_kernel_of_another_vector_width(package):
    _, run = package
    widest = run(ELMAN_VECTORS="avx512")
    for name in ("avx2", "sse"):
        found = run(ELMAN_VECTORS=name)
        assert (found["hits"], found["misses"]) == (0, 2)
        assert found["y"] == widest["y"]  # and the bits do not depend on it


def test_switching_the_compiler_off_is_refused_in_one_sentence(tmp_path):
    data = Path(__file__).parents[2] / "examples" / "data" / "ItalyPowerDemand_TRAIN.ts"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", "elman", "train", str(data), "--model", str(tmp_path / "model")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "NUMBA_DISABLE_JIT must not be set" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_hash_covers_every_kernel_source(tmp_path):
    copy = tmp_path / "kernels"
    shutil.copytree(KERNELS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    command = (
        "import sys, json; from pathlib import Path; import elman.kernels.compiled as c;"
        "c.__file__ = sys.argv[1]; print(c.source_hash())"
    )

    def hash_of_copy():
        run = subprocess.run(
            [sys.executable, "-c", command, str(copy / "compiled.py")], capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    assert hash_of_copy() == source_hash()
    seen = {source_hash()}
    path = copy / "tile.py"
    path.write_text(path.read_text() + "\n")
    seen.add(hash_of_copy())
    (copy / "new.py").write_text("")
    seen.add(hash_of_copy())
    assert len(seen) == 3
