"""The unrolled network has the engine's numbers, and its steps add up."""

from dataclasses import replace

import numpy as np
import pytest

from cases import CELLS, Case, draw
from comparisons import assert_close, assert_same_gradients
from elman.errors import DataError, ParameterError
from elman.insight.unroll import unroll
from elman.kernels import reference_options
from elman.kernels.reference_network import network_forward
from engine import network_for, run_engine

ALL_OPTIONS = {"layer_norm": True, "learn_initial_state": True, "residual": True}
KINDS = [
    *(Case(cell) for cell in CELLS),
    *(Case(cell, 2, bidirectional=True, hidden_size=7, **ALL_OPTIONS) for cell in CELLS),
    Case("lstm", 2, bidirectional=True, readout="attention", zoneout=0.2, embeddings=((1, 6, 3), (3, 4, 2))),
    Case("gru", 2, hidden_size=(3, 2), readout="mean", recurrent_dropout=0.3, dropout=0.2),
    Case("elman", bidirectional=True, readout="max"),
    Case("lstm", bidirectional=True, loss_at="every_step"),
]


def one(case):
    """The longest sequence of a case's batch alone, and its network."""
    batch = draw(replace(case, lengths=(6,)))
    return network_for(case, batch.weights), batch


def unrolled_of(case):
    network, batch = one(case)
    return unroll(network, batch.sequences[0], batch.targets, learning_rate=0.25), batch


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_loss_logits_and_gradient_are_the_engines(case):
    unrolled, batch = unrolled_of(case)
    found = run_engine(case, batch)
    assert_close(unrolled.logits, found.logits, 1e-12, "logits")
    assert_close(unrolled.loss, found.loss, 1e-12, "loss")
    assert_same_gradients(unrolled.gradients, found.gradients, 1e-12)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_what_the_steps_add_sums_up_to_the_gradient(case):
    unrolled, _ = unrolled_of(case)
    assert list(unrolled.contributions) == list(unrolled.gradients)
    for name, contribution in unrolled.contributions.items():
        terms = [contribution.at(t) for t in range(unrolled.n_steps)]
        assert_close(sum(terms), unrolled.gradients[name], 1e-13, name)
        assert_close(contribution.total(), unrolled.gradients[name], 1e-13, name)
        assert_close(contribution.norms(), np.array([np.linalg.norm(term) for term in terms]), 1e-13, name)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_the_update_is_a_step_against_the_gradient_and_the_loss_after_it_is_the_engines(case):
    unrolled, batch = unrolled_of(case)
    for name, old in unrolled.parameters.items():
        assert np.array_equal(unrolled.updated[name], old - 0.25 * unrolled.gradients[name])
    after = run_engine(case, replace(batch, weights=unrolled.updated))
    assert unrolled.loss_after == pytest.approx(after.loss, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_states_fulfil_the_cells_equations(cell):
    unrolled, _ = unrolled_of(Case(cell, 2, bidirectional=True))
    for passage in unrolled.passages:
        pre, gates, states = passage.pre, passage.gates, passage.states
        h_before = passage.before["h"]
        after = slice(0, -1) if passage.is_reverse else slice(1, None)
        until = slice(1, None) if passage.is_reverse else slice(0, -1)
        assert np.array_equal(h_before[after], states["h"][until]), "each step starts where the one before it ended"
        assert not h_before[-1 if passage.is_reverse else 0].any()
        if cell == "lstm":
            i, f, g, o = gates.values()
            assert_close(states["c"], f * passage.before["c"] + i * g, 1e-14, "c")
            assert_close(states["h"], o * np.tanh(states["c"]), 1e-14, "h")
            assert_close(f, 1 / (1 + np.exp(-pre["f"])), 1e-14, "f")
        elif cell == "gru":
            r, z, n = gates.values()
            assert_close(states["h"], (1 - z) * n + z * h_before, 1e-14, "h")
            assert_close(r, 1 / (1 + np.exp(-pre["r"])), 1e-14, "r")
            assert_close(n, np.tanh(pre["n"]), 1e-14, "n")
        else:
            (a,) = pre.values()
            assert_close(states["h"], np.tanh(a) if cell == "elman" else np.maximum(a, 0), 1e-14, "h")


class PerStep(np.ndarray):
    """A parameter that is moved at one of its uses alone: a copy of its own for each step."""

    def move(self, use, by):
        self.use, self.by, self.n_uses = use, by, 0
        return self

    def now(self):
        self.n_uses += 1
        return np.asarray(self) + self.by if self.n_uses - 1 == self.use else np.asarray(self)

    def __matmul__(self, other):
        return self.now() @ other

    def __mul__(self, other):
        return self.now() * other

    def __radd__(self, other):
        return other + self.now()


def loss_of(case, batch, weights, x=None):
    """The loss of the first sequence, complex where the weights or the sequence are."""
    logits = network_forward(batch.sequences[0] if x is None else x, weights, **case.settings).logits[0]
    return np.log(np.exp(logits).sum()) - logits[batch.targets[0]]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layer_norm", [False, True])
def test_what_a_step_adds_is_the_gradient_by_a_copy_of_the_parameter_for_that_step_alone(cell, layer_norm):
    case = Case(cell, bidirectional=True, readout="mean", layer_norm=layer_norm, learn_initial_state=True)
    unrolled, batch = unrolled_of(case)
    T = unrolled.n_steps
    rng = np.random.default_rng(0)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", *(("gain_ih", "gain_hh") if layer_norm else ()))
    for name, suffix in np.array(np.meshgrid(names, ("_l0", "_l0_reverse"))).T.reshape(-1, 2):
        weight = batch.weights[name + suffix]
        direction = rng.standard_normal(weight.shape)
        for t in range(T):
            use = T - 1 - t if suffix.endswith("reverse") else t
            moved = weight.astype(complex).view(PerStep).move(use, 1e-200j * direction)
            slope = loss_of(case, batch, batch.weights | {name + suffix: moved}).imag / 1e-200
            added = unrolled.contributions[name + suffix].at(t)
            assert np.sum(added * direction) == pytest.approx(slope, rel=1e-10, abs=1e-14), f"{name}{suffix} at {t}"
            assert moved.n_uses == T


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_that_is_learned_gets_its_gradient_where_a_direction_starts(cell):
    unrolled, _ = unrolled_of(Case(cell, bidirectional=True, readout="mean", learn_initial_state=True))
    for state in ("h_0", "c_0")[: 1 + (cell == "lstm")]:
        for suffix, start in (("_l0", 0), ("_l0_reverse", unrolled.n_steps - 1)):
            contribution = unrolled.contributions[state + suffix]
            assert_close(contribution.at(start), unrolled.gradients[state + suffix], 1e-13, state + suffix)
            assert np.flatnonzero(contribution.norms()).tolist() == [start]


def test_the_bias_of_a_whole_sequences_scores_counts_at_the_last_step():
    unrolled, _ = unrolled_of(Case("gru", bidirectional=True))
    assert np.flatnonzero(unrolled.contributions["bias_out"].norms()).tolist() == [unrolled.n_steps - 1]
    assert_close(unrolled.contributions["bias_out"].at(unrolled.n_steps - 1), unrolled.d_logits[0], 1e-15)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_d_x_is_the_derivative_of_the_loss_by_each_input(cell, readout):
    case = Case(cell, readout=readout)
    unrolled, batch = unrolled_of(case)
    (passage,) = unrolled.passages
    for t in range(unrolled.n_steps):
        for column in range(case.input_size):
            moved = batch.sequences[0].astype(complex)
            moved[t, column] += 1e-200j
            slope = loss_of(case, batch, batch.weights, moved).imag / 1e-200
            assert passage.d_x[t, column] == pytest.approx(slope, rel=1e-10, abs=1e-14)
        blocks = np.concatenate(list(passage.d_pre.values()), axis=1)[t]
        assert_close(batch.weights["weight_ih_l0"].T @ blocks, passage.d_x[t], 1e-13, "d_x from d_pre")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_d_h_and_d_c_are_the_derivatives_of_the_loss_by_each_state(cell, readout, monkeypatch):
    """The derivative is total: an LSTM's c_t moves h_t = o tanh(c_t) at the same step, and what comes later."""
    case = Case(cell, readout=readout)
    unrolled, batch = unrolled_of(case)
    (passage,) = unrolled.passages
    plain = reference_options.CELLS[cell]
    for state, d_states in passage.d_states.items():
        for at, unit in np.ndindex(d_states.shape):
            steps = iter(range(unrolled.n_steps))

            def forward(*given, state=state, at=at, unit=unit, steps=steps):
                states, kept = plain.forward(*given)
                if next(steps) != at:
                    return states, kept
                moved = dict(zip(("h", "c"), (each.astype(complex) for each in states)))
                moved[state][unit] += 1e-200j
                if state == "c":
                    moved["h"] = kept[3] * np.tanh(moved["c"])
                return tuple(moved.values()), kept

            monkeypatch.setitem(reference_options.CELLS, cell, plain._replace(forward=forward))
            complex_weights = {name: weight.astype(complex) for name, weight in batch.weights.items()}
            slope = loss_of(case, batch, complex_weights).imag / 1e-200
            assert d_states[at, unit] == pytest.approx(slope, rel=1e-10, abs=1e-14), f"{state}, step {at}"


def test_d_h_and_d_c_of_an_lstm_give_d_pre_by_the_chain_rule():
    unrolled, _ = unrolled_of(Case("lstm", readout="mean"))
    (passage,) = unrolled.passages
    i, f, g, o = passage.gates.values()
    d_h, d_c, c = passage.d_states["h"], passage.d_states["c"], passage.states["c"]
    assert_close(passage.d_pre["o"], d_h * np.tanh(c) * o * (1 - o), 1e-13, "o")
    assert_close(passage.d_pre["f"], d_c * passage.before["c"] * f * (1 - f), 1e-13, "f")
    assert_close(passage.d_pre["g"], d_c * i * (1 - g**2), 1e-13, "g")


def test_scores_that_are_no_numbers_are_refused_before_the_update_and_after_it():
    network, batch = one(Case("elman_relu"))
    with pytest.raises(ParameterError, match=r"'learning_rate' parameter must leave the loss a number.* Got 1e\+308"):
        unroll(network, 1e3 * batch.sequences[0], batch.targets, learning_rate=1e308)
    network.parameters["weight_out"][:] = 1e308
    with pytest.raises(DataError, match=r"the network's scores of this sequence are not"):
        unroll(network, batch.sequences[0], batch.targets)


def test_a_step_without_a_label_has_no_loss_and_the_others_share_the_mean():
    case = Case("gru", loss_at="every_step")
    network, batch = one(case)
    targets = batch.targets.copy()
    targets[[0, 3]] = -1
    unrolled = unroll(network, batch.sequences[0], targets)
    assert np.isnan(unrolled.losses[[0, 3]]).all()
    assert unrolled.loss == pytest.approx(np.nanmean(unrolled.losses))
    assert not unrolled.d_logits[[0, 3]].any()


@pytest.mark.parametrize(
    ("values", "target", "options", "sentence"),
    [
        (np.zeros((3, 4)), 0, {}, r"values must be one sequence \(T, 5\).* Got shape \(3, 4\)"),
        (np.zeros((0, 5)), 0, {}, "values must be one sequence"),
        (np.full((3, 5), np.nan), 0, {}, "finite numbers"),
        (np.zeros((3, 5)), 4, {}, r"target must be a class code from 0 to 3.* Got \[4\]"),
        (np.zeros((3, 5)), -1, {}, "at least one that is a class"),
        (np.zeros((3, 5)), 0.5, {}, "Got 0.5 instead"),
        (np.zeros((3, 5)), [0, 1], {}, r"Got \[0, 1\] instead"),
        (np.zeros((3, 5)), 0, {"learning_rate": 0.0}, "'learning_rate' parameter must be a number above 0. Got 0.0"),
    ],
)
def test_what_cannot_be_unrolled_is_refused(values, target, options, sentence):
    network, _ = one(Case())
    with pytest.raises((DataError, ParameterError), match=sentence):
        unroll(network, values, target, **options)
