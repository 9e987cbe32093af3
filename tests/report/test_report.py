"""The report: what stands in it is what was measured, whatever things are called, and nothing is fetched."""

import dataclasses
import json
import re
from copy import copy
from itertools import pairwise

import numpy as np
import pytest

from elman import SequenceClassifier
from elman.data import as_sequences
from elman.estimators.evaluation import evaluate, measure
from elman.insight.calibration_curve import calibration_curve
from elman.insight.comparison import compare
from elman.insight.intervals import wilson
from elman.report.blocks import Name
from elman.report.report import PARTS, report
from elman.report.sections.calibration import lead
from elman.report.sections.headline import BASELINES, verdict
from elman.report.sections.training import ending, n_trained_on
from reported import FEATURES, HOSTILE, SMALL, facts_of, walks

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def page(plain):
    return report(plain)


@pytest.fixture(scope="module")
def hostile_page(hostile):
    return report(hostile)


def titles(page):
    return re.findall(r'<h2 id="[\w-]+-title">(.*?)</h2>', page)


def specs(page):
    found = re.findall(r'<script type="application/json" class="chart-spec" data-chart="([\w-]+)">(.*?)</script>', page)
    return {key: json.loads(text) for key, text in found}


def text_of(page):
    """The words of a page, without scripts, styles and tags."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&#39;", "'").replace("\xa0", " ").split())


def test_every_part_is_there_in_its_order(page):
    assert titles(page) == [
        "The data",
        "Training",
        "How far gradients reach back",
        "Confusions",
        "Class by class",
        "Calibration",
        "Beside the baselines",
        "The most confident mistakes",
        "How early it knows",
        "What it looked at",
        "One sequence, unrolled",
        "Model card",
    ]


def test_figures_are_those_of_evaluate(page, plain):
    labels = plain.estimator.classes_[plain.codes]
    measured = evaluate(plain.estimator, plain.sequences, labels)
    words = text_of(page)
    assert f"accuracy {100 * measured.accuracy:.1f} %" in words
    assert f"balanced accuracy {100 * measured.balanced_accuracy:.1f} %" in words
    assert f"macro F1 {100 * measured.macro_f1:.1f} %" in words
    assert f"log loss {measured.log_loss:.3f}" in words
    assert f"logistic regression {measured.baselines['summary_statistics']['log_loss']:.3f}" in words
    low, high = wilson(int(measured.confusion_matrix.trace()), measured.n)
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in words


def test_the_confusion_matrix_drawn_is_the_one_measured(page, plain):
    (rows,) = specs(page)["confusion"]["datasets"].values()
    counts = {(row["row"], row["column"]): row["count"] for row in rows}
    names = plain.estimator.classes_.tolist()
    matrix = [[counts.get((true, said), 0) for said in names] for true in names]
    assert matrix == plain.evaluation.confusion_matrix.tolist()


def test_every_chart_has_its_place_a_name_and_two_sentences(page):
    drawn = re.findall(r'<div class="chart" data-chart="([\w-]+)" role="group" aria-label="([^"]+)">', page)
    assert sorted(key for key, _ in drawn) == sorted(specs(page))
    assert all(len(name) > 10 for _, name in drawn)
    assert page.count('<span class="reads">') == page.count('<span class="shows">') == len(drawn)
    assert '<span class="reads"></span>' not in page


def test_headings_are_in_order_and_ids_are_unique(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = re.findall(r'<[^>]* id="([^"]+)"', re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL))
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([\w-]+)"', page):
        assert target in ids


def test_the_same_facts_give_the_same_bytes(page, plain):
    assert report(plain) == page


def test_a_page_holds_all_it_needs_and_is_small(page):
    markup = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert len(page.encode()) < MOST_BYTES
    assert not re.search(r"""\b(src|href|srcset|data|action)\s*=\s*["']?(?!#)[^"'>]*//""", markup)
    assert not re.search(r"@import|url\(\s*[\"']?(?!data:)", markup)
    assert "connect-src &#39;none&#39;" in page
    assert "unsafe-eval" not in page


def test_hostile_names_are_text_and_nothing_else(hostile_page):
    markup = re.sub(r"<script\b.*?</script>", "", hostile_page, flags=re.DOTALL)
    assert "<script>alert" not in hostile_page
    assert "<img src=x" not in hostile_page
    assert "<b>data" not in hostile_page
    assert "alert(1)" not in "".join(re.findall(r"<script>(.*?)</script>", hostile_page, flags=re.DOTALL))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in markup
    assert "\u202e" not in hostile_page  # which would turn what follows around
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", hostile_page)
    assert "l" * 200 not in hostile_page
    assert "49" not in re.findall(r"\{\{ 7 .{0,10}", hostile_page)
    assert len(hostile_page.encode()) < MOST_BYTES


def test_hostile_names_never_name_a_field_of_a_chart(hostile_page):
    names = {*HOSTILE, *FEATURES}

    def fields(part):
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "datasets":
                    yield from (name for rows in value.values() for row in rows for name in row)
                elif key == "values" and isinstance(value, list):
                    yield from (name for row in value if isinstance(row, dict) for name in row)
                elif key == "field" and isinstance(value, str):
                    yield value
                else:
                    yield from fields(value)
        elif isinstance(part, list):
            for each in part:
                yield from fields(each)

    found = {field for spec in specs(hostile_page).values() for field in fields(spec)}
    assert found
    assert all(re.fullmatch(r"\w+", field) for field in found), found
    assert not found & names


def test_names_that_are_cut_alike_stay_apart(hostile_page):
    rows = [row["name"] for row in specs(hostile_page)["classes"]["data"]["values"]]
    assert len(rows) == len(set(rows)) == len(HOSTILE)


def test_of_a_tagger_steps_are_counted(steps):
    page = report(steps)
    words = text_of(page)
    n = int((steps.codes >= 0).sum())
    assert f"of {n} steps" in words
    assert "steps of one sequence are not independent" in words
    assert "How early it knows" not in titles(page)
    mistake = np.flatnonzero(steps.is_wrong)
    assert (len(mistake) > 0) == ("step in question" in words)


def test_texts_are_shown_where_they_were_mistaken():
    texts = tuple("ab" * 3 if n % 2 else "ba" * 2 + "<i>" for n in range(24))
    labels = np.array([f"k{n % 3}" for n in range(24)])
    classifier = SequenceClassifier(**SMALL).fit(list(texts), labels)
    page = report(facts_of(classifier, as_sequences(list(texts)), labels, texts=texts))
    written = [
        row["token"]
        for rows in specs(page)["evidence-right"]["datasets"].values()
        for row in rows
        if "y" in row and "token" in row
    ]
    assert "".join(written) in texts
    assert "names known" in page
    assert re.search(r"“(ababab|baba&lt;i&gt;)”", page)


def test_other_models_are_compared_where_they_are_given(plain):
    labels = plain.estimator.classes_[plain.codes]
    other = SequenceClassifier(**SMALL | {"cell": "elman"}).fit(plain.sequences[:30], labels[:30])
    page = report(facts_of(plain.estimator, plain.sequences, labels, others={"elman": other}))
    assert "Beside other models" in titles(page)
    assert "McNemar" in page


def test_members_and_patches_are_told(plain):
    sequences, codes = walks(24, 2, 5)
    classifier = SequenceClassifier(**SMALL, n_members=2, patch_size=2).fit(sequences, codes)
    words = text_of(report(facts_of(classifier, sequences, codes)))
    assert "2 such networks, averaged" in words
    assert "2 networks, trained for 2 and 2 epochs on 24 sequences" in words
    assert "every 2 consecutive steps are read as one" in words
    assert "the first of 2 networks" in words


def test_much_is_drawn_in_little_room():
    rng = np.random.default_rng(0)
    lengths = np.array([5000, *[3] * 1999])
    values = rng.normal(size=(int(lengths.sum()), 1))
    names = np.array([f"class {n}" for n in range(400)])
    labels = names[np.arange(2000) % 400]
    sequences = as_sequences(np.split(values, np.cumsum(lengths)[:-1]))
    classifier = SequenceClassifier(**SMALL | {"max_epochs": 1}).fit(sequences[1:], labels[1:])
    told = []
    page = report(facts_of(classifier, sequences, labels), on_part=told.append)
    assert len(page.encode()) < MOST_BYTES
    assert told == [name for name, _ in PARTS]
    words = text_of(page)
    assert "of 400 classes" in words
    assert re.search(r"This is a sample of 1,250 of 2,000 sequences", words)


def test_gradient_health_over_epochs_is_drawn_where_records_hold_it(plain, page):
    assert "gradient-history" in specs(page) or "do not hold its gradient flow" in text_of(page)
    flow = {"flow_of": "l0_reverse", "flow_ratio": 0.1, "flow_vanished": 0.0, "flow_steps": 9}
    estimator = copy(plain.estimator)
    estimator.histories_ = [
        [
            record | flow | {"flow_memory": 7 - n, "flow_profile": [1.0, 0.5, 0.1 / (n + 1)]}
            for n, record in enumerate(plain.estimator.history_)
        ]
    ]
    found = report(dataclasses.replace(plain, estimator=estimator))
    assert "gradient-history" in specs(found)
    assert (
        "reached back 7 of 9 steps in epoch 1 (layer 1, reverse) and 6 of 9 steps in epoch 2 (layer 1, reverse)"
        in text_of(found)
    )


def judged(plain, proba, rival, **summary):
    """The same facts, had the model and the better baseline given these probabilities, (M,) of being right."""

    def certain(right):
        codes = np.where(right, plain.codes, (plain.codes + 1) % 3)
        return np.where(np.arange(3) == codes[:, None], 0.8, 0.1)

    baselines = {"summary_statistics": certain(rival), "majority": np.full((len(rival), 3), 1 / 3)}
    proba = certain(proba)
    evaluation = measure(plain.codes, proba, baselines, plain.estimator.classes_)
    estimator = copy(plain.estimator)
    estimator.training_ = plain.estimator.training_ | summary
    return dataclasses.replace(plain, estimator=estimator, proba=proba, baselines=baselines, evaluation=evaluation)


def test_a_network_beats_or_loses_to_a_baseline_only_beyond_chance(plain):
    n = np.arange(60)
    alike = verdict(judged(plain, n > 1, n > 0))  # 58 against 59: one sequence
    assert "cannot be told apart from the better baseline, logistic regression" in alike
    assert "(96.7 against 98.3\xa0%, p\xa0=\xa01)" in alike
    assert "cannot be told apart" in verdict(judged(plain, n >= 0, n >= 0))
    ahead = verdict(judged(plain, n >= 0, n >= 12))
    assert ahead.startswith("The network is 20.0 points of accuracy ahead of the better baseline")
    behind = verdict(judged(plain, n >= 12, n >= 0, epochs=200, stopped_early=False))
    assert "20.0 points of accuracy behind" in behind
    assert "order of the steps matters little" in behind
    for early in ({"epochs": 3, "stopped_early": False}, {"epochs": 200, "stopped_early": True}):
        assert "order of the steps" not in verdict(judged(plain, n >= 12, n >= 0, **early))


def test_the_interval_and_the_test_of_a_tagger_are_those_of_compare(steps):
    labels = steps.labels_of(np.arange(len(steps.sequences)))
    found = compare({"it": steps.estimator}, steps.sequences, labels, baselines=True)
    assert steps.accuracy_interval == tuple(found.accuracy_intervals[0])
    p_values = steps.beside_baselines.p_values
    assert [p_values[name] for name in BASELINES] == [each.p_value for each in found.differences]
    low, high = (100 * bound for bound in steps.accuracy_interval)
    assert f"{low:.1f} to {high:.1f} %" in text_of(report(steps))


def test_the_data_trained_on_are_those_of_the_saved_model():
    summary = {"members": [{"epochs": 7}], "n_training": 216, "n_validation": 54, "n_refit": 270, "seconds": 1.0}
    summary |= {"stopped_early": True, "interrupted": False}
    assert n_trained_on(summary) == 270
    assert n_trained_on(summary | {"n_refit": 0}) == 216
    assert "Trained for 7 epochs on 216 sequences, with 54 more for validation" in ending(summary)
    assert "trained again from the start on all 270 sequences: that is the saved model" in ending(summary)


def test_miscalibration_that_cannot_be_seen_is_not_called_calibration():
    proba = np.array([[0.9, 0.1]] * 60)
    curve = calibration_curve(proba, np.array([0] * 55 + [1] * 5))
    assert "no miscalibration can be seen on 60 sequences" in lead(curve)
    assert "overconfident" in lead(calibration_curve(proba, np.array([0] * 30 + [1] * 30)))


def test_where_nothing_stands_out_nothing_is_named(plain):
    n = np.arange(60)
    words = text_of(report(judged(plain, n >= 0, n >= 0)))
    assert "All classes have the same F1, 100.0 %." in words
    assert "Here all shares are as in training." in words
    assert "The weakest class" not in words
    assert "0.0 % of the steps" not in words


def test_long_file_names_break_where_their_parts_end():
    name = Name("JapaneseVowels_TEST.safetensors")
    assert name.parts == ["JapaneseVowels_", "TEST.", "safetensors"]
    assert "".join(Name("..a__b-").parts) == "..a__b-"
