"""Colours that readers can tell apart, one configuration for each paper, and what a page needs to draw."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest

from drawn import missing_fields, svg
from elman import ParameterError, plots
from elman.insight.attribution import Attribution
from elman.plots.colours import DARK, LIGHT
from elman.plots.drawing import as_number, short_names
from elman.plots.predictions import _STRONG
from elman.plots.theme import config, script, specification

PAPERS = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
TO_OKLAB = (
    np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]),
    np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]),
)
AS_SEEN_BY = {  # Machado, Oliveira & Fernandes (2009), severity 1
    "all": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protanopia": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deuteranopia": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
    "tritanopia": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
}


def test_a_tooltip_of_a_field_that_is_not_there_is_found():
    chart = plots.attribution(
        Attribution(
            np.array([[1.0], [2.0]]),
            np.array([0, 2]),
            *(np.zeros(1, np.int64), np.array(["a"]), ("x",), "occlusion"),
            *(np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1, bool)),
        )
    )
    spec = chart.to_dict()
    assert missing_fields(spec, spec.get("datasets", {})) == []
    cells = spec["vconcat"][1]["layer"][0]
    cells["transform"] = [each for each in cells["transform"] if each["as"] != "of"]
    assert missing_fields(spec, spec.get("datasets", {})) == [("rect", "of")]


def linear(colour):
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def oklab(colour, sight="all"):
    to_cones, to_lab = TO_OKLAB
    seen = np.reshape(AS_SEEN_BY[sight], (3, 3)) @ linear(colour)
    return to_lab @ np.cbrt(to_cones @ np.clip(seen, 0, 1))


@PAPERS
def test_each_of_the_eight_colours_stands_out_from_its_paper(colours):
    assert len(set(colours.categories)) == 8
    assert min(contrast(colour, colours.paper) for colour in colours.categories) >= 3


@PAPERS
@pytest.mark.parametrize("sight", AS_SEEN_BY)
def test_the_eight_colours_stay_apart_for_every_reader(colours, sight):
    pairs = itertools.combinations(colours.categories, 2)
    distances = [np.linalg.norm(oklab(a, sight) - oklab(b, sight)) for a, b in pairs]
    assert min(distances) >= 0.065


@PAPERS
def test_text_is_readable_on_paper_and_on_either_end_of_the_scale(colours):
    assert contrast(colours.ink, colours.paper) >= 7
    assert contrast(colours.ink_soft, colours.paper) >= 4.5
    turn = np.sqrt(_STRONG) * (len(colours.sequential) - 1)  # where a cell's figure changes its ink
    assert all(contrast(colours.ink, colours.sequential[at]) >= 4 for at in range(9) if at < turn)
    assert all(contrast(colours.on_strong, colours.sequential[at]) >= 4 for at in range(9) if at > turn)


@PAPERS
def test_more_is_further_from_the_paper(colours):
    def distances(scale):
        return [abs(oklab(colour)[0] - oklab(colours.paper)[0]) for colour in scale]

    assert distances(colours.sequential) == sorted(distances(colours.sequential))
    middle = len(colours.diverging) // 2
    assert distances(colours.diverging[middle:]) == sorted(distances(colours.diverging[middle:]))
    assert distances(colours.diverging[middle::-1]) == sorted(distances(colours.diverging[middle::-1]))


def test_one_chart_does_on_both_papers():
    chart = plots.lengths([3, 4, 4])
    light, dark = specification(chart, "light"), specification(chart, "dark")
    assert light["config"] == config() == chart.to_dict()["config"]
    assert dark["config"] == config(dark=True) == plots.lengths([3, 4, 4], theme="dark").to_dict()["config"]
    assert "config" not in specification(chart)
    assert {**light, "config": None} == {**dark, "config": None}
    assert DARK.paper in svg(plots.lengths([3, 4, 4], theme="dark"))


def test_charts_without_a_theme_can_be_joined():
    joined = plots.lengths([3, 4], theme=None) | plots.classes(["a", "b"], theme=None)
    assert config()["font"] in str(joined.configure(**config()).to_dict())


def test_the_script_of_a_page_is_one_function_that_defines_one_name():
    text = script()
    assert text.startswith("(() => {")
    assert text.endswith("})();")
    assert re.findall(r"window\.vega\w*\s*=(?!=)", text) == ["window.vegaEmbed="]
    assert "</script" not in text.lower()
    assert len(text) < 1_000_000


def test_plots_can_be_imported_without_altair_and_say_what_they_need():
    code = (
        "import sys; sys.modules['altair'] = sys.modules['vl_convert'] = None\n"
        "from elman import plots, MissingExtraError\n"
        "try: plots.lengths([3, 4])\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "This needs altair, which is not installed. Run pip install 'elman[report]'.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": 3}, "The 'title' parameter of lengths must be a str or None. Got int instead."),
        ({"width": 20}, r"The 'width' parameter of lengths must be an int in the range \[100, inf\). Got 20 instead."),
        ({"width": True}, "The 'width' parameter of lengths"),
        ({"theme": "black"}, "The 'theme' parameter of lengths must be 'light', 'dark' or None. Got 'black' instead."),
    ],
)
def test_a_wrong_option_is_told_with_its_contract(options, message):
    with pytest.raises(ParameterError, match=message):
        plots.lengths([3, 4], **options)


def test_names_are_told_apart_however_alike_and_numbers_are_short():
    assert short_names(["x" * 30, "x" * 31, 1, "1", "1 (2)"], longest=5) == [
        "xxxx…",
        "xxxx… (2)",
        "1",
        "1 (2)",
        "1 (2) (2)",
    ]
    assert [as_number(value) for value in (1 / 3, -np.inf, np.float32(2.5), 12345678)] == [
        0.33333,
        None,
        2.5,
        12346000.0,
    ]
