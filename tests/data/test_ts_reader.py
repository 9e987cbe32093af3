"""The `.ts` reader."""

import re
from pathlib import Path

import pytest

from elman.data import read
from elman.errors import FileError, ParameterError

EXAMPLES = Path(__file__).parents[2] / "examples" / "data"
RAGGED = """# two channels
@problemName Toy
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
1,2,3:4,5,6:up
-1.5:2e3:down
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="toy.ts"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def plain_parse(path):
    """An independent reading of the real files: no checks, no shared code."""
    cases, labels = [], []
    body = path.read_text(encoding="utf-8").split("@data\n")[1]
    for line in body.splitlines():
        *channels, label = line.split(":")
        cases.append([[float(value) for value in step] for step in zip(*(channel.split(",") for channel in channels))])
        labels.append(label)
    return cases, labels


@pytest.mark.parametrize(
    ("name", "n", "shortest", "longest", "n_features", "n_classes"),
    [
        ("JapaneseVowels_TRAIN", 270, 7, 26, 12, 9),
        ("JapaneseVowels_TEST", 370, 7, 29, 12, 9),
        ("BasicMotions_TRAIN", 40, 100, 100, 6, 4),
        ("BasicMotions_TEST", 40, 100, 100, 6, 4),
        ("ItalyPowerDemand_TRAIN", 67, 24, 24, 1, 2),
        ("ItalyPowerDemand_TEST", 1029, 24, 24, 1, 2),
    ],
)
def test_real_files_equal_a_plain_parse_to_the_bit(name, n, shortest, longest, n_features, n_classes):
    path = EXAMPLES / f"{name}.ts"
    dataset = read(path)
    cases, labels = plain_parse(path)
    assert len(dataset.sequences) == len(cases) == n
    assert dataset.sequences.n_features == n_features
    assert (dataset.sequences.lengths.min(), dataset.sequences.lengths.max()) == (shortest, longest)
    for got, expected in zip(dataset.sequences, cases):
        assert got.tolist() == expected
    assert dataset.labels.tolist() == labels
    assert len(set(labels)) == n_classes
    assert dataset.labels.dtype.kind == "U"
    assert dataset.ids.tolist() == [str(i) for i in range(n)]
    assert dataset.groups is None
    assert not dataset.per_step


def test_ragged_multivariate(write):
    dataset = read(write(RAGGED))
    assert [sequence.tolist() for sequence in dataset.sequences] == [[[1, 4], [2, 5], [3, 6]], [[-1.5, 2000]]]
    assert dataset.labels.tolist() == ["up", "down"]


@pytest.mark.parametrize(
    "text",
    [
        RAGGED.replace("\n", "\r\n"),
        RAGGED.replace("\n", "\r"),
        "\ufeff" + RAGGED,
        RAGGED.upper().replace("UP", "up").replace("DOWN", "down"),
        RAGGED.replace("@data\n", "\n# comment\n\n@data  \n\n# another\n"),
        RAGGED.replace(",", " , ").replace(":", " : "),
        RAGGED.rstrip("\n"),
        RAGGED.replace("@dimensions 2\n", ""),
        RAGGED.replace("up down", ""),
        RAGGED + "\n\n",
        RAGGED.replace("@dimensions", "@frequency 10 Hz\n@dimension"),
    ],
    ids=["crlf", "cr", "bom", "upper", "comments", "spaces", "no-end", "no-dimensions", "no-list", "blank", "unknown"],
)
def test_the_same_file_written_otherwise_reads_the_same(write, text):
    dataset = read(write(text))
    assert [sequence.tolist() for sequence in dataset.sequences] == [[[1, 4], [2, 5], [3, 6]], [[-1.5, 2000]]]
    assert dataset.labels.tolist() == ["up", "down"]


def test_labels_stay_as_they_are_written(write):
    dataset = read(write("@classLabel true 01 1 1.0 ñandú\n@data\n1:01\n2:1\n3:1.0\n4:ñandú\n"))
    assert dataset.labels.tolist() == ["01", "1", "1.0", "ñandú"]


def test_a_label_may_hold_spaces_where_no_list_is_declared(write):
    assert read(write("@classLabel true\n@data\n1,2:going up\n3:down\n")).labels.tolist() == ["going up", "down"]


def test_question_marks_at_the_end_are_padding(write):
    dataset = read(
        write(
            "@equalLength true\n@classLabel true a\n@data\n1,2,?,?:3,4,?,?:a\n1,2,3,4:5,6,7,?4:a\n".replace("?4", "8")
        )
    )
    assert dataset.sequences.lengths.tolist() == [2, 4]
    assert dataset.sequences[0].tolist() == [[1, 3], [2, 4]]


def test_files_without_labels(write):
    path = write("@classLabel false\n@data\n1,2\n3\n")
    dataset = read(path, labels_required=False)
    assert dataset.labels is None
    assert dataset.sequences.lengths.tolist() == [2, 1]
    with pytest.raises(FileError, match=re.escape("toy.ts: expected class labels, but the file declares '@classLabel")):
        read(path)


def test_labels_are_read_where_there_are_some_though_none_are_required(write):
    assert read(write(RAGGED), labels_required=False).labels.tolist() == ["up", "down"]


def test_one_case_of_one_step(write):
    dataset = read(write("@univariate true\n@classLabel true a\n@data\n7:a"))
    assert dataset.sequences.values.tolist() == [[7.0]]
    assert dataset.sequences.offsets.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2e3", "two", "toy.ts, line 10, channel 2, value 1: expected a number, got 'two'. Write a missing value as"),
        ("2e3", "1_000", "toy.ts, line 10, channel 2, value 1: expected a number, got '1_000'"),
        ("2e3", "", "toy.ts, line 10, channel 2, value 1: expected a number, got ''"),
        ("1,2,3", "1,2,3,", "toy.ts, line 9, channel 1, value 4: expected a number, got ''"),
        ("2,3:", "2,3,4:", "toy.ts, line 9, channel 2: expected 4 values, as in channel 1, got 3."),
        (
            "-1.5:",
            "",
            "toy.ts, line 10: expected 2 channels, as '@dimensions 2' declares, got 1. Is the line cut short?",
        ),
        ("-1.5:", "1:2:", "toy.ts, line 10: expected 2 channels, as '@dimensions 2' declares, got 3."),
        ("@dimensions 2", "@dimensions 3", "toy.ts, line 9: expected 3 channels"),
        ("@dimensions 2", "@dimensions 99999999999999999999", "toy.ts, line 5: expected a whole number after"),
        ("@dimensions 2", "@dimensions two", "toy.ts, line 5: expected a whole number after '@dimensions', got 'two'."),
        ("@univariate false", "@univariate true", "toy.ts, line 9: expected one channel, since the header declares"),
        (
            "@univariate false",
            "@univariate maybe",
            "toy.ts, line 4: expected '@univariate true' or '@univariate false'",
        ),
        ("@equalLength false", "@equalLength true", "toy.ts, line 10: expected 3 steps, since the header declares"),
        (
            "@equalLength false",
            "@equalLength true\n@seriesLength 4",
            "toy.ts, line 10: expected 4 steps, since the header declares '@equalLength true', got 3.",
        ),
        (
            ":down",
            ":sideways",
            "toy.ts, line 10: expected a class label that '@classLabel' declares ('up', 'down'), got",
        ),
        (":down", ":dow", "got 'dow'. Is the line cut short?"),
        ("-1.5:2e3:down", "-1.5", "toy.ts, line 10: expected values, then ':' and a class label, found no ':'. Is the"),
        (
            "2,3:4",
            "?,3:4",
            "toy.ts, line 9, channel 1, value 2: the value is missing. Fill it in, or read and train with missing=",
        ),
        ("2,3:4,5,6", "2,?:4,5,6", "toy.ts, line 9, channel 1, value 3: the value is missing."),
        ("-1.5:2e3", "?:?", "toy.ts, line 10: expected at least one step, but every value is missing. Drop the line."),
        ("2e3", "inf", "toy.ts, line 10, channel 2, value 1: expected a finite number of at most 1e+38, got inf."),
        ("2e3", "-1e39", "toy.ts, line 10, channel 2, value 1: expected a finite number of at most 1e+38, got -1e+39."),
        ("@data\n", "", "toy.ts, line 8: expected a header line '@...' before '@data', got '1,2,3:4,5,6:up'."),
        ("@classLabel true up down\n", "", "toy.ts, line 7: expected a line '@classLabel true ...' or"),
        ("@timeStamps false", "@timeStamps true", "toy.ts, line 3: files with time stamps are not supported."),
        ("@classLabel true up down", "@targetLabel true", "toy.ts, line 7: expected classes, got a file with numeric"),
        ("2e3", "-?", "toy.ts, line 10, channel 2, value 1: expected a number, got '-?'."),
        ("2e3", "??", "toy.ts, line 10, channel 2, value 1: expected a number, got '??'."),
        ("2e3", "+?", "toy.ts, line 10, channel 2, value 1: expected a number, got '+?'."),
        ("Toy", "\udcff", "toy.ts, line 2: expected text in UTF-8, got the byte 0xff. Save the file as UTF-8."),
        (":down", ":" + "d" * 300, "Is the line cut short?"),
        (
            "@classLabel true up down",
            "@classLabel",
            "toy.ts, line 7: expected '@classLabel true' or '@classLabel false'",
        ),
    ],
)
def test_what_breaks_the_format_is_named_with_its_line(write, old, new, message):
    assert old in RAGGED
    path = write(RAGGED.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError, match=re.escape(message)) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere_in_its_cases_is_noticed_unless_cut_between_lines(write):
    start = RAGGED.index("1,2,3")
    whole_lines = {RAGGED.index("-1.5") - 1, RAGGED.index("-1.5"), len(RAGGED) - 1, len(RAGGED)}
    for cut in range(start, len(RAGGED) + 1):
        path = write(RAGGED[:cut])
        if cut in whole_lines:
            read(path)
        else:
            with pytest.raises(FileError, match=r"toy\.ts.*cut short"):
                read(path)


def test_a_real_file_cut_short_names_the_line(tmp_path):
    content = (EXAMPLES / "JapaneseVowels_TRAIN.ts").read_bytes()[:100_000]
    path = tmp_path / "cut.ts"
    path.write_bytes(content)
    line = content.count(b"\n") + 1
    with pytest.raises(FileError, match=rf"cut\.ts, line {line}: .*cut short"):
        read(path)


@pytest.mark.parametrize("text", ["@classLabel true a\n@data\n", "@classLabel true a\n@data\n# none\n"])
def test_no_case_is_an_error(write, text):
    with pytest.raises(FileError, match="at least one case after '@data', found none"):
        read(write(text))


def test_no_data_line_is_an_error(write):
    with pytest.raises(FileError, match="expected a line '@data' after the header, found none"):
        read(write("@classLabel true a\n"))


def test_what_only_tables_have_is_refused(write):
    with pytest.raises(ParameterError, match=r"only a table \(.csv, .tsv, .parquet\) has columns.*label column 'y'"):
        read(write(RAGGED), label="y")
    with pytest.raises(ParameterError, match="one label a sequence"):
        read(write(RAGGED), labels_per_step=True)


# The file itself


def test_a_missing_file_a_folder_and_an_empty_file_are_told_apart(tmp_path):
    with pytest.raises(FileError, match=r"none\.ts: there is no such file"):
        read(tmp_path / "none.ts")
    (tmp_path / "folder.ts").mkdir()
    with pytest.raises(FileError, match=r"folder\.ts: expected a file, got a folder"):
        read(tmp_path / "folder.ts")
    (tmp_path / "empty.ts").touch()
    with pytest.raises(FileError, match=r"empty\.ts: the file is empty"):
        read(str(tmp_path / "empty.ts"))


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(
        FileError, match=re.escape("expected a file of type .ts, .csv, .tsv, .parquet, .npz, got '.xlsx'")
    ):
        read(tmp_path / "data.xlsx")
    with pytest.raises(FileError, match="got 'no suffix'"):
        read(tmp_path / "data")


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os = pytest.importorskip("os")
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in the file system here")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FileError, match="got a pipe or device"):
        read(tmp_path / "pipe.csv")


@pytest.mark.parametrize("path", [None, 3, b"toy.ts"])
def test_a_path_is_text_or_path(path):
    with pytest.raises(ParameterError, match="must be a str or a path"):
        read(path)


@pytest.mark.parametrize("name", ["a\0b.ts", "x" * 5000 + ".ts"])
def test_an_impossible_name_is_an_error_like_any_other(name):
    with pytest.raises(FileError, match=r"cannot be read|no such file"):
        read(name)


def test_the_suffix_may_be_in_capitals(write):
    assert len(read(write(RAGGED, "TOY.TS")).sequences) == 2
