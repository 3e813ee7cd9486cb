"""Words, tokenizers and files as users have them in the field."""

import gzip
import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.preprocessing import cut_windows
from sklearn_rnn.text import TokenSequenceVectorizer, read_vectors

tokenizers = pytest.importorskip("tokenizers")
DOCUMENTS = ["a good film", "good and funny", "a bad film", "bad and dull"] * 4
WORDS = [document.split() for document in DOCUMENTS]
OPINIONS = [1, 1, 0, 0] * 4
VOCABULARY = {"<unk>": 0, "cat": 1, "the": 2, "new york": 3, "3": 4}


def lists(sequences):
    return [ids.tolist() for ids in sequences]


# Lists of words


@pytest.mark.parametrize("form", [list, pd.Series, pl.Series])
def test_lists_of_words_are_read_as_the_documents_they_make(form):
    expected = TokenSequenceVectorizer(token_pattern=r"\S+").fit_transform(DOCUMENTS)
    assert lists(TokenSequenceVectorizer(analyzer=list).fit_transform(form(WORDS))) == lists(expected)


def test_lists_of_words_go_through_a_pipeline_and_its_pickle():
    net = SemiSupervisedRNNClassifier("supervised", hidden_size=8, n_kernels=8, max_epochs=4, random_state=0)
    pipeline = make_pipeline(TokenSequenceVectorizer(analyzer=list), net).fit(WORDS, OPINIONS)
    copy = pickle.loads(pickle.dumps(pipeline))
    for fitted in (pipeline, copy, clone(copy).fit(WORDS, OPINIONS)):
        assert fitted.predict([["a", "good", "one"], ["a", "bad", "one"]]).tolist() == [1, 0]


def test_words_where_documents_belong_are_named_and_the_other_way_round():
    with pytest.raises(ValueError, match=r"X\[0\] is \['a', 'good', 'film'\].* for lists of words set analyzer=list"):
        TokenSequenceVectorizer().fit(WORDS)
    fitted = TokenSequenceVectorizer(analyzer=list).fit(WORDS)
    with pytest.raises(ValueError, match="With analyzer=list, documents must be lists of words, got 'a good film'"):
        fitted.transform(DOCUMENTS)


# Tokenizers


def word_level(**parameters):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"good": 0, "bad": 1, "[UNK]": 2}, **parameters))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def test_fast_tokenizers_of_transformers_are_read_as_what_they_hold():
    fast = pytest.importorskip("transformers").PreTrainedTokenizerFast(tokenizer_object=word_level(unk_token="[UNK]"))
    expected = TokenSequenceVectorizer("subword", tokenizer=word_level(unk_token="[UNK]")).fit_transform(DOCUMENTS)
    assert lists(TokenSequenceVectorizer("subword", tokenizer=fast).fit_transform(DOCUMENTS)) == lists(expected)
    assert lists(TokenSequenceVectorizer(fast.tokenize).fit_transform(DOCUMENTS)) == lists(expected)
    with pytest.raises(ValueError, match="got BatchEncoding"):
        TokenSequenceVectorizer(fast).fit(DOCUMENTS)


@pytest.mark.parametrize("name", ["analyzer", "tokenizer"])
@pytest.mark.parametrize("stop_words", [None, ["a"]])
@pytest.mark.parametrize(
    ("function", "got"),
    [
        (lambda text: {"input_ids": text.split(), "attention_mask": [1]}, "dict"),
        (word_level(unk_token="[UNK]").encode, "Encoding"),
        (str.lower, "str"),
        (len, "int"),
    ],
)
def test_functions_that_return_no_list_of_tokens_are_refused(name, stop_words, function, got):
    vectorizer = TokenSequenceVectorizer(**{name: function}, token_pattern=None, stop_words=stop_words)
    with pytest.raises(
        ValueError, match=f"{name} must return a list of tokens, got {got}.*analyzer=tokenizer.tokenize"
    ):
        vectorizer.fit(DOCUMENTS)


def broken(path, kind):
    if kind == "not utf-8":
        path.write_bytes('{"version": "é"}'.encode("latin-1"))
    elif kind == "cut":
        path.write_text('{"version": "1.0",\n"truncation"')
    else:
        content = json.loads(word_level(unk_token="[UNK]").to_str())
        content["pre_tokenizer"] = {
            "type": "Split",
            "pattern": {"Regex": r"\p{Nothing}"},
            "behavior": "Isolated",
            "invert": False,
        }
        path.write_text(json.dumps(content, indent=1))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("not utf-8", "utf-8"),
        ("cut", "at line 2 column 12"),
        ("regex", r"invalid character property name \{Nothing\}"),
    ],
)
def test_tokenizer_files_that_cannot_be_read_are_named(tmp_path, kind, message):
    path = broken(tmp_path / "tokenizer.json", kind)
    with pytest.raises(ValueError, match=f"tokenizer='{path}' is not the file of a tokenizers.Tokenizer: .*{message}"):
        TokenSequenceVectorizer("subword", tokenizer=path).fit(DOCUMENTS)


@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: word_level(unk_token="<new>"), "'<new>' is not in its vocabulary"),
        (lambda: tokenizers.Tokenizer(tokenizers.models.Unigram([("good", 0.0)])), "its unk_id is None"),
    ],
)
def test_tokenizers_without_an_unknown_token_are_refused_in_fit(tmp_path, as_file, model, message):
    tokenizer, name = model(), "tokenizer"
    if as_file:
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        tokenizer = tmp_path / "tokenizer.json"
        name = f"tokenizer='{tokenizer}'"
    with pytest.raises(ValueError, match=f"{name} has no unknown token: {message}"):
        TokenSequenceVectorizer("subword", tokenizer=tokenizer).fit(DOCUMENTS)


def test_a_limit_far_above_all_subwords_learns_them_all():
    limited = TokenSequenceVectorizer("subword", max_features=10**9).fit(DOCUMENTS)
    assert limited.vocabulary_ == TokenSequenceVectorizer("subword").fit(DOCUMENTS).vocabulary_


# Ids


@pytest.mark.parametrize("ids", [[2**63, 1], np.array([2**63, 1], dtype=np.uint64), [2**70, 1], (2**63 - 1, 1)])
def test_ids_above_the_largest_integer_are_unknown(ids):
    vectorizer = TokenSequenceVectorizer(analyzer=list).fit(WORDS)
    assert lists(vectorizer.inverse_transform([ids])) == [["<unk>", vectorizer.get_feature_names_out()[1]]]


def test_windows_keep_large_ids():
    ids = np.array([2**63, 1, 2**64 - 1], dtype=np.uint64)
    assert cut_windows(ids, 2, stride=1).tolist() == [[2**63, 1], [1, 2**64 - 1]]


# Files of vectors


def vectors_file(path, text, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("head", ["", "2 2\n"])
def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path, name, head):
    path = vectors_file(tmp_path / name, head + "cat 1 2\nthe 3 4\n", "utf-8-sig")
    np.testing.assert_array_equal(read_vectors(path, VOCABULARY)[1:3], [[1, 2], [3, 4]])


@pytest.mark.parametrize(("row", "word"), [("cat 1 2 3", "cat"), ("cat 1 2 3 4", "cat"), ("3 1 2 3", "3")])
def test_a_row_that_is_too_wide_is_refused_where_its_word_is_wanted(tmp_path, row, word):
    path = vectors_file(tmp_path / "vectors.txt", f"the 1 2\n{row}\n")
    with pytest.raises(ValueError, match=f"{path}, line 2: expected '{word}' and 2 numbers, got more"):
        read_vectors(path, VOCABULARY)


def test_words_of_several_parts_are_read_beside_their_first_part(tmp_path):
    path = vectors_file(tmp_path / "vectors.txt", "the 1 2\nnew york 3 4\ncat 9 5 6\ncat 7 8\ndog 5 5 5\n")
    np.testing.assert_array_equal(read_vectors(path, VOCABULARY)[1:4], [[7, 8], [1, 2], [3, 4]])


@pytest.mark.parametrize("keep", [slice(None, -12), slice(None, 60)])
def test_a_cut_archive_is_named(tmp_path, keep):
    lines = "".join(f"word{i} {i * 7919 % 1000} {i}\n" for i in range(2000))
    path = vectors_file(tmp_path / "vectors.txt.gz", "cat 1 2\n" + lines)
    path.write_bytes(path.read_bytes()[keep])
    with pytest.raises(ValueError, match=rf"{path}, after line \d+: the compressed file is truncated or damaged"):
        read_vectors(path, VOCABULARY)


def test_a_file_that_is_no_archive_is_named(tmp_path):
    path = tmp_path / "vectors.gz"
    path.write_text("cat 1 2\n")
    with pytest.raises(ValueError, match=f"{path}, after line 0: the compressed file is truncated or damaged"):
        read_vectors(path, VOCABULARY)


@pytest.mark.parametrize("text", ["4 ²\ncat 1 2\n", "the 1 2\ncat 1 ²\n"])
def test_digits_that_are_no_numbers_are_refused(tmp_path, text):
    path = vectors_file(tmp_path / "vectors.txt", text)
    with pytest.raises(ValueError, match=f"{path}, line 2: expected .* numbers"):
        read_vectors(path, VOCABULARY)
