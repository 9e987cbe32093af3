"""Every epoch's record keeps how far back the gradient reaches, whatever threads and checkpoints do."""

import json

import numpy as np
import pytest

from elman import SequenceClassifier, load
from elman.network.architecture import Architecture
from elman.network.flow import HiddenGradients
from elman.network.network import Network
from elman.training.checkpoint import Checkpoint
from elman.training.flow import epochs_apart, is_sound, summary
from elman.training.history import Flow
from elman.training.samples import Samples
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

LENGTHS = np.array([4, 6, 3, 5, 7, 2, 8, 5, 4, 6, 3, 9] * 4)
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
FIELDS = tuple(Flow.__annotations__)


def samples():
    rng = np.random.default_rng(1)
    return Samples(rng.standard_normal((OFFSETS[-1], 2)).astype(np.float32), OFFSETS, rng.integers(0, 3, len(LENGTHS)))


def new_trainer(dropout=0.2, **settings):
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, "lstm", 20, 2, True, dropout))
    network.initialise(rng)
    return Trainer(network, TrainingSettings(early_stopping=False, **settings), rng)


def flows(history):
    return [{name: record[name] for name in FIELDS} for record in history.records]


def test_the_record_of_a_full_batch_is_what_gradient_flow_says_of_it():
    trainer = new_trainer(dropout=0.0, batch_size=len(LENGTHS), max_epochs=1, learning_rate=1e-9)
    record = trainer.fit(samples()).records[0]
    flow = trainer.network.gradient_flow(*samples()[:3])
    reach = [(flow.memory(k), flow.ratio(k)) for k in range(4)]
    k = reach.index(min(reach))
    assert record["flow_of"] == flow.names[k]
    assert record["flow_memory"] == reach[k][0]
    assert record["flow_ratio"] == pytest.approx(max(flow.ratio(each) for each in range(4)), rel=1e-4)
    assert record["flow_steps"] == 9, "four of 48 sequences are that long"
    assert record["flow_profile"] == pytest.approx(flow.profile(k).tolist(), rel=1e-3)


def test_ratio_and_vanished_steps_are_the_largest_of_all_directions_wherever_memory_is_least():
    short, lost = np.r_[np.full(90, 0.05), np.ones(10)], np.r_[np.full(70, 1e-9), np.ones(30)]
    growing = np.r_[np.full(50, 8.0), np.ones(50)]
    of = HiddenGradients(np.array([0, 100]), np.array([growing, lost, short]), ("l0", "l1", "l2"), "last", "last")
    kept = summary(of)
    assert (kept["flow_of"], kept["flow_memory"], kept["flow_ratio"], kept["flow_vanished"]) == ("l2", 10, 8.0, 0.7)


def test_the_longest_profiles_are_thinned_to_evenly_spaced_lags():
    rng = np.random.default_rng(0)
    network = Network(Architecture(2, 3, "elman", 4, bidirectional=False))
    network.initialise(rng)
    values, offsets = rng.standard_normal((190, 2)).astype(np.float32), np.array([0, 189, 190])
    flow = network.loss_and_gradient(values, offsets, np.array([0, 1]), watched=True).flow
    kept = summary(flow)
    assert kept["flow_steps"] == 189
    assert len(kept["flow_profile"]) == 48
    assert kept["flow_profile"] == pytest.approx(flow.profile(0)[::4].tolist(), rel=1e-3)
    assert summary(network.loss_and_gradient(values, offsets, np.array([-1, -1]), watched=True).flow) is None


def test_threads_accumulation_and_checkpoints_leave_the_record_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("elman.training.run.epochs_apart", lambda *_: 1)
    settings = {"batch_size": 12, "accumulate": 2, "max_epochs": 3}
    expected = flows(new_trainer(n_threads=1, **settings).fit(samples()))
    assert expected[0] != expected[-1]
    assert flows(new_trainer(n_threads=4, **settings).fit(samples())) == expected

    class PowerCutError(Exception):
        pass

    class Cut(Trainer):
        steps = 0

        def step(self, *arguments):
            self.steps += 1
            if self.steps == 4:  # in the middle of the second epoch, whose gradient was watched in its first step
                raise PowerCutError
            return super().step(*arguments)

    plain = new_trainer(**settings)
    saved = Checkpoint(tmp_path / "run", every=0)
    with pytest.raises(PowerCutError):
        Cut(plain.network, plain.settings, plain.rng).fit(samples(), checkpoint=saved)
    assert flows(new_trainer(**settings).fit(samples(), checkpoint=Checkpoint(tmp_path / "run"))) == expected


def test_epochs_so_short_that_watching_would_be_felt_keep_what_an_earlier_one_saw():
    apart = epochs_apart(1, OFFSETS[-1], new_trainer().network.parameters.vector.size)
    assert 1 < apart < 400
    found = flows(new_trainer(batch_size=len(LENGTHS), max_epochs=apart + 1, learning_rate=0.01).fit(samples()))
    assert all(flow == found[0] for flow in found[:apart])
    assert found[apart] != found[0]


@pytest.fixture(scope="module")
def classifier():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 12, 2)), np.repeat(["a", "b"], 20)
    return SequenceClassifier(hidden_size=4, num_layers=1, max_epochs=2, n_members=2, random_state=0).fit(X, y), X, y


def test_the_history_of_a_saved_model_has_it_and_json_takes_it(classifier, tmp_path):
    trained, _, _ = classifier
    trained.save(tmp_path / "model")
    again = load(tmp_path / "model")
    for before, after in zip(trained.histories_, again.histories_):
        assert len(before) == 2
        assert before == after
        assert all(is_sound(json.loads(json.dumps({name: record[name] for name in FIELDS}))) for record in after)


def test_an_estimator_gives_the_flow_of_each_member(classifier):
    trained, X, y = classifier
    flows = [trained.gradient_flow(X, y, member=n) for n in (1, 2)]
    prepared = trained.preparation_.apply(trained._sequences(X), np.dtype("float32"))
    for network, flow in zip(trained.networks_, flows):
        expected = network.gradient_flow(prepared.values, prepared.offsets, (y == "b").astype(np.int64))
        assert np.array_equal(flow.d_h, expected.d_h)
    assert not np.array_equal(flows[0].d_h, flows[1].d_h)
    with pytest.raises(ValueError, match=r"member must be a whole number in 1\.\.2\. Got 3 instead\."):
        trained.gradient_flow(X, y, member=3)
    with pytest.raises(ValueError, match="y must hold one label for each sequence, 40"):
        trained.gradient_flow(X, y[1:])


@pytest.mark.parametrize(
    "change",
    [
        {"flow_ratio": float("nan")},
        {"flow_memory": 99},
        {"flow_of": 3},
        {"flow_profile": []},
        {"flow_steps": 2.5},
        {"x": 1},
    ],
)
def test_fields_that_cannot_be_are_told(change):
    sound = {
        "flow_of": "l0",
        "flow_ratio": 0.1,
        "flow_vanished": 0.0,
        "flow_memory": 3,
        "flow_steps": 9,
        "flow_profile": [1.0],
    }
    assert is_sound(sound)
    assert not is_sound(sound | change)
