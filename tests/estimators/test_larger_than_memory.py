"""Data that is mapped into memory: models and figures with the bits of data in memory, in bounded memory."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from elman import DataError, OutputError, SequenceClassifier, Sequences
from elman.data import as_sequences, scratch
from elman.data import sequences as sequences_module
from elman.estimators import baselines, runs
from elman.estimators.evaluation import evaluate
from elman.estimators.tagger import SequenceTagger
from elman.training import assessment

SMALL = {
    "hidden_size": 5,
    "max_epochs": 4,
    "batch_size": 8,
    "num_layers": 2,
    "dropout": 0.3,
    "refit": False,
    "random_state": 0,
}


def is_mapped(array):
    return isinstance(array.base, np.memmap)


@pytest.fixture
def map_it(tmp_path):
    """Give sequences with values on disk."""

    def map_it(X):
        sequences = X if isinstance(X, Sequences) else as_sequences(X)
        np.save(tmp_path / "values.npy", sequences.values)
        values = np.asarray(np.load(tmp_path / "values.npy", mmap_mode="r"))
        return Sequences(values, sequences.offsets, sequences.feature_names)

    return map_it


@pytest.fixture
def no_memory(monkeypatch):
    """Whatever is made of mapped data goes to disk, a few numbers at a time; gives a list with an entry a file."""
    files = []

    def note(*arguments):
        files.append(scratch.on_disk(*arguments))
        return files[-1]

    monkeypatch.setattr(sequences_module, "on_disk", note)
    monkeypatch.setattr(runs, "on_disk", note)
    monkeypatch.setattr(scratch, "MOST_IN_MEMORY", 0)
    monkeypatch.setattr(runs, "RUN", 50)
    monkeypatch.setattr(assessment, "_RUN", 30)
    return files


def learned(estimator):
    """Everything that a fit has come to, but for the time it took."""
    arrays = {name: array.tobytes() for name, array in estimator.baselines_.arrays().items()}
    records = [{name: record[name] for name in record if "second" not in name} for record in estimator.history_]
    return estimator.network_.parameters.vector.tobytes(), arrays, records, estimator.training_["validation"]


@pytest.mark.parametrize(
    ("options", "n_files"),
    [({}, 5), ({"standardise": False, "dtype": "float64"}, 5), ({"early_stopping": False}, 2), ({"refit": True}, 7)],
)
def test_a_model_of_mapped_data_has_the_bits_of_one_in_memory(ragged, unseen, map_it, no_memory, options, n_files):
    X, y = ragged
    in_memory = SequenceClassifier(**SMALL | options).fit(as_sequences(X), y)
    assert not no_memory
    mapped = SequenceClassifier(**SMALL | options).fit(map_it(X), y)
    assert len(no_memory) == n_files, "the parts of a split; for each run the baselines' sequences, its parts prepared"
    assert learned(mapped) == learned(in_memory)
    there, here = map_it(unseen[0]), as_sequences(unseen[0])
    assert mapped.predict_proba(there).tobytes() == in_memory.predict_proba(here).tobytes()
    assert mapped.predict(there).tolist() == in_memory.predict(here).tolist()
    assert mapped.score(there, unseen[1]) == in_memory.score(here, unseen[1])
    assert evaluate(mapped, there, unseen[1]).to_dict() == evaluate(in_memory, here, unseen[1]).to_dict()


def test_gaps_and_kinds_on_disk_are_prepared_as_in_memory(ragged, map_it, no_memory):
    X, y = ragged
    rng = np.random.default_rng(4)
    X = [np.column_stack([np.where(rng.random(len(x)) < 0.2, np.nan, x[:, 0]), rng.integers(0, 4, len(x))]) for x in X]
    options = {**SMALL, "missing": "indicator", "categorical_features": [1]}
    sequences = as_sequences(X, missing="indicator")
    in_memory = SequenceClassifier(**options).fit(sequences, y)
    there = map_it(sequences)
    mapped = SequenceClassifier(**options).fit(there, y)
    assert learned(mapped) == learned(in_memory)
    assert mapped.predict_proba(there).tobytes() == in_memory.predict_proba(sequences).tobytes()


@pytest.mark.parametrize("options", [{}, {"standardise": False, "dtype": "float64"}])
def test_patches_of_mapped_data_are_those_of_data_in_memory(ragged, unseen, map_it, no_memory, options):
    X, y = ragged
    options = {**SMALL, "patch_size": 3, **options}
    in_memory = SequenceClassifier(**options).fit(as_sequences(X), y)
    mapped = SequenceClassifier(**options).fit(map_it(X), y)
    assert [array.shape[1] for array in no_memory][-2:] == [6, 6], "both parts, prepared, in patches"
    assert learned(mapped) == learned(in_memory)
    assert mapped.predict_proba(map_it(unseen[0])).tobytes() == in_memory.predict_proba(unseen[0]).tobytes()


def test_a_tagger_of_mapped_data_has_the_bits_of_one_in_memory(parity, map_it, no_memory):
    X, y = parity
    in_memory = SequenceTagger(**SMALL).fit(as_sequences(X), y)
    mapped = SequenceTagger(**SMALL).fit(map_it(X), y)
    assert learned(mapped) == learned(in_memory)
    assert [a.tolist() for a in mapped.predict(map_it(X))] == [a.tolist() for a in in_memory.predict(X)]
    assert mapped.score(map_it(X), y) == in_memory.score(X, y)


def test_what_is_taken_from_mapped_data_stays_on_disk(ragged, map_it, no_memory):
    sequences = map_it(ragged[0])
    for chosen in ([3, 4, 5, 1, 1, 44], slice(None, None, -1), np.arange(45) % 2 == 0, []):
        taken = sequences[chosen]
        expected = as_sequences(ragged[0])[chosen]
        np.testing.assert_array_equal(taken.values, expected.values)
        np.testing.assert_array_equal(taken.offsets, expected.offsets)
        assert is_mapped(taken.values) == (len(expected) > 0)
    named = Sequences(sequences.values, sequences.offsets, ("x", "y"))
    selected = named.select(["y", "x"])
    assert is_mapped(selected.values)
    np.testing.assert_array_equal(selected.values, sequences.values[:, ::-1])


def test_small_parts_and_data_in_memory_stay_in_memory(ragged, map_it):
    assert not is_mapped(map_it(ragged[0])[[1, 2]].values)
    assert not is_mapped(as_sequences(ragged[0])[[1, 2]].values)


def test_a_full_disk_is_told_with_the_folder(ragged, map_it, no_memory, monkeypatch):
    sequences = map_it(ragged[0])

    def refuse(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match=r"prepared data cannot be written: No space left on device\. Set"):
        sequences[[0, 2]]


def test_the_file_of_a_part_lies_beside_the_data_unless_a_folder_is_named(ragged, map_it, no_memory, monkeypatch):
    folders = []
    make = scratch.tempfile.TemporaryFile

    def note(**options):
        folders.append(options["dir"])
        return make(**options)

    sequences = map_it(ragged[0])
    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", note)
    monkeypatch.delenv("TMPDIR", raising=False)
    sequences[[0, 2]]
    monkeypatch.setenv("TMPDIR", "/tmp")
    sequences[[0, 2]]
    assert folders[0] is not None
    assert folders[1] is None


def test_an_error_in_mapped_data_names_the_sequence(ragged, map_it, no_memory):
    X, y = ragged
    classifier = SequenceClassifier(hidden_size=2, max_epochs=1, random_state=0).fit([x * 1e-3 for x in X], y)
    X = [x.copy() for x in X]
    X[13][2, 1] = 9e37
    with pytest.raises(DataError, match="Sequence 13, step 2, feature 1"):
        classifier.predict(map_it(X))


def test_baselines_do_not_depend_on_how_many_sequences_are_looked_at_together(ragged, monkeypatch):
    X, y = as_sequences(ragged[0]), np.unique(ragged[1], return_inverse=True)[1]
    together = baselines.Baselines.fit(X, y, 3, every_step=False)
    proba = together.proba(X, every_step=False)["summary_statistics"]
    monkeypatch.setattr(baselines, "_RUN", 40)
    apart = baselines.Baselines.fit(X, y, 3, every_step=False)
    assert {k: v.tobytes() for k, v in apart.arrays().items()} == {k: v.tobytes() for k, v in together.arrays().items()}
    np.testing.assert_allclose(apart.proba(X, every_step=False)["summary_statistics"], proba, rtol=1e-12)


LIMITED = """
import resource, sys
import numpy as np
from elman import SequenceClassifier, Sequences
from elman.data import scratch

scratch.MOST_IN_MEMORY = 1 << 22
values = np.load(sys.argv[1], mmap_mode="r" if sys.argv[2] == "mapped" else None)
X = Sequences(np.asarray(values), np.arange(0, len(values) + 1, 500))
y = np.arange(len(X)) % 2
small = {"cell": "elman", "hidden_size": 4, "num_layers": 1, "bidirectional": False, "batch_size": 64, "refit": True}
classifier = SequenceClassifier(**small, max_epochs=1, n_threads=1, random_state=0)
few = X[:40]
classifier.fit(few, y[:40]).predict(few)  # kernels are compiled, libraries loaded

private = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData:"))
resource.setrlimit(resource.RLIMIT_DATA, (private + (110 << 20),) * 2)
classifier.fit(X, y)
print(len(classifier.predict(X)), classifier.training_["n_validation"], classifier.training_["n_refit"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_fit_and_a_prediction_need_less_memory_than_the_data(tmp_path):
    values = np.random.default_rng(0).normal(size=(2_500_000, 16)).astype(np.float32)  # 160 MB
    np.save(tmp_path / "values.npy", values)
    del values
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(tmp_path / "values.npy")]
    mapped = subprocess.run([*command, "mapped"], capture_output=True, text=True, check=False)
    assert mapped.stdout == "5000 1000 5000\n", mapped.stderr
    ordinary = subprocess.run([*command, "loaded"], capture_output=True, text=True, check=False)
    assert "MemoryError" in ordinary.stderr, "the ordinary way meets the limit"
