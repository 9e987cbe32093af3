"""The textbook itself: its gradient against the complex step, its forward against hand-written formulas."""

import numpy as np
import pytest

from cases import CELLS, Case, all_cases, cached_complex_step_gradient, complex_step_gradient, draw, draw_masks
from comparisons import assert_close, assert_same_gradients
from elman.kernels import reference
from elman.kernels.reference_network import loss_and_gradient, network_forward


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_gradient_is_the_complex_step_derivative(case):
    batch = draw(case)
    _, gradients, _ = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    assert_same_gradients(gradients, cached_complex_step_gradient(case), 1e-13)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_layers", [2, 3])
def test_gradient_through_dropout_is_the_complex_step_derivative(cell, num_layers):
    case = Case(cell, num_layers, bidirectional=True, dropout=0.3)
    batch, masks = draw(case), draw_masks(case)
    _, gradients, _ = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings, masks=masks)
    assert_same_gradients(gradients, complex_step_gradient(case, batch, masks), 1e-13)


def test_lstm_follows_its_published_equations():
    rng = np.random.default_rng(0)
    D, H, T = 3, 2, 4
    w_ih, w_hh, b_ih, b_hh = (rng.standard_normal(s) for s in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,)))
    x = rng.standard_normal((T, D))
    found, _ = reference.forward(x, w_ih, w_hh, b_ih, b_hh, cell="lstm")

    def logistic(a):
        return 1 / (1 + np.exp(-a))

    W_ii, W_if, W_ig, W_io = w_ih.reshape(4, H, D)
    W_hi, W_hf, W_hg, W_ho = w_hh.reshape(4, H, H)
    b_ii, b_if, b_ig, b_io = b_ih.reshape(4, H)
    b_hi, b_hf, b_hg, b_ho = b_hh.reshape(4, H)
    h, c = np.zeros(H), np.zeros(H)
    for t in range(T):
        i = logistic(W_ii @ x[t] + b_ii + W_hi @ h + b_hi)
        f = logistic(W_if @ x[t] + b_if + W_hf @ h + b_hf)
        g = np.tanh(W_ig @ x[t] + b_ig + W_hg @ h + b_hg)
        o = logistic(W_io @ x[t] + b_io + W_ho @ h + b_ho)
        c = f * c + i * g
        h = o * np.tanh(c)
        assert_close(found[t], h, 1e-14)


def test_gru_follows_its_published_equations():
    rng = np.random.default_rng(1)
    D, H, T = 3, 2, 4
    w_ih, w_hh, b_ih, b_hh = (rng.standard_normal(s) for s in ((3 * H, D), (3 * H, H), (3 * H,), (3 * H,)))
    x = rng.standard_normal((T, D))
    found, _ = reference.forward(x, w_ih, w_hh, b_ih, b_hh, cell="gru")

    def logistic(a):
        return 1 / (1 + np.exp(-a))

    W_ir, W_iz, W_in = w_ih.reshape(3, H, D)
    W_hr, W_hz, W_hn = w_hh.reshape(3, H, H)
    b_ir, b_iz, b_in = b_ih.reshape(3, H)
    b_hr, b_hz, b_hn = b_hh.reshape(3, H)
    h = np.zeros(H)
    for t in range(T):
        r = logistic(W_ir @ x[t] + b_ir + W_hr @ h + b_hr)
        z = logistic(W_iz @ x[t] + b_iz + W_hz @ h + b_hz)
        n = np.tanh(W_in @ x[t] + b_in + r * (W_hn @ h + b_hn))
        h = (1 - z) * n + z * h
        assert_close(found[t], h, 1e-14)


def test_d_h_is_the_gradient_by_each_hidden_state():
    # A nudge of h_t enters the network as a nudge of what the layer above sees at t and of what step t + 1 reads.
    case = Case("elman", lengths=(5,), hidden_size=3)
    batch = draw(case)
    w_ih, w_hh, b_ih, b_hh = (batch.weights[f"{n}_l0"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    h, tape = reference.forward(batch.sequences[0], w_ih, w_hh, b_ih, b_hh, cell="elman")
    from_above = np.random.default_rng(3).standard_normal(h.shape)
    found = reference.backward(from_above, tape, w_ih, w_hh, cell="elman")
    for t in range(5):
        expected = from_above[t].copy()
        d_h, product = from_above, np.eye(3)
        for later in range(t + 1, 5):
            product = np.diag(1 - h[later] ** 2) @ w_hh @ product  # dh_later / dh_t, the product of Jacobians
            expected += product.T @ d_h[later]
        assert_close(found.d_h[t], expected, 1e-14)


def test_the_reverse_direction_starts_at_the_end_of_its_own_sequence():
    case = Case("lstm", bidirectional=True)
    batch = draw(case)
    plain = {name.removesuffix("_reverse"): w for name, w in batch.weights.items() if name.endswith("_reverse")}
    for x in batch.sequences:
        features = network_forward(x, batch.weights, **case.settings).features[0]
        backwards, _ = reference.forward(x[::-1], *plain.values(), cell="lstm")
        assert np.array_equal(features[case.hidden_size :], backwards[-1])


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
def test_readouts(readout):
    case = Case("gru", readout=readout)
    batch = draw(case)
    for x in batch.sequences:
        h, _ = reference.forward(x, *list(batch.weights.values())[:4], cell="gru")
        expected = {"last": h[-1], "mean": h.mean(axis=0), "max": h.max(axis=0)}[readout]
        assert_close(network_forward(x, batch.weights, **case.settings).features[0], expected, 1e-15)


def test_loss_at_every_step_counts_each_real_step_once():
    case = Case("gru", loss_at="every_step")
    batch = draw(case)
    loss, _, logits = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    assert logits.shape == (sum(case.lengths), case.n_classes)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(loss, -np.log(proba[np.arange(len(proba)), batch.targets]).mean(), 1e-15)


def test_softmax_and_cross_entropy_do_not_overflow():
    logits = np.array([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 1000.0]])
    assert_close(reference.softmax(logits), [[1, 0, 0], [0, 0.5, 0.5]], 1e-15)
    losses, d_logits = reference.cross_entropy(logits, np.array([2, 1]))
    assert_close(losses, [2000, np.log(2)], 1e-15)
    assert_close(d_logits, [[1, 0, -1], [0, -0.5, 0.5]], 1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_every_dtype_goes_in_and_comes_out(cell):
    case = Case(cell, 2, bidirectional=True, readout="max")
    batch = draw(case)
    exact, exact_gradients, _ = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings)
    for dtype in (np.float32, np.longdouble, np.complex128):
        sequences = [x.astype(dtype) for x in batch.sequences]
        weights = {name: w.astype(dtype) for name, w in batch.weights.items()}
        loss, gradients, logits = loss_and_gradient(sequences, batch.targets, weights, **case.settings)
        assert {loss.dtype, logits.dtype, *(g.dtype for g in gradients.values())} == {np.dtype(dtype)}
        bound = 1e-14 if dtype != np.float32 else 1e-5
        assert_close(loss, exact, bound)
        assert_same_gradients(gradients, exact_gradients, bound)
