"""The benchmark runs, on small work and without its peers: its figures are for people, not for tests."""

import json
import math
import re
import time

import pytest
from benchmarks.report import Results, Row, table
from benchmarks.roof import roof
from benchmarks.timing import Effort, medians
from benchmarks.work import GROUPS, Work

from benchmarks import peers, work


def slow(n):
    return lambda: sum(range(n))


@pytest.fixture
def small(monkeypatch):
    """One row of each kind: with peers, with a peer of another share of the work, and without peers."""
    rows = [
        Work("some work", "GRU small", lambda: {"elman": slow(100_000), "slow, 1 thread": slow(900_000)}, 1.5, 2e6),
        Work("some work", "RNN small", lambda: {"elman": slow(100_000), "a": slow(100), "b": slow(200_000)}, peers="b"),
        Work("some work", "LSTM small", lambda: {"elman": slow(100_000), "b": slow(100_000)}, peer_scale=10.0),
        Work("alone", "LSTM alone", lambda: {"elman": slow(1000)}),
    ]
    monkeypatch.setattr(
        peers,
        "GROUPS",
        {"some": (lambda threads: iter(rows[:3]), 2.0), "alone": (lambda threads: iter(rows[3:]), None)},
    )
    return rows


def test_table_file_and_plot_hold_what_was_measured(small, tmp_path, capsys):
    assert peers.main(["--rounds", "3", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "peers.json").read_text())
    gru, rnn, lstm, alone = found["rows"]
    assert gru["best_peer"] == "slow, 1 thread"
    assert gru["ratio"] == pytest.approx(gru["milliseconds"]["slow, 1 thread"] / gru["milliseconds"]["elman"])
    assert gru["gflops"] == pytest.approx(2e6 / gru["milliseconds"]["elman"] / 1e6)
    assert gru["share_of_roof"] == pytest.approx(gru["gflops"] / found["roof"]["all threads"])
    assert rnn["best_peer"] == "b", "a counts not as a peer of this row"
    assert lstm["ratio"] == pytest.approx(10 * lstm["milliseconds"]["b"] / lstm["milliseconds"]["elman"])
    assert alone["best_peer"] is None
    assert alone["ratio"] is None
    assert "alone: " not in printed.split("rows reach their aim")[-1]
    assert "quick" not in printed + (tmp_path / "peers.md").read_text()
    mean = math.prod(row["ratio"] for row in (gru, rnn, lstm)) ** (1 / 3)
    assert f"geometric mean {mean:.2f} (aim: 2.0)" in printed
    assert f"| GRU small | {gru['milliseconds']['elman']:.4g} |" in (tmp_path / "peers.md").read_text()
    assert f">{gru['ratio']:.2f}</text>" in (tmp_path / "peers.svg").read_text()
    assert found["environment"]["cpu"] in printed


def test_rows_can_be_chosen(small, tmp_path, capsys):
    peers.main(["some", "--cells", "RNN", "--quick", "--output", str(tmp_path)])
    assert [row["name"] for row in json.loads((tmp_path / "peers.json").read_text())["rows"]] == ["RNN small"]
    for name in ("peers.md", "peers.svg"):
        assert "A quick run" in (tmp_path / name).read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none of them"], "unknown group none of them: choose from some, alone"),
        (["alone", "--cells", "RNN"], "no row of these groups has one of these cells"),
        (["--threads", "0"], "must be a whole number above 0, got '0'"),
        (["--rounds", "-1"], "must be a whole number above 0, got '-1'"),
    ],
)
def test_what_cannot_be_measured_is_refused(small, tmp_path, capsys, arguments, complaint):
    with pytest.raises(SystemExit) as stop:
        peers.main([*arguments, "--output", str(tmp_path)])
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_benchmark_does_not_replace_the_whole(small, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "RESULTS", tmp_path)
    peers.main(["alone", "--rounds", "1"])
    peers.main(["--quick"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["partial", "quick"]


def test_a_row_that_falls_short_is_marked():
    def row(ratio, share):
        return Row("g", "LSTM", {"elman": 1.0, "torch": ratio}, "torch", ratio, 1.0, 1.8, 1.0, share, 0.85)

    assert [row(2.0, 0.9).met, row(1.7, 0.9).met, row(2.0, 0.8).met] == [True, False, False]
    results = Results({"cpu": "some"}, {"all threads": 100.0}, quick=False)
    results.add(row(2.0, 0.8), None)
    assert "| LSTM | 1 | torch: 2 | 2.00 (short) | 1.8, 85% of the roof | 80% |" in table(results)


def test_every_contender_is_timed_in_every_round():
    seen = []
    steps = {name: (lambda name=name: (seen.append(name), time.sleep(1e-4))) for name in "ab"}
    found = medians(steps, Effort(rounds=3, settle=0, turn=0, least=2))
    assert "".join(seen) == "ab" + 3 * ("aaa" + "bbb")
    assert set(found) == {"a", "b"}
    assert all(1e-4 < seconds < 1e-1 for seconds in found.values())


def test_short_steps_are_timed_ten_at_a_time():
    seen = []
    found = medians({"a": lambda: seen.append(1)}, Effort(rounds=1, settle=0, turn=0, least=4))
    assert len(seen) == 1 + 1 + 4 * 10
    assert found["a"] < 1e-4


@pytest.mark.parametrize("group", GROUPS)
def test_the_work_of_each_group_runs(group, monkeypatch):
    for name in ("torch_steps", "jax_steps", "onnx_steps"):
        module = getattr(work, name)
        for function in [f for f in vars(module) if re.fullmatch("training|ragged|prediction|live|epoch", f)]:
            monkeypatch.setattr(module, function, lambda *arguments, **options: {})
    rows = list(GROUPS[group][0](2))
    assert len({(row.group, row.name) for row in rows}) == len(rows)
    for step in rows[0].contenders().values():
        step()


def test_the_roof_is_a_rate_that_a_core_can_have():
    assert 0.1 < roof(1, runs=1) < 10_000
    assert 0.1 < roof(1000, runs=1) < 1_000_000
