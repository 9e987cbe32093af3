"""The built-in network is the one that examples/three_steps.py walks through."""

import importlib.util
from pathlib import Path

import numpy as np

from elman.insight.three_steps import three_steps

EXAMPLE = Path(__file__).parents[2] / "examples" / "three_steps.py"


def test_the_built_in_network_has_the_weights_the_sequence_and_the_gradients_of_the_example():
    spec = importlib.util.spec_from_file_location("three_steps_example", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    rng = np.random.default_rng(3)
    sequences, targets = example.draw_task(rng, example.N_SEQUENCES)
    weights = example.initialise(rng)
    h, logits, tape = example.forward(sequences[0], weights)
    loss, gradient, d_h = example.backward(h, logits, tape, targets[0], weights)

    unrolled = three_steps()
    assert np.array_equal(unrolled.values, sequences[0])
    for name, weight in weights.items():
        assert np.array_equal(unrolled.parameters[name], weight), name
        np.testing.assert_allclose(unrolled.gradients[name], gradient[name], rtol=1e-12, atol=1e-15)
    assert unrolled.loss == loss
    np.testing.assert_allclose(unrolled.passages[0].d_states["h"], d_h, rtol=1e-12)
