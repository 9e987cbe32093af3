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


def test_convert_refuses_what_read_refuses(elman, tmp_path):
    path, output = tmp_path / "table.csv", tmp_path / "table.npz"
    by_heart = "".join(f"s{n},{t},1,name {n},{'uv'[n % 2]}\n" for n in range(30) for t in range(2))
    for table, message in [
        ("id,time,x,label\na,0,1,01\na,1,2,1\nb,0,1,2\n", "expected one label in a sequence, '01' as"),
        ("id,time,x,label\na,0,1,inf\na,1,2,Infinity\nb,0,1,x\n", "expected one label in a sequence, 'inf' as"),
        ("id,time,x,label\na,0,1,1_0\na,1,2,10\nb,0,1,x\n", "expected one label in a sequence, '1_0' as"),
        ("id,time,x,name,label\n" + by_heart, "the names of some kinds, got another for each sequence, such as 'name"),
        (
            "id,time,x,day,label\n" + "".join(f"a,{t},1,2026-01-{t:02},u\n" for t in range(1, 29)),
            "got dates or times, such as '2026-01-01'",
        ),
        (
            "id,time,x,name,label\n" + "".join(f"a,{t},1,note {t},u\n" for t in range(30)),
            "the names of some kinds, got another in each row, such as",
        ),
    ]:
        path.write_text(table)
        errors = [elman("convert", path, "-o", output).err, elman("train", path, "-m", tmp_path / "m").err]
        assert all(message in error for error in errors)
        assert not output.exists()
    path.write_text("id,time,x,label\na,0,1,1\na,1,2,1.0\nb,0,1,2\n")
    assert elman("convert", path, "-o", output).code == 0
    assert read(output).labels.tolist() == read(path).labels.tolist() == [1, 2]


def test_kinds_by_heart_are_seen_across_pieces(elman, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "_PIECE", 50)
    path, output = tmp_path / "table.csv", tmp_path / "table.npz"
    rows = [f"s{n},{t},1,name {n},{'uv'[n % 2]}\n" for n in range(30) for t in range(4)]
    path.write_text("id,time,x,name,label\n" + "".join(rows))
    assert "got another for each sequence, such as 'name 0'" in elman("convert", path, "-o", output).err
    rows[-1] = rows[-1].replace("name 29", "name 0")
    path.write_text("id,time,x,name,label\n" + "".join(rows))
    assert elman("convert", path, "-o", output).code == 0


def test_the_next_command_allows_the_gaps_that_were_allowed(elman, tmp_path):
    path, output = tmp_path / "gaps.csv", tmp_path / "gaps.npz"
    path.write_text("id,time,x,label\na,0,1,u\na,1,,u\nb,0,1,v\n")
    done = elman("convert", path, "-o", output, "--missing", "indicator")
    assert done.out.rstrip().endswith("--missing indicator")
    path.write_text("id,time,x,label\na,0,1,u\na,1,2,u\nb,0,1,v\n")
    assert "--missing" not in elman("convert", path, "-o", output).out
