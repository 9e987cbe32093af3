"""The words that the benchmark draws: as many of each language, no word twice, the same for the same seed."""

from collections import Counter

import pytest

pytest.importorskip("wordfreq")

from benchmarks.languages import LANGUAGES, TEST, TRAINING, by_elman, by_ngrams, draw_words


def test_each_language_has_words_of_its_own_and_no_word_is_in_both_parts():
    training, test = draw_words(0)
    assert Counter(language for _, language in training) == dict.fromkeys(LANGUAGES, TRAINING)
    assert Counter(language for _, language in test) == dict.fromkeys(LANGUAGES, TEST)
    words = [word for word, _ in training + test]
    assert len(set(words)) == len(words)
    assert draw_words(0) == (training, test)
    assert draw_words(1)[1] != test


def test_both_ways_are_scored_on_the_same_words():
    training, test = draw_words(0)
    few = [part[::50] for part in (training, test)]
    accuracy, _ = by_ngrams(*few)
    assert accuracy > 3 / len(LANGUAGES)
    accuracy, seconds = by_elman(*few, "--hidden-size 8 --max-epochs 12 --readout max", 0)
    assert accuracy > 1.2 / len(LANGUAGES)
    assert seconds > 0
