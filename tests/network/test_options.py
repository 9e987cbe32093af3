"""What options add to the network: by the complex step, the textbook and PyTorch, alone, together and without a key."""

import numpy as np
import pytest

from cases import ATTENTION, CELLS, HEADS, Case, complex_step_gradient, draw
from comparisons import assert_close, assert_same_gradients, relative_error
from elman.kernels.reference_network import Masks, loss_and_gradient
from elman.network.architecture import Architecture
from elman.network.masks import dropout_mask, recurrent_mask, zoneout_mask
from elman.network.network import Network
from engine import Outcome, assert_same_outcome, masks_of_the_engine, network_for, run_engine

KEY = 4321
# More than one shard of 16, more than one block of 128 rows in a shard.
MANY = (3, 9, 1, 14, 2, 2, 7, 30, 5, 1, 8, 40, 33, 6, 12, 4, 10, 25, 11, 28, 36)
ALL = {
    "residual": True,
    "learn_initial_state": True,
    "recurrent_dropout": 0.3,
    "zoneout": 0.25,
    "layer_norm": True,
    "dropout": 0.2,
}
ONE_BY_ONE = [
    {"hidden_size": (3, 2), "num_layers": 2},
    {"residual": True, "num_layers": 3},
    {"residual": True, "num_layers": 2, "loss_at": "every_step", "dropout": 0.3},
    {"residual": True, "num_layers": 3, "hidden_size": (2, 3, 3), "readout": "mean"},
    {"learn_initial_state": True, "num_layers": 2},
    {"recurrent_dropout": 0.4},
    {"zoneout": 0.3},
    {"layer_norm": True, "hidden_size": 3, "readout": "max"},
]
CASES = [Case(cell, bidirectional=bool(n % 2), **options) for cell in CELLS for n, options in enumerate(ONE_BY_ONE)]
CASES += [Case(cell, 2, True, *head, **ALL, hidden_size=3) for cell in CELLS for head in HEADS]
CODED = {"embeddings": ((1, 4, 3), (3, 3, 2)), "weighted": True, "hidden_size": (4, 3)}
CASES += [Case("lstm", 2, True, *ATTENTION, **ALL, **CODED)]
IDS = [f"{case}-{case.hidden_size}" for case in CASES]


@pytest.mark.parametrize("key", [KEY, None], ids=["training", "prediction"])
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_gradient_through_every_option_is_the_complex_step_derivative(case, key):
    batch, masks = draw(case), masks_of_the_engine(case, key)
    expected = complex_step_gradient(case, batch, masks)
    found = run_engine(case, batch, dropout_key=key).gradients
    assert list(found) == list(expected)
    for name, gradient in expected.items():  # small networks may have a parameter that nothing reaches under one key
        assert_close(found[name], gradient, 2e-13, name)
    assert sum(np.linalg.norm(gradient) > 0 for gradient in expected.values()) > 0.7 * len(expected)


@pytest.mark.parametrize("cell", CELLS)
def test_all_options_together_equal_the_textbook_on_several_shards(cell):
    case = Case(cell, 3, True, loss_at="every_step", **ALL, hidden_size=(9, 9, 7), lengths=MANY, n_classes=3)
    batch, masks = draw(case), masks_of_the_engine(case, KEY)
    expected = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings, masks=masks)
    assert_same_outcome(run_engine(case, batch, dropout_key=KEY), Outcome(*expected), 2e-12)

    def single(arrays):
        return [np.asarray(array, np.float32) for array in arrays]

    # Such a network may magnify rounding: float32 is about as near as the textbook in float32 is.
    weights = {name: weight.astype(np.float32) for name, weight in batch.weights.items()}
    masks = [Masks(*map(single, of_sequence)) for of_sequence in masks]
    textbook = loss_and_gradient(single(batch.sequences), batch.targets, weights, **case.settings, masks=masks)
    found = run_engine(case, batch, "float32", dropout_key=KEY)
    for name, gradient in expected[1].items():
        own, best = relative_error(found.gradients[name], gradient), relative_error(textbook[1][name], gradient)
        assert own < max(3e-6, 4 * best), name


@pytest.mark.parametrize("cell", CELLS)
def test_all_options_together_give_the_same_bits_on_one_thread_and_two_alone_and_in_a_batch(cell):
    case = Case(cell, 2, bidirectional=True, readout="mean", **ALL, hidden_size=19, lengths=MANY, n_classes=3)
    batch = draw(case)
    one, two = (run_engine(case, batch, "float32", dropout_key=KEY, n_threads=n) for n in (1, 2))
    assert one.loss == two.loss
    assert all(np.array_equal(one.gradients[name], two.gradients[name]) for name in one.gradients)
    network = network_for(case, batch.weights, "float32")
    together = network.logits(batch.values.astype("float32"), batch.offsets)
    for n, x in enumerate(batch.sequences):
        assert np.array_equal(network.logits(x.astype("float32"), np.array([0, len(x)]))[0], together[n])


@pytest.mark.parametrize("cell", CELLS)
def test_a_prediction_takes_zoneout_at_its_mean_and_drops_nothing(cell):
    case = Case(cell, 2, **ALL, hidden_size=5, lengths=MANY)
    batch = draw(case)
    masks = masks_of_the_engine(case, None)
    _, _, logits = loss_and_gradient(batch.sequences, batch.targets, batch.weights, **case.settings, masks=masks)
    found = network_for(case, batch.weights).logits(batch.values, batch.offsets)
    assert_close(found, logits, 1e-13)


FLOAT64 = np.dtype("float64")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_masks_have_their_rate(rate):
    many = np.stack([recurrent_mask(7, 0, n, 500, rate, FLOAT64) for n in range(20)])
    assert set(np.unique(many)) == {0, 1 / (1 - rate)}
    assert abs((many == 0).mean() - rate) < 0.02
    kept = zoneout_mask(7, 0, 3, 50, 2, 100, rate, FLOAT64)
    assert set(np.unique(kept)) == {0, 1}
    assert abs(kept.mean() - rate) < 0.03
    assert recurrent_mask(0, 0, 0, 1, 1e-15, FLOAT64) == 1 / (1 - 1e-15)  # the first unit of key 0 is like any other


def test_masks_of_other_keys_layers_sequences_steps_states_and_uses_have_nothing_in_common():
    size = 4000

    def between(key, layer, n):
        return dropout_mask(key, layer, n, 1, size, 0.5, FLOAT64)[0] == 0

    def recurrent(key, direction, n):
        return recurrent_mask(key, direction, n, size, 0.5, FLOAT64) == 0

    def zoneout(key, direction, n):
        return zoneout_mask(key, direction, n, 1, 1, size, 0.5, FLOAT64)[0, 0] == 1

    places = [(7, 0, 0), (8, 0, 0), (7, 1, 0), (7, 0, 1), (6, 1, 0), ((1 << 20) + 7, 0, 0), (0, 0, 0)]
    masks = [draw(*place) for draw in (between, recurrent, zoneout) for place in places]
    steps = zoneout_mask(7, 0, 5, 2, 2, size, 0.5, FLOAT64) == 1
    masks += [steps[0, 0], steps[0, 1], steps[1, 0], steps[1, 1]]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert abs((one == other).mean() - 0.5) < 0.05


@pytest.mark.parametrize("scheme", ["uniform", "glorot", "orthogonal"])
def test_gains_start_at_one_and_learned_states_at_zero(scheme):
    network = Network(Architecture(3, 4, "lstm", (5, 7), 2, layer_norm=True, learn_initial_state=True))
    network.initialise(np.random.default_rng(0), scheme)
    for name, values in network.parameters.items():
        if name.startswith("gain_"):
            assert (values == 1).all()
        elif name.startswith(("h_0", "c_0")):
            assert (values == 0).all()
        elif values.ndim == 2:
            assert (values != 0).any()


def test_a_case_with_an_option_differs_from_the_plain_network():
    plain = Case("gru", 2, hidden_size=3, lengths=MANY)
    batch = draw(plain)
    expected = run_engine(plain, batch).logits
    for options in ({"residual": True}, {"zoneout": 0.3}):
        assert not np.allclose(
            run_engine(Case("gru", 2, hidden_size=3, lengths=MANY, **options), batch).logits, expected
        )
    dropped = Case("gru", 2, hidden_size=3, lengths=MANY, recurrent_dropout=0.3)
    assert np.array_equal(run_engine(dropped, batch).logits, expected)
    assert not np.allclose(run_engine(dropped, batch, dropout_key=KEY).logits, expected)
    assert_same_gradients(run_engine(dropped, batch).gradients, run_engine(plain, batch).gradients, 0.0)
