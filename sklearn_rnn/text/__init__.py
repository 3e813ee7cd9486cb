"""Raw documents as sequences of token ids, for the estimators to read."""

from ._vectorizer import TokenSequenceVectorizer
from ._vectors import read_vectors

__all__ = ["TokenSequenceVectorizer", "read_vectors"]
