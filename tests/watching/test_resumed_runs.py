"""A run that was interrupted and goes on from its checkpoint leaves the log and the curves of one that never was."""

import json

import numpy as np
import pytest

from elman import SequenceClassifier
from elman.watching import Callback, JsonLines, TensorBoardWriter

TIMES = ("seconds", "sequences_per_second")


class InterruptedAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, step):
        if step["step"] == self.step:
            raise KeyboardInterrupt


class KilledAt(InterruptedAt):
    """Ends the process as far as its files are concerned: nobody is told of the end of training."""

    def on_step_end(self, step):
        if step["step"] == self.step:
            raise SystemExit


def told(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


def curves(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for part in ("training", "validation", "steps"):
        events = EventAccumulator(str(directory / part), size_guidance={"scalars": 0})
        events.Reload()
        tags = [tag for tag in events.Tags()["scalars"] if not tag.endswith(TIMES)]
        found |= {(part, tag): [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}
    return found


@pytest.mark.parametrize("ending", [InterruptedAt, KilledAt])
@pytest.mark.parametrize("step", [6, 8])  # within an epoch, and at its end: there are 4 steps in each
def test_a_resumed_run_leaves_the_log_and_the_curves_of_one_never_interrupted(tmp_path, ending, step):
    pytest.importorskip("tensorboard", reason="TensorBoard reads the event files")
    rng = np.random.default_rng(3)
    X, y = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, 40)], ["a", "b"] * 20

    def fit(name, *callbacks):
        model = SequenceClassifier(hidden_size=3, max_epochs=4, batch_size=8, random_state=0, n_threads=1)
        watching = [JsonLines(tmp_path / f"{name}.jsonl", every=1), TensorBoardWriter(tmp_path / name, every=1)]
        checkpoint = tmp_path / f"{name}.checkpoint"
        return model.fit(X, y, callbacks=[*watching, *callbacks], checkpoint=checkpoint, every=0.0)

    whole = fit("whole")
    if ending is KilledAt:
        with pytest.raises(SystemExit):
            fit("cut", ending(step))
    else:
        fit("cut", ending(step))
    resumed = fit("cut")
    assert np.array_equal(whole.network_.parameters.vector, resumed.network_.parameters.vector)
    lines = told(tmp_path / "cut.jsonl")
    begins = [line for line in lines if line["kind"] == "begin"]
    assert [line["is_resumed"] for line in begins] == [False, True]
    happened = [line for line in lines if line["kind"] in ("step", "epoch")]
    assert happened == [line for line in told(tmp_path / "whole.jsonl") if line["kind"] in ("step", "epoch")]
    assert lines[-1] == told(tmp_path / "whole.jsonl")[-1]
    assert curves(tmp_path / "cut") == curves(tmp_path / "whole")
    assert len(curves(tmp_path / "cut")["steps", "step/loss"]) == resumed.history_[-1]["steps"]
