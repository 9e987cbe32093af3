"""What the figures were measured on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from elman.kernels.lanes import implementation

PACKAGES = ("elman", "numpy", "numba", "torch", "jax", "onnxruntime")


def environment(threads: int) -> dict[str, str]:
    """Return CPU, threads, vector instructions and versions."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    about = {"cpu": cpu_name(), "threads": str(threads), "vectors": implementation()}
    return {**about, "python": platform.python_version(), **versions}


def cpu_name() -> str:
    """Return the CPU's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
