"""pandas, an optional guest: long frames, MultiIndex frames of aeon and sktime, wide frames, Series of texts."""

import re
import subprocess
import sys

import numpy as np
import pytest

from elman.data import as_sequences, from_frame, read
from elman.errors import DataError

pd = pytest.importorskip("pandas")


def long_frame():
    return pd.DataFrame(
        {
            "id": ["b", "a", "a"],
            "time": pd.to_datetime(["2026-01-01 00:00", "2026-01-02 00:00", "2026-01-01 12:00"]),
            "x": [1.5, 2.5, 3.5],
            "n": pd.array([1, 2, 3], dtype="Int64"),
            "sky": pd.Categorical(["1", "2", "1"]),
            "label": ["u", "v", "v"],
        }
    )


def test_a_long_frame_is_read_as_its_file_is(tmp_path):
    long_frame().to_csv(tmp_path / "x.csv", index=False)
    from_file = read(tmp_path / "x.csv", step_length=True, categorical=["sky"])
    dataset = from_frame(long_frame(), step_length=True)
    assert np.array_equal(dataset.sequences.values, from_file.sequences.values)
    assert dataset.sequences.values[:, 3].tolist() == [0, 0, 43_200]
    assert dataset.sequences.feature_names == ("x", "n", "sky", "step length")
    assert dataset.sequences.categories == (None, None, ("1", "2"), None)
    assert (dataset.ids.tolist(), dataset.labels.tolist()) == (["b", "a"], ["u", "v"])
    assert dataset.notes == from_file.notes


def test_named_levels_of_the_index_are_columns_and_row_numbers_are_not():
    frame = long_frame()
    plain = from_frame(frame)
    indexed = from_frame(frame.set_index(["id", "time"]))
    shuffled = from_frame(frame.set_axis([7, 9, 3]))
    for other in (indexed, shuffled):
        assert np.array_equal(other.sequences.values, plain.sequences.values)
        assert other.ids.tolist() == plain.ids.tolist()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.array([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.array([1.5, None, np.nan], dtype="Float64"), [1.5, np.nan, np.nan]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        (np.array([1, 2, 3], np.uint8), [1, 2, 3]),
        (np.array([1, None, 3.5], object), [1, np.nan, 3.5]),
        ([None, None, None], [np.nan] * 3),
    ],
)
def test_every_numeric_column_is_read_with_its_gaps(column, expected):
    frame = pd.DataFrame({"id": ["a"] * 3, "x": column, "label": ["u"] * 3})
    values = from_frame(frame, missing="indicator").sequences.values.ravel()
    assert np.array_equal(values, expected, equal_nan=True)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_of_every_unit_and_zone_are_told_in_seconds(unit, zone):
    times = pd.DatetimeIndex(["2026-03-29 00:30", "2026-03-29 04:30"]).as_unit(unit).tz_localize(zone)
    frame = pd.DataFrame({"id": ["a"] * 2, "time": times, "x": [1.0, 2.0], "label": ["u"] * 2})
    lengths = from_frame(frame, step_length=True).sequences.values[:, 1]
    assert lengths.tolist() == [0, 4 * 3600 if zone is None else 3 * 3600]  # the clock went forward that night


def test_a_frame_indexed_twice_is_sequences_as_aeon_and_sktime_have_it():
    index = pd.MultiIndex.from_tuples([("p", 0), ("p", 1), ("o", 5)])
    frame = pd.DataFrame({"x": [1.0, 2.0, 9.0], "sky": ["sun", "rain", "sun"]}, index=index)
    sequences = as_sequences(frame)
    assert [sequence.tolist() for sequence in sequences] == [[[1, 0], [2, 1]], [[9, 0]]]
    assert sequences.feature_names == ("x", "sky")
    assert sequences.categories == (None, ("sun", "rain"))
    assert [sequence.tolist() for sequence in as_sequences(frame["x"])] == [[[1], [2]], [[9]]]
    with pytest.raises(DataError, match=r"X, row 1, column 'x': expected a finite number .* got nan"):
        as_sequences(frame.assign(x=[1.0, np.nan, 2.0]))
    gaps = as_sequences(frame.assign(x=[1.0, np.nan, 2.0]), missing="indicator")
    assert np.isnan(gaps.values[:, 0]).tolist() == [False, True, False]


def test_columns_named_as_the_levels_would_be_do_no_harm():
    index = pd.MultiIndex.from_tuples([(0, 0), (0, 1)])
    frame = pd.DataFrame({"sequence": [1.0, 2.0], "time": [3.0, 4.0], "label": [5.0, 6.0]}, index=index)
    assert as_sequences(frame).values.tolist() == [[1, 3, 5], [2, 4, 6]]


def test_a_wide_frame_is_a_row_a_sequence():
    frame = pd.DataFrame({"t0": [1.0, 2.0], "t1": [3.0, np.nan], "t2": pd.array([5, None], dtype="Int64")})
    assert [sequence.ravel().tolist() for sequence in as_sequences(frame)] == [[1, 3, 5], [2]]


def test_series_of_texts_and_of_arrays_are_lists():
    assert as_sequences(pd.Series(["ab", "c"], index=[5, 3])).categories == (("a", "b", "c"),)
    assert as_sequences(pd.Series([np.zeros(2), np.ones(3)])).lengths.tolist() == [2, 3]
    assert as_sequences([pd.Series(["a", "b"], index=[4, 2]), ["b"]]).categories == (("a", "b"),)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": ["x", "y"]}), "X must be a frame of numbers, one row a sequence. Got text in column 'a'."),
        (pd.DataFrame({"a": [1.0]}, index=pd.MultiIndex.from_tuples([(0, 0, 0)])), "index of two levels, sequence and"),
        (
            pd.DataFrame({"a": [1.0, 2.0]}, index=pd.MultiIndex.from_tuples([(0, 0), (0, 0)])),
            "X, row 1, column 'time': expected each time once in a sequence, got 0 again in sequence '0'.",
        ),
        (
            pd.DataFrame({"a": [1, "x"]}, index=pd.MultiIndex.from_tuples([(0, 0), (0, 1)])),
            "X, column 'a': expected values of one kind, got int, str.",
        ),
        (pd.Series(["a", None]), "X[1]: expected a text, as X[0] is, got a missing value."),
        (pd.Series([1.0, 2.0]), "Got a flat array (2,). Reshape your data: if it is one sequence, pass [X]."),
    ],
)
def test_frames_that_are_no_sequences_are_refused(frame, message):
    with pytest.raises(DataError, match=re.escape(message)):
        as_sequences(frame)


def test_elman_imports_no_pandas():
    code = (
        "import sys, elman.data, numpy; from elman.data.readers import frame; "
        "elman.data.as_sequences(numpy.zeros((2, 3))); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("index", [[(1, 1), (1, 0), (2, 0)], [(1, 0), (2, 0), (1, 1)]])
def test_steps_out_of_order_are_refused_since_labels_would_not_follow(index):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=pd.MultiIndex.from_tuples(index))
    with pytest.raises(DataError, match=r"got them out of order from row \d on. Sort by .sort_index\(\), and all"):
        as_sequences(frame)
    assert as_sequences(frame.sort_index()).lengths.tolist() == [2, 1]


def test_whole_numbers_among_objects_stay_whole():
    large = pd.Series([2**53, 2**53 + 1, 2**53 + 1], dtype=object)
    dataset = from_frame(pd.DataFrame({"id": large, "x": [1.0, 2.0, 3.0], "label": large}))
    assert dataset.ids.tolist() == [str(2**53), str(2**53 + 1)]
    assert dataset.labels.tolist() == [2**53, 2**53 + 1]
    small = pd.Series([1, None, 2], dtype=object)
    frame = pd.DataFrame({"id": ["a", "b", "c"], "x": small, "label": [0, 1, 1]})
    assert np.array_equal(
        from_frame(frame, missing="indicator").sequences.values.ravel(), [1.0, np.nan, 2.0], equal_nan=True
    )


@pytest.mark.parametrize("column", ["id", "word", "label"])
def test_text_that_is_no_unicode_is_named(column):
    frame = pd.DataFrame({"id": ["a", "b"], "word": ["u", "v"], "label": ["x", "y"]}, dtype=object)
    frame.loc[1, column] = "\ud800"
    with pytest.raises(DataError, match=rf"column '{column}', row 1: expected valid Unicode, got '\\ud800'. Decode"):
        from_frame(frame, text="word")


def test_what_pandas_keeps_texts_in_is_taken_as_texts():
    words = pd.Series(["ab", "c"], dtype="string").values
    assert as_sequences(words).lengths.tolist() == [2, 1]


def test_a_frame_with_text_says_how_to_pass_it():
    with pytest.raises(DataError, match=r"Got text in column 'word'. If each row is a text, pass X\['word'\]; if each"):
        as_sequences(pd.DataFrame({"n": [1, 2], "word": ["a", "b"]}))
