"""Every option that the benchmark times makes a network of its own, and takes a step."""

import pytest
from benchmarks.options import OPTIONS, SHAPES, step_of


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_takes_a_step(name):
    shape = (4, 5, *SHAPES[0][2:])
    plain = step_of("GRU", shape, {"num_layers": OPTIONS[name].get("num_layers", 1)}, 1)()
    found = step_of("GRU", shape, OPTIONS[name], 1)()
    assert found.scored == plain.scored == 4
    if name != "learned initial state":  # which starts at 0, as the plain network does
        assert found.loss != plain.loss
