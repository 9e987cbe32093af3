"""Columns of text as kinds, missing values, and time as a feature, in tables of every format."""

import re

import numpy as np
import polars as pl
import pytest

from elman.data import as_sequences, from_frame, read
from elman.errors import DataError, FileError, ParameterError

WEATHER = """id,time,wind,sky,label
a,2026-01-01 00:00,3.5,sun,dry
a,2026-01-01 00:10,4,rain,dry
a,2026-01-02 00:10,5,sun,dry
b,2026-01-01,1,snow,wet
"""
GAPS = """id,wind,sky,label
a,3.5,sun,dry
a,,NA,dry
a,NaN,,dry
b,n/a,snow,wet
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="weather.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_column_of_text_becomes_codes_with_names_and_a_note(write):
    dataset = read(write(WEATHER))
    sequences = dataset.sequences
    assert sequences.feature_names == ("wind", "sky")
    assert sequences.categories == (None, ("sun", "rain", "snow"))
    assert [sequence.tolist() for sequence in sequences] == [[[3.5, 0], [4, 1], [5, 0]], [[1, 2]]]
    assert "Read column 'sky' as text of 3 kinds: 'sun', 'rain', 'snow'." in dataset.notes


def test_slices_and_choices_of_features_keep_the_categories(write):
    sequences = read(write(WEATHER)).sequences
    assert sequences[[1]].categories == (None, ("sun", "rain", "snow"))
    assert sequences.select(["sky", "wind"]).categories == (("sun", "rain", "snow"), None)
    assert sequences.with_values(sequences.values.copy()).categories == sequences.categories
    assert sequences.with_values(sequences.values[:, :1]).categories is None
    assert [run.categories for run in sequences.in_runs(1)] == [sequences.categories] * 2


def test_a_column_of_numbers_with_a_bad_cell_stays_an_error(write):
    with pytest.raises(FileError, match=r"line 3, column 'wind': expected a number, got 'strong'. Fix the file or"):
        read(write(WEATHER.replace(",4,", ",strong,")))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["2026-01-01", "2026-01-02"],
            "column 'c': expected numbers or the names of kinds, got dates or times, such as",
        ),
        (["10:00", "11:30:15"], "column 'c': expected numbers or the names of kinds, got dates or times"),
        (["31.12.2026", "1/2/26 10:00"], "Name it with time=..., turn it into numbers, or drop it."),
        (
            [f"note {k}" for k in range(21)],
            "column 'c': expected the names of some kinds, got another in each row, such as",
        ),
        (["sun", ""], "line 3, column 'c': expected text, found nothing. Fill it in, drop the row, or read and train"),
        (["NA", "NA"], "line 2, column 'c': expected a number, got 'NA'."),
        (["x" * 257, "y"], "line 2, column 'c': expected a category of at most 256 characters, got 257"),
        (["yes", "true"], "line 2, column 'c': expected a number, got 'yes'."),
    ],
)
def test_a_column_that_holds_no_kinds_is_refused_with_advice(write, cells, message):
    rows = "".join(f"a,{cell},u\n" for cell in cells)
    with pytest.raises(FileError, match=re.escape(message)):
        read(write(f"id,c,label\n{rows}"))


def test_a_model_says_which_columns_are_kinds(write):
    path = write("id,c,d,label\na,1,x,u\na,2,7,u\n")
    dataset = read(path, features=("c", "d"), categorical=("c", "d"))
    assert dataset.sequences.categories == (("1", "2"), ("x", "7"))
    with pytest.raises(FileError, match="line 2, column 'd': expected a number, got 'x'"):
        read(path, features=("c", "d"), categorical=("c",))


def test_numbered_kinds_are_named_by_the_caller(write):
    path = write("id,c,x,label\na,1,0.5,u\na,2,0.5,u\n")
    assert read(path, categorical=["c"]).sequences.categories == (("1", "2"), None)
    with pytest.raises(FileError, match="there is no feature column 'kind' to take for kinds"):
        read(path, categorical=["kind"])
    frame = pl.DataFrame({"id": ["a", "a"], "c": [1.0, 2.0], "label": ["u", "u"]})
    assert from_frame(frame, categorical=["c"]).sequences.categories == (("1", "2"),)


def test_whole_numbers_are_one_kind_however_they_are_written(write):
    path = write("id,c,label\na,1,u\na,1.0,u\na,01,u\na,2.50,u\n")
    assert read(path, categorical=["c"]).sequences.categories == (("1", "01", "2.50"),)


def test_a_name_of_its_own_for_each_sequence_is_refused(write):
    rows = "".join(f"{n},{step},file {n}.wav,u\n" for n in range(21) for step in range(2))
    path = write("id,time,file,label\n" + rows)
    with pytest.raises(
        FileError, match=r"column 'file': expected the names of some kinds, got another for each sequence"
    ):
        read(path)
    for settings in ({"features": ("file",)}, {}):  # a model knows better, and so does the user
        assert len(read(path, categorical=("file",), **settings).sequences.categories[0]) == 21


def test_new_data_may_have_another_name_in_each_row(write):
    rows = "".join(f"a,{n},2026-01-{n + 1:02}T00:00,u\n" for n in range(25))
    path = write(f"id,time,day,label\n{rows}")
    assert len(read(path, features=("day",), categorical=("day",)).sequences.categories[0]) == 25


def test_text_that_comes_after_a_thousand_numbers_is_an_error_and_no_kind(write):
    rows = "".join(f"a,{n},u\n" for n in range(1500))
    with pytest.raises(FileError, match="line 1502, column 'x': expected a number, got 'late'"):
        read(write(f"id,x,label\n{rows}a,late,u\n"))
    words = "".join(f"a,{'no' if n % 2 else 'yes'},u\n" for n in range(1500))
    with pytest.raises(FileError, match="line 2, column 'x': expected a number, got 'yes'"):
        read(write(f"id,x,label\n{words}a,7,u\n"))


# Missing values


def test_missing_values_are_read_where_they_are_asked_for(write):
    dataset = read(write(GAPS.replace("n/a", "2")), missing="indicator")
    assert np.array_equal(
        dataset.sequences.values, [[3.5, 0], [np.nan, np.nan], [np.nan, np.nan], [2, 1]], equal_nan=True
    )
    assert dataset.sequences.categories == (None, ("sun", "snow"))


def test_the_caller_may_say_how_missing_values_are_written(write):
    values = read(write(GAPS), missing_text=["n/a", "NA"]).sequences.values
    assert np.isnan(values[:, 0]).tolist() == [False, True, True, True]
    with pytest.raises(FileError, match=r"line 5, column 'wind': .* or read it as missing with missing_text='n/a'\."):
        read(write(GAPS), missing="indicator")


def test_without_being_asked_a_missing_value_is_an_error_that_names_the_way_out(write):
    message = "line 3, column 'wind': expected a number, found nothing. Fix the file or drop the row, or read and "
    with pytest.raises(FileError, match=re.escape(message)):
        read(write(GAPS))


def test_booleans_may_be_missing(write):
    values = read(write("id,b,label\na,true,u\na,,u\na,False,u\n"), missing="indicator").sequences.values
    assert np.array_equal(values.ravel(), [1, np.nan, 0], equal_nan=True)


def test_in_parquet_null_and_nan_are_missing(tmp_path):
    frame = pl.DataFrame(
        {"id": [1, 1, 2], "x": [1.5, None, float("nan")], "n": [1, None, 2], "c": ["a", None, "b"], "label": [0, 0, 1]}
    )
    frame.write_parquet(tmp_path / "x.parquet")
    values = read(tmp_path / "x.parquet", missing="indicator").sequences.values
    expected = [[1.5, 1, 0], [np.nan, np.nan, np.nan], [np.nan, 2, 1]]
    assert np.array_equal(values, expected, equal_nan=True)


def test_infinite_values_are_never_missing(write):
    with pytest.raises(FileError, match=r"line 2, column 'x': expected a finite number of at most 1e.38, got 'inf'"):
        read(write("id,x,label\na,inf,u\na,,u\n"), missing="indicator")


def test_ids_times_and_labels_are_never_missing(write):
    with pytest.raises(FileError, match="line 3, column 'label': expected a label, found nothing"):
        read(write("id,x,label\na,1,u\na,1,\n"), missing="indicator")


def test_a_question_mark_of_a_ts_file_is_missing(write):
    path = write("@univariate false\n@classLabel true u v\n@data\n1,?,3,?:4,5,?,?:u\n7:?:v\n", "toy.ts")
    sequences = read(path, missing="indicator").sequences
    assert np.array_equal(sequences[0], [[1, 4], [np.nan, 5], [3, np.nan]], equal_nan=True)
    assert np.array_equal(sequences[1], [[7, np.nan]], equal_nan=True)
    with pytest.raises(
        FileError, match=r"line 4, channel 1, value 2: the value is missing. Fill it in, or read and train with"
    ):
        read(path)


def test_missing_values_of_an_npz_are_read(tmp_path):
    values = np.array([[1.0], [np.nan], [3.0]])
    np.savez(tmp_path / "x.npz", values=values, offsets=[0, 2, 3], y=["u", "v"])
    assert np.array_equal(read(tmp_path / "x.npz", missing="indicator").sequences.values, values, equal_nan=True)
    with pytest.raises(FileError, match="expected a finite number, got NaN"):
        read(tmp_path / "x.npz")


def test_an_unknown_way_with_missing_values_is_refused(write):
    with pytest.raises(ParameterError, match="'missing' parameter of read must be one of 'error', 'indicator'"):
        read(write(GAPS), missing="drop")


@pytest.mark.parametrize("name", ["categorical", "missing_text", "features"])
def test_what_must_be_text_is_refused_where_it_is_none(write, name):
    for value in (3, [3]):
        with pytest.raises(
            ParameterError, match=rf"The '{name}' parameter of read must hold text. Got \[?3\]? instead"
        ):
            read(write(GAPS), **{name: value})


# Time as a feature


def test_dates_give_step_lengths_in_seconds(write):
    dataset = read(write(WEATHER), step_length=True)
    assert dataset.sequences.feature_names == ("wind", "sky", "step length")
    assert dataset.sequences.values[:, 2].tolist() == [0, 600, 86_400, 0]
    assert dataset.sequences.categories[2] is None
    assert dataset.columns["step_length"] == "time"
    assert "Turned column 'time' into the feature 'step length', in seconds." in dataset.notes


@pytest.mark.parametrize(
    ("times", "lengths", "unit"),
    [
        (["3", "1", "7.5"], [0, 2, 4.5], "its own unit"),
        (["step 3", "step 1", "step 7"], [0, 2, 4], "its own unit"),
        (["10:00", "09:00:30.5", "10:00:00.25"], [0, 3569.5, 0.25], "seconds"),
        (["2026-03-01T00:00+01:00", "2026-02-28T00:00+01:00", "2026-03-01T00:01+01:00"], [0, 86_400, 60], "seconds"),
        (["9223372036854775807", "-9223372036854775807", "0"], [0, 2.0**63, 2.0**63], "its own unit"),
    ],
)  # fmt: skip
def test_every_kind_of_time_gives_step_lengths(write, times, lengths, unit):
    rows = "".join(f"a,{time},{n},u\n" for n, time in enumerate(times))
    dataset = read(write(f"id,time,x,label\n{rows}"), step_length=True)
    assert dataset.sequences.values[:, 1] == pytest.approx(lengths)
    assert dataset.notes[-1].endswith(f"in {unit}.")


def test_a_model_with_step_lengths_gets_them_again(write):
    first = read(write(WEATHER), step_length=True)
    again = read(
        write(WEATHER), likely=first.columns, features=first.sequences.feature_names, categorical=("sky",)
    ).sequences
    assert again.feature_names == first.sequences.feature_names
    assert np.array_equal(again.values, first.sequences.values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x,label\na,1,u\n", "expected a time column for step lengths, found none. Name it with time=..."),
        ("id,time,step length,label\na,1,1,u\n", "expected no column 'step length' beside step_length=True"),
        (
            "id,time,x,label\na,2026-02-30,1,u\n",
            "line 2, column 'time': expected a date that there is, got '2026-02-30'",
        ),
        ("id,time,x,label\na,0,1,u\na,1e39,1,u\n", "line 3, column 'time': expected a time at most 1e+38 after"),
    ],
)
def test_times_that_give_no_step_lengths_are_refused(write, text, message):
    with pytest.raises(FileError, match=re.escape(message)):
        read(write(text), step_length=True)


def test_a_file_without_columns_has_none_to_name(write):
    path = write("@univariate true\n@classLabel true u v\n@data\n1:u\n2:v\n", "toy.ts")
    for settings in ({"step_length": True}, {"categorical": ["x"]}, {"missing_text": "n/a"}):
        with pytest.raises(ParameterError, match=r"only a table .* has columns to name"):
            read(path, **settings)


# Frames of polars


def test_a_frame_of_polars_is_read_as_its_file_is(write):
    path = write(WEATHER)
    from_file = read(path, step_length=True)
    frame = pl.read_csv(path, schema_overrides={"wind": pl.Float64})
    dataset = from_frame(frame, step_length=True)
    assert np.array_equal(dataset.sequences.values, from_file.sequences.values)
    assert dataset.sequences.categories == from_file.sequences.categories
    assert (dataset.ids.tolist(), dataset.labels.tolist()) == (["a", "b"], ["dry", "wet"])
    assert dataset.notes == from_file.notes
    assert dataset.columns == from_file.columns


def test_errors_about_a_frame_give_the_row_counted_from_0():
    frame = pl.DataFrame({"id": ["a", "a"], "x": [1.0, None], "label": ["u", "u"]})
    with pytest.raises(DataError, match=r"^frame, row 1, column 'x': expected a number, found nothing"):
        from_frame(frame)
    with pytest.raises(
        DataError, match=r"'frame' parameter of from_frame must be a DataFrame of pandas or polars. Got"
    ):
        from_frame({"id": ["a"]})
    with pytest.raises(DataError, match="frame: expected at least one row, found none"):
        from_frame(frame[:0])


def test_texts_of_a_frame_become_tokens():
    frame = pl.DataFrame({"word": ["ab", "b"], "label": ["u", "v"]})
    dataset = from_frame(frame, text="word")
    assert dataset.sequences.categories == (("a", "b"),)
    assert dataset.sequences.lengths.tolist() == [2, 1]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.Int64])
def test_step_lengths_of_narrow_whole_numbers_do_not_wrap(dtype):
    times = pl.Series([-100, 100, 120], dtype=dtype)
    if dtype == pl.Int32:
        times *= 15_000_000
    frame = pl.DataFrame({"id": ["a"] * 3, "time": times, "x": [1.0] * 3, "label": ["u"] * 3})
    lengths = from_frame(frame, step_length=True).sequences.values[:, 1]
    assert lengths.tolist() == [0.0, 200.0 * (times[2] // 120), 20.0 * (times[2] // 120)]


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-31 13:05", "2026-01-31T13:05:00.0"),
        ("2026-01-31", "2026-01-31 00:00:00"),
        ("2026-01-31 13:05:00.50Z", "2026-01-31T13:05:00.5Z"),
        ("13:05", "13:05:00.000"),
    ],
)
def test_one_time_written_in_two_ways_comes_twice(times):
    frame = pl.DataFrame({"id": ["a", "a"], "time": times, "x": [1.0, 2.0], "label": ["u", "u"]})
    with pytest.raises(DataError, match="row 1, column 'time': expected each time once in a sequence"):
        from_frame(frame)


def test_times_written_in_several_ways_are_sorted():
    times = ["13:05:00.010", "13:05", "13:04:59.9"]
    frame = pl.DataFrame({"id": ["a"] * 3, "time": times, "x": [3.0, 2.0, 1.0], "label": ["u"] * 3})
    dataset = from_frame(frame, step_length=True)
    assert dataset.sequences.values[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert dataset.sequences.values[:, 1] == pytest.approx([0.0, 0.1, 0.01])


@pytest.mark.parametrize("mark", ["NA", "NaN", "nan"])
def test_a_kind_that_is_marked_as_missing_is_an_error_or_missing_and_no_kind(write, mark):
    path = write(f"id,sky,label\na,sun,u\na,{mark},u\nb,rain,v\n")
    with pytest.raises(FileError, match=f"line 3, column 'sky': expected text, got the missing value '{mark}'. Fill"):
        read(path)
    assert read(path, missing="indicator").sequences.categories == (("sun", "rain"),)
    assert read(path, missing_text="n/a").sequences.categories == (("sun", mark, "rain"),)


@pytest.mark.parametrize("function", [from_frame, as_sequences])
def test_a_lazy_frame_is_to_be_collected(function):
    with pytest.raises(DataError, match=r"Got LazyFrame instead; call .collect\(\) first"):
        function(pl.DataFrame({"id": ["a"], "x": [1.0], "label": ["u"]}).lazy())
