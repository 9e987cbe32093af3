"""Texts: lists in memory and columns of tables, split into tokens."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.data import as_sequences, read
from elman.errors import DataError, FileError, ParameterError

TABLE = "word,language,row\nhaus,de,1\nmaison,fr,2\n"


def tokens(sequences):
    (names,) = sequences.categories
    return [[names[int(code)] for code in sequence.ravel()] for sequence in sequences]


@pytest.fixture
def write(tmp_path):
    def write(text, name="words.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8"))
        return path

    return write


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_characters_are_code_points_in_their_order(texts):
    sequences = as_sequences(texts)
    assert tokens(sequences) == [list(text) for text in texts]
    assert sequences.feature_names == ("token",)
    assert sequences[[len(texts) - 1]].categories == sequences.categories


def test_words_stand_between_white_space_and_signs_are_words_of_their_own():
    texts = ["To be, or\tnot  to be?", "हिन्दी है।", "don't\N{NO-BREAK SPACE}1+1"]
    assert tokens(as_sequences(texts, text="words")) == [
        ["To", "be", ",", "or", "not", "to", "be", "?"],
        ["हिन्दी", "है", "।"],
        ["don", "'", "t", "1", "+", "1"],
    ]


@pytest.mark.parametrize("form", [list, tuple, np.array, lambda texts: np.array(texts, dtype=object)])
def test_texts_come_as_lists_and_flat_arrays(form):
    assert tokens(as_sequences(form(["ab", "c"]))) == [["a", "b"], ["c"]]


def test_texts_come_split_already():
    assert tokens(as_sequences([["open", "read", "open"], ("read",)])) == [["open", "read", "open"], ["read"]]
    assert tokens(as_sequences([np.array(["no", "yes"]), ["no"]])) == [["no", "yes"], ["no"]]


@pytest.mark.parametrize(
    ("X", "text", "message"),
    [
        (["a", ""], "characters", "X[1]: expected a text, got an empty one. Drop the sequence."),
        (["a", " \n"], "words", "X[1]: expected a text with a word, got white space alone."),
        (["a", None], "characters", "X[1]: expected a text, as X[0] is, got a missing value."),
        (["a", float("nan")], "characters", "X[1]: expected a text, as X[0] is, got a missing value."),
        (["a", np.zeros(2)], "characters", "X[1]: expected a text, as X[0] is, got a value of type ndarray."),
        (["ab\ud800"], "characters", r"X[0]: expected valid Unicode, got 'ab\ud800'. Decode the text again."),
        (["ab cd\ud800"], "words", r"X[0], token 1: expected valid Unicode, got 'cd\ud800'."),
        (["a " + "b" * 257], "words", "X[0], token 1: expected a word of at most 256 characters, got 257: 'bbbb"),
        ([["a"], []], "words", "X[1]: expected at least one token, got none."),
        ([["a", ""]], "words", "X[0], token 1: expected a token, got an empty text."),
        ([["a", 1.0]], "words", "X[0], token 1: expected text as a token, got a value of type float."),
        ([["a", ["b"]]], "words", "X[0], token 1: expected text as a token, got a value of type list."),
        ([["a"], "b"], "words", "X[1]: expected a list of tokens, as X[0] is, got a value of type str."),
        ("abc", "characters", "Got str instead; for one text pass [X]."),
        ([b"abc"], "characters", "X[0] must hold numbers. Got bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(X, text, message):
    with pytest.raises(DataError, match=re.escape(message)):
        as_sequences(X, text=text)


def test_an_unknown_split_is_refused():
    with pytest.raises(ParameterError, match="'text' parameter of as_sequences must be one of 'characters', 'words'"):
        as_sequences(["a"], text="letters")


def test_a_table_of_texts_has_a_row_for_each_sequence(write):
    dataset = read(write(TABLE), text="word", label="language")
    assert tokens(dataset.sequences) == [list("haus"), list("maison")]
    assert dataset.labels.tolist() == ["de", "fr"]
    assert dataset.ids.tolist() == ["0", "1"]
    assert dataset.columns == {"text": "word", "label": "language"}
    assert dataset.notes == (
        "Read column 'word' as text, split by characters.",
        "Ignored column 'row', beside the text.",
    )


def test_ids_and_groups_of_texts_are_read_where_there_are_any(write):
    path = write("id,text,label,speaker\nu,to be,x,s1\nv,or not,y,s2\n")
    dataset = read(path, text="text", text_split="words", group="speaker")
    assert tokens(dataset.sequences) == [["to", "be"], ["or", "not"]]
    assert dataset.ids.tolist() == ["u", "v"]
    assert dataset.groups.tolist() == ["s1", "s2"]


def test_an_id_that_was_guessed_and_repeats_is_left_out_and_one_that_was_named_is_refused(write):
    path = write("id,text,label\nu,a,x\nv,b,y\nu,c,x\n")
    dataset = read(path, text="text")
    assert dataset.ids.tolist() == ["0", "1", "2"]
    assert "Column 'id' repeats: numbered the rows instead." in dataset.notes
    with pytest.raises(FileError, match=r"line 4, column 'id': expected each id once, .* got 'u' again"):
        read(path, text="text", id="id")


def test_the_columns_of_a_model_say_where_the_text_is(write):
    likely = {"text": "word", "label": "language"}
    dataset = read(write("word\nhaus\n"), likely=likely, unread={"label", "group"})
    assert tokens(dataset.sequences) == [list("haus")]
    with pytest.raises(FileError, match=r"there is no text column 'word'. The columns are 'name'"):
        read(write("name\nhaus\n"), likely=likely, unread={"label", "group"})
    with pytest.raises(FileError, match=r"expected a table .* with the text column 'word', as in training"):
        read(write("@data\n", "a.ts"), likely=likely, features=("token",))


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("word,label\nab,x\n,y\n", {}, "line 3, column 'word': expected a text, found nothing."),
        ('word,label\nab,x\n" ",y\n', {"text_split": "words"}, "line 3, column 'word': expected a text with a word"),
        ("word,label\nab,x\ncd,\n", {}, "line 3, column 'label': expected a label, found nothing."),
        ("word,sort\nab,x\n", {}, "expected a column with labels, such as 'label'"),
        ("word,label\nab,x\n", {"label": "word"}, "expected a column of its own for each role, got 'word' for two."),
        (
            "word,label\nab,x\n",
            {"time": "label"},
            "time='label' has no use beside text='word': each row is a sequence.",
        ),
        ("word,label\nab,x\n", {"labels_per_step": True}, "labels_per_step=True has no use beside text='word'"),
        ("word,label\nab,x\n", {"text_split": "letters"}, "The 'text_split' parameter of read must be one of"),
    ],
)
def test_a_table_that_holds_no_texts_is_refused_with_its_place(write, content, settings, message):
    with pytest.raises((FileError, ParameterError), match=re.escape(message)):
        read(write(content), text="word", **settings)
