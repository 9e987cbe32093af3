"""A share of each target may be spread over all classes."""

import numpy as np
import pytest

from cases import Case, complex_step_gradient, draw
from comparisons import assert_close, assert_same_gradients
from elman.errors import ParameterError
from elman.kernels.reference_network import loss_and_gradient
from engine import Outcome, assert_same_outcome, network_for, run_engine

CASES = [
    Case("gru", 1, loss_at=loss_at, weighted=weighted, label_smoothing=0.3)
    for loss_at in ("last", "every_step")
    for weighted in (False, True)
]
MANY = Case("gru", 1, True, lengths=tuple(range(1, 40)), hidden_size=6, n_classes=3, weighted=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_smoothed_gradient_is_the_complex_step_derivative(case):
    batch = draw(case)
    assert_same_gradients(run_engine(case, batch).gradients, complex_step_gradient(case, batch), 1e-13)


def test_several_shards_equal_the_textbook():
    batch = draw(MANY)
    options = {**MANY.settings, "target_weights": batch.target_weights, "label_smoothing": 0.2}
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **options)
    assert_same_outcome(run_engine(MANY, batch, label_smoothing=0.2), Outcome(*expected), 1e-13)


def test_the_smoothed_loss_is_the_cross_entropy_with_the_smoothed_target():
    batch = draw(MANY)
    found = run_engine(MANY, batch, label_smoothing=0.2)
    log_p = found.logits - np.log(np.exp(found.logits).sum(axis=1, keepdims=True))
    wanted = np.where(np.arange(3) == batch.targets[:, None], 0.8 + 0.2 / 3, 0.2 / 3)
    weights = np.where(batch.targets < 0, 0, batch.target_weights)
    assert_close(found.loss, np.average(-(wanted * log_p).sum(axis=1), weights=weights), 1e-13)


def test_without_smoothing_the_bits_are_those_of_the_plain_loss():
    batch = draw(MANY)
    found, plain = (run_engine(MANY, batch, **options) for options in ({"label_smoothing": 0}, {}))
    assert found.loss == plain.loss
    assert all(np.array_equal(found.gradients[name], plain.gradients[name]) for name in plain.gradients)


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    batch = draw(MANY)
    with pytest.raises(ParameterError, match=r"label_smoothing must be a number in \[0, 1\)\. Got"):
        network_for(MANY, batch.weights).loss_and_gradient(
            batch.values, batch.offsets, batch.targets, label_smoothing=share
        )
