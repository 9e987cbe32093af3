"""A model knows the data it was trained on again, whatever its order and float type, and takes no other for it."""

import numpy as np

from elman import SequenceClassifier, load
from elman.data import Sequences, as_sequences
from elman.estimators import fingerprint as module
from elman.estimators.fingerprint import fingerprint, is_trained_on
from reported import SMALL, walks


def test_order_and_float_type_do_not_count_but_every_value_and_length_does():
    sequences, _ = walks(20, 2, 0)
    known = fingerprint(sequences)
    turned = np.arange(20)[::-1]
    assert fingerprint(sequences[turned]) == known
    assert fingerprint(Sequences(sequences.values.astype(np.float32), sequences.offsets)) == known
    other = sequences.values.copy()
    other[7, 2] += 1e-3
    assert fingerprint(Sequences(other, sequences.offsets)) != known
    cut = sequences.offsets.copy()
    cut[3] += 1
    assert fingerprint(Sequences(sequences.values, cut)) != known
    assert fingerprint(sequences[:19]) != known
    assert fingerprint(sequences[np.array([*range(20), 0])]) != known


def test_blocks_do_not_count(monkeypatch):
    sequences, _ = walks(20, 2, 0)
    known = fingerprint(sequences)
    for numbers in (1, 7, 30):
        monkeypatch.setattr(module, "_BLOCK", numbers)
        assert fingerprint(sequences) == known


def test_names_count_by_themselves_and_not_by_their_codes():
    one, again, other = (as_sequences(texts) for texts in (["ab", "ba"], ["ba", "ab"], ["cd", "dc"]))
    assert fingerprint(one) == fingerprint(again) != fingerprint(other)
    codes, offsets = np.array([[0.0], [1.0]]), np.array([0, 1, 2])
    there, back = (Sequences(codes, offsets, None, (names,)) for names in (("x", "y"), ("y", "x")))
    assert fingerprint(there) == fingerprint(back)


def test_zeros_and_gaps_are_alike_whatever_their_bits():
    offsets = np.array([0, 2])
    one = Sequences(np.array([[0.0], [np.nan]]), offsets)
    assert fingerprint(one) == fingerprint(Sequences(np.array([[-0.0], [-np.nan]]), offsets))


def test_a_model_knows_its_training_data_before_and_after_it_is_saved(tmp_path):
    sequences, codes = walks(40, 2, 0)
    model = SequenceClassifier(**SMALL | {"early_stopping": True}).fit(sequences, codes)
    model.save(tmp_path / "m")
    for each in (model, load(tmp_path / "m")):
        assert is_trained_on(each, sequences)
        assert not is_trained_on(each, sequences[:39])
    parts = SequenceClassifier(**SMALL).partial_fit(sequences, codes, classes=[0, 1])
    assert not is_trained_on(parts, sequences)
