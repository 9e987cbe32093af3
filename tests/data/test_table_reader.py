"""Long tables: CSV, TSV, Parquet."""

import datetime
import re
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.data import Sequences, read
from elman.data.readers import columns, parquet_file, roles
from elman.errors import FileError, ParameterError

ROLES = ("id", "time", "label", "group")
TOY = """id,time,x,y2,label
a,0,0.5,1,wave
a,1,0.25,2,wave
b,0,-1,3,rest
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="toy.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def is_toy(dataset):
    assert [sequence.tolist() for sequence in dataset.sequences] == [[[0.5, 1], [0.25, 2]], [[-1, 3]]]
    assert dataset.labels.tolist() == ["wave", "rest"]
    assert dataset.ids.tolist() == ["a", "b"]


def equal(one, other):
    np.testing.assert_array_equal(one.sequences.values, other.sequences.values)
    np.testing.assert_array_equal(one.sequences.offsets, other.sequences.offsets)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.ids, other.ids)
    assert one.labels.dtype.kind == other.labels.dtype.kind
    assert one.sequences.feature_names == other.sequences.feature_names
    assert one.notes == other.notes
    assert (one.groups is None) == (other.groups is None)
    if one.groups is not None:
        np.testing.assert_array_equal(one.groups, other.groups)


def made_table(n_sequences=7, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 6, n_sequences)
    ids = np.repeat(np.arange(n_sequences), lengths)
    return pl.DataFrame(
        {
            "series_id": ids,
            "t": np.concatenate([np.arange(length) for length in lengths]) * 0.5,
            "x": rng.normal(size=len(ids)),
            "on": rng.integers(0, 2, len(ids)).astype(bool),
            "n": rng.integers(-5, 5, len(ids)),
            "class": np.array(["one way", "été"])[ids % 2],
            "subject": np.array(["s1", "s2", "s3"])[ids % 3],
        }
    )


# What is read


def test_a_table_becomes_sequences(write):
    dataset = read(write(TOY))
    is_toy(dataset)
    assert dataset.sequences.feature_names == ("x", "y2")
    assert dataset.sequences.values.dtype == np.float64
    assert dataset.groups is None
    assert not dataset.per_step


def test_every_guess_is_said(write):
    assert read(write(TOY)).notes == (
        "Read column 'id' as the sequence id.",
        "Read column 'time' as the time.",
        "Read column 'label' as the label.",
        "Read 2 other columns as features: 'x', 'y2'.",
    )


@pytest.mark.parametrize(
    "text",
    [
        TOY.replace("\n", "\r\n"),
        TOY.replace("\n", "\r"),
        "\ufeff" + TOY,
        TOY.rstrip("\n"),
        "\n\n" + TOY.replace("\na,1", "\n\n,,,,\na,1") + "\n\n",
        TOY.replace(",", ", "),
        "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in TOY.splitlines()),
        TOY.replace("id,time", "ID,Time"),
    ],
    ids=["crlf", "cr", "bom", "no-end", "blank-rows", "spaces", "quoted", "capitals"],
)
def test_the_same_table_written_otherwise_reads_the_same(write, text):
    is_toy(read(write(text)))


def test_tsv(write):
    is_toy(read(write(TOY.replace(",", "\t"), "toy.tsv")))


@given(st.permutations(range(12)))
@settings(max_examples=25)
def test_shuffled_rows_give_the_sorted_sequences(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("shuffled")
    rows = [f"{'abc'[i // 4]},{i % 4},{i * 1.5},{'uvu'[i // 4]}" for i in range(12)]
    for name, lines in (("sorted", rows), ("mixed", [rows[i] for i in order])):
        (folder / f"{name}.csv").write_text("\n".join(["id,time,x,label", *lines]))
    expected, got = read(folder / "sorted.csv"), read(folder / "mixed.csv")
    # Sequences come in order of first appearance.
    assert got.ids.tolist() == list(dict.fromkeys("abc"[i // 4] for i in order))
    for n, name in enumerate(got.ids):
        m = expected.ids.tolist().index(name)
        assert got.sequences[n].tolist() == expected.sequences[m].tolist()
        assert got.labels[n] == expected.labels[m]


def test_parquet_equals_csv(tmp_path):
    frame = made_table()
    frame.write_csv(tmp_path / "made.csv")
    frame.write_parquet(tmp_path / "made.parquet")
    csv, parquet = read(tmp_path / "made.csv"), read(tmp_path / "made.parquet")
    equal(csv, parquet)
    assert csv.labels.tolist()[:2] == ["one way", "été"]
    assert csv.ids.tolist() == ["0", "1", "2", "3", "4", "5", "6"]
    assert csv.groups.tolist() == ["s1", "s2", "s3", "s1", "s2", "s3", "s1"]
    assert csv.sequences.feature_names == ("x", "on", "n")
    np.testing.assert_array_equal(csv.sequences.values, frame.select("x", "on", "n").cast(pl.Float64).to_numpy())


@given(st.lists(st.floats(-1e38, 1e38, allow_nan=False), min_size=1, max_size=20))
@settings(max_examples=50)
def test_numbers_are_read_to_the_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("bits") / "bits.csv"
    path.write_text("id,time,x,label\n" + "".join(f"a,{i},{value!r},u\n" for i, value in enumerate(values)))
    assert read(path).sequences.values.ravel().tolist() == values


def test_columns_named_explicitly_are_not_guessed(write):
    text = "who,when,id,label,what\np,2,1.0,7,u\np,1,2.0,8,u\nq,1,3.0,9,v\n"
    dataset = read(write(text), id="who", time="when", label="what")
    assert [sequence.tolist() for sequence in dataset.sequences] == [[[2, 8], [1, 7]], [[3, 9]]]
    assert dataset.sequences.feature_names == ("id", "label")
    assert dataset.labels.tolist() == ["u", "v"]
    assert dataset.notes == ("Read 2 other columns as features: 'id', 'label'.",)


def test_two_columns_that_could_be_meant_are_both_named(write):
    dataset = read(write("recording,id,t,x,label\n1,a,0,1,u\n1,b,0,1,v\n"))
    assert dataset.ids.tolist() == ["a", "b"]
    assert dataset.notes[0] == (
        "Read column 'id' as the sequence id (not 'recording'; name it with id=... if that is wrong)."
    )


def test_y_beside_z_is_a_coordinate(write):
    dataset = read(write("id,t,x,y,z\na,0,1,2,3\n"), labels_required=False)
    assert dataset.labels is None
    assert dataset.sequences.values.tolist() == [[1, 2, 3]]
    assert read(write("id,t,x,y\na,0,1,2\n")).labels.tolist() == [2]


def test_without_a_time_column_rows_keep_their_order(write):
    dataset = read(write("id,x,label\na,3,u\nb,9,v\na,1,u\na,2,u\n"))
    assert dataset.sequences[0].ravel().tolist() == [3, 1, 2]
    assert "Found no time column: the rows of a sequence keep the order of the file." in dataset.notes


def test_one_row(write):
    dataset = read(write("id,x,label\n7,0.5,1"))
    assert dataset.sequences.values.tolist() == [[0.5]]
    assert dataset.ids.tolist() == ["7"]
    assert dataset.labels.tolist() == [1]


def test_booleans_are_features(write):
    dataset = read(write("id,b,label\na,true,u\na,False,u\na,TRUE,u\n"))
    assert dataset.sequences.values.ravel().tolist() == [1, 0, 1]


def test_quoted_fields_may_hold_separators_and_quotes(write):
    dataset = read(write('id,x,label\n"a, b",1,"say ""hi"""\nc,2,other\n'))
    assert dataset.ids.tolist() == ["a, b", "c"]
    assert dataset.labels.tolist() == ['say "hi"', "other"]


def test_a_label_for_each_step(write):
    text = "id,time,x,label\na,1,1,v\na,0,2,u\nb,0,3,u\n"
    dataset = read(write(text), labels_per_step=True)
    assert dataset.per_step
    assert dataset.labels.tolist() == ["u", "v", "u"]
    assert dataset.sequences.values.ravel().tolist() == [2, 1, 3]


def test_float32_columns_of_parquet_stay_float32(tmp_path):
    path = tmp_path / "small.parquet"
    frame = pl.DataFrame({"id": ["a", "a"], "x": [0.1, 0.2], "label": ["u", "u"]})
    frame.with_columns(pl.col("x").cast(pl.Float32)).write_parquet(path)
    assert read(path).sequences.values.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (["1", "2", "-3"], [1, 2, -3], "i"),
        (["1.0", "2", "1"], [1, 2, 1], "i"),
        (["1e0", "2.0", "-0.0"], [1, 2, 0], "i"),
        (["01", "1", "2"], ["01", "1", "2"], "U"),
        (["1", "2", "b"], ["1", "2", "b"], "U"),
        (["1", "2", "123456789012345678901"], ["1", "2", "123456789012345678901"], "U"),
        (["true", "False", "true"], [True, False, True], "b"),
        (["true", "0", "1"], ["true", "0", "1"], "U"),
        (["走る", "going up", "ñ"], ["走る", "going up", "ñ"], "U"),
    ],
)
def test_labels_are_whole_numbers_booleans_or_text(write, values, expected, kind):
    text = "id,x,label\n" + "".join(f"{i},0,{value}\n" for i, value in enumerate(values))
    labels = read(write(text)).labels
    assert labels.tolist() == expected
    assert labels.dtype.kind == kind


@pytest.mark.parametrize(
    ("series", "expected", "kind"),
    [
        (pl.Series(["1", "2"]), ["1", "2"], "U"),
        (pl.Series([1, 2], dtype=pl.UInt8), [1, 2], "i"),
        (pl.Series([1.0, 2.0]), [1, 2], "i"),
        (pl.Series([True, False]), [True, False], "b"),
        (pl.Series(["u", "v"], dtype=pl.Categorical), ["u", "v"], "U"),
        (pl.Series(["u", "v"], dtype=pl.Enum(["v", "u"])), ["u", "v"], "U"),
    ],
)
def test_labels_of_parquet_keep_their_type(tmp_path, series, expected, kind):
    path = tmp_path / "typed.parquet"
    pl.DataFrame({"id": [1, 2], "x": [0.5, 1.5], "label": series}).write_parquet(path)
    labels = read(path).labels
    assert labels.tolist() == expected
    assert labels.dtype.kind == kind


@pytest.mark.parametrize(
    "times",
    [
        ["10", "9", "11"],
        ["0.10", "-3", "1e3"],
        ["9007199254740993", "9007199254740992", "9007199254740994"],
        ["2026-01-31", "2026-01-30", "2026-02-01"],
        ["2026-01-31T10:00:00.5", "2026-01-31 10:00:00", "2026-01-31 10:00:00.75"],
        ["2026-01-31T10:00:00.5Z", "2026-01-31T10:00:00Z", "2026-01-31T10:00:01Z"],
        ["2026-01-31T10:00+02:00", "2026-01-31T09:00+02:00", "2026-01-31T11:00+02:00"],
        ["10:00", "09:59:59", "10:00:00.1"],
        ["step 10", "step 9", "step 11"],
    ],
)
def test_times_sort_as_what_they_mean(write, times):
    text = "id,time,x,label\n" + "".join(f"a,{time},{i},u\n" for i, time in enumerate(times))
    assert read(write(text)).sequences.values.ravel().tolist() == [1, 0, 2]


@pytest.mark.parametrize("unit", [datetime.datetime, datetime.date, datetime.time, datetime.timedelta])
def test_times_of_parquet_may_be_dates(tmp_path, unit):
    time = {
        datetime.datetime: [datetime.datetime(2026, 1, day) for day in (2, 1, 3)],
        datetime.date: [datetime.date(2026, 1, day) for day in (2, 1, 3)],
        datetime.time: [datetime.time(hour) for hour in (2, 1, 3)],
        datetime.timedelta: [datetime.timedelta(hours=hour) for hour in (2, 1, 3)],
    }[unit]
    path = tmp_path / "dated.parquet"
    pl.DataFrame({"id": ["a"] * 3, "timestamp": time, "x": [0, 1, 2], "label": ["u"] * 3}).write_parquet(path)
    assert read(path).sequences.values.ravel().tolist() == [1, 0, 2]


def test_a_file_without_labels_is_read_where_none_are_required(write):
    path = write("id,time,x\na,0,1\n")
    assert read(path, labels_required=False).labels is None
    with pytest.raises(
        FileError, match=re.escape("such as 'label'. Name it with label=...; the columns are 'id', 'time'")
    ):
        read(path)
    dataset = read(path, label="kind", labels_required=False)
    assert dataset.labels is None
    assert "Found no column 'kind': read without labels." in dataset.notes


def test_an_empty_label_column_is_no_labels_where_none_are_required(write):
    path = write("id,time,x,label\na,0,1,\na,1,1,\n")
    dataset = read(path, labels_required=False)
    assert dataset.labels is None
    assert dataset.sequences.feature_names == ("x",)
    with pytest.raises(FileError, match="line 2, column 'label': expected a label, found nothing"):
        read(path)


def test_features_in_another_order_are_found_by_name(write):
    one, other = read(write(TOY)), read(write("y2,label,x,id,time\n1,wave,0.5,a,0\n2,wave,0.25,a,1\n3,rest,-1,b,0\n"))
    assert other.sequences.feature_names == ("y2", "x")
    np.testing.assert_array_equal(other.sequences.select(("x", "y2")).values, one.sequences.values)


def test_a_hundred_thousand_rows_are_read_at_once(tmp_path):
    n = 100_000
    x = np.random.default_rng(0).normal(size=n)
    path = tmp_path / "large.csv"
    pl.DataFrame({"id": np.arange(n) // 10, "time": np.arange(n) % 10, "x": x, "y": np.arange(n) // 10 % 3}).write_csv(
        path
    )
    dataset = read(path)
    np.testing.assert_array_equal(dataset.sequences.values.ravel(), x)
    np.testing.assert_array_equal(dataset.labels, np.arange(n // 10) % 3)


# What is refused

BAD = [
    ("0.25", "n/a", "toy.csv, line 3, column 'x': expected a number, got 'n/a'. Fix the file or drop the row, or "),
    ("0.25", "", "toy.csv, line 3, column 'x': expected a number, found nothing."),
    ("0.25", "nan", "toy.csv, line 3, column 'x': expected a finite number of at most 1e+38, got 'nan'."),
    ("0.25", "-inf", "toy.csv, line 3, column 'x': expected a finite number of at most 1e+38, got '-inf'."),
    ("0.25", "1e999", "toy.csv, line 3, column 'x': expected a finite number of at most 1e+38, got '1e999'."),
    ("0.25", "true", "toy.csv, line 3, column 'x': expected a number, got 'true'."),
    (
        "a,1",
        "a,0",
        "toy.csv, line 3, column 'time': expected each time once in a sequence, got '0' again in sequence 'a'.",
    ),
    ("a,1", ",1", "toy.csv, line 3, column 'id': expected a sequence id, found nothing. Fill it in, or drop the row."),
    ("a,1", "a,", "toy.csv, line 3, column 'time': expected a time, found nothing."),
    ("a,1", "a,soon", "toy.csv, line 2, column 'time': expected a time as a number or in ISO form"),
    ("a,1", "a,inf", "toy.csv, line 3, column 'time': expected a finite time, got inf."),
    (
        "2,wave",
        "2,rest",
        "toy.csv, line 3, column 'label': expected one label in a sequence, 'wave' as in its first row, got 'rest'. "
        "Fix the file, or pass labels_per_step=True.",
    ),
    ("2,wave", "2,", "toy.csv, line 3, column 'label': expected a label, found nothing."),
    ("2,wave", "2,NaN", "toy.csv, line 3, column 'label': expected a label, got the missing value 'NaN'."),
    ("2,wave", "2", "toy.csv, line 3, column 'label': expected a label, found nothing."),
    ("2,wave", "2,wave,7", "toy.csv, line 3: expected 5 fields, as in the header, got 6. Put quotes around a field"),
    ("2,wave", '2,"wave', "toy.csv, near line 3: the quotes do not pair up. Close each quoted field"),
    ("2,wave", '2,"wa\nve"', "toy.csv, line 3, column 'label': expected a label on one line, got 'wa\\nve'."),
    ("2,wave", "2," + "w" * 257, "expected a label of at most 256 characters, got 257: 'www"),
    ("a,1", "a\0,1", "toy.csv, line 3, column 'id': expected a sequence id on one line"),
    ("y2", "x", "toy.csv: expected columns of distinct names, got 'x' twice. Rename one."),
    (
        "y2",
        "",
        "toy.csv: column 4 is named '', as the row numbers of a data frame are. Write the file without its index",
    ),
    ("y2", "Unnamed: 0", "toy.csv: column 4 is named 'Unnamed: 0'"),
    ("id", "who", "toy.csv: expected a column that says which sequence a row belongs to, such as 'id'."),
    ("id,time,x,y2,label", "id;time;x;y2;label", "toy.csv, line 1: expected names split by a comma, got 'id;time;x;y2"),
    ("id,time,x,y2,label", "id;time;x;y2;label", "This looks like columns separated by ';': save it with commas."),
    (TOY, TOY.replace(",", "\t"), r"separated by '\t': save it with commas, or name it .tsv."),
    ("id,time,x,y2,label", "1,2,3,4,5", "toy.csv, line 1: expected the names of the columns, got the numbers '1', '2'"),
    ("id", '"id', "toy.csv, line 1: expected the names of the columns, got '\"id,time"),
    ("wave", "\udcff", "toy.csv, line 2: expected text in UTF-8, got the byte 0xff."),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_what_cannot_be_trusted_is_named_with_its_line(write, old, new, message):
    assert old in TOY
    path = write(TOY.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError, match=re.escape(message)) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_lines_are_counted_past_blank_lines_and_quoted_line_breaks(write):
    text = '\nid,time,x,note,label\n\na,0,1,2,u\n"a",1,1,"\n3",u\na,2,1,1,u\na,3,oops,1,u\n'
    with pytest.raises(FileError, match="line 8, column 'x': expected a number, got 'oops'"):
        read(write(text))


def test_among_booleans_the_odd_value_is_named(write):
    with pytest.raises(FileError, match="line 3, column 'b': expected a number, got 'maybe'"):
        read(write("id,b,label\na,true,u\na,maybe,u\na,false,u\n"))


def test_a_quantity_is_no_label(write):
    with pytest.raises(FileError, match=r"line 3, column 'y': expected a label, text or a whole number, got 2\.5"):
        read(write("id,x,y\na,1,1\nb,2,2.5\n"))


def test_a_group_must_not_change_within_a_sequence(write):
    with pytest.raises(
        FileError, match="line 3, column 'subject': expected one group in a sequence, 'p' as in its first"
    ):
        read(write("id,x,subject,label\na,1,p,u\na,2,q,u\n"))


@pytest.mark.parametrize("time", ["31/12/2026", "Monday", "1 pm", "t-1"])
def test_times_whose_order_is_unknown_are_refused(write, time):
    with pytest.raises(
        FileError, match=re.escape(f"expected a time as a number or in ISO form (2026-01-31 13:05:00), got {time!r}")
    ):
        read(write(f"id,time,x,label\na,{time},1,u\n"))


def test_times_in_two_zones_are_refused(write):
    rows = "a,2026-01-31T10:00:00Z,1,u\na,2026-01-31T10:00:00+02:00,1,u\n"
    with pytest.raises(FileError, match=r"line 3, column 'time': expected every time in one time zone, 'Z'"):
        read(write("id,time,x,label\n" + rows))


@pytest.mark.parametrize("role", ["id", "time", "label", "group"])
def test_an_unknown_column_lists_those_there_are(write, role):
    message = f"toy.csv: there is no {role} column 'nix'. The columns are 'id', 'time', 'x', 'y2', 'label'."
    with pytest.raises(FileError, match=re.escape(message)):
        read(write(TOY), **{role: "nix"})


def test_one_column_cannot_have_two_roles(write):
    with pytest.raises(ParameterError, match="a column of its own for each role, got 'id' for two"):
        read(write(TOY), id="id", label="id")


def test_a_column_is_named_by_text(write):
    with pytest.raises(ParameterError, match=r"The 'id' parameter of read must name a column. Got 0 instead\."):
        read(write(TOY), id=0)


def test_a_table_needs_a_feature(write):
    with pytest.raises(FileError, match="expected at least one feature column beside 'id', 'time', 'label'"):
        read(write("id,time,label\na,0,u\n"))


@pytest.mark.parametrize("text", ["id,time,x,label\n", "id,time,x,label", "id,time,x,label\n\n,,,\n"])
def test_a_table_needs_a_row(write, text):
    with pytest.raises(FileError, match=r"toy\.csv: expected rows below the header, found none"):
        read(write(text))


def test_a_file_of_blank_lines_has_no_header(write):
    with pytest.raises(FileError, match=r"found blank lines only|expected a header line"):
        read(write("\n \n\r\n"))


def test_utf_16_is_refused(write):
    with pytest.raises(FileError, match="expected text in UTF-8"):
        read(write(TOY.encode("utf-16")))


# Parquet alone


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "toy.parquet"
    made_table().write_parquet(path)
    return path


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_is_refused(parquet, part):
    content = parquet.read_bytes()
    parquet.write_bytes(content[: int(part * len(content))])
    with pytest.raises(FileError, match=r"toy\.parquet: expected a Parquet file, but it does not end as one"):
        read(parquet)


def test_a_damaged_parquet_is_refused_without_a_word_on_the_terminal(parquet, capfd):
    content = bytearray(parquet.read_bytes())
    content[4:40] = bytes(36)  # the header of the first page
    parquet.write_bytes(content)
    with pytest.raises(FileError, match=r"cannot be decoded\. Is it cut short or damaged"):
        read(parquet)
    assert capfd.readouterr() == ("", "")


def test_a_csv_under_the_name_parquet_is_refused(write):
    with pytest.raises(FileError, match="does not begin as one"):
        read(write(TOY, "toy.parquet"))
    with pytest.raises(FileError, match="cut short"):
        read(write("ab", "toy.parquet"))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("x", [1.0, None], "toy.parquet, row 2, column 'x': expected a number, found nothing."),
        (
            "x",
            [1.0, float("nan")],
            "toy.parquet, row 2, column 'x': expected a finite number of at most 1e+38, got nan.",
        ),
        ("x", [None, None], "toy.parquet, row 1, column 'x': expected a number, found nothing."),
        (
            "x",
            ["a", "1"],
            "toy.parquet, row 1, column 'x': expected a number, got 'a'. Fix the file or drop",
        ),
        ("x", [[1.0], [2.0]], "toy.parquet, column 'x': expected numbers, got 'List(Float64)'."),
        ("x", [{"a": 1}, {"a": 2}], "toy.parquet, column 'x': expected numbers, got"),
        ("x", [b"a", b"b"], "toy.parquet, column 'x': expected numbers, got 'Binary'"),
        ("x", [datetime.date(2026, 1, 1)] * 2, "toy.parquet, column 'x': expected numbers, got 'Date'"),
        (
            "id",
            [[1], [2]],
            "toy.parquet, column 'id': expected text or numbers, got 'List(Int64)'. Name another column.",
        ),
        ("id", ["a", None], "toy.parquet, row 2, column 'id': expected a sequence id, found nothing."),
        ("id", [1.0, float("nan")], "toy.parquet, row 2, column 'id': expected a sequence id, found nothing."),
        ("label", [b"a", b"b"], "toy.parquet, column 'label': expected text or numbers, got 'Binary'."),
        ("label", [0.5, 1.0], "toy.parquet, row 1, column 'label': expected a label, text or a whole number, got 0.5."),
        ("time", [1, None], "toy.parquet, row 2, column 'time': expected a time, found nothing."),
        ("time", [1.0, float("inf")], "toy.parquet, row 2, column 'time': expected a finite time, got inf."),
        ("time", [True, False], "toy.parquet, row 1, column 'time': expected a time as a number or in ISO form"),
        ("__index_level_0__", [0, 1], "column 5 is named '__index_level_0__', as the row numbers of a data frame are."),
    ],
)
def test_what_parquet_holds_is_checked_like_csv(tmp_path, column, values, message):
    path = tmp_path / "toy.parquet"
    columns = {"id": ["a", "b"], "time": [0, 0], "x": [1.0, 2.0], "label": ["u", "v"], column: values}
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(FileError, match=re.escape(message)):
        read(path)


def test_a_parquet_without_rows_is_refused(parquet):
    made_table().head(0).write_parquet(parquet)
    with pytest.raises(FileError, match="expected at least one row, found none"):
        read(parquet)


@pytest.mark.parametrize("name", ["star*.parquet", "[ab].parquet", "a=1.parquet", "%20 ü.parquet"])
def test_a_name_is_taken_literally(parquet, name):
    path = parquet.with_name(name)
    parquet.rename(path)
    assert len(read(path).sequences) == 7


def test_decimals_are_numbers(tmp_path):
    path = tmp_path / "money.parquet"
    frame = pl.DataFrame({"id": ["a", "a"], "x": ["1.25", "2.50"], "label": ["u", "u"]})
    frame.with_columns(pl.col("x").cast(pl.Decimal(10, 2))).write_parquet(path)
    assert read(path).sequences.values.ravel().tolist() == [1.25, 2.5]


def test_a_table_like_one_read_before_is_read_by_its_columns_and_features(write):
    table = write("recording,id,time,y,x,remark,kind\n1,a,0,5,7,good,u\n1,b,0,6,8,bad,v\n")
    dataset = read(table, likely={"id": "id", "time": "when", "label": "kind"}, features=["x", "y"])
    assert dataset.columns == {"id": "id", "time": "time", "label": "kind"}
    assert dataset.sequences.values.tolist() == [[7, 5], [8, 6]]
    assert dataset.notes == (
        "Read column 'time' as the time.",
        "Ignored columns 'recording', 'remark', which the model does not know.",
    )
    with pytest.raises(
        FileError, match=r"expected the features 'x', 'z', found no 'z'\. The columns are 'recording', "
    ):
        read(table, label="kind", features=["x", "z"])


def test_a_dataset_is_shown_in_short(write):
    dataset = read(write("id,time,x,label,group\na,0,1,u,p\nb,0,2,v,q\n"))
    assert repr(dataset) == (
        "Dataset(Sequences(2 sequences, 1 step, 1 feature, float64), 2 classes, one label a sequence, groups)"
    )
    assert [dataset.place(n) for n in range(2)] == ["sequence 'a'", "sequence 'b'"]
    steps = read(write("id,time,x,label\na,0,1,u\na,1,1,u\nb,0,2,v\n"), labels_per_step=True)
    assert [steps.place(n) for n in range(3)] == [
        "sequence 'a', step 0",
        "sequence 'a', step 1",
        "sequence 'b', step 0",
    ]


@pytest.mark.parametrize("dtype", [pl.Decimal(20, 3), pl.Int128, pl.UInt128, pl.Int8, pl.UInt64, pl.Float32])
def test_times_may_be_numbers_of_any_type(tmp_path, dtype):
    path = tmp_path / "toy.parquet"
    frame = pl.DataFrame({"id": ["a"] * 3, "time": [12, 3, 5], "x": [3.0, 1.0, 2.0], "label": ["u"] * 3})
    frame.with_columns(pl.col("time").cast(dtype)).write_parquet(path)
    assert read(path).sequences.values.ravel().tolist() == [1, 2, 3]
    frame.with_columns(pl.Series("time", [12, None, 5]).cast(dtype)).write_parquet(path)
    with pytest.raises(FileError, match="row 2, column 'time': expected a time, found nothing"):
        read(path)


def test_a_parquet_that_declares_more_than_memory_holds_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "bomb.parquet"
    pl.DataFrame({f"x{n}": pl.repeat(0, 2**22, eager=True) for n in range(4)}).write_parquet(path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(parquet_file, "_MOST_CELLS", 2**24 - 1)
    with pytest.raises(FileError, match=r"bomb.parquet: it declares 4,194,304 rows of 4 columns, but at most 16,777"):
        read(path)


def test_what_fits_depends_on_free_memory(parquet, monkeypatch):
    monkeypatch.setattr(parquet_file, "_free_memory", lambda: 1000)
    with pytest.raises(FileError, match="at most 31 cells fit into memory"):
        read(parquet)


def test_free_memory_is_told():
    assert 2**20 < parquet_file._free_memory() < 2**50


@pytest.mark.parametrize(
    "end",
    [
        "import os; os.kill(os.getpid(), 9)",
        "raise MemoryError",
        "import sys; sys.exit('memory allocation of 9 bytes failed')",
    ],
)
def test_a_lack_of_memory_in_decoding_is_not_called_damage(parquet, monkeypatch, end):
    monkeypatch.setattr(parquet_file, "_DECODE", end)
    with pytest.raises(FileError, match="the memory does not suffice to decode it") as caught:
        read(parquet)
    assert "damaged" not in str(caught.value)


@pytest.mark.timeout(60)
def test_a_header_of_forty_thousand_names_is_read_at_once(write):
    names = [f"x{n}" for n in range(40_000)]
    path = write(",".join(["id", "label", *names]) + "\na,u," + ",".join(["1"] * 40_000))
    start = time.perf_counter()
    columns.check_names(path, names)
    roles.find_roles(path, ["id", "label", *names], roles.Asked(dict.fromkeys(ROLES)))
    asked = roles.Asked(dict.fromkeys(ROLES), features=tuple(names))
    roles.find_roles(path, ["id", "label", *names], asked)
    sequences = Sequences(np.zeros((1, len(names))), np.array([0, 1]), tuple(names))
    assert sequences.select(names[::-1]).feature_names[0] == "x39999"
    assert time.perf_counter() - start < 1
    assert read(path).sequences.n_features == 40_000


def test_all_roles_that_are_not_known_are_named_at_once_and_how_to_do_without_labels(write):
    path = write("word,lang\nhaus,de\n")
    with pytest.raises(
        FileError, match=r"Name them with id=... and label=...; the columns are 'word', 'lang'. If each"
    ):
        read(path)
    with pytest.raises(
        FileError, match=r"Name it with label=...; .* To read without labels pass labels_required=False"
    ):
        read(path, id="word")
