"""`elman convert`: a table becomes an .npz that the other commands take in its place."""

import polars

from elman.cli import progress
from elman.data import read
from elman.data.readers import csv_file


def test_a_converted_table_trains_the_same_model(elman, files, tmp_path, small):
    table, output = files / "walks_TRAIN.csv", tmp_path / "walks.npz"
    columns = ["--label", "direction", "--group", "subject"]
    done = elman("convert", table, "--output", output, *columns)
    assert done.code == 0
    n_steps = polars.read_csv(table).height
    assert f"36 sequences of {n_steps} steps in all, 2 features, float64, a label each, groups." in done.out
    assert f"elman train {output} --model {tmp_path / 'walks.safetensors'}" in done.out
    assert "note: Read column 'id' as the sequence id." in done.err
    models = [tmp_path / "table.model", tmp_path / "npz.model"]
    assert elman("train", table, "--model", models[0], *columns, *small).code == 0
    assert elman("train", output, "--model", models[1], *small).code == 0
    found = [elman("evaluate", model, files / "walks_TEST.csv", "--json").data for model in models]
    assert found[0] == found[1], "the same network, and the columns of the table are known"


def test_what_cannot_be_converted_is_one_line(elman, files, tmp_path):
    table = files / "walks_TRAIN.csv"
    for arguments, message in [
        ([table, "--output", tmp_path / "out.csv"], "expected an output of type .npz, got '.csv'"),
        ([table, "--output", tmp_path / "out.npz", "--dtype", "int8"], "--dtype must be one of float32, float64"),
        ([table, "--output", tmp_path / "none" / "out.npz"], "there is no folder"),
        ([table, "--output", tmp_path / "out.npz", "--id", "direction"], "Sort the file by 'direction', 'time' first."),
        ([table, "--output", tmp_path / "out.npz", "--categorical", "none"], "there is no feature column 'none'"),
        ([tmp_path / "none.csv", "--output", tmp_path / "out.npz"], "there is no such file"),
    ]:
        done = elman("convert", *arguments)
        assert done.code == 2
        assert done.err.startswith("error: ")
        assert done.err.count("\n") == 1
        assert message in done.err
    assert not (tmp_path / "out.npz").exists()
    assert elman("convert", table, "--output", tmp_path / "same.npz", "--label", "direction").code == 0
    done = elman("convert", tmp_path / "same.npz", "--output", tmp_path / "same.npz")
    assert "the output would overwrite the input" in done.err


def test_kinds_and_gaps_come_through(elman, files, tmp_path, small):
    table = polars.read_csv(files / "walks_TRAIN.csv")
    x = polars.when(polars.int_range(polars.len()) % 5 == 2).then(None).otherwise(polars.col("x"))
    table.with_columns(x=x, ground=polars.col("subject").replace({"p0": "sand", "p1": "snow"})).write_csv(
        tmp_path / "gaps.csv"
    )
    columns = ["--label", "direction", "--group", "subject", "--missing", "indicator"]
    done = elman("convert", tmp_path / "gaps.csv", "--output", tmp_path / "gaps.npz", *columns)
    assert "note: Read column 'ground' as text of 6 kinds: 'sand', 'snow', 'p2', 'p3', 'p4', 'p5'." in done.err
    found = []
    for data, named in ((tmp_path / "gaps.csv", columns), (tmp_path / "gaps.npz", columns[-2:])):
        assert elman("train", data, "--model", tmp_path / "m", *named, *small).code == 0
        found += [
            elman("evaluate", tmp_path / "m", tmp_path / f"gaps{kind}", "--json").data for kind in (".csv", ".npz")
        ]
    assert found[0] == found[1] == found[2] == found[3]


def test_labels_a_step_and_single_precision_are_kept(elman, files, tmp_path):
    output = tmp_path / "walks.npz"
    options = ["--label", "direction", "--per-step-labels", "--dtype", "float32"]
    done = elman("convert", files / "walks_TRAIN.csv", "--output", output, *options)
    assert "float32, a label a step" in done.out
    assert done.out.rstrip().endswith("--per-step-labels")
    dataset = read(output, labels_per_step=True)
    assert len(dataset.labels) == len(dataset.sequences.values)
    assert str(dataset.sequences.values.dtype) == "float32"


def test_progress_is_told_once_a_second_has_passed(elman, files, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "_PIECE", 300)
    ticks = iter(range(10_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks) / 4)
    done = elman("convert", files / "walks_TRAIN.csv", "--output", tmp_path / "walks.npz", "--label", "direction")
    lines = [line for line in done.err.splitlines() if line.startswith("Converting walks_TRAIN.csv: ")]
    assert 2 <= len(lines) < 30
    shares = [int(line.split(": ")[1].split(" %")[0]) for line in lines]
    assert shares == sorted(shares)
    assert lines[0].endswith("0:01")
