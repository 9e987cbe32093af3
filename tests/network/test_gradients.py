"""Network's gradient in float64 is the complex-step derivative of the textbook's loss, parameter by parameter."""

import numpy as np
import pytest

from cases import CELLS, Case, all_cases, cached_complex_step_gradient, complex_step_gradient, draw
from comparisons import assert_close, assert_same_gradients
from elman.kernels.reference_network import loss_and_gradient
from elman.network.masks import dropout_mask
from engine import Outcome, assert_same_outcome, masks_of_the_engine, run_engine

DROPOUT_KEY = 12345
# More than one shard of 16, more than one block of 128 rows in a shard.
MANY = (3, 9, 1, 14, 2, 2, 7, 30, 5, 1, 8, 40, 33, 6, 12, 4, 10, 25, 11, 28, 36)


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_gradient_is_the_complex_step_derivative(case):
    found = run_engine(case, draw(case))
    assert_same_gradients(found.gradients, cached_complex_step_gradient(case), 1e-13)


@pytest.mark.parametrize("case", [c for c in all_cases(dropout=0.25) if c.num_layers == 2], ids=str)
def test_gradient_through_dropout_is_the_complex_step_derivative(case):
    batch, masks = draw(case), masks_of_the_engine(case, DROPOUT_KEY)
    found = run_engine(case, batch, dropout_key=DROPOUT_KEY)
    assert_same_gradients(found.gradients, complex_step_gradient(case, batch, masks), 1e-13)


@pytest.mark.parametrize("case", all_cases(lengths=MANY, hidden_size=9, n_classes=3, dropout=0.25), ids=str)
def test_several_shards_with_dropout_equal_the_textbook(case):
    batch, masks = draw(case), masks_of_the_engine(case, DROPOUT_KEY)
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings, masks=masks)
    assert_same_outcome(run_engine(case, batch, dropout_key=DROPOUT_KEY), Outcome(*expected), 1e-13)


@pytest.mark.parametrize("case", all_cases(lengths=MANY, hidden_size=9, n_classes=3), ids=str)
def test_float32_gradient_is_near_the_textbook_in_float64(case):
    batch = draw(case)
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    assert_same_outcome(run_engine(case, batch, "float32"), Outcome(*expected), 3e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_prediction_is_forward_without_dropout(cell):
    case = Case(cell, 2, bidirectional=True, dropout=0.5, lengths=MANY)
    batch = draw(case)
    found = run_engine(case, batch)  # no key, no dropout
    _, _, logits = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    assert_close(found.logits, logits, 1e-13)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_masks_are_zero_at_their_rate_and_keep_the_mean(rate):
    masks = np.stack([dropout_mask(7, 0, n, 50, 40, rate, np.dtype("float64")) for n in range(20)])
    assert set(np.unique(masks)) == {0, 1 / (1 - rate)}
    assert abs((masks == 0).mean() - rate) < 0.01
    # Other keys, layers and sequences draw other masks.
    others = [(8, 0, 0), (7, 1, 0), (7, 0, 1)]
    for key, layer, sequence in others:
        other = dropout_mask(key, layer, sequence, 50, 40, rate, np.dtype("float64"))
        agreement = ((other == 0) == (masks[0] == 0)).mean()
        assert abs(agreement - (rate**2 + (1 - rate) ** 2)) < 0.05
