import pickle
import random

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from elman import DataError, ParameterError, SequenceClassifier, Sequences, SequenceTagger, load
from elman.data import as_sequences, forms, text
from elman.errors import TrainingError
from elman.estimators.base import RecurrentEstimator
from elman.estimators.baselines import Baselines
from elman.estimators.evaluation import evaluate
from elman.estimators.parameters import (
    CELLS,
    CONSTRAINTS,
    INITIALISATIONS,
    LAYOUTS,
    MISSING,
    OPTIMIZERS,
    READOUTS,
    SPLITS,
    _shown,
)
from elman.estimators.progress import refit_line
from elman.kernels import cells
from elman.network import architecture, parameters
from elman.network.network import Network
from elman.training import settings


def test_it_learns_ragged_sequences_and_tells_unseen_ones_apart(trained, unseen):
    X, y = unseen
    assert trained.score(X, y) >= 0.9
    assert trained.predict(X).dtype == y.dtype
    assert trained.classes_.tolist() == ["falls", "rises", "stays"]
    assert trained.n_features_in_ == 2


def test_predict_is_the_class_of_the_greatest_probability(trained, unseen):
    proba = trained.predict_proba(unseen[0])
    assert proba.dtype == np.float64
    assert np.allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert np.array_equal(trained.predict(unseen[0]), trained.classes_[proba.argmax(axis=1)])


def test_prediction_does_not_depend_on_the_batch_it_rides_in(trained, unseen):
    together = trained.predict_proba(unseen[0])
    alone = np.concatenate([trained.predict_proba([sequence]) for sequence in unseen[0]])
    assert np.array_equal(together, alone)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(ragged, unseen):
    def proba(seed, n_threads=1):
        model = SequenceClassifier(hidden_size=5, max_epochs=3, random_state=seed, n_threads=n_threads)
        return model.fit(*ragged).predict_proba(unseen[0])

    assert np.array_equal(proba(4), proba(4, n_threads=2))
    assert not np.array_equal(proba(4), proba(5))


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_moves_on_from_fit_to_fit(ragged, make):
    def two_fits():
        rng = make(11)
        fits = [SequenceClassifier(hidden_size=3, max_epochs=1, random_state=rng).fit(*ragged) for _ in range(2)]
        return [fit.network_.parameters.vector for fit in fits]

    first, again = two_fits(), two_fits()
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([3, -1, 3, -1], np.int64),
        ([True, False, True, False], np.bool_),
        (["b", "a", "b", "a"], np.str_),
        ([1.0, 0.0, 1.0, 0.0], np.int64),
        (np.array(["b", "a", "b", "a"], dtype=object), np.str_),
        (np.array([2, 1, 2, 1], dtype=np.uint8), np.int64),
    ],
)
def test_labels_of_any_type_come_back_as_they_were(labels, expected):
    X = [np.arange(5.0), -np.arange(5.0)] * 2
    model = SequenceClassifier(hidden_size=4, max_epochs=30, early_stopping=False, random_state=0).fit(X, labels)
    predicted = model.predict(X)
    assert predicted.dtype.type is expected
    assert predicted.tolist() == list(labels)


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a", "a", "a"], r"y must hold at least two classes\. Got one class, 'a'; .*"),
        (["a", "b"], r"y must hold one label for each sequence, 3\. Got 2 instead; .*SequenceTagger\."),
        (["a", None, "b"], r"y\[1\]: expected a label, got None\. Drop .*"),
        ([1.0, np.nan, 2.0], r"y\[1\]: expected a label, got nan\. .*"),
        (np.array([1.0, 0.0, np.inf]), r"y\[2\]: expected a label, got inf \(NaN and inf are none\)\. .*"),
        (["a", 1, "b"], r"y\[1\]: expected a text, as the first label 'a' is, got 1\. Give all labels one type\."),
        ([1, True, 0], r"y\[1\]: expected a number, as the first label 1 is, got True\. .*"),
        ([0.5, 1.5, 0.5], r"Unknown label type: continuous\. y\[0\] must be .*Got 0\.5 instead; .*"),
        ("aba", r"y must be an array of labels\. Got 'aba' instead\."),
        (None, r"y must hold the labels: .*None\."),
        ([["a"], ["b", "a"], ["a"]], r"y must be a flat array of labels, one each\. Got a nested or ragged one\."),
        ([1j, 2j, 1j], r"y\[0\]: expected a label as text, whole number or boolean, got a complex\."),
    ],
)
def test_labels_that_are_none_get_one_sentence(y, sentence):
    with pytest.raises(DataError, match=rf"^{sentence}$"):
        SequenceClassifier(max_epochs=1).fit([[1.0, 2.0], [2.0], [3.0]], y)


def interrupt(done, total):
    raise KeyboardInterrupt


def break_down(record):
    raise TrainingError


SIZES = "an int in the range [1, 65536] or a tuple of them"
SEED = "an int in the range [0, 9223372036854775807], a numpy.random.Generator, a numpy.random.RandomState or None"


@pytest.mark.parametrize(
    ("parameter", "value", "contract"),
    [
        ("hidden_size", 0, SIZES),
        ("hidden_size", 2.0, SIZES),
        ("hidden_size", True, SIZES),
        ("hidden_size", (8, 0), SIZES),
        ("hidden_size", (), SIZES),
        ("zoneout", 1.0, "a float in the range [0.0, 1.0)"),
        ("cell", "convolution", "a str among {'elman', 'elman_relu', 'lstm', 'gru'}"),
        ("dropout", 1.0, "a float in the range [0.0, 1.0)"),
        ("dropout", float("nan"), "a float in the range [0.0, 1.0)"),
        ("learning_rate", 0, "a float in the range (0.0, 1e+300) or 'auto'"),
        ("learning_rate", "fast", "a float in the range (0.0, 1e+300) or 'auto'"),
        ("clip_norm", -1, "a float in the range (0.0, 1e+300) or None"),
        ("bidirectional", 1, "a bool"),
        ("validation_fraction", 1.0, "a float in the range (0.0, 1.0)"),
        ("n_threads", 0, "an int in the range [1, 2147483647] or None"),
        ("num_layers", 10**400, "an int in the range [1, 1024]"),
        ("learning_rate", 10**400, "a float in the range (0.0, 1e+300) or 'auto'"),
        ("learning_rate", 1e300, "a float in the range (0.0, 1e+300) or 'auto'"),
        ("random_state", 2**63, SEED),
        ("random_state", random.Random(0), SEED),
        ("max_epochs", None, "an int in the range [1, 2147483647] or 'auto'"),
        ("random_state", "seed", SEED),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_contract(ragged, parameter, value, contract):
    with pytest.raises(ParameterError) as caught:
        SequenceClassifier(**{parameter: value}).fit(*ragged)
    assert str(caught.value) == (
        f"The '{parameter}' parameter of SequenceClassifier must be {contract}. Got {_shown(value)} instead."
    )


def test_nesterov_needs_momentum(ragged):
    with pytest.raises(ParameterError, match=r"'momentum' .* must be above 0 for Nesterov's momentum\. Got 0\.0"):
        SequenceClassifier(optimizer="sgd", nesterov=True).fit(*ragged)


def test_numpy_scalars_are_parameters_like_any_other(ragged):
    model = SequenceClassifier(
        hidden_size=np.int64(3), learning_rate=np.float32(0.01), bidirectional=np.bool_(False), max_epochs=1
    )
    assert model.fit(*ragged).network_.architecture.hidden_size == 3


def test_every_parameter_has_a_constraint_and_names_are_those_that_the_network_knows():
    assert set(CONSTRAINTS) == set(SequenceClassifier().get_params()) | set(SequenceTagger().get_params())
    assert set(CELLS) == set(cells.CELLS)
    assert READOUTS == architecture.READOUTS
    assert set(INITIALISATIONS) == set(parameters.INITIALISATIONS)
    assert OPTIMIZERS == settings.OPTIMIZERS
    assert (MISSING, LAYOUTS, SPLITS) == (forms.MISSING, forms.LAYOUTS, text.SPLITS)


@pytest.mark.parametrize("parameter", [{"cell": cell} for cell in CELLS] + [{"optimizer": name} for name in OPTIMIZERS])
def test_every_cell_and_optimizer_trains(ragged, parameter):
    model = SequenceClassifier(hidden_size=4, max_epochs=8, early_stopping=False, random_state=0, **parameter)
    losses = [record["training_loss"] for record in model.fit(*ragged).history_]
    assert losses[-1] < losses[0]


def test_a_validation_part_is_set_aside_by_class_and_its_best_epoch_is_kept(ragged):
    model = SequenceClassifier(
        hidden_size=4, max_epochs=40, n_iter_no_change=5, validation_fraction=0.2, refit=False, random_state=0
    )
    model.fit(*ragged)
    losses = [record["validation_loss"] for record in model.history_]
    assert (model.training_["n_training"], model.training_["n_validation"]) == (36, 9)
    assert model.training_["best_epoch"] == int(np.argmin(losses)) + 1
    assert model.training_["validation"]["log_loss"] == pytest.approx(min(losses), rel=1e-6)
    assert model.n_iter_ == len(model.history_)


def test_groups_never_stand_in_both_parts(ragged, monkeypatch):
    X, y = ragged
    groups = np.array([f"person {n // 9}" for n in range(45)])  # each group holds every class
    X = [np.column_stack([x, np.full(len(x), n // 9)]) for n, x in enumerate(X)]  # the group, seen as a feature
    parts = []
    original = RecurrentEstimator._samples

    def record(self, part, *rest):
        parts.append({int(sequence[0, 2]) for sequence in part.sequences})
        return original(self, part, *rest)

    monkeypatch.setattr(RecurrentEstimator, "_samples", record)
    model = SequenceClassifier(hidden_size=2, max_epochs=1, validation_fraction=0.4, refit=False, random_state=0)
    model.fit(X, y, groups=groups)
    training, validation = parts
    assert training | validation == {0, 1, 2, 3, 4}
    assert not training & validation
    assert len(validation) == 2


def test_scaling_is_measured_on_the_training_part_alone(ragged, unseen):
    far = [sequence + 1000.0 for sequence in unseen[0]]
    model = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(*ragged, validation=(far, unseen[1]))
    values = np.concatenate(ragged[0])
    assert model.preparation_.standardiser.mean == pytest.approx(values.mean(axis=0), rel=1e-12)
    assert model.preparation_.standardiser.scale == pytest.approx(values.std(axis=0), rel=1e-12)
    assert (model.training_["n_training"], model.training_["n_validation"]) == (45, 22)


def test_without_early_stopping_all_data_is_trained_on_for_all_epochs(ragged):
    model = SequenceClassifier(hidden_size=2, max_epochs=4, early_stopping=False, random_state=0).fit(*ragged)
    assert (model.training_["n_training"], model.training_["n_validation"], model.n_iter_) == (45, 0, 4)
    assert model.training_["validation"] is None
    assert model.history_[0]["validation_loss"] is None


def test_validation_labels_never_seen_in_training_are_named(ragged):
    with pytest.raises(DataError, match=r"The label 'jumps' \(validation y\[0\]\) was never seen .* 'falls', 'rises'"):
        SequenceClassifier(max_epochs=1).fit(*ragged, validation=(ragged[0][:1], ["jumps"]))


def test_another_number_of_features_is_refused_naming_both(trained):
    with pytest.raises(DataError, match=r"^X has 3 features, but SequenceClassifier is expecting 2 features"):
        trained.predict([np.ones((4, 3))])


def test_features_with_names_are_found_in_any_order(ragged):
    flat = as_sequences(ragged[0])
    named = Sequences(flat.values, flat.offsets, ("trend", "noise"))
    swapped = Sequences(np.ascontiguousarray(flat.values[:, ::-1]), flat.offsets, ("noise", "trend"))
    model = SequenceClassifier(hidden_size=3, max_epochs=2, random_state=0).fit(named, ragged[1])
    assert np.array_equal(model.predict_proba(named), model.predict_proba(swapped))
    with pytest.raises(DataError, match="lacks 'noise'"):
        model.predict(Sequences(flat.values, flat.offsets, ("trend", "other")))


def test_clone_get_params_and_pickle_work(trained, unseen):
    copy = clone(trained)
    assert copy.get_params() == trained.get_params()
    assert not hasattr(copy, "classes_")
    again = pickle.loads(pickle.dumps(trained))
    assert np.array_equal(again.predict_proba(unseen[0]), trained.predict_proba(unseen[0]))


def test_cross_validation_takes_lists_and_sequences(ragged):
    model = SequenceClassifier(hidden_size=6, max_epochs=20, refit=False, random_state=0)
    from_list = cross_val_score(model, ragged[0], ragged[1], cv=3)
    from_sequences = cross_val_score(model, as_sequences(ragged[0]), ragged[1], cv=3)
    assert np.array_equal(from_list, from_sequences)
    assert from_list.mean() > 0.8


def test_before_fit_predict_and_save_say_so(tmp_path):
    with pytest.raises(NotFittedError):
        SequenceClassifier().predict([[1.0]])
    with pytest.raises(NotFittedError):
        SequenceClassifier().save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_the_best_epoch_and_before_the_first_epoch_is_passed_on(ragged):
    def stop_after(n_epochs):
        def stop(record):
            if record["epoch"] == n_epochs:
                raise KeyboardInterrupt

        return stop

    model = SequenceClassifier(hidden_size=4, random_state=0).fit(*ragged, on_epoch=stop_after(3))
    assert model.training_["interrupted"]
    assert model.n_iter_ == 3
    assert model.predict(ragged[0]).shape == (45,)

    def stop_at_once(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SequenceClassifier(hidden_size=4, random_state=0).fit(*ragged, on_step=stop_at_once)


def test_verbose_prints_a_line_an_epoch(ragged, capsys):
    SequenceClassifier(hidden_size=2, max_epochs=3, verbose=True, refit=False, random_state=0).fit(*ragged)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_verbose_says_when_all_data_is_trained_on(ragged, capsys):
    model = SequenceClassifier(hidden_size=2, max_epochs=3, verbose=True, refit=True, random_state=0).fit(*ragged)
    n = model.training_["best_epoch"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == refit_line(45)
    assert [line.split("  ")[0] for line in lines[4:]] == [f"epoch {epoch}/{n}" for epoch in range(1, n + 1)]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"dropout": 0.5, "num_layers": 1}, "'dropout' has no effect with one layer"),
        ({"residual": True, "num_layers": 1}, "'residual' has no effect without two neighbouring layers of one size"),
        ({"optimizer": "adamw", "momentum": 0.9}, "'momentum' has no effect with adamw"),
        ({"optimizer": "rmsprop", "momentum": 0.9, "nesterov": True}, "'nesterov' has no effect with rmsprop"),
        ({"cell": "elman", "forget_bias": 0.0}, "'forget_bias' has no effect with cell elman"),
        ({"cell": "lstm", "forget_bias": 0.0, "initialisation": "chrono"}, "'forget_bias' has no effect with chrono"),
        ({"optimizer": "adam", "centred": True}, "'centred' has no effect with adam: it is for rmsprop"),
        (
            {"final_rate": 0.1, "schedule": "step"},
            "'final_rate' has no effect with schedule step: it is for cosine and",
        ),
    ],
)
def test_a_setting_that_cannot_act_is_warned_of(ragged, parameters, sentence):
    with pytest.warns(UserWarning, match=sentence):
        SequenceClassifier(hidden_size=2, max_epochs=1, **parameters).fit(*ragged)


def test_one_sequence_in_the_place_of_several_is_explained(trained, ragged):
    one = ragged[0][0][:5]
    with pytest.raises(
        DataError, match=r"2 dimensions, which means 5 univariate sequences\. For one sequence pass \[X\]"
    ):
        trained.predict(one[:, [0, 1, 0]])
    assert len(trained.predict([one])) == 1


def test_verbose_says_why_the_first_step_takes_long(ragged, monkeypatch, capsys):
    import time

    import numba

    begin, compile_one = Network.loss_and_gradient, numba.njit(lambda x: x)

    def slow(*arguments, **options):
        compile_one(1)
        time.sleep(0.2)
        return begin(*arguments, **options)

    monkeypatch.setattr(Network, "loss_and_gradient", slow)
    monkeypatch.setattr("elman.estimators.progress.PATIENCE", 0.05)
    SequenceClassifier(hidden_size=2, max_epochs=1, verbose=True, refit=False).fit(*ragged)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["Preparing.", "epoch"]


def test_what_a_fit_leaves_behind_has_a_short_repr(trained):
    assert repr(trained.baselines_) == "Baselines(3 classes, 13 statistics)"


@pytest.mark.parametrize(
    ("refit", "error"),
    [
        (lambda model, X, y: model.fit([x[:, :1] for x in X], y, validation=(X, y)), DataError),
        (lambda model, X, y: model.fit([x[:, [0, 0, 1]] for x in X], ["one"] * len(X)), DataError),
        (lambda model, X, y: model.fit(X, np.char.upper(y), groups=["a"]), DataError),
        (lambda model, X, y: model.fit(X, np.char.upper(y), on_epoch=break_down), TrainingError),
        (lambda model, X, y: model.fit([x[:, :1] for x in X], y, on_step=interrupt), KeyboardInterrupt),
    ],
)
def test_a_refit_that_fails_leaves_the_old_model_whole(trained, ragged, unseen, refit, error):
    model = pickle.loads(pickle.dumps(trained))
    with pytest.raises(error):
        refit(model, *ragged)
    assert np.array_equal(model.predict_proba(unseen[0]), trained.predict_proba(unseen[0]))
    assert model.classes_.tolist() == trained.classes_.tolist()
    assert vars(model).keys() == vars(trained).keys()
    assert model.score(*unseen) == trained.score(*unseen)


def test_a_first_fit_that_fails_leaves_nothing(ragged):
    model = SequenceClassifier(hidden_size=3)
    before = dict(vars(model))
    with pytest.raises(TrainingError):
        model.fit(*ragged, on_epoch=break_down)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        model.predict(ragged[0])


@pytest.mark.filterwarnings("ignore:Labels never change within a sequence")
@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_scores_that_are_not_finite_are_refused_naming_the_sequence(ragged, monkeypatch, kind):
    X, y = ragged
    labels = y if kind is SequenceClassifier else [np.full(len(x), label) for x, label in zip(X, y)]
    model = kind(hidden_size=3, max_epochs=1, random_state=0).fit(X, labels)
    row = 3 if kind is SequenceClassifier else sum(len(x) for x in X[:3])
    logits = Network.logits

    def broken(*arguments, **options):
        scores = logits(*arguments, **options)
        scores[row] = np.inf
        return scores

    monkeypatch.setattr(Network, "logits", broken)
    for ask in (
        model.predict,
        model.predict_proba,
        lambda X: model.score(X, labels),
        lambda X: evaluate(model, X, labels),
    ):
        with pytest.raises(DataError, match=r"the network's scores of X\[3\] are not finite"):
            ask(X)


def test_scores_on_the_validation_part_that_are_not_finite_give_no_figures(ragged, monkeypatch):
    monkeypatch.setattr(RecurrentEstimator, "_unchecked_proba", lambda self, part: np.full((len(part), 3), np.nan))
    model = SequenceClassifier(hidden_size=3, max_epochs=1, random_state=0).fit(*ragged)
    assert model.training_["validation"] is None
    assert model.training_["n_validation"] == 9


@pytest.fixture
def parts(monkeypatch):
    """The parts that a network was trained and validated on, of the last fit."""
    seen = []
    original = RecurrentEstimator._samples

    def record(self, part, *rest):
        seen.append(part)
        return original(self, part, *rest)

    monkeypatch.setattr(RecurrentEstimator, "_samples", record)
    return seen


@pytest.mark.filterwarnings("ignore:Labels never change within a sequence")
@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_the_part_set_aside_leaks_into_nothing_that_is_fitted(ragged, parts, kind):
    X, y = ragged
    labels = y if kind is SequenceClassifier else [np.full(len(x), label) for x, label in zip(X, y)]
    model = kind(hidden_size=2, max_epochs=1, refit=False, random_state=0).fit(X, labels)
    training, held_out = parts
    assert len(training.sequences) + len(held_out.sequences) == len(X)
    values = training.sequences.values
    assert model.preparation_.standardiser.mean == pytest.approx(values.mean(axis=0), rel=1e-12)
    assert model.preparation_.standardiser.scale == pytest.approx(values.std(axis=0), rel=1e-12)
    expected = Baselines.fit(training.sequences, training.codes, 3, every_step=kind is SequenceTagger).arrays()
    for name, array in model.baselines_.arrays().items():
        assert np.array_equal(array, expected[name]), name
    whole = np.concatenate(X)
    assert model.preparation_.standardiser.mean != pytest.approx(whole.mean(axis=0), rel=1e-9)


def test_what_is_trained_on_all_data_is_fitted_to_all_of_it(ragged, parts):
    model = SequenceClassifier(hidden_size=2, max_epochs=1, refit=True, random_state=0).fit(*ragged)
    *_, everything = parts
    assert [len(part.sequences) for part in parts] == [36, 9, 45]
    whole = np.concatenate(ragged[0])
    assert model.preparation_.standardiser.mean == pytest.approx(whole.mean(axis=0), rel=1e-12)
    expected = Baselines.fit(everything.sequences, everything.codes, 3, every_step=False).arrays()
    for name, array in model.baselines_.arrays().items():
        assert np.array_equal(array, expected[name]), name


def test_a_parameter_set_after_fit_does_not_touch_predictions(trained, unseen):
    model = pickle.loads(pickle.dumps(trained)).set_params(dtype="float64", readout="mean", standardise=False)
    assert np.array_equal(model.predict_proba(unseen[0]), trained.predict_proba(unseen[0]))
    assert np.array_equal(model.predict(unseen[0]), trained.predict(unseen[0]))
    assert model.score(*unseen) == trained.score(*unseen)
    assert evaluate(model, *unseen).to_dict() == evaluate(trained, *unseen).to_dict()


def test_a_network_too_large_is_refused_before_it_is_made(ragged):
    with pytest.raises(
        ParameterError, match=r"at most 2,147,483,648 parameters\. Got 17,181,114,371 .*hidden_size or num_layers"
    ):
        SequenceClassifier(hidden_size=65536, bidirectional=False, num_layers=1, cell="lstm").fit(*ragged)


def test_a_feature_name_that_no_file_could_hold_is_refused_at_fit(ragged):
    flat = as_sequences(ragged[0])
    with pytest.raises(DataError, match=r"^Feature 1: expected a name of at most 10000 characters .*, got 10001, "):
        SequenceClassifier().fit(Sequences(flat.values, flat.offsets, ("x", "y" * 10_001)), ragged[1])


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (
            np.array([1, 2**63, 1], np.uint64),
            r"y\[1\]: expected a whole number below 2\*\*63 as a label, got 9223372036854775808\.",
        ),
        (["a", "b", "a\0"], r"y\[2\]: expected text without NUL characters as a label, got 'a\\x00'\."),
        (np.array(["a", "b\0c", "a"]), r"y\[1\]: expected text without NUL characters as a label, got 'b\\x00c'\."),
    ],
)
def test_labels_that_would_change_are_refused(y, sentence):
    with pytest.raises(DataError, match=rf"^{sentence}"):
        SequenceClassifier(max_epochs=1).fit([[1.0, 2.0], [2.0], [3.0]], y)


def test_groups_of_wrong_length_are_refused_even_where_nothing_is_split(ragged):
    with pytest.raises(DataError, match=r"'groups' must hold one group for each sequence, 45\. Got shape \(3,\)"):
        SequenceClassifier(early_stopping=False, max_epochs=1).fit(*ragged, groups=[1, 2, 3])


def test_score_counts_each_sequence_by_its_weight(trained, unseen):
    right = trained.predict(unseen[0]) == unseen[1]
    wrong_first = np.where(np.arange(len(right)) == 0, "rises", unseen[1])  # X[0] falls
    weights = np.arange(1.0, len(right) + 1)
    expected = weights[trained.predict(unseen[0]) == wrong_first].sum() / weights.sum()
    assert trained.score(unseen[0], wrong_first, sample_weight=weights) == pytest.approx(expected)
    assert expected != pytest.approx(trained.score(unseen[0], wrong_first))


def test_validation_data_passed_in_leaves_the_start_of_the_weights(ragged, unseen):
    def start(**data):
        model = SequenceClassifier(hidden_size=3, max_epochs=1, optimizer="sgd", learning_rate=1e-30, random_state=3)
        return model.fit(*ragged, **data).network_.parameters.vector

    assert np.allclose(start(), start(validation=unseen), rtol=0, atol=1e-28)


def test_many_classes_of_few_sequences_do_not_warn():
    X = [np.arange(5.0) + n for n in range(24)]
    y = [f"class {n % 20}" for n in range(24)]
    model = SequenceClassifier(hidden_size=2, max_epochs=1, early_stopping=False, random_state=0).fit(X, y)
    assert evaluate(model, X, y).n == 24


def test_a_size_for_each_layer_makes_the_layers(ragged, tmp_path):
    options = {
        "residual": True,
        "zoneout": 0.1,
        "recurrent_dropout": 0.1,
        "layer_norm": True,
        "learn_initial_state": True,
    }
    model = SequenceClassifier(hidden_size=(5, 5, 3), max_epochs=2, random_state=0, **options).fit(*ragged)
    assert model.network_.architecture.hidden_sizes == (5, 5, 3)
    assert model.network_.architecture.num_layers == 3
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.network_.architecture == model.network_.architecture
    assert np.array_equal(again.predict_proba(ragged[0]), model.predict_proba(ragged[0]))
    with pytest.raises(
        ParameterError, match=r"'num_layers' .* must be 2, as many as there are sizes in .* Got 3 instead"
    ):
        SequenceClassifier(hidden_size=(5, 4), num_layers=3).fit(*ragged)
