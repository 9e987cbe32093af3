"""Small models with the data that reports are made of."""

import dataclasses

import numpy as np
import pytest

from elman import SequenceClassifier, SequenceTagger
from elman.report.facts import Source
from reported import FEATURES, HOSTILE, SMALL, facts_of, walks


@pytest.fixture(scope="session")
def plain():
    """A classifier of three classes."""
    sequences, codes = walks(60, 3, 1)
    names = np.array(["rest", "walk", "run"])
    return facts_of(SequenceClassifier(**SMALL).fit(sequences[:30], names[codes[:30]]), sequences, names[codes])


@pytest.fixture(scope="session")
def hostile():
    """A classifier whose classes, features and sequences are called what nobody should call them."""
    sequences, codes = walks(72, len(HOSTILE), 2, FEATURES)
    names = np.array(HOSTILE)
    model = SequenceClassifier(**SMALL).fit(sequences[:36], names[codes[:36]])
    ids = np.array([f"{HOSTILE[n % len(HOSTILE)][:200]}{n}" for n in range(72)])
    found = facts_of(model, sequences, names[codes], ids=ids)
    command = "elman report m.st 'data\u202e.csv' -o r.html"
    return dataclasses.replace(found, file=Source("<b>data</b>\u202e.csv", "0" * 64, 1), command=command)


@pytest.fixture(scope="session")
def steps():
    """A tagger, with steps that have no label."""
    sequences, _ = walks(24, 2, 3)
    above = np.where(sequences.values[:, 0] > 0.5, "above", "below").astype(object)
    above[::5] = None
    rows = np.split(above, sequences.offsets[1:-1])
    tagger = SequenceTagger(**SMALL, bidirectional=False).fit(sequences[:12], rows[:12])
    return facts_of(tagger, sequences, above)
