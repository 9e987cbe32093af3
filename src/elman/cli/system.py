"""What elman has found on this machine: `elman info --system`."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

from elman.cli.console import say

PACKAGES = ("numpy", "numba", "scikit-learn", "polars")


def system_facts() -> dict[str, Any]:
    """Give cores and threads, the implementations of the kernels, and versions."""
    from elman import __version__
    from elman.network.machine import machine

    found = machine()
    return {
        "system": f"{platform.system()} on {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": found.threads,
        "implementations": list(found.implementations),
        "implementation": found.implementation,
        "tile": found.tile,
        "compiled_kernels": {"folder": found.cache_folder, "files": found.cached, "bytes": found.cached_bytes},
        "versions": {"elman": __version__, "python": platform.python_version(), **{n: version(n) for n in PACKAGES}},
    }


def print_system(facts: dict[str, Any]) -> None:
    """Print the facts, and how each of them can be changed."""
    from rich.table import Table
    from rich.text import Text

    from elman.cli.tables import count

    used, found = facts["implementation"], facts["implementations"]
    if used in found:
        vectors = ", ".join(f"{name} (in use)" if name == used else name for name in found)
        vectors += "; ELMAN_VECTORS forces one"
    else:
        vectors = f"{used}, forced by ELMAN_VECTORS; this CPU has {', '.join(found)}"
    kernels = facts["compiled_kernels"]
    rows = {
        "system": facts["system"],
        "threads": f"{facts['threads']} of {count(facts['cores'], 'core')}; ELMAN_NUM_THREADS or n_threads limits them",
        "vectors": vectors,
        "tile": ", ".join(f"{shape} {dtype}" for dtype, shape in facts["tile"].items()) + " sums kept in registers",
        "kernels": "no folder to keep compiled code in: each process compiles anew; NUMBA_CACHE_DIR names one"
        if kernels["folder"] is None
        else f"{count(kernels['files'], 'compiled file')}, {kernels['bytes'] / 1e6:.1f} MB in {kernels['folder']}",
        "versions": ", ".join(f"{name} {number}" for name, number in facts["versions"].items()),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value))
    say(table)
