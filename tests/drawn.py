"""What a chart of Altair's holds, read from its specification, and drawn as SVG."""

import json
import re

import vl_convert

HOSTILE = ["a.b[0]", 'it\'s "quoted"', "</script>", "back\\slash", "two\nlines", "", "日本", "${datum}"]


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


def missing_fields(spec, datasets, data=None, made=frozenset()):
    """Give the fields that a chart's marks, tooltips and transforms name and its data do not have, (mark, field)."""
    data = spec.get("data", data)
    for transform in spec.get("transform", []):
        made |= {transform["as"]} if "as" in transform else set()
    found = []
    for part in spec.get("vconcat", spec.get("layer", [])):
        found += missing_fields(part, datasets, data, made)
    if "mark" in spec:
        rows = data["values"] if "values" in data else datasets[data["name"]]
        known = set.intersection(*map(set, rows)) | made
        channels = [
            each for given in spec["encoding"].values() for each in (given if isinstance(given, list) else [given])
        ]
        named = {channel["field"] for channel in channels if "field" in channel}
        named |= set(re.findall(r"\bdatum\.(\w+)", json.dumps(spec.get("transform", []))))
        found += [(spec["mark"]["type"], field) for field in sorted(named - known)]
    return found


def svg(chart):
    """Draw a chart; nothing in it may have come to no number, and no field may be missing, not in a tooltip either."""
    spec = chart.to_dict()
    assert missing_fields(spec, spec.get("datasets", {})) == []
    drawn = vl_convert.vegalite_to_svg(spec)
    for broken in ("NaN", "undefined", "Infinity"):
        assert broken not in drawn, broken
    return drawn


def note(chart):
    title = chart.to_dict()["title"]
    return title.get("subtitle", title["text"])
