"""Ids that name subjects are told from those that do not."""

import uuid

import numpy as np
import pytest

from elman.data.subjects import find_subjects


def subjects_of(ids, labels=None):
    found = find_subjects(np.array(ids), None if labels is None else np.array(labels))
    return None if found is None else found.of.tolist()


def crossed(pattern, firsts, seconds):
    return [pattern.format(a, b) for a in firsts for b in seconds]


PEOPLE = ["s01", "s02", "s03"]


@pytest.mark.parametrize(
    ("pattern", "firsts", "seconds"),
    [
        ("{}_{}", PEOPLE, [1, 2]),
        ("{}-{:02d}.wav", ["anna", "bo", "carl"], [3, 4, 5]),
        ("{}/{}.csv", ["anna", "bo", "carl"], ["001", "002"]),
        ("{} trial {}", PEOPLE, [1, 2, 3]),
        ("{}_{}", PEOPLE, ["walk", "run"]),
        ("{}{}", ["anna", "bert"], ["1", "2", "3"]),
        ("{}.{}", ["P1", "P2"], ["a", "b", "c"]),
        ("{}:{}", [101, 102, 103], [1, 2]),
        ("{}_2026-01-{:02d}", PEOPLE, [3, 17, 29]),
        ("{}_session{}", ["maria_lópez", "jörg"], [1, 2, 3]),
        ("user{}#{}", [7, 8, 9], [1, 2]),
    ],
)
def test_what_ids_share_is_the_subject(pattern, firsts, seconds):
    found = subjects_of(crossed(pattern, firsts, seconds))
    prefix = pattern.split("{}")[0]
    assert found == [f"{prefix}{first}" for first in firsts for _ in seconds]


def test_recordings_need_not_be_of_equal_number_nor_in_order():
    ids = ["s2_1", "s1_1", "s1_3", "s3_9", "s2_2", "s3_1", "s1_2", "s4_1"]
    assert subjects_of(ids) == ["s2", "s1", "s1", "s3", "s2", "s3", "s1", "s4"]


def test_an_id_of_another_form_is_its_own_subject():
    ids = [*crossed("{}_{}", PEOPLE, [1, 2, 3]), "calibration"]
    assert subjects_of(ids) == [name for name in PEOPLE for _ in range(3)] + ["calibration"]


@pytest.mark.parametrize(
    "ids",
    [
        [str(n) for n in range(20)],
        [f"{n:04d}" for n in range(20)],
        [f"{n / 10:.1f}" for n in range(40)],
        [f"walk {n}" for n in range(20)],
        [f"recording_{n}.wav" for n in range(20)],
        [f"s{n:02d}" for n in range(20)],
        ["anna", "bert", "carl", "dora", "emil"],
        ["new-york", "new-jersey", "north-dakota", "north-carolina", "south-dakota", "south-carolina"],
        [f"{name}-{year}" for name, year in zip("abcdefghij", range(1980, 1990))],
        [f"2026-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in (4, 5, 6)],
        [f"202601{day:02d}_{hour:02d}00" for day in (4, 5, 6) for hour in (9, 12)],
        [f"2026-01-{day:02d}T{hour:02d}:00:00" for day in (4, 5, 6) for hour in (9, 12)],
        [str(uuid.UUID(int=n * 0x1234567890ABCDEF1234567890ABCDEF % 2**128)) for n in range(1, 30)],
        [f"{split}_{n}" for split in ("train", "test") for n in range(10)],
        ["s01_1", "s02_1", "s03_1", "s04_1", "s05_1"],
        ["s01_1", "s01_2", "s02_1"],
        ["s01_1", "s01_2", *(f"t{n}_1" for n in range(10))],
        ["a_1", "a_1", "b_1", "b_1"],
        ["", " ", "_", "__1", "1_", "-"],
    ],
    ids=lambda ids: ids[1],
)
def test_ids_that_name_no_subject_raise_no_alarm(ids):
    assert subjects_of(ids) is None


def test_names_of_classes_are_no_subjects():
    ids = crossed("{}_{}", ["walk", "run", "sit"], [1, 2, 3])
    assert subjects_of(ids, [text.split("_")[0] for text in ids]) is None
    assert subjects_of(ids, ["up", "down", "up"] * 3) == [text.split("_")[0] for text in ids]


def test_a_subject_may_have_one_class_alone():
    ids = crossed("{}_{}", ["p1", "p2", "p3", "p4"], [1, 2, 3])
    ill = [text[:2] in ("p1", "p3") for text in ids]
    assert subjects_of(ids, ill) == [text[:2] for text in ids]


def test_the_part_that_names_the_subject_alone_is_taken():
    ids = [f"{a}_{b}_{n}" for a in PEOPLE for b in ("walk", "run") for n in (1, 2)]
    labels = [text.split("_")[1] for text in ids]
    assert subjects_of(ids, labels) == [text[:3] for text in ids]
    assert subjects_of(ids) == [text[:-2] for text in ids], "without labels nothing tells which part it is"


def test_subjects_are_shown_with_their_ids():
    found = find_subjects(np.array(["s1_1", "s2_1", "s2_2", "s1_2", "s3_1", "s3_2"]))
    assert found.shown() == "s1 ('s1_1', 's1_2'), s2 ('s2_1', 's2_2')"
    assert len(found) == 3
    assert repr(found) == "Subjects(3 in 6 ids)"
