"""Vectors of words that others have learned."""

import gzip

import numpy as np
import pytest

from sklearn_rnn import Embedding, SemiSupervisedRNNClassifier
from sklearn_rnn.text import TokenSequenceVectorizer, read_vectors

LINES = "the 1 2 3\n. . . 4 5 6\ncat -1e-2 0 0.5\nzèbre 7 8 9\n"
VOCABULARY = {"<unk>": 0, "cat": 1, "the": 2, ". . .": 3, "zèbre": 4, "dog": 5}
EXPECTED = np.array([[np.nan] * 3, [-0.01, 0, 0.5], [1, 2, 3], [4, 5, 6], [7, 8, 9], [np.nan] * 3], dtype=np.float32)


@pytest.mark.parametrize("head", ["", "4 3\n"], ids=["glove", "word2vec"])
@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_files_are_read_in_the_order_of_the_vocabulary(tmp_path, head, name):
    data = (head + LINES).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    for path in (tmp_path / name, str(tmp_path / name)):
        np.testing.assert_array_equal(read_vectors(path, VOCABULARY), EXPECTED)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("the 1 2 3\ncat 1 b 3\n", "line 2: expected a word and 3 numbers"),
        ("the 1 2 3\ndog 1 2\n", "line 2: expected a word and 3 numbers, got 2"),
        ("bird 1 2\n", "None of the 6 words"),
        ("", "None of the 6 words"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path, lines, message):
    (tmp_path / "vectors.txt").write_text(lines)
    with pytest.raises(ValueError, match=message):
        read_vectors(tmp_path / "vectors.txt", VOCABULARY)


def test_a_vector_is_one_dimensional():
    with pytest.raises(ValueError, match="must be one-dimensional"):
        read_vectors({"cat": [[1, 2]]}, VOCABULARY)


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "vectors.bin").write_bytes(b"\x80\xff the\n\xfe\n")
    with pytest.raises(ValueError, match=r"None of the 6 words|expected a word"):
        read_vectors(tmp_path / "vectors.bin", VOCABULARY)


def test_vectors_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="the same size"):
        read_vectors({"cat": [1, 2], "the": [1, 2, 3]}, VOCABULARY)


@pytest.mark.full_epochs
def test_read_vectors_carry_labels_to_words_without_one():
    documents = [f"{word} {word}" for word in ("good", "bad", "fine", "poor")] * 2
    vectorizer = TokenSequenceVectorizer().fit(documents)
    vectors = read_vectors(
        {"good": [1, 0.1], "fine": [1, 0], "bad": [-1, 0.1], "poor": [-1, 0]}, vectorizer.vocabulary_
    )
    y = np.array([1, 0, -1, -1] * 2)
    clf = SemiSupervisedRNNClassifier(
        "supervised", embedding=Embedding(init=vectors), hidden_size=8, max_epochs=4, random_state=0
    )
    clf.fit(vectorizer.transform(documents), y)
    np.testing.assert_array_equal(clf.transduction_, [1, 0, 1, 0] * 2)
