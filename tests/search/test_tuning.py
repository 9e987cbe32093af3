"""`tune`: never worse than the start, the same again, on whole groups, and what ends it."""

import sys

import numpy as np
import pytest

from elman import DataError, MissingExtraError, ParameterError, SequenceTagger, TrainingError
from elman.search.pruning import Curve, falls_behind
from elman.search.result import compare
from elman.search.tuning import tune
from search.conftest import USUAL, make_data, without_time


def test_the_first_trial_is_the_estimator_itself_and_the_best_is_never_worse(search, small):
    found = search()
    assert found.start["parameters"] == {"learning_rate": small.learning_rate, "batch_size": 10}  # for auto the middle
    assert found.best_loss == min(trial["loss"] for trial in found.trials) <= found.start["loss"]
    assert found.best_loss == pytest.approx(np.mean(found.best["fold_losses"]), rel=1e-15)
    assert found.gain.mean == pytest.approx(found.start["loss"] - found.best_loss, rel=1e-9)
    assert found.estimator.get_params()["learning_rate"] == found.best_parameters["learning_rate"]


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(search, small):
    first, again = search(), search()
    assert without_time(first.trials) == without_time(again.trials)
    other = search(small.set_params(random_state=1))
    assert [trial["parameters"] for trial in other.trials[1:]] != [trial["parameters"] for trial in first.trials[1:]]


def test_with_one_fold_a_trial_is_what_fit_does_and_the_refit_model_has_its_loss(search, data):
    found = search(folds=1, n_trials=2, refit=True)
    best_epoch = found.estimator.history_[found.estimator.training_["best_epoch"] - 1]
    assert best_epoch["validation_loss"] == found.best_loss
    assert found.gain.error is None


def test_losses_are_measured_on_validation_data_where_it_is_given(search, small, data):
    X, y = make_data(12, seed=5)
    found = search(folds=1, n_trials=1, validation=(X, y))
    alone = small.set_params(batch_size=10).fit(*data, validation=(X, y))
    assert found.best_loss == min(record["validation_loss"] for record in alone.history_)


def test_a_trial_that_falls_behind_is_given_up(search, small):
    small.set_params(max_epochs=10)
    space = {"learning_rate": [0.05, 1e-6, 1e-7], "batch_size": [4]}
    found = search(small.set_params(learning_rate=0.05), space=space, n_trials=10)
    behind = [trial for trial in found.trials if trial["state"] == "pruned"]
    assert behind
    assert all(trial["loss"] is None and trial["epochs"] < 20 for trial in behind)
    assert all(trial["parameters"]["learning_rate"] < 0.05 for trial in behind)
    assert found.best_parameters["learning_rate"] == 0.05


def test_importances_are_shares_told_once_there_are_trials_enough(search, whole):
    assert search().importances == {}
    assert sum(trial["state"] == "complete" for trial in whole.trials) >= 8
    assert set(whole.importances) == {"learning_rate", "batch_size"}
    assert sum(whole.importances.values()) == pytest.approx(1)
    assert list(whole.importances.values()) == sorted(whole.importances.values(), reverse=True)


def test_falling_behind_is_being_worse_than_the_median_of_what_others_had_by_then():
    others = [Curve({1: loss, 5: loss / 2}) for loss in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert falls_behind(0.61, 4, others)
    assert not falls_behind(0.6, 4, others)
    assert falls_behind(0.31, 9, others)
    assert not falls_behind(9.0, 9, others[:4])


def test_a_trial_in_which_training_breaks_down_counts_and_the_search_goes_on(search, small):
    small.set_params(learning_rate=1e299)
    found = search(small, space={"learning_rate": [1e299, 0.005], "batch_size": [8]}, n_trials=6)
    assert found.start["state"] == "failed"
    assert found.gain is None
    assert found.best_parameters["learning_rate"] == 0.005
    with pytest.raises(TrainingError, match="broke down in every trial"):
        search(small, space={"learning_rate": [1e299], "batch_size": [8]}, n_trials=2)


def test_a_callback_ends_the_search_and_the_trial_that_runs_does_not_count(search):
    assert len(search(on_trial=lambda record: record["number"] == 2).trials) == 2
    found = search(on_epoch=lambda number, record: number == 2 and record["epoch"] == 2)
    assert len(found.trials) == 1
    assert not found.interrupted


def test_ctrl_c_keeps_the_best_so_far_and_before_there_is_one_is_passed_on(search):
    def interrupt_in(trial):
        def on_epoch(number, record):
            if number == trial:
                raise KeyboardInterrupt

        return on_epoch

    found = search(on_epoch=interrupt_in(3), n_trials=5)
    assert found.interrupted
    assert len(found.trials) == 2
    with pytest.raises(KeyboardInterrupt):
        search(on_epoch=interrupt_in(1))


def test_the_time_limit_ends_the_search_but_not_before_the_first_trial(search):
    found = search(timeout=1e-9, n_trials=50)
    assert [trial["number"] for trial in found.trials] == [1]
    assert found.start["epochs"] == 6


def test_the_tagger_is_searched_on_folds_with_steps_that_have_no_label(data):
    X, _ = data
    y = [np.where(np.diff(x, prepend=0) > 0, "up", "down").astype(object) for x in X]
    for labels in y[::3]:
        labels[0] = None
    tagger = SequenceTagger(hidden_size=4, max_epochs=2, random_state=0, n_threads=1)
    pinned = [name for name in USUAL if name != "readout"]
    found = tune(tagger, X, y, space={"learning_rate": [0.05]}, pinned=pinned, n_trials=2, folds=2, refit=True)
    assert found.estimator.predict(X[:1])[0].shape == X[0].shape
    assert len(found.best["fold_losses"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_trials": 0}, "The 'n_trials' parameter of tune must be an int"),
        ({"folds": 1.5}, "The 'folds' parameter of tune"),
        ({"timeout": -1}, "The 'timeout' parameter of tune"),
        ({"validation": ([], []), "folds": 2}, "'validation' has no use with folds=2"),
        ({"space": None, "pinned": [*USUAL, "learning_rate", "batch_size"]}, "There must be a parameter to search"),
    ],
)
def test_arguments_out_of_their_contract_are_refused(search, arguments, message):
    with pytest.raises(ParameterError, match=message):
        search(**arguments)


def test_there_must_be_something_to_measure_on(search, small):
    with pytest.raises(ParameterError, match="needs sequences to measure trials on"):
        search(small.set_params(early_stopping=False), folds=1)
    with pytest.raises(DataError, match="25 folds need at least as many sequences"):
        search(folds=25)


def test_gain_is_paired_over_folds():
    gain = compare([0.5, 0.7, 0.6], [0.4, 0.5, 0.6])
    assert gain.mean == pytest.approx(0.1)
    assert gain.error == pytest.approx(0.1 / 3**0.5)
    assert (gain.n_better, gain.n_folds) == (2, 3)


def test_without_optuna_the_error_names_the_extra(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'elman\[tune\]'"):
        search()
