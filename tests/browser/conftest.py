"""A real browser for the pages: Chromium without a window. Where none is installed, these tests are skipped.

`ELMAN_BROWSER` names another one than the one that is found, or says `required`: then there must be one.
"""

import os
import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api")

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Nobody but the page itself is to ask anything of the network; root has no sandbox.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1440, 390  # pixels


@pytest.fixture(scope="session")
def browser():
    wanted = os.environ.get("ELMAN_BROWSER", "")
    names = NAMES if wanted in ("", "required") else (wanted,)
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        message = f"no browser: none of {', '.join(names)} is installed"
        if wanted:
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=SWITCHES)
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Open a file in the browser: ``open_page(path, width=1440, dark=False)``.

    When the test ends, no page may have complained or asked for anything but its own file.
    """
    contexts, troubles = [], []

    def open_file(path, *, width=WIDE, dark=False, height=900):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page, address = context.new_page(), path.resolve().as_uri()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: _note_request(asked.url, address, troubles))
        page.goto(address)
        page.wait_for_load_state("load")
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert troubles == []


def _note_request(url, address, troubles):
    if url.partition("#")[0] != address and not url.startswith(("data:", "blob:")):
        troubles.append(f"asked for {url}")
