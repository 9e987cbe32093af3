"""Every cell of a report's tables, worked out again from the data and the model."""

import dataclasses
import json
import re
from collections import Counter

import numpy as np
import pytest

from elman.insight.unroll_model import unroll_model
from elman.report.blocks import Figure, Fragment, Name, Table, number, percent
from elman.report.facts import Source
from elman.report.sections.card import card
from elman.report.sections.data import data
from elman.report.sections.gradients import gradients
from elman.report.sections.mistakes import most_confident_mistakes
from elman.report.sections.unrolled import unrolled


def tables(section):
    blocks = [block.table if isinstance(block, Figure) else block for block in section.blocks]
    return [[tuple(map(text, row)) for row in block.rows] for block in blocks if isinstance(block, Table)]


def text(cell):
    return cell.text if isinstance(cell, Name) else cell


@pytest.fixture(scope="module")
def labels(plain):
    return plain.estimator.classes_[plain.codes].tolist()


def test_classes_and_features_are_those_of_the_file_beside_those_of_training(plain, labels):
    shares = Counter(labels[:30])  # what the model was fitted on
    here = plain.sequences.values
    of_classes, of_features = tables(data(plain))
    assert of_classes == [
        (name, str(labels.count(name)), percent(labels.count(name) / 60), percent(shares[name] / 30))
        for name in ("rest", "run", "walk")
    ]
    mean, scale = plain.estimator.preparation_.standardiser.mean, plain.estimator.preparation_.standardiser.scale
    for feature, row in enumerate(of_features):
        column = here[:, feature]
        assert row[1:5] == ("none", number(column.min()), number(column.mean()), number(column.max()))
        assert row[5] == f"{number(mean[feature])} ± {number(scale[feature])}"
        assert row[6] == f"{(column.mean() - mean[feature]) / scale[feature]:+.2f}"
    assert len({row[3] for row in of_features}) == 3


def test_shares_here_are_told_from_those_in_training(plain, labels):
    """In the first test both are alike."""
    chosen = np.flatnonzero(plain.codes != 1)
    found = dataclasses.replace(
        plain,
        sequences=plain.sequences[chosen],
        codes=plain.codes[chosen],
        proba=plain.proba[chosen],
        ids=plain.ids[chosen],
        evaluation=dataclasses.replace(plain.evaluation, confusion_matrix=np.diag([20, 0, 20])),
    )
    assert [row[2] for row in tables(data(found))[0]] == [percent(share) for share in (0.5, 0.0, 0.5)]


def test_gradients_are_those_of_the_estimator(plain, labels):
    flow = plain.estimator.gradient_flow(plain.sequences, labels)
    (rows,) = tables(gradients(plain))
    assert [row[0] for row in rows] == ["layer 1", "layer 1, reverse"]
    for k, row in enumerate(rows):
        gates = [percent(float(flow.saturated[gate][k].mean())) for gate in flow.saturated]
        assert list(row[1:]) == [str(flow.memory(k)), number(flow.ratio(k)), percent(flow.vanished(k)), *gates]
        assert flow.ratio(k) > 0, "else the two could not be told apart"


def test_mistakes_are_those_with_the_surest_wrong_answer(plain, labels):
    wrong = np.flatnonzero(plain.proba.argmax(axis=1) != plain.codes)
    surest = wrong[np.argsort(-plain.proba[wrong].max(axis=1), kind="stable")][:12]
    assert len(surest) > 3
    names = plain.estimator.classes_
    (rows,) = tables(most_confident_mistakes(plain))
    assert rows == [
        (
            f"s{n}",
            labels[n],
            names[plain.proba[n].argmax()],
            percent(plain.proba[n].max()),
            percent(plain.proba[n][plain.codes[n]]),
        )
        for n in surest
    ]


@pytest.mark.parametrize("n", [7, 8])
def test_the_sequence_that_was_asked_for_is_unrolled(plain, labels, n):
    section = unrolled(dataclasses.replace(plain, unrolled=n))
    assert f"equence s{n}" in section.lead
    (view,) = [block.html for block in section.blocks if isinstance(block, Fragment)]
    (found,) = re.findall(r'class="unrolled-data">(.*?)</script>', view, re.DOTALL)
    expected = unroll_model(plain.estimator, plain.sequences[[n]], [labels[n]])
    assert json.loads(found)["loss"] == expected.loss
    assert json.loads(found)["n_steps"] == plain.sequences.lengths[n]


def test_a_sequence_without_a_label_is_unrolled_for_the_predicted_class(steps):
    start, stop = steps.sequences.offsets[3:5]
    codes = steps.codes.copy()
    codes[start:stop] = -1
    section = unrolled(dataclasses.replace(steps, codes=codes, unrolled=3))
    assert "it has no label, and the loss is that of the predicted class." in section.lead
    (view,) = [block.html for block in section.blocks if isinstance(block, Fragment)]
    (found,) = re.findall(r'class="unrolled-data">(.*?)</script>', view, re.DOTALL)
    assert json.loads(found)["loss"] == unroll_model(steps.estimator, steps.sequences[[3]]).loss


def test_model_and_data_have_their_own_digest_and_size(plain):
    found = dataclasses.replace(plain, model=Source("m.st", "ab" * 32, 1234), file=Source("d.csv", "cd" * 32, 5678))
    rows = dict(row for rows in tables(card(found)) for row in rows if len(row) == 2)
    assert rows["model"] == f"m.st, 1,234 bytes, SHA-256 {'ab' * 32}"
    assert rows["data"] == f"d.csv, 5,678 bytes, SHA-256 {'cd' * 32}"
