"""The page on plots shows every function, each with the picture that its own Python draws."""

import re
from pathlib import Path

from elman import plots

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "plots.md").read_text(encoding="utf-8")


def test_the_package_lists_its_functions_alone():
    assert dir(plots) == plots.__all__ == sorted(plots.__all__)


def test_the_page_shows_every_function():
    assert set(re.findall(r"plots\.(\w+)\(", PAGE)) == set(plots.__all__)


def test_every_picture_of_the_page_is_there_and_no_other():
    named = re.findall(r"^```\n\n!\[[^\]]+\]\(images/(plot_\w+\.svg)\)$", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (DOCS / "images").glob("plot_*"))
    assert all((DOCS / "images" / name).stat().st_size < 100_000 for name in named)


def test_every_block_of_python_is_valid():
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        compile(block, "plots.md", "exec")
