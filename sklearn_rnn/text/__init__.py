"""Sequences of token ids from raw documents, for the estimators."""

from ._vectorizer import TokenSequenceVectorizer
from ._vectors import read_vectors

__all__ = ["TokenSequenceVectorizer", "read_vectors"]
