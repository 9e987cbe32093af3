"""A study on disk: gone on with as if it had never been interrupted, and never taken for what it is not."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from elman import FileError, OutputError
from elman.search.domains import Range
from search.conftest import SPACE, USUAL, make_data, make_small, without_time


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    """A study with two trials, and the arguments that it goes on with."""
    from elman.search.tuning import tune

    path = tmp_path_factory.mktemp("studies") / "begun.db"
    tune(make_small(), *make_data(), space=SPACE, pinned=USUAL, n_trials=2, folds=2, refit=False, study=path)
    return path


@pytest.fixture
def study(begun, tmp_path):
    """A copy of it, under a name that a URL cannot hold."""
    return shutil.copy(begun, tmp_path / "a b?c#d%e.db")


def test_a_search_that_goes_on_finds_what_an_uninterrupted_one_finds(search, study, whole):
    told = []
    search(study=study, n_trials=7, on_begin=lambda space, trials: told.extend(trials))
    went_on = search(study=study, n_trials=12)
    assert without_time(went_on.trials) == without_time(whole.trials)
    assert went_on.importances == whole.importances
    assert [trial["number"] for trial in told] == [1, 2]


def test_a_study_that_has_enough_trials_runs_no_more(search, study):
    ran = []
    found = search(study=study, n_trials=2, on_trial=ran.append)
    assert ran == []
    assert len(found.trials) == 2


def test_without_a_seed_of_its_own_a_search_goes_on_with_that_of_the_study(search, small, tmp_path):
    path = tmp_path / "new.db"
    first = search(small.set_params(random_state=None), study=path, n_trials=2)
    again = search(small, study=path, n_trials=3)
    assert again.estimator.random_state == first.estimator.random_state
    assert without_time(again.trials[:2]) == without_time(first.trials)


def test_a_trial_that_another_program_left_running_does_not_count(search, study, whole):
    with sqlite3.connect(study) as connection:
        connection.execute(
            "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (2, 1, 'RUNNING', '2026-01-01')"
        )
    connection.close()
    assert without_time(search(study=study, n_trials=3).trials) == without_time(whole.trials[:3])


def test_a_killed_search_goes_on(search, tmp_path, whole):
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from elman.search.tuning import tune; from search.conftest import SPACE, USUAL, make_data, make_small\n"
        "tune(make_small(), *make_data(), space=SPACE, pinned=USUAL, n_trials=500, folds=2, study=sys.argv[1],\n"
        "     on_trial=lambda record: print(record['number'], flush=True))"
    )
    path = tmp_path / "killed.db"
    running = subprocess.Popen([sys.executable, "-c", code, path, *sys.path], stdout=subprocess.PIPE, text=True)
    while int(running.stdout.readline()) < 3:
        pass
    with pytest.raises(FileError, match="open in another process"):
        search(study=path)
    time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    told = []
    found = search(study=path, n_trials=3, on_begin=lambda space, trials: told.extend(trials))
    assert len(told) >= 3
    assert without_time(found.trials[:3]) == without_time(whole.trials[:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": make_data(seed=1)}, "the study is of other data"),
        ({"groups": np.arange(24) // 2}, "the study is of other data"),
        ({"folds": 3}, "of other settings: folds was 2, is 3"),
        ({"space": {"learning_rate": Range(1e-3, 1e-1)}}, "batch_size was '4..16', is 'auto,8,16,32,64,128'"),
    ],
)
def test_a_study_of_something_else_is_refused(search, study, change, message):
    with pytest.raises(FileError, match=message):
        search(study=study, **change)


def test_a_study_of_other_parameters_or_another_seed_is_refused(search, small, study):
    with pytest.raises(FileError, match="max_epochs was 3, is 4"):
        search(small.set_params(max_epochs=4), study=study)
    with pytest.raises(FileError, match="seed was 0, is 7"):
        search(small.set_params(max_epochs=3, random_state=7), study=study)


def test_the_number_of_threads_is_free(search, small, study):
    assert len(search(small.set_params(n_threads=2), study=study, n_trials=2).trials) == 2


def test_what_is_no_study_is_refused_and_left_as_it_is(search, tmp_path):
    text = tmp_path / "text.db"
    text.write_text("id,time\n")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE bookmarks (name TEXT)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(FileError, match="expected a study, which is a SQLite file, got another kind"):
        search(study=text)
    with pytest.raises(FileError, match="got a SQLite file of something else"):
        search(study=other)
    assert (text.read_text(), other.read_bytes()) == ("id,time\n", before)
    with pytest.raises(OutputError, match="there is no folder"):
        search(study=tmp_path / "nowhere" / "study.db")
    with pytest.raises(OutputError, match="got a folder"):
        search(study=tmp_path)


def test_a_study_of_another_program_is_refused(search, tmp_path):
    import optuna

    path = tmp_path / "foreign.db"
    optuna.create_study(storage=f"sqlite:///{path}", study_name="elman").add_trial(
        optuna.trial.create_trial(params={}, distributions={}, value=1.0)
    )
    with pytest.raises(FileError, match="a study that elman did not write"):
        search(study=path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE study_user_attributes SET value_json = '[1]'",
        "UPDATE study_user_attributes SET value_json = '{\"format\": 1}'",
        "UPDATE study_user_attributes SET value_json = '{'",
        "UPDATE trial_user_attributes SET value_json = '{}'",
        "UPDATE trial_user_attributes SET value_json = 'nonsense'",
        "UPDATE trial_values SET value = -1.0",
        "UPDATE trial_params SET param_value = 1e9",
        "UPDATE trial_params SET distribution_json = '{}'",
        "DELETE FROM trial_params",
        "DELETE FROM trial_values",
        "DROP TABLE trial_values",
        "UPDATE alembic_version SET version_num = 'v99.0.0.a'",
        "UPDATE trial_intermediate_values SET intermediate_value = 'many'",
    ],
)
def test_a_tampered_study_is_refused_in_a_sentence(search, study, statement):
    with sqlite3.connect(study) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(FileError, match="Name another file") as error:
        search(study=study)
    assert len(str(error.value)) < 400


def test_a_damaged_file_is_refused_wherever_it_is_cut_or_overwritten(search, study):
    sound = study.read_bytes()
    rng = np.random.default_rng(0)
    sentences = []
    for place in rng.integers(100, len(sound) - 9000, 6).tolist():
        study.write_bytes(sound[:place] + rng.bytes(9000) + sound[place + 9000 :])
        try:
            search(study=study, n_trials=2)  # pages that nothing lies in may be anything
        except FileError as error:
            sentences.append(str(error))
    assert len(sentences) >= 2
    assert all("Name another file" in sentence for sentence in sentences)
    study.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(FileError, match="damaged"):
        search(study=study)
