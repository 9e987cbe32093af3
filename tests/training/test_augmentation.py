"""Augmentation changes what it says, by how much it says, and nothing else."""

import numpy as np
import pytest

from elman.training.augmentation import Augmentation
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings

LENGTHS = np.array([7, 1, 12, 2, 30, 5])
ALL = Augmentation(jitter=0.3, scaling=0.2, time_warp=0.5, window_slice=0.6)
EACH = [
    Augmentation(jitter=0.3),
    Augmentation(scaling=0.2),
    Augmentation(time_warp=0.5),
    Augmentation(window_slice=0.6),
    ALL,
]


def ragged(lengths=LENGTHS, n_features=3, every_step=False, dtype=np.float32):
    """Give smooth sequences; feature 1 counts the steps."""
    rng = np.random.default_rng(2)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.cumsum(rng.standard_normal((offsets[-1], n_features)), axis=0).astype(dtype)
    step = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    values[:, 1] = step
    targets = step.astype(np.int64) if every_step else np.arange(len(lengths))
    return Samples(values, offsets, targets, rng.uniform(1, 2, len(targets)))


def sequence(samples, n):
    return samples.values[samples.offsets[n] : samples.offsets[n + 1]]


@pytest.mark.parametrize("augmentation", EACH)
def test_what_becomes_of_a_sequence_depends_on_key_and_number_alone(augmentation):
    samples, order = ragged(), np.array([4, 0, 5, 1, 3, 2])
    together = augmentation.augmented(samples, None, 9)
    shuffled = augmentation.augmented(samples, order, 9)
    for place, n in enumerate(order):
        alone = augmentation.augmented(samples, np.array([n]), 9)
        assert np.array_equal(alone.values, sequence(together, n))
        assert np.array_equal(alone.values, sequence(shuffled, place))
        assert (shuffled.targets[place], shuffled.weights[place]) == (samples.targets[n], samples.weights[n])
    assert not np.array_equal(augmentation.augmented(samples, np.array([4]), 10).values, sequence(together, 4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("augmentation", EACH)
def test_samples_stay_samples_and_the_data_stays_as_it_was(augmentation, dtype):
    samples = ragged(dtype=dtype)
    before = samples.values.copy()
    found = augmentation.augmented(samples, np.array([3, 3, 1]), 0)
    assert np.array_equal(samples.values, before)
    assert type(found.values) is np.ndarray
    assert found.values.dtype == dtype
    assert found.values.flags.c_contiguous
    assert found.offsets[-1] == len(found.values)
    assert np.isfinite(found.values).all()


def test_off_by_default():
    assert not Augmentation.of(TrainingSettings(), None).is_active
    assert all(augmentation.is_active for augmentation in EACH)
    found = Augmentation().augmented(ragged(), None, 1)
    assert all(np.array_equal(a, b) for a, b in zip(found, ragged(), strict=True))


def test_jitter_adds_noise_of_its_deviation_independent_at_every_value():
    samples = ragged(np.full(400, 50))
    noise = (Augmentation(jitter=0.3).augmented(samples, None, 5).values - samples.values).astype(float)
    n = noise.size
    assert noise.mean() == pytest.approx(0, abs=5 * 0.3 / np.sqrt(n))
    assert noise.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * n))
    for a, b in ((noise[1:], noise[:-1]), (noise[:, 0], noise[:, 1]), (noise[50:], noise[:-50])):
        assert abs(np.mean(a * b)) < 5 * 0.3**2 / np.sqrt(a.size)


def test_scaling_multiplies_each_feature_of_a_sequence_by_one_number_around_1():
    samples = ragged(np.full(2000, 3), dtype=np.float64)._replace(values=np.full((6000, 2), 4.0))
    factors = (Augmentation(scaling=0.2).augmented(samples, None, 5).values / 4).reshape(2000, 3, 2)
    assert (factors == factors[:, :1]).all()
    assert factors.mean() == pytest.approx(1, abs=5 * 0.2 / np.sqrt(4000))
    assert factors[:, 0].std() == pytest.approx(0.2, rel=5 / np.sqrt(8000))
    assert abs(np.corrcoef(factors[:, 0].T)[0, 1]) < 5 / np.sqrt(2000)


def test_time_warp_runs_forward_between_ends_that_stay():
    samples = ragged(dtype=np.float64)
    found = Augmentation(time_warp=1.0).augmented(samples, None, 3)
    assert np.array_equal(found.offsets, samples.offsets)
    for n, length in enumerate(LENGTHS):
        time = sequence(found, n)[:, 1]
        assert (np.diff(time) > 0).all()
        np.testing.assert_allclose(time[[0, -1]], [0, length - 1], atol=1e-12)
        for feature in (0, 2):
            curve = np.interp(time, np.arange(length), sequence(samples, n)[:, feature])
            np.testing.assert_allclose(sequence(found, n)[:, feature], curve, atol=1e-12)


def test_time_warp_is_stronger_where_it_is_said_to_be_and_speeds_have_the_deviation_that_is_said():
    samples = ragged(np.full(3000, 101), dtype=np.float64)
    straight = samples.values[:, 1]
    distances = []
    for strength in (0.1, 0.2, 0.4):
        time = Augmentation(time_warp=strength).augmented(samples, None, 3).values[:, 1]
        distances.append(np.abs(time - straight).mean())
    assert distances == sorted(distances)
    assert distances[1] == pytest.approx(2 * distances[0], rel=0.1)
    time = Augmentation(time_warp=0.1).augmented(samples, None, 3).values[:, 1].reshape(3000, 101)
    ends = np.log((time[:, 1] - time[:, 0]) / (time[:, -1] - time[:, -2]))  # two independent speeds
    assert ends.std() == pytest.approx(0.1 * np.sqrt(2), rel=0.1)


def test_windows_are_of_the_share_and_begin_anywhere():
    samples = ragged(np.full(3000, 10))
    found = Augmentation(window_slice=0.7).augmented(samples, None, 4)
    steps = found.values[:, 1].reshape(3000, 7)
    assert (np.diff(steps) == 1).all()
    starts = np.bincount(steps[:, 0].astype(int), minlength=4)
    assert len(starts) == 4
    assert np.abs(starts - 750).max() < 5 * np.sqrt(750)


@pytest.mark.parametrize(
    ("length", "share", "kept"), [(1, 0.01, 1), (2, 0.4, 1), (3, 0.9, 3), (10, 0.94, 9), (4, 1, 4)]
)
def test_a_window_holds_the_rounded_share_of_the_steps_and_at_least_one(length, share, kept):
    found = Augmentation(window_slice=share).augmented(ragged(np.array([length])), None, 4)
    assert np.diff(found.offsets).tolist() == [kept]


@pytest.mark.parametrize("augmentation", EACH)
def test_labels_and_weights_of_steps_follow_them(augmentation):
    samples = ragged(every_step=True)
    still = Augmentation(0.0, 0.0, augmentation.time_warp, augmentation.window_slice)  # feature 1 tells the step
    found, order = still.augmented(samples, np.array([4, 2, 0]), 8), [4, 2, 0]
    for place, n in enumerate(order):
        rows = slice(found.offsets[place], found.offsets[place + 1])
        nearest = np.rint(found.values[rows, 1]).astype(int)
        assert np.abs(found.values[rows, 1] - found.targets[rows]).max() <= 0.5 + 1e-4
        assert np.array_equal(found.targets[rows], nearest)
        assert np.array_equal(found.weights[rows], samples.weights[samples.offsets[n] + nearest])
    noisy = augmentation.augmented(samples, np.array(order), 8)
    assert np.array_equal(noisy.targets, found.targets)


@pytest.mark.parametrize("with_weights", [False, True])
def test_a_window_without_a_label_that_counts_is_not_cut_out(with_weights):
    samples = ragged(np.full(200, 10), every_step=True)
    labelled = samples.targets == 2
    if with_weights:
        samples = samples._replace(weights=labelled.astype(float))
    else:
        samples = samples._replace(targets=np.where(labelled, 1, -1), weights=None)
    found = Augmentation(window_slice=0.3).augmented(samples, None, 1)
    lengths = np.diff(found.offsets)
    counts = found.weights if with_weights else found.targets >= 0
    assert (np.add.reduceat(counts, found.offsets[:-1]) == 1).all()
    assert set(lengths.tolist()) == {3, 10}
    assert (lengths == 3).mean() == pytest.approx(3 / 8, abs=0.2), "3 of 8 windows hold step 2"


@pytest.mark.parametrize("window", [1.0, 0.5])
@pytest.mark.parametrize("with_weights", [False, True])
def test_a_warp_that_would_skip_every_label_leaves_time_as_it_was(with_weights, window):
    samples = ragged(np.full(300, 20), every_step=True)
    labelled = samples.targets == 11
    if with_weights:
        samples = samples._replace(weights=labelled.astype(float))
    else:
        samples = samples._replace(targets=np.where(labelled, 1, -1), weights=None)
    found = Augmentation(time_warp=2.0, window_slice=window).augmented(samples, None, 1)
    counts = found.weights > 0 if with_weights else found.targets >= 0
    assert np.logical_or.reduceat(counts, found.offsets[:-1]).all()
    if window == 1:
        all_labelled = samples._replace(targets=np.zeros(len(labelled), np.int64), weights=None)
        warped = Augmentation(time_warp=2.0).augmented(all_labelled, None, 1).values
        keeps = (np.rint(warped[:, 1]) == 11).reshape(300, 20).any(axis=1).repeat(20)
        assert 0.4 < keeps.mean() < 0.6
        assert np.array_equal(found.values, np.where(keeps[:, None], warped, samples.values))


def test_columns_that_are_no_quantities_keep_their_values():
    samples = ragged(n_features=4)
    codes = np.random.default_rng(0).integers(0, 9, (len(samples.values), 2)).astype(np.float32)
    samples.values[:, [0, 3]] = codes
    quantities = np.array([1, 2])
    for augmentation in EACH[:2]:
        changed = Augmentation(augmentation.jitter, augmentation.scaling, quantities=quantities)
        found = changed.augmented(samples, None, 6).values
        assert np.array_equal(found[:, [0, 3]], codes)
        assert not np.isclose(found[5:, 1:3], samples.values[5:, 1:3]).all()
    warped = Augmentation(time_warp=0.5, quantities=quantities).augmented(samples, None, 6)
    nearest = samples.offsets[:-1].repeat(LENGTHS) + np.rint(warped.values[:, 1]).astype(int)
    assert np.array_equal(warped.values[:, [0, 3]], codes[nearest])
    cut = Augmentation(window_slice=0.5, quantities=quantities).augmented(samples, None, 6)
    steps = cut.offsets[:-1].repeat(np.diff(cut.offsets)), cut.values[:, 1].astype(int)
    rows = samples.offsets[:-1].repeat(np.diff(cut.offsets)) + steps[1]
    assert np.array_equal(cut.values, samples.values[rows])


def test_without_a_quantity_there_is_nothing_to_distort():
    samples, none = ragged(), np.array([], dtype=np.int64)
    found = Augmentation(jitter=1.0, scaling=1.0, quantities=none).augmented(samples, None, 6)
    assert np.array_equal(found.values, samples.values)


def test_a_feature_is_scaled_by_one_factor_in_all_steps_of_a_patch():
    samples = Samples(np.ones((3, 6)), np.array([0, 3]), np.array([0]))
    found = Augmentation(scaling=0.5, quantities=np.array([[0, 1], [3, 4]])).augmented(samples, None, 6).values
    assert np.array_equal(found[:, :2], found[:, 3:5])
    assert len({*found[0, :2]}) == 2
    assert np.array_equal(found[:, [2, 5]], np.ones((3, 2)))
