"""Files are written whole or not at all, under names of any length, and keep their rights."""

import pytest

from elman.errors import OutputError
from elman.output_file import check_writable, write_whole


def listing(folder):
    return [path.name for path in folder.iterdir()]


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old and longer")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old and longer"
    assert path.read_bytes() == b"new"
    assert listing(tmp_path) == ["out"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path, monkeypatch, step, error):
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fails(*arguments):
        raise error

    monkeypatch.setattr(step, fails)
    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["out"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_an_overwritten_file_keeps_its_rights(tmp_path, mode):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_whole(path, b"new")
    assert path.stat().st_mode & 0o777 == mode


def test_a_new_file_has_the_usual_rights(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_whole(tmp_path / "out", b"new")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("name", ["n" * 255, "n" * 252, "é" * 127, "走" * 85])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, name):
    check_writable(tmp_path / name)
    assert listing(tmp_path) == []
    write_whole(tmp_path / name, b"new")
    assert listing(tmp_path) == [name]


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
