"""Saved models: what is saved comes back to the bit, and nothing else is ever taken for a model."""

import hashlib
import json
import math
import re
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

import elman
from elman import DataError, ModelFileError, OutputError, SequenceClassifier, Sequences, SequenceTagger, metadata
from elman.data import as_sequences
from elman.estimators import parameters
from elman.estimators.evaluation import evaluate
from elman.model_file import read_model

RNG = np.random.default_rng(8)
X = [RNG.normal(size=(n_steps, 3)) * [1, 5, 100] for n_steps in RNG.integers(2, 9, size=24)]
LABELS = {
    "text": ["süß", "a b", "1"] * 8,
    "int": [-5, 7, 2**40] * 8,
    "bool": [True, False, False] * 8,
}


def fit(labels, **parameters):
    parameters = {"hidden_size": 5, "max_epochs": 2, "random_state": 0} | parameters
    return SequenceClassifier(**parameters).fit(X, labels)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    fit(LABELS["text"], hidden_size=2, bidirectional=False).save(path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"cell": "lstm", "num_layers": 2, "dropout": 0.2, "readout": "mean", "forget_bias": None},
        {"cell": "elman", "standardise": False, "dtype": "float64", "bidirectional": False},
    ],
)
def test_a_saved_model_predicts_the_same_bits(tmp_path, kind, parameters):
    path = tmp_path / "model"
    model = fit(LABELS[kind], **parameters)
    model.save(path)
    loaded = elman.load(path)
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.predict(X).dtype == model.predict(X).dtype
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    assert loaded.training_ == model.training_
    assert evaluate(loaded, X, LABELS[kind]).to_dict() == evaluate(model, X, LABELS[kind]).to_dict()


def test_a_model_of_every_step_with_names_and_columns_comes_back_whole(tmp_path):
    flat = as_sequences(X)
    named = Sequences(flat.values, flat.offsets, ("x", "y", "größe"))
    y = (flat.values[:, 0] > 0).astype(int)
    model = SequenceTagger(hidden_size=3, max_epochs=1, random_state=np.random.default_rng(1))
    model.fit(named, y)
    model.columns_ = {"id": "Fall", "label": "Klasse"}
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert all(np.array_equal(a, b) for a, b in zip(loaded.predict_proba(named), model.predict_proba(named)))
    assert type(loaded) is SequenceTagger
    assert loaded.feature_names_in_.tolist() == ["x", "y", "größe"]
    assert loaded.columns_ == model.columns_
    assert loaded.random_state is None  # a generator stays where it was


def test_a_parameter_set_after_fit_does_not_spoil_the_file(tmp_path):
    model = fit(LABELS["int"]).set_params(hidden_size=99, dtype="float64")
    model.save(tmp_path / "model")
    assert elman.load(tmp_path / "model").get_params()["hidden_size"] == 5


def test_parameters_in_the_file_are_those_of_fit_and_threads_are_the_machines(tmp_path):
    model = fit(LABELS["int"], n_threads=2).set_params(learning_rate="none", readout="mean")
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model").get_params()
    assert (loaded["learning_rate"], loaded["readout"], loaded["n_threads"]) == (0.005, "auto", None)


def test_the_bounds_of_parameters_are_those_of_the_file():
    sizes = ("LARGEST_HIDDEN_SIZE", "LARGEST_PATCH", "MOST_LAYERS", "MOST_MEMBERS")
    for name in ("LARGEST_FLOAT", "LONGEST_NAME", *sizes):
        assert getattr(parameters, name) == getattr(metadata, name)


def test_parameters_at_their_bounds_can_be_saved(tmp_path):
    largest = 2**31 - 1
    model = fit(
        LABELS["int"],
        batch_size=largest,
        n_iter_no_change=largest,
        n_threads=largest,
        random_state=2**63 - 1,
        clip_norm=9.9e299,
        tol=9.9e299,
    )
    model.save(tmp_path / "model")
    assert elman.load(tmp_path / "model").get_params() == model.get_params() | {"n_threads": None}


def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    elman.load(tmp_path / "model").save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_the_arrays_are_plain_safetensors_under_pytorchs_names(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    arrays = load_file(tmp_path / "model")
    assert arrays["weight_hh_l0"].shape == (6, 2)
    assert arrays["weight_ih_l0"].dtype == np.float32
    assert arrays["preparation.mean"] == pytest.approx(elman.load(tmp_path / "model").preparation_.standardiser.mean)


def test_saving_replaces_the_old_file_whole_and_leaves_nothing_else(tmp_path, content):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    fit(LABELS["int"]).save(path)
    assert elman.load(path).classes_.tolist() == [-5, 7, 2**40]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_file_that_cannot_be_written_is_an_error_that_leaves_nothing(tmp_path, monkeypatch):
    model = fit(LABELS["int"])
    with pytest.raises(OutputError, match=r"there is no folder '.*missing'\. Create it first\.$"):
        model.save(tmp_path / "missing" / "model")
    with pytest.raises(OutputError, match="got a folder"):
        model.save(tmp_path)
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        model.save(path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_what_could_not_be_read_again_is_not_saved(tmp_path):
    model = fit(["a", "b"] * 12)
    model.classes_ = np.array(["a", "b" * 10_001])
    with pytest.raises(DataError, match="cannot be saved, since it could not be read again"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def refused(tmp_path, data):
    """Load bytes that are no model, and give the sentence."""
    path = Path(tmp_path) / "damaged.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        elman.load(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 400
    return sentence.removeprefix(f"{path}: ")


def test_a_file_cut_short_anywhere_is_refused(tmp_path, content):
    for end in {0, 1, 7, 8, 9, 10, *range(20, len(content), 97), len(content) - 1}:
        assert "Train" in refused(tmp_path, content[:end]) or "cut short" in refused(tmp_path, content[:end])
    refused(tmp_path, content + b"\0")


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_byte_changed_anywhere_is_noticed(content, data):
    at = data.draw(st.integers(0, len(content) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != content[at]))
    with TemporaryDirectory() as folder:
        refused(folder, content[:at] + bytes([value]) + content[at + 1 :])


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_region_replaced_by_anything_is_noticed(content, data):
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    middle = data.draw(st.binary(max_size=64))
    changed = content[:start] + middle + content[end:]
    if changed != content:
        with TemporaryDirectory() as folder:
            refused(folder, changed)


@given(data=st.binary(max_size=400))
def test_bytes_that_were_never_a_model_are_refused(data):
    with TemporaryDirectory() as folder:
        refused(folder, data)


def taken_apart(content):
    n = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + n])
    return header, json.loads(header["__metadata__"]["elman"]), content[8 + n :]


def put_together(header, metadata, arrays):
    """Build a file whose checksum is right, as someone who edits on purpose would."""
    metadata = {**metadata, "checksum": "0" * 64}
    header = {**header, "__metadata__": {"elman": json.dumps(metadata, separators=(",", ":"))}}
    start = json.dumps(header, separators=(",", ":")).encode()
    start += b" " * (-len(start) % 8)
    blank = struct.pack("<Q", len(start)) + start + arrays
    digest = hashlib.sha256(blank).hexdigest()
    field = b'\\"checksum\\":\\"'
    return blank.replace(field + b"0" * 64, field + digest.encode(), 1)


def test_a_file_put_together_by_hand_is_a_model(tmp_path, content):
    (tmp_path / "model").write_bytes(put_together(*taken_apart(content)))
    elman.load(tmp_path / "model")


def test_a_newer_format_says_which_version_is_needed(tmp_path, content):
    header, metadata, arrays = taken_apart(content)
    newer = put_together(header, {**metadata, "format_version": 2, "elman_version": "3.1.4", "more": 1}, arrays)
    assert refused(tmp_path, newer) == (
        f"the model is of format 2; this elman {elman.__version__} reads formats up to 1. Install elman 3.1.4 or later."
    )


def paths_into(value, path=()):
    """Give the path of every value in nested JSON."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_into(item, (*path, key))


def with_value(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_value(value[path[0]], path[1:], new)
    return copy


STRANGE = [None, True, -1, 0, 3, 2**31, 10**30, 0.5, -1e308, "", "x", "gru", "\ud800", [], [1], {}, {"a": 1}]


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_edited_metadata_with_a_right_checksum_loads_as_a_sound_model_or_not_at_all(content, data):
    header, metadata, arrays = taken_apart(content)
    path = data.draw(st.sampled_from([path for path in paths_into(metadata) if path]))
    edited = with_value(metadata, path, data.draw(st.sampled_from(STRANGE)))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model"
        file.write_bytes(put_together(header, edited, arrays))
        try:
            loaded = elman.load(file)
        except ModelFileError:
            return
        assert np.isfinite(loaded.predict_proba(X)).all()  # such as another seed, or another count of seconds
        loaded.save(file)


def mixed():
    """Sequences of a number with gaps, a category of 2 names, one of 9, and a step length."""
    rng = np.random.default_rng(7)
    values = np.column_stack([rng.normal(size=90), rng.integers(0, 2, 90), np.arange(90) % 9, rng.exponential(size=90)])
    values[::4, 0] = np.nan
    names, categories = ("x", "sky", "code", "step length"), (None, ("sun", "rain"), tuple("abcdefghi"), None)
    return Sequences(values, np.arange(0, 91, 3), names, categories, step_feature=3)


@pytest.fixture(scope="module")
def mixed_content(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model = SequenceClassifier(hidden_size=2, max_epochs=1, bidirectional=False, missing="indicator", random_state=0)
    model.fit(mixed(), ["a", "b"] * 15).save(path)
    return path.read_bytes()


@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_an_edited_preparation_loads_as_a_sound_model_or_not_at_all(mixed_content, data):
    header, metadata, arrays = taken_apart(mixed_content)
    paths = [("preparation", *path) for path in paths_into(metadata["preparation"])]
    edited = with_value(metadata, data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(STRANGE)))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model"
        file.write_bytes(put_together(header, edited, arrays))
        try:
            loaded = elman.load(file)
        except ModelFileError:
            return
        assert np.isfinite(loaded.predict_proba(mixed())).all()  # such as another name of a kind
        loaded.save(file)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("gaps",), [], r"expected a whole number in \[5, 5\] in 'architecture.input_size', got 7"),
        (("gaps",), [0, 0], r"expected a whole number in \[1, 3\] in 'preparation.gaps', got 0"),
        (("gaps",), [1], "expected features of numbers that may be missing in 'preparation.gaps'"),
        (("missing",), "error", "expected features of numbers that may be missing in 'preparation.gaps'"),
        (("missing",), [], "expected 'error' or 'indicator' in 'preparation.missing'"),
        (("n_features",), 5, r"expected a whole number in \[4, 4\] in 'preparation.n_features', got 5"),
        (("step_feature",), 1, "expected a feature of numbers in 'preparation.step_feature'"),
        (("patch_size",), 0, r"expected a whole number in \[1, 65536\] in 'preparation.patch_size', got 0"),
        (("patch_size",), True, r"expected a whole number in \[1, 65536\] in 'preparation.patch_size', got True"),
        (("patch_size",), 2, r"expected a whole number in \[14, 14\] in 'architecture.input_size', got 7"),
        (("standardised",), False, "the array 'preparation.mean' is not expected"),
        (("vocabularies", 0, "feature"), 2, r"expected a whole number in \[3, 3\] in 'preparation.vocabularies'"),
        (("vocabularies", 0, "names"), ["sun", "sun"], "expected distinct names in 'vocabularies.names'"),
        (("vocabularies", 0, "names"), ["sun", "\ud800"], "expected text of at most 10000 characters"),
        (("vocabularies", 1, "embedding_size"), 7, r"expected \(\(3, 10, 7\),\) in 'architecture.embeddings'"),
        (
            ("vocabularies", 1, "embedding_size"),
            None,
            "expected at most 8 to be columns in 'vocabularies.names', got 9",
        ),
    ],
)
def test_a_preparation_that_does_not_fit_is_named(tmp_path, mixed_content, path, value, sentence):
    header, metadata, arrays = taken_apart(mixed_content)
    edited = with_value(metadata, ("preparation", *path), value)
    assert re.search(sentence, refused(tmp_path, put_together(header, edited, arrays)))


def of_patches(content, patch_size, **architecture):
    """Give the parts of a file with that patch size, and with a network of as many inputs."""
    header, metadata, arrays = taken_apart(content)
    edited = with_value(metadata, ("preparation", "patch_size"), patch_size)
    inputs = metadata["architecture"]["input_size"] * patch_size
    return header, edited | {"architecture": metadata["architecture"] | {"input_size": inputs} | architecture}, arrays


def test_patches_that_the_network_or_the_parameters_do_not_allow_are_refused(tmp_path, content, mixed_content):
    for parts in (of_patches(mixed_content, 2), of_patches(content, 2, loss_at="every_step")):
        assert refused(tmp_path, put_together(*parts)).startswith(
            "the model file is damaged: expected 1 with this network in 'preparation.patch_size', got 2."
        )
    header, metadata, arrays = of_patches(content, 2)
    other = with_value(metadata, ("parameters", "patch_size"), 3)
    assert refused(tmp_path, put_together(header, other, arrays)).startswith(
        "the model file is damaged: expected the size that 'parameters' has in 'preparation.patch_size', got 2."
    )
    assert "'weight_ih_l0' as float32 of shape (6, 6)" in refused(tmp_path, put_together(header, metadata, arrays))


def test_a_file_from_before_there_were_patches_reads_each_step_by_itself(tmp_path, content):
    header, metadata, arrays = taken_apart(content)
    for part in ("preparation", "parameters"):
        del metadata[part]["patch_size"]
    (tmp_path / "old").write_bytes(put_together(header, metadata, arrays))
    (tmp_path / "new").write_bytes(content)
    old, new = elman.load(tmp_path / "old"), elman.load(tmp_path / "new")
    assert old.preparation_.patch_size == 1
    assert np.array_equal(old.predict_proba(X), new.predict_proba(X))


def test_a_model_with_gaps_and_kinds_predicts_the_same_bits(tmp_path, mixed_content):
    (tmp_path / "model").write_bytes(mixed_content)
    model = SequenceClassifier(hidden_size=2, max_epochs=1, bidirectional=False, missing="indicator", random_state=0)
    model.fit(mixed(), ["a", "b"] * 15)
    loaded = elman.load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(mixed()), model.predict_proba(mixed()))
    assert loaded.preparation_.vocabularies == model.preparation_.vocabularies
    assert loaded.get_params() == model.get_params()
    assert evaluate(loaded, mixed(), ["a", "b"] * 15).to_dict() == evaluate(model, mixed(), ["a", "b"] * 15).to_dict()


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            ("architecture", "cell"),
            "transformer",
            "expected one of elman, .* in 'architecture.cell', got 'transformer'",
        ),
        (("architecture", "hidden_size"), 65_536, "expected the array 'weight_ih_l0' as float32 of shape"),
        (("architecture", "num_layers"), 1024, "expected 1024 layers, got fewer"),
        (("architecture", "num_layers"), 10, "the array '.*' is missing"),
        (("architecture", "hidden_size"), 10**30, r"expected a whole number in \[1, 65536\] in 'architecture.hid"),
        (("architecture", "dropout"), 0.5, "its parameters are not those of its architecture"),
        (("classes", "values"), ["a", "a", "b"], "expected distinct values in order"),
        (("classes", "values"), ["a", "b", 3], "expected values of type text in 'classes.values', got 3"),
        (("dtype",), "float16", "expected 'float32' or 'float64' in 'dtype', got 'float16'"),
        (("parameters", "batch_size"), 0, r"The 'batch_size' parameter .* \[1, 2147483647\] or 'auto'\. Got 0 instead"),
        (("parameters", "__class__"), "os.system", "there is no parameter '__class__'"),
        (("format_version",), 0, "expected a format version of at least 1, got '0'"),
        (("training", "histories"), [[[]]], "expected an object in 'training.histories'"),
        (("training", "histories"), [[], []], "expected a list of 1 lists of records in 'training.histories'"),
        (("training", "members"), [], r"expected a list of 1 to 1024 in 'training.members', got \[\]"),
        (("training", "members"), [{"epochs": 1}], "expected the fields best_epoch and epochs in 'training.members'"),
        (("temperature",), 0.0, r"expected a number in \[0.01, 100\] in 'temperature', got 0.0"),
        (("temperature",), True, r"expected a number in \[0.01, 100\] in 'temperature', got True"),
        (("feature_names",), ["x", "x", "y"], "expected distinct names in 'feature_names'"),
    ],
)
def test_a_field_out_of_its_range_is_named(tmp_path, content, path, value, sentence):
    header, metadata, arrays = taken_apart(content)
    for key in path[:-1]:
        metadata[key] = dict(metadata[key])
    target = metadata
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    assert re.search(sentence, refused(tmp_path, put_together(header, metadata, arrays)))


@pytest.mark.parametrize(
    ("n_members", "sentence"),
    [
        (2, r"the array 'member\.1\.bias_hh_l0' is missing"),
        (1024, "expected 1024 networks, got fewer"),
        (1025, "expected a list of 1 to 1024 in 'training.members'"),
    ],
)
def test_members_that_are_not_there_are_missed(tmp_path, content, n_members, sentence):
    header, metadata, arrays = taken_apart(content)
    training = metadata["training"]
    metadata["training"] = training | {
        "members": training["members"] * n_members,
        "histories": training["histories"] * n_members,
    }
    assert re.search(sentence, refused(tmp_path, put_together(header, metadata, arrays)))


SMALL_STEPS = {"rule": "small_steps", "sentence": "Steps are too small.", "number": 1e-9}


def with_health(content, health):
    header, metadata, arrays = taken_apart(content)
    return put_together(header, with_value(metadata, ("training", "health"), health), arrays)


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (None, "expected a list of at most 100 in 'training.health', got None"),
        ([SMALL_STEPS] * 101, "expected a list of at most 100 in 'training.health'"),
        (["Steps are too small."], "expected the fields number, rule and sentence in 'training.health'"),
        ([SMALL_STEPS | {"more": 1}], "expected the fields number, rule and sentence in 'training.health'"),
        ([SMALL_STEPS | {"sentence": "x" * 1001}], "text of at most 1000 characters in 'training.health.sentence'"),
        ([SMALL_STEPS | {"sentence": "Red \x1b[31m"}], "expected text on one line in 'training.health.sentence'"),
        ([SMALL_STEPS | {"rule": 3}], "expected text of at most 60 characters in 'training.health.rule'"),
        ([SMALL_STEPS | {"number": "3"}], "expected a number in 'training.health.number'"),
    ],
)
def test_what_was_ill_in_training_is_read_with_distrust(tmp_path, content, health, sentence):
    assert sentence in refused(tmp_path, with_health(content, health))


def test_what_was_ill_in_training_comes_back_and_older_files_say_nothing_of_it(tmp_path, content):
    (tmp_path / "model").write_bytes(with_health(content, [SMALL_STEPS]))
    assert elman.load(tmp_path / "model").health_ == ["Steps are too small."]
    header, metadata, arrays = taken_apart(content)
    del metadata["training"]["health"]
    (tmp_path / "model").write_bytes(put_together(header, metadata, arrays))
    assert elman.load(tmp_path / "model").health_ == []


@pytest.mark.parametrize("digits", ["", "0" * 31, "G" * 32, "0" * 33, "0" * 31 + "\n", "١" * 32, 7, ["0" * 32]])
def test_a_fingerprint_that_is_none_is_refused_and_older_files_have_none(tmp_path, content, digits):
    header, metadata, arrays = taken_apart(content)
    wrong = put_together(header, with_value(metadata, ("training", "fingerprint"), digits), arrays)
    assert "expected 32 hexadecimal digits or null in 'training.fingerprint'" in refused(tmp_path, wrong)
    del metadata["training"]["fingerprint"]
    (tmp_path / "model").write_bytes(put_together(header, metadata, arrays))
    assert elman.load(tmp_path / "model").training_["fingerprint"] is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("weight_hh_l0", math.nan, "expected finite numbers in the array 'weight_hh_l0'"),
        ("bias_out", math.inf, "expected finite numbers in the array 'bias_out'"),
        ("preparation.scale", 0.0, "expected numbers above 0 in the array 'preparation.scale'"),
        ("baseline.prior", 0.75, "expected shares that sum to 1"),
    ],
)
def test_numbers_that_no_training_gives_are_refused(tmp_path, content, name, value, sentence):
    header, metadata, arrays = taken_apart(content)
    start, end = header[name]["data_offsets"]
    dtype = {"F32": np.float32, "F64": np.float64}[header[name]["dtype"]]
    values = np.frombuffer(arrays[start:end], dtype).copy()
    values[1] = value
    changed = arrays[:start] + values.tobytes() + arrays[end:]
    assert re.search(sentence, refused(tmp_path, put_together(header, metadata, changed)))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"shape": [2, 6]}, "expected the array 'weight_hh_l0' as float32 of shape"),
        ({"shape": [6, 2**62]}, "expected the array 'weight_hh_l0' as float32 of shape"),
        ({"dtype": "F64"}, "expected the array 'weight_hh_l0' as float32 of shape"),
        ({"data_offsets": [0, 10**15]}, "arrays cannot be decoded"),
        ({"data_offsets": [8, 56]}, "arrays cannot be decoded"),
    ],
)
def test_arrays_of_other_shapes_and_places_are_refused(tmp_path, content, entry, sentence):
    header, metadata, arrays = taken_apart(content)
    header = {**header, "weight_hh_l0": {**header["weight_hh_l0"], **entry}}
    assert re.search(sentence, refused(tmp_path, put_together(header, metadata, arrays)))


def test_an_array_too_many_or_too_few_is_refused(tmp_path, content):
    header, metadata, arrays = taken_apart(content)
    fewer = {name: entry for name, entry in header.items() if name != "bias_out"}
    assert "'bias_out' is missing" in refused(tmp_path, put_together(fewer, metadata, arrays))
    more = {**header, "extra": {"dtype": "F32", "shape": [0], "data_offsets": [len(arrays), len(arrays)]}}
    assert "'extra' is not expected" in refused(tmp_path, put_together(more, metadata, arrays))


def test_a_header_that_claims_to_be_huge_is_refused_at_once(tmp_path):
    assert "not a model that elman wrote" in refused(tmp_path, struct.pack("<Q", 2**62) + b"{}" * 50)
    assert "is not JSON" in refused(tmp_path, struct.pack("<Q", 100_000) + b"[" * 100_000)


def test_other_safetensors_and_other_places_are_refused(tmp_path, content):
    from safetensors.numpy import save

    assert "without elman's metadata" in refused(tmp_path, save({"weight": np.zeros(2)}))
    with pytest.raises(ModelFileError, match="got a folder"):
        elman.load(tmp_path)
    with pytest.raises(ModelFileError, match="there is no such file"):
        elman.load(tmp_path / "none")
    with pytest.raises(ModelFileError, match="there is no such file"):
        elman.load("a\0b")
    with pytest.raises(ModelFileError, match="device or pipe"):
        elman.load("/dev/null")


def test_reading_a_model_needs_no_scikit_learn():
    import subprocess
    import sys

    code = "import sys, elman.model_file; sys.exit('sklearn' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert callable(read_model)
