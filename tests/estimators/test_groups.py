"""Groups of any kind are told apart, and none is missing."""

import datetime

import numpy as np
import pandas as pd
import pytest

from elman import DataError
from elman.estimators.groups import as_groups


@pytest.mark.parametrize(
    "groups",
    [
        ["a", "a\0", "b", "a"],
        [1, "1", 2, 1],
        [True, 1, 0, True],
        np.array([2**63, 2**63 + 1, 5, 2**63], dtype=np.uint64),
        [2**53, 2**53 + 1, 0.5, 2**53],
        [("a", 1), ("a", "1"), ("b", 1), ("a", 1)],
        [datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), datetime.date(2025, 1, 1), datetime.date(2026, 1, 1)],
        np.array(["2026-01-01", "2026-01-02", "2025-01-01", "2026-01-01"], dtype="datetime64[ns]"),
        pd.Series(["a", "c", "b", "a"], dtype="category"),
        pd.array([1, 3, 2, 1], dtype="Int64"),
        np.array([b"a", b"c", b"b", b"a"]),
    ],
)
def test_distinct_groups_stay_distinct_and_equal_ones_equal(groups):
    first, second, third, fourth = as_groups(groups, 4).tolist()
    assert first == fourth
    assert len({first, second, third}) == 3


def test_numbers_and_texts_stay_what_they_are():
    assert as_groups(np.array([3, 1]), 2).tolist() == as_groups([3, 1], 2).tolist() == [3, 1]
    assert as_groups(np.array(["b", "a"], object), 2).tolist() == ["b", "a"]
    assert as_groups(None, 2) is None


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        (["a", None], "None at 1"),
        ([np.nan, 1.0], "nan at 0"),
        (np.array([1.0, np.nan]), "nan at 1"),
        (pd.array([None, 1], dtype="Int64"), "(nan|<NA>) at 0"),
        (np.ma.array([1, 2], mask=[0, 1]), "None at 1"),
        (np.array(["NaT", "2026-01-01"], dtype="datetime64[ns]"), "None at 0"),
    ],
)
def test_a_missing_group_is_refused(groups, shown):
    with pytest.raises(DataError, match=rf"^'groups' must hold a group for each sequence\. Got {shown}; give it a gr"):
        as_groups(groups, 2)


@pytest.mark.parametrize(("groups", "shape"), [([1], r"\(1,\)"), (5, r"\(\)"), (np.ones((2, 2)), r"\(2, 2\)")])
def test_groups_of_another_shape_are_refused(groups, shape):
    with pytest.raises(DataError, match=rf"^'groups' must hold one group for each sequence, 2\. Got shape {shape} ins"):
        as_groups(groups, 2)
