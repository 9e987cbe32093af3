"""The unrolled view in a browser: pointing and the keyboard show another step, and everything is within reach."""

import re
from itertools import pairwise

import numpy as np
import pytest

from browser.pages import reached_by_tab, serious_barriers, sticks_out
from elman.cli.text_table import number
from elman.insight.three_steps import three_steps
from elman.insight.unroll import unroll
from elman.network.architecture import Architecture
from elman.network.network import Network
from elman.report.unrolled_view import unrolled_page


def page_of(folder, name, unrolled):
    path = folder / f"{name}.html"
    path.write_text(unrolled_page(unrolled), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unrolled")
    rng = np.random.default_rng(0)

    def network(**sizes):
        made = Network(Architecture(input_size=3, n_classes=4, **sizes), dtype="float64")
        made.initialise(rng, "orthogonal", forget_bias=None)
        return made

    long = unroll(network(cell="lstm", hidden_size=20, num_layers=2), rng.normal(size=(90, 3)), 2)
    tags = network(cell="gru", hidden_size=4, loss_at="every_step")
    names = ['<img src="x" onerror="alert(1)">', "</script>", "rest", "walk"]
    tagged = unroll(tags, rng.normal(size=(7, 3)), [-1, 0, 1, 2, 3, 0, -1], classes=names)
    return {
        "tagged": tagged,
        "three": page_of(folder, "three", three_steps()),
        "long": page_of(folder, "long", long),
        "tags": page_of(folder, "tags", tagged),
    }


def heading(page):
    return page.locator(".u-detail h3").inner_text()


@pytest.mark.parametrize(
    ("name", "width", "dark", "way"),
    [
        ("three", 1440, False, "forward"),
        ("three", 390, True, "backward"),
        ("long", 390, False, "backward"),
        ("tags", 1440, True, "forward"),
    ],
)
def test_pages_have_no_barriers_and_fit_the_window(pages, open_page, name, width, dark, way):
    page = open_page(pages[name], width=width, dark=dark)
    page.click(f"button[data-way={way}]")
    assert serious_barriers(page) == []
    assert sticks_out(page) == []


def test_arrow_keys_and_pointing_show_another_step(pages, open_page):
    page = open_page(pages["three"])
    assert heading(page) == "Step 1 of 3"
    page.focus(".u-scroll")
    page.keyboard.press("End")
    assert heading(page) == "Step 3 of 3"
    page.keyboard.press("ArrowLeft")
    assert heading(page) == "Step 2 of 3"
    assert page.get_attribute(".u-scroll", "aria-valuenow") == "2"
    assert page.get_attribute(".u-scroll", "aria-valuetext").startswith("step 2 of 3, size of the gradient 0.0583")
    page.keyboard.press("Home")
    assert heading(page) == "Step 1 of 3"
    page.keyboard.press("ArrowLeft")
    assert heading(page) == "Step 1 of 3", "there is none before the first"
    box = page.locator(".u-step[data-step='1'] .u-box").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".u-detail h3", has_text="Step 2 of 3").wait_for(timeout=5000)
    assert page.locator(".u-column.chosen").count() == 1


def test_the_panel_shows_the_numbers_of_the_step_as_the_terminal_does(pages, open_page):
    page = open_page(pages["three"])
    unrolled = three_steps()
    for t in (1, 2, 3):
        text = page.locator(".u-detail").inner_text().replace("−", "-")
        h, d_h = unrolled.passages[0].states["h"][t - 1], unrolled.passages[0].d_states["h"][t - 1]
        for value in [*unrolled.values[t - 1], *h, *d_h, np.linalg.norm(h), np.linalg.norm(d_h)]:
            assert number(value) in text
        page.focus(".u-scroll")
        page.keyboard.press("ArrowRight")


def test_each_way_opens_where_it_begins_and_a_tagger_where_there_are_labels(pages, open_page):
    page = open_page(pages["tags"])
    assert heading(page).startswith("Step 2 of 7"), "step 1 has no label"
    page.click("button[data-way=backward]")
    assert heading(page).startswith("Step 6 of 7"), "step 7 has no label"
    page = open_page(pages["long"])
    assert heading(page).startswith("Step 1 of 90")
    assert page.locator(".u-hint").inner_text().startswith("In view: steps 1 to ")
    assert "u-more-right" in page.get_attribute(".u-scroll", "class")
    page.click("button[data-way=backward]")
    assert heading(page).startswith("Step 90 of 90")
    assert " to 90 of 90. " in page.locator(".u-hint").inner_text()


def test_a_narrow_window_and_paper_show_every_step_and_the_class_scores(pages, open_page):
    page = open_page(pages["three"], width=390)
    assert page.locator(".u-hint").is_hidden(), "all of it is in view"
    assert "0.4785" in page.locator(".u-scores").text_content()
    page = open_page(pages["long"])
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 672, "height": 950})
    box = page.locator(".u-step").last.bounding_box()
    assert box["x"] + box["width"] < 672


def test_an_upper_layer_is_shown_with_the_states_that_it_reads(pages, open_page):
    page = open_page(pages["long"])
    table = page.locator(".u-panel", has_text="h1 of layer 1").first
    assert "unit 1" in table.inner_text()
    page.select_option(".u-layer", index=0)
    assert "feature 0" in page.locator(".u-panel").first.inner_text()


def go_to(page, t):
    page.evaluate("document.querySelector('.u-scroll').focus()")
    page.keyboard.press("Home")
    for _ in range(t - 1):
        page.keyboard.press("ArrowRight")


def units_shown(page, name):
    """The column of the panel's table of units that is called so."""
    rows = page.locator(".u-panel table").filter(has=page.locator("th", has_text=re.compile("^unit$"))).locator("tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    return [float(cell[cells[0].index(name)].replace("−", "-")) for cell in cells[1:]]


def test_the_panel_shows_states_and_their_gradients_of_the_layer_chosen(pages, open_page):
    page = open_page(pages["tags"])
    for place, passage in enumerate(pages["tagged"].passages):
        page.select_option(".u-layer", index=place)
        for t in (5, 4):
            page.click("button[data-way=forward]")
            go_to(page, t)
            np.testing.assert_allclose(units_shown(page, f"h{t}"), passage.states["h"][t - 1], rtol=1e-2, atol=1e-4)
            page.click("button[data-way=backward]")
            go_to(page, t)
            found = units_shown(page, f"dL/dh{t}")
            np.testing.assert_allclose(found, passage.d_states["h"][t - 1], rtol=1e-2, atol=1e-4)


def test_headings_skip_no_level(pages, open_page):
    page = open_page(pages["three"])
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1])")
    assert levels[:3] == [1, 2, 3]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_switch_turns_the_arrows_and_the_equations_around(pages, open_page):
    page = open_page(pages["three"])

    def shown():
        display = "(kind) => getComputedStyle(document.querySelector(kind)).display"
        return [page.evaluate(display, kind) for kind in ("path.u-of-forward", "path.u-of-backward")]

    assert shown() == ["inline", "none"]
    page.click("button[data-way=backward]")
    assert shown() == ["none", "inline"]
    assert page.get_attribute("button[data-way=backward]", "aria-pressed") == "true"
    assert "dL/dlogits" in page.locator(".u-equations").inner_text()


def test_another_layer_has_bars_and_units_of_its_own(pages, open_page):
    page = open_page(pages["long"])
    bars = page.locator(".u-bars").inner_html()
    page.select_option(".u-layer", index=1)
    assert heading(page) == "Step 1 of 90, layer 1, reverse"
    assert page.locator(".u-bars").inner_html() != bars
    assert page.locator(".u-whole svg").is_visible(), "a long sequence is there as a line"


def test_every_control_is_reached_by_keyboard(pages, open_page):
    reached = " ".join(reached_by_tab(open_page(pages["long"])))
    for name in ("Forward", "Backward", "Play", "u-layer", "Time step of the unrolled network", "The steps as a table"):
        assert name in reached


def test_play_goes_forward_and_then_back(pages, open_page):
    page = open_page(pages["three"])
    page.clock.install()
    page.click(".u-play")
    seen = [(page.get_attribute(".unrolled", "data-way"), page.get_attribute(".unrolled", "data-step"))]
    for _ in range(5):
        page.clock.run_for(900)
        seen.append((page.get_attribute(".unrolled", "data-way"), page.get_attribute(".unrolled", "data-step")))
    there = [("forward", "1"), ("forward", "2"), ("forward", "3")]
    assert seen == [*there, ("backward", "3"), ("backward", "2"), ("backward", "1")]
