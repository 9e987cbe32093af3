"""`elman unroll`: tables that a terminal holds, every number as JSON, a page."""

import json

import numpy as np
import pytest

from elman.cli.text_table import bar, columns, fitted, number
from elman.cli.unrolled_layout import shown_steps
from elman.cli.unrolled_tables import UnrolledTables
from elman.errors import ParameterError
from elman.insight.three_steps import three_steps
from elman.insight.unroll import unroll
from elman.network.architecture import Architecture
from elman.network.network import Network

HOSTILE = (
    "</script><script>alert(1)</script>",
    "\x1b[31mred\x1b[0m\n\r\t",
    "[bold]markup[/] 'quoted' \"twice\"",
    "長い名前" * 20,
)


def network(**changes):
    made = Network(Architecture(**{"input_size": 4, "n_classes": 4, "hidden_size": 3} | changes), dtype="float64")
    made.initialise(np.random.default_rng(0), "uniform", forget_bias=None)
    return made


def lines_of(unrolled, width=80, most=5, steps=None, *, is_unicode=True):
    chosen = shown_steps(steps, unrolled.n_steps, len(unrolled.passages))
    tables = UnrolledTables(unrolled, chosen, most, width, is_unicode=is_unicode)
    return [line.plain for line in tables.lines()]


def test_without_arguments_the_built_in_network_is_walked_through_step_by_step(elman, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = elman("unroll")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.out
    titles = [line[3:] for line in lines if line[:2].strip().isdigit() and not line.startswith("   ")]
    assert titles == [
        "Input",
        "Pre-activation",
        "State",
        "Class scores, probabilities and loss",
        "Gradient of the class scores",
        "Gradient of the states, t = T, ..., 1",
        "Gradient of the pre-activations",
        "What each step adds to each weight's gradient, as norms",
        "Gradient descent, shown for the entry with the largest gradient",
    ]
    unrolled = three_steps()
    for t, norm in enumerate(np.linalg.norm(unrolled.passages[0].d_states["h"], axis=1), 1):
        assert any(line.startswith(f"   {t}     {norm:.4f}") for line in lines)
    assert lines[-1] == f"The loss of this sequence: {unrolled.loss:.6f} → {unrolled.loss_after:.6f}"


def test_json_has_every_number_of_the_algorithm(elman):
    data = elman("unroll", "--json", "--learning-rate", 0.5).data
    unrolled = three_steps(0.5)
    assert data == json.loads(json.dumps(unrolled.to_dict()))
    assert set(data) >= {"values", "layers", "logits", "proba", "loss", "d_logits", "contributions", "update"}
    (layer,) = data["layers"]
    assert set(layer) == {
        "name", "layer", "is_reverse", "x", "before", "pre", "gates", "states", "d_states", "d_pre", "d_x",
    }  # fmt: skip
    assert np.array(layer["d_states"]["h"]).shape == (3, 5)
    of_weight = data["contributions"]["weight_hh_l0"]
    whole = sum(np.outer(row, column) for row, column in zip(of_weight["rows"], of_weight["columns"]))
    update = data["update"]["weight_hh_l0"]
    np.testing.assert_allclose(whole, update["gradient"], rtol=1e-12)
    np.testing.assert_array_equal(np.array(update["old"]) - 0.5 * np.array(update["gradient"]), update["new"])


def test_a_sequence_of_a_file_is_found_by_its_id_and_its_label_is_the_target(elman, files):
    model, file = files / "walks.model", files / "walks_TEST.csv"
    done = elman("unroll", model, file, "--id", "walk 7")
    assert done.code == 0
    assert done.out.startswith("Sequence walk 7 of walks_TEST.csv\n")
    assert [line.split()[0] for line in done.out.splitlines() if line.endswith("  target")] == ["stays"]
    data = elman("unroll", model, file, "--id", "walk 7", "--json").data
    assert data["classes"] == ["falls", "rises", "stays"]
    assert data["feature_names"] == ["x", "level"]
    raw, values = np.array(data["raw"]), np.array(data["values"])
    assert np.allclose(np.corrcoef(raw[:, 0], values[:, 0])[0, 1], 1)
    assert elman("unroll", model, file, "--json").data["title"] == "Sequence walk 0 of walks_TEST.csv"


def test_without_labels_the_predicted_class_is_the_target_and_that_is_said(elman, files, tmp_path):
    lines = (files / "walks_TEST.csv").read_text().splitlines()
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(",".join(line.split(",")[:4]) for line in lines))
    done = elman("unroll", files / "walks.model", bare, "--json")
    assert "note: It has no label: the target is the class that the network predicts." in done.err
    assert done.data["targets"] == [int(np.argmax(done.data["proba"]))]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--id", "walk 77"], "--id must be the id of a sequence in {file}, such as 'walk 7',"),
        (["--member", "2"], "'member' parameter must be a number in 1..1. Got 2"),
        (["--steps", "0:3"], "--steps must be FROM:TO or one step, in 1.."),
        (["--steps", "0"], "such as 1:2. Got '0' instead."),
        (["--steps", "last"], "such as 1:2. Got 'last' instead."),
        (["--units", "0"], "--units must be at least 1. Got 0"),
        (["--learning-rate", "-1"], "'learning_rate' parameter must be a number above 0. Got -1.0"),
        (["--output", "page.txt"], "expected the name of a page, such as report.html, got '.txt'"),
        (["--json", "--output", "page.html"], "Expected --json or --output. Got both; run the command twice."),
    ],
)
def test_a_mistake_is_told_in_one_line(elman, files, arguments, sentence):
    file = files / "walks_TEST.csv"
    done = elman("unroll", files / "walks.model", file, *arguments)
    assert done.code == 2
    assert done.out == ""
    assert sentence.format(file=file) in done.err.splitlines()[-1]
    assert done.err.splitlines()[-1].startswith("error: ")


def test_the_option_for_the_column_of_ids_is_told_by_its_name(elman, files):
    done = elman("unroll", files / "walks.model", files / "walks_TEST.csv", "--id-column", "person")
    assert done.code == 2
    assert "'person'" in done.err
    assert "--id " not in done.err
    named = elman("unroll", files / "walks.model", files / "walks_TEST.csv", "--id-column", "id", "--json").data
    assert named["title"] == "Sequence walk 0 of walks_TEST.csv"


def test_a_model_wants_a_file_and_the_built_in_network_has_no_ids(elman, files):
    assert "error: Expected MODEL and FILE, or neither" in elman("unroll", files / "walks.model").err
    assert "--id and --member are for a MODEL and a FILE" in elman("unroll", "--id", "3").err


def test_a_label_that_the_model_does_not_know_is_told_with_the_sequence(elman, files, tmp_path):
    strange = tmp_path / "strange.csv"
    strange.write_text((files / "walks_TEST.csv").read_text().replace("falls", "sinks"))
    done = elman("unroll", files / "walks.model", strange)
    assert done.code == 2
    assert "sequence 'walk 0': The label 'sinks'" in done.err


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize(
    ("changes", "n_steps"),
    [
        ({"cell": "lstm", "hidden_size": 40, "num_layers": 3}, 150),
        ({"cell": "gru", "bidirectional": False}, 3),
        ({"cell": "elman_relu", "loss_at": "every_step", "layer_norm": True, "zoneout": 0.1}, 20),
        ({"cell": "gru", "readout": "attention", "embeddings": ((1, 6, 3),), "residual": True, "num_layers": 6}, 1),
    ],
)
def test_no_line_is_wider_than_the_terminal_and_large_networks_are_summarised(width, changes, n_steps):
    made = network(**changes)
    values = np.random.default_rng(1).standard_normal((n_steps, 4))
    values[:, 1] = np.arange(n_steps) % 6
    target = np.arange(n_steps) % 4 if made.architecture.loss_at == "every_step" else 1
    unrolled = unroll(made, values, target, classes=HOSTILE, feature_names=HOSTILE, title=HOSTILE[1])
    lines = lines_of(unrolled, width=width, most=50)
    from rich.cells import cell_len

    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in lines)
    assert len(lines) < 500


def test_bars_and_rules_are_plain_where_the_terminal_has_no_unicode():
    lines = lines_of(three_steps(), is_unicode=False)
    assert "".join(lines).isascii()
    assert any("########" in line for line in lines)


def test_steps_that_are_left_out_are_marked_and_said():
    unrolled = unroll(network(cell="elman", bidirectional=False), np.ones((40, 4)), 0)
    lines = lines_of(unrolled)
    assert any("of 40 steps 10 are shown" in line.lower() for line in lines)
    assert sum(line.strip() == "⋮" for line in lines) == 7
    chosen = lines_of(unrolled, steps="5:6")
    assert [line.split()[0] for line in chosen if line[:8].strip().startswith(("5 ", "6 "))]


def test_a_single_step_can_be_asked_for():
    lines = lines_of(unroll(network(cell="elman", bidirectional=False), np.ones((40, 4)), 0), steps="7")
    assert any("of 40 steps 1 is shown" in line.lower() for line in lines)
    assert shown_steps("7", 40) == [6]


def test_names_that_differ_at_their_ends_stay_apart_and_codes_are_whole_numbers():
    made = network(cell="elman", bidirectional=False, embeddings=((2, 6, 3),))
    names = ["heart rate (bpm), left", "heart rate (bpm), right", "kind", "pulse"]
    values = np.array([[0.5, 0.25, 4.0, 1.0]])
    lines = lines_of(unroll(made, values, 0, feature_names=names, remark="A step is a patch."))
    assert any("heart r…, left" in line and "heart r… right" in line for line in lines)
    row = next(line.split() for line in lines if line.startswith("   1"))
    assert row == ["1", "0.5000", "0.2500", "4", "1.0000"]
    assert "A step is a patch." in " ".join(lines)


def test_bars_of_all_gradients_share_one_range():
    unrolled = three_steps()
    tables = UnrolledTables(unrolled, [0, 1, 2], 5, 80, is_unicode=True)
    (passage,) = unrolled.passages
    norms = np.array([np.linalg.norm(a, axis=1) for of in (passage.d_states, passage.d_pre) for a in of.values()])
    assert tables.log_range == (0.01, norms.max())
    lines = [line.plain for line in tables.lines()]
    assert any("0.01 is empty, 0.1966 full" in line for line in lines)
    for norm in norms.ravel():
        drawn = bar(np.log(norm / 0.01) / np.log(norms.max() / 0.01), 8, is_unicode=True).rstrip()
        assert any(f"{norm:.4f}  {drawn} " in line for line in lines)


def test_numbers_bars_and_columns_fit():
    assert max(len(number(value)) for value in (-999.9999, 1e-300, -1e300, 0.1, -99.99996)) <= 9
    assert bar(2.0, 4, is_unicode=True) == "████"
    assert fitted("長い名前", 5) == "長い…"
    assert columns([["長い", "b"], ["a", "22"]], [True, False], 8) == ["長い   b", "a     22"]
    with pytest.raises(ParameterError, match="Got '4:2' instead"):
        shown_steps("4:2", 9)
