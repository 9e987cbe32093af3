"""The harness bites: a page that breaks a promise is told from one that keeps it."""

import pytest

from browser.pages import reached_by_tab, serious_barriers, sticks_out

SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head>
<body><main><h1>A page</h1><p>Text. <button>One</button> <a href="#two">Two</a></p></main></body></html>"""


@pytest.fixture
def page_of(open_page, tmp_path):
    def opened(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return open_page(path, **options)

    return opened


def test_a_sound_page_has_no_findings_and_its_controls_are_reached_by_keyboard(page_of):
    page = page_of(SOUND)
    assert serious_barriers(page) == []
    assert sticks_out(page) == []
    assert [name.split()[-1] for name in reached_by_tab(page)] == ["One", "Two"]


def test_a_barrier_and_what_sticks_out_are_found(page_of):
    page = page_of(SOUND.replace("<p>", '<img src="data:,"><p style="color:#eee;width:2000px">'), width=390)
    assert {"image-alt", "color-contrast"} <= {line.split(":")[0] for line in serious_barriers(page)}
    assert sticks_out(page) == ["P."]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("throw new Error('broken')", "error: broken"),
        ("console.error('a complaint')", "a complaint"),
        ("new Image().src = 'http://127.0.0.1:9/picture.png'", "asked for http://127.0.0.1:9/picture.png"),
    ],
)
def test_errors_and_requests_are_found(browser, tmp_path, script, told):
    from browser.conftest import open_page

    path = tmp_path / "page.html"
    path.write_text(SOUND.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    opening = open_page.__wrapped__(browser)
    page = next(opening)(path)
    page.wait_for_timeout(50)
    with pytest.raises(AssertionError, match=told):
        next(opening, None)
