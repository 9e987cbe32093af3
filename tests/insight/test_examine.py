"""What a look at units and gradients tells: networks with one problem each, and a healthy one."""

import numpy as np
import pytest

import elman
from elman import SequenceClassifier, SequenceTagger
from elman.insight.health import examine
from elman.insight.units import activities
from elman.network.architecture import Architecture
from elman.network.network import Network


def data(n_steps=20, n=24):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = rng.normal(0, 1, (n, n_steps, 2))
    X[:, :, 0] += 0.3 * y[:, None]
    return X, y


def fitted(X, y, **parameters):
    options = {"hidden_size": 8, "num_layers": 1, "bidirectional": False, "readout": "last", "patch_size": 1}
    options |= {"max_epochs": 2, "random_state": 0, "n_threads": 1, "refit": False}
    return SequenceClassifier(**options | parameters).fit(X, y)


def findings(model, X, y, *, but=("chance", "unfinished")):
    return {finding.rule: finding for finding in examine(model, X, y) if finding.rule not in but}


@pytest.mark.parametrize("cell", ["elman", "elman_relu", "lstm", "gru"])
def test_nothing_is_found_in_a_healthy_network(cell):
    X, y = data(n_steps=12)
    assert findings(fitted(X, y, cell=cell), X, y) == {}


def test_without_sequences_it_is_what_training_found():
    X, y = data()
    model = fitted(X, y, learning_rate=1e-12, max_epochs=3)
    assert [finding.sentence for finding in examine(model)] == model.health_
    assert [finding.rule for finding in examine(model)] == ["small_steps"]
    assert set(findings(model, X, y)) == {"small_steps"}


def test_a_model_from_a_file_is_examined_as_it_was(tmp_path):
    X, y = data()
    model = fitted(X, y, cell="elman_relu", learning_rate="auto")
    model.network_.parameters["bias_ih_l0"][:] = -1e3
    model.save(tmp_path / "model")
    found = examine(elman.load(tmp_path / "model"), X, y)
    assert "dead_units" in [finding.rule for finding in found]
    assert found == examine(model, X, y)


def test_dead_relu_units_are_counted():
    X, y = data()
    model = fitted(X, y, cell="elman_relu")
    model.network_.parameters["bias_ih_l0"][:5] = -1e3
    found = findings(model, X, y)["dead_units"]
    assert found.number == 5
    assert found.sentence == (
        "5 of 8 relu units are dead, at 0 in every step of 24 sequences: "
        "try learning_rate=0.0005, initialisation='identity', or cell='elman'."
    )
    model.network_.parameters["bias_ih_l0"][1:5] = 1.0
    assert "dead_units" not in findings(model, X, y)


@pytest.mark.parametrize(("cell", "gate"), [("elman", 0), ("lstm", 2), ("gru", 2)])
def test_saturated_units_are_found(cell, gate):
    X, y = data()
    model = fitted(X, y, cell=cell, standardise=False)
    rows = slice(gate * 8, (gate + 1) * 8)
    model.network_.parameters["weight_ih_l0"][rows] *= 1e3
    found = findings(model, X, y)["saturated"]
    assert 0.9 < found.number <= 1
    assert found.sentence == (
        f"Units are saturated: in a step {100 * found.number:.0f} % of those in layer 1 are above 0.95 in absolute "
        "value: try leaving standardise=False out or layer_norm=True."
    )


def test_units_are_saturated_at_either_end_of_tanh():
    X, y = data()
    for sign in (-1, 1):
        model = fitted(X, y, cell="elman", standardise=False)
        model.network_.parameters["bias_ih_l0"][:] = 30 * sign
        assert findings(model, X, y)["saturated"].number == 1


def test_shut_gates_of_an_lstm_are_found_and_open_ones_are_not():
    X, y = data()
    model = fitted(X, y, cell="lstm")
    bias = model.network_.parameters["bias_ih_l0"].reshape(4, 8)
    bias[1] = 30  # forget gates that keep everything
    assert findings(model, X, y) == {}
    bias[3, :4] = -30
    found = findings(model, X, y)["shut"]
    assert found.number == 0.5
    assert found.sentence.startswith(
        "The output gates of 50 % of the units in layer 1 are shut in all steps: try learn"
    )


def test_a_chrono_start_is_not_taken_for_a_problem():
    X, y = data(n_steps=40, n=12)
    for cell in ("gru", "lstm"):
        assert findings(fitted(X, y, cell=cell, initialisation="chrono"), X, y) == {}


def test_gradients_that_vanish_are_found_where_the_last_step_is_read():
    X, y = data(n_steps=40)
    model = fitted(X, y, cell="elman")
    model.network_.parameters["weight_hh_l0"][...] = 0.2 * np.eye(8)
    found = findings(model, X, y)["vanishing"]
    flow = model.gradient_flow(X, y)
    assert found.number == flow.memory(0) == 2
    share = f"{100 * flow.vanished(0):.0f} %"
    assert found.sentence == (
        f"Gradients vanish: {share} of the steps get less than a millionth of the largest, and a tenth is left after 2 "
        "of 40 steps in layer 1: try cell='lstm', readout='attention', or patch_size=2."
    )
    by_attention = fitted(X, y, cell="elman", readout="attention")
    by_attention.network_.parameters["weight_hh_l0"][...] = 0.2 * np.eye(8)
    assert "vanishing" not in findings(by_attention, X, y)


def test_gradients_that_grow_are_found():
    X, y = data(n_steps=40)
    model = fitted(X, y, cell="elman_relu")
    model.network_.parameters["weight_hh_l0"][...] = 1.5 * np.eye(8)
    model.network_.parameters["bias_ih_l0"][...] = 5.0
    found = findings(model, X, y)["growing"]
    assert found.number == pytest.approx(1.5**39, rel=1e-3)
    assert found.sentence.startswith("Gradients grow on their way back: 7.4e+06-fold over 40 steps: try learn")


def test_gradients_that_grow_in_one_direction_are_found_beside_another_that_forgets():
    X, y = data(n_steps=40)
    model = fitted(X, y, cell="elman_relu", bidirectional=True)
    parameters = model.network_.parameters
    parameters["weight_hh_l0"][...] = 0.2 * np.eye(8)
    parameters["weight_hh_l0_reverse"][...] = 1.5 * np.eye(8)
    parameters["bias_ih_l0_reverse"][...] = parameters["bias_ih_l0"][...] = 5.0
    flow = model.gradient_flow(X, y)
    assert flow.memory(0) < flow.memory(1)
    assert findings(model, X, y)["growing"].number == pytest.approx(1.5**39, rel=1e-3)


def test_taggers_are_examined_too():
    rng = np.random.default_rng(3)
    X = [rng.normal(size=(rng.integers(3, 9), 1)) for _ in range(20)]
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    model = SequenceTagger(cell="elman_relu", hidden_size=4, num_layers=1, max_epochs=2, random_state=0).fit(X, y)
    assert findings(model, X, y) == {}
    for name in ("bias_ih_l0", "bias_ih_l0_reverse"):
        model.network_.parameters[name][:] = -1e3
    assert findings(model, X, y)["dead_units"].number == 8


def test_the_shares_of_units_are_those_of_the_engine():
    """What the engine says of units, step by step, and what is said here of steps, unit by unit, is one matrix."""
    rng = np.random.default_rng(5)
    for cell in ("elman", "elman_relu", "lstm", "gru"):
        network = Network(Architecture(3, 2, cell=cell, hidden_size=5, num_layers=2, zoneout=0.2), dtype="float64")
        network.parameters.vector[:] = rng.normal(0, 1.5, network.parameters.vector.size)
        values, offsets = rng.normal(size=(17, 3)), np.array([0, 7, 11, 17])
        flow = network.gradient_flow(values, offsets, np.array([0, 1, 1]))
        for activity in activities(network, values, offsets):
            expected = flow.saturated[activity.gate][flow.names.index(activity.name)].mean()
            assert (activity.low + activity.high).mean() == pytest.approx(expected)
