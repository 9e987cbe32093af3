"""What reports are made of in tests: small data, a small network, and names that nobody should give."""

import numpy as np

from elman.data import Dataset, Sequences
from elman.report.facts import Facts, Source

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "‮ מימין לשמאל \u202e\x07\x1b[31m",
    "l" * 9_000 + "1",
    "l" * 9_000 + "2",
    "{{ 7 * 7 }} & 'quotes\" `${1}`",
    "constructor",
    "__proto__",
    "hasOwnProperty",
]
FEATURES = ("a.b[0]", 'it\'s "x"\\n', "constructor")
SMALL = {"hidden_size": 3, "num_layers": 1, "max_epochs": 2, "early_stopping": False, "n_threads": 1, "random_state": 0}


def walks(n, n_classes, seed, names=None):
    """Sequences of 4 to 11 steps, the class of which is where their features lie."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    lengths = rng.integers(4, 12, n)
    values = rng.normal(size=(int(lengths.sum()), 3)) + np.repeat(codes, lengths)[:, None]
    return Sequences(values, np.concatenate([[0], np.cumsum(lengths)]), names), codes


def facts_of(estimator, sequences, labels, *, texts=None, ids=None, **more):
    """What a report tells of an estimator on labelled data."""
    ids = np.array([f"s{n}" for n in range(len(sequences))]) if ids is None else ids
    dataset = Dataset(sequences, labels, ids, per_step=estimator.every_step, texts=texts)
    model, file = Source("small.safetensors", "ab" * 32, 1234), Source("data.csv", "cd" * 32, 5678)
    return Facts.gather(estimator, dataset, model=model, file=file, command="elman report a b -o c.html", **more)
