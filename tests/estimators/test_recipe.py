"""What is 'auto' is chosen by the stated rules; what was validated on is trained on at the end, and says so."""

import numpy as np
import pytest

import elman
from elman import SequenceClassifier, SequenceTagger
from elman.errors import ModelFileError, ParameterError, TrainingError
from elman.estimators.recipe import choose, refit_epochs
from elman.training.callbacks import Callback
from elman.training.settings import TrainingSettings
from elman.training.trainer import Trainer

SMALL = {"hidden_size": 4, "num_layers": 1, "bidirectional": False, "random_state": 0}


def walks(n=24, seed=0):
    rng = np.random.default_rng(seed)
    slopes = np.tile([-0.5, 0.5], n // 2)
    return [rng.normal(slope, 1.0, rng.integers(5, 12)).cumsum()[:, None] for slope in slopes], slopes > 0


@pytest.fixture(scope="module")
def data():
    return walks()


@pytest.fixture(scope="module")
def refitted(data):
    return SequenceClassifier(max_epochs=8, refit=True, **SMALL).fit(*data)


def chosen(lengths, *, every_step=False, **changed):
    parameters = SequenceClassifier(**changed).get_params()
    lengths = np.array(lengths)
    return choose(parameters, lengths, int(lengths.sum()), every_step=every_step)


def test_rules_choose_at_their_bounds():
    assert chosen([32] * 10)["readout"] == "last"
    assert chosen([33] * 10)["readout"] == "attention"
    assert chosen([32, 32, 1000])["readout"] == "last"  # the median counts
    assert chosen([9] * 99)["batch_size"] == 16
    assert chosen([9] * 100)["batch_size"] == 32
    assert chosen([9] * 19_999)["batch_size"] == 32
    assert chosen([9] * 20_000)["batch_size"] == 64
    assert chosen([9] * 4000)["max_epochs"] == 40
    assert chosen([9] * 4000, batch_size=500)["max_epochs"] == 100
    assert chosen([200] * 1000)["refit"] is True
    assert chosen([201] * 1000)["refit"] is False
    assert chosen([9] * 10, schedule="plateau")["refit"] is False
    assert chosen([9] * 10)["n_iter_no_change"] is None
    assert chosen([9] * 10, schedule="constant")["n_iter_no_change"] == 30
    assert chosen([9] * 10)["initialisation"] == "orthogonal"
    assert chosen([9] * 10, every_step=True)["initialisation"] == "mixed"
    assert chosen([9] * 10, every_step=True, cell="elman")["initialisation"] == "orthogonal"


def test_what_is_set_is_not_chosen():
    asked = {"readout": "mean", "batch_size": 7, "max_epochs": 3, "refit": False, "n_iter_no_change": None}
    assert chosen([99] * 10, initialisation="glorot", **asked) == {}


def test_a_run_on_all_data_is_as_long_as_was_best_or_a_quarter_of_a_schedule_that_ends():
    ends, stays = TrainingSettings(schedule="one_cycle", max_epochs=40), TrainingSettings(max_epochs=40)
    assert [refit_epochs(best, ends) for best in (1, 10, 11, 40)] == [10, 10, 11, 40]
    assert [refit_epochs(best, stays) for best in (1, 40)] == [1, 40]


def test_the_model_is_the_network_that_training_on_all_data_gives(data, refitted):
    epochs = max(refitted.training_["best_epoch"], 2)
    whole = SequenceClassifier(max_epochs=epochs, early_stopping=False, batch_size=16, **SMALL).fit(*data)
    assert np.array_equal(refitted.network_.parameters.vector, whole.network_.parameters.vector)
    assert np.array_equal(refitted.preparation_.standardiser.mean, whole.preparation_.standardiser.mean)
    assert refitted.training_["n_refit"] == 24


def test_figures_and_history_are_of_the_network_that_has_not_seen_the_validation_part(data, refitted):
    first = SequenceClassifier(max_epochs=8, refit=False, **SMALL).fit(*data)
    assert refitted.training_["validation"] == first.training_["validation"]
    assert [r["validation_loss"] for r in refitted.history_] == [r["validation_loss"] for r in first.history_]
    assert first.training_["n_refit"] == 0
    assert not np.array_equal(refitted.network_.parameters.vector, first.network_.parameters.vector)


def test_the_temperature_is_that_of_the_first_network():
    X, y = walks(60)
    data = X, np.random.default_rng(0).permutation(y)  # nothing to be sure of
    first, again = (
        SequenceClassifier(max_epochs=8, refit=refit, calibrate=True, **SMALL).fit(*data) for refit in (False, True)
    )
    assert again.temperature_ == first.temperature_ != 1


def test_every_member_is_trained_on_all_data(data):
    two = SequenceClassifier(max_epochs=4, refit=True, n_members=2, **SMALL).fit(*data)
    alone = SequenceClassifier(max_epochs=4, refit=True, **SMALL).fit(*data)
    assert np.array_equal(two.networks_[0].parameters.vector, alone.network_.parameters.vector)
    assert not np.array_equal(two.networks_[0].parameters.vector, two.networks_[1].parameters.vector)


@pytest.mark.parametrize("validation", [True, False])
def test_nothing_is_trained_twice_without_a_part_of_the_data_set_aside(data, validation):
    given = {"validation": walks(8, seed=1)} if validation else {}
    model = SequenceClassifier(max_epochs=2, early_stopping=validation, **SMALL).fit(*data, **given)
    assert model.training_["n_refit"] == 0


class Watcher(Callback):
    of_refit = True

    def __init__(self, at=None):
        self.runs, self.epochs, self._at = [], [], at

    def on_train_begin(self, run):
        self.runs.append((run.is_refit, run.n_sequences, run.n_validation))

    def on_epoch_begin(self, epoch):
        if self._at == (self.runs[-1][0], 0):
            raise KeyboardInterrupt

    def on_epoch_end(self, record):
        self.epochs.append(record["epoch"])
        if self._at == (self.runs[-1][0], record["epoch"]):
            raise KeyboardInterrupt


def test_a_callback_sees_both_runs_only_if_it_asks(data):
    both, first = Watcher(), Watcher()
    first.of_refit = False
    SequenceClassifier(max_epochs=3, refit=True, **SMALL).fit(*data, callbacks=[both, first])
    assert both.runs == [(False, 20, 4), (True, 24, 0)]
    assert first.runs == both.runs[:1]


def test_a_callback_that_ends_training_calls_the_second_run_off(data):
    model = SequenceClassifier(max_epochs=5, refit=True, **SMALL)
    model.fit(*data, on_epoch=lambda record: record["epoch"] == 2)
    assert (model.training_["epochs"], model.training_["n_refit"]) == (2, 0)


@pytest.mark.parametrize("after", [0, 1])
def test_interrupted_on_all_data_the_network_that_was_validated_stays(data, after):
    first = SequenceClassifier(max_epochs=5, refit=False, **SMALL).fit(*data)
    model = SequenceClassifier(max_epochs=5, refit=True, **SMALL).fit(*data, callbacks=[Watcher(at=(True, after))])
    assert model.training_["n_refit"] == 0
    assert np.array_equal(model.network_.parameters.vector, first.network_.parameters.vector)
    assert np.array_equal(model.predict_proba(data[0]), first.predict_proba(data[0]))


@pytest.mark.parametrize("at", [(False, 2), (True, 1)])
def test_a_checkpoint_goes_on_within_either_run(data, tmp_path, at):
    whole = SequenceClassifier(max_epochs=5, refit=True, **SMALL).fit(*data)
    for watching in ([Watcher(at=at)], []):
        model = SequenceClassifier(max_epochs=5, refit=True, **SMALL)
        model.fit(*data, callbacks=watching, checkpoint=tmp_path / "run", every=0)
    assert np.array_equal(model.network_.parameters.vector, whole.network_.parameters.vector)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.all"]


def test_a_model_file_keeps_what_was_chosen(data, refitted, tmp_path):
    refitted.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    assert loaded.chosen_ == refitted.chosen_
    assert loaded.get_params()["batch_size"] == "auto"
    assert np.array_equal(loaded.predict_proba(data[0]), refitted.predict_proba(data[0]))


@pytest.mark.parametrize("wrong", [{"readout": "auto"}, {"readout": "none"}, {"cell": "gru"}, {"strange": 1}, None])
def test_a_file_that_chose_what_was_not_to_be_chosen_is_refused(refitted, tmp_path, wrong):
    broken = SequenceClassifier(**SMALL)
    broken.__dict__.update(refitted.__dict__)
    chosen = refitted.chosen_ | wrong if wrong else {"readout": "last"}
    broken.training_ = refitted.training_ | {"chosen": chosen}
    broken.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="damaged"):
        elman.load(tmp_path / "model")


def test_a_warm_start_keeps_its_network_and_chooses_the_rest_anew(data):
    model = SequenceClassifier(**SMALL | {"max_epochs": 2, "warm_start": True}).fit(*data)
    rng = np.random.default_rng(1)
    with pytest.warns(UserWarning, match="validation part"):
        model.fit([rng.normal(size=(50, 1)) for _ in range(150)], [False, True] * 75)
    assert model.chosen_["readout"] == "last"
    assert model.chosen_["batch_size"] == 32
    assert model.training_["n_refit"] == 0


def test_a_tagger_starts_a_quarter_of_its_units_with_a_long_memory():
    rng = np.random.default_rng(0)
    X, y = [rng.normal(size=(50, 1)) for _ in range(10)], [rng.integers(0, 2, 50) for _ in range(10)]
    start = SequenceTagger(hidden_size=8, num_layers=1, max_epochs=1, learning_rate=1e-12, random_state=0, refit=False)
    bias = start.fit(X, y).network_.parameters["bias_ih_l0"].reshape(3, 8)[1]  # of z, which keeps the state
    assert (bias[:2] > 0.1).all()
    assert (bias[:2] <= np.log(49)).all()
    assert np.abs(bias[2:]).max() < 1e-6


def test_plateau_has_no_run_without_validation(data):
    with pytest.raises(ParameterError, match="plateau"):
        SequenceClassifier(schedule="plateau", refit=True, **SMALL).fit(*data)


def test_where_training_goes_on_what_is_set_holds_and_what_is_auto_is_chosen_anew(data, tmp_path):
    X, y = data
    model = SequenceClassifier(**SMALL, max_epochs=2).fit(X, y)
    model.set_params(batch_size=4, readout="last").partial_fit(X, y)
    assert model._settings().batch_size == 4
    assert "batch_size" not in model.chosen_
    model.save(tmp_path / "model")
    loaded = elman.load(tmp_path / "model")
    loaded.set_params(batch_size="auto", readout="auto").partial_fit(X, y)
    assert loaded.chosen_["batch_size"] == 16
    assert loaded.chosen_["readout"] == "last"


def test_auto_is_the_readout_that_the_network_has_where_training_goes_on(data):
    model = SequenceClassifier(**SMALL, max_epochs=1, readout="mean", warm_start=True).fit(*data)
    model.set_params(readout="auto").fit(*data)
    assert model.network_.architecture.readout == model.chosen_["readout"] == "mean"


def test_a_warm_start_after_a_run_on_all_data_warns_that_nothing_is_unseen(data):
    model = SequenceClassifier(**SMALL, max_epochs=2, warm_start=True, refit=True).fit(*data)
    with pytest.warns(UserWarning, match="trained on before"):
        model.fit(*data)
    assert chosen([9] * 10, warm_start=True)["refit"] is False


def test_the_run_on_all_data_reads_patches_of_the_same_size():
    rng = np.random.default_rng(3)
    X = [rng.normal(size=(length, 1)) for length in rng.permutation([505] * 10 + [530] * 10)]
    sizes = []

    class Sizes(Callback):
        of_refit = True

        def on_train_begin(self, run):
            sizes.append(run.architecture.input_size)

    small = SMALL | {"hidden_size": 2, "max_epochs": 1}
    SequenceClassifier(**small, refit=True, batch_size=16).fit(X, ["a", "b"] * 10, callbacks=[Sizes()])
    assert len(sizes) == 2
    assert sizes[0] == sizes[1]


def test_a_callback_that_ends_the_run_on_all_data_leaves_the_network_that_was_validated(data):
    class Stops(Watcher):
        def on_epoch_end(self, record):
            return self.runs[-1][0]

    first = SequenceClassifier(max_epochs=5, refit=False, **SMALL).fit(*data)
    model = SequenceClassifier(max_epochs=5, refit=True, **SMALL).fit(*data, callbacks=[Stops()])
    assert model.training_["n_refit"] == 0
    assert np.array_equal(model.network_.parameters.vector, first.network_.parameters.vector)


def test_a_breakdown_on_all_data_leaves_the_network_that_was_validated(data, monkeypatch):
    step = Trainer.step

    def breaking(self, samples, *batches):
        if len(samples.offsets) == 25:
            raise TrainingError("Broken.")
        return step(self, samples, *batches)

    first = SequenceClassifier(max_epochs=3, refit=False, **SMALL).fit(*data)
    monkeypatch.setattr(Trainer, "step", breaking)
    with pytest.warns(UserWarning, match="validated kept: Broken"):
        model = SequenceClassifier(max_epochs=3, refit=True, **SMALL).fit(*data)
    assert np.array_equal(model.network_.parameters.vector, first.network_.parameters.vector)


def test_labels_of_noise_are_calibrated_to_a_temperature_that_can_be_saved(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5, 1)), rng.permutation(["a", "b"] * 30)
    model = SequenceClassifier(**SMALL, max_epochs=4, calibrate=True).fit(X, y)
    model.save(tmp_path / "model")
    assert elman.load(tmp_path / "model").temperature_ == model.temperature_ <= 100
