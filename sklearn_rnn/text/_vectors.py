"""Reading pretrained vectors of words, in the order of a vocabulary."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_vectors(source: Any, vocabulary: Mapping[str, int]) -> NDArray[np.float32]:
    """Read pretrained vectors of the words of a vocabulary, for `Embedding(init=...)`.

    Parameters
    ----------
    source : path or mapping of str to array-like of shape (n,)
        A text file in the format of GloVe, word2vec or fastText (a word and its numbers in each line, perhaps after a
        line of two numbers), plain or ``.gz``; or the vectors by word.
    vocabulary : mapping of str to int
        Ids of the words, such as `TokenSequenceVectorizer.vocabulary_`.

    Returns
    -------
    vectors : ndarray of shape (n_tokens, n), float32
        A row for each id; NaN for words without a vector.

    Raises
    ------
    ValueError
        If a line is not a word and its numbers, vectors differ in size, or no word has a vector.

    References
    ----------
    Pennington, Socher and Manning (2014), "GloVe: global vectors for word representation", EMNLP.

    Examples
    --------
    >>> from sklearn_rnn.text import read_vectors
    >>> read_vectors({"cat": [0.5, 1.0], "dog": [0.25, 1.0]}, {"<unk>": 0, "dog": 1})
    array([[ nan,  nan],
           [0.25, 1.  ]], dtype=float32)
    """
    pairs = _lines(Path(source), vocabulary) if isinstance(source, str | PathLike) else source.items()
    found = {vocabulary[word]: np.asarray(vector, dtype=np.float32) for word, vector in pairs if word in vocabulary}
    if not found:
        raise ValueError(
            f"None of the {len(vocabulary)} words of the vocabulary has a vector; perhaps only one of the two has "
            "lowercase letters."
        )
    sizes = {vector.shape for vector in found.values()}
    if len(sizes) > 1 or len(min(sizes)) != 1:
        raise ValueError(f"All vectors must be one-dimensional and have the same size, got shapes {sorted(sizes)}.")
    vectors = np.full((max(vocabulary.values()) + 1, *sizes.pop()), np.nan, dtype=np.float32)
    vectors[list(found)] = list(found.values())
    return vectors


def _lines(path: Path, vocabulary: Mapping[str, int]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the words of a file that are in the vocabulary, with their vectors."""
    size = None
    found: set[str] = set()
    wide: dict[str, int] = {}  # lines that begin with a known word and have too many numbers
    for number, line in _numbered_lines(path):
        fields = line.rstrip().split(" ")
        if number == 1 and len(fields) == 2 and "".join(fields).isdecimal():  # the number of words, and the size
            size = int(fields[1])
            continue
        size = size or len(fields) - 1
        if len(fields) <= size:
            raise ValueError(f"{path}, line {number}: expected a word and {size} numbers, got {len(fields) - 1}.")
        word = " ".join(fields[:-size])  # words may contain spaces
        if word not in vocabulary:
            if len(fields) > size + 1 and (start := _before_numbers(fields[:-size])) in vocabulary:
                wide[start] = number
            continue
        try:
            yield word, np.array(fields[-size:], dtype=np.float32)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: expected a word and {size} numbers.") from error
        found.add(word)
    for word in wide.keys() - found:
        raise ValueError(f"{path}, line {wide[word]}: expected {word!r} and {size} numbers, got more.")


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, plain or compressed, with their numbers from 1; skip a byte-order mark."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    number = 0
    with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        try:
            for number, line in enumerate(file, 1):
                yield number, line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}, after line {number}: the compressed file is truncated or damaged: {error}."
            ) from error


def _before_numbers(fields: list[str]) -> str:
    """Join the fields without the numbers at the end; an empty string if there are none."""
    end = len(fields)
    while end > 1 and _is_number(fields[end - 1]):
        end -= 1
    return " ".join(fields[:end]) if end < len(fields) else ""


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
