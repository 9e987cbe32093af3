"""The results of a run: lines to watch, a table, JSON, and a plot."""

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    group: str
    name: str
    milliseconds: dict[str, float]  # a step of each contender, elman first
    best_peer: str | None
    ratio: float | None  # how many times as long the best peer takes
    peer_share: float  # by which a peer's time counts in the ratio: its share of the work, where it does more or less
    target: float | None
    gflops: float | None
    share_of_roof: float | None
    roof_target: float | None

    @property
    def met(self) -> bool:
        """Whether what the row is held to was reached."""
        fast = self.target is None or self.ratio is None or self.ratio >= self.target
        return fast and (self.roof_target is None or (self.share_of_roof or 0) >= self.roof_target)


@dataclass
class Results:
    """Everything that one run found."""

    environment: dict[str, str]
    roof: dict[str, float]  # GFLOP/s
    quick: bool
    rows: list[Row] = field(default_factory=list)
    mean_targets: dict[str, float | None] = field(default_factory=dict)

    def add(self, row: Row, mean_target: float | None) -> None:
        """Take in a row, and what the geometric mean of its group is held to."""
        self.rows.append(row)
        self.mean_targets[row.group] = mean_target

    def ratios(self, group: str) -> list[float]:
        """Return the ratios of a group to the best peers."""
        return [row.ratio for row in self.rows if row.group == group and row.ratio is not None]

    def summary(self) -> list[str]:
        """Return what each group comes to, and each peer in it."""
        sentences = ["", *([QUICK] if self.quick else [])]
        for group, target in self.mean_targets.items():
            ratios = self.ratios(group)
            if not ratios:
                continue
            aim = "" if target is None else f" (aim: {target})"
            met = [row.met for row in self.rows if row.group == group and row.ratio is not None]
            sentences.append(
                f"{group}: {min(ratios):.2f} to {max(ratios):.2f} times as fast as the best peer, "
                f"geometric mean {statistics.geometric_mean(ratios):.2f}{aim}; "
                f"{sum(met)} of {len(met)} rows reach their aim"
            )
            sentences += self._by_peer(group)
        return sentences

    def _by_peer(self, group: str) -> list[str]:
        rows = [row.milliseconds for row in self.rows if row.group == group]
        families = dict.fromkeys(family(name) for row in rows for name in list(row)[1:] if family(name) != "elman")
        sentences = []
        for peer in families:
            at_best = [min((ms for name, ms in row.items() if family(name) == peer), default=math.nan) for row in rows]
            ratios = [ms / next(iter(row.values())) for ms, row in zip(at_best, rows) if not math.isnan(ms)]
            mean = statistics.geometric_mean(ratios)
            sentences.append(
                f"    to {peer} at its best: {min(ratios):.2f} to {max(ratios):.2f}, geometric mean {mean:.2f}"
            )
        return sentences


QUICK = "A quick run, each row once or twice: to see that it runs, figures not to be quoted."


def family(name: str) -> str:
    """Return the peer of a contender: "torch" of "torch, 2 threads"."""
    return name.split(",")[0]


def line_of(row: Row) -> str:
    """Return a row as a line to watch."""
    times = "  ".join(f"{name} {ms:.4g}" for name, ms in row.milliseconds.items())
    share = "" if row.share_of_roof is None else f"  {row.share_of_roof:.1%} of the roof"
    mark = "" if row.met else f"  (short of its aim: {_aim(row)})"
    ratio = "no peer" if row.ratio is None else f"x {row.ratio:.2f}"
    return f"{row.group}: {row.name}:  {ratio}{share}{mark}   [ms] {times}"


def _aim(row: Row) -> str:
    roof = "" if row.roof_target is None else f", {row.roof_target:.0%} of the roof"
    return ("" if row.target is None else f"{row.target:.3g}") + roof


def write(results: Results, folder: Path) -> list[Path]:
    """Write JSON, table and plot; return the files."""
    paths = [folder / name for name in ("peers.json", "peers.md", "peers.svg")]
    texts = (json.dumps(asdict(results), indent=2) + "\n", table(results), plot(results))
    for path, text in zip(paths, texts):
        part = path.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return paths


def table(results: Results) -> str:
    """Return the results as a table in Markdown."""
    about = ", ".join(f"{key} {value}" for key, value in results.environment.items())
    lines = [f"{about}; roof of the tile {results.roof['all threads']:.0f} GFLOP/s.", ""]
    lines += [QUICK, ""] * results.quick
    for group in results.mean_targets:
        lines += [
            f"### {group.capitalize()}",
            "",
            "| work | elman, ms | best peer, ms | times as fast | aim | of the roof |",
        ]
        lines.append("|---|---|---|---|---|---|")
        for row in results.rows:
            if row.group == group:
                own = next(iter(row.milliseconds.values()))
                peer = "" if row.best_peer is None else f"{row.best_peer}: {_peer_time(row):.4g}"
                share = "" if row.share_of_roof is None else f"{row.share_of_roof:.0%}"
                ratio = "" if row.ratio is None else f"{row.ratio:.2f}{'' if row.met else ' (short)'}"
                lines.append(f"| {row.name} | {own:.4g} | {peer} | {ratio} | {_aim(row)} | {share} |")
        lines.append("")
    return "\n".join([*lines, *(f"- {line.strip()}" for line in results.summary()[1:]), ""])


def _peer_time(row: Row) -> float:
    """Return the best peer's milliseconds, for elman's share of its work."""
    return 0.0 if row.best_peer is None else row.milliseconds[row.best_peer] * row.peer_share


def plot(results: Results) -> str:
    """Return a picture (SVG): a bar for each row, how many times as fast as the best peer, on a logarithmic scale."""
    rows = [
        row for group in results.mean_targets for row in results.rows if row.group == group and row.ratio is not None
    ]
    ratios = [row.ratio for row in rows if row.ratio is not None]
    left, top, height, width = 400, 56, 17, 420
    most, least = max([2.0, *ratios]), min([1.0, *ratios])

    def x(ratio: float) -> float:
        return left + width * math.log(ratio / least) / math.log(most / least)

    total = top + height * (len(rows) + len(results.mean_targets)) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {total}" '
        'font-family="sans-serif" font-size="11">',
        "<style>text{fill:#222}.bar{fill:#2a78b5}.short{fill:#c9692b}.line{stroke:#ddd}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#444}}</style>",
        f'<text x="{left}" y="16" font-weight="bold">Times as fast as the best peer (logarithmic)</text>',
        '<rect class="bar" x="4" y="6" width="12" height="12"/><text x="20" y="16">reaches its aim</text>',
        '<rect class="short" x="124" y="6" width="12" height="12"/><text x="140" y="16">falls short of it</text>',
    ]
    note = QUICK if results.quick else "" if rows else "No peer is installed: nothing to compare with."
    parts.append(f'<text x="4" y="{top - 20}">{note}</text>')
    for tick in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128):
        if least <= tick <= most:
            parts.append(f'<line class="line" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}" y2="{total - 12}"/>')
            parts.append(f'<text x="{x(tick):.1f}" y="{top - 10}" text-anchor="middle">{tick:g}</text>')
    y, group = top, None
    for row, ratio in zip(rows, ratios):
        if row.group != group:
            group = row.group
            parts.append(f'<text x="4" y="{y + 12}" font-weight="bold">{group}</text>')
            y += height
        start, end = sorted((x(1), x(ratio)))
        kind = "bar" if row.met else "short"
        parts.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{row.name}</text>')
        size = f'width="{max(1.0, end - start):.1f}" height="{height - 4}"'
        parts.append(f'<rect class="{kind}" x="{start:.1f}" y="{y + 2}" {size}/>')
        parts.append(f'<text x="{max(start, end) + 4:.1f}" y="{y + 12}">{ratio:.2f}</text>')
        y += height
    return "\n".join([*parts, "</svg>", ""])
