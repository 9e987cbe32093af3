"""`elman tune`: search, report, model, and what it refuses."""

import inspect
import io

import pytest
from rich.console import Console

from elman import SequenceClassifier, load
from elman.cli.parameters import parameters_of
from elman.cli.train import train

SMALL = ["--label", "direction", "--group", "subject", "--hidden-size", "4", "--max-epochs", "3", "--threads", "1"]
FEW = ["--cell", "gru", "--num-layers", "1", "--readout", "last", "--recurrent-dropout", "0", "--weight-decay", "0"]


@pytest.fixture
def training(files):
    return files / "walks_TRAIN.csv"


def test_a_search_saves_the_best_model_and_says_what_came_of_it(elman, training, tmp_path):
    model = tmp_path / "best.model"
    done = elman("tune", training, "--model", model, *SMALL, *FEW, "--trials", "3", "--folds", "2")
    assert done.code == 0, done.err
    assert "note: Searching learning_rate 0.0003..0.03; batch_size auto,8,16,32,64,128." in done.err
    assert "trial 3/3" in done.err
    assert "Best of 3 trials" in done.out
    assert "than with the defaults: in" in done.out or "nothing was better than the defaults" in done.out
    assert "look better than they are" in done.out
    assert "shares 'subject' with what was trained on" in done.out
    assert f"elman evaluate {model} {training.parent / 'walks_TEST.csv'}" in done.out
    assert elman("evaluate", model, training.parent / "walks_TEST.csv").code == 0


def test_json_tells_of_every_trial_and_a_study_goes_on(elman, training, tmp_path):
    model, study = tmp_path / "best.model", tmp_path / "study.db"
    command = ["tune", training, "-m", model, *SMALL, *FEW, "--folds", "2", "--study", study, "--json"]
    arguments = [*command, "--search", "batch-size=8,16", "--search", "learning_rate=1e-3..1e-1"]
    first = elman(*arguments, "--trials", "2")
    assert first.code == 0, first.err
    again = elman(*arguments, "--trials", "3")
    assert "Going on after 2 trials of the study" in again.err
    found = again.data
    assert found["trials"][:2] == first.data["trials"]
    assert [trial["number"] for trial in found["trials"]] == [1, 2, 3]
    assert found["space"] == {"batch_size": "8,16", "learning_rate": "0.001..0.1"}
    assert found["best"]["loss"] == min(trial["loss"] for trial in found["trials"]) <= found["start"]["loss"]
    assert found["split_by"] == "group"
    best = load(model)
    assert {name: best.get_params()[name] for name in found["space"]} == found["best"]["parameters"]
    assert best.hidden_size == 4
    assert best.columns_["label"] == "direction"
    refused = elman(*arguments, "--trials", "3", "--max-epochs", "4")
    assert (refused.code, "max_epochs was 3, is 4" in refused.err) == (2, True)


def test_a_validation_file_measures_the_trials(elman, training, tmp_path):
    test = training.parent / "walks_TEST.csv"
    arguments = ["tune", training, "-m", tmp_path / "m", "--validation", test, *SMALL, *FEW, "--trials", "1", "--json"]
    done = elman(*arguments)
    assert done.code == 0, done.err
    assert done.data["training"]["n_validation"] == 18
    assert done.data["gain"] == {"mean": 0.0, "error": None, "n_better": 0, "n_folds": 1}
    assert elman(*arguments, "--folds", "2").code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--search", "hidden_size=8,16", "--hidden-size", "4"], "--hidden-size sets what --search hidden_size=8,16"),
        (["--search", "nothing=1,2"], "There is no parameter 'nothing' to search"),
        (["--search", "hiden_size=1,2"], ". Did you mean 'hidden_size'?"),
        (["--cell", "gruu"], "'elman', 'elman_relu', 'lstm', 'gru'}. Got 'gruu' instead. Did you mean 'gru'?"),
        (["--label", "directon"], ". Did you mean 'direction'?"),
        (["--search", "dropout"], "--search must be NAME=a,b,c or NAME=low..high"),
        (["--search", "dropout=0,0.1", "--search", "dropout=0,0.2"], "--search names dropout twice"),
        (["--search", "cell=gru,what"], "What is searched of 'cell' must be a str among"),
        (["--trials", "0"], "--trials must be an int in the range [1, 1000000]. Got 0 instead."),
        (["--minutes", "-1"], "--minutes must be a float in the range (0.0, 1e+300) or None. Got -1.0 instead."),
        (["--folds", "0"], "--folds must be an int in the range [1, 1000]. Got 0 instead."),
        (["--study", "{model}"], "the study and the model would overwrite each other. Choose another name for one."),
        (["--study", "{data}"], "the study and the data would overwrite each other. Choose another name for one."),
        (["--study", "nowhere/study.db"], "there is no folder"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line(elman, training, tmp_path, options, message):
    options = [option.format(model=tmp_path / "m", data=training) for option in options]
    done = elman("tune", training, "-m", tmp_path / "m", "--label", "direction", *options)
    assert done.code == 2
    assert message in done.err
    assert done.err.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "m").exists()


def test_options_of_train_are_parameters_by_one_rule():
    options = {name: parameter.default for name, parameter in inspect.signature(train).parameters.items()}
    found = parameters_of(options)
    defaults = SequenceClassifier(early_stopping=True, random_state=0).get_params()
    assert found == {name: defaults[name] for name in found}
    assert {"cell", "n_threads", "n_iter_no_change", "text", "missing", "standardise"} <= found.keys()


def test_the_live_table_shows_the_last_trials_the_best_and_what_runs():
    from elman.cli.search_progress import SearchProgress, _display

    progress = SearchProgress(30, None)
    for number, loss in enumerate([0.5, 0.3, None, *[0.4] * 9], start=1):
        state = "pruned" if loss is None else "complete"
        progress.on_trial({"number": number, "state": state, "loss": loss, "epochs": 20, "seconds": 1.0})
    progress.on_epoch(13, {"epoch": 7})
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(_display(progress))
    lines = console.export_text().splitlines()
    assert lines[0].startswith("12/30 trials")
    assert [line.split()[0] for line in lines[2:12]] == [str(number) for number in range(3, 13)]
    assert "fell behind in epoch 20" in lines[2]
    assert lines[-2:] == ["best 0.3000 in trial 2", "trial 13, epoch 7"]


def test_help_shows_the_options_of_search_and_of_train(elman):
    text = elman("tune", "--help").out
    for option in ("--trials", "--minutes", "--folds", "--study", "--search", "--cell", "--group", "--validation"):
        assert option in text
    assert "--no-validation" not in text
