"""scikit-learn's own checks on SequenceClassifier, for which a 2-D array is N univariate sequences."""

from collections import Counter
from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from elman import SequenceClassifier

# The name of a check -> why it cannot be met; two at most. All are met.
WAIVED: dict[str, str] = {}

# All sequences in one batch, and float64: only then does a weight of k do what k copies do, to nine digits.
FULL_BATCH = {"batch_size": 2048, "early_stopping": False, "dtype": "float64"}
MODEL = SequenceClassifier(
    cell="elman", bidirectional=False, hidden_size=4, max_epochs=20, learning_rate=0.05, random_state=0, **FULL_BATCH
)

tally: Counter[str] = Counter()


@parametrize_with_checks([MODEL], expected_failed_checks=lambda estimator: WAIVED)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_check_is_passed(estimator, check):
    outcome = "failed"
    try:
        check(estimator)
        outcome = "passed"
    except SkipTest:
        outcome = "skipped"
        raise
    finally:
        tally[outcome] += 1


def test_all_checks_but_two_at_most_are_passed():
    n_checks = len(list(estimator_checks_generator(MODEL)))
    if tally.total() < n_checks:
        pytest.skip("not all of the checks have been run")
    assert len(WAIVED) <= 2
    assert tally["failed"] == len(WAIVED)
    assert tally["skipped"] <= 1  # the check of the array API, where SCIPY_ARRAY_API is not set
    assert tally["passed"] == n_checks - tally["skipped"] - tally["failed"]
