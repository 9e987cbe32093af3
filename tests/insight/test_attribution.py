"""An attribution shares out the difference that it says it does, by the user's own steps and features."""

import functools
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cases import CELLS
from comparisons import assert_close
from elman import DataError, ParameterError, SequenceClassifier, SequenceTagger
from elman.insight import attribution_methods
from elman.insight.attribution import METHODS, attribute

QUICK = {"num_layers": 1, "hidden_size": 5, "max_epochs": 4, "random_state": 0, "dtype": "float64", "refit": False}
MOTIF, STEPS = 6, 30  # steps of the motif, and of a sequence


def planted_motif(n, seed):
    """Noise (n, 30, 3); a bump of 6 steps, somewhere in feature 1, that is up in class 1 and down in class 0."""
    rng = np.random.default_rng(seed)
    X, y, starts = rng.normal(size=(n, STEPS, 3)), np.arange(n) % 2, rng.integers(0, STEPS - MOTIF, n)
    for x, label, start in zip(X, y, starts):
        x[start : start + MOTIF, 1] += 2.5 if label else -2.5
    return X, y, starts


@functools.cache
def motif_finder():
    X, y, _ = planted_motif(160, seed=1)
    classifier = SequenceClassifier(
        num_layers=1, hidden_size=8, readout="max", max_epochs=20, learning_rate=0.01, random_state=0
    )
    return classifier.fit(X, y)


@functools.cache
def trained(cell="gru", **options):
    """A classifier of ragged sequences with features of different scales, in float64."""
    X, y = ragged()
    return SequenceClassifier(cell=cell, **(QUICK | options)).fit(X, y)


def ragged(n=24, seed=2):
    rng = np.random.default_rng(seed)
    X = [rng.normal(5, 3, (length, 3)) * [1, 10, 0.1] for length in rng.integers(4, 12, n)]
    return X, (np.array([x[:, 1].mean() for x in X]) > 50).astype(int)


def log_p(classifier, x, code):
    return np.log(classifier.predict_proba([x])[0, code])


def means_of(classifier):
    return classifier.preparation_.standardiser.mean


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_motif_is_found(method):
    """By chance a fifth of the strongest steps would lie in it, and the strongest feature be right in a third."""
    X, y, starts = planted_motif(80, seed=3)
    classifier = motif_finder()
    assert classifier.score(X, y) > 0.9
    found = attribute(classifier, X, method=method, classes=y)
    strongest = [np.argsort(-found.by_step(n))[:MOTIF] for n in range(len(X))]
    overlap = np.mean([((start <= top) & (top < start + MOTIF)).mean() for top, start in zip(strongest, starts)])
    features = np.array([np.abs(found[n]).sum(axis=0).argmax() for n in range(len(X))])
    assert overlap > 0.6
    assert (features == 1).mean() > 0.8


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("readout", ["last", "max", "attention"])
def test_integrated_gradients_add_up_to_what_predictions_differ_by(cell, readout):
    X, _ = ragged()
    classifier = trained(cell, readout=readout, bidirectional=readout != "last")
    found = attribute(classifier, X[:6])
    for n, x in enumerate(X[:6]):
        expected = log_p(classifier, x, found.codes[n]) - log_p(
            classifier, np.tile(means_of(classifier), (len(x), 1)), found.codes[n]
        )
        assert abs(found[n].sum() - expected) <= max(0.01 * abs(expected), 1e-3)
        assert found.gap[n] == pytest.approx(found[n].sum() - expected, abs=1e-9)
    assert found.is_complete.all()
    assert (found.codes == classifier.predict(X[:6])).all()


def test_only_stretches_whose_integral_is_off_are_halved(monkeypatch):
    """f rises by 1 all along and jumps by 5 at 0.8, which a stretch shows only where it is shorter than 1/32."""

    def f(share):
        return share + 5.0 * (np.asarray(share) > 0.8)

    def integrals(explained, starts, width):
        looked_at.extend(zip(starts.tolist(), [width] * len(starts)))
        jumps = (starts <= 0.8) & (starts + width > 0.8)
        return np.where(jumps & (width > 1 / 32), width, f(starts + width) - f(starts))[:, None, None]

    looked_at = []
    monkeypatch.setattr(attribution_methods, "_integrals", integrals)
    monkeypatch.setattr(attribution_methods, "_parts", lambda n, *_: [slice(n)])
    explained = SimpleNamespace(at=f, baseline=0.0, log_proba=6.0, n_steps=1, n_features=1, tolerance=0.01, inputs=None)
    assert attribution_methods.integrated_gradients(explained).sum() == pytest.approx(6)
    assert len(looked_at) == 1 + 2 * 5
    assert looked_at[-2:] == [(24 / 32, 1 / 32), (25 / 32, 1 / 32)]


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_x_input_is_the_slope_times_the_way_from_the_mean(cell):
    X, _ = ragged()
    classifier = trained(cell)
    found = attribute(classifier, X[:1], method="gradient-x-input", classes=0)
    expected = np.zeros(X[0].shape)
    for t, d in np.ndindex(X[0].shape):
        ends = [X[0].copy(), X[0].copy()]
        ends[0][t, d] -= 1e-5
        ends[1][t, d] += 1e-5
        slope = (log_p(classifier, ends[1], 0) - log_p(classifier, ends[0], 0)) / 2e-5
        expected[t, d] = slope * (X[0][t, d] - means_of(classifier)[d])
    assert_close(found[0], expected, 1e-7)


@pytest.mark.parametrize("patch_size", [1, 3])
def test_occlusion_is_what_is_lost_with_the_mean_in_place_of_a_value(patch_size):
    X, _ = ragged()
    x = X[int(np.argmax([len(x) for x in X]))]  # of 11 steps: the last patch is not full
    classifier = trained(patch_size=patch_size)
    found = attribute(classifier, [x], method="occlusion", classes=1)
    expected = np.zeros(x.shape)
    for t, d in np.ndindex(x.shape):
        hidden = x.copy()
        hidden[t, d] = means_of(classifier)[d]
        expected[t, d] = log_p(classifier, x, 1) - log_p(classifier, hidden, 1)
    assert_close(found[0], expected, 1e-9)


def test_windows_of_long_sequences_share_their_loss_among_their_steps():
    classifier = trained()
    x = np.random.default_rng(4).normal(5, 3, (101, 3)) * [1, 10, 0.1]  # windows of 3 steps, the last of 2
    found = attribute(classifier, [x], method="occlusion", classes=1)[0]
    for start, stop in ((0, 3), (96, 99), (99, 101)):
        hidden = x.copy()
        hidden[start:stop, 2] = means_of(classifier)[2]
        assert found[start:stop, 2] == pytest.approx(
            [(log_p(classifier, x, 1) - log_p(classifier, hidden, 1)) / (stop - start)] * (stop - start), abs=1e-12
        )


def test_patches_are_explained_step_by_step():
    X, _ = ragged()
    classifier = trained(patch_size=3)
    found = attribute(classifier, X[:6])
    assert [len(found[n]) for n in range(6)] == [len(x) for x in X[:6]]
    assert found.is_complete.all()
    found = attribute(classifier, X[:1], method="gradient-x-input", classes=0)
    moved, t = X[0].copy(), len(X[0]) - 1  # the step that fills the last patch up
    moved[t, 1] += 1e-4
    slope = (log_p(classifier, moved, 0) - log_p(classifier, X[0], 0)) / 1e-4
    assert found[0][t, 1] == pytest.approx(slope * (X[0][t, 1] - means_of(classifier)[1]), rel=1e-3)


def test_members_are_explained_as_the_mean_of_their_probabilities():
    X, _ = ragged()
    classifier = trained(n_members=2)
    found = attribute(classifier, X[:6], classes=1)
    mean = [np.tile(means_of(classifier), (len(x), 1)) for x in X[:6]]
    expected = np.log(classifier.predict_proba(X[:6])[:, 1] / classifier.predict_proba(mean)[:, 1])
    assert np.array([found[n].sum() for n in range(6)]) == pytest.approx(expected, abs=2e-3, rel=0.01)
    assert found.log_proba == pytest.approx(np.log(classifier.predict_proba(X[:6])[:, 1]), abs=1e-12)


def test_a_token_is_compared_with_an_unknown_one():
    words = ["haus", "maus", "laus", "baum", "raum", "saum", "casa", "rosa", "cosa", "pera", "vera", "sera"]
    classifier = SequenceClassifier(**QUICK).fit(words, ["de"] * 6 + ["it"] * 6)
    found = attribute(classifier, ["haus"], method="occlusion", classes="de")
    lost = [log_p(classifier, "haus", 0) - log_p(classifier, "haus"[:t] + "?" + "haus"[t + 1 :], 0) for t in range(4)]
    assert_close(found[0][:, 0], lost, 1e-9)
    assert found.feature_names == ("token",)
    complete = attribute(classifier, words)
    assert complete.is_complete.all()
    assert complete[0].sum() == pytest.approx(
        log_p(classifier, "haus", 0) - log_p(classifier, "????", 0), abs=2e-3, rel=0.01
    )


def test_kinds_and_missing_values_count_for_the_feature_that_they_are_of():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(24, 6, 3))
    X[:, :, 1] = rng.integers(0, 3, (24, 6))
    X[::2, 2, 2] = np.nan
    options = QUICK | {"missing": "indicator", "categorical_features": [1]}
    classifier = SequenceClassifier(**options).fit(X, np.arange(24) % 2)
    assert classifier.preparation_.n_columns == 7  # a value, three kinds, a value; is it missing, and for how long
    found = attribute(classifier, X[:4], method="occlusion", classes=1)
    assert found.values.shape == (24, 3)
    unknown = X[0].copy()
    unknown[3, 1] = np.nan
    assert found[0][3, 1] == pytest.approx(log_p(classifier, X[0], 1) - log_p(classifier, unknown, 1), abs=1e-12)
    assert attribute(classifier, X[:4]).is_complete.all()


def test_a_tagger_is_explained_at_one_step():
    X, _ = ragged()
    y = [(np.cumsum(x[:, 1] - 50) > 0).astype(int) for x in X]
    tagger = SequenceTagger(**(QUICK | {"bidirectional": False})).fit(X, y)
    found = attribute(tagger, X[:4], step=2)
    assert found.steps.tolist() == [2, 2, 2, 2]
    assert found.codes.tolist() == [int(labels[2]) for labels in tagger.predict(X[:4])]
    for n, x in enumerate(X[:4]):
        mean = np.tile(means_of(tagger), (len(x), 1))
        expected = np.log(
            tagger.predict_proba([x])[0][2, found.codes[n]] / tagger.predict_proba([mean])[0][2, found.codes[n]]
        )
        assert found[n].sum() == pytest.approx(expected, abs=2e-3, rel=0.01)
        assert (found[n][3:] == 0).all()  # what comes later
    assert attribute(tagger, X[:4], step=-1).steps.tolist() == [len(x) - 1 for x in X[:4]]


@pytest.mark.parametrize("method", METHODS)
def test_bits_do_not_depend_on_other_sequences_or_threads(method):
    X, _, _ = planted_motif(20, seed=6)
    classifier = motif_finder()
    together = attribute(classifier, X, method=method)
    alone = attribute(classifier, X[7:8], method=method)
    assert (alone.values == together[7]).all()
    n_threads = classifier.n_threads
    try:
        classifier.set_params(n_threads=1)
        assert (attribute(classifier, X, method=method).values == together.values).all()
    finally:
        classifier.set_params(n_threads=n_threads)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "gradient"}, ParameterError, r"'method' parameter of attribute must be one of 'integrated-gradien"),
        ({"step": 2}, ParameterError, r"'step' parameter of attribute must be None for SequenceClassifier"),
        ({"classes": 7}, DataError, r"The label 7 \(classes\[0\]\) was never seen in training"),
        ({"classes": [0, 1, 0]}, DataError, r"classes must be one label, or one for each sequence, 2\. Got 3"),
    ],
)
def test_what_cannot_be_explained_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        attribute(trained(), ragged()[0][:2], **options)


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (None, ParameterError, r"whole number for SequenceTagger.*pass step=-1 for the last"),
        (6, DataError, r"X\[1\] must have a step 6, whose label is explained\. It has 4 steps"),
        (-5, DataError, r"X\[1\] must have a step -5"),
    ],
)
def test_a_step_that_is_not_there_is_refused(step, error, message):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 1)) for length in (8, 4, 8, 5, 8, 8)]
    tagger = SequenceTagger(**(QUICK | {"early_stopping": False})).fit(X, [x[:, 0] > 0 for x in X])
    with pytest.raises(error, match=message):
        attribute(tagger, X[:3], step=step)


def test_python_in_the_page_on_attribution_runs_as_it_stands(capsys):
    page = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(block, "attribution.md", "exec"), {})
    start, strongest = map(int, re.search(r"from step (\d+) - strongest step (\d+)", capsys.readouterr().out).groups())
    assert start <= strongest < start + 5
