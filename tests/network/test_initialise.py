"""Each scheme gives the start that its paper, or PyTorch, describes."""

import math

import numpy as np
import pytest

from elman.errors import ParameterError
from elman.network.architecture import Architecture
from elman.network.network import Network

SIZE, INPUTS, CLASSES = 24, 10, 5


def start(cell: str, scheme: str, **options) -> dict[str, np.ndarray]:
    network = Network(Architecture(INPUTS, CLASSES, cell, SIZE, 2), dtype="float64")
    network.initialise(np.random.default_rng(0), scheme, **options)
    return dict(network.parameters)


def test_uniform_is_pytorchs_in_every_parameter():
    for name, values in start("lstm", "uniform", forget_bias=None).items():
        bound = 1 / math.sqrt(2 * SIZE if name.endswith("_out") else SIZE)
        assert np.abs(values).max() <= bound
        if values.size > 50:
            assert np.abs(values).max() > 0.9 * bound
            assert abs(values.mean()) < 0.2 * bound
            assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.2)


def test_glorot_fits_the_inputs_and_outputs_of_a_gate():
    for name, values in start("gru", "glorot").items():
        if values.ndim == 1:
            assert (values == 0).all()
            continue
        outputs = CLASSES if name.endswith("_out") else SIZE
        bound = math.sqrt(6 / (outputs + values.shape[1]))
        assert 0.9 * bound < np.abs(values).max() <= bound


def test_orthogonal_recurrent_weights_keep_lengths_gate_by_gate():
    values = start("gru", "orthogonal")
    for name in ("weight_hh_l0", "weight_hh_l1_reverse"):
        gates = np.split(values[name], 3)
        for gate in gates:
            np.testing.assert_allclose(gate @ gate.T, np.eye(SIZE), atol=1e-12)
        assert not np.allclose(gates[0], gates[1])
    assert 0 < np.abs(values["weight_ih_l0"]).max() <= math.sqrt(6 / (SIZE + INPUTS))


def test_identity_starts_by_repeating_the_state():
    values = start("elman_relu", "identity")
    assert np.array_equal(values["weight_hh_l1"], np.eye(SIZE))
    assert values["weight_ih_l1"].std() == pytest.approx(0.001, rel=0.1)
    assert (values["bias_ih_l0"] == 0).all()
    with pytest.raises(ParameterError, match="'identity' is for cells of one gate"):
        start("lstm", "identity")


@pytest.mark.parametrize("scheme", ["uniform", "orthogonal"])
def test_forget_bias_is_the_sum_of_both_biases_of_the_forget_gate_alone(scheme):
    plain, biased = start("lstm", scheme, forget_bias=None), start("lstm", scheme, forget_bias=2.5)
    for name, values in biased.items():
        if name.startswith("bias_") and not name.endswith("_out"):
            i, f, g, o = np.split(values, 4)
            assert (f == (2.5 if "_ih_" in name else 0)).all()
            kept = np.split(plain[name], 4)
            assert all(np.array_equal(new, old) for new, old in zip((i, g, o), (kept[0], kept[2], kept[3])))
        else:
            assert np.array_equal(values, plain[name])


def test_forget_bias_leaves_a_gru_alone():
    one, other = start("gru", "orthogonal", forget_bias=None), start("gru", "orthogonal", forget_bias=2.5)
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("cell", "keeping"), [("lstm", 1), ("gru", 1)])
def test_chrono_spreads_memories_over_all_lengths_and_is_orthogonal_otherwise(cell, keeping):
    found, plain = start(cell, "chrono", longest=50), start(cell, "orthogonal", forget_bias=None)
    for name, values in found.items():
        if not name.startswith("bias_ih"):
            assert np.array_equal(values, plain[name])
            continue
        gates = values.reshape(-1, SIZE)
        spans = np.exp(gates[keeping])
        assert 1 <= spans.min() < 10
        assert 40 < spans.max() <= 49
        assert spans.mean() == pytest.approx(25, rel=0.3)
        if cell == "lstm":
            assert np.array_equal(gates[0], -gates[keeping])
        others = np.delete(gates, [keeping, 0] if cell == "lstm" else [keeping], axis=0)
        assert (others == 0).all()


def test_chrono_of_sequences_of_one_step_is_defined():
    for longest in (1, 2):
        assert all(np.isfinite(values).all() for values in start("gru", "chrono", longest=longest).values())


@pytest.mark.parametrize(("cell", "longest"), [("elman", 9), ("lstm", None)])
def test_chrono_needs_gates_and_a_length(cell, longest):
    with pytest.raises(ParameterError, match="'chrono' is for cells with gates that keep their state, lstm and gru"):
        start(cell, "chrono", longest=longest)
