"""--members and --calibrate, and warnings about the data, as a user sees them."""

import re

import numpy as np
import pytest

import elman as library


@pytest.fixture(scope="module")
def walks_of_chance(tmp_path_factory):
    """A table of 90 walks up or down, of which a fifth is labelled at random."""
    rng = np.random.default_rng(0)
    rows = ["id,time,x,label"]
    for n in range(90):
        label = n % 2 if rng.random() > 0.2 else rng.integers(2)
        walk = np.cumsum(rng.normal(0.5 if n % 2 else -0.5, 1, 6))
        rows += [f"{n},{step},{value:.4f},{'up' if label else 'down'}" for step, value in enumerate(walk)]
    path = tmp_path_factory.mktemp("chance") / "walks.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_members_and_their_temperature_are_trained_saved_and_told(elman, walks_of_chance, tmp_path, small):
    model = tmp_path / "m"
    done = elman("train", walks_of_chance, "--model", model, "--members", 2, "--calibrate", *small)
    assert done.code == 0
    assert "2 networks, each GRU, 1 layer of 4, both directions." in done.out
    assert re.search(r"validated on 18: 12 epochs in \S+ s, best in epochs \d, \d\.", done.prose)
    assert "On the validation part, which chose the best epoch and the temperature:" in done.prose
    loaded = library.load(model)
    assert (len(loaded.networks_), loaded.n_members, loaded.calibrate) == (2, 2, True)
    sentence = f"Probabilities are calibrated at temperature {loaded.temperature_:.3g}, "
    assert loaded.temperature_ != 1
    assert sentence in done.out
    told = elman("info", model).out
    assert "2 networks, each GRU" in told
    assert sentence in " ".join(told.split())
    n = sum(network.parameters.vector.size for network in loaded.networks_)
    data = elman("info", model, "--json").data
    assert (data["n_parameters"], data["temperature"]) == (n, loaded.temperature_)
    assert [len(history) for history in data["training"]["histories"]] == [6, 6]


def test_off_a_terminal_the_lines_of_members_say_whose_they_are(elman, walks_of_chance, tmp_path, small):
    done = elman("train", walks_of_chance, "--model", tmp_path / "m", "--members", 2, *small)
    lines = [line for line in done.err.splitlines() if "training loss" in line]
    assert lines
    assert all(re.match(r"member [12] epoch [1-6]/6  training loss ", line) for line in lines)


def test_nothing_can_be_calibrated_without_a_validation_part(elman, walks_of_chance, tmp_path, small):
    done = elman("train", walks_of_chance, "--model", tmp_path / "m", "--calibrate", "--no-validation", *small)
    assert (done.code, done.out) == (2, "")
    assert done.err == ("error: --no-validation leaves nothing to calibrate on. Pass '--calibrate' or neither.\n")


def test_doubts_about_the_data_are_warnings_that_name_options(elman, tmp_path, small):
    rng = np.random.default_rng(0)
    rows = ["id,time,x,still,label"]
    walks = [np.cumsum(rng.normal(n % 2 - 0.5, 1, 6)) for n in range(40)]
    for n, walk in enumerate(walks + walks[-1:] * 20):
        kind = n % 2 if n < 40 else 1
        rows += [f"{n},{step},{value * 1000:.3f},7,{'ab'[kind]}" for step, value in enumerate(walk)]
    (tmp_path / "walks.csv").write_text("\n".join(rows) + "\n")
    done = elman("train", tmp_path / "walks.csv", "--model", tmp_path / "m", "--no-standardise", *small)
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert done.code == 0
    assert any(
        re.match(r"warning: Constant in all 48 sequences of the training part: 'still'\. ", each) for each in warnings
    )
    assert any(each.endswith("Scale them, or leave --no-standardise out.") for each in warnings)
    assert any(each.endswith("Drop duplicates, or keep them together with --group.") for each in warnings)
    assert len(warnings) == 3
    assert done.err.rindex("warning: ") < done.err.index("epoch 1/6"), "in time to end training"
