"""What is searched, and what is refused."""

import pytest

from elman import ParameterError, SequenceClassifier, SequenceTagger
from elman.search.domains import Choices, Range, parse_domain
from elman.search.space import filled, has_layers_to_drop_between, make_space, start_of

DEFAULTS = SequenceClassifier().get_params()


def test_every_default_is_within_the_usual_space():
    space = make_space(DEFAULTS, DEFAULTS)
    assert {"cell", "hidden_size", "num_layers", "dropout", "learning_rate", "weight_decay", "readout"} <= space.keys()
    start = start_of(space, DEFAULTS)
    assert start == {name: DEFAULTS[name] for name in space}
    assert all(space[name].holds(value) for name, value in start.items())


def test_a_tagger_has_no_readout_to_search():
    defaults = SequenceTagger().get_params()
    assert "readout" not in make_space(defaults, defaults)


def test_what_is_set_or_pinned_is_not_searched():
    parameters = DEFAULTS | {"cell": "lstm"}
    space = make_space(parameters, DEFAULTS, pinned=["readout"])
    assert "cell" not in space
    assert "readout" not in space
    assert make_space(parameters, DEFAULTS, {"cell": ["gru", "lstm"]})["cell"] == Choices(("gru", "lstm"))


def test_a_size_for_each_layer_pins_their_number_and_one_layer_leaves_no_dropout():
    assert "num_layers" not in make_space(DEFAULTS | {"hidden_size": (8, 4)}, DEFAULTS)
    of_one = DEFAULTS | {"num_layers": 1}
    assert "dropout" not in make_space(of_one, of_one, pinned=["num_layers"])
    assert "dropout" in make_space(DEFAULTS | {"num_layers": 2}, DEFAULTS, pinned=["num_layers"])
    assert not has_layers_to_drop_between({"hidden_size": 8, "num_layers": 1})
    assert filled({"num_layers": 1}, {"num_layers": Range(1, 3), "dropout": Range(0.0, 0.5)})["dropout"] == 0.0


def test_a_value_beyond_a_range_widens_it_and_a_word_or_a_zero_stands_beside_points_of_it():
    assert Range(16, 256).including(4) == Range(4, 256)
    assert Range(1e-4, 1e-2).including("auto") == Choices(("auto", 1e-4, 3.2e-4, 1e-3, 3.2e-3, 1e-2))
    assert Range(1e-4, 1e-2).including(0.0).values[0] == 0.0
    assert Choices((0.0, 0.1)).including(0.05) == Choices((0.05, 0.0, 0.1))


def test_what_may_be_auto_has_a_range_or_auto_among_its_values():
    chosen = {"max_epochs": Range(10, 50), "batch_size": ["auto", 8], "learning_rate": Range(1e-3, 1e-1)}
    space = make_space(DEFAULTS, DEFAULTS, chosen)
    assert {name: space[name] for name in chosen} == chosen | {"batch_size": Choices(("auto", 8))}
    start = start_of(space, DEFAULTS)
    assert (start["max_epochs"], start["batch_size"]) == (30, "auto")
    with pytest.raises(ParameterError, match=r"'readout' has no range\. List the values to search, such as last,mean"):
        make_space(DEFAULTS, DEFAULTS, {"readout": Range(1, 2)})


def test_the_start_is_as_near_to_the_estimator_as_the_space_allows():
    space = {"hidden_size": Choices((16, 32)), "learning_rate": Range(0.01, 0.1), "cell": Choices(("lstm",))}
    assert start_of(space, DEFAULTS | {"hidden_size": 64, "learning_rate": 0.005}) == {
        "hidden_size": 32,
        "learning_rate": 0.01,
        "cell": "lstm",
    }


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("1e-4..1e-2", Range(1e-4, 1e-2)),
        ("8..64", Range(8, 64)),
        ("0..0.5", Range(0.0, 0.5)),
        ("gru,lstm", Choices(("gru", "lstm"))),
        ("none,1,0.5", Choices((None, 1.0, 0.5))),
    ],
)
def test_domains_are_read_as_they_are_written(text, domain):
    found = parse_domain("x", text)
    assert found == domain
    assert list(map(type, found.ends)) == list(map(type, domain.ends))


@pytest.mark.parametrize("text", ["2..1", "1..1", "a..b", "1..", "32,32", "nan..1"])
def test_domains_that_mean_nothing_are_refused(text):
    with pytest.raises(ParameterError):
        parse_domain("hidden_size", text)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"hiden_size": [1]}, "There is no parameter 'hiden_size'"),
        ({"random_state": [1, 2]}, "'random_state' cannot be searched"),
        ({"validation_fraction": [0.1, 0.2]}, "cannot be searched"),
        ({"hidden_size": [0, 8]}, "must be an int in the range"),
        ({"hidden_size": [(8, 4), 8]}, "must be numbers, text, bools or None"),
        ({"cell": Range(1, 2)}, "'cell' has no range. List the values to search, such as elman,elman_relu"),
        ({"dropout": Range(0.0, 1.0)}, "must be a float in the range"),
        ({"dropout": 0.5}, "must be a Range or a list"),
    ],
)
def test_what_cannot_be_searched_is_refused(chosen, message):
    with pytest.raises(ParameterError, match=message.replace("(", r"\(")):
        make_space(DEFAULTS, DEFAULTS, chosen)
