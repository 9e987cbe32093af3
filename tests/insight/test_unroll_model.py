"""A fitted model unrolled: the numbers are the network's, the names are the user's."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from elman import SequenceClassifier, SequenceTagger
from elman.data import as_sequences
from elman.data.origins import column_names, raw_values
from elman.data.preparation import Preparation
from elman.errors import DataError, ParameterError
from elman.insight.attribution import attribute
from elman.insight.health import examine
from elman.insight.unroll_model import unroll_model

WORDS = ["haus", "maus", "laus", "raum", "saum", "baum", "casa", "rosa", "cosa", "pera", "vera", "sera"]
LANGUAGES = ["de"] * 6 + ["it"] * 6
TINY = {"hidden_size": 3, "num_layers": 1, "max_epochs": 2, "random_state": 0, "n_threads": 1, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def walks():
    rng = np.random.default_rng(0)
    X = [np.cumsum(rng.normal(k % 2 - 0.5, 1.0, (9, 2)), axis=0) for k in range(20)]
    return X, ["falls", "rises"] * 10


@pytest.fixture(scope="module")
def classifier(walks):
    return SequenceClassifier(n_members=2, dtype="float64", **TINY).fit(*walks)


def test_loss_and_probabilities_are_those_of_the_chosen_member(classifier, walks):
    X, y = walks
    for member, network in enumerate(classifier.networks_, 1):
        unrolled = unroll_model(classifier, [X[3]], [y[3]], member=member)
        prepared = classifier._prepared(as_sequences([X[3]]))
        np.testing.assert_allclose(unrolled.proba, network.proba(prepared.values, prepared.offsets), rtol=1e-12)
        assert unrolled.loss == pytest.approx(-np.log(unrolled.proba[0, 1]), rel=1e-12)
        assert unrolled.classes == ("falls", "rises")


def test_raw_values_are_those_of_the_data_and_values_are_standardised(classifier, walks):
    unrolled = unroll_model(classifier, [walks[0][3]], [walks[1][3]])
    np.testing.assert_array_equal(np.array(unrolled.raw), walks[0][3])
    standardiser = classifier.preparation_.standardiser
    expected = (walks[0][3] - standardiser.mean) / standardiser.scale
    np.testing.assert_allclose(unrolled.values, expected, rtol=1e-12)


def test_d_h_is_what_gradient_flow_reports(classifier, walks):
    X, y = walks
    flow = classifier.gradient_flow([X[3]], [y[3]])
    unrolled = unroll_model(classifier, [X[3]], [y[3]])
    assert flow.names == tuple(passage.name for passage in unrolled.passages)
    for k, passage in enumerate(unrolled.passages):
        np.testing.assert_allclose(np.linalg.norm(passage.d_states["h"], axis=1), flow.d_h[k], rtol=1e-10)


def test_without_a_label_the_loss_wants_what_the_network_predicts(classifier, walks):
    unrolled = unroll_model(classifier, [walks[0][0]])
    assert unrolled.targets[0] == unrolled.proba[0].argmax()


def test_tokens_are_told_by_name():
    classifier = SequenceClassifier(**TINY).fit(WORDS, LANGUAGES)
    unrolled = unroll_model(classifier, ["rosa?"], ["it"])
    assert [step[0] for step in unrolled.raw] == ["r", "o", "s", "a", "?"]
    assert unrolled.values[4, 0] == 0, "an unknown token is id 0"
    table = unrolled.contributions["weight_embedding_0"]
    np.testing.assert_allclose(table.total(), unrolled.gradients["weight_embedding_0"], rtol=1e-12, atol=1e-18)


def test_a_tagger_has_a_loss_at_every_labelled_step():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=7) for _ in range(12)]
    y = [np.where(np.cumsum(x) > 0, "above", "below") for x in X]
    tagger = SequenceTagger(unlabelled="?", **TINY).fit(X, y)
    labels = y[0].astype(object)
    labels[2] = "?"
    unrolled = unroll_model(tagger, [X[0]], [labels])
    assert np.isnan(unrolled.losses[2])
    assert np.isfinite(np.delete(unrolled.losses, 2)).all()


def test_what_is_no_sequence_no_member_or_no_class_is_refused(classifier, walks):
    X, y = walks
    with pytest.raises(ParameterError, match=r"X must be one sequence\. Got 2"):
        unroll_model(classifier, X[:2], y[:2])
    with pytest.raises(ParameterError, match=r"'member' parameter must be a number in 1..2. Got 3"):
        unroll_model(classifier, X[:1], y[:1], member=3)
    with pytest.raises(DataError, match=r"'sinks' .* was never seen in training"):
        unroll_model(classifier, X[:1], ["sinks"])


def test_a_step_that_is_a_patch_is_told(walks):
    patched = SequenceClassifier(patch_size=4, **TINY).fit(*walks)
    unrolled = unroll_model(patched, walks[0][:1])
    assert unrolled.n_steps == 3
    assert unrolled.remark == "A step of the network is a patch of 4 of the 9 steps in the data."
    assert unrolled.feature_names[:3] == ("feature 0 [1]", "feature 1 [1]", "feature 0 [2]")


def test_columns_of_kinds_gaps_and_patches_are_named_and_led_back_to_the_data():
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 3, 30).astype(float)
    speed = rng.normal(size=30)
    speed[::7] = np.nan
    steps = np.stack([speed, colour], axis=1)
    sequences = as_sequences([steps[:15], steps[15:]], missing="indicator")
    preparation = Preparation.fit(sequences, missing="indicator", categorical_features=[1], patch_size=2)
    names = column_names(preparation, ("speed", "colour"))
    raw = raw_values(preparation, sequences, 1)
    prepared = preparation.apply(sequences, np.float64)[1]
    assert len(names) == prepared.shape[1] == len(raw[0])
    assert len(raw) == len(prepared) == 8
    assert names[0] == "speed [1]"
    assert {name for name in names if name.startswith("colour") and name.endswith("[2]")} == {
        f"colour = {kind} [2]" for kind in ("0", "1", "2")
    }
    half = len(names) // 2
    assert raw[0][half] == speed[16]
    assert raw[-1][half] == raw[-1][0] == speed[29], "the last patch is filled up with the last step"
    assert raw[3][0] is None, "step 21 is missing"
    assert raw[0][1] == str(int(colour[15]))


@pytest.mark.parametrize("look", [unroll_model, attribute, examine])
def test_what_is_no_fitted_estimator_is_told(look, walks):
    with pytest.raises(NotFittedError, match="This SequenceClassifier instance is not fitted yet"):
        look(SequenceClassifier(), walks[0][:1])
    with pytest.raises(ParameterError, match=f"'estimator' parameter of {look.__name__} must be a fitted .* Got str"):
        look("model", walks[0][:1])


@pytest.mark.parametrize("value", [1.5, "1", None, True, [1], 0])
def test_a_member_is_a_whole_number(classifier, walks, value):
    with pytest.raises(ParameterError, match=r"'member' parameter must be a number in 1\.\.2\. Got "):
        unroll_model(classifier, walks[0][:1], member=value)


@pytest.mark.parametrize("value", ["x", None, True, [1], 0, np.nan])
def test_a_learning_rate_is_a_number_above_zero(classifier, walks, value):
    with pytest.raises(ParameterError, match=r"'learning_rate' parameter must be a number above 0\. Got "):
        unroll_model(classifier, walks[0][:1], learning_rate=value)
