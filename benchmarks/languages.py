"""Which language is a word of? elman by characters beside a logistic regression on character n-grams.

    python -m benchmarks.languages
    python -m benchmarks.languages --seed 1 --train "--hidden-size 64 --readout max"

Ten languages written in Latin letters; 2,000 frequent words of each to train on and 500 to test, split by the seed.
A word that several of the languages have belongs to none here: no classifier could tell. Needs `wordfreq`, which the
test extra brings. The network is trained and evaluated by the command line, as a user would.

Source of the words: R. Speer, wordfreq 3 (https://github.com/rspeer/wordfreq), its lists under CC BY-SA 4.0.
"""

import argparse
import csv
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "sv", "tr")
TRAINING, TEST = 2000, 500  # words of each
OPTIONS = ""  # the defaults

Words = list[tuple[str, str]]  # with their languages


def draw_words(seed: int) -> tuple[Words, Words]:
    """Draw the words to train on and those to test."""
    from wordfreq import top_n_list

    of = {language: set(_plain(top_n_list(language, 12_000))) for language in LANGUAGES}
    common = Counter(word for words in of.values() for word in words)
    rng = np.random.default_rng(seed)
    training, test = [], []
    for language in LANGUAGES:
        own = [word for word in _plain(top_n_list(language, 12_000)) if common[word] == 1]
        drawn = rng.permutation(own[: TRAINING + TEST])
        training += [(str(word), language) for word in drawn[:TRAINING]]
        test += [(str(word), language) for word in drawn[TRAINING:]]
    return training, test


def _plain(words: list[str]) -> list[str]:
    return [word for word in words if word.isalpha() and len(word) >= 3]


def by_elman(training: Words, test: Words, options: str, seed: int) -> tuple[float, float]:
    """Return accuracy on the test words and seconds of `elman train`."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("words_train.csv", "words_test.csv")]
        for file, words in zip(files, (training, test)):
            with file.open("w", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerows([("word", "language"), *words])
        model = Path(folder, "languages.safetensors")
        columns = ["--text", "word", "--label", "language", "--seed", str(seed)]
        start = time.perf_counter()
        _run("train", files[0], "--model", model, *columns, *shlex.split(options))
        seconds = time.perf_counter() - start
        return float(json.loads(_run("evaluate", model, files[1], "--json"))["accuracy"]), seconds


def _run(*arguments: object) -> str:
    command = [sys.executable, "-m", "elman", *map(str, arguments)]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def by_ngrams(training: Words, test: Words) -> tuple[float, float]:
    """Return the same of a logistic regression on the n-grams of 1 to 4 characters, word ends marked."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    start = time.perf_counter()
    ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), lowercase=False, sublinear_tf=True)
    model = make_pipeline(ngrams, LogisticRegression(C=10, max_iter=1000)).fit(*zip(*training))
    seconds = time.perf_counter() - start
    return float(model.score(*zip(*test))), seconds


def main() -> None:
    """Print both, a line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.languages", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of the words that are drawn, and of the training")
    parser.add_argument("--train", default=OPTIONS, metavar="OPTIONS", help=f"of elman train; default {OPTIONS!r}")
    options = parser.parse_args()
    training, test = draw_words(options.seed)
    print(f"{len(training):,} words to train on, {len(test):,} to test, {len(LANGUAGES)} languages")
    for name, (accuracy, seconds) in (
        ("n-grams, logistic regression", by_ngrams(training, test)),
        ("elman, by characters", by_elman(training, test, options.train, options.seed)),
    ):
        print(f"{name:<30}accuracy {accuracy:.3f}   {seconds:6.1f} s")


if __name__ == "__main__":
    main()
