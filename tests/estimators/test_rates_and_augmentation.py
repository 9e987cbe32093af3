"""learning_rate="auto" and augmentation, as the estimators offer them."""

import numpy as np
import pytest

import elman
from elman import SequenceClassifier, SequenceTagger

SMALL = {"hidden_size": 4, "bidirectional": False, "max_epochs": 3, "random_state": 0, "n_threads": 1}
STEADY = SMALL | {"schedule": "constant"}


def walks(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = [np.cumsum(rng.normal(slope, 1.0, size=rng.integers(5, 12))) for slope in [-0.5, 0.5] * (n // 2)]
    return X, ["falls", "rises"] * (n // 2)


def vector(model):
    return model.network_.parameters.vector


@pytest.fixture(scope="module")
def auto():
    return SequenceClassifier(learning_rate="auto", **STEADY).fit(*walks())


def test_the_chosen_rate_is_told_and_set_by_hand_gives_the_same_bits(auto):
    rate = auto.learning_rate_
    assert rate == auto.range_test_.suggestion
    assert rate == auto.training_["learning_rate"]
    assert {record["learning_rate"] for record in auto.history_} == {rate}
    by_hand = SequenceClassifier(learning_rate=rate, **STEADY).fit(*walks())
    assert np.array_equal(vector(by_hand), vector(auto))
    assert by_hand.learning_rate_ == rate
    assert not hasattr(by_hand, "range_test_")


def test_the_curve_by_itself_is_that_of_the_fit_and_leaves_the_estimator_unfitted(auto):
    model = SequenceClassifier(n_members=3, **SMALL)
    found = elman.range_test(model, *walks())
    assert all(np.array_equal(a, b) for a, b in zip(found, auto.range_test_, strict=True))
    assert not hasattr(model, "network_")
    assert model.learning_rate == SequenceClassifier().learning_rate


def test_where_training_goes_on_the_rate_stays(auto, tmp_path):
    auto.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert loaded.learning_rate == "auto"
    assert loaded.learning_rate_ == auto.learning_rate_
    for go_on in (
        lambda: loaded.partial_fit(*walks(seed=1)),
        lambda: loaded.set_params(warm_start=True).fit(*walks(), validation=walks(seed=2)),
    ):
        assert go_on().learning_rate_ == auto.learning_rate_
        assert loaded.history_[-1]["learning_rate"] == auto.learning_rate_


def test_partial_fit_chooses_in_its_first_call():
    model = SequenceClassifier(learning_rate="auto", **SMALL)
    first = model.partial_fit(*walks(), classes=["falls", "rises"]).learning_rate_
    assert first == model.range_test_.suggestion
    assert model.partial_fit(*walks(seed=1)).learning_rate_ == first
    assert model.set_params(learning_rate=0.25).partial_fit(*walks(seed=1)).learning_rate_ == 0.25


def test_verbose_training_tells_the_rate(capsys):
    model = SequenceClassifier(learning_rate="auto", verbose=True, **SMALL).fit(*walks())
    assert capsys.readouterr().out.startswith(f"learning rate {model.learning_rate_:g}, chosen by a range test\n")


AUGMENTED = {"jitter": 0.1, "scaling": 0.1, "time_warp": 0.2, "window_slice": 0.9, "bucket_by_length": True}


def test_augmented_training_is_the_same_on_any_number_of_threads_and_is_kept_in_the_file(tmp_path):
    one, two = (SequenceClassifier(**SMALL | AUGMENTED | {"n_threads": n}).fit(*walks()) for n in (1, 2))
    assert np.array_equal(vector(one), vector(two))
    plain = SequenceClassifier(**SMALL).fit(*walks())
    assert not np.array_equal(vector(one), vector(plain))
    one.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model").get_params()
    assert {name: loaded[name] for name in AUGMENTED} == AUGMENTED


def test_steps_with_labels_can_be_augmented():
    X, _ = walks()
    y = [np.where(x > 0, "above", "below") for x in X]
    tagger = SequenceTagger(**SMALL | AUGMENTED | {"max_epochs": 20, "learning_rate": 0.05}).fit(X, y)
    assert tagger.score(X, y) > 0.9


def test_where_no_feature_is_a_quantity_noise_is_doubted_and_kinds_stay_whole():
    words, languages = ["haus", "casa", "baum", "rosa"] * 6, ["de", "it"] * 12
    settings = SMALL | {"early_stopping": False, "max_epochs": 2}
    with pytest.warns(UserWarning, match="jitter cannot act, since no feature is a quantity"):
        noisy = SequenceClassifier(jitter=0.5, **settings).fit(words, languages)
    assert noisy.preparation_.quantities.tolist() == []
    assert (
        SequenceClassifier(window_slice=0.5, time_warp=0.3, **settings).fit(words, languages).score(words, languages)
        >= 0.5
    )


@pytest.mark.parametrize(
    ("name", "value", "contract"),
    [
        ("jitter", -0.1, "a float in the range [0.0, 1e+30]"),
        ("scaling", 11, "a float in the range [0.0, 10.0]"),
        ("time_warp", "much", "a float in the range [0.0, 10.0]"),
        ("window_slice", 0, "a float in the range (0.0, 1.0]"),
        ("window_slice", 1.5, "a float in the range (0.0, 1.0]"),
        ("bucket_by_length", 1, "a bool"),
        ("learning_rate", "fast", "a float in the range (0.0, 1e+300) or 'auto'"),
    ],
)
def test_a_parameter_outside_of_its_contract_is_refused(name, value, contract):
    with pytest.raises(elman.ParameterError) as error:
        SequenceClassifier(**{name: value}).fit(*walks())
    assert (
        str(error.value) == f"The '{name}' parameter of SequenceClassifier must be {contract}. Got {value!r} instead."
    )


def test_buckets_of_one_sequence_are_doubted():
    with pytest.warns(UserWarning, match="'bucket_by_length' has no effect with batches of one sequence"):
        SequenceClassifier(bucket_by_length=True, batch_size=1, **SMALL).fit(*walks(20))
