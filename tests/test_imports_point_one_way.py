"""The arrows of the design: who may import whom, held against the sources."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "elman"

# A part of the package -> the parts that it may import. Every part may import errors, and itself.
ARROWS = {
    "errors": set(),
    "caution": set(),
    "__init__": {"data", "estimators"},
    "__main__": {"cli"},
    "kernels": set(),
    "network": {"kernels"},
    "training": {"network", "kernels", "tensor_file", "output_file", "caution", "__init__"},
    "data": {"output_file"},
    "output_file": set(),
    "extras": set(),
    "tensor_file": {"output_file", "__init__"},
    "metadata_history": {"tensor_file"},
    "metadata": {"data", "network", "kernels", "tensor_file", "metadata_history", "__init__"},
    "model_file": {"metadata", "data", "tensor_file", "network", "__init__"},
    "estimators": {"caution", "model_file", "metadata", "training", "network", "data"},
    "watching": {"training", "output_file", "extras", "caution", "__init__"},
    "search": {"estimators", "training", "output_file", "extras"},
    "insight": {"estimators", "training", "network", "kernels", "data"},
    "plots": {"insight", "estimators", "training", "network", "data", "extras"},
    "report": {
        "plots",
        "insight",
        "estimators",
        "training",
        "network",
        "data",
        "output_file",
        "extras",
        "caution",
        "__init__",
    },
    "cli": {
        "report",
        "plots",
        "insight",
        "estimators",
        "search",
        "watching",
        "model_file",
        "metadata",
        "output_file",
        "training",
        "network",
        "data",
        "__init__",
    },
}
# An outside package -> the parts that alone may import it.
OWNERS = {
    "sklearn": {"estimators"},
    "scipy": {"estimators", "insight"},
    "altair": {"plots"},
    "vl_convert": {"plots"},
    "jinja2": {"report"},
    "optuna": {"search"},
    "sqlalchemy": {"search"},
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "polars": {"data", "cli"},
    "safetensors": {"tensor_file"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def part_of(module):
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def imported_modules(source, module):
    """Give the name of every module that a source imports, at its top or inside a function."""
    package = module.rsplit(".", 1)[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"elman.{alias.name}" for alias in node.names] if node.module == "elman" else []
            known = [name for name in names if part_of(name) in ARROWS]
            yield from known or [node.module]
        elif isinstance(node, ast.ImportFrom):
            yield ".".join(filter(None, [package.rsplit(".", node.level - 1)[0], node.module]))


def violations(source, module):
    part = part_of(module)
    for name in imported_modules(source, module):
        top = name.split(".")[0]
        if top == "elman":
            target = part_of(name)
            if target not in {part, "errors"} | ARROWS[part]:
                yield f"{module} imports {name}"
        elif part not in OWNERS.get(top, {part}):
            yield f"{module} imports {name}"


def sources():
    for path in sorted(SOURCE.rglob("*.py")):
        names = path.relative_to(SOURCE.parent).with_suffix("").parts
        yield ".".join(names[:-1] if names[-1] == "__init__" and len(names) > 2 else names), path


def test_every_import_follows_an_arrow():
    found = [sentence for module, path in sources() for sentence in violations(path.read_text(), module)]
    assert found == []


def test_every_part_has_its_arrows_and_they_run_in_no_circle():
    assert {part_of(module) for module, _ in sources()} <= set(ARROWS)

    def reach(part, seen):
        assert part not in seen, f"a circle through {part}"
        for target in ARROWS[part] - {"__init__"}:  # which holds the version, and imports lazily
            reach(target, {*seen, part})

    for part in ARROWS:
        reach(part, set())


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("elman.kernels.sweep", "from elman.network.network import Network"),
        ("elman.network.network", "def f():\n    import elman.training.trainer"),
        ("elman.data.readers.ts", "from elman.kernels import cells"),
        ("elman.data.readers.ts", "from ...network import network"),
        ("elman.training.trainer", "from elman import estimators"),
        ("elman.training.trainer", "from sklearn.base import clone"),
        ("elman.network.network", "import numba"),
        ("elman.model_file", "from elman.estimators.classifier import load"),
        ("elman.estimators.classifier", "from elman.cli import main"),
    ],
)
def test_an_import_against_the_arrows_is_found(module, source):
    assert len(list(violations(source, module))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("elman.kernels.sweep", "from elman.kernels import cells\nfrom .tile import product\nimport numba"),
        ("elman.training.trainer", "from elman.errors import TrainingError\nfrom elman.network.network import Network"),
        ("elman.model_file", "from elman import __version__"),
        ("elman.cli.train", "from elman.estimators.classifier import load"),
    ],
)
def test_an_import_along_the_arrows_passes(module, source):
    assert list(violations(source, module)) == []
