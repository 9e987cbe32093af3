"""What a chart of Altair's holds, read from its specification, and drawn as SVG."""

import vl_convert

HOSTILE = [
    "a.b[0]",
    'it\'s "quoted"',
    "</script>",
    "back\\slash,\nlines",
    "",
    "日本 ${datum}",
    "constructor",
    "__proto__",
]


def views(spec, data=None):
    """Yield (mark as a dict, rows of data, encoding) of each layer of each view."""
    data = spec.get("data", data)
    for part in spec.get("vconcat", spec.get("layer", [])):
        yield from views(part, data)
    if "mark" in spec:
        yield spec["mark"], data, spec["encoding"]


def rows(chart, mark, of=0):
    """Give the data behind the n-th layer whose mark has this type or style."""
    spec = chart.to_dict()
    found = [data for marked, data, _ in views(spec) if mark in (marked["type"], marked.get("style"))]
    data = found[of]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def encodings(chart, mark):
    return [encoding for marked, _, encoding in views(chart.to_dict()) if mark in (marked["type"], marked.get("style"))]


def svg(chart):
    """Draw a chart; nothing in it may have come to no number."""
    drawn = vl_convert.vegalite_to_svg(chart.to_dict())
    for broken in ("NaN", "undefined", "Infinity"):
        assert broken not in drawn, broken
    return drawn


def note(chart):
    title = chart.to_dict()["title"]
    return title.get("subtitle", title["text"])
