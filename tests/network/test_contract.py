"""What is not as the kernels expect it is refused before it reaches them."""

import numpy as np
import pytest

from elman.errors import DataError, ParameterError
from elman.network.architecture import Architecture
from elman.network.network import Network

VALUES, OFFSETS, TARGETS = np.zeros((12, 3), np.float32), np.array([0, 5, 12]), np.array([0, 1])


@pytest.fixture(scope="module")
def network():
    network = Network(Architecture(3, 2, "gru", 4))
    network.initialise(np.random.default_rng(0))
    return network


@pytest.mark.parametrize(
    "values",
    [
        VALUES[:, :2],
        np.zeros((12, 4), np.float32),
        VALUES.astype(float),
        np.asfortranarray(VALUES),
        VALUES[::2],
        VALUES[0],
    ],
)
def test_values_of_another_shape_precision_or_layout(network, values):
    with pytest.raises(DataError, match="values must be a C-contiguous float32 array"):
        network.logits(values, OFFSETS)
    with pytest.raises(DataError, match="values must be a C-contiguous float32 array"):
        network.loss_and_gradient(values, OFFSETS, TARGETS)


@pytest.mark.parametrize("offsets", [[0, 5, 13], [-1, 5, 12], [0, 5, 5], [0, 7, 5], [0], []])
def test_offsets_beyond_the_values_or_empty_sequences(network, offsets):
    with pytest.raises(DataError, match=r"offsets must be int64|at least one"):
        network.logits(VALUES, np.array(offsets, np.int64))


@pytest.mark.parametrize("targets", [[0, 2], [-2, 0]])
def test_targets_that_are_no_class(network, targets):
    with pytest.raises(DataError, match=r"targets must be class numbers in 0\.\.1"):
        network.loss_and_gradient(VALUES, OFFSETS, np.array(targets))


@pytest.mark.parametrize("n_threads", [0, -1, 2.5, "2"])
def test_threads_that_are_no_number(network, n_threads):
    with pytest.raises(ParameterError, match="n_threads must be a whole number above 0"):
        network.logits(VALUES, OFFSETS, n_threads=n_threads)


@pytest.mark.parametrize("key", [-1, 1.5, 2**63])
def test_dropout_keys_that_are_none(network, key):
    with pytest.raises(ParameterError, match="dropout_key must be an int"):
        network.loss_and_gradient(VALUES, OFFSETS, TARGETS, dropout_key=key)


CHOSEN = np.array([1, 0, 1])


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
@pytest.mark.parametrize(
    "chosen",
    [CHOSEN.astype(np.int32), CHOSEN.astype(np.uint8), np.repeat(CHOSEN, 2)[::2], CHOSEN[::-1][::-1], CHOSEN.tolist()],
    ids=["int32", "uint8", "strided", "reversed twice", "list"],
)
def test_chosen_sequences_may_be_any_whole_numbers_in_any_layout(loss_at, chosen):
    network = Network(Architecture(3, 2, "gru", 4, loss_at=loss_at))
    network.initialise(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    values, targets = rng.standard_normal((12, 3)).astype(np.float32), rng.integers(0, 2, 12)
    expected = network.loss_and_gradient(values, OFFSETS, targets, chosen=CHOSEN)
    found = network.loss_and_gradient(values, OFFSETS, targets, chosen=chosen)
    assert found.loss == expected.loss
    assert np.array_equal(found.gradient, expected.gradient)


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
@pytest.mark.parametrize("chosen", [[-1], [0, 2], [0.0, 1.0], [True, False], [[0, 1]], [], [2**62]])
def test_chosen_sequences_that_are_not_there(loss_at, chosen):
    network = Network(Architecture(3, 2, "gru", 4, loss_at=loss_at))
    with pytest.raises(DataError, match=r"chosen must be|at least one"):
        network.loss_and_gradient(VALUES, OFFSETS, np.zeros(12, np.int64), chosen=np.array(chosen))


@pytest.mark.parametrize("loss_at", ["last", "every_step"])
def test_targets_of_which_one_is_missing(loss_at):
    network = Network(Architecture(3, 2, "gru", 4, loss_at=loss_at))
    n = 12 if loss_at == "every_step" else 2
    network.loss_and_gradient(VALUES, OFFSETS, np.zeros(n, np.int64))
    with pytest.raises(DataError, match="targets must be class numbers"):
        network.loss_and_gradient(VALUES, OFFSETS, np.zeros(n - 1, np.int64))


@pytest.mark.parametrize("offsets", [[0, 2**40], [0, 2**62], [-(2**62), 12]])
def test_offsets_that_no_memory_would_hold(offsets):
    network = Network(Architecture(3, 2, "gru", 4, loss_at="every_step"))
    with pytest.raises(DataError, match="offsets must be int64"):
        network.logits(VALUES, np.array(offsets))


def test_arrays_that_change_between_two_calls_are_seen(network):
    """The same values with other offsets and targets; the same arrays with other contents, another shape or type."""
    rng = np.random.default_rng(2)
    values, targets = rng.standard_normal((12, 3)).astype(np.float32), np.array([0, 1], np.uint8)
    loss = network.loss_and_gradient(values, OFFSETS, targets).loss
    targets[:] = [1, 0]
    other = network.loss_and_gradient(values, OFFSETS, targets).loss
    assert other != loss
    assert network.loss_and_gradient(values, OFFSETS, np.array([1, 0])).loss == other
    assert network.loss_and_gradient(values, np.array([0, 4, 12]), np.array([1, 0])).loss != other
    with pytest.raises(DataError, match="targets"):
        network.loss_and_gradient(values, OFFSETS, np.array([0, 2]))
    before = network.logits(values, OFFSETS)
    values *= 2
    assert not np.array_equal(network.logits(values, OFFSETS), before)
    values.shape = (36, 1)
    with pytest.raises(DataError, match="values must be"):
        network.loss_and_gradient(values, OFFSETS, np.array([1, 0]))


def test_the_vector_of_parameters_is_changed_in_place_only(network):
    with pytest.raises(AttributeError):
        network.parameters.vector = network.parameters.vector * 2


def test_values_that_cannot_be_written_are_fine(network):
    locked = VALUES.copy()
    locked.flags.writeable = False
    assert np.array_equal(network.logits(locked, OFFSETS), network.logits(VALUES, OFFSETS))


@pytest.mark.parametrize(
    "options",
    [
        {"zoneout": np.float32(0.25), "recurrent_dropout": np.float16(0.5), "dropout": np.float64(0.25)},
        {"hidden_size": (np.int32(4), np.int8(4)), "num_layers": np.uint8(2), "residual": np.bool_(True)},
        {"hidden_size": [4, 3], "num_layers": 2, "bidirectional": np.bool_(False)},
    ],
)
def test_an_architecture_takes_numpys_numbers_for_pythons(options):
    plain = {name: np.asarray(value).tolist() for name, value in options.items()}
    found, expected = (Architecture(3, 3, **{"hidden_size": 4, "num_layers": 2, **o}) for o in (options, plain))
    assert found == expected
    assert all(type(a) is type(b) for a, b in zip(vars(found).values(), vars(expected).values()))
    values, offsets = np.random.default_rng(0).standard_normal((6, 3)), np.array([0, 3, 5, 6])
    losses = []
    for architecture in (found, expected):
        network = Network(architecture, dtype="float64")
        network.initialise(np.random.default_rng(0))
        losses.append(network.loss_and_gradient(values, offsets, np.array([0, 1, 2]), dropout_key=np.int64(1)).loss)
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zoneout", 1.0),
        ("zoneout", -0.5),
        ("recurrent_dropout", float("nan")),
        ("dropout", "some"),
        ("residual", 1),
        ("layer_norm", None),
        ("hidden_size", 0),
        ("hidden_size", (3, 4)),
        ("hidden_size", 2.5),
        ("num_layers", 0),
        ("num_layers", True),
        ("n_classes", 1),
        ("input_size", 0),
        ("readout", "maximum"),
        ("loss_at", "each"),
        ("cell", "gruu"),
    ],
)
def test_an_architecture_that_means_nothing_is_refused(field, value):
    with pytest.raises(ParameterError, match=rf"^{field} of an Architecture must be .* Got .* instead\.$"):
        Architecture(**{"input_size": 3, "n_classes": 4, field: value})


def test_what_kernels_are_set_up_with_is_of_their_types_alone():
    from elman.kernels.passes import passes

    plan = Network(Architecture(3, 4), dtype="float64").plan
    kernels = passes(np.dtype("float64"))
    with pytest.raises(TypeError):
        kernels.set_up(np.zeros(kernels.room, np.int64), plan)


def test_targets_and_offsets_of_other_kinds():
    network = Network(Architecture(3, 4, loss_at="every_step"), dtype="float64")
    values = np.ones((6, 3))
    assert network.logits(values, [0, 2, 6]).shape == (6, 4)
    with pytest.raises(DataError, match=r"^targets must be int64\. Got 18446744073709551615 instead\.$"):
        network.loss_and_gradient(values, [0, 2, 6], np.array([0, 1, 2, 3, 2**64 - 1, 0], np.uint64))
    with pytest.raises(ParameterError, match="dropout_key"):
        network.loss_and_gradient(values, [0, 2, 6], np.zeros(6, int), dropout_key=True)


@pytest.mark.parametrize("weight", [5e307, 5e-324])
def test_weights_as_large_or_small_as_numbers_go_leave_the_loss_as_it_is(weight):
    network = Network(Architecture(3, 3), dtype="float64")
    network.initialise(np.random.default_rng(0))
    values, offsets, targets = np.random.default_rng(0).standard_normal((6, 3)), np.array([0, 3, 5, 6]), np.arange(3)
    plain = network.loss_and_gradient(values, offsets, targets)
    weighted = network.loss_and_gradient(values, offsets, targets, weights=np.full(3, weight))
    assert weighted.loss == pytest.approx(plain.loss, rel=1e-14)


@pytest.mark.parametrize("readout", ["mean", "attention"])
def test_float32_keeps_its_precision_in_a_mean_over_thousands_of_steps(readout):
    steps = 5000
    architecture = Architecture(2, 3, hidden_size=16, readout=readout)
    double = Network(architecture, dtype="float64")
    double.initialise(np.random.default_rng(0))
    single = Network(architecture, dtype="float32")
    single.parameters.vector[:] = double.parameters.vector
    values, offsets = np.full((steps, 2), 0.7), np.array([0, steps])  # a steady signal: every term rounds alike
    expected = double.logits(values, offsets)
    found = single.logits(values.astype(np.float32), offsets)
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 3e-6
