"""Problems of training, on the command line: a note while it goes on, lines after it and in `info`, and as JSON."""

import pytest

IN_OPTIONS = "try --learning-rate auto or --learning-rate "


@pytest.fixture
def troubled(elman, files, tmp_path, small):
    """Train with steps that are far too small, and give what was said and the model."""

    def train(*more):
        arguments = ["--label", "direction", "--learning-rate", 1e-9, *small, *more]
        return elman("train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", *arguments), tmp_path / "m"

    return train


def test_it_is_told_while_training_goes_on_and_after_it(troubled, elman):
    done, model = troubled()
    notes = [line for line in done.err.splitlines() if line.startswith("note: Steps are too small")]
    assert len(notes) == 1
    assert IN_OPTIONS in notes[0]
    assert done.prose.count("Steps are too small, ") == 1
    assert IN_OPTIONS in done.prose
    info = elman("info", model).prose
    assert info.count("Steps are too small, ") == 1
    assert IN_OPTIONS in info


def test_programs_get_rule_sentence_and_number(troubled, elman):
    done, model = troubled("--json")
    [finding] = done.data["health"]
    assert finding["rule"] == "small_steps"
    assert 0 < finding["number"] < 1e-5
    assert "try learning_rate='auto' or" in finding["sentence"]
    assert elman("info", model, "--json").data["training"]["health"] == [finding]


def test_of_a_healthy_model_nothing_is_said(elman, files, tmp_path, small):
    options = ["--label", "direction", *small, "--max-epochs", 40]
    done = elman("train", files / "walks_TRAIN.csv", "-m", tmp_path / "m", *options)
    assert " try --" not in done.out + done.err
    assert elman("info", tmp_path / "m", "--json").data["training"]["health"] == []
    assert " try --" not in elman("info", tmp_path / "m").prose
