"""How the gradient flows back: norms against complex-step derivatives by the states, and what is made of them."""

import numpy as np
import pytest

from cases import CELLS, Case, draw
from comparisons import assert_close
from elman.errors import DataError, ParameterError
from elman.kernels import reference_options
from elman.kernels.reference import cross_entropy
from elman.kernels.reference_flow import gradient_flow
from elman.kernels.reference_network import network_forward
from elman.network.flow import GradientFlow, HiddenGradients, memory_of, shares_of_batch
from engine import masks_of_the_engine, network_for

TINY = 1e-200
READOUTS = {"elman": "mean", "elman_relu": "max", "lstm": "attention", "gru": "last"}
CASES = [
    *(Case(cell) for cell in CELLS),
    *(Case(cell, 2, True, readout) for cell, readout in READOUTS.items()),
    *(Case(cell, 2, True, loss_at="every_step", weighted=True) for cell in ("elman", "lstm")),
    *(Case(cell, zoneout=0.3, layer_norm=True, learn_initial_state=True) for cell in ("gru", "lstm")),
    Case("lstm", 2, residual=True, hidden_size=3, embeddings=((1, 4, 3),)),
]
MANY = (3, 1, 6, 40, 2, 2, 2, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23)  # two shards, several blocks


class Nudged:
    """The reference's cells, one of whose states is moved at one step of one layer and direction."""

    def __init__(self, patch, case, at, state, unit):
        self._cell, self._at, self._calls, self._state, self._unit = (
            reference_options.CELLS[case.cell],
            at,
            -1,
            state,
            unit,
        )
        self._share, self._carried = 1 - case.zoneout, case.zoneout > 0
        patch.setitem(reference_options.CELLS, case.cell, self._cell._replace(forward=self.forward))

    def forward(self, *given):
        states, kept = self._cell.forward(*given)
        self._calls += 1
        if self._calls != self._at:
            return states, kept
        states = [state.astype(complex) for state in states]
        states[self._state][self._unit] += 1j * TINY / self._share
        if self._state == 1 and not self._carried:  # h_t = o tanh(c_t); with zoneout of the c that was proposed
            states[0] = kept[3] * np.tanh(states[1])
        return tuple(states), kept


def norms_by_complex_step(case):
    """Return |dL/dh_t| and |dL/dc_t| as the engine gives them (K, S), by the reference's forward alone."""
    batch, masks, found, at = draw(case), masks_of_the_engine(case, None), [], 0
    for x, drawn in zip(batch.sequences, masks):
        steps, n_losses = len(x), len(x) if case.loss_at == "every_step" else 1
        targets = batch.targets[at : at + n_losses]
        at += n_losses

        def loss(*nudge, x=x, drawn=drawn, targets=targets):
            with pytest.MonkeyPatch.context() as patch:
                Nudged(patch, case, *nudge)
                run = network_forward(x.astype(complex), batch.weights, **case.settings, masks=drawn)
            losses, _ = cross_entropy(run.logits, targets)
            return losses[targets >= 0].sum() / max((targets >= 0).sum(), 1)

        squares = np.zeros((len(case.states), case.num_layers * case.directions, steps))
        for state, d, t in np.ndindex(squares.shape):
            of = [
                loss(d * steps + t, state, unit).imag / TINY for unit in range(case.hidden_sizes[d // case.directions])
            ]
            squares[state, d, steps - 1 - t if case.bidirectional and d % 2 else t] = np.square(of).sum()
        found.append(np.sqrt(squares))
    return np.concatenate(found, axis=2)


def flow_of(case, dtype="float64", **options) -> GradientFlow:
    batch = draw(case)
    return network_for(case, batch.weights, dtype).gradient_flow(
        batch.values.astype(dtype), batch.offsets, batch.targets, **options
    )


def by_name(flow):
    found = {"d_h": flow.d_h, "h": flow.h, **flow.saturated}
    return found if flow.c is None else found | {"d_c": flow.d_c, "c": flow.c}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_norms_are_those_of_complex_step_derivatives_by_the_states(case):
    flow, expected = flow_of(case), norms_by_complex_step(case)
    assert (expected[0].max(axis=1) > 0).all()
    assert_close(flow.d_h, expected[0], 1e-12, "d_h")
    assert (flow.d_c is None) == (len(expected) == 1)
    if flow.d_c is not None:
        assert_close(flow.d_c, expected[1], 1e-12, "d_c")


@pytest.mark.parametrize("cell", CELLS)
def test_everything_seen_is_what_the_textbook_has(cell):
    options = {"hidden_size": (20, 5), "learn_initial_state": True, "weighted": True, "lengths": MANY}
    for case in (
        Case(cell, 2, True, loss_at="every_step", **options),
        Case(cell, 2, True, "mean", zoneout=0.3, **options),
    ):
        batch = draw(case)
        batch.weights.update({name: 3 * w for name, w in batch.weights.items() if name.startswith("bias_")})
        flow = network_for(case, batch.weights).gradient_flow(batch.values, batch.offsets, batch.targets)
        masks = masks_of_the_engine(case, None)
        expected = gradient_flow(batch.sequences, batch.targets, batch.weights, masks=masks, **case.settings)
        found = by_name(flow)
        assert found.keys() == expected.keys()
        for name in expected:
            assert_close(found[name], expected[name], 1e-12, name)
        for gate in flow.saturated:
            assert 0 < flow.saturated[gate].mean() < 1, "some units of each gate are saturated, and some are not"
        assert flow.names == ("l0", "l0_reverse", "l1", "l1_reverse")


def test_a_watched_batch_under_every_option_has_the_norms_of_the_textbook():
    options = {"recurrent_dropout": 0.3, "zoneout": 0.2, "dropout": 0.2, "layer_norm": True, "weighted": True}
    case = Case("lstm", 2, True, loss_at="every_step", lengths=(3, 7, 6), **options)
    batch, chosen = draw(case), np.array([0, 1, 2])
    found = network_for(case, batch.weights).loss_and_gradient(
        batch.values,
        batch.offsets,
        batch.targets,
        weights=batch.target_weights,
        chosen=chosen,
        dropout_key=5,
        watched=True,
    )
    shared = {"masks": masks_of_the_engine(case, 5), "target_weights": batch.target_weights}
    expected = gradient_flow(batch.sequences, batch.targets, batch.weights, **shared, **case.settings)
    assert_close(found.flow.d_h, expected["d_h"], 1e-12)


@pytest.fixture(scope="module")
def many():
    """A network in float32, and 40 sequences for it."""
    case = Case("lstm", 2, True, hidden_size=19, lengths=MANY * 2)
    batch = draw(case)
    return network_for(case, batch.weights, "float32"), batch.values.astype("float32"), batch.offsets, batch.targets


def test_a_sequence_alone_has_the_bits_it_has_among_others_and_on_any_number_of_threads(many):
    network, *batch = many
    one, four = (network.gradient_flow(*batch, n_threads=n) for n in (1, 4))
    for name, norms in by_name(one).items():
        assert np.array_equal(norms, by_name(four)[name]), name
    values, offsets, targets = batch
    for n in (0, 1, 23):
        steps = slice(offsets[n], offsets[n + 1])
        alone = network.gradient_flow(values[steps], np.array([0, steps.stop - steps.start]), targets[n : n + 1])
        for name, norms in by_name(alone).items():
            if name.startswith("d_"):  # the batch's loss is a mean over 40, which rounds
                assert_close(norms, by_name(one)[name][:, steps], 1e-6, name)
            else:
                assert np.array_equal(norms, by_name(one)[name][:, steps]), name


def test_watching_changes_no_bit_of_the_gradient_and_sees_what_gradient_flow_sees(many):
    network, values, offsets, targets = many
    chosen = np.array([7, 3, 30, 3])
    plain, watched = (
        network.loss_and_gradient(values, offsets, targets, chosen=chosen, watched=w) for w in (False, True)
    )
    assert plain.flow is None
    assert np.array_equal(plain.gradient, watched.gradient)
    assert np.array_equal(plain.logits, watched.logits)
    whole = network.gradient_flow(values, offsets, targets)
    expected = np.concatenate([whole.d_h[:, offsets[n] : offsets[n + 1]] for n in chosen], axis=1)
    assert_close(watched.flow.d_h, expected, 1e-6)
    assert watched.flow.offsets.tolist() == np.concatenate([[0], np.cumsum(np.diff(offsets)[chosen])]).tolist()


def test_gradients_far_below_what_float32_can_square_keep_their_norms():
    case = Case("elman", lengths=(40,), hidden_size=3)
    batch = draw(case)
    batch.weights["weight_hh_l0"][...] = 0.1 * np.eye(3)
    d_h = (
        network_for(case, batch.weights, "float32")
        .gradient_flow(batch.values.astype("f"), batch.offsets, batch.targets)
        .d_h
    )
    expected = network_for(case, batch.weights).gradient_flow(batch.values, batch.offsets, batch.targets).d_h
    late = expected[0] > 1e-35
    assert expected[0][late].min() < 1e-22
    assert np.allclose(d_h[0][late], expected[0][late], rtol=1e-4)


@pytest.mark.parametrize("chosen", [[0, 99], [-1]])
def test_a_watched_batch_that_is_not_there_is_refused(many, chosen):
    network, values, offsets, targets = many
    with pytest.raises(DataError, match="chosen must be numbers of sequences"):
        network.loss_and_gradient(values, offsets, targets, chosen=np.array(chosen), watched=True)


# --- What is made of the norms ---


def by_hand(d_h, offsets, names=("l0", "l0_reverse")) -> HiddenGradients:
    return HiddenGradients(np.array(offsets), np.array(d_h, float), names, "last", "last")


def test_a_profile_counts_steps_back_from_where_the_direction_ends_and_each_sequence_alike():
    flow = by_hand([[1, 2, 4, 10, 20], [8, 4, 1, 6, 2]], [0, 3, 5])
    assert flow.profile(0).tolist() == [1, 0.5, 0.25], "20 and 10 are 1 and 0.5 of their sequence's largest"
    assert flow.profile(1) == pytest.approx([1, (1 / 2 + 1 / 3) / 2, 1 / 8]), "8 and 6 are at the first steps"
    assert flow.ratio(0) == pytest.approx((1 / 4 + 10 / 20) / 2)
    assert flow.ratio(1) == pytest.approx((1 / 8 + 2 / 6) / 2)


def test_a_profile_ends_where_fewer_than_a_twentieth_of_the_sequences_go_on():
    lengths = np.array([4] * 38 + [6, 9])
    flow = by_hand(np.full((1, lengths.sum()), 7.0), np.concatenate([[0], np.cumsum(lengths)]), ("l0",))
    assert flow.profile(0).tolist() == [1] * 6, "two of 40 have 6 steps, one has 9"
    assert flow.memory(0) == 6


def test_one_sequence_of_a_large_loss_does_not_rule_the_profile():
    one, loud = np.geomspace(1e-4, 1, 10), 1e6 * np.geomspace(1e-2, 1, 10)
    flow = by_hand([np.concatenate([one] * 9 + [loud])], 10 * np.arange(11), ("l0",))
    alike = by_hand([np.concatenate([one] * 9 + [loud / 1e6])], 10 * np.arange(11), ("l0",))
    assert np.allclose(flow.profile(0), alike.profile(0), rtol=1e-12)
    assert flow.ratio(0) == pytest.approx(1e-4)


def test_sequences_without_a_gradient_or_with_an_infinite_one_say_nothing():
    flow = by_hand([[0.5, 1, 0, 0, 0, np.inf, 1]], [0, 2, 5, 7], ("l0",))
    assert flow.profile(0).tolist() == [1, 0.5]
    assert (flow.memory(0), flow.ratio(0), flow.vanished(0)) == (2, 0.5, 0)


def test_a_layer_and_direction_has_a_name_and_a_number():
    flow = by_hand([[1, 2, 4, 10, 20], [8, 4, 1, 6, 2]], [0, 3, 5])
    assert flow.memory("l0_reverse") == flow.memory(1)
    assert flow.ratio("l0") == flow.ratio(0) != flow.ratio(1)
    for wrong in ("l1", 2, -1, True, 0.5):
        with pytest.raises(ParameterError, match=r"must be one of 'l0', 'l0_reverse', or its number in 0\.\.1\. Got"):
            flow.profile(wrong)


def test_it_prints_as_a_line_a_layer_and_direction():
    lines = repr(by_hand([[1, 2, 4, 10, 20], [0, 0, 100, 0, 2]], [0, 3, 5])).splitlines()
    assert lines == [
        "HiddenGradients of 2 sequences, readout 'last'",
        "  l0: memory 3 of 3 steps, ratio 0.38, vanished 0%",
        "  l0_reverse: memory 3 of 3 steps, ratio 0, vanished 60%",
    ]


@pytest.mark.parametrize(
    ("profile", "steps"),
    [([10, 5, 1, 0.1], 2), ([10, 5, 2], 3), ([1, 20, 10, 2.1, 2], 4), ([0, 0], 0), ([3], 1), ([1, 100], 2)],
)
def test_memory_ends_where_a_tenth_of_the_greatest_is_left(profile, steps):
    assert memory_of(np.array(profile, float)) == steps
    assert by_hand([profile[::-1]], [0, len(profile)], ("l0",)).memory(0) == steps


def test_vanished_is_measured_by_each_sequences_own_largest():
    flow = by_hand([[1e-7, 2e-6, 1, 1e-20, 1e-15], [0, 0, 0, 0, 0]], [0, 3, 5])
    assert flow.vanished(0) == pytest.approx(1 / 5), "1e-20 beside 1e-15 is not below a millionth of it: 1e-5"
    assert flow.vanished(1) == 0
    assert flow.ratio(1) == 0
    flow = by_hand([[0, 0, 1e-9, 1]], [0, 2, 4], ("l0",))
    assert flow.vanished(0) == 1 / 2, "of the steps of sequences that have a gradient"


def test_a_sequences_share_of_the_batchs_loss_goes_by_its_own_weights():
    """Of four sequences three are chosen, in an order of their own, one of them without a label."""
    offsets, chosen = np.array([0, 2, 3, 5, 6]), np.array([3, 2, 0])
    of_sequences = np.array([1.0, 2.0, 4.0, 8.0])
    found = shares_of_batch(offsets, chosen, np.array([0, 1, -1, 2]), of_sequences, 9.0, every_step=False)
    assert found.tolist() == [8 / 9, 1.0, 1 / 9]
    of_steps, targets = np.array([1.0, 2, 4, 8, 16, 32]), np.array([0, 1, 1, -1, 2, 0])
    found = shares_of_batch(offsets, chosen, targets, of_steps, 51.0, every_step=True)
    assert found.tolist() == [32 / 51, 16 / 51, 3 / 51]
    found = shares_of_batch(offsets, chosen, targets, None, 4.0, every_step=True)
    assert found.tolist() == [1 / 4, 1 / 4, 2 / 4]
