"""The example of grouped recordings shows what its text says."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "grouped_recordings.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("grouped_recordings", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look for their module there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(example):
    """The result and the printed lines of one run."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "print", lambda *texts, **_: lines.append(" ".join(map(str, texts))), raising=False)
        result = example.main()
    return result, "\n".join(lines).splitlines()


def test_a_random_split_looks_better_than_it_is_and_a_grouped_one_does_not(run):
    result, _ = run
    assert result.random_split.mean() > 0.85
    assert result.random_split.mean() - result.new_people > 0.3
    assert abs(result.grouped_split.mean() - result.new_people) < 0.2
    assert result.new_people > result.most_frequent + 0.05, "there is something to learn for all people"


def test_it_prints_the_figures_within_90_columns(run):
    result, lines = run
    for figure in (result.random_split.mean(), result.grouped_split.mean(), result.new_people, result.most_frequent):
        assert any(f" {figure:.2f} " in f"{line} " for line in lines)
    assert max(map(len, lines)) <= 90


def test_people_are_of_their_own_and_do_mostly_one_thing(example):
    recordings = example.record(np.random.default_rng(0), 6, 200, "p")
    assert recordings.people[0] == "p01"
    shares = []
    for person in np.unique(recordings.people):
        activities = recordings.activities[recordings.people == person]
        shares.append(max(np.mean(activities == activity) for activity in example.ACTIVITIES))
    assert len(shares) == 6
    assert np.allclose(shares, example.FAVOURITE + (1 - example.FAVOURITE) / 3, atol=0.08)


def test_the_grouped_figure_is_of_people_that_the_network_never_saw(example, monkeypatch):
    seen = []

    class Spy:
        def fit(self, X, y, groups=None):
            seen.append((X, groups))
            return self

        def score(self, X, y):
            return 0.5

    monkeypatch.setattr(example, "make_classifier", Spy)
    recordings = example.record(np.random.default_rng(0), 4, 3, "p")
    splits = list(example.GroupKFold(2).split(recordings.people, recordings.activities, recordings.people))
    example.accuracies(recordings, recordings, splits, keep_people_together=True)
    for (_, groups), (_, test) in zip(seen, splits):
        assert not set(groups) & set(recordings.people[test])
    example.accuracies(recordings, recordings, splits, keep_people_together=False)
    assert seen[-1][1] is None


def test_it_draws_as_many_times_as_it_is_told(example, monkeypatch, capsys):
    seeds = []

    def measure(seed):
        seeds.append(seed)
        return example.Result(np.array([0.9]), np.array([0.6]), 0.5, 0.3)

    monkeypatch.setattr(example, "measure", measure)
    example.main(["--seeds", "3"])
    assert seeds == [1, 2, 3]
    assert "Seed 3: random 0.90, by person 0.60, new people 0.50, most frequent 0.30" in capsys.readouterr().out
