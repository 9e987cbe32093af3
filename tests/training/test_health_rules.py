"""Rules of health by records and weights: each finds its own problem, with number and remedy, none in a sound run."""

import re
from pathlib import Path

import numpy as np
import pytest

from elman.insight import gates
from elman.network.architecture import Architecture
from elman.training import reach, symptoms
from elman.training.findings import Finding, Setup
from elman.training.health import HealthWatch, after_training, first_of_each, while_training
from elman.training.settings import TrainingSettings

N_EPOCHS = 20


def setup(
    longest=100, initialisation="orthogonal", patch_size=1, settings=None, shares=(), usual_epochs=0, **architecture
):
    chosen = {"cell": "elman", "hidden_size": 4, "bidirectional": False, "num_layers": 1} | architecture
    settings = {"max_epochs": N_EPOCHS, "learning_rate": 0.01, "schedule": "one_cycle"} | (settings or {})
    network = Architecture(input_size=2, n_classes=3, **chosen)
    return Setup(network, TrainingSettings(**settings), longest, initialisation, patch_size, shares, usual_epochs)


def run(n_epochs=N_EPOCHS, **changes):
    """Records of a sound run; a change is a number for all epochs or a function of the epoch."""
    sound = {
        "training_loss": lambda epoch: 1.1 * 0.8**epoch,
        "training_accuracy": lambda epoch: 0.9,
        "validation_loss": lambda epoch: 0.2 + 1.1 * 0.8**epoch,
        "validation_accuracy": 0.85,
        "gradient_norm": lambda epoch: 2 * 0.8**epoch,
        "clipped_share": 0.1,
        "update_ratio": lambda epoch: 0.01 * 0.9**epoch,
        "learning_rate": 0.01,
        "rollbacks": 0,
    }
    return [
        {"epoch": epoch, **{name: of(epoch) if callable(of) else of for name, of in (sound | changes).items()}}
        for epoch in range(1, n_epochs + 1)
    ]


def flow(memory=80, steps=100, ratio=0.5, vanished=0.0, of="l0"):
    names = {"memory": memory, "steps": steps, "ratio": ratio, "vanished": vanished, "of": of}
    return {f"flow_{name}": value for name, value in names.items()}


def weights(scale=1.0):
    return {"weight_hh_l0": scale * np.eye(4), "weight_hh_l0_reverse": scale * np.eye(4)}


def found(records, of=None, parameters=None, validation=None):
    return after_training(records, of or setup(), parameters or weights(), validation)


def test_nothing_is_found_in_a_sound_run():
    for records in (run(), run(**flow()), run(validation_loss=None, validation_accuracy=None), run(n_epochs=1)):
        assert found(records) == while_training(records, setup()) == []


PROBLEMS = {
    "breakdown": (
        {"rollbacks": lambda epoch: int(epoch > 5)},
        "Training broke down and went on at half the rate: try learning_rate=0.001 or cell='lstm'.",
        1,
    ),
    "exploding": (
        {"gradient_norm": lambda epoch: 5e4 if epoch == 7 else 2.0},
        "Gradients explode: their norm was 2 in epoch 1 and 50,000 in epoch 7: try learning_rate=0.001 or cell='lstm'.",
        5e4,
    ),
    "growing": (
        flow(ratio=25_000.0),
        "Gradients grow on their way back: 25,000-fold over 100 steps: try learning_rate=0.001 or cell='lstm'.",
        25_000,
    ),
    "large_steps": (
        {"update_ratio": lambda epoch: 0.25 / epoch},
        "Steps are too large, 0.25 of the parameters' own size, where 0.001 to 0.01 is usual: "
        "try learning_rate='auto' or learning_rate=0.0002.",
        0.25,
    ),
    "small_steps": (
        {"update_ratio": 2e-6, "training_loss": 1.1, "training_accuracy": 0.3},
        "Steps are too small, 2e-06 of the parameters' own size, where 0.001 to 0.01 is usual: "
        "try learning_rate='auto' or learning_rate=1.",
        2e-6,
    ),
    "no_fall": (
        {"training_loss": lambda epoch: 1.1 - 0.0001 * epoch},
        "The training loss did not fall: 1.1 in epoch 1, and never below 1.1 since: "
        "try learning_rate='auto' or learning_rate=0.001.",
        1.098,
    ),
    "overfitting": (
        {"validation_loss": lambda epoch: 0.9 + 0.1 * abs(epoch - 4)},
        "It learns by heart: the validation loss rises from 0.9 in epoch 4 to 2.45 while the training loss falls to "
        "0.013: try more data, recurrent_dropout=0.2, or weight_decay=0.1.",
        2.45,
    ),
    "vanishing": (
        flow(memory=12, vanished=0.75),
        "Gradients vanish: 75 % of the steps get less than a millionth of the largest, and a tenth is left after 12 of "
        "100 steps in layer 1: try cell='lstm', readout='attention', or patch_size=4.",
        12,
    ),
}


@pytest.mark.parametrize("rule", PROBLEMS)
def test_each_problem_of_a_run_is_found_alone_with_its_number_and_a_remedy(rule):
    changes, sentence, number = PROBLEMS[rule]
    [finding] = found(run(**changes))
    assert (finding.rule, finding.sentence) == (rule, sentence)
    assert finding.number == pytest.approx(number)
    if rule != "breakdown":  # which is told when it is met
        of_constant = setup(settings={"schedule": "constant"})
        assert [each.rule for each in while_training(run(**changes), of_constant)] == [rule]


def test_a_run_that_was_still_improving_is_told_to_go_on_unless_its_schedule_ends_low():
    constant = setup(settings={"schedule": "constant"})
    sentence = "It was still improving in epoch 20 of 20: try max_epochs=40."
    assert found(run(), constant) == [Finding("unfinished", sentence, 20)]
    assert found(run(), setup()) == found(run(15), constant) == []
    assert found(run(validation_loss=None, validation_accuracy=None), constant) == []
    assert found(run(validation_loss=lambda epoch: 0.5 + 0.001 * abs(epoch - 15)), constant) == []


def figures(accuracy=0.3, balanced=0.33, log_loss=1.1, rival=(0.4, 1 / 3, 1.1), logistic=0.35, n=1000):
    """What `training_` has of a validation part, with the number of its labels."""
    majority = dict(zip(("accuracy", "balanced_accuracy", "log_loss"), rival))
    baselines = {"majority": majority, "summary_statistics": {"accuracy": logistic}}
    of_network = {"accuracy": accuracy, "balanced_accuracy": balanced, "log_loss": log_loss}
    return of_network | {"baselines": baselines, "n": n}


def test_what_is_no_better_than_the_most_frequent_class_is_told():
    [finding] = found(run(), validation=figures())
    assert finding == Finding(
        "chance",
        "The network is no better than chance: 30.0 % right on the validation part, where always predicting the most "
        "frequent class is right in 40.0 %: check that the labels belong to the sequences, or try more data.",
        0.3,
    )
    assert found(run(), validation=figures(accuracy=0.44)) == []
    [finding] = found(run(), validation=figures(accuracy=0.44, n=60))
    assert "is right in 40.0 %, a difference that says nothing on 60 labels: check" in finding.sentence


def test_a_network_that_finds_rare_classes_or_gives_better_probabilities_is_above_chance():
    rare = setup(shares=(0.92, 0.04, 0.04))
    assert [each.rule for each in found(run(), rare, validation=figures(balanced=0.45, n=160))] == ["chance"]
    assert found(run(), rare, validation=figures(balanced=0.79, n=160)) == []
    assert found(run(), validation=figures(balanced=0.39, n=1000)) == []
    assert [each.rule for each in found(run(), validation=figures(log_loss=1.05))] == ["chance"]
    assert found(run(), validation=figures(log_loss=1.04)) == []


def test_a_network_far_behind_the_regression_has_not_learned_what_is_there():
    [finding] = found(run(), validation=figures(accuracy=0.7, logistic=0.986))
    assert finding == Finding(
        "behind",
        "The network has not learned what is there: 70.0 % right on the validation part, where a logistic regression "
        "on summary statistics has 98.6 %: try learning_rate='auto' or max_epochs=40.",
        0.7,
    )
    for other in (figures(accuracy=0.7, logistic=0.79), figures(accuracy=0.7, logistic=0.9, log_loss=0.8, n=9)):
        assert found(run(), validation=other) == []


@pytest.mark.parametrize("schedule", ["one_cycle", "constant"])
def test_few_epochs_are_told_where_something_is_missed_whatever_the_schedule(schedule):
    of_five = setup(usual_epochs=100, settings={"max_epochs": 5, "schedule": schedule})
    sentence = "It was trained for 5 epochs only, and was still improving: try max_epochs='auto' or max_epochs=100."
    assert found(run(5), of_five, validation=figures(accuracy=0.7, logistic=0.9)) == [
        Finding("unfinished", sentence, 5)
    ]
    assert found(run(5, validation_loss=None, validation_accuracy=None), of_five)[0].rule == "unfinished"
    assert found(run(5, validation_loss=lambda epoch: 0.5 + 0.1 * abs(epoch - 3)), of_five) == []
    assert found(run(5, validation_accuracy=0.96), setup(usual_epochs=100, settings={"max_epochs": 5})) == []
    assert found(run(), setup(usual_epochs=80)) == []
    assert found(run(), setup(usual_epochs=81)) != []


def test_a_network_that_learns_fast_at_the_end_and_little_yet_is_unfinished_even_under_a_schedule_that_ends_low():
    late = {"training_accuracy": 0.5, "training_loss": lambda epoch: 1.2 - 0.03 * epoch}
    [finding] = found(run(**late))
    assert finding == Finding("unfinished", "It was still improving in epoch 20 of 20: try max_epochs=40.", 20)
    assert found(run(**late | {"training_accuracy": 0.7})) == []
    assert found(run(**late | {"training_loss": lambda epoch: 1.2 - 0.02 * epoch})) == []


def test_where_nothing_was_learned_a_gradient_that_does_not_reach_back_is_told_instead_of_the_labels():
    short = run(**flow(memory=10))
    [finding] = found(short, validation=figures())
    assert finding == Finding(
        "out_of_reach",
        "The network is no better than chance, and gradients are down to a tenth after 10 of 100 steps in layer 1: "
        "try cell='lstm', readout='attention', or patch_size=4.",
        10,
    )
    assert found(short, validation=figures(accuracy=0.44)) == []
    for other in (found(run(**flow(memory=25)), validation=figures()), found(run(), validation=figures())):
        assert [finding.rule for finding in other] == ["chance"]
    assert [finding.rule for finding in found(short, setup(readout="mean"), validation=figures())] == ["chance"]


def test_weights_that_forget_are_found_where_the_last_step_is_read():
    of_uniform = setup(initialisation="uniform")
    [finding] = found(run(), of_uniform, weights(0.5))
    assert finding.rule == "forgetting"
    assert finding.number == pytest.approx(0.5)
    assert finding.sentence == (
        "Recurrent weights forget: the spectral radius of weight_hh_l0 is 0.50, so that a tenth of a state is left "
        "after 3 of 100 steps at most. If early steps matter, try cell='lstm', readout='attention', or patch_size=4."
    )
    assert found(run(), of_uniform, weights(0.95)) == []
    for other in ({"readout": "mean"}, {"loss_at": "every_step"}, {"cell": "gru"}, {"layer_norm": True}):
        assert found(run(), setup(**other), weights(0.5)) == []
    assert found(run(), setup(longest=10), weights(0.5)) == []
    assert found(run(validation_accuracy=0.96), of_uniform, weights(0.5)) == []


def test_what_can_have_no_spectral_radius_has_none():
    assert found(run(), setup(), {"weight_hh_l0": np.full((4, 4), np.nan)}) == []
    assert found(run(), setup(hidden_size=513), {"weight_hh_l0": 9 * np.eye(513)}) == []


def test_weights_that_stretch_a_state_are_found():
    [finding] = found(run(), setup(bidirectional=True), weights(1.0) | {"weight_hh_l0_reverse": 4.0 * np.eye(4)})
    assert finding.rule == "unstable"
    assert "the spectral radius of weight_hh_l0_reverse is 4.00 (about 1 is usual): try" in finding.sentence
    assert found(run(validation_accuracy=0.96), setup(), weights(4.0)) == []


@pytest.mark.parametrize(
    ("of", "ways"),
    [
        (setup(cell="gru"), "initialisation='chrono', readout='attention', or patch_size=4."),
        (setup(cell="lstm", initialisation="chrono", patch_size=2), "readout='attention' or patch_size=8."),
        (setup(cell="lstm", initialisation="chrono", patch_size=None), "readout='attention'."),
        (setup(cell="gru", longest=20), "initialisation='chrono' or readout='attention'."),
    ],
)
def test_no_remedy_is_named_that_the_network_has(of, ways):
    [finding] = found(run(**flow(memory=12, vanished=0.5)), of)
    assert finding.sentence.endswith(f" in layer 1: try {ways}")


def test_a_clip_norm_is_advised_where_there_is_none():
    [finding] = found(run(**flow(ratio=1e5)), setup(cell="gru", settings={"clip_norm": None}))
    assert finding.sentence.endswith("try clip_norm=1 or learning_rate=0.001.")


def test_gradients_that_vanish_are_no_problem_where_each_step_is_read_or_nothing_is_missed():
    lost = flow(memory=12, vanished=0.75)
    assert found(run(**lost), setup(readout="attention")) == []
    assert found(run(**lost), setup(loss_at="every_step")) == []
    assert found(run(**lost, validation_accuracy=0.96)) == []
    assert found(run(**{**lost, "flow_vanished": lambda epoch: 0.75 if epoch < 3 else 0.0})) == []


def test_gradients_that_vanish_in_some_epochs_are_told_of_these():
    at_first = flow(memory=lambda epoch: epoch, vanished=lambda epoch: max(0.0, 0.7 - 0.1 * epoch), of="l1_reverse")
    [finding] = found(run(**at_first))
    assert finding.sentence.startswith(
        "Gradients vanish: in 4 of 20 epochs 50 % of the steps get less than a millionth of the largest, and a tenth "
        "is left after 2 of 100 steps in layer 2, reverse: try"
    )
    told = []
    watch = HealthWatch(setup(), told.append)
    for record in run(**at_first):
        watch.on_epoch_end(record)
        assert len(told) == (record["epoch"] >= 3)
    assert told[0].startswith("Gradients vanish: 50 % of the steps get less than a millionth of the largest, and a ten")


def test_a_cause_is_told_and_not_its_consequences():
    still = {"update_ratio": 1e-9, "training_loss": 1.1, "validation_accuracy": 0.3}
    assert [finding.rule for finding in found(run(**still), validation=figures())] == ["small_steps"]
    finding = Finding("a", "A", 1.0)
    assert first_of_each([[None, finding, Finding("b", "B", 2.0)], [None], []]) == [finding]


def test_what_shows_while_training_is_told_once_and_at_once():
    told = []
    watch = HealthWatch(setup(), told.append)
    records = run(gradient_norm=lambda epoch: 5e4 if epoch in (7, 9) else 2.0)
    for record in records[:6]:
        watch.on_epoch_end(record)
    assert told == []
    for record in (records[6], *records[6:]):  # the seventh epoch twice, as after a breakdown
        watch.on_epoch_end(record)
    assert [sentence.split(":")[0] for sentence in told] == ["Gradients explode"]


def test_the_page_on_health_has_every_rule_and_its_threshold():
    page = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page.partition("## The rules")[2], re.MULTILINE))
    of_units = {"dead_units", "saturated", "shut"}
    assert (
        set(rows)
        == set(PROBLEMS) | {"unfinished", "chance", "out_of_reach", "behind", "forgetting", "unstable"} | of_units
    )
    assert f": {symptoms.EXPLODED:,.0f}," in rows["exploding"]
    assert f" or {symptoms.HUGE:,.0f}" in rows["exploding"]
    assert rows["large_steps"].endswith(f": {symptoms.LARGE_STEP}")
    assert rows["small_steps"].endswith(f"below {symptoms.SMALL_STEP:.0e}".replace("-0", "-"))
    assert rows["growing"].endswith(f": {reach.GROWN:,.0f}")
    assert rows["unstable"].endswith(f": {reach.FAR_ABOVE:.0f}")
    assert (reach.VANISHED, rows["vanishing"].endswith(": a quarter")) == (0.25, True)
    assert rows["saturated"].endswith(f": {gates.SATURATED:.0%}".replace("%", " %"))


def test_long_runs_are_looked_at_now_and_then():
    told = []
    watch = HealthWatch(setup(), told.append)
    for record in run(n_epochs=1060, gradient_norm=lambda epoch: 5e4 if epoch > 1000 else 2.0):
        watch.on_epoch_end(record)
        assert told == [] or record["epoch"] > 1000
    assert len(told) == 1


def test_a_validation_loss_that_rises_within_what_chance_has_is_no_problem():
    assert found(run(validation_loss=lambda epoch: 0.2 + 0.04 * abs(epoch - 4))) == []
    of_solved = run(validation_loss=lambda epoch: 0.9 + 0.1 * abs(epoch - 4), validation_accuracy=0.96)
    assert found(of_solved) == []


def test_what_rises_by_little_to_above_the_loss_of_chance_is_no_problem():
    little = run(validation_loss=lambda epoch: 1.08 if epoch < 4 else 1.15)
    assert found(little) == []
    assert [each.rule for each in found(run(validation_loss=lambda epoch: 1.03 if epoch < 4 else 1.15))] == [
        "overfitting"
    ]


def test_gradients_explode_that_grow_a_thousandfold_or_are_huge_from_the_start():
    assert found(run(gradient_norm=lambda epoch: 100 if epoch < 7 else 5e4)) == []
    [finding] = found(run(gradient_norm=lambda epoch: 1e8 / epoch))
    assert finding.sentence.startswith("Gradients explode: their norm was 1e+08 in epoch 1: try")
    [finding] = found(run(gradient_norm=lambda epoch: 1e8 + epoch))
    assert finding.sentence.startswith("Gradients explode: their norm was 1e+08 in epoch 1 and 1e+08 in epoch 20: try")


def test_two_epochs_of_large_steps_are_no_problem():
    assert found(run(update_ratio=lambda epoch: 0.3 if epoch < 3 else 0.01)) == []
    assert [each.rule for each in found(run(update_ratio=lambda epoch: 0.3 if epoch < 4 else 0.01))] == ["large_steps"]


def test_a_loss_that_falls_to_that_of_the_class_frequencies_has_not_fallen():
    flat = {"training_accuracy": 0.4, "validation_accuracy": 0.4}
    assert found(run(training_loss=lambda epoch: 1.0 - 0.03 * (epoch > 1), **flat)) == []
    plateau = run(training_loss=lambda epoch: 1.2 if epoch < 3 else 1.095, **flat)
    [finding] = found(plateau)
    assert finding.sentence.startswith(
        "The training loss never fell below the 1.1 that the class frequencies alone give: 1.2 in epoch 1, and 1.09 at "
        "best: try learn"
    )
    fallen = run(training_loss=lambda epoch: 1.2 if epoch < 3 else 0.5, **flat)
    assert found(fallen) == []
    assert [each.rule for each in found(fallen, setup(shares=(0.9, 0.05, 0.05)))] == ["no_fall"]
    assert found(fallen, setup(shares=(0.8, 0.1, 0.1))) == []
    smoothed = setup(shares=(0.8, 0.1, 0.1), settings={"label_smoothing": 0.3})
    assert smoothed.loss_of_chance == pytest.approx(-0.66 * np.log(0.66) - 0.34 * np.log(0.17))


def test_of_epochs_in_which_gradients_grow_the_median_is_told():
    [finding] = found(run(**flow(ratio=lambda epoch: 1e3 * 2.0**epoch if epoch <= 5 else 1.0)))
    assert finding.number == 8e3
    assert finding.sentence.startswith("Gradients grow on their way back: in 5 of 20 epochs 8,000-fold over 100 steps")
    assert found(run(**flow(ratio=1e5), validation_accuracy=0.96)) == []


def test_a_run_that_ends_early_is_judged_by_the_epochs_that_it_had():
    of_many = setup(settings={"max_epochs": 200, "schedule": "constant"})
    lost = run(14, **flow(memory=12, vanished=0.58))
    assert while_training(lost, of_many) == []
    assert [finding.rule for finding in found(lost, of_many)] == ["vanishing"]
    still = {"training_loss": 1.1, "training_accuracy": 0.4}
    assert [finding.rule for finding in found(run(14, **still), of_many)] == ["no_fall"]
    of_both = found(run(14, **still, **flow(memory=12, vanished=0.58)), of_many)
    assert [finding.rule for finding in of_both] == ["vanishing"]


def test_what_is_right_by_the_most_frequent_class_alone_is_not_solved():
    lost = run(**flow(memory=12, vanished=0.58), validation_accuracy=0.96)
    assert found(lost, setup(shares=(0.5, 0.3, 0.2))) == []
    assert [finding.rule for finding in found(lost, setup(shares=(0.96, 0.02, 0.02)))] == ["vanishing"]


def test_what_is_learned_by_heart_is_not_solved():
    by_heart = {"training_accuracy": 1.0, "validation_loss": None, "validation_accuracy": None}
    assert [finding.rule for finding in found(run(**flow(memory=12, vanished=0.58), **by_heart))] == ["vanishing"]
