"""Models of long sequences, which read several steps as one: the same promises, and less time for what they learn."""

import numpy as np
import pytest

import elman
from elman import ParameterError, SequenceClassifier, SequenceTagger, as_sequences
from elman.estimators.evaluation import evaluate
from elman.estimators.importance import permutation_importance
from elman.estimators.parts import make_generators
from elman.network.live import LiveSequence
from elman.network.network import Network

SMALL = {"hidden_size": 4, "max_epochs": 3, "random_state": 0}


def waves(n, rng, shortest=900, longest=1500):
    """Two features, of which one tells the class by its frequency."""
    y = np.arange(n) % 2
    X = []
    for label in y:
        steps = np.arange(rng.integers(shortest, longest))
        wave = np.sin(steps / (6 + 2 * label) + rng.uniform(0, 6))
        X.append(np.column_stack([wave + rng.normal(0, 0.5, len(steps)), rng.normal(size=len(steps))]))
    return X, y


@pytest.fixture(scope="module")
def long():
    return waves(24, np.random.default_rng(0))


@pytest.fixture(scope="module")
def model(ragged):
    return SequenceClassifier(**SMALL, patch_size=4).fit(*ragged)


def test_by_default_long_sequences_are_read_in_patches_and_short_ones_are_not(long, ragged):
    model = SequenceClassifier(**SMALL).fit(*long)
    assert model.preparation_.patch_size == 5
    assert model.network_.architecture.input_size == 10
    assert SequenceClassifier(**SMALL, patch_size=1).fit(*long).network_.architecture.input_size == 2
    assert SequenceClassifier(**SMALL).fit(*ragged).preparation_.patch_size == 1


def test_a_table_of_long_series_is_read_in_patches():
    X = np.random.default_rng(1).normal(size=(12, 1025))
    model = SequenceClassifier(**SMALL).fit(X, [0, 1] * 6)
    assert (model.preparation_.patch_size, model.n_features_in_) == (5, 1025)
    assert model.predict_proba(X).shape == (12, 2)


def test_alone_in_a_batch_and_in_any_order_a_prediction_has_the_same_bits(model, unseen):
    X, _ = unseen
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    assert np.array_equal(together, alone)
    assert np.array_equal(model.predict_proba(X[::-1]), together[::-1])


def test_padding_changes_no_bit(model, unseen):
    X, _ = unseen
    padded = np.full((len(X), 20, 2), np.nan)
    for n, x in enumerate(X):
        padded[n, : len(x)] = x
    assert np.array_equal(model.predict_proba(padded), model.predict_proba(X))


def test_what_a_network_sees_is_steps_side_by_side(model, unseen):
    X, y = unseen
    scale = model.preparation_.standardiser
    patches = []
    for x in X:
        scaled = ((x - scale.mean) / scale.scale).astype(np.float32)
        filled = np.concatenate([scaled, np.repeat(scaled[-1:], -len(x) % 4, axis=0)])
        patches.append(filled.reshape(-1, 8))
    by_hand = as_sequences(patches)
    proba = model.network_.proba(by_hand.values, by_hand.offsets)
    assert np.array_equal(model.predict_proba(X), proba)
    assert model.score(X, y) == np.mean(model.classes_[proba.argmax(axis=1)] == y)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_training_starts_near_the_average_of_a_patch(ragged, bidirectional):
    barely = {"optimizer": "sgd", "learning_rate": 1e-30, "weight_decay": 0.0, "bidirectional": bidirectional}
    model = SequenceClassifier(**SMALL, **barely, patch_size=5).fit(*ragged)
    drawn = Network(model.network_.architecture)
    drawn.initialise(make_generators(0)[1], model.chosen_["initialisation"], forget_bias=model.forget_bias)
    names = [name for name in drawn.parameters if name.startswith("weight_ih_l0")]
    assert len(names) == 1 + bidirectional
    for name, values in drawn.parameters.items():
        if name in names:
            by_step = values.reshape(-1, 5, 2)
            values = (by_step.mean(axis=1, keepdims=True) + by_step / np.sqrt(5)).reshape(values.shape)
        np.testing.assert_allclose(model.network_.parameters[name], values, rtol=1e-5, atol=1e-7)


def test_a_saved_model_reads_the_same_patches(model, unseen, tmp_path):
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert loaded.preparation_.patch_size == 4
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.predict_proba(unseen[0]), model.predict_proba(unseen[0]))
    assert evaluate(loaded, *unseen).to_dict() == evaluate(model, *unseen).to_dict()


def test_the_patch_size_stays_as_it_was_where_training_goes_on(long, ragged):
    X, y = ragged
    model = SequenceClassifier(**SMALL, warm_start=True).fit(X, y)
    model.set_params(patch_size=2)
    with pytest.raises(ParameterError, match=r"'patch_size' .* must stay as it was .*, 'auto'\. Got 2 instead"):
        model.fit(X, y)
    model = SequenceClassifier(**SMALL).partial_fit(long[0], long[1], classes=[0, 1])
    model.partial_fit([x[:50] for x in long[0]], long[1])
    assert model.preparation_.patch_size == 5


def test_each_step_that_has_a_label_is_read_by_itself(long):
    X, _ = long
    y = [(x[:, 0] > 0).astype(int) for x in X]
    tagger = SequenceTagger(hidden_size=2, max_epochs=1, random_state=0).fit(X, y)
    assert tagger.preparation_.patch_size == 1
    assert "patch_size" not in tagger.get_params()


@pytest.mark.parametrize("value", [0, 1.5, 65_537, "Auto", None, True])
def test_a_patch_size_is_a_number_of_steps_or_auto(ragged, value):
    sentence = r"^The 'patch_size' parameter of SequenceClassifier must be an int in the range \[1, 65536\] or 'auto'\."
    with pytest.raises(ParameterError, match=sentence):
        SequenceClassifier(patch_size=value).fit(*ragged)


def test_tokens_are_not_put_side_by_side():
    with pytest.raises(ParameterError, match="must be 1 or 'auto' where tokens or kinds are embedded"):
        SequenceClassifier(patch_size=2).fit(["haus", "rosa"] * 6, ["de", "it"] * 6)


def test_verbose_tells_of_patches_that_nobody_asked_for(long, capsys):
    SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0, verbose=True, early_stopping=False).fit(*long)
    median = f"{np.median([len(x) for x in long[0]]):,.0f}"
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == (
        f"Sequences of a median of {median} steps: every 5 steps are read as one (patch_size=1 turns it off)."
    )
    SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0, verbose=True, patch_size=5).fit(*long)
    assert "read as one" not in capsys.readouterr().out


def test_a_live_sequence_takes_prepared_patches_and_no_single_step(ragged):
    X, y = ragged
    model = SequenceClassifier(**SMALL, patch_size=4, bidirectional=False).fit(X, y)
    prepared = model.preparation_.apply(as_sequences(X))
    whole = model.network_.logits(prepared.values, prepared.offsets)
    live = LiveSequence(model.network_)
    for patches, expected in zip(prepared, whole):
        live.reset()
        scores = [live.step(patch) for patch in patches]
        assert np.array_equal(scores[-1], expected)
    with pytest.raises(elman.DataError, match="A time step must be a vector of 8 finite numbers"):
        live.step(X[0][0])


def test_the_importance_of_features_is_told_for_features_and_not_for_their_places_in_a_patch(ragged):
    X, y = ragged
    model = SequenceClassifier(hidden_size=6, max_epochs=25, random_state=0, patch_size=3).fit(X, y)
    importances = permutation_importance(model, X, y, n_repeats=2, random_state=0).importances_mean
    assert importances.shape == (2,)
    assert importances[0] > importances[1]


def test_what_takes_many_steps_to_tell_is_learned_through_patches():
    """The period is told by far more steps than a patch holds."""
    rng = np.random.default_rng(5)
    model = SequenceClassifier(hidden_size=16, batch_size=8, max_epochs=20, random_state=0, bidirectional=False)
    model.fit(*waves(100, rng, shortest=1500, longest=1700))
    assert model.preparation_.patch_size == 7
    assert model.score(*waves(100, rng, shortest=1500, longest=1700)) > 0.9
