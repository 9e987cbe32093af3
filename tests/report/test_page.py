"""The shell of pages: what runs in it, what it escapes, and what it is without charts."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from markupsafe import Markup

from elman.plots.colours import DARK, LIGHT
from elman.report.page import inline_json, render_page

SPEC = {"$schema": "https://nowhere", "config": {"background": "red"}, "mark": "bar", "width": 100}


def scripts(page):
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def test_all_scripts_of_a_page_are_allowed_by_their_digests_and_no_others():
    page = render_page("t", Markup("<h1>x</h1><script>one()</script>"), scripts=["two()"], charts={"a": SPEC})
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    allowed = set(re.findall(r"'sha256-([^']+)'", policy.replace("&#39;", "'")))
    assert allowed == {b64encode(sha256(text.encode()).digest()).decode() for text in scripts(page)}
    assert {"one()", "two()"} <= set(scripts(page))
    assert re.sub(r"( 'sha256-[^']+')+", " DIGESTS", policy.replace("&#39;", "'")) == (
        "default-src 'none'; script-src DIGESTS; style-src 'unsafe-inline'; img-src data:; connect-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_a_page_without_charts_holds_no_library_for_them():
    page = render_page("t", Markup("<h1>x</h1>"))
    assert "vegaEmbed" not in page
    assert len(page) < 30_000


def test_specifications_come_without_colours_and_addresses():
    page = render_page("t", Markup('<div class="chart" data-chart="a"></div>'), charts={"a": SPEC})
    assert '{"mark":"bar","width":100}' in page
    assert "nowhere" not in page


def test_titles_are_escaped():
    page = render_page("</title><script>alert(1)</script>", Markup("<h1>x</h1>"))
    assert "<script>alert" not in page
    assert "&lt;/title&gt;" in page


def test_a_script_that_would_end_its_element_is_refused():
    with pytest.raises(ValueError, match="</script"):
        render_page("t", Markup(""), scripts=["'</SCRIPT>'"])


def test_json_in_a_page_neither_ends_nor_opens_an_element():
    text = str(inline_json({"a": "</script><!--", "b": "\u2028", "c": "\ud800"}))
    assert not set("<>&\u2028") & set(text)


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_colours_are_those_of_charts(theme, colours):
    page = render_page("t", Markup(""))
    (rule,) = re.findall(rf"\{{ color-scheme: {theme}; ([^}}]*) \}}", page)[:1]
    assert f"--paper: {colours.paper};" in rule
    assert f"--ink: {colours.ink};" in rule
    assert f"--c7: {colours.categories[7]};" in rule


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "ink-soft", "accent", "good", "bad"])
def test_text_stands_out_from_its_paper(theme, name):
    page = render_page("t", Markup(""))
    (rule,) = re.findall(rf"\{{ color-scheme: {theme}; ([^}}]*) \}}", page)[:1]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", rule))
    assert contrast(colours[name], colours["paper"]) >= 4.5
    assert contrast(colours[name], colours["surface"]) >= 4.5
