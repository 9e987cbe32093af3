"""Draw the pictures of docs/plots.md: run its Python, and write each ``chart`` to the picture that follows it.

Run it:  python docs/draw.py [--to FOLDER]
"""

import argparse
import os
import re
from pathlib import Path

from elman.extras import library

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```python\n(.*?)^```(?:\s*!\[[^\]]*\]\(images/([\w.]+)\))?", re.MULTILINE | re.DOTALL)


def charts(page):
    """Run the blocks of a page one after another; give the name of each picture and its chart."""
    names = {}
    for code, picture in _BLOCK.findall(page):
        exec(compile(code, "plots.md", "exec"), names)
        if picture:
            yield picture, names["chart"]


def draw(folder):
    """Write every picture of the page to a folder."""
    to_svg = library("vl_convert", extra="report").vegalite_to_svg
    for picture, chart in charts((ROOT / "docs" / "plots.md").read_text(encoding="utf-8")):
        (folder / picture).write_text(rounded(to_svg(chart.to_dict())) + "\n", encoding="utf-8")
        print(folder / picture)


def rounded(svg):
    """Give a picture with two digits behind the point, which is finer than anyone sees and half the size."""
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), svg)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images", metavar="FOLDER")
    folder = parser.parse_args().to.resolve()
    os.chdir(ROOT)
    draw(folder)
