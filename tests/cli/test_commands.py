"""The four commands on good input: what they print, write and remember."""

import csv
import io
import json
import re

import numpy as np
import polars
import pytest

import elman as library
from elman.cli.parameters import _value
from elman.cli.tables import verdict
from elman.estimators.evaluation import evaluate
from elman.estimators.progress import refit_line


def test_train_prints_the_validation_figures_beside_the_baselines_and_what_to_type_next(elman, files, tmp_path, small):
    model = tmp_path / "walks.model"
    done = elman("train", files / "walks_TRAIN.csv", "--model", model, "--label", "direction", *small)
    assert done.code == 0
    assert "GRU, 1 layer of 4, both directions." in done.out
    assert "Trained on 30 sequences, validated on 6: 6 epochs in" in done.out
    for row in ("this model", "logistic regression", "most frequent class"):
        assert sum(line.startswith(row) for line in done.out.splitlines()) == 1
    assert done.out.splitlines()[-1].strip() == f"elman evaluate {model} {files / 'walks_TEST.csv'}"
    assert "note: Read column 'id' as the sequence id." in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["walks.model"]


def test_off_a_terminal_training_prints_a_plain_line_an_epoch_and_a_second_at_most(elman, files, tmp_path, small):
    done = elman("train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small)
    lines = [line for line in done.err.splitlines() if line.startswith("epoch")]
    assert lines[0].startswith("epoch 1/6  training loss ")
    assert lines[-1].startswith("epoch 6/6  training loss ")
    assert len(lines) < 6, "six epochs of a small network take less than a second"
    assert "\x1b" not in done.out + done.err


def test_train_with_json_prints_only_json(elman, files, tmp_path, small):
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction"]
    data = elman(*arguments, "--group", "subject", "--json", *small).data
    model = library.load(tmp_path / "m")
    assert data["validation"] == model.training_["validation"]
    assert data["n_parameters"] == model.network_.parameters.vector.size
    assert (data["epochs"], data["n_training"] + data["n_validation"]) == (6, 36)
    assert data["n_validation"] % 6 == 0  # whole persons, of six walks each
    assert set(data["validation"]) == {"accuracy", "balanced_accuracy", "macro_f1", "log_loss", "baselines"}


def test_the_same_seed_gives_the_same_predictions_and_every_option_arrives(elman, files, tmp_path):
    options = {
        "cell": "lstm",
        "hidden_size": 3,
        "num_layers": 2,
        "dropout": 0.25,
        "readout": "max",
        "initialisation": "uniform",
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.5,
        "weight_decay": 0.001,
        "batch_size": 7,
        "max_epochs": 2,
        "clip_norm": 2.5,
        "validation_fraction": 0.3,
        "schedule": "one_cycle",
        "warm_up": 0.2,
        "final_rate": 0.05,
        "label_smoothing": 0.1,
        "gradient_noise": 0.01,
        "weight_average": 0.75,
    }
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    flags += ["--one-direction", "--patience", 4, "--seed", 9, "--threads", 1, "--label", "direction"]
    for name in ("a", "b"):
        assert elman("train", files / "walks_TRAIN.csv", "--model", tmp_path / name, *flags).code == 0
    a, b = library.load(tmp_path / "a"), library.load(tmp_path / "b")
    assert np.array_equal(a.network_.parameters.vector, b.network_.parameters.vector)
    expected = options | {"bidirectional": False, "n_iter_no_change": 4, "random_state": 9}
    assert {name: a.get_params()[name] for name in expected} == expected


def test_validation_data_can_be_a_file_or_none(elman, files, tmp_path, small):
    arguments = [
        "train",
        files / "walks_TRAIN.csv",
        "--model",
        tmp_path / "m",
        "--label",
        "direction",
        "--json",
        *small,
    ]
    given = elman(*arguments, "--validation", files / "walks_TEST.csv").data
    assert (given["n_training"], given["n_validation"]) == (36, 18)
    none = elman(*arguments, "--no-validation").data
    assert (none["n_training"], none["n_validation"], none["validation"]) == (36, 0, None)


def test_clip_norm_0_clips_nothing(elman, files, tmp_path, small):
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small]
    assert elman(*arguments, "--clip-norm", 0).code == 0
    assert library.load(tmp_path / "m").clip_norm is None


def test_evaluate_gives_the_figures_of_the_library_under_these_keys(elman, files):
    data = elman("evaluate", files / "walks.model", files / "walks_TEST.csv", "--json").data
    assert list(data) == [
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "confusion_matrix",
        "classes",
        "baselines",
    ]
    dataset = library.read(files / "walks_TEST.csv", label="direction", group="subject")
    expected = evaluate(library.load(files / "walks.model"), dataset.sequences, dataset.labels)
    assert data == json.loads(json.dumps(expected.to_dict()))
    assert np.sum(data["confusion_matrix"]) == 18
    assert data["classes"] == ["falls", "rises", "stays"]


def test_evaluate_prints_a_table_and_the_confusion_matrix(elman, files):
    done = elman("evaluate", files / "walks.model", files / "walks_TEST.csv")
    data = elman("evaluate", files / "walks.model", files / "walks_TEST.csv", "--json").data
    lines = [line.split() for line in done.out.splitlines()]
    figures = [f"{data[name]:.4f}" for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")]
    assert ["this", "model", *figures] in lines
    counts = [str(n) if n else "·" for n in data["confusion_matrix"][0]]
    assert ["falls", *counts] in lines
    assert max(map(len, done.out.splitlines())) <= 80


def test_predict_writes_id_prediction_and_a_probability_for_each_class(elman, files, tmp_path):
    done = elman("predict", files / "walks.model", files / "walks_TEST.csv", "--output", tmp_path / "out.csv")
    assert done.code == 0
    assert done.out == f"Wrote 18 predictions to {tmp_path / 'out.csv'}.\n"
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "prediction", "proba_falls", "proba_rises", "proba_stays"]
    assert [row["id"] for row in rows] == [f"walk {n}" for n in range(18)]
    dataset = library.read(files / "walks_TEST.csv", label="direction", group="subject")
    model = library.load(files / "walks.model")
    assert [row["prediction"] for row in rows] == model.predict(dataset.sequences).tolist()
    proba = np.array([[float(row[f"proba_{name}"]) for name in model.classes_] for row in rows])
    assert np.array_equal(proba, model.predict_proba(dataset.sequences))
    assert elman("predict", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / "out.parquet").code == 0
    table = polars.read_parquet(tmp_path / "out.parquet")
    assert table.columns == list(rows[0])
    assert np.array_equal(table.select(table.columns[2:]).to_numpy(), proba)


def test_predict_finds_the_features_by_name_and_needs_no_labels(elman, files, tmp_path):
    table = polars.read_csv(files / "walks_TEST.csv")
    shuffled = table.select("level", "time", "x", "id").sample(fraction=1.0, shuffle=True, seed=1)
    shuffled.write_csv(tmp_path / "new.csv")
    for name, file in (("old.csv", files / "walks_TEST.csv"), ("shuffled.csv", tmp_path / "new.csv")):
        done = elman("predict", files / "walks.model", file, "--output", tmp_path / name)
        assert done.code == 0, done.err
    by_id = [polars.read_csv(tmp_path / name).sort("id") for name in ("old.csv", "shuffled.csv")]
    assert by_id[0].equals(by_id[1])


def test_labels_of_every_step_go_all_the_way(elman, tmp_path, small):
    rng = np.random.default_rng(0)
    rows = ["id,time,x,state"]
    for n in range(30):
        rows += [f"{n},{t},{x:.3f},{'on' if x > 0 else 'off'}" for t, x in enumerate(rng.normal(size=3 + n % 5))]
    (tmp_path / "steps.csv").write_text("\n".join(rows))
    arguments = ["--label", "state", "--per-step-labels", "--learning-rate", 0.05, "--no-validation", *small]
    done = elman("train", tmp_path / "steps.csv", "--model", tmp_path / "m", *arguments, "--max-epochs", 25)
    assert done.code == 0, done.err
    data = elman("evaluate", tmp_path / "m", tmp_path / "steps.csv", "--json").data
    assert np.sum(data["confusion_matrix"]) == len(rows) - 1
    assert data["accuracy"] > 0.9
    assert elman("predict", tmp_path / "m", tmp_path / "steps.csv", "-o", tmp_path / "out.csv").code == 0
    table = polars.read_csv(tmp_path / "out.csv")
    assert table.columns == ["id", "step", "prediction", "proba_off", "proba_on"]
    assert table["step"].to_list()[:8] == [0, 1, 2, 0, 1, 2, 3, 0]
    assert "every step" in elman("info", tmp_path / "m").out


def test_info_of_the_system_tells_how_the_kernels_run(elman, monkeypatch):
    from elman.kernels.lanes import implementation, implementations

    done = elman("info", "--system")
    assert done.code == 0
    out = " ".join(done.out.split())
    assert f"{implementation()} (in use)" in out
    assert all(name in out for name in implementations())
    for text in ("ELMAN_VECTORS forces one", "ELMAN_NUM_THREADS", f"elman {library.__version__}", "numba "):
        assert text in out
    monkeypatch.setenv("ELMAN_VECTORS", "neon" if implementation() != "neon" else "sse")
    foreign = " ".join(elman("info", "--system").out.split())
    assert "forced by ELMAN_VECTORS; this CPU has " + ", ".join(implementations()) in foreign


def test_info_of_the_system_as_json(elman, monkeypatch):
    from elman.kernels.lanes import implementation, implementations

    monkeypatch.setenv("ELMAN_NUM_THREADS", "1")
    data = elman("info", "--system", "--json").data
    assert data["implementations"] == implementations()
    assert data["implementation"] == implementation()
    assert data["threads"] == 1
    assert set(data["tile"]) == {"float32", "float64"}
    assert data["compiled_kernels"]["files"] > 0
    assert data["versions"]["elman"] == library.__version__


@pytest.mark.parametrize("arguments", [(), ("some.model", "--system"), ("--json",)])
def test_info_wants_a_model_or_the_system(elman, arguments):
    done = elman("info", *arguments)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "give a model, or --system" in done.err
    assert "Traceback" not in done.err


def test_info_tells_what_a_model_is(elman, files):
    done = elman("info", files / "walks.model")
    for text in (
        "GRU, 1 layer of 4, both directions; classifies each sequence (last)",
        "2 a step, standardised: x, level",
        "3: falls, rises, stays",
        "label 'direction', group 'subject'",
        f"elman {library.__version__}",
    ):
        assert text in done.out
    data = elman("info", files / "walks.model", "--json").data
    assert data["architecture"]["hidden_size"] == 4
    assert data["classes"] == ["falls", "rises", "stays"]
    assert data["file_size"] == (files / "walks.model").stat().st_size
    assert len(data["training"]["histories"][0]) == 6


@pytest.mark.parametrize("n_classes", [2, 7, 12, 30])
def test_confusions_can_be_read_in_80_columns(n_classes):
    from rich.console import Console

    from elman.cli.tables import confusion_table

    rng = np.random.default_rng(n_classes)
    matrix = rng.integers(1, 200, size=(n_classes, n_classes))
    names = [f"{'a very long name of a ' * (n % 2)}class {n}" for n in range(n_classes)]
    title, table = confusion_table(matrix, names, 80)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    if title.startswith("Confusion matrix"):
        assert [line.split()[-n_classes:] for line in lines[1:]] == [[str(n) for n in row] for row in matrix.tolist()]
    else:
        assert n_classes == 30
        assert sum(str(int(matrix[n, n])) in " ".join(lines) for n in range(n_classes)) == n_classes


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["predict"], ["convert"], ["info"]])
def test_help_teaches_with_an_example(elman, command):
    done = elman(*command, "--help")
    assert done.code == 0
    name = command[0] if command else "train"
    assert f"elman {name} " in done.out.split("Usage:")[1].split("\n", 1)[1]
    assert "…" not in done.out, "every option can be read"
    assert max(map(len, done.out.splitlines())) <= 80


def test_without_a_command_the_help_is_shown(elman):
    assert elman().out == elman("--help").out
    assert elman("--version").out == f"elman {library.__version__}\n"


def test_help_breaks_a_paragraph_only_where_the_line_is_full(elman):
    lines = [line.strip() for line in elman("train", "--help").out.splitlines()]
    start = next(n for n, line in enumerate(lines) if line.startswith("Part of the data"))
    end = lines.index("", start)
    assert all(len(line) > 60 for line in lines[start : end - 1])


@pytest.fixture
def renamed(files, tmp_path):
    """walks_TEST.csv under other names of columns, with text that no model knows."""
    table = polars.read_csv(files / "walks_TEST.csv")
    table = table.rename({"id": "walk", "time": "moment", "direction": "kind", "subject": "person"})
    table.with_columns(extra=polars.lit("a")).write_csv(tmp_path / "renamed.csv")
    return tmp_path / "renamed.csv"


def test_columns_of_a_new_table_can_be_named(elman, files, renamed, tmp_path):
    names = ["--id", "walk", "--time", "moment", "--label", "kind", "--group", "person"]
    plain = elman("evaluate", files / "walks.model", files / "walks_TEST.csv", "--json").data
    done = elman("evaluate", files / "walks.model", renamed, "--json", *names)
    assert done.data == plain
    assert done.err == "note: Ignored column 'extra', which the model does not know.\n"
    assert elman("predict", files / "walks.model", renamed, "-o", tmp_path / "a.csv", *names).code == 0
    assert elman("predict", files / "walks.model", files / "walks_TEST.csv", "-o", tmp_path / "b.csv").code == 0
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_a_named_column_must_be_there_a_remembered_one_is_guessed_where_it_is_not(elman, files, tmp_path):
    table = polars.read_csv(files / "walks_TEST.csv").rename({"id": "case", "time": "step", "direction": "label"})
    table.drop("subject").write_csv(tmp_path / "other.csv")
    plain = elman("evaluate", files / "walks.model", files / "walks_TEST.csv", "--json").data
    done = elman("evaluate", files / "walks.model", tmp_path / "other.csv", "--json")
    assert done.data == plain
    for sentence in ("'case' as the sequence id", "'step' as the time", "'label' as the label"):
        assert f"note: Read column {sentence}." in done.err
    done = elman("evaluate", files / "walks.model", tmp_path / "other.csv", "--label", "direction")
    assert done.code == 2
    assert "there is no label column 'direction'" in done.err


def test_a_model_trained_in_python_measures_a_table(elman, files, tmp_path):
    dataset = library.read(files / "walks_TRAIN.csv", label="direction", group="subject")
    values = list(dataset.sequences)  # no names of features
    model = library.SequenceClassifier(hidden_size=3, max_epochs=2, random_state=0).fit(values, dataset.labels)
    model.save(tmp_path / "m")
    names = ["--label", "direction", "--group", "subject"]
    done = elman("evaluate", tmp_path / "m", files / "walks_TEST.csv", "--json", *names)
    assert np.sum(done.data["confusion_matrix"]) == 18
    assert "note: Read 2 other columns as features: 'x', 'level'." in done.err


def test_a_guess_never_takes_a_feature_of_the_model(elman, files, tmp_path):
    train = polars.read_csv(files / "walks_TRAIN.csv").rename({"level": "y"})
    train.write_csv(tmp_path / "train.csv")
    names = ["--label", "direction", "--group", "subject"]
    options = ["--hidden-size", 3, "--max-epochs", 1]
    assert elman("train", tmp_path / "train.csv", "-m", tmp_path / "m", *names, *options).code == 0
    train.drop("direction", "subject").write_csv(tmp_path / "new.csv")
    assert elman("predict", tmp_path / "m", tmp_path / "new.csv", "-o", tmp_path / "out.csv").code == 0


def test_the_validation_file_is_read_like_the_training_file_and_notes_name_theirs(elman, files, tmp_path, small):
    train, test = files / "walks_TRAIN.csv", files / "walks_TEST.csv"
    names = ["--label", "direction", "--group", "subject"]
    done = elman("train", train, "-m", tmp_path / "m", "--validation", test, *names, *small)
    assert done.code == 0, done.err
    assert f"note: {train}: Read column 'id' as the sequence id." in done.err
    assert f"{test}: Read" not in done.err
    polars.read_csv(test).drop("subject").rename({"id": "case"}).write_csv(tmp_path / "other.csv")
    done = elman("train", train, "-m", tmp_path / "m", "--validation", tmp_path / "other.csv", *names, *small)
    assert done.code == 0, done.err
    assert f"note: {tmp_path / 'other.csv'}: Read column 'case' as the sequence id." in done.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--dropout", 0.5, "--num-layers", 1], "--dropout has no effect with one layer: it acts between layers."),
        (["--momentum", 0.9], "--momentum has no effect with adamw: it is for sgd and rmsprop."),
        (["--centred"], "--centred has no effect with adamw: it is for rmsprop."),
        (
            ["--schedule-epochs", 3],
            "--schedule-epochs has no effect with schedule one_cycle: it is for step, exponential and plateau.",
        ),
        (
            ["--schedule-factor", 0.1, "--schedule", "cosine"],
            "--schedule-factor has no effect with schedule cosine: it is for step, exponential and plateau.",
        ),
        (["--forget-bias", 2], "--forget-bias has no effect with cell gru: only lstm has a forget gate."),
        (["--no-validation", "--patience", 3], "--patience has no effect with --no-validation."),
        (
            ["--no-validation", "--validation-fraction", 0.3],
            "--validation-fraction has no effect with --no-validation.",
        ),
        (["--no-validation", "--tol", 0.1], "--tol has no effect with --no-validation."),
        (
            ["--validation", "walks_TEST.csv", "--validation-fraction", 0.3],
            "--validation-fraction has no effect with --validation.",
        ),
    ],
)
def test_options_that_cannot_act_are_said(elman, files, tmp_path, monkeypatch, small, options, sentence):
    monkeypatch.chdir(files)
    done = elman("train", "walks_TRAIN.csv", "-m", tmp_path / "m", "--label", "direction", *small, *options)
    assert done.code == 0, done.err
    assert [line for line in done.err.splitlines() if "no effect" in line] == [f"note: {sentence}"]


def test_tol_standardise_and_dtype_arrive(elman, files, tmp_path):
    options = ["--tol", 100, "--patience", 3, "--no-standardise", "--dtype", "float64", "--hidden-size", 2]
    options += ["--max-epochs", 200, "--no-refit"]
    done = elman("train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", "--label", "direction", *options)
    model = library.load(tmp_path / "m")
    assert (model.tol, model.standardise, model.dtype) == (100, False, "float64")
    assert model.training_["epochs"] == 4  # the first epoch counts as a fall
    lines = [line for line in done.err.splitlines() if line.startswith("epoch")]
    assert lines[-1].startswith("epoch   4/200 "), "the last epoch has its line although training stopped early"
    assert "still improving" not in done.out


def test_the_summary_says_what_was_chosen_and_whether_to_go_on(elman, files, tmp_path):
    options = ["--label", "direction", "--max-epochs", 4, "--num-layers", 1, "--schedule", "constant", "--no-refit"]
    arguments = ["train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", *options]
    done = elman(*arguments, "--learning-rate", 0.0001)
    assert "best in epoch 4." in done.out
    short = "It was trained for 4 epochs only, and was still improving: try --max-epochs auto or --max-epochs 100."
    assert short in done.prose
    assert "the order of the steps may not matter" not in done.prose
    assert "With so few sequences, small differences mean little." in " ".join(done.out.split())
    done = elman(*arguments, "--no-validation")
    assert "best in epoch" not in done.out
    assert short in done.prose


def test_what_was_chosen_and_that_all_data_was_learned_in_the_end_is_told(elman, files, tmp_path):
    options = ["--label", "direction", "--hidden-size", 4, "--max-epochs", 4]
    done = elman("train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", *options)
    end = r"; then \d epochs? on all 36\. \d+\.\d s in all\."
    assert re.search(r"Trained on 30 sequences, validated on 6: 4 epochs, best in epoch \d" + end, done.prose)
    assert "These figures are of the network that was trained without it:" in done.prose
    assert max(map(len, done.out.splitlines()[:-3])) <= 80
    assert refit_line(36) in done.err.splitlines()
    told = elman("info", tmp_path / "m").prose
    assert re.search(end, told)
    assert "These figures are of the network that was trained without it:" in told
    assert "batch_size auto (16), " in told
    assert "initialisation auto (orthogonal), n_iter_no_change auto (none), refit auto (yes)" in told
    assert "max_epochs" not in told
    once = elman("train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", *options, "--no-refit", "--batch-size", 8)
    assert "once more" not in once.out + once.err
    told = elman("info", tmp_path / "m").prose
    assert "batch_size 8, " in told
    assert "on all" not in told
    assert "without it" not in told
    assert "refit" not in told


@pytest.mark.parametrize(
    ("accuracy", "logistic", "majority", "expected"),
    [
        (0.9, 0.8, 0.7, ""),
        (0.8, 0.8, 0.7, "Logistic regression does as well here: the order of the steps may not matter, or there is"),
        (0.7, 0.8, 0.7, "Logistic regression does better here: the order of the steps may not matter, or there is"),
        (0.6, 0.5, 0.7, "The most frequent class, predicted each time, does better here: there may be too little data"),
    ],
)
def test_what_it_means_that_a_baseline_wins_is_said_where_one_does(accuracy, logistic, majority, expected):
    rivals = {"summary_statistics": {"accuracy": logistic}, "majority": {"accuracy": majority}}
    figures = {"accuracy": accuracy, "baselines": rivals}
    said = verdict(figures, 50, every_step=False)
    assert said.startswith(expected)
    assert bool(said) == bool(expected)
    few = "With so few sequences, small differences mean little."
    assert verdict(figures, 49, every_step=False) == f"{said} {few}".strip()
    cut_short = verdict(figures, 50, every_step=False, is_cut_short=True)
    assert ("here: training of the network was cut short." in cut_short) == bool(expected)
    assert "little data" not in cut_short
    of_steps = verdict(figures, 50, every_step=True)
    assert ("length, of the sequence up to each step." in of_steps) == expected.startswith("Logistic")


def test_a_baseline_that_chance_sets_apart_is_not_called_better():
    rivals = {"summary_statistics": {"accuracy": 0.81}, "majority": {"accuracy": 0.3}}
    figures = {"accuracy": 0.8, "baselines": rivals}
    near = verdict(figures, 370, every_step=False, p_values={"summary_statistics": 0.62, "majority": 0.0})
    assert near.startswith("Logistic regression cannot be told apart from this model (p = 0.62) here: the order")
    far = verdict(figures, 370, every_step=False, p_values={"summary_statistics": 0.04, "majority": 0.0})
    assert far.startswith("Logistic regression does better here: ")


def test_a_network_far_behind_the_regression_is_to_blame_and_not_the_data():
    rivals = {"summary_statistics": {"accuracy": 0.986}, "majority": {"accuracy": 0.1}}
    said = verdict({"accuracy": 0.39, "baselines": rivals}, 54, every_step=False)
    assert said.startswith("Logistic regression does better here: the network has not learned what is there. It sees")
    of_few = verdict({"accuracy": 0.8, "baselines": rivals}, 10, every_step=False)
    assert "the order of the steps may not matter" in of_few


def test_labels_and_groups_that_are_of_no_use_may_hold_anything(elman, files, tmp_path):
    table = polars.read_csv(files / "walks_TEST.csv")
    row = polars.int_range(table.height)
    messy = polars.when(row % 2 == 0).then(polars.lit("m")).when(row % 3 == 0).then(polars.lit("n"))
    table.with_columns(messy.alias("direction"), messy.alias("subject")).write_csv(tmp_path / "messy.csv")
    for name, file in (("a.csv", files / "walks_TEST.csv"), ("b.csv", tmp_path / "messy.csv")):
        done = elman("predict", files / "walks.model", file, "-o", tmp_path / name)
        assert done.code == 0, done.err
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    table.with_columns(messy.alias("subject")).write_csv(tmp_path / "messy.csv")
    assert elman("evaluate", files / "walks.model", tmp_path / "messy.csv").code == 0


def test_groups_and_threads_arrive(elman, files, tmp_path, monkeypatch, small):
    given = []
    real = library.SequenceClassifier.fit

    def fit(self, X, y, **options):
        given.append((options["groups"].tolist(), self.n_threads))
        return real(self, X, y, **options)

    monkeypatch.setattr("elman.estimators.classifier.SequenceClassifier.fit", fit)
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small]
    assert elman(*arguments, "--group", "subject").code == 0
    assert given == [([f"p{n // 3 % 6}" for n in range(36)], 1)]


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("Unable to allocate 9. TiB")])
def test_a_lack_of_memory_is_one_sentence(elman, files, tmp_path, monkeypatch, error):
    def never(*arguments, **options):
        raise error

    monkeypatch.setattr("elman.estimators.classifier.SequenceClassifier.fit", never)
    done = elman("train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("error: the memory does not suffice")
    assert str(error) in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_classes_are_told_with_their_counts(elman, files, tmp_path, small):
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small]
    assert "note: 3 classes: falls 12, rises 12, stays 12.\n" in elman(*arguments).err


def test_classes_are_weighted_where_asked(elman, files, tmp_path, small):
    arguments = ["train", files / "walks_TRAIN.csv", "--model", tmp_path / "m", "--label", "direction", *small]
    assert elman(*arguments, "--class-weight", "balanced").code == 0
    assert elman("info", tmp_path / "m", "--json").data["parameters"]["class_weight"] == "balanced"
    done = elman(*arguments, "--class-weight", "even")
    assert "error: --class-weight must be balanced. Got 'even' instead." in done.err


@pytest.mark.parametrize(
    ("written", "sizes"), [("64", 64), ("128,64", (128, 64)), ("(64, 32)", (64, 32)), ("[8,]", 8), ("wide", "wide")]
)
def test_sizes_may_stand_in_brackets(written, sizes):
    assert _value("hidden_size", written) == sizes


def test_a_table_of_one_step_each_is_asked_about(elman, tmp_path, small):
    path = tmp_path / "wide.csv"
    path.write_text("id,t0,t1,label\n" + "".join(f"{n},{n},{n % 2},{'uv'[n % 2]}\n" for n in range(20)))
    done = elman("train", path, "--model", tmp_path / "m", *small)
    assert "warning: Every sequence has one step: is this a wide table, a row a sequence?" in done.err


def test_all_columns_that_are_not_known_are_asked_for_at_once(elman, tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("word,lang\nhaus,de\n")
    done = elman("train", path, "--model", tmp_path / "m")
    assert "Name them with --id and --label; the columns are 'word', 'lang'." in done.err
    assert done.err.endswith("If each row is a text, name its column with --text instead of an id.\n")
