"""The tokens of many documents in one array: numbering, counting, and cutting into sequences."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..tasks import is_nothing


def each(X: Iterable[Any], function: Callable[[Any], Any]) -> Iterator[Any]:
    """Apply a function to each document of X; an error names a document that is not a text."""
    if isinstance(X, str):
        raise ValueError("Iterable over raw text documents expected, string object received.")
    if getattr(X, "ndim", 1) != 1:
        raise ValueError(
            f"Expected 1D array of documents, got {X.ndim}D array instead; pass one column."  # type: ignore[attr-defined]
        )
    for i, document in enumerate(X):
        try:
            yield function(document)
        except (AttributeError, TypeError, ValueError) as error:
            if isinstance(document, str | bytes) or hasattr(document, "read"):
                raise
            hint = "; for lists of words set analyzer=list" if isinstance(document, list | tuple) else ""
            hint = "; `fillna('')` replaces missing documents by empty ones" if is_nothing(document) else hint
            raise ValueError(f"X[{i}] is {document!r}; expected a document, a string{hint}.") from error


def listed(function: Callable[[Any], Any], name: str, document: Any) -> Any:
    """Return the tokens that the user's function returns for a document; an error if it returns no list."""
    if function in (list, tuple) and isinstance(document, str | bytes):
        raise ValueError(f"With {name}={function.__name__}, documents must be lists of words, got {document!r}.")
    tokens = function(document)
    if isinstance(tokens, str | bytes | Mapping) or not isinstance(tokens, Iterable):
        raise ValueError(
            f"{name} must return a list of tokens, got {type(tokens).__name__}. For a tokenizer of Hugging Face, set "
            "analyzer='subword' and tokenizer=tokenizer, or analyzer=tokenizer.tokenize."
        )
    return tokens


def numbered(
    documents: Iterable[Iterable[str]], look_up: Callable[[Iterable[str]], Iterable[int]]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Convert tokens to numbers.

    Parameters
    ----------
    documents : iterable of iterable of str
        Tokens of each document.
    look_up : callable
        Function that converts tokens to numbers.

    Returns
    -------
    flat : ndarray of shape (n_tokens,), int32
        Numbers of all documents, one document after the other.
    ends : ndarray of shape (n,), int64
        Position after the last token of each document.
    """
    flat, ends = array("i"), array("q")
    for tokens in documents:
        flat.extend(look_up(tokens))
        ends.append(len(flat))
    return np.array(flat, dtype=np.int32), np.array(ends, dtype=np.int64)


def document_frequency(flat: NDArray, ends: NDArray, n_numbers: int) -> NDArray[np.int64]:
    """Number of documents (n_numbers,) in which each number occurs."""
    table = csr_array((np.ones(len(flat), np.int32), flat, np.append(0, ends)), shape=(len(ends), n_numbers))
    table.sum_duplicates()
    return np.bincount(table.indices, minlength=n_numbers)


def cut_sequences(flat: NDArray, ends: NDArray, unknown: int, marks: tuple[int, int] | None) -> list[NDArray]:
    """Cut into documents, and add marks of begin and end; without marks, an empty document gets `unknown`."""
    lengths = np.diff(ends, prepend=0)
    room = np.where(lengths == 0, 1, 0) if marks is None else np.full(len(ends), 2)
    stops = ends + np.cumsum(room)
    starts = stops - lengths - room
    if room.any():
        output = np.full(stops[-1], unknown, dtype=flat.dtype)
        shift = np.cumsum(room) - (
            room if marks is None else 1
        )  # number of added tokens before each document's first token
        output[np.arange(len(flat)) + np.repeat(shift, lengths)] = flat
        if marks is not None:
            output[starts], output[stops - 1] = marks
        flat = output
    return [flat[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
