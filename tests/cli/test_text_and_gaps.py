"""Text, kinds, gaps and step lengths on the command line: trained on, remembered, and read again."""

import numpy as np
import polars as pl
import pytest

import elman as library

WORDS = ["haus", "maus", "laus", "baum", "raum", "saum", "casa", "rosa", "cosa", "pera", "vera", "sera"] * 3
LANGUAGES = (["de"] * 6 + ["it"] * 6) * 3


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.csv"
    pl.DataFrame({"word": WORDS, "language": LANGUAGES}).write_csv(path)
    return path


@pytest.fixture
def weather(tmp_path):
    """A long table of dates, a number with gaps, text, numbered kinds, and a label that the text tells."""
    rng = np.random.default_rng(3)
    rows = ["id,time,wind,sky,station,label"]
    for n in range(40):
        for step in range(5):
            wind = "n/a" if rng.random() < 0.3 else f"{rng.normal():.3f}"
            sky = ("sun", "haze") if n % 2 else ("rain", "snow")
            rows.append(f"{n},2026-01-0{step + 1},{wind},{sky[step % 2]},{n % 3},{('wet', 'dry')[n % 2]}")
    path = tmp_path / "weather.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_column_of_text_is_trained_on_measured_and_predicted(elman, words, tmp_path, small):
    model, out = tmp_path / "words.model", tmp_path / "out.csv"
    done = elman("train", words, "-m", model, "--text", "word", "--label", "language", *small, "--learning-rate", 0.05)
    assert done.code == 0, done.err
    assert "note: Read column 'word' as text, split by characters." in done.err
    assert elman("evaluate", model, words, "--json").data["accuracy"] > 0.9
    new = tmp_path / "new.csv"
    new.write_text("word\ntraum\nsposa\nZ\n")
    assert elman("predict", model, new, "-o", out).code == 0
    predictions = pl.read_csv(out)
    assert predictions["id"].to_list() == [0, 1, 2]
    classifier = library.load(model)
    assert predictions["prediction"].to_list() == classifier.predict(["traum", "sposa", "Z"]).tolist()
    proba = predictions.select("proba_de", "proba_it").to_numpy()
    np.testing.assert_allclose(proba, classifier.predict_proba(["traum", "sposa", "Z"]), rtol=1e-12)
    assert classifier.columns_ == {"text": "word", "label": "language"}


def test_words_are_split_again_as_in_training_and_another_column_may_be_named(elman, tmp_path, small):
    text, model, out = tmp_path / "text.csv", tmp_path / "text.model", tmp_path / "out.csv"
    text.write_text(
        "id,text,label\n" + "".join(f"{n},the {'cat' if n % 2 else 'dog'} sat,{n % 2}\n" for n in range(24))
    )
    done = elman("train", text, "-m", model, "--text", "text", "--text-split", "words", *small)
    assert done.code == 0, done.err
    assert "note: Read column 'text' as text, split by words." in done.err
    assert set(library.load(model).preparation_.vocabularies[0].names) == {"the", "cat", "dog", "sat"}
    other = tmp_path / "other.csv"
    other.write_text("id,sentence\nu,a cat sat\n")
    done = elman("predict", model, other, "-o", out, "--text", "sentence")
    assert "split by words" in done.err
    assert pl.read_csv(out)["id"].to_list() == ["u"]
    done = elman("predict", model, other, "-o", out)
    assert (done.code, done.err.count("error: ")) == (2, 1)
    assert "there is no text column 'text'. The columns are 'id', 'sentence'." in done.err


@pytest.mark.parametrize("split", ["characters", "words"])
def test_a_model_trained_in_python_measures_a_column_of_text(elman, tmp_path, split):
    texts = [f"the {'cat' if n % 2 else 'dog'} sat" for n in range(24)]
    path, model = tmp_path / "text.csv", tmp_path / "text.model"
    pl.DataFrame({"text": texts, "label": [n % 2 for n in range(24)]}).write_csv(path)
    dataset = library.read(path, text="text", text_split=split)
    options = {"max_epochs": 20, "learning_rate": 0.05, "early_stopping": False}  # two texts have nothing to hold back
    classifier = library.SequenceClassifier(hidden_size=4, **options, random_state=0)
    classifier.fit(dataset.sequences, dataset.labels).save(model)
    done = elman("evaluate", model, path, "--text", "text", "--json")
    assert f"split by {split}" in done.err
    assert done.data["accuracy"] == classifier.score(dataset.sequences, dataset.labels) == 1


def test_info_shows_the_sizes_of_vocabularies_and_what_becomes_of_gaps(elman, weather, tmp_path, small, words):
    model = tmp_path / "weather.model"
    assert elman("train", weather, "-m", model, "--missing-text", "n/a", "--categorical", "station", *small).code == 0
    shown = " ".join(elman("info", model).out.split())
    assert "features 3 a step, standardised: wind, sky, station" in shown
    assert "sky 4 names, a column each" in shown
    assert "station 3 names, a column each" in shown
    fate = "numbers are filled in with the last value seen, kinds count as unknown; was missing in training: wind"
    assert fate in shown
    text_model = tmp_path / "words.model"
    assert elman("train", words, "-m", text_model, "--text", "word", "--label", "language", *small).code == 0
    n_names = len(set("".join(WORDS)))
    shown = " ".join(elman("info", text_model).out.split())
    assert (
        f"token {n_names} names, embedded in {library.load(text_model).network_.architecture.embeddings[0][2]}" in shown
    )
    preparation = elman("info", text_model, "--json").data["preparation"]
    assert len(preparation["vocabularies"][0]["names"]) == n_names


def test_kinds_gaps_and_step_lengths_are_followed_by_evaluate_and_predict(elman, weather, tmp_path, small):
    model, out = tmp_path / "weather.model", tmp_path / "out.csv"
    options = ["--missing-text", "n/a", "--categorical", "station", "--step-length", "--embedding-size", 4]
    done = elman("train", weather, "-m", model, *options, *small, "--learning-rate", 0.05, "--validation", weather)
    assert done.code == 0, done.err
    assert "Read column 'sky' as text of 4 kinds: 'rain', 'snow', 'sun', 'haze'." in done.err
    assert "Turned column 'time' into the feature 'step length', in seconds." in done.err
    assert elman("evaluate", model, weather, "--missing-text", "n/a", "--json").data["accuracy"] > 0.9
    assert elman("predict", model, weather, "-o", out, "--missing-text", "n/a").code == 0
    dataset = library.read(weather, missing_text="n/a", categorical=["station"], step_length=True)
    classifier = library.load(model)
    assert classifier.get_params()["missing"] == "indicator"
    assert classifier.preparation_.step_feature == 3
    expected = classifier.predict_proba(dataset.sequences)[:, 0]
    np.testing.assert_allclose(pl.read_csv(out)["proba_dry"].to_numpy(), expected, rtol=1e-12)


def test_a_category_never_seen_and_a_cell_that_is_empty_are_predicted(elman, weather, tmp_path, small):
    model, out, new = tmp_path / "weather.model", tmp_path / "out.csv", tmp_path / "new.csv"
    assert elman("train", weather, "-m", model, "--missing-text", "n/a", *small).code == 0
    new.write_text("id,time,wind,sky,station\n0,2026-01-01,,hail,1\n0,2026-01-02,0.5,7,1\n")
    assert elman("predict", model, new, "-o", out).code == 0
    assert np.isfinite(pl.read_csv(out)["proba_dry"].to_list()).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            [],
            "got 'n/a'. Fix the file or drop the row, or read it as missing with --missing-text 'n/a'.",
        ),
        (["--missing", "drop"], "--missing must be a str among {'error', 'indicator'}. Got 'drop' instead."),
        (["--text", "note"], "there is no text column 'note'. The columns are 'id', 'time', 'wind', "),
        (["--text", "sky", "--text-split", "letters"], "--text-split must be a str among {'characters', 'words'}."),
        (["--text", "sky", "--step-length"], "--step-length has no use beside --text: each row is a sequence."),
        (["--categorical", "kind", "--missing-text", "n/a"], "there is no feature column 'kind' to take for kinds."),
        (["--embedding-size", 0], "--embedding-size must be an int in the range [1, 65536] or None. Got 0 instead."),
    ],
)
def test_what_cannot_be_read_is_one_sentence_in_options(elman, weather, tmp_path, options, sentence):
    done = elman("train", weather, "-m", tmp_path / "x.model", *options)
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert (done.code, len(errors)) == (2, 1)
    assert sentence in errors[0]
    assert not (tmp_path / "x.model").exists()


def test_an_empty_cell_names_the_option_that_reads_it(elman, weather, tmp_path):
    weather.write_text(weather.read_text().replace("n/a", ""))
    done = elman("train", weather, "-m", tmp_path / "x.model")
    assert "found nothing. Fix the file or drop the row, or read and train with --missing indicator." in done.err


def test_a_split_without_text_is_said_to_be_idle(elman, weather, tmp_path, small):
    done = elman("train", weather, "-m", tmp_path / "x.model", "--missing-text", "n/a", "--text-split", "words", *small)
    assert "note: --text-split has no effect without --text." in done.err


def test_numbered_kinds_of_a_model_are_read_as_numbers(elman, tmp_path, small):
    path, model = tmp_path / "coded.csv", tmp_path / "coded.model"
    rows = [f"{n},{t},{['07', '08', '0.50'][(n + t) % 3 if n % 2 else 0]},{n % 2}" for n in range(12) for t in range(3)]
    path.write_text("\n".join(["id,time,station,label", *rows]) + "\n")
    dataset = library.read(path)
    classifier = library.SequenceClassifier(hidden_size=4, max_epochs=1, random_state=0, categorical_features=[0])
    classifier.fit(dataset.sequences, dataset.labels).save(model)
    done = elman("evaluate", model, path, "--id", "id", "--time", "time", "--label", "label", "--json")
    assert "unknown" not in done.err
    assert done.data["accuracy"] == classifier.score(dataset.sequences, dataset.labels)


def test_words_of_one_letter_are_split_as_the_model_says(elman, tmp_path, small):
    path, model = tmp_path / "bases.csv", tmp_path / "bases.model"
    path.write_text("text,label\nA C G,x\nC A,y\n")
    classifier = library.SequenceClassifier(hidden_size=4, max_epochs=1, early_stopping=False, text="words")
    classifier.fit(["A C G", "C A"], ["x", "y"]).save(model)
    done = elman("evaluate", model, path, "--text", "text")
    assert "split by words" in done.err
    assert "unknown" not in done.err


def test_what_a_model_has_never_seen_is_counted(elman, weather, tmp_path, small):
    model, other, out = tmp_path / "m", tmp_path / "other.csv", tmp_path / "out.csv"
    assert elman("train", weather, "-m", model, "--missing-text", "n/a", *small).code == 0
    assert "unknown" not in elman("evaluate", model, weather, "--missing-text", "n/a").err
    other.write_text(weather.read_text().replace("haze", "mist", 3))
    done = elman("predict", model, other, "-o", out, "--missing-text", "n/a")
    assert "note: 3 values of 'sky' were never seen in training and count as unknown.\n" in done.err
    assert "kinds" not in done.err, "the kinds of the file are not those of the model"


def test_the_text_stands_beside_its_prediction(elman, words, tmp_path, small):
    model, new, out = tmp_path / "m", tmp_path / "new.csv", tmp_path / "out.csv"
    assert elman("train", words, "-m", model, "--text", "word", "--label", "language", *small).code == 0
    new.write_text("word\ntraum\n\nZz\n")
    done = elman("predict", model, new, "-o", out)
    assert pl.read_csv(out)["text"].to_list() == ["traum", "Zz"]
    assert "note: 3 tokens were never seen in training and count as unknown." in done.err


def test_steps_without_a_label_are_left_out(elman, tmp_path, small):
    path, model = tmp_path / "steps.csv", tmp_path / "steps.model"
    rows = [f"{n},{t},{n % 3 + t},{['u', 'v', '', 'n/a'][(n + t) % 4]}" for n in range(12) for t in range(4)]
    path.write_text("\n".join(["id,time,x,label", *rows]) + "\n")
    options = ["--per-step-labels", "--missing-text", "n/a"]
    done = elman("train", path, "-m", model, *options, *small)
    assert "note: 2 classes: u 12, v 12; 24 without a label.\n" in done.err
    tagger = library.load(model)
    assert tagger.classes_.tolist() == ["u", "v"]
    dataset = library.read(path, labels_per_step=True, missing_text="n/a")
    assert dataset.labels[:4].tolist() == ["u", "v", None, None]
    assert repr(dataset).endswith("2 classes, one label a step)")
    found = elman("evaluate", model, path, "--missing-text", "n/a", "--json").data
    assert np.sum(found["confusion_matrix"]) == 24
    assert found["accuracy"] == tagger.score(dataset.sequences, dataset.labels)
    with pytest.raises(library.errors.FileError, match="line 4, column 'label': expected a label, found nothing"):
        library.read(path)


def test_missing_text_beside_missing_error_is_refused(elman, weather, tmp_path):
    done = elman("train", weather, "-m", tmp_path / "m", "--missing-text", "n/a", "--missing", "error")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--missing-text has no use with --missing error. Leave one of them out." in done.err


def test_a_model_of_texts_asks_for_the_column_of_the_texts(elman, words, tmp_path, small):
    model, out, other = tmp_path / "m", tmp_path / "out.csv", tmp_path / "other.csv"
    library.SequenceClassifier(hidden_size=4, max_epochs=1).fit(WORDS, LANGUAGES).save(model)
    assert "If each row is a text, name its column with --text instead" in elman("predict", model, words, "-o", out).err
    other.write_text("id,word\na,haus\n")
    done = elman("predict", model, other, "-o", out)
    assert "The model reads texts: name their column with --text." in done.err
    assert elman("predict", model, other, "-o", out, "--text", "word").code == 0
    assert pl.read_csv(out).select("id", "text").rows() == [("a", "haus")]


def test_doubts_about_labels_are_said_on_the_command_line(elman, tmp_path):
    rows = [f"{n},{t},{n % 2 + t},{'?' if n % 2 else 'a'}" for n in range(12) for t in range(3)]
    table = tmp_path / "steps.csv"
    table.write_text("\n".join(["id,time,x,label", *rows]) + "\n")
    done = elman("train", table, "-m", tmp_path / "m", "--per-step-labels", "--max-epochs", 1, "--hidden-size", 4)
    assert done.code == 0
    assert "The label '?' counts as a class" in done.err
    assert "pass --missing-text." in done.err
