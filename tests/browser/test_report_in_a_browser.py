"""The report in a real browser: drawn, quiet, readable at every width, by keyboard and in both colours."""

import pytest

from browser.pages import reached_by_tab, serious_barriers, sticks_out
from elman import SequenceClassifier
from elman.report.report import report
from reported import FEATURES, HOSTILE, SMALL, facts_of, walks

NARROW = 390


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The report of a model whose classes and features have hostile names."""
    import numpy as np

    sequences, codes = walks(72, len(HOSTILE), 2, FEATURES)
    labels = np.array(HOSTILE)[codes]
    model = SequenceClassifier(**SMALL).fit(sequences[:36], labels[:36])
    written = tmp_path_factory.mktemp("report") / "report.html"
    written.write_text(report(facts_of(model, sequences, labels)), encoding="utf-8")
    return written


def drawn(page, theme="light"):
    page.wait_for_function(f"document.documentElement.dataset.charts === '{theme}'")
    return page


@pytest.mark.parametrize("dark", [False, True])
def test_every_chart_is_drawn_and_nothing_bars_the_way(open_page, path, dark):
    page = drawn(open_page(path, dark=dark), "dark" if dark else "light")
    places = page.locator(".chart").count()
    assert places >= 12
    assert page.locator(".chart svg").count() == places
    assert page.evaluate("document.querySelectorAll('.chart svg text').length") > 50
    assert serious_barriers(page) == []
    assert sticks_out(page) == []


def test_a_narrow_window_shows_all_of_it(open_page, path):
    page = drawn(open_page(path, width=NARROW))
    assert sticks_out(page) == []
    widest = page.evaluate("Math.max(...[...document.querySelectorAll('.chart svg')].map(e => e.clientWidth))")
    assert widest <= NARROW


def test_the_toggle_changes_page_and_charts_by_keyboard(open_page, path):
    page = drawn(open_page(path))
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.locator(".theme-toggle").focus()
    page.keyboard.press("Enter")
    drawn(page, "dark")
    assert page.evaluate(paper) != light
    assert page.locator(".theme-toggle").inner_text() == "Light"
    page.keyboard.press("Enter")
    drawn(page, "light")
    assert page.evaluate(paper) == light


def test_a_chart_tells_its_numbers_to_who_points_at_it(open_page, path):
    page = drawn(open_page(path))
    page.locator('.chart[data-chart="baselines"] svg path[aria-label*="this model"]').first.hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    assert "this model" in tip.inner_text()


def test_the_keyboard_reaches_skip_link_toggle_and_what_scrolls(open_page, path):
    reached = reached_by_tab(drawn(open_page(path)))
    assert "Skip to the content" in reached[0]
    assert any("theme-toggle" in each for each in reached[:3])
    assert any(each.startswith("summary") for each in reached)


def test_paper_shows_what_is_folded_even_if_no_script_opens_it(open_page, path):
    page = drawn(open_page(path))
    inside = page.locator("details:not([open]) table").first
    height = inside.evaluate("table => table.getBoundingClientRect().height")
    page.emulate_media(media="print")
    assert height == 0
    assert inside.evaluate("table => table.getBoundingClientRect().height") > 100
    assert not page.get_by_text("Point at a time step, or move with").is_visible()


def test_printing_opens_everything_on_white_paper(open_page, path):
    page = drawn(open_page(path, dark=True), "dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    drawn(page, "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".theme-toggle").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    drawn(page, "dark")
    assert page.locator("details:not([open])").count() > 0
