"""Raw documents: tokens as scikit-learn's, ids as the estimators read them, whatever the documents are."""

import copy
import json
import pickle
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.model_selection import PartiallyLabeledSplit
from sklearn_rnn.text import TokenSequenceVectorizer

pytest.importorskip("tokenizers")
ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    "The cat sat on the mat, and the dog sat on the cat!",
    "A déjà vu of cats and dogs: 2 cats",
    "",
    "it's raining CATS and dogs on the mat",
    "...",
]
ANALYZERS = ["word", "char", "subword"]
each_analyzer = pytest.mark.parametrize("analyzer", ANALYZERS)
some_documents = st.lists(st.text(max_size=20), min_size=1, max_size=6)
quickly = settings(max_examples=40, deadline=None)


def lists(sequences):
    return [ids.tolist() for ids in sequences]


def visible(text):
    """Text without spaces, and without the sign that subwords show them by."""
    return "".join(c for c in text if not c.isspace() and c != "▁" and c.isprintable())


def spelled(documents):
    """Documents of which each has a token of its own that all share."""
    return [f"{document} word" for document in documents]


def test_scikit_learn_checks_pass():
    with pytest.warns(UserWarning, match="requires input  of type"):
        checks = list(estimator_checks_generator(TokenSequenceVectorizer()))
    for estimator, check in checks:
        check(estimator)


def in_halves(text):
    return [text[: len(text) // 2], text[len(text) // 2 :]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii", "token_pattern": r"\w+|[^\w\s]"},
        {"stop_words": "english"},
        {"stop_words": ["cats"], "preprocessor": str.upper, "token_pattern": r"\w+"},
        {"tokenizer": str.split, "token_pattern": None},
        {"analyzer": "char"},
        {"analyzer": in_halves},
    ],
    ids=lambda options: "-".join(options) or "defaults",
)
def test_tokens_are_those_that_scikit_learn_counts(options):
    counter = CountVectorizer(**options).fit(DOCUMENTS)
    names, table = counter.get_feature_names_out(), counter.transform(DOCUMENTS).toarray()
    vectorizer = TokenSequenceVectorizer(min_df=1, **options)
    sequences = vectorizer.inverse_transform(vectorizer.fit_transform(DOCUMENTS))
    for tokens, counts in zip(sequences, table, strict=True):
        expected = {name: count for name, count in zip(names, counts, strict=True) if count}
        assert Counter(tokens) == (expected or {"<unk>": 1})


def test_tokens_stay_in_order_and_frequent_ones_come_first():
    vectorizer = TokenSequenceVectorizer(min_df=1).fit(DOCUMENTS)
    ids = vectorizer.transform(["the dog sat on the cat"])
    assert vectorizer.inverse_transform(ids)[0].tolist() == ["the", "dog", "sat", "on", "the", "cat"]
    assert vectorizer.get_feature_names_out()[:5].tolist() == ["<unk>", "the", "and", "cats", "on"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_bytes_and_files_are_read_as_the_encoding_says(encoding, tmp_path):
    paths = [tmp_path / str(i) for i in range(len(DOCUMENTS))]
    for path, document in zip(paths, DOCUMENTS, strict=True):
        path.write_bytes(document.encode(encoding))
    for analyzer in ANALYZERS:
        expected = lists(TokenSequenceVectorizer(analyzer).fit_transform(DOCUMENTS))
        forms = {"content": [p.read_bytes() for p in paths], "filename": paths, "file": [p.open("rb") for p in paths]}
        for form, X in forms.items():
            vectorizer = TokenSequenceVectorizer(analyzer, input=form, encoding=encoding)
            assert lists(vectorizer.fit_transform(X)) == expected
        for file in forms["file"]:
            file.close()


@each_analyzer
@pytest.mark.parametrize("min_df", [2, 0.5])
def test_rare_tokens_are_unknown_from_the_start(analyzer, min_df):
    documents = ["aa bb cc", "aa bb dd", "aa bb ee", "aa ff gg"]
    vectorizer = TokenSequenceVectorizer(analyzer, min_df=min_df)
    counter = CountVectorizer(analyzer="char" if analyzer == "char" else "word", min_df=min_df).fit(documents)
    learned = vectorizer.fit_transform(documents)
    if analyzer != "subword":
        assert set(vectorizer.vocabulary_) == {"<unk>", *counter.vocabulary_}
    assert max(ids.max() for ids in learned) == len(vectorizer.vocabulary_) - 1
    assert min(ids.min() for ids in learned) == 0


def test_a_token_in_one_document_is_rare_however_often_it_comes():
    assert TokenSequenceVectorizer().fit(["aa aa aa bb", "bb cc"]).vocabulary_ == {"<unk>": 0, "bb": 1}


def test_the_most_frequent_tokens_are_kept():
    vectorizer = TokenSequenceVectorizer(min_df=1, max_features=2).fit(["cc bb aa", "cc bb", "cc"])
    assert vectorizer.vocabulary_ == {"<unk>": 0, "cc": 1, "bb": 2}
    tied = TokenSequenceVectorizer(min_df=1, max_features=2).fit(["cc bb aa"])
    assert tied.vocabulary_ == {"<unk>": 0, "aa": 1, "bb": 2}


@pytest.mark.parametrize(("keep", "kept"), [("head", "bb cc"), ("tail", "ee ff"), ("middle", "cc dd")])
def test_long_documents_are_cut_before_the_vocabulary_is_learned(keep, kept):
    vectorizer = TokenSequenceVectorizer(min_df=1, max_length=2, keep=keep)
    learned = vectorizer.fit_transform(["bb cc dd ee ff", "aa"])
    assert set(vectorizer.vocabulary_) == {"<unk>", "aa", *kept.split()}
    assert vectorizer.to_documents(learned) == [kept, "aa"]


@each_analyzer
@pytest.mark.parametrize("begin_end", [False, True])
def test_empty_documents_are_sequences_too(analyzer, begin_end):
    vectorizer = TokenSequenceVectorizer(analyzer, begin_end=begin_end).fit(DOCUMENTS)
    empty = [1, 2] if begin_end else [0]
    documents = ["", "", ""] if analyzer == "char" else ["", " \n", ""]  # a blank is a character
    assert lists(vectorizer.transform(documents)) == [empty] * 3
    assert lists(vectorizer.transform([""])) == [empty]
    assert vectorizer.transform([]) == []


def test_marks_surround_each_document():
    vectorizer = TokenSequenceVectorizer(min_df=1, max_length=2, begin_end=True)
    learned = vectorizer.fit_transform(["bb aa cc", "", "aa"])
    assert vectorizer.get_feature_names_out().tolist() == ["<unk>", "<s>", "</s>", "aa", "bb"]
    assert lists(learned) == [[1, 4, 3, 2], [1, 2], [1, 3, 2]]
    assert vectorizer.to_documents(learned) == ["bb aa", "", "aa"]


@each_analyzer
@quickly
@given(documents=some_documents, others=some_documents)
def test_any_unicode_becomes_ids_that_fit_has_seen(analyzer, documents, others):
    vectorizer = TokenSequenceVectorizer(analyzer, min_df=1)
    learned = vectorizer.fit_transform(spelled(documents))
    assert lists(vectorizer.transform(spelled(documents))) == lists(learned)
    seen = set(np.concatenate(learned))
    for ids in vectorizer.transform(others):
        assert len(ids) > 0
        assert set(ids) <= seen | {0}


@quickly
@given(documents=some_documents)
def test_characters_come_back_as_they_were(documents):
    vectorizer = TokenSequenceVectorizer("char", min_df=1, lowercase=False)
    documents = spelled(" ".join(document.split()) for document in documents)
    assert vectorizer.to_documents(vectorizer.fit_transform(documents)) == documents


@quickly
@given(documents=some_documents)
def test_subwords_come_back_as_they_were_but_for_spaces(documents):
    vectorizer = TokenSequenceVectorizer("subword", min_df=1, lowercase=False)
    documents = spelled(documents)
    back = vectorizer.to_documents(vectorizer.fit_transform(documents))
    assert [visible(text) for text in back] == [visible(text) for text in documents]


@quickly
@given(documents=some_documents)
def test_words_that_come_back_become_the_same_ids(documents):
    vectorizer = TokenSequenceVectorizer(min_df=1)
    learned = vectorizer.fit_transform(spelled(documents))
    assert lists(vectorizer.transform(vectorizer.to_documents(learned))) == lists(learned)


def test_subwords_of_plain_text_come_back_with_their_spaces():
    documents = ["the cat's mat, again (the cat sat)!", "one more ... sentence"]
    vectorizer = TokenSequenceVectorizer("subword", min_df=1, max_features=30)
    learned = vectorizer.fit_transform(documents)
    assert vectorizer.to_documents(learned) == documents
    for token in np.concatenate(vectorizer.inverse_transform(learned)):
        assert re.fullmatch(r"▁?(\w*|[^\w▁]*)", token), "words and punctuation are apart"


@pytest.mark.slow
def test_ids_are_the_same_in_another_process():
    code = """
import json, sys
from sklearn_rnn.text import TokenSequenceVectorizer
analyzers, documents = json.loads(sys.argv[1])
fitted = [TokenSequenceVectorizer(analyzer, min_df=1, max_features=20).fit(documents) for analyzer in analyzers]
print(json.dumps([list(vectorizer.vocabulary_.items()) for vectorizer in fitted]))
"""
    command = [sys.executable, "-c", code, json.dumps([ANALYZERS, DOCUMENTS])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}, cwd=ROOT)
    for analyzer, items in zip(ANALYZERS, json.loads(done.stdout), strict=True):
        here = TokenSequenceVectorizer(analyzer, min_df=1, max_features=20).fit(DOCUMENTS).vocabulary_
        assert [tuple(item) for item in items] == list(here.items())


@each_analyzer
def test_iterators_are_read_once_and_columns_as_lists(analyzer):
    vectorizer = TokenSequenceVectorizer(analyzer)
    expected = lists(vectorizer.fit_transform(DOCUMENTS))
    for form in (iter, np.array, pd.Series, tuple):
        assert lists(TokenSequenceVectorizer(analyzer).fit_transform(form(DOCUMENTS))) == expected
        assert lists(vectorizer.transform(form(DOCUMENTS))) == expected


@each_analyzer
def test_clones_pickles_and_copies_read_the_same(analyzer):
    vectorizer = TokenSequenceVectorizer(analyzer, begin_end=True)
    expected = lists(vectorizer.fit_transform(DOCUMENTS))
    assert lists(clone(vectorizer).fit_transform(DOCUMENTS)) == expected
    for twin in (pickle.loads(pickle.dumps(vectorizer)), copy.deepcopy(vectorizer)):
        assert lists(twin.transform(DOCUMENTS)) == expected


def test_the_users_subwords_come_as_an_object_or_a_file(tmp_path):
    given = TokenSequenceVectorizer("subword", max_features=40, lowercase=False).fit(DOCUMENTS).tokenizer_
    given.enable_padding(length=50)
    given.enable_truncation(3)
    given.save(str(tmp_path / "tokenizer.json"))
    before = given.to_str()
    for tokenizer in (given, str(tmp_path / "tokenizer.json"), tmp_path / "tokenizer.json"):
        vectorizer = clone(TokenSequenceVectorizer("subword", tokenizer=tokenizer, min_df=1))
        learned = vectorizer.fit_transform(DOCUMENTS)
        assert vectorizer.to_documents(learned)[0] == DOCUMENTS[0]
    assert given.to_str() == before


@each_analyzer
def test_what_is_no_list_of_documents_is_refused(analyzer):
    vectorizer = TokenSequenceVectorizer(analyzer).fit(DOCUMENTS)
    table = pd.DataFrame({"text": DOCUMENTS})
    for read in (vectorizer.transform, TokenSequenceVectorizer(analyzer).fit):
        with pytest.raises(ValueError, match="Iterable over raw text documents expected, string object received"):
            read("one document")
        with pytest.raises(ValueError, match="Expected 1D array of documents, got 2D array instead"):
            read(table)
        for missing in (None, np.nan, 3):
            with pytest.raises(ValueError, match=rf"X\[1\] is {missing}; expected a document, a string"):
                read(["one", missing])


@pytest.mark.parametrize("documents", [[], ["", "..."]])
def test_documents_without_tokens_teach_nothing(documents):
    with pytest.raises(ValueError, match="empty vocabulary; perhaps the documents only contain stop words"):
        TokenSequenceVectorizer().fit(documents)


def test_it_says_when_all_tokens_are_rare():
    with pytest.raises(ValueError, match=r"After pruning, no tokens remain\. Try a lower min_df than 2"):
        TokenSequenceVectorizer().fit(["aa", "bb"])


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "to_documents", "get_feature_names_out"])
def test_it_must_be_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(TokenSequenceVectorizer(), method)(DOCUMENTS)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"analyzer": "words"}, ValueError, "The 'analyzer' parameter of TokenSequenceVectorizer must be"),
        ({"min_df": 0}, ValueError, "The 'min_df' parameter"),
        ({"keep": "start"}, ValueError, "The 'keep' parameter"),
        ({"tokenizer": "a.json"}, TypeError, "analyzer='word', tokenizer must be a function of a string or None"),
        ({"analyzer": "subword", "tokenizer": str.split}, TypeError, "tokenizer must be a tokenizers.Tokenizer, the"),
        ({"analyzer": "subword", "tokenizer": "no.json"}, FileNotFoundError, "no.json"),
        ({"analyzer": "subword", "tokenizer": __file__}, ValueError, "test_text.py' is not the file of a tokenizers"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        TokenSequenceVectorizer(**options).fit(DOCUMENTS)


def test_ids_without_a_token_are_unknown_or_refused():
    vectorizer = TokenSequenceVectorizer(min_df=1).fit(["aa bb"])
    assert vectorizer.inverse_transform([[1, 99]])[0].tolist() == ["aa", "<unk>"]
    assert vectorizer.to_documents([[], [1]]) == ["", "aa"]
    with pytest.raises(ValueError, match=r"Token ids must be integers of at least 0: X\[1\]"):
        vectorizer.inverse_transform([[1], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"Token ids must be integers of at least 0: X\[0\]"):
        vectorizer.inverse_transform([[1, -1]])


def test_a_wish_for_data_frames_does_not_concern_sequences():
    with config_context(transform_output="pandas"):
        assert isinstance(TokenSequenceVectorizer().fit_transform(DOCUMENTS), list)


def reviews(n):
    """Documents on two subjects, each with a word of its own, and string labels of a third."""
    words = {"food": ["soup", "bread", "cheese"], "sport": ["goal", "match", "team"]}
    rng = np.random.default_rng(0)
    subjects = [["food", "sport"][i % 2] for i in range(n)]
    X = [
        f"the {rng.choice(words[s])} and the {rng.choice(words[s])} of day{i} was good" for i, s in enumerate(subjects)
    ]
    y = np.array([s if i < n // 3 else None for i, s in enumerate(subjects)], dtype=object)
    return X, y, np.array(subjects)


def test_raw_documents_are_searched_with_few_labels():
    X, y, subjects = reviews(60)
    net = SemiSupervisedRNNClassifier(missing_label=None, hidden_size=8, max_epochs=2, lr=0.02, random_state=0)
    pipeline = Pipeline([("tokens", TokenSequenceVectorizer()), ("clf", net)])
    grid = {"tokens__max_features": [4, None], "clf__objective": ["supervised", "mean_teacher"]}
    cv = PartiallyLabeledSplit(2, missing_label=None)
    search = GridSearchCV(pipeline, grid, cv=cv, error_score="raise").fit(X, y)
    assert search.best_params_["tokens__max_features"] is None
    assert search.classes_.tolist() == ["food", "sport"]
    assert np.mean(search.predict([*X, "", "words that fit has not seen"])[:-2] == subjects) > 0.9
