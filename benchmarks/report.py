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
    ratio: float  # how many times as long the best peer takes
    target: float | None
    gflops: float | None
    share_of_roof: float | None
    roof_target: float | None

    @property
    def met(self) -> bool:
        """Whether what the row is held to was reached."""
        fast = self.target is None or not self.ratio < self.target
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
        return [row.ratio for row in self.rows if row.group == group and not math.isnan(row.ratio)]

    def summary(self) -> list[str]:
        """Return what each group comes to, and each peer in it."""
        sentences = [""]
        for group, target in self.mean_targets.items():
            ratios = self.ratios(group)
            if not ratios:
                continue
            aim = "" if target is None else f" (aimed at {target})"
            sentences.append(
                f"{group}: {min(ratios):.2f} to {max(ratios):.2f} times as fast as the best peer, "
                f"geometric mean {statistics.geometric_mean(ratios):.2f}{aim}; "
                f"{sum(row.met for row in self.rows if row.group == group)} rows of {len(ratios)} as aimed at"
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


def family(name: str) -> str:
    """Return the peer of a contender: "torch" of "torch, 2 threads"."""
    return name.split(",")[0]


def line_of(row: Row) -> str:
    """Return a row as a line to watch."""
    times = "  ".join(f"{name} {ms:.4g}" for name, ms in row.milliseconds.items())
    share = "" if row.share_of_roof is None else f"  {row.share_of_roof:.0%} of the roof"
    mark = "" if row.met else "  (aimed at " + _aim(row) + ")"
    return f"{row.group}: {row.name}:  x {row.ratio:.2f}{share}{mark}   [ms] {times}"


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
    for group in results.mean_targets:
        lines += [
            f"### {group.capitalize()}",
            "",
            "| work | elman, ms | best peer, ms | times as fast | aimed at | of the roof |",
        ]
        lines.append("|---|---|---|---|---|---|")
        for row in results.rows:
            if row.group == group:
                own = next(iter(row.milliseconds.values()))
                peer = "" if row.best_peer is None else f"{row.best_peer}: {row.milliseconds[row.best_peer]:.4g}"
                share = "" if row.share_of_roof is None else f"{row.share_of_roof:.0%}"
                lines.append(f"| {row.name} | {own:.4g} | {peer} | {row.ratio:.2f} | {_aim(row)} | {share} |")
        lines.append("")
    return "\n".join([*lines, *(f"- {line.strip()}" for line in results.summary()[1:]), ""])


def plot(results: Results) -> str:
    """Return a picture (SVG): a bar for each row, how many times as fast as the best peer, on a logarithmic scale."""
    rows = [row for row in results.rows if not math.isnan(row.ratio)]
    left, top, height, width = 400, 40, 17, 420
    most = max([2.0, *(row.ratio for row in rows)])
    least = min([1.0, *(row.ratio for row in rows)])

    def x(ratio: float) -> float:
        return left + width * math.log(ratio / least) / math.log(most / least)

    total = top + height * (len(rows) + len(results.mean_targets)) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {total}" '
        'font-family="sans-serif" font-size="11">',
        "<style>text{fill:#222}.bar{fill:#2a78b5}.short{fill:#c9692b}.line{stroke:#999}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#777}}</style>",
        f'<text x="{left}" y="16" font-weight="bold">Times as fast as the best peer (logarithmic)</text>',
    ]
    for tick in (1, 2, 4, 8, 16, 32, 64, 128):
        if least <= tick <= most:
            parts.append(f'<line class="line" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}" y2="{total - 12}"/>')
            parts.append(f'<text x="{x(tick):.1f}" y="{top - 10}" text-anchor="middle">{tick}</text>')
    y, group = top, None
    for row in rows:
        if row.group != group:
            group = row.group
            parts.append(f'<text x="4" y="{y + 12}" font-weight="bold">{group}</text>')
            y += height
        start, end = sorted((x(1), x(row.ratio)))
        kind = "bar" if row.met else "short"
        parts.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{row.name}</text>')
        parts.append(
            f'<rect class="{kind}" x="{start:.1f}" y="{y + 2}" width="{end - start:.1f}" height="{height - 4}"/>'
        )
        parts.append(f'<text x="{max(start, end) + 4:.1f}" y="{y + 12}">{row.ratio:.2f}</text>')
        y += height
    return "\n".join([*parts, "</svg>", ""])
