"""The benchmark runs, without its peers and on a small shape: its figures are for people, not for tests."""

import json
import sys

import pytest

from benchmarks import peers, train_step


def test_the_table_and_the_file_hold_what_was_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        peers, "steps", lambda *shape: {f"slow, {n}": lambda n=n: sum(range(n)) for n in (900_000, 300_000)}
    )
    monkeypatch.setattr(train_step, "SHAPES", [(3, 4, 2, 5)])
    monkeypatch.setattr(
        sys, "argv", ["train_step", "--cells", "GRU", "--rounds", "5", "--json", str(tmp_path / "f.json")]
    )
    train_step.main()
    printed = capsys.readouterr().out
    figures = json.loads((tmp_path / "f.json").read_text())
    (row,) = figures["rows"]
    milliseconds = row["milliseconds"]
    assert row["ratio"] == pytest.approx(milliseconds["slow, 300000"] / milliseconds["elman"])
    assert row["gflops"] == pytest.approx(3 * 2 * 3 * 4 * (2 + 5) * 3 * 5 / milliseconds["elman"] / 1e6)
    assert figures["geometric_mean"] == pytest.approx(row["ratio"])
    assert f"x {row['ratio']:.2f}" in printed
    assert (
        f"to slow at its best: {row['ratio']:.2f} to {row['ratio']:.2f}, geometric mean {row['ratio']:.2f}" in printed
    )
    assert figures["environment"]["cpu"] in printed
