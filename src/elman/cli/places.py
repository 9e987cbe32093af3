"""Where a model is written, and which file it is to be measured on."""

from __future__ import annotations

from pathlib import Path

from elman.errors import OutputError

_PAGES = (".html", ".htm")


def check_output(model: Path, *inputs: Path | None) -> None:
    """Refuse a place that cannot be written, or that would overwrite data, before hours of training."""
    from elman.cli.dataset import DATA
    from elman.output_file import check_writable

    if model.suffix.lower() in DATA:
        raise OutputError(f"{model}: expected the name of a model, such as model.safetensors, got that of a data file.")
    check_writable(model)
    for given in inputs:
        if given is not None and model.exists() and given.exists() and model.samefile(given):
            raise OutputError(f"{model}: the model would overwrite its data. Choose another name.")


def check_page(page: Path, *inputs: Path) -> None:
    """Refuse a place for a page that cannot be written, is called otherwise, or would overwrite what it tells of."""
    from elman.output_file import check_writable

    if page.suffix.lower() not in _PAGES:
        raise OutputError(f"{page}: expected the name of a page, such as report.html, got {page.suffix!r}. Rename it.")
    check_writable(page)
    for given in inputs:
        if page.exists() and given.exists() and page.samefile(given):
            raise OutputError(f"{page}: the output would overwrite the input. Choose another name.")


def write_page(page: Path, html: str) -> None:
    """Write a page, whole or not at all; names of files that are not UTF-8 stand in it as escapes."""
    from elman.output_file import write_whole

    write_whole(page, html.encode("utf-8", "backslashreplace"))


def test_file(file: Path) -> Path:
    """Give the test file beside a training file, where the names tell."""
    for training, test in (("TRAIN", "TEST"), ("train", "test")):
        candidate = file.with_name(file.name.replace(training, test))
        if candidate != file and candidate.exists():
            return candidate
    return Path("FILE")


def quoted(path: Path) -> str:
    """Give a path as a shell takes it."""
    import shlex

    return shlex.quote(str(path))
