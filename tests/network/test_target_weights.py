"""Targets count as much as their weights say, and those without a label not at all."""

import numpy as np
import pytest

from cases import Case, all_cases, complex_step_gradient, draw
from comparisons import assert_same_gradients
from elman.errors import DataError
from elman.network import workplace
from elman.network.architecture import Architecture
from elman.network.network import Network
from engine import network_for, run_engine

KINDS = [case for case in all_cases(weighted=True) if case.cell == "gru" and case.num_layers == 1]
# Several shards, dealt out by length.
MANY = Case("gru", 1, True, lengths=tuple(range(1, 40)), hidden_size=6, n_classes=3, weighted=True)
STEPS = Case("gru", 1, True, loss_at="every_step", lengths=tuple(range(1, 40)), hidden_size=6, weighted=True)


def run(case: Case, targets=None, weights=None, **options):
    """Return what the engine finds on the case's own batch, with these targets and weights."""
    batch = draw(case)
    network = network_for(case, batch.weights)
    targets = batch.targets if targets is None else targets
    return network.loss_and_gradient(batch.values, batch.offsets, targets, weights=weights, **options)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_weighted_gradient_is_the_complex_step_derivative(case):
    batch = draw(case)
    assert_same_gradients(run_engine(case, batch).gradients, complex_step_gradient(case, batch), 1e-13)


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_whole_weights_are_repetitions(case):
    batch = draw(case)
    weights = np.random.default_rng(0).integers(0, 4, len(batch.targets)).astype(float)
    found = run(case, weights=weights)
    labelled = batch.targets >= 0
    assert found.scored == weights[labelled].sum()
    hits = found.logits.argmax(axis=1) == batch.targets
    assert found.correct == weights[hits].sum()
    if case.loss_at == "last":
        repeated = np.repeat(np.arange(len(weights)), weights.astype(int))
        expected = run(case, chosen=repeated)
        assert found.loss == pytest.approx(expected.loss, rel=1e-13)
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=0, atol=1e-13 * expected.norm)


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_weights_of_one_are_no_weights_to_the_bit(case):
    plain = run(case)
    weighted = run(case, weights=np.ones(len(draw(case).targets), np.float32))
    assert weighted.loss == plain.loss
    assert np.array_equal(weighted.gradient, plain.gradient)
    assert (weighted.scored, weighted.correct) == (plain.scored, plain.correct)


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_a_target_without_a_label_is_one_of_weight_zero(case):
    batch = draw(case)
    unlabelled = batch.targets < 0
    assert unlabelled.sum() > 10
    without = run(case)
    weightless = run(case, np.where(unlabelled, 1, batch.targets), np.where(unlabelled, 0.0, 1.0))
    assert without.loss == weightless.loss
    assert np.array_equal(without.gradient, weightless.gradient)
    assert without.scored == weightless.scored == (~unlabelled).sum()


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_a_batch_in_which_nothing_counts_has_no_loss_and_no_gradient(case):
    n = len(draw(case).targets)
    for targets, weights in ((np.full(n, -1), None), (None, np.zeros(n)), (np.full(n, -1), np.ones(n))):
        found = run(case, targets, weights)
        assert (found.loss, found.norm, found.correct, found.scored) == (0, 0, 0, 0)
        assert not found.gradient.any()
        assert np.array_equal(found.logits, run(case).logits)


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_weighted_gradient_does_not_depend_on_the_number_of_threads(case, monkeypatch):
    monkeypatch.setattr(workplace, "SMALL_WORK", 0)
    weights = draw(case).target_weights
    one, two = (run(case, weights=weights, n_threads=n) for n in (1, 2))
    assert (one.loss, one.correct, one.scored) == (two.loss, two.correct, two.scored)
    assert np.array_equal(one.gradient, two.gradient)


@pytest.mark.parametrize("case", [MANY, STEPS], ids=str)
def test_weights_belong_to_the_chosen_sequences(case):
    batch = draw(case)
    chosen = np.array([20, 3, 7, 38, 0, 5])
    by_steps = case.loss_at == "every_step"
    rows = np.concatenate([np.arange(batch.offsets[n], batch.offsets[n + 1]) for n in chosen])
    wanted = rows if by_steps else chosen
    network = network_for(case, batch.weights)
    offsets = np.concatenate([[0], np.cumsum(np.diff(batch.offsets)[chosen])])
    by_hand = network.loss_and_gradient(
        batch.values[rows], offsets, batch.targets[wanted], weights=batch.target_weights[wanted]
    )
    numbered = run(case, weights=batch.target_weights, chosen=chosen)
    assert numbered.loss == by_hand.loss
    assert numbered.scored == by_hand.scored
    assert np.array_equal(numbered.gradient, by_hand.gradient)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, -np.inf, 1e308])
def test_weights_that_are_no_weights(weight):
    network, targets = Network(Architecture(3, 2, "gru", 4)), np.array([0, 1, 1])
    values, offsets = np.zeros((6, 3), np.float32), np.array([0, 2, 4, 6])
    with pytest.raises(DataError, match="weights must be finite and at least 0, and so must be their sum"):
        network.loss_and_gradient(values, offsets, targets, weights=np.array([1e308, weight, 1]))


@pytest.mark.parametrize("weights", [[1.0, 1.0], [[1.0, 1.0, 1.0]], ["1", "1", "1"], 1.0])
def test_weights_of_another_shape_or_kind(weights):
    network, targets = Network(Architecture(3, 2, "gru", 4)), np.array([0, 1, 1])
    values, offsets = np.zeros((6, 3), np.float32), np.array([0, 2, 4, 6])
    with pytest.raises(DataError, match="weights must be float64, one for each of the 3 targets"):
        network.loss_and_gradient(values, offsets, targets, weights=np.array(weights))
