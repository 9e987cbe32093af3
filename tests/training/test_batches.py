"""An epoch's batches hold every sequence once, and buckets of like length favour none."""

import numpy as np
import pytest

from elman.training.batches import POOL, epoch_batches

RAGGED = np.exp(np.random.default_rng(5).uniform(np.log(10), np.log(1000), 60)).astype(np.int64)


def bucketed(lengths, batch_size, rng):
    return epoch_batches(lengths, batch_size, rng, bucketed=True)


def meetings(lengths, batch_size, epochs):
    """Give how often two sequences are of one batch, (N, N)."""
    rng = np.random.default_rng(1)
    met = np.zeros((len(lengths), len(lengths)))
    for _ in range(epochs):
        for batch in bucketed(lengths, batch_size, rng):
            met[np.ix_(batch, batch)] += 1
    return met


@pytest.mark.parametrize("is_bucketed", [False, True])
@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (3, 4), (4, 4), (13, 4), (57, 1), (2 * POOL + 1, 2), (240, 2)])
def test_every_sequence_occurs_once_an_epoch_in_full_batches_but_one(n, batch_size, is_bucketed):
    lengths = np.random.default_rng(0).integers(1, 50, n)
    batches = epoch_batches(lengths, batch_size, np.random.default_rng(2), bucketed=is_bucketed)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    full = [batch_size] * (n // batch_size)
    assert sorted(map(len, batches), reverse=True) == full + [n % batch_size] * (n % batch_size > 0)


def test_without_buckets_the_batches_are_a_permutation_in_pieces():
    batches = epoch_batches(RAGGED, 7, np.random.default_rng(3))
    assert np.array_equal(np.concatenate(batches), np.random.default_rng(3).permutation(len(RAGGED)))


def test_buckets_hold_sequences_of_like_length():
    batches = bucketed(RAGGED, 6, np.random.default_rng(4))
    spread = sum(np.ptp(np.log(RAGGED[batch])) for batch in batches)
    mixed = sum(np.ptp(np.log(RAGGED[batch])) for batch in epoch_batches(RAGGED, 6, np.random.default_rng(4)))
    assert spread < 0.25 * mixed
    assert sorted(map(int, np.concatenate([np.sort(RAGGED[batch]) for batch in batches]))) == sorted(RAGGED.tolist())


def test_sequences_of_one_length_meet_each_other_equally_often():
    lengths = np.repeat([5, 50], 12)
    met = meetings(lengths, 4, epochs=3000)
    for alike in (slice(0, 12), slice(12, 24)):
        pairs = met[alike, alike][np.triu_indices(12, 1)] / 3000
        assert pairs.mean() == pytest.approx(3 / 11, rel=1e-12), "a batch of 4 offers 3 of 11 others"
        assert np.abs(pairs - 3 / 11).max() < 5 * np.sqrt(3 / 11 * 8 / 11 / 3000)
    assert met[:12, 12:].sum() == 0


def test_sequences_of_unlike_length_meet_where_pools_or_the_last_batch_bring_them_together():
    met = meetings(np.arange(1, 2 * POOL + 6), 2, epochs=800)
    neighbours = np.diag(met, 1)
    assert (neighbours > 0).all(), "no two of like length are kept apart for ever"
    assert met[0, 4:].sum() > 0, "nor is the shortest bound to its neighbour"


def test_when_a_batch_comes_does_not_depend_on_its_length():
    rng, epochs = np.random.default_rng(6), 2000
    places = np.zeros(10)
    for _ in range(epochs):
        means = [RAGGED[batch].mean() for batch in bucketed(RAGGED, 6, rng)]
        places += means
    middle = RAGGED.mean() * np.ones(10)
    deviation = np.std([RAGGED[batch].mean() for batch in bucketed(RAGGED, 6, rng)])
    assert np.abs(places / epochs - middle).max() < 5 * deviation / np.sqrt(epochs)


def test_which_sequences_count_for_more_in_the_short_batch_does_not_depend_on_their_length():
    """So the mean of the batches' means over many epochs is the mean of the data, whatever depends on length."""
    lengths, rng, epochs = RAGGED[:27], np.random.default_rng(7), 4000
    weight = np.zeros(27)
    for _ in range(epochs):
        for batch in bucketed(lengths, 6, rng):
            weight[batch] += 1 / len(batch)
    weight /= epochs * 5
    deviation = (1 / 3 - 1 / 6) * np.sqrt(3 / 27 * 24 / 27 / epochs) / 5
    assert weight.sum() == pytest.approx(1)
    assert np.abs(weight - 1 / 27).max() < 5 * deviation


def test_batches_depend_on_the_state_of_the_generator_alone():
    first, again = (bucketed(RAGGED, 7, np.random.default_rng(8)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    other = bucketed(RAGGED, 7, np.random.default_rng(9))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
