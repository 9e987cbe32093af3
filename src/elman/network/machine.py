"""What the kernels have found on this machine."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from elman.kernels.compiled import cache_folder
from elman.kernels.compiled import n_compiled as n_compiled
from elman.kernels.lanes import implementation, implementations, lanes
from elman.kernels.tile import MOST_ROWS
from elman.network.threads import available_threads


class Machine(NamedTuple):
    """Threads, vector instructions, the register tile, and the machine code on disk."""

    threads: int
    implementations: tuple[str, ...]  # of this CPU, the widest first
    implementation: str  # the one in use
    tile: dict[str, str]  # precision -> rows x columns
    cache_folder: str | None  # None: no folder can be written to, so every process compiles
    cached: int  # files
    cached_bytes: int


def machine() -> Machine:
    """Look at the machine as the kernels do."""
    folder = cache_folder()
    files = [] if folder is None else list(Path(folder).glob("*.nbc"))
    tile = {name: f"{MOST_ROWS} x {2 * lanes(np.dtype(name))}" for name in ("float32", "float64")}
    return Machine(
        threads=available_threads(),
        implementations=tuple(implementations()),
        implementation=implementation(),
        tile=tile,
        cache_folder=folder,
        cached=len(files),
        cached_bytes=sum(file.stat().st_size for file in files),
    )
