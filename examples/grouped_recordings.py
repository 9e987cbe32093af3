"""Several recordings of each person: why a random split promises too much, and what a grouped one tells.

Twenty-four people wear a sensor and are recorded ten times each, walking, climbing or
resting. Each person moves in an own manner: how the sensor sits, how far an arm
swings, how fast the steps come. And each does mostly one of the three things.

A random split puts recordings of one person on both sides. A network that knows
the person then knows, more often than not, what the person does. On people it has
never seen that is worth nothing: a split by person shows what is left.

The people are drawn by a generator, so that a third figure can be had: how the
network does on many people who were in neither split.

Run it:  python examples/grouped_recordings.py [--seeds N]
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedKFold

from elman import SequenceClassifier, Sequences

ACTIVITIES = np.array(["climb", "rest", "walk"])
TEMPO = np.array([1.6, 0.8, 1.0])  # of the swing, beside the person's own
SWING = np.array([1.0, 0.4, 1.1])  # how far it goes, beside the person's own
N_PEOPLE, N_RECORDINGS, N_NEW_PEOPLE, FOLDS = 24, 10, 60, 4
FAVOURITE = 0.85  # share of a person's recordings that show what that person does mostly


@dataclass(frozen=True)
class Recordings:
    """What the sensor recorded: (T_n, 3) each, the activity, and who it was."""

    sequences: Sequences
    activities: np.ndarray  # (N,)
    people: np.ndarray  # (N,)


@dataclass(frozen=True)
class Result:
    """Shares of recordings told right."""

    random_split: np.ndarray  # (FOLDS,)
    grouped_split: np.ndarray  # (FOLDS,)
    new_people: float  # mean of the networks of the grouped split
    most_frequent: float  # by always naming the activity that is most frequent


def record(rng, n_people, n_recordings, prefix):
    """Draw people, and recordings of each."""
    steps, activities, people = [], [], []
    for person in range(n_people):
        seat = rng.normal(0, 1, 3)  # how the sensor sits
        tempo, swing = rng.uniform(0.85, 1.2), rng.uniform(0.8, 1.2)
        favourite = person % len(ACTIVITIES)
        for _ in range(n_recordings):
            is_favourite = rng.random() < FAVOURITE
            activity = favourite if is_favourite else rng.integers(len(ACTIVITIES))
            n_steps = rng.integers(40, 60)
            phase = rng.uniform(0, 2 * np.pi) + 0.5 * tempo * TEMPO[activity] * np.arange(n_steps)
            wave = np.column_stack([np.sin(phase), np.cos(phase), np.sin(2 * phase)])
            steps.append(seat + swing * SWING[activity] * wave + rng.normal(0, 0.3, (n_steps, 3)))
            activities.append(ACTIVITIES[activity])
            people.append(f"{prefix}{person + 1:02d}")
    offsets = np.cumsum([0, *map(len, steps)])
    return Recordings(Sequences(np.concatenate(steps), offsets), np.array(activities), np.array(people))


def make_classifier():
    """Return the network that every figure is of."""
    return SequenceClassifier(hidden_size=16, max_epochs=60, n_iter_no_change=15, learning_rate=0.01, random_state=0)


def accuracies(recordings, new, splits, *, keep_people_together):
    """Train on each split; return the accuracy on its other side, and that on new people, (FOLDS,) each.

    With ``keep_people_together`` the validation part that fit sets aside is of other people as well.
    """
    found = []
    for training, test in splits:
        groups = recordings.people[training] if keep_people_together else None
        classifier = make_classifier()
        classifier.fit(recordings.sequences[training], recordings.activities[training], groups=groups)
        on_test = classifier.score(recordings.sequences[test], recordings.activities[test])
        found.append((on_test, classifier.score(new.sequences, new.activities)))
    return np.transpose(found)


def measure(seed):
    """Draw people by the seed, train on both kinds of split; return a Result."""
    rng = np.random.default_rng(seed)
    recordings = record(rng, N_PEOPLE, N_RECORDINGS, "p")
    new = record(rng, N_NEW_PEOPLE, N_RECORDINGS, "n")
    y, people = recordings.activities, recordings.people

    random = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(people, y)
    random_split, _ = accuracies(recordings, new, random, keep_people_together=False)
    grouped = GroupKFold(FOLDS).split(people, y, people)
    grouped_split, on_new_people = accuracies(recordings, new, grouped, keep_people_together=True)
    new_people = float(on_new_people.mean())
    names, counts = np.unique(y, return_counts=True)
    most_frequent = float(np.mean(new.activities == names[counts.argmax()]))
    return Result(random_split, grouped_split, new_people, most_frequent)


def main(arguments=()):
    """Print the three figures side by side; return a Result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="how many draws of people (default 1)")
    n_seeds = parser.parse_args(arguments).seeds
    result = measure(1)
    random_split, grouped_split, new_people = result.random_split, result.grouped_split, result.new_people

    print(f"{N_PEOPLE * N_RECORDINGS} recordings of {N_PEOPLE} people; share of activities told right:\n")
    print(f"    random split, people on both sides      {random_split.mean():.2f}   (StratifiedKFold, {FOLDS} folds)")
    print(f"    split by person                         {grouped_split.mean():.2f}   (GroupKFold, {FOLDS} folds)")
    print(f"    {N_NEW_PEOPLE} people who were in no split           {new_people:.2f}   (what it is worth)")
    print(f"    always the most frequent activity       {result.most_frequent:.2f}\n")
    surplus = random_split.mean() - new_people
    print(f"The random split promises {surplus:.2f} more than there is: the network has learned who")
    print("the people are, and what each of them mostly does. The split by person does not")
    print(f"reward that, and comes as near as {N_PEOPLE} people allow. Pass groups=... to fit, and")
    print("GroupKFold to cross-validation; elman train takes --group COLUMN.")
    for seed in range(2, n_seeds + 1):
        other = measure(seed)
        shares = f"random {other.random_split.mean():.2f}, by person {other.grouped_split.mean():.2f}"
        print(f"Seed {seed}: {shares}, new people {other.new_people:.2f}, most frequent {other.most_frequent:.2f}")
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
