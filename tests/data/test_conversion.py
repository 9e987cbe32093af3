"""Tables converted piece by piece: what `read` gives of the whole, with the same errors, in bounded memory."""

import re
import zipfile

import numpy as np
import polars as pl
import pytest

from elman.data import convert, read
from elman.data.archive import Archive
from elman.data.readers import csv_file, parquet_file
from elman.errors import FileError, OutputError, ParameterError

SORTED = pl.DataFrame(
    [
        (f"s {n}", f"2026-01-{t + 1:02d}", np.sin(n + t), float(t), ["1", "1.0", "2"][n % 3], f"g{n // 4}")
        for n in range(30)
        for t in range(1 + n * 7 % 11)
    ],
    schema=["id", "time", "x", "z", "label", "group"],
    orient="row",
)


@pytest.fixture
def small_pieces(monkeypatch):
    """Pieces so small that sequences lie across their ends."""
    monkeypatch.setattr(csv_file, "_PIECE", 150)
    monkeypatch.setattr(csv_file, "_LONGEST_RECORD", 600)
    monkeypatch.setattr(parquet_file, "_PIECE", 42)


@pytest.fixture
def write(tmp_path):
    def write(table, name="toy.csv"):
        path = tmp_path / name
        if isinstance(table, str):
            path.write_text(table, newline="")
        elif path.suffix == ".parquet":
            table.write_parquet(path)
        else:
            table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
        return path

    return write


def converted(source, **options):
    output = source.with_name("out.npz")
    told = convert(source, output, **options)
    per_step = options.get("labels_per_step", False)
    return told, read(output, labels_per_step=per_step, labels_required=False, memory_map=True)


def is_same(one, other):
    np.testing.assert_array_equal(one.sequences.values, other.sequences.values)
    np.testing.assert_array_equal(one.sequences.offsets, other.sequences.offsets)
    assert one.sequences.values.dtype == other.sequences.values.dtype
    assert one.sequences.feature_names == other.sequences.feature_names
    assert one.columns == other.columns
    assert one.per_step == other.per_step
    for name in ("labels", "ids", "groups"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        if left is not None:
            np.testing.assert_array_equal(left, right)
            assert left.dtype.kind == right.dtype.kind


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", ["toy.csv", "toy.tsv", "toy.parquet"])
@pytest.mark.parametrize("per_step", [False, True])
def test_a_table_in_pieces_gives_what_the_whole_gives(write, name, per_step):
    source = write(SORTED, name)
    shares = []
    told, found = converted(source, labels_per_step=per_step, on_progress=lambda share, n: shares.append((share, n)))
    is_same(read(source, labels_per_step=per_step), found)
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] == (1.0, SORTED.height)
    assert (told.n_sequences, told.n_steps, told.n_features) == (30, SORTED.height, 2)
    assert told.labels == ("step" if per_step else "sequence")
    assert told.notes == read(source, labels_per_step=per_step).notes


@pytest.mark.usefixtures("small_pieces")
def test_line_breaks_of_every_kind_quotes_and_blank_lines_are_read_as_in_the_whole(write):
    rows = [f'"a, {n // 9}\n x",{n},{n / 8},"say ""hi"", {n % 2}"' for n in range(60)]
    rows = [row for n, row in enumerate(rows) if n // 9 % 2 == 0]
    plain = [f"{n // 9},{n},{n / 8},{n // 18}" for n in range(60)]
    for lines, line_break in ((rows, "\n"), (plain, "\r\n"), (plain, "\r"), (["", *plain, ""], "\n")):
        text = line_break.join(["", "\ufeffid,time,x,mark"[lines is not rows :], *lines]).lstrip()
        source = write(text.replace("a, ", "a; ").replace("\n x", " x"))
        options = {"label": "mark", "labels_per_step": True}
        is_same(read(source, **options), converted(source, **options)[1])


@pytest.mark.usefixtures("small_pieces")
def test_a_quoted_field_may_span_lines_across_the_end_of_a_piece(write):
    note = "line one\nline two, " + "x" * 70 + '\n""three""'
    rows = [f'{n // 5},{n},{n / 8},"{note}"' for n in range(30)]
    source = write("\n".join(["id,time,x,note", *rows, "6,31,bad,none"]))
    with pytest.raises(FileError, match=re.escape("line 92, column 'x': expected a number, got 'bad'")):
        convert(source, source.with_name("out.npz"), group="note")
    assert [path.name for path in source.parent.iterdir()] == ["toy.csv"]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("line", "change", "message"),
    [
        (66, {"id": "s 3"}, "stand together, got sequence 's 3' again after 's 10'. Sort the file by 'id', 'time' fir"),
        (66, {"time": "2026-01-02"}, "times that rise, got '2026-01-02' after '2026-01-03' in sequence 's 10'. Sort"),
        (66, {"time": "2026-01-03"}, "each time once in a sequence, got '2026-01-03' again in sequence 's 10'"),
        (66, {"time": ""}, "expected a time, found nothing"),
        (66, {"time": "31/12/2026"}, "expected a time as a number or in ISO form (2026-01-31 13:05:00), got"),
        (66, {"x": "much"}, "expected a number, got 'much'"),
        (66, {"x": "inf"}, "expected a finite number of at most 1e+38, got 'inf'"),
        (66, {"z": ""}, "expected a number, found nothing"),
        (66, {"label": "3"}, "expected one label in a sequence, '1.0' as above, got '3'. Fix the file, or pass"),
        (66, {"label": ""}, "expected a label, found nothing"),
        (66, {"group": "g9"}, "expected one group in a sequence, 'g2' as above, got 'g9'"),
        (63, {"id": "s" * 300}, "expected a sequence id of at most 256 characters, got 300"),
    ],
)
def test_a_cell_out_of_order_or_malformed_is_named_by_line_and_column(write, line, change, message):
    rows = [dict(zip(SORTED.columns, text.split(","))) for text in SORTED.write_csv().splitlines()]
    assert rows[62]["id"] == rows[65]["id"] == "s 10"
    rows[line - 1].update(change)
    source = write("\n".join(",".join(row.values()) for row in rows) + "\n")
    with pytest.raises(FileError, match=re.escape(f"line {line}, column {next(iter(change))!r}: expected")) as caught:
        convert(source, source.with_name("out.npz"))
    assert message in str(caught.value)
    assert [path.name for path in source.parent.iterdir()] == ["toy.csv"], "no part of the output is left behind"


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"s 10,2026-01-06,1,1,1.0,g2', "line 62: expected a row to end, but the quotes in it do not pair up"),
        ("s 10,2026-01-06,1,1,1.0,g2,7", "line 62: expected 6 fields, as in the header, got 7"),
        ("s \udcff,2026-01-06,1,1,1.0,g2", "line 62: expected text in UTF-8, got the byte 0xff"),
    ],
)
def test_a_line_that_breaks_the_format_is_named(write, text, message):
    lines = SORTED.write_csv().splitlines()
    source = write(SORTED)
    source.write_bytes("\n".join([*lines[:61], text, *lines[62:]]).encode(errors="surrogateescape"))
    with pytest.raises(FileError, match=re.escape(message)):
        convert(source, source.with_name("out.npz"))


@pytest.mark.usefixtures("small_pieces")
def test_neighbours_are_compared_wherever_the_pieces_end(write):
    table = SORTED[:40]
    for row in range(1, table.height):
        if table["id"][row] != table["id"][row - 1]:
            continue
        swapped = [*range(row - 1), row, row - 1, *range(row + 1, table.height)]
        source = write(table[swapped])
        with pytest.raises(FileError, match=f"line {row + 2}, column 'time': expected times that rise"):
            convert(source, source.with_name("out.npz"))


def test_a_time_that_comes_twice_is_refused_as_in_the_whole(write):
    source = write("id,time,x\na,0,1\na,1,2\na,1,3\n")
    with pytest.raises(FileError, match="line 4, column 'time': expected each time once in a sequence, got '1' again"):
        convert(source, source.with_name("out.npz"))


def test_without_a_time_column_the_order_of_the_file_is_kept(write):
    source = write("id,x\nb,3\nb,1\na,2\n")
    told, found = converted(source)
    assert [x.ravel().tolist() for x in found.sequences] == [[3, 1], [2]]
    assert "Found no time column: the rows of a sequence keep the order of the file." in told.notes
    source = write("id,x\nb,3\na,2\nb,1\n")
    with pytest.raises(FileError, match=r"line 4, column 'id': .*Sort the file by 'id' first\."):
        convert(source, source.with_name("out.npz"))


@pytest.mark.usefixtures("small_pieces")
def test_labels_may_be_missing_altogether_but_not_in_part(write):
    source = write(SORTED.with_columns(label=pl.lit(None, pl.String)))
    told, found = converted(source)
    assert found.labels is None
    assert told.labels == "none"
    assert told.notes[-1] == "Column 'label' is empty: read without labels."
    late = [None] * (SORTED.height - 1) + ["2"]
    source = write(SORTED.with_columns(label=pl.Series(late, dtype=pl.String)))
    with pytest.raises(FileError, match=f"line {SORTED.height + 1}, column 'label': expected no label, since the rows"):
        convert(source, source.with_name("out.npz"))


def test_values_keep_their_precision_or_take_the_one_asked_for(write):
    single = SORTED.with_columns(pl.col("x", "z").cast(pl.Float32))
    assert converted(write(single, "toy.parquet"))[1].sequences.values.dtype == np.float32
    assert converted(write(single, "toy.csv"))[1].sequences.values.dtype == np.float64
    told, found = converted(write(SORTED, "toy.csv"), dtype="float32")
    assert told.dtype == "float32"
    np.testing.assert_array_equal(found.sequences.values[:, 0], SORTED["x"].cast(pl.Float32))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", ["toy.csv", "toy.parquet"])
def test_kinds_and_missing_values_are_read_as_in_the_whole(write, name):
    row = pl.int_range(pl.len())
    table = SORTED.with_columns(
        ground=pl.when(row % 7 == 6).then(None).otherwise(pl.format("g{}", row % (1 + row // 20))),
        x=pl.when(row % 4 == 1).then(None).otherwise(pl.col("x")),
        floor=(row % 3).cast(pl.Float64),
    )
    source = write(table, name)
    options = {"missing": "indicator", "categorical": ["floor"]}
    whole = read(source, **options)
    output = source.with_name("out.npz")
    told = convert(source, output, **options)
    found = read(output, missing="indicator", memory_map=True)
    is_same(whole, found)
    assert found.sequences.categories == whole.sequences.categories
    assert sum(names is not None for names in found.sequences.categories) == 2
    assert told.notes == whole.notes
    with pytest.raises(FileError, match=r"out\.npz: sequences\[.*expected a finite number, got NaN"):
        read(output)
    with pytest.raises(FileError, match="column 'x': expected a number, found nothing"):
        convert(source, output)


def test_other_formats_are_converted_too(tmp_path):
    (tmp_path / "toy.ts").write_text("@univariate true\n@classLabel true up down\n@data\n1,2,3:up\n4,5:down\n")
    is_same(read(tmp_path / "toy.ts"), converted(tmp_path / "toy.ts")[1])
    np.savez(tmp_path / "cube.npz", X=np.arange(24.0).reshape(2, 3, 4), y=[4, 2], groups=["a", "b"])
    is_same(read(tmp_path / "cube.npz"), converted(tmp_path / "cube.npz")[1])


def test_the_archive_is_sound_aligned_and_read_by_numpy(write):
    source = write(SORTED)
    _, found = converted(source)
    output = source.with_name("out.npz")
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    with np.load(output) as arrays:
        np.testing.assert_array_equal(arrays["values"], found.sequences.values)
    assert found.sequences.values.ctypes.data % 64 == 0
    first = output.read_bytes()
    converted(source)
    assert output.read_bytes() == first, "equal data makes equal files"


@pytest.mark.parametrize("n_rows", [[0], [1], [3, 0, 5], [1000] * 40])
def test_an_array_written_in_rows_has_the_checksum_of_its_whole(tmp_path, n_rows):
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(n, 3)) for n in n_rows]
    with (tmp_path / "a.npz").open("wb") as file, Archive(file) as archive:
        archive.write("before", np.array(["text", "é"]))
        archive.write_rows("rows", iter(blocks))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.testzip() is None
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["rows"], np.concatenate(blocks))
        assert arrays["before"].tolist() == ["text", "é"]


def test_what_cannot_be_written_or_read_is_refused_before_anything_is_done(write, tmp_path):
    source = write(SORTED)
    with pytest.raises(ParameterError, match=r"out\.csv: expected an output of type \.npz, got '\.csv'"):
        convert(source, tmp_path / "out.csv")
    with pytest.raises(ParameterError, match="'dtype' parameter of convert must be 'float32' or 'float64'"):
        convert(source, tmp_path / "out.npz", dtype="int8")
    with pytest.raises(OutputError, match="there is no folder"):
        convert(source, tmp_path / "none" / "out.npz")
    with pytest.raises(FileError, match="there is no such file"):
        convert(tmp_path / "none.csv", tmp_path / "out.npz")
    with pytest.raises(FileError, match="there is no label column 'kind'"):
        convert(source, tmp_path / "out.npz", label="kind")
    np.savez(tmp_path / "same.npz", X=np.ones((2, 3)))
    with pytest.raises(ParameterError, match="the output would overwrite the source"):
        convert(tmp_path / "same.npz", tmp_path / "same.npz")
    damaged = tmp_path / "damaged.parquet"
    content = write(SORTED, "toy.parquet").read_bytes()
    damaged.write_bytes(content[:200] + bytes(300) + content[500:])
    with pytest.raises(FileError, match="damaged"):
        convert(damaged, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()
