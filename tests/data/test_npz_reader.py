"""The `.npz` reader."""

import re
import zipfile

import numpy as np
import pytest

from elman.data import read
from elman.data.archive import Archive
from elman.data.readers import arrays as arrays_module
from elman.errors import FileError, ParameterError


@pytest.fixture
def save(tmp_path):
    def save(**arrays):
        path = tmp_path / "toy.npz"
        np.savez(path, **arrays)
        return path

    return save


CUBE = np.arange(24.0).reshape(2, 3, 4)


def test_three_dimensions(save):
    dataset = read(save(X=CUBE, y=["b", "a"]))
    np.testing.assert_array_equal(np.stack(list(dataset.sequences)), CUBE)
    assert dataset.labels.tolist() == ["b", "a"]
    assert dataset.ids.tolist() == ["0", "1"]
    assert dataset.groups is None
    assert dataset.notes == ()


def test_two_dimensions_are_univariate(save):
    dataset = read(save(X=CUBE[0], y=[0, 1, 0]))
    assert dataset.sequences.values.shape == (12, 1)
    assert dataset.sequences.lengths.tolist() == [4, 4, 4]


def test_padding_is_dropped(save):
    padded = CUBE.copy()
    padded[1, 1:] = np.nan
    assert read(save(X=padded, y=[0, 1])).sequences.lengths.tolist() == [3, 1]


def test_values_and_offsets(save):
    values = np.arange(10, dtype=np.float32).reshape(5, 2)
    dataset = read(save(values=values, offsets=np.array([0, 2, 5], np.uint32), labels=[True, False]))
    np.testing.assert_array_equal(dataset.sequences.values, values)
    assert dataset.sequences.values.dtype == np.float32
    assert dataset.sequences.offsets.tolist() == [0, 2, 5]
    assert dataset.labels.tolist() == [True, False]
    assert dataset.labels.dtype == np.bool_


def test_compressed_files_read_the_same(tmp_path):
    np.savez_compressed(tmp_path / "small.npz", X=np.zeros((3, 400, 5)), y=[1, 2, 3])
    assert read(tmp_path / "small.npz").sequences.lengths.tolist() == [400] * 3


def test_ids_and_groups_become_text(save):
    dataset = read(save(X=CUBE, y=[0, 1], ids=[17, 4], groups=np.array(["ann", "bøb"])))
    assert dataset.ids.tolist() == ["17", "4"]
    assert dataset.groups.tolist() == ["ann", "bøb"]


def test_labels_for_each_step(save):
    y = np.array([["a", "b", "c"], ["d", "e", "f"]])
    padded = CUBE.copy()
    padded[0, 2:] = np.nan
    dataset = read(save(X=padded, y=y), labels_per_step=True)
    assert dataset.labels.tolist() == ["a", "b", "d", "e", "f"]
    assert dataset.per_step
    values = {"values": np.ones((5, 1)), "offsets": [0, 2, 5]}
    assert read(save(**values, y=[1, 2, 3, 4, 5]), labels_per_step=True).labels.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array([2.0, -1.0], np.float32), [2, -1]),
        (np.array([2, 1], np.uint8), [2, 1]),
        (np.array([b"up", b"down"]), ["up", "down"]),
        (np.array([" up ", "01"]), ["up", "01"]),
    ],
)
def test_labels_become_whole_numbers_or_text(save, y, expected):
    labels = read(save(X=CUBE, y=y)).labels
    assert labels.tolist() == expected
    assert labels.dtype.kind in "iU"


def test_labels_may_be_missing_where_none_are_required(save):
    assert read(save(X=CUBE), labels_required=False).labels is None
    with pytest.raises(FileError, match=r"toy\.npz: expected the labels as array 'y', found only 'X'"):
        read(save(X=CUBE))


def test_other_arrays_are_left_out_and_that_is_said(save):
    assert read(save(X=CUBE, y=[0, 1], weights=[1, 2])).notes == ("Left out the arrays 'weights'.",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.array([[1.0], None], object), "y": [0, 1]}, "the array 'X' holds Python objects, which only pickle"),
        ({"X": CUBE, "y": np.array(["a", 1], object)}, "the array 'y' holds Python objects"),
        ({"X": CUBE[0, 0], "y": [0]}, "'X' must have shape (N, T) or (N, T, D). Got (4,) instead."),
        ({"X": np.empty((0, 3)), "y": []}, "X has 0 sample(s)"),
        ({"X": np.array([["a"]]), "y": [0]}, "X must hold numbers. Got text"),
        (
            {"X": np.array([[1.0, np.inf]]), "y": [0]},
            "toy.npz: X[0], step 1, feature 0: expected a finite number, got inf",
        ),
        ({"y": [0, 1]}, "expected the array 'X', or 'values' and 'offsets', found 'y'."),
        ({"a": [0, 1]}, "expected the array 'X', or 'values' and 'offsets', found 'a'. Rename"),
        ({"values": np.ones((2, 1)), "y": [0]}, "found 'values', 'y'."),
        ({"X": CUBE, "values": np.ones((2, 1)), "y": [0]}, "got both"),
        ({"X": CUBE, "y": [0, 1], "labels": [0, 1]}, "expected the labels as 'y' or as 'labels', got both"),
        ({"X": CUBE, "y": [0, 1, 1]}, "'y' must have shape (2,), one label a sequence"),
        ({"X": CUBE, "y": [[0, 1, 1], [0, 0, 0]]}, "for one a step, pass labels_per_step=True. Got (2, 3) instead."),
        ({"X": CUBE, "y": [0.5, 1]}, "toy.npz: y[0]: expected a label, text or a whole number, got 0.5."),
        ({"X": CUBE, "y": [0, np.nan]}, "toy.npz: y[1]: expected a label, text or a whole number, got nan."),
        ({"X": CUBE, "y": ["a", ""]}, "toy.npz: y[1]: expected a label, found nothing."),
        ({"X": CUBE, "y": np.array([0, 2**63], np.uint64)}, "toy.npz: y[1]: expected a label below 2**63"),
        ({"X": CUBE, "y": np.array(["2026", "2027"], "M8[Y]")}, "expected labels as text, whole numbers or booleans"),
        ({"X": CUBE, "y": [1j, 2j]}, "expected labels as text, whole numbers or booleans"),
        ({"X": CUBE, "y": [b"\xff", b"a"]}, "toy.npz: y[0]: expected text in UTF-8"),
        ({"X": CUBE, "y": [0, 1], "ids": [1]}, "'ids' must have shape (2,), one a sequence. Got (1,) instead."),
        ({"X": CUBE, "y": [0, 1], "groups": [1.5, 2]}, "'groups' must hold text or whole numbers. Got dtype float64"),
        ({"values": np.ones((3, 1)), "offsets": [0, 2], "y": [0]}, "from 0 to the number of steps, 3. Got 0 to 2"),
        ({"values": np.ones((3, 1)), "offsets": [0, 5, 3], "y": [0, 1]}, "Got 5 and then 3 for sequence 1"),
        ({"values": np.ones((3, 1)), "offsets": [0.0, 3.0], "y": [0]}, "'offsets' must hold whole numbers. Got dtype"),
        ({"values": np.ones((0, 1)), "offsets": [0], "y": []}, "'offsets' must part at least one sequence"),
        ({"values": np.full((3, 1), np.nan), "offsets": [0, 3], "y": [0]}, "toy.npz: sequences[0], step 0, feature 0"),
        ({"values": np.ones((3, 1), complex), "offsets": [0, 3], "y": [0]}, "Complex data not supported"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(save, arrays, message):
    with pytest.raises(FileError, match=re.escape(message)) as caught:
        read(save(**arrays))
    assert "toy.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_per_step_must_cover_every_step(save):
    with pytest.raises(FileError, match=r"'y' must have shape \(6,\), one label a step. Got \(2,\)"):
        read(save(X=CUBE, y=[0, 1]), labels_per_step=True)


def member(path, name, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def header(shape, descr="<f8"):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "shape", ["(10**12, 3)", "(1000000000000, 3)", "(3, -1)", "(9" + "9" * 60 + ",)", "((1,),)", "3"]
)
def test_a_header_that_declares_more_than_there_is_allocates_nothing(tmp_path, shape):
    path = member(tmp_path / "huge.npz", "X.npy", header(shape) + bytes(48))
    with pytest.raises(FileError, match=r"huge\.npz: "):
        read(path)


def test_a_file_larger_than_memory_is_told_from_a_damaged_one(save, monkeypatch):
    def fails(*arguments, **options):
        raise MemoryError

    path = save(X=CUBE, y=[0, 1])
    monkeypatch.setattr(arrays_module.npy, "read_array", fails)
    with pytest.raises(FileError, match=r"toy\.npz: the memory does not suffice to load it\. Write it with"):
        read(path)


def test_a_mapped_array_whose_place_is_damaged_is_refused(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file, Archive(file) as archive:
        archive.write("values", np.ones((5, 2)))
        archive.write("offsets", np.array([0, 5]))
        archive.write("y", np.array([0]))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[28] ^= 1  # the size of the extra field, in the member's own header
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(FileError, match="cannot be decoded"):
        read(tmp_path / "a.npz", memory_map=True)


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "text.npz"
    path.write_text("not a zip")
    with pytest.raises(FileError, match=r"text\.npz: expected arrays as numpy.savez writes them.*cut short or damaged"):
        read(path)


def test_a_single_npy_under_the_name_npz_is_refused(tmp_path):
    path = tmp_path / "single.npz"
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(FileError, match="cannot be decoded"):
        read(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", header((1, 1)) + bytes(8))
        archive.writestr("X.npy", header((1, 1)) + bytes(8))
    with pytest.raises(FileError, match="one array of each name, got several named 'X'"):
        read(path)


def test_what_is_unread_may_hold_anything(tmp_path):
    np.savez(tmp_path / "toy.npz", X=np.ones((2, 3, 1)), y=[1.5], groups=[1.5])
    dataset = read(tmp_path / "toy.npz", labels_per_step=True, unread=("label", "group"))
    assert (dataset.labels, dataset.groups, dataset.per_step) == (None, None, False)
    with pytest.raises(ParameterError, match=r"'unread' .* must hold 'label' and 'group' at most\. Got \['id'\]"):
        read(tmp_path / "toy.npz", unread=["id"])


def test_features_have_the_names_that_the_file_gives(save):
    values = {"values": np.ones((5, 2)), "offsets": [0, 2, 5], "y": [0, 1]}
    assert read(save(**values, feature_names=["a", "b"])).sequences.feature_names == ("a", "b")
    assert read(save(X=CUBE, y=[0, 1], feature_names=list("wxyz"))).sequences.feature_names == tuple("wxyz")
    with pytest.raises(FileError, match=r"'feature_names' must have shape \(2,\), one a feature. Got \(3,\)"):
        read(save(**values, feature_names=["a", "b", "c"]))
    with pytest.raises(FileError, match="distinct names"):
        read(save(**values, feature_names=["a", "a"]))


def test_the_columns_of_the_table_that_it_came_from_are_known(save):
    assert read(save(X=CUBE, y=[0, 1], columns=[["id", "walk"], ["label", "kind"]])).columns == {
        "id": "walk",
        "label": "kind",
    }
    for wrong in (["id", "walk"], [["name", "walk"]], [[1, 2]]):
        with pytest.raises(FileError, match="'columns' must hold rows of a role"):
            read(save(X=CUBE, y=[0, 1], columns=wrong))


def test_kinds_have_the_names_that_the_file_gives(save):
    values = {"values": np.array([[0, 5.0], [1, 6.0], [1, 7.0]]), "offsets": [0, 2, 3], "y": [0, 1]}
    dataset = read(save(**values, categories=[["0", "sand"], ["0", "snow"]]))
    assert dataset.sequences.categories == (("sand", "snow"), None)
    with pytest.raises(FileError, match=r"expected the code of one of 1 categories, a whole number from 0 to 0, got 1"):
        read(save(**values, categories=[["0", "sand"]]))
    for wrong in (["0", "sand"], [["2", "sand"]], [["x", "sand"]], [[0, 1]]):
        with pytest.raises(FileError, match="'categories' must hold rows of the number of a feature, 0 to 1"):
            read(save(**values, categories=wrong))


def test_values_are_mapped_where_that_is_asked_for_and_possible(tmp_path, save, monkeypatch):
    with (tmp_path / "mapped.npz").open("wb") as file, Archive(file) as archive:
        archive.write("values", np.arange(10, dtype=np.float32).reshape(5, 2))
        archive.write("offsets", np.array([0, 2, 5]))
        archive.write("y", np.array([0, 1]))
    path = tmp_path / "mapped.npz"
    kept, mapped = read(path).sequences, read(path, memory_map=True).sequences
    assert isinstance(mapped.values.base, np.memmap)
    assert kept.values.base is None or not isinstance(kept.values.base, np.memmap)
    assert not mapped.values.flags.writeable
    np.testing.assert_array_equal(kept.values, mapped.values)
    monkeypatch.setattr(arrays_module, "_LARGE", 40)
    assert isinstance(read(path).sequences.values.base, np.memmap)
    assert not isinstance(read(path, memory_map=False).sequences.values.base, np.memmap)
    np.savez_compressed(tmp_path / "packed.npz", values=np.ones((5, 2)), offsets=[0, 5], y=[0])
    assert read(tmp_path / "packed.npz").sequences.lengths.tolist() == [5]
    with pytest.raises(FileError, match=r"cannot be mapped into memory. Write the file with 'elman convert'"):
        read(tmp_path / "packed.npz", memory_map=True)
    (tmp_path / "toy.ts").write_text("x")
    with pytest.raises(ParameterError, match=r"only an \.npz can be mapped into memory"):
        read(tmp_path / "toy.ts", memory_map=True)
