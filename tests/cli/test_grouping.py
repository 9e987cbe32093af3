"""Recordings of one subject on both sides of the validation split do not go unnoticed."""

import polars
import pytest

from elman.estimators.base import RecurrentEstimator

COLUMNS = ["--label", "direction"]


@pytest.fixture
def people(files, tmp_path):
    """walks_TRAIN.csv with ids such as p3_2: the walks of six people; without its column of people."""
    table = polars.read_csv(files / "walks_TRAIN.csv")
    number = table["id"].str.extract(r"(\d+)").cast(polars.Int64)
    ids = table["subject"] + "_" + (number // 18 * 3 + number % 3).cast(polars.String)
    path = tmp_path / "people.csv"
    table.with_columns(id=ids).drop("subject").write_csv(path)
    return path


@pytest.fixture
def fitted_groups(monkeypatch):
    """The groups that each training was given."""
    seen = []
    fit = RecurrentEstimator.fit

    def note_groups(self, *arguments, **options):
        seen.append(options["groups"])
        return fit(self, *arguments, **options)

    monkeypatch.setattr(RecurrentEstimator, "fit", note_groups)
    return seen


def test_recordings_of_a_subject_raise_a_warning_that_names_the_way_out(elman, people, tmp_path, small):
    done = elman("train", people, "--model", tmp_path / "m", *COLUMNS, *small)
    assert done.code == 0
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "several recordings of each of 6 subjects: p0 ('p0_0', 'p0_1'), p1 ('p1_0', 'p1_1')." in warnings[0]
    assert warnings[0].endswith("with --group, or take it from the ids with --group-from-id.")
    assert "The validation part shares subjects with the training part: expect less on new ones." in done.prose
    data = elman("train", people, "--model", tmp_path / "m", *COLUMNS, *small, "--json").data
    assert (data["split_by"], data["shared_subjects"]) == ("class", 6)


def test_the_subject_is_taken_from_the_ids(elman, people, tmp_path, small, fitted_groups):
    done = elman("train", people, "--model", tmp_path / "m", *COLUMNS, *small, "--group-from-id")
    assert "note: Read 6 subjects from the ids: p0 ('p0_0', 'p0_1'), p1 ('p1_0', 'p1_1')." in done.err
    assert "warning" not in done.err
    assert "which chose the best epoch; it shares no subject of the ids with the training part:" in done.prose
    assert sorted(set(fitted_groups[0].tolist())) == [f"p{n}" for n in range(6)]
    assert "expect less" not in done.prose


def test_a_group_that_is_known_is_kept_together_and_said_so(elman, files, tmp_path, small, fitted_groups):
    table = files / "walks_TRAIN.csv"  # its column 'subject' is guessed
    done = elman("train", table, "--model", tmp_path / "m", *COLUMNS, *small)
    assert "warning" not in done.err
    assert "which chose the best epoch; it shares no 'subject' with the training part:" in done.prose
    assert len(set(fitted_groups[0].tolist())) == 6
    data = elman("train", table, "--model", tmp_path / "m", *COLUMNS, *small, "--json").data
    assert (data["split_by"], data["shared_subjects"]) == ("group", 0)


def test_a_converted_table_keeps_its_groups_and_ids(elman, files, people, tmp_path, small, fitted_groups):
    for table in (files / "walks_TRAIN.csv", people):
        assert elman("convert", table, "--output", tmp_path / "walks.npz", *COLUMNS).code == 0
        done = elman("train", tmp_path / "walks.npz", "--model", tmp_path / "m", *small)
        assert ("warning" in done.err) == (table == people)
    assert len(set(fitted_groups[0].tolist())) == 6
    assert fitted_groups[1] is None


def test_subjects_in_both_of_two_files_raise_a_warning(elman, people, tmp_path, small):
    table = polars.read_csv(people)
    later = table["id"].str.extract(r"_(\d+)").cast(polars.Int64) >= 4
    table.filter(later).write_csv(tmp_path / "later.csv")
    table.filter(~later).write_csv(tmp_path / "first.csv")
    arguments = ["train", tmp_path / "first.csv", "--model", tmp_path / "m", *COLUMNS, *small, "--validation"]
    done = elman(*arguments, tmp_path / "later.csv")
    assert "warning: The ids look like several recordings of each subject, and 6 of 6 subjects are in both" in done.err
    assert "expect less on new ones" in done.prose
    p0 = table["id"].str.starts_with("p0") | table["id"].str.starts_with("p1")
    table.filter(p0).write_csv(tmp_path / "later.csv")
    table.filter(~p0).write_csv(tmp_path / "first.csv")
    assert "warning" not in elman(*arguments, tmp_path / "later.csv").err


def test_without_a_validation_part_there_is_nothing_to_warn_of(elman, people, tmp_path, small):
    done = elman("train", people, "--model", tmp_path / "m", *COLUMNS, *small, "--no-validation", "--group-from-id")
    assert "warning" not in done.err
    assert "note: --group-from-id has no effect with --no-validation." in done.err


def test_ids_that_name_no_subject_cannot_be_grouped_by(elman, files, tmp_path, small):
    table = files / "walks_TRAIN.csv"
    done = elman("train", table, "--model", tmp_path / "m", *COLUMNS, *small, "--group-from-id")
    assert done.code == 2
    assert "for --group-from-id, got 'walk 0', 'walk 1', 'walk 2'. Name the column of the subject with" in done.err
    done = elman("train", table, "--model", tmp_path / "m", *COLUMNS, "--group-from-id", "--group", "subject")
    assert "error: --group-from-id leaves no use for a group column. Pass '--group' or neither." in done.err


def test_groups_in_both_files_raise_a_warning(elman, files, tmp_path, small):
    training, validation = files / "walks_TRAIN.csv", tmp_path / "other.csv"
    table = polars.read_csv(files / "walks_TEST.csv")
    table.with_columns(subject=polars.col("subject").replace({"p0": "q0", "p1": "q1"})).write_csv(validation)
    arguments = ["train", training, "--model", tmp_path / "m", "--validation", validation, *COLUMNS, *small]
    done = elman(*arguments)
    assert "warning: 4 of 8 groups of 'subject' are in both files, such as 'p2': the figures look" in done.err
    assert elman(*arguments, "--json").data["shared_subjects"] == 4
    table.with_columns(subject="q" + polars.col("subject")).write_csv(validation)
    done = elman(*arguments)
    assert "warning" not in done.err
    assert elman(*arguments, "--json").data["shared_subjects"] == 0
    table.drop("subject").write_csv(validation)
    assert elman(*arguments).code == 0


def test_a_column_that_was_only_guessed_never_stands_in_the_way(elman, files, tmp_path, small):
    table, path = polars.read_csv(files / "walks_TRAIN.csv"), tmp_path / "one.csv"
    arguments = ["train", path, "--model", tmp_path / "m", *COLUMNS, *small]
    table.with_columns(subject=polars.lit("p0")).write_csv(path)
    done = elman(*arguments)
    assert "note: The column 'subject' holds one group only: the validation part is set aside by class." in done.err
    assert elman(*arguments, "--json").data["split_by"] == "class"
    named = elman(*arguments, "--group", "subject")
    assert named.code == 2
    assert "needs at least two groups. Got 1; split by class instead, without --group." in named.err
    table.with_columns(subject=polars.col("direction")).write_csv(path)
    done = elman(*arguments)
    assert "note: Without any one group of 'subject' a class would be gone from training: the val" in done.err


def test_groups_can_be_left_alone(elman, files, tmp_path, small, fitted_groups):
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", *COLUMNS, *small, "--no-group"]
    done = elman(*arguments, "--json")
    assert done.data["split_by"] == "class"
    assert fitted_groups == [None]
    assert "as features: 'x', 'level'." in done.err
    done = elman(*arguments, "--group", "subject")
    assert "error: --no-group leaves no use for a group column. Pass '--group' or neither." in done.err
